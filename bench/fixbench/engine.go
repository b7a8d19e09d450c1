//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/guest"
)

// phase is one part of a fix.
type phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// everything is what a migration asks for unless told otherwise.
var everything = guest.FixSpec{
	Bootloader: true, Initramfs: true, Network: true, VMwareTools: true,
	NICs: []guest.NIC{{MAC: "00:50:56:00:00:01"}},
}

// builtin is our own FIX, the launch of its appliance included. What it leaves must be free of critical findings.
func builtin(ctx context.Context, disk guest.Disk) ([]phase, error) {
	var phases []phase
	timed := func(name string, do func() error) error {
		began := time.Now()
		err := do()
		phases = append(phases, phase{name, time.Since(began).Seconds()})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	var a *guest.Appliance
	err := timed("launch the appliance", func() (err error) {
		a, err = guest.Open(ctx, guest.Spec{Disks: []guest.Disk{disk}})
		return err
	})
	if err != nil {
		return nil, err
	}
	defer a.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the good case closes below
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"inspect", func() error { _, err := a.Inspect(ctx); return err }},
		{"fix", func() error { _, err := a.Fix(ctx, everything, nil); return err }},
		{"validate", func() error { return validate(ctx, a) }},
		{"sync and close", func() error { return a.Close(ctx) }},
	} {
		if err := timed(step.name, step.do); err != nil {
			return nil, err
		}
	}
	return phases, nil
}

func validate(ctx context.Context, a *guest.Appliance) error {
	findings, err := a.Validate(ctx)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Severity == sdk.Critical {
			return fmt.Errorf("the guest will not boot: %s", f.Text)
		}
	}
	return nil
}

// virtV2V is the peer. It does not say what it does when.
func virtV2V(ctx context.Context, disk guest.Disk) ([]phase, error) {
	_, err := guest.FixWithVirtV2V(ctx, []guest.Disk{disk}, nil, nil)
	return nil, err
}
