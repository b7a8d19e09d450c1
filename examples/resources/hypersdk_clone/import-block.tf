import {
  to = hypersdk_clone.web
  id = "/DC1/vm/web/web-01"
}
