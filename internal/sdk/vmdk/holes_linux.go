package vmdk

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// nextData returns the next range at or behind offset that may have data, at most up to capacity. A begin at capacity says
// that none is left.
func nextData(src io.ReaderAt, offset, capacity int64) (begin, end int64, err error) {
	f, ok := src.(*os.File)
	if !ok {
		return offset, capacity, nil
	}
	begin, err = f.Seek(offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return capacity, capacity, nil
	case errors.Is(err, unix.EINVAL):
		return offset, capacity, nil // a filesystem or device that knows no holes
	case err != nil:
		return 0, 0, err
	}
	end, err = f.Seek(begin, unix.SEEK_HOLE)
	if err != nil {
		return 0, 0, err
	}
	return min(begin, capacity), min(end, capacity), nil
}
