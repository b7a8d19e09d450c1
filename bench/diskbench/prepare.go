//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

const (
	diskBytes  = 3 << 30
	filesBytes = 3 << 29 // 1.5 GiB
)

// prepare makes the disk and its stream once: real files in an ext4 filesystem, compressed at level 1 as ESXi does.
func prepare(ctx context.Context, dir string) (raw, stream string, err error) {
	raw, stream = filepath.Join(dir, "disk.raw"), filepath.Join(dir, "disk.vmdk")
	if _, err := os.Stat(stream); err == nil {
		return raw, stream, nil
	}
	fmt.Fprintln(os.Stderr, "making the disk…")
	files := filepath.Join(dir, "files")
	defer os.RemoveAll(files)
	if err := collect(ctx, "/usr", files); err != nil {
		return "", "", err
	}
	if err := os.RemoveAll(raw); err != nil {
		return "", "", err
	}
	_, err = proc.Run(ctx, proc.Cmd{Name: "mke2fs", Args: []string{"-q", "-t", "ext4", "-d", files, raw, fmt.Sprint(diskBytes >> 10)}})
	if err != nil {
		return "", "", err
	}
	return raw, stream, pack(raw, stream)
}

// collect copies regular files until there is enough.
func collect(ctx context.Context, from, to string) error {
	var total int64
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrPermission): // what cannot be read is not needed
			return nil
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		case total >= filesBytes:
			return fs.SkipAll
		}
		n, err := copyFile(path, filepath.Join(to, path))
		total += n
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return err
	})
	if err == nil && total < filesBytes {
		fmt.Fprintf(os.Stderr, "%s has only %d MiB of files\n", from, total>>20)
	}
	return err
}

func copyFile(from, to string) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return 0, err
	}
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	return n, errors.Join(err, out.Close())
}

func pack(raw, stream string) error {
	in, err := os.Open(raw)
	if err != nil {
		return err
	}
	defer in.Close()
	part := stream + ".part"
	out, err := os.Create(part)
	if err != nil {
		return err
	}
	err = vmdk.Write(out, in, vmdk.WriterSpec{CapacityBytes: diskBytes})
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(part, stream)
}
