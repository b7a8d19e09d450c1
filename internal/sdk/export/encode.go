package export

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
)

// smallWindow is the deflate window that QEMU itself writes, and so the one that every QEMU reads.
const smallWindow = 4 << 10

// encoding is how clusters are stored in this run, after the probe.
type encoding struct {
	mode   CompressionMode
	level  int
	window int // of deflate; 0: 32 KiB
}

// encoder compresses clusters. It is for one goroutine; its result is valid until the next call.
type encoder struct {
	deflate *flate.Writer
	zstd    *zstd.Encoder
	out     limitedBuffer
	buf     []byte
}

func newEncoder(e encoding) (*encoder, error) {
	enc := &encoder{out: limitedBuffer{max: qcow2.ClusterBytes - 1}}
	var err error
	switch {
	case e.mode == Zstd:
		enc.buf = make([]byte, 0, qcow2.ClusterBytes+1024)
		enc.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
			zstd.WithWindowSize(qcow2.ClusterBytes), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(e.level)))
	case e.window > 0:
		enc.deflate, err = flate.NewWriterWindow(&enc.out, e.window)
	default:
		enc.deflate, err = flate.NewWriter(&enc.out, max(e.level, 1)) // pass-through has no level and recompresses little
	}
	if err != nil {
		return nil, fmt.Errorf("make an encoder: %w", err)
	}
	return enc, nil
}

// lazyEncoder makes its encoder, which takes about a megabyte, when the first cluster needs one.
type lazyEncoder struct {
	encoding
	made *encoder
}

func (l *lazyEncoder) encode(cluster []byte) ([]byte, error) {
	if l.made == nil {
		var err error
		if l.made, err = newEncoder(l.encoding); err != nil {
			return nil, err
		}
	}
	return l.made.encode(cluster)
}

// encode compresses a whole cluster; nil means that it does not get smaller.
func (e *encoder) encode(cluster []byte) ([]byte, error) {
	if e.zstd != nil {
		e.buf = e.zstd.EncodeAll(cluster, e.buf[:0])
		if len(e.buf) >= qcow2.ClusterBytes {
			return nil, nil
		}
		return e.buf, nil
	}
	e.out.Reset()
	e.deflate.Reset(&e.out)
	_, err := e.deflate.Write(cluster)
	if err == nil {
		err = e.deflate.Close()
	}
	if errors.Is(err, errTooBig) {
		return nil, nil
	}
	return e.out.Bytes(), err
}

var errTooBig = errors.New("does not fit")

// limitedBuffer refuses what would not fit into a cluster.
type limitedBuffer struct {
	bytes.Buffer
	max int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.max {
		return 0, errTooBig
	}
	return b.Buffer.Write(p)
}
