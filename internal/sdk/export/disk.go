package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// maxTrailer bounds what may follow the end of a stream.
const maxTrailer = 1 << 20

// exportDisk is one attempt at one disk. Whatever goes wrong, no partial file of it stays.
func (r *runner) exportDisk(ctx context.Context, lease Lease, d *disk, served SourceDisk, progress func()) error {
	a := &attempt{r: r, d: d, capacity: served.CapacityBytes, progress: progress}
	err := a.open()
	if err == nil {
		err = a.transfer(ctx, lease)
	}
	if err == nil {
		err = a.finish(ctx)
	}
	if err != nil {
		a.discard()
		full := d.spec.Path
		if full == "" {
			full = d.kept
		}
		return explainFull(err, full, served.CapacityBytes)
	}
	d.meter.end(sdk.Succeeded, "")
	return nil
}

// attempt holds the files that one attempt writes.
type attempt struct {
	r        *runner
	d        *disk
	capacity int64
	progress func()

	file  *os.File // of the image; nil: not converted
	image image
	kept  keeper // nil: not kept
}

func (a *attempt) open() error {
	if a.d.image {
		f, err := create(a.d.spec.Path)
		if err != nil {
			return err
		}
		a.file = f
		if a.image, err = newImage(f, a.d.spec.Format, a.r.encode, a.capacity); err != nil {
			return err
		}
	}
	if a.d.keep {
		var err error
		if a.kept, err = a.r.newKeeper(a.d); err != nil {
			return err
		}
	}
	return nil
}

// transfer reads the disk's stream to its end.
func (a *attempt) transfer(ctx context.Context, lease Lease) error {
	stream, err := lease.Open(ctx, a.d.spec.Address)
	if err != nil {
		return err
	}
	defer stream.Close()                                          //nolint:errcheck // read only
	defer context.AfterFunc(ctx, func() { _ = stream.Close() })() //nolint:errcheck // a blocked Read must not hold up a cancel
	var in io.Reader = &countingReader{r: stream, n: &a.d.wire}
	if a.kept != nil {
		in = io.TeeReader(in, a.kept)
	}
	reader, err := vmdk.NewReader(in)
	if err != nil {
		return err
	}
	if got := reader.Header().CapacityBytes; a.capacity != 0 && got != a.capacity {
		return sdk.Invalidf("the stream is of a disk of %d bytes, the source's has %d", got, a.capacity)
	}
	if err := a.convert(ctx, reader); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(in, maxTrailer+1))
	if err == nil && n > maxTrailer {
		err = sdk.Invalidf("more than %d bytes follow the end of the stream", maxTrailer)
	}
	return err
}

// finish makes the files whole, hashes them and gives them their names.
func (a *attempt) finish(ctx context.Context) error {
	var files []finished
	if a.image != nil {
		if err := a.image.close(); err != nil {
			return err
		}
		rec := record{Made: a.r.made(a.d.spec), VirtualBytes: a.capacity}
		if err := closeFile(&a.file); err != nil {
			return err
		}
		if a.r.spec.Checksum {
			a.d.meter.note("hashing")
			sum, err := hashFile(ctx, a.d.spec.Path+partialSuffix)
			if err != nil {
				return err
			}
			rec.SHA256 = sum
		}
		files = append(files, finished{a.d.spec.Path, rec})
	}
	if a.kept != nil {
		whole, err := a.kept.finish()
		if err != nil {
			return err
		}
		if whole != nil {
			whole.record.VirtualBytes = a.capacity
			files = append(files, *whole)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := a.r.publish(files...); err != nil {
		return err
	}
	a.d.image, a.d.keep = false, false
	return nil
}

// discard removes what the attempt wrote.
func (a *attempt) discard() {
	if a.kept != nil {
		a.kept.discard()
	}
	if a.d.image {
		_ = closeFile(&a.file)
		_ = os.Remove(a.d.spec.Path + partialSuffix)
	}
}

func closeFile(f **os.File) error {
	if *f == nil {
		return nil
	}
	err := (*f).Close()
	*f = nil
	return err
}

type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

// Read counts, and gives every failure of the source's side the kind of one that another transfer may not meet.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's end is returned bare
		err = sdk.Kind(sdk.ErrUnavailable, err)
	}
	return n, err
}

// convert feeds the grains into the image, or, when there is none, only checks them.
func (a *attempt) convert(ctx context.Context, reader *vmdk.Reader) error {
	p := newPass(a, reader.Header())
	err := p.run(ctx, reader)
	if ctx.Err() != nil && err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}
