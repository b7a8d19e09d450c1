import {
  to = hypersdk_snapshot.before_upgrade
  identity = {
    vcenter = "dbed6e0c-bd88-4ef6-b594-21283e1c677f"
    moid    = "snapshot-42"
  }
}
