package vmdk

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// inflateByLibrary does what inflateRaw does, with the library's decoder.
func inflateByLibrary(dst, raw []byte) (int, error) {
	src := bytes.NewReader(raw)
	n, err := readAll(flate.NewReader(src), dst)
	if err == nil && src.Len() > 0 {
		err = sdk.Invalidf("grain has %d bytes behind its deflate stream", src.Len())
	}
	return n, err
}

// readAll fills dst and demands that the stream ends there or before.
func readAll(r io.Reader, dst []byte) (int, error) {
	n := 0
	for {
		buf := dst[n:]
		if len(buf) == 0 {
			buf = make([]byte, 1) // the end of the stream is still to be seen
		}
		m, err := r.Read(buf)
		if n == len(dst) && m > 0 {
			return n, sdk.Invalidf("grain inflates to more than %d bytes", len(dst))
		}
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, sdk.Invalidf("inflate grain: %w", err)
		}
	}
}
