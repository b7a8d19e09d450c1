package vmdk

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/sync/errgroup"
)

const (
	grainBytes  = writerGrain * sector
	batchGrains = 16 // 1 MiB of disk: enough work to make handing it over cheap
)

// batch is a run of grains on its way through a compressor.
type batch struct {
	offset int64  // in the disk
	plain  []byte // what the disk has there, in whole grains
	packed []byte // the zlib streams, one behind the other
	ends   []int  // where each grain's stream ends in packed; nothing was added for a grain of zeros
	err    error
	done   chan struct{} // closed when packed, ends and err are there
}

// compress reads the image in order, compresses batches in parallel and emits them in order. It returns when every
// goroutine has ended.
func compress(src io.ReaderAt, spec WriterSpec, emit func(*batch) error) error {
	// Every batch is in one of free, work and order, so none of the sends below can block for good.
	count := 2*spec.Parallel + 2
	free, work, order := make(chan *batch, count), make(chan *batch, count), make(chan *batch, count)
	for range count {
		free <- &batch{plain: make([]byte, batchGrains*grainBytes)}
	}
	stop := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		defer close(order)
		defer close(work)
		return readBatches(src, spec.CapacityBytes, free, stop, func(b *batch) {
			b.done = make(chan struct{})
			work <- b
			order <- b
		})
	})
	for range spec.Parallel {
		group.Go(func() error {
			compressBatches(work, spec.Level)
			return nil
		})
	}
	group.Go(func() error {
		var failed error
		for b := range order {
			<-b.done
			if failed == nil {
				if failed = b.err; failed == nil {
					failed = emit(b)
				}
				if failed != nil {
					close(stop)
				}
			}
			free <- b
		}
		return failed
	})
	return group.Wait()
}

// readBatches fills batches with the ranges of the image that have data, grain by grain aligned.
func readBatches(src io.ReaderAt, capacity int64, free <-chan *batch, stop <-chan struct{}, send func(*batch)) error {
	for offset := int64(0); offset < capacity; {
		begin, end, err := nextData(src, offset, capacity)
		if err != nil {
			return err
		}
		for at := begin &^ (grainBytes - 1); at < end; at += batchGrains * grainBytes {
			var b *batch
			select {
			case b = <-free:
			case <-stop:
				return nil
			}
			b.offset, b.plain = at, b.plain[:cap(b.plain)]
			want := min(int64(len(b.plain)), wholeGrains(end)-at)
			b.plain = b.plain[:want]
			have := b.plain[:min(want, capacity-at)]
			n, err := src.ReadAt(have, at)
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			clear(b.plain[n:])
			send(b)
		}
		offset = wholeGrains(end)
	}
	return nil
}

func wholeGrains(n int64) int64 { return (n + grainBytes - 1) &^ (grainBytes - 1) }

// compressBatches works until the channel closes. A failure goes with its batch, so that nobody waits in vain.
func compressBatches(work <-chan *batch, level int) {
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, level)
	for b := range work {
		packed = *bytes.NewBuffer(b.packed[:0])
		b.ends, b.err = b.ends[:0], err
		for grain := b.plain; len(grain) > 0 && b.err == nil; grain = grain[grainBytes:] {
			if !allZero(grain[:grainBytes]) {
				z.Reset(&packed)
				b.err = writeAll(z, grain[:grainBytes])
			}
			b.ends = append(b.ends, packed.Len())
		}
		b.packed = packed.Bytes()
		close(b.done)
	}
}

var zeroGrain [grainBytes]byte

func allZero(grain []byte) bool { return bytes.Equal(grain, zeroGrain[:]) }

func writeAll(z io.WriteCloser, data []byte) error {
	if _, err := z.Write(data); err != nil {
		return err
	}
	return z.Close()
}
