// Package exportbench measures an export over a lease beside curl, which writes the bytes of the same lease into a file. It
// prints two tables: rates at several speeds of the wire, and memory at several sizes of disk. bench/export.sh starts it.
//
// It is a program in the shape of a test binary, because a lease that is not ours needs govmomi, and outside of
// internal/sdk/vsphere and internal/demo only tests may import that. It holds no test. Start reading in main_test.go.
package exportbench
