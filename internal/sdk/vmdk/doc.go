// Package vmdk reads and writes streamOptimized VMDK, the form in which vSphere serves disks over an export lease and in
// which OVF packages carry them. The layout is that of VMware's "Virtual Disk Format 5.0": a header and a text descriptor,
// then grains of 64 KiB, each a zlib stream behind a marker with its disk address, then grain tables, grain directory, footer
// and an end-of-stream marker.
//
// The reader never seeks, so it works on a network stream, and it trusts nothing: see Reader. It refuses every other kind of
// VMDK. Start reading at reader.go; Write in writer.go is its mirror.
package vmdk
