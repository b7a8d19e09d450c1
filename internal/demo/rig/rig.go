// Package rig is what tests need to stand on: a simulated vCenter that ends with its test, and disks with known content.
package rig

import (
	"encoding/binary"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// VCenter starts a simulated vCenter and closes it with the test. Without Options.CacheDir its VMDKs are cached in a
// directory of the test. It silences the standard logger, which the simulator talks to.
func VCenter(t testing.TB, opts demo.Options) *demo.VCenter {
	t.Helper()
	log.SetOutput(io.Discard)
	if opts.CacheDir == "" {
		opts.CacheDir = t.TempDir()
	}
	v, err := demo.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Errorf("close vCenter: %v", err)
		}
	})
	return v
}

// Pattern is the kind of content of a disk.
type Pattern string

// The patterns. Each is deterministic: equal size and pattern give equal bytes.
const (
	Zero   Pattern = "zero"   // one hole
	Random Pattern = "random" // incompressible throughout
	Text   Pattern = "text"   // compressible throughout
	Sparse Pattern = "sparse" // every sixteenth 64 KiB block has data, the rest are holes
	Mixed  Pattern = "mixed"  // random, text, written zeros, holes and blocks that begin off the grain, by turns
)

const block = 64 << 10

// Disk makes a raw image of so many bytes, a multiple of 512, and returns its path.
func Disk(t testing.TB, size int64, pattern Pattern) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.raw")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // checked by Sync
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for off := int64(0); off < size; off += block {
		p := content(pattern, off/block, min(block, size-off))
		if p == nil {
			continue
		}
		if _, err := f.WriteAt(p, off); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	return path
}

// content of one block; nil is a hole.
func content(pattern Pattern, index, n int64) []byte {
	switch pattern {
	case Zero:
		return nil
	case Random:
		return random(index, n)
	case Text:
		return text(index, n)
	case Sparse:
		if index%16 != 0 {
			return nil
		}
		return text(index, n)
	case Mixed:
		return mixed(index, n)
	}
	panic("rig: no pattern " + string(pattern))
}

func mixed(index, n int64) []byte {
	switch index % 7 {
	case 0, 3:
		return random(index, n)
	case 1:
		return text(index, n)
	case 2:
		return make([]byte, n) // written zeros
	case 4: // one sector of data in the middle of zeros
		p := make([]byte, n)
		copy(p[n/2/512*512:], random(index, min(512, n)))
		return p
	}
	return nil
}

func random(seed, n int64) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	p := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(p) // never fails
	return p
}

func text(seed, n int64) []byte {
	words := []string{"the ", "disk ", "of ", "a ", "guest ", "boots\n", "0123 ", "grain "}
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	p := make([]byte, 0, n+8)
	for int64(len(p)) < n {
		p = append(p, words[r.IntN(len(words))]...)
	}
	return p[:n]
}
