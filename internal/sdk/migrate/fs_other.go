//go:build !unix

package migrate

import "os"

// freeSpace is not known here: local libvirt targets are Linux hosts.
func freeSpace(string) int64 { return -1 }

// deviceInode is not known here: local libvirt targets are Linux hosts.
func deviceInode(os.FileInfo) (device, inode uint64) { return 0, 0 }
