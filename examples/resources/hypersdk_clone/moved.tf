# Takes a VM over from the vsphere provider: nothing is made anew.
moved {
  from = vsphere_virtual_machine.web
  to   = hypersdk_clone.web
}
