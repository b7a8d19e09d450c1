package vsphere_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func (s scene) power(t *testing.T) string {
	t.Helper()
	vm, err := s.c.GetVM(t.Context(), s.vm.Ref)
	if err != nil {
		t.Fatal(err)
	}
	return vm.PowerState
}

func (s scene) untilPower(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); s.power(t) != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the VM is still not %s", want)
		}
	}
}

func TestPowerVM_EachActionEndsInItsStateTwice(t *testing.T) {
	g := web(t, webPath)
	g.PoweredOn = true
	s := newScene(t, g)
	for _, step := range []struct {
		action vsphere.PowerAction
		want   string
	}{
		{vsphere.ActionReset, "poweredOn"}, {vsphere.ActionReboot, "poweredOn"}, {vsphere.ActionSuspend, "suspended"},
		{vsphere.ActionOn, "poweredOn"}, {vsphere.ActionOff, "poweredOff"}, {vsphere.ActionOn, "poweredOn"},
		{vsphere.ActionShutdown, "poweredOff"},
	} {
		for range 2 {
			if err := s.c.PowerVM(t.Context(), s.vm, step.action, 20*time.Second); err != nil {
				t.Fatalf("%s: %v", step.action, err)
			}
			if got := s.power(t); got != step.want {
				t.Fatalf("after %s the VM is %s, want %s", step.action, got, step.want)
			}
		}
	}
}

func TestPowerVM_RebootWaitsForTheGuest(t *testing.T) {
	g := web(t, webPath)
	g.PoweredOn = true
	s := newScene(t, g)
	if err := s.c.PowerVM(t.Context(), s.vm, vsphere.ActionReboot, time.Minute); err != nil {
		t.Fatal(err)
	}
	vm, err := s.c.GetVM(t.Context(), s.vm.Ref)
	if err != nil || vm.ToolsStatus != "guestToolsRunning" {
		t.Errorf("Tools are %q (%v) when the reboot is said to be over", vm.ToolsStatus, err)
	}
	if err := s.c.PowerVM(t.Context(), s.vm, vsphere.ActionReboot, 50*time.Millisecond); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("a guest that is slower than the time allowed: %v, want a conflict", err)
	}
}

func TestPowerVM_WithoutWaitingOnlyAsks(t *testing.T) {
	g := web(t, webPath)
	g.PoweredOn = true
	s := newScene(t, g)
	before := s.v.Calls()["CreatePropertyCollector"]
	if err := s.c.PowerVM(t.Context(), s.vm, vsphere.ActionShutdown, 0); err != nil {
		t.Fatal(err)
	}
	if made := s.v.Calls()["CreatePropertyCollector"] - before; made != 0 {
		t.Errorf("%d collectors made, want none", made)
	}
	s.untilPower(t, "poweredOff")
	if err := s.c.PowerVM(t.Context(), s.vm, vsphere.ActionShutdown, 0); err != nil {
		t.Errorf("a VM that is off: %v", err)
	}
	if err := s.c.PowerVM(t.Context(), s.vm, vsphere.ActionOn, 0); err != nil {
		t.Error(err)
	}
	s.untilPower(t, "poweredOn")
}

func TestPowerVM_Refuses(t *testing.T) {
	s := newScene(t, web(t, webPath)) // off
	for _, tt := range []struct {
		action vsphere.PowerAction
		kind   error
		words  string
	}{
		{vsphere.ActionReset, sdk.ErrConflict, "the power state is poweredOff"},
		{vsphere.ActionSuspend, sdk.ErrConflict, "the power state is poweredOff"},
		{vsphere.ActionReboot, sdk.ErrConflict, "the power state is poweredOff"},
		{"explode", sdk.ErrInvalid, "no power action"},
	} {
		err := s.c.PowerVM(t.Context(), s.vm, tt.action, time.Minute)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v, want %q", tt.action, err, tt.words)
		}
	}
	stock, err := s.c.GetVM(t.Context(), "DC0_C0_RP0_VM0") // runs without Tools
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, time.Minute} {
		err = s.c.PowerVM(t.Context(), stock, vsphere.ActionReboot, wait)
		if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(strings.Join(sdk.Hints(err), "\n"), "reset for reboot") {
			t.Errorf("reboot without Tools: %v, hints %q", err, sdk.Hints(err))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.c.PowerVM(ctx, s.vm, vsphere.ActionOn, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
