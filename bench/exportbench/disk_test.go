//go:build linux

package exportbench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// synthetic is a disk with a little noise at equal distances: much to keep account of, little to carry.
type synthetic struct {
	name  string
	bytes int64
	every int64 // distance of grains that hold something
}

const (
	grainBytes = 64 << 10
	noiseBytes = 1 << 10
)

// synthetics have every grain, but the largest: there every table is used.
var synthetics = []synthetic{
	{"1 GiB", 1 << 30, grainBytes},
	{"16 GiB", 16 << 30, grainBytes},
	{"1 TiB", 1 << 40, 512 * grainBytes},
}

func (s synthetic) grains() int64 { return s.bytes / s.every }

func (s synthetic) vm() string { return fmt.Sprintf("/DC0/vm/bench-%d", s.bytes>>30) }

func (s synthetic) stream(dir string) string {
	return filepath.Join(dir, fmt.Sprintf("synthetic-%d-%d.vmdk", s.bytes>>30, s.grains()))
}

// prepare writes the stream once.
func (s synthetic) prepare(dir string) error {
	if _, err := os.Stat(s.stream(dir)); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "making a disk of %s…\n", s.name)
	raw, err := os.CreateTemp(dir, "raw-")
	if err != nil {
		return err
	}
	defer os.Remove(raw.Name()) //nolint:errcheck // temporary
	defer raw.Close()           //nolint:errcheck // temporary
	if err := s.fill(raw); err != nil {
		return err
	}
	part := s.stream(dir) + ".part"
	out, err := os.Create(part)
	if err != nil {
		return err
	}
	err = vmdk.Write(out, raw, vmdk.WriterSpec{CapacityBytes: s.bytes})
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(part, s.stream(dir))
}

func (s synthetic) fill(raw *os.File) error {
	if err := raw.Truncate(s.bytes); err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{1})
	p := make([]byte, noiseBytes)
	for off := int64(0); off < s.bytes; off += s.every {
		_, _ = noise.Read(p) // never fails
		if _, err := raw.WriteAt(p, off); err != nil {
			return err
		}
	}
	return nil
}
