package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestShutdownVM(t *testing.T) {
	g := web(t, webPath)
	g.PoweredOn = true
	s := newScene(t, g)
	if s.vm.PowerState != "poweredOn" || s.vm.Hostname != "web-01" || s.vm.ToolsStatus != "guestToolsRunning" {
		t.Fatalf("got %+v, want it running with Tools", s.vm)
	}
	for range 2 { // the second time it is off already
		if err := s.c.ShutdownVM(t.Context(), s.vm, time.Minute); err != nil {
			t.Fatal(err)
		}
		vm, err := s.c.GetVM(t.Context(), s.vm.Ref)
		if err != nil || vm.PowerState != "poweredOff" {
			t.Fatalf("got %v %v, want poweredOff", vm.PowerState, err)
		}
	}
	if got := s.v.Calls()["ShutdownGuest"]; got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
	if got := s.v.Calls()["PowerOffVM_Task"]; got != 0 {
		t.Errorf("got %d hard power-offs, want none", got)
	}
}

func TestPowerOnVM_TwiceIsFine(t *testing.T) {
	s := newScene(t, web(t, webPath))
	for range 2 {
		if err := s.c.PowerOnVM(t.Context(), s.vm); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNICs_DisconnectAndReconnect(t *testing.T) {
	s := newScene(t, web(t, webPath))
	start := func() string {
		vm, err := s.c.GetVM(t.Context(), s.vm.Ref)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(vm.NICs[0].StartConnected, vm.NICs[1].StartConnected)
	}
	if got := start(); got != "true true" {
		t.Fatalf("got %s, want both to start connected", got)
	}
	if err := s.c.DisconnectNICs(t.Context(), s.vm); err != nil {
		t.Fatal(err)
	}
	if got := start(); got != "false false" {
		t.Errorf("got %s, want none", got)
	}
	if err := s.c.ReconnectNICs(t.Context(), s.vm, []int32{s.vm.NICs[1].Key}); err != nil {
		t.Fatal(err)
	}
	if got := start(); got != "false true" {
		t.Errorf("got %s, want the second", got)
	}
	before := s.v.Calls()["ReconfigVM_Task"]
	if err := s.c.ReconnectNICs(t.Context(), s.vm, []int32{s.vm.NICs[1].Key}); err != nil || s.v.Calls()["ReconfigVM_Task"] != before {
		t.Errorf("got %v, want nothing done twice", err)
	}
}

func TestTasks_ManyAtOnceOverOneCollector(t *testing.T) {
	var guests []demo.Guest
	for i := range 12 {
		guests = append(guests, demo.Guest{Path: fmt.Sprintf("/DC0/vm/many-%02d", i), Disks: web(t, "").Disks[2:]})
	}
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Guests: guests})
	c := dial(t, v)
	before := v.Calls()["CreatePropertyCollector"]
	var work sync.WaitGroup
	for _, g := range guests {
		work.Go(func() {
			vm, err := c.GetVM(t.Context(), g.Path)
			if err == nil {
				err = c.PowerOnVM(t.Context(), vm)
			}
			if err == nil {
				vm, err = c.GetVM(t.Context(), g.Path)
			}
			if err != nil || vm.PowerState != "poweredOn" {
				t.Errorf("%s: got %v", g.Path, err)
			}
		})
	}
	work.Wait()
	if got := v.Calls()["CreatePropertyCollector"] - before; got > len(guests)/2 {
		t.Errorf("got %d collectors for %d tasks, want them shared", got, len(guests))
	}
}

func TestTasks_AfterTheSessionEnded(t *testing.T) {
	s := newScene(t, web(t, webPath))
	if err := s.c.DisconnectNICs(t.Context(), s.vm); err != nil {
		t.Fatal(err)
	}
	s.v.EndSessions()
	if err := s.c.PowerOnVM(t.Context(), s.vm); err != nil {
		t.Error(err)
	}
}

func TestShutdownVM_WithoutTools(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1}))
	vm, err := c.GetVM(t.Context(), "DC0_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	if vm.PowerState != "poweredOn" || vm.ToolsStatus == "guestToolsRunning" {
		t.Fatalf("got %s, tools %s, want a VM that runs without Tools", vm.PowerState, vm.ToolsStatus)
	}
	err = c.ShutdownVM(t.Context(), vm, time.Minute)
	if !errors.Is(err, sdk.ErrConflict) || len(sdk.Hints(err)) == 0 {
		t.Errorf("got %v, want ErrConflict with a hint", err)
	}
}

func TestShutdownVM_Canceled(t *testing.T) {
	s := newScene(t, web(t, webPath))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.c.ShutdownVM(ctx, s.vm, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestShutdownVM_Gone(t *testing.T) {
	s := newScene(t, web(t, webPath))
	s.vm.Ref = "vm-99999"
	if err := s.c.ShutdownVM(t.Context(), s.vm, time.Minute); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
