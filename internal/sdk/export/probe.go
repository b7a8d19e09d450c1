package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/flate"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

const probeTimeout = 30 * time.Second

// chooseEncoding asks the installed QEMU whether it reads clusters deflated with the 32 KiB window that vSphere uses; QEMU
// itself writes 4 KiB. Where it does not, grains are compressed anew with a small window, and the result says so.
func (r *runner) chooseEncoding(ctx context.Context) {
	r.encode = encoding{mode: r.spec.Compression.Mode, level: r.spec.Compression.Level}
	var wanted bool
	for _, d := range r.disks {
		wanted = wanted || (d.image && d.spec.Format == "qcow2")
	}
	if !wanted || (r.encode.mode != PassThrough && r.encode.mode != Deflate) {
		return
	}
	err := ProbePassThrough(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.Is(err, sdk.ErrNotFound):
		r.notes = append(r.notes, "qemu-img is not installed, so pass-through was not tried on it")
	default:
		r.encode = encoding{mode: Deflate, level: 1, window: smallWindow}
		r.notes = append(r.notes, fmt.Sprintf("clusters were compressed anew with a small window: %v", err))
	}
}

// ProbePassThrough checks that the installed qemu-img reads a cluster whose deflate stream reaches back further than the
// window that QEMU uses itself. A missing qemu-img is sdk.ErrNotFound; one that reads something else is sdk.ErrConflict.
func ProbePassThrough(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "hypersdk-probe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	image, back := filepath.Join(dir, "probe.qcow2"), filepath.Join(dir, "probe.raw")
	want := probeCluster()
	if err := writeProbe(image, want); err != nil {
		return err
	}
	err = qemuimg.Convert(ctx, qemuimg.ConvertSpec{Src: image, SrcFormat: "qcow2", Dst: back, DstFormat: "raw"}, nil)
	if errors.Is(err, sdk.ErrNotFound) || ctx.Err() != nil {
		return err
	}
	if err != nil {
		return sdk.Kind(sdk.ErrConflict, fmt.Errorf("qemu-img does not read a cluster with a 32 KiB window: %w", err))
	}
	got, err := os.ReadFile(back)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return sdk.Conflictf("qemu-img reads a cluster with a 32 KiB window wrongly")
	}
	return nil
}

// probeCluster repeats incompressible bytes at a distance of just under 32 KiB.
func probeCluster() []byte {
	const distance = 32<<10 - 1<<9
	random := rand.NewChaCha8([32]byte{})
	cluster := make([]byte, qcow2.ClusterBytes)
	_, _ = random.Read(cluster[:distance]) // never fails
	for i := distance; i < len(cluster); i++ {
		cluster[i] = cluster[i-distance]
	}
	return cluster
}

func writeProbe(path string, cluster []byte) error {
	var stream bytes.Buffer
	deflate, err := flate.NewWriter(&stream, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := deflate.Write(cluster); err != nil {
		return err
	}
	if err := deflate.Close(); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // Close of the writer syncs
	w, err := qcow2.NewWriter(f, qcow2.Spec{VirtualBytes: int64(len(cluster)), Compression: qcow2.Zlib})
	if err != nil {
		return err
	}
	if err := w.WriteCompressed(0, stream.Bytes()); err != nil {
		return err
	}
	return w.Close()
}
