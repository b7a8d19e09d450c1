import {
  to = hypersdk_snapshot.before_upgrade
  id = "/DC1/vm/web-01#base/before-upgrade"
}
