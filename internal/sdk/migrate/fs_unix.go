//go:build unix

package migrate

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeSpace is what an ordinary user may still write at path, in bytes; -1 when the system does not say.
func freeSpace(path string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the types differ by system
}

// deviceInode is what stays the same while a file is written to.
func deviceInode(info os.FileInfo) (device, inode uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino) //nolint:unconvert // the types differ by system
	}
	return 0, 0
}
