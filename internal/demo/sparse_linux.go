package demo

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dataRange returns the next range of data at or behind off; start is size when there is none. A filesystem that knows no
// holes has one range.
func dataRange(f *os.File, off, size int64) (start, end int64, err error) {
	start, err = unix.Seek(int(f.Fd()), off, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return size, size, nil
	}
	if err != nil {
		return off, size, nil //nolint:nilerr // no such question here: read it all
	}
	end, err = unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
	if err != nil {
		return 0, 0, os.NewSyscallError("lseek", err)
	}
	return start, min(end, size), nil
}
