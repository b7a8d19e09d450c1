//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// modes are the exports that are measured; "packages" is the reader and the writer without what export adds.
var modes = map[string]export.Spec{
	"bare":         {},
	"sha256":       {Checksum: true},
	"verify":       {Verify: true},
	"all":          {Checksum: true, Verify: true},
	"level6":       {Compression: export.Compression{Mode: export.Deflate, Level: 6}},
	"zstd":         {Compression: export.Compression{Mode: export.Zstd}},
	"uncompressed": {Compression: export.Compression{Mode: export.Uncompressed}},
}

// convert turns a VMDK into a qcow2 image: MODE VMDK QCOW2.
func convert(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("convert takes a mode, a VMDK and an image")
	}
	mode, from, to := args[0], args[1], args[2]
	if mode == "packages" {
		return packages(from, to)
	}
	spec, ok := modes[mode]
	if !ok {
		return fmt.Errorf("no mode %q", mode)
	}
	dir, err := os.MkdirTemp("", "diskbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(dir, "bench")
	if err != nil {
		return err
	}
	defer j.Close()
	spec.Name, spec.Dir = "bench", dir
	spec.Disks = []export.DiskSpec{{ID: "disk-0", Address: address, Path: to, Format: "qcow2"}}
	_, err = export.Run(ctx, file(from), spec, j, nil)
	return err
}

// packages copies grains to clusters.
func packages(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	r, err := vmdk.NewReader(in)
	if err != nil {
		return err
	}
	w, err := qcow2.NewWriter(out, qcow2.Spec{VirtualBytes: r.Header().CapacityBytes})
	if err != nil {
		return err
	}
	plain := make([]byte, qcow2.ClusterBytes)
	for {
		g, err := r.Next()
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err != nil {
			return err
		}
		raw, err := vmdk.RawDeflate(g.Data)
		switch {
		case err != nil:
			return err
		case len(raw) < qcow2.ClusterBytes:
			err = w.WriteCompressed(g.Offset, raw)
		default:
			var n int
			if n, err = vmdk.Inflate(plain, g.Data); err == nil {
				err = w.WriteCluster(g.Offset, plain[:n])
			}
		}
		if err != nil {
			return err
		}
	}
}

const address = "scsi0:0"

// file is an export source and its lease: one disk, whose stream lies in a file.
type file string

func (f file) Lease(context.Context) (export.Lease, error) { return f, nil }

func (f file) Disks() []export.SourceDisk {
	return []export.SourceDisk{{Address: address, DeviceID: "/vm-1/disk", Name: "disk.vmdk", CapacityBytes: diskBytes}}
}

func (f file) Open(context.Context, string) (io.ReadCloser, error) { return os.Open(string(f)) }
func (f file) Progress(int)                                        {}
func (f file) Lost() <-chan struct{}                               { return nil }
func (f file) Err() error                                          { return nil }
func (f file) End(context.Context, error) error                    { return nil }

func (f file) Descriptor(context.Context, string, []export.DescriptorFile) (string, error) {
	return "", errors.New("a file has no descriptor")
}
