// Package qcow2 writes qcow2 images, version 3, from clusters that come one at a time, as a VMDK stream delivers them. A
// cluster can be stored as an already compressed payload, which is what makes a conversion without recompression possible.
// The format is that of docs/interop/qcow2.txt in QEMU's source.
//
// It writes one layout (64 KiB clusters, 16-bit refcounts, no backing file, no snapshots) and reads nothing; qemu-img
// does both for the rest of the module. Start reading at writer.go; space.go decides where in the file things go.
package qcow2
