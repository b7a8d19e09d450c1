package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// smallGrain is the compressed size below which a grain may be all zeros: 64 KiB of zeros take 80 to 300 bytes.
const smallGrain = 512

// pass turns one stream of grains into one image: a reader, workers that inflate, check and compress, and a writer that
// takes their results in the reader's order. The blocks between them are a fixed ring, so memory does not grow with the
// disk.
type pass struct {
	a      *attempt
	encode encoding
	grain  int64 // bytes
	copies bool  // grains become clusters as they are

	free   chan *block
	work   chan *block
	order  chan *block
	failed chan struct{} // closed by the writer when it gives up
	err    error         // of the writer; set before failed is closed
	open   *block        // being assembled from grains that are no clusters
}

// block is one cluster on its way.
type block struct {
	offset int64
	grain  []byte // as served; empty when plain is filled
	plain  []byte // room for a cluster
	out    []byte // room for what a worker compressed
	stored []byte // what the image gets; nil: a hole
	packed bool   // stored is compressed
	err    error
	done   chan struct{}
}

// grainReader is a *vmdk.Reader.
type grainReader interface {
	Next() (vmdk.Grain, error)
}

func newPass(a *attempt, header vmdk.Header) *pass {
	workers := runtime.GOMAXPROCS(0)
	ring := 2*workers + 8
	p := &pass{
		a: a, encode: a.r.encode, grain: header.GrainBytes,
		free: make(chan *block, ring), work: make(chan *block, ring), order: make(chan *block, ring),
		failed: make(chan struct{}),
	}
	if a.d.spec.Format == "raw" {
		p.encode = encoding{mode: Uncompressed}
	}
	p.copies = p.encode.mode == PassThrough && p.grain == qcow2.ClusterBytes
	for range ring {
		p.free <- &block{plain: make([]byte, qcow2.ClusterBytes), done: make(chan struct{}, 1)}
	}
	return p
}

// run returns when the stream has ended and everything is written, or when anything failed.
func (p *pass) run(ctx context.Context, reader grainReader) error {
	var workers, writer sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			enc := &lazyEncoder{encoding: p.encode}
			for b := range p.work {
				b.err = p.process(b, enc)
				b.done <- struct{}{}
			}
		})
	}
	writer.Go(p.write)
	readErr := p.read(ctx, reader)
	close(p.work)
	close(p.order)
	workers.Wait()
	writer.Wait()
	if p.err != nil {
		return p.err
	}
	return readErr
}

// read hands grains to the workers.
func (p *pass) read(ctx context.Context, reader grainReader) error {
	for {
		grain, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return p.flush()
		}
		if err != nil {
			return err
		}
		if p.grain != qcow2.ClusterBytes {
			if err := p.reshape(ctx, grain); err != nil {
				return err
			}
			continue
		}
		b, err := p.next(ctx, grain.Offset)
		if err != nil {
			return err
		}
		b.grain = append(b.grain[:0], grain.Data...)
		p.hand(b)
	}
}

func (p *pass) next(ctx context.Context, offset int64) (*block, error) {
	select {
	case b := <-p.free:
		b.offset, b.grain, b.stored, b.packed, b.err = offset, b.grain[:0], nil, false, nil
		return b, nil
	case <-p.failed:
		return nil, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hand puts a block into the writer's order, by way of the workers when there is something to do.
func (p *pass) hand(b *block) {
	if p.untouched(b) {
		b.done <- struct{}{}
	} else {
		p.work <- b
	}
	p.order <- b
}

// untouched says whether a block needs no worker: its grain becomes a cluster without being looked into, or nothing is made
// of it and nothing checked.
func (p *pass) untouched(b *block) bool {
	if p.a.r.spec.Verify || len(b.grain) == 0 {
		return false
	}
	if p.a.image == nil {
		return true
	}
	if !p.copies || len(b.grain) < smallGrain || p.size(b) < qcow2.ClusterBytes {
		return false
	}
	payload, err := vmdk.RawDeflate(b.grain)
	if err != nil || len(payload) >= qcow2.ClusterBytes {
		return false
	}
	b.stored, b.packed = payload, true
	return true
}

// size is how much of the block's cluster lies in the disk.
func (p *pass) size(b *block) int64 { return min(qcow2.ClusterBytes, p.a.capacity-b.offset) }

// process decides what the image gets of a block. A cluster that is zero stays a hole; one that does not get smaller is
// stored as it is. The last one of a disk may be short: a compressed cluster is always whole, so it is padded and
// compressed anew.
func (p *pass) process(b *block, enc *lazyEncoder) error {
	size := p.size(b)
	if size <= 0 {
		return sdk.Invalidf("a grain at offset %d, behind the end of the disk", b.offset)
	}
	if len(b.grain) > 0 {
		n, err := vmdk.Inflate(b.plain, b.grain)
		if err != nil {
			return fmt.Errorf("grain at offset %d: %w", b.offset, err)
		}
		if int64(n) != size && n != qcow2.ClusterBytes {
			return sdk.Invalidf("grain at offset %d: holds %d bytes, not %d", b.offset, n, size)
		}
	}
	clear(b.plain[size:])
	switch {
	case p.a.image == nil, (len(b.grain) == 0 || len(b.grain) < smallGrain || !p.copies) && isZero(b.plain):
		return nil
	case p.encode.mode == Uncompressed:
		b.stored = b.plain[:size]
		return nil
	case p.copies && len(b.grain) > 0 && size == qcow2.ClusterBytes:
		payload, err := vmdk.RawDeflate(b.grain)
		if err != nil {
			return fmt.Errorf("grain at offset %d: %w", b.offset, err)
		}
		if len(payload) < qcow2.ClusterBytes {
			b.stored, b.packed = payload, true
		} else {
			b.stored = b.plain
		}
		return nil
	}
	payload, err := enc.encode(b.plain)
	if err != nil {
		return err
	}
	b.stored = b.plain[:size]
	if payload != nil {
		b.out = append(b.out[:0], payload...)
		b.stored, b.packed = b.out, true
	}
	return nil
}

// write stores the blocks in order. After a failure it only keeps the ring turning.
func (p *pass) write() {
	for b := range p.order {
		<-b.done
		if p.err == nil {
			if err := p.store(b); err != nil {
				p.err = err
				close(p.failed)
			}
		}
		p.free <- b
	}
}

func (p *pass) store(b *block) error {
	if b.err != nil {
		return b.err
	}
	var err error
	switch {
	case b.stored == nil:
	case b.packed:
		err = p.a.image.compressed(b.offset, b.stored)
	default:
		err = p.a.image.plain(b.offset, b.stored)
	}
	if err != nil {
		return err
	}
	if p.a.d.meter.reach(b.offset + p.size(b)) {
		p.a.progress()
	}
	return nil
}

// isZero compares the bytes with themselves, shifted by one.
func isZero(b []byte) bool {
	return len(b) == 0 || (b[0] == 0 && bytes.Equal(b[:len(b)-1], b[1:]))
}
