// Package export turns the disks of a VM into files: each disk in one pass from the stream that the source serves to the
// image that the target wants, without a temporary file between, and beside it, when asked, the stream as it was served.
//
// It knows no vCenter: a Source hands it leases and streams. It refuses to overwrite a file that its journal does not know,
// to give a file its final name before it is whole, and to believe a stream. Start reading in run.go; disk.go is one
// attempt at one disk and pass.go what happens to its bytes.
package export
