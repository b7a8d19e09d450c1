// Package demo is a simulated vCenter whose VMs have real disks: govmomi's simulator with an inventory, extended by what an
// export needs and the simulator lacks. VMs are exported over NFC leases that serve streamOptimized VMDKs, described by
// OVF descriptors, and their disks are readable under /folder; sessions expire, transfers break and calls are counted.
// It is the stage of the demo and the rig of the tests (package rig has the helpers).
//
// It refuses nothing a real vCenter allows except what would reach outside (guests run no containers), and it never writes
// to the images it is given. Start reading at vcenter.go, then hook.go, lease.go and nfc.go.
package demo
