package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// demoDisk is the size of the disks of the demo's two VMs that can be exported.
const demoDisk = 64 << 20

// startDemo makes a vCenter with enough in it to look at: two clusters, and among the VMs vm-name, which runs, and ubuntu-server, which is off
// and can be exported.
func (s *source) startDemo(ctx context.Context, dir string) (config.VSphere, error) {
	stdlog.SetOutput(io.Discard) // the simulator talks to the standard logger
	image := filepath.Join(dir, "demo-disk.raw")
	if err := makeDisk(image); err != nil {
		return config.VSphere{}, fmt.Errorf("demo: %w", err)
	}
	disks := []demo.GuestDisk{{Image: image}}
	var err error
	s.demo, err = demo.Start(ctx, demo.Options{
		Clusters: 2, Hosts: 3, VMs: 8, Datastores: 2, CacheDir: filepath.Join(dir, "demo-cache"),
		Guests: []demo.Guest{
			{Path: "/DC0/vm/vm-name", Disks: disks, Hostname: "vm-name", IPs: []string{"192.0.2.20"}, PoweredOn: true},
			{Path: "/DC0/vm/ubuntu-server", Disks: disks, GuestID: "ubuntu64Guest", Hostname: "ubuntu-server"},
		},
	})
	if err != nil {
		return config.VSphere{}, fmt.Errorf("demo: %w", err)
	}
	return config.VSphere{URL: s.demo.URL(), Username: s.demo.Username(), Password: s.demo.Password(), CAFile: s.demo.CAFile()}, nil
}

// makeDisk writes an image with some text in it and holes for the rest.
func makeDisk(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(bytes.Repeat([]byte("a disk of the demo, without a guest in it\n"), 1<<16))
	return errors.Join(err, f.Truncate(demoDisk), f.Close())
}
