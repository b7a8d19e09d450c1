package export

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
)

func TestProbePassThrough(t *testing.T) {
	need.Tools(t, "qemu-img")
	if err := ProbePassThrough(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestProbePassThrough_WithoutQEMU(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := ProbePassThrough(t.Context()); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestChooseEncoding_FallsBackAndSaysSo(t *testing.T) {
	dir := t.TempDir() // a qemu-img that cannot read the probe
	if err := os.WriteFile(filepath.Join(dir, "qemu-img"), []byte("#!/bin/sh\necho broken >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	r := &runner{spec: Spec{Compression: Compression{Mode: PassThrough}}, disks: []*disk{{image: true, spec: DiskSpec{Format: "qcow2"}}}}
	r.chooseEncoding(t.Context())
	if want := (encoding{mode: Deflate, level: 1, window: smallWindow}); r.encode != want || len(r.notes) != 1 {
		t.Errorf("got %+v with notes %q, want %+v and one note", r.encode, r.notes, want)
	}
}

func TestEncoder_EveryClusterComesBack(t *testing.T) {
	cluster := bytes.Repeat([]byte("a guest's text, and more of it; "), qcow2.ClusterBytes/32)
	for _, e := range []encoding{{mode: Deflate, level: 1}, {mode: Deflate, level: 9}, {mode: Deflate, window: smallWindow}, {mode: PassThrough}} {
		enc := &lazyEncoder{encoding: e}
		for range 2 {
			packed, err := enc.encode(cluster)
			if err != nil || packed == nil {
				t.Fatalf("%+v: got %d bytes, %v", e, len(packed), err)
			}
			got, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
			if err != nil || !bytes.Equal(got, cluster) {
				t.Errorf("%+v: the cluster comes back changed: %v", e, err)
			}
		}
	}
}

func TestEncoder_RefusesWhatDoesNotShrink(t *testing.T) {
	noise := make([]byte, qcow2.ClusterBytes)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	for _, mode := range []CompressionMode{Deflate, Zstd} {
		enc := &lazyEncoder{encoding: encoding{mode: mode, level: 1}}
		if packed, err := enc.encode(noise); err != nil || packed != nil {
			t.Errorf("%s: got %d bytes, %v, want nothing", mode, len(packed), err)
		}
	}
}

func TestIsZero(t *testing.T) {
	b := make([]byte, 1000)
	if !isZero(b) || !isZero(nil) {
		t.Error("zeros are not seen")
	}
	for _, i := range []int{0, 1, 500, 999} {
		b[i] = 1
		if isZero(b) {
			t.Errorf("a byte at %d is not seen", i)
		}
		b[i] = 0
	}
}
