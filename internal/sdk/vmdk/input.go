package vmdk

import (
	"errors"
	"io"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// input is a stream behind one buffer of fixed size: callers look at bytes in place, so a grain is never copied.
type input struct {
	r        io.Reader
	buf      []byte
	from, to int   // of buf, not yet taken
	position int64 // of from in the stream
	fetched  int64 // bytes read from r
	err      error // of r, kept until the buffer is used up
}

const bufferBytes = 1 << 20

// peek returns the next n bytes, valid until the next call. At the end of the stream it returns what there is and
// io.ErrUnexpectedEOF. n is at most bufferBytes.
func (in *input) peek(n int) ([]byte, error) {
	for in.to-in.from < n && in.err == nil {
		in.fill()
	}
	if have := in.to - in.from; have < n {
		if errors.Is(in.err, io.EOF) {
			return in.buf[in.from:in.to], io.ErrUnexpectedEOF
		}
		return nil, in.err
	}
	return in.buf[in.from : in.from+n], nil
}

// fill reads once, as much as the buffer holds.
func (in *input) fill() {
	if in.buf == nil {
		in.buf = make([]byte, bufferBytes)
	}
	if in.from > 0 {
		copy(in.buf, in.buf[in.from:in.to])
		in.from, in.to = 0, in.to-in.from
	}
	n, err := in.r.Read(in.buf[in.to:])
	in.to += n
	in.fetched += int64(n)
	in.err = err
}

// skip takes n bytes that peek showed.
func (in *input) skip(n int) {
	in.from += n
	in.position += int64(n)
}

// take returns the next n bytes and moves behind them.
func (in *input) take(n int) ([]byte, error) {
	b, err := in.peek(n)
	if err == nil {
		in.skip(n)
	}
	return b, err
}

// discard moves n bytes ahead, however many.
func (in *input) discard(n int64) error {
	for n > 0 {
		step := min(n, bufferBytes/2)
		if _, err := in.take(int(step)); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// padding reads to the end and accepts at most limit bytes, all of them zero.
func (in *input) padding(limit int64) error {
	for left := limit; ; {
		b, err := in.peek(sector)
		ended := errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return err
		}
		if left -= int64(len(b)); left < 0 {
			return sdk.Invalidf("more than %d bytes behind the end-of-stream marker", limit)
		}
		for _, c := range b {
			if c != 0 {
				return sdk.Invalidf("data behind the end-of-stream marker")
			}
		}
		in.skip(len(b))
		if ended {
			return nil
		}
	}
}
