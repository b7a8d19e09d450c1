package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// definedSpec is a tiny domain of this test alone, undefined at its end.
func definedSpec(t *testing.T, c *Client) DomainSpec {
	t.Helper()
	dir := scratch(t)
	spec := tinySpec(t, dir, bootDisk(t, dir, sectorHalt, "")).Domain
	spec.NICs = []DomainNIC{{MAC: "52:54:00:AB:CD:EF", Network: "default", LinkDown: true}}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := c.destroy(ctx, spec.UUID); err != nil {
			t.Error(err)
		}
		if err := c.Undefine(ctx, spec.UUID); err != nil {
			t.Error(err)
		}
	})
	return spec
}

func TestDomain_Life(t *testing.T) {
	c := systemClient(t)
	ctx := t.Context()
	spec := definedSpec(t, c)
	spec.Autostart, spec.Firmware, spec.MemoryMB = true, FirmwareUEFI, 96
	got, err := c.Define(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	want := &Domain{
		Name: spec.Name, UUID: spec.UUID, State: "shutoff", Autostart: true, MACs: []string{"52:54:00:ab:cd:ef"},
		Disks: []string{spec.Disks[0].Path}, CPUs: 1, MemoryMB: 96, Metadata: &spec.Metadata,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defined (-want +got):\n%s", diff)
	}

	spec.MemoryMB, spec.Autostart = 128, false
	if got, err = c.Define(ctx, spec); err != nil || got.MemoryMB != 128 || got.Autostart {
		t.Errorf("redefined: %+v, %v", got, err)
	}
	for _, ref := range []string{spec.Name, spec.UUID, strings.ToUpper(spec.UUID)} {
		if found, err := c.GetDomain(ctx, ref); err != nil || found.UUID != spec.UUID {
			t.Errorf("GetDomain(%q): %+v, %v", ref, found, err)
		}
	}
	for range 2 { // starting and stopping what is started or stopped is fine
		if err := c.Start(ctx, spec.UUID); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.ListDomains(ctx)
	if err != nil || !slices.ContainsFunc(list, func(d Domain) bool { return d.UUID == spec.UUID && d.State == "running" }) {
		t.Errorf("list: %+v, %v", list, err)
	}
	if err := c.Rename(ctx, spec.UUID, spec.Name+"-b"); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("rename while it runs: %v, want sdk.ErrConflict", err)
	}
	// A halted boot sector hears no power button.
	if err := c.Stop(ctx, spec.UUID, time.Second, false); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("stop without force: %v, want sdk.ErrConflict", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := c.Stop(canceled, spec.UUID, time.Minute, true); !errors.Is(err, context.Canceled) {
		t.Errorf("stop, canceled: %v, want context.Canceled", err)
	}
	if found, err := c.GetDomain(ctx, spec.UUID); err != nil || found.State != "running" {
		t.Errorf("after a canceled stop: %+v, %v; want it to run on", found, err)
	}
	for range 2 {
		if err := c.Stop(ctx, spec.UUID, time.Second, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Rename(ctx, spec.UUID, spec.Name+"-b"); err != nil {
		t.Error(err)
	}
	if _, err := c.GetDomain(ctx, spec.Name); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("by the old name: %v, want sdk.ErrNotFound", err)
	}
	nvram := filepath.Join(systemNVRAM, spec.UUID+"_VARS.fd")
	if _, err := os.Stat(nvram); err != nil {
		t.Errorf("NVRAM after rename: %v", err)
	}
	for range 2 {
		if err := c.Undefine(ctx, spec.UUID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(nvram); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("NVRAM after undefine: %v, want it gone", err)
	}
	if _, err := c.GetDomain(ctx, spec.UUID); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("after undefine: %v, want sdk.ErrNotFound", err)
	}
}

// TestStop_Graceful stops a guest that shuts itself off while Stop waits.
func TestStop_Graceful(t *testing.T) {
	c := systemClient(t)
	spec := definedSpec(t, c)
	dir := scratch(t)
	spec.Disks = []DomainDisk{bootDisk(t, dir, sectorPowerOff, "")}
	if _, err := c.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), spec.UUID); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context(), spec.UUID, time.Minute, false); err != nil {
		t.Error(err)
	}
	if d, err := c.GetDomain(t.Context(), spec.UUID); err != nil || d.State != "shutoff" {
		t.Errorf("after stop: %+v, %v", d, err)
	}
}

func TestDefine_NameTaken(t *testing.T) {
	c := systemClient(t)
	spec := definedSpec(t, c)
	if _, err := c.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	other := spec
	other.UUID = uuid.NewString()
	if _, err := c.Define(t.Context(), other); !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), spec.UUID) {
		t.Errorf("another UUID: %v, want an sdk.ErrConflict that names %s", err, spec.UUID)
	}
	renamed := spec
	renamed.Name += "-b"
	if _, err := c.Define(t.Context(), renamed); !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), spec.Name) {
		t.Errorf("another name: %v, want an sdk.ErrConflict that names %s", err, spec.Name)
	}
	second := definedSpec(t, c)
	if _, err := c.Define(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if err := c.Rename(t.Context(), second.UUID, spec.Name); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("rename to a taken name: %v, want sdk.ErrConflict", err)
	}
}

func TestDomain_Missing(t *testing.T) {
	c := systemClient(t)
	ctx, missing := t.Context(), uuid.NewString()
	for what, err := range map[string]error{
		"start":     c.Start(ctx, missing),
		"stop":      c.Stop(ctx, missing, time.Second, true),
		"autostart": c.SetAutostart(ctx, missing, true),
		"rename":    c.Rename(ctx, missing, "x"),
		"get":       second(c.GetDomain(ctx, missing)),
		"get name":  second(c.GetDomain(ctx, "hypersdk-test-no-such-domain")),
	} {
		if !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("%s: %v, want sdk.ErrNotFound", what, err)
		}
	}
}
