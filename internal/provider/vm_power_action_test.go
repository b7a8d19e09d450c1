package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// vsphereBlock is the provider block for the simulated vCenter.
func vsphereBlock(v *demo.VCenter) map[string]any {
	return map[string]any{"vsphere": map[string]any{
		"server": v.URL(), "username": v.Username(), "password": v.Password(), "ca_file": v.CAFile(),
	}}
}

// act validates and invokes an action and returns its progress and diagnostics.
func (w *wire) act(name string, config map[string]any) (progress, text string) {
	w.t.Helper()
	server, ok := w.ProviderServer.(tfprotov6.ActionServer)
	if !ok {
		w.t.Fatal("the provider serves no actions")
	}
	valid, err := server.ValidateActionConfig(w.t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: name, Config: w.value(config)})
	if err != nil {
		w.t.Fatal(err)
	}
	if text = told(valid.Diagnostics); text != "" {
		return "", text
	}
	stream, err := server.InvokeAction(w.t.Context(), &tfprotov6.InvokeActionRequest{ActionType: name, Config: w.value(config)})
	if err != nil {
		w.t.Fatal(err)
	}
	for event := range stream.Events {
		switch e := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress += e.Message + "\n"
		case tfprotov6.CompletedInvokeActionEventType:
			text = told(e.Diagnostics)
		}
	}
	return progress, text
}

func powerOf(t *testing.T, v *demo.VCenter, name string) string {
	t.Helper()
	c, err := vsphere.Dial(t.Context(), vsphere.Config{URL: v.URL(), Username: v.Username(), Password: vsphere.Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context()) //nolint:errcheck // the test is about something else
	vm, err := c.GetVM(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return vm.PowerState
}

func TestVMPower_DoesWhatItIsTold(t *testing.T) {
	g := smallGuest(t)
	g.PoweredOn = true
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}})
	w := newWire(t, vsphereBlock(v))
	for _, step := range []struct{ power, want string }{
		{"reboot", "poweredOn"}, {"suspend", "suspended"}, {"on", "poweredOn"}, {"shutdown", "poweredOff"}, {"off", "poweredOff"}, {"on", "poweredOn"}, {"reset", "poweredOn"},
	} {
		progress, text := w.act("hypersdk_vm_power", map[string]any{"vm": guestPath, "power": step.power, "timeout": "20s"})
		if text != "" || !strings.Contains(progress, guestPath) {
			t.Fatalf("%s says %q, progress %q", step.power, text, progress)
		}
		if got := powerOf(t, v, guestPath); got != step.want {
			t.Errorf("after %s the VM is %s, want %s", step.power, got, step.want)
		}
	}
	if _, text := w.act("hypersdk_vm_power", map[string]any{"vm": guestPath, "power": "shutdown", "wait": false}); text != "" {
		t.Error(text)
	}
	eventually(t, "the VM to be off", func() bool { return powerOf(t, v, guestPath) == "poweredOff" })
}

func TestVMPower_Refuses(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{smallGuest(t)}})
	w := newWire(t, vsphereBlock(v))
	for _, tt := range []struct {
		config map[string]any
		want   string
	}{
		{map[string]any{"vm": guestPath, "power": "explode"}, `AttributeName("power"): "explode" cannot be used`},
		{map[string]any{"vm": guestPath, "power": "on", "timeout": "soon"}, `AttributeName("timeout"): Not a duration`},
		{map[string]any{"vm": "/DC0/vm/web-02", "power": "on"}, `AttributeName("vm"): Cannot find the VM`},
		{map[string]any{"vm": guestPath, "power": "suspend"}, "the power state is poweredOff"},
		{map[string]any{"vm": "DC0_C0_RP0_VM0", "power": "reboot"}, "reset for reboot"},
	} {
		if _, text := w.act("hypersdk_vm_power", tt.config); !strings.Contains(text, tt.want) {
			t.Errorf("%v says %q, want %q", tt.config, text, tt.want)
		}
	}
	if n := v.Calls()["SuspendVM_Task"]; n != 1 {
		t.Errorf("%d suspensions asked for, want the one that vCenter refused", n)
	}
}

func TestVMPower_IsDescribed(t *testing.T) {
	w := newWire(t, map[string]any{})
	schemas, err := w.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	attributes := schemas.ActionSchemas["hypersdk_vm_power"].Schema.Block.Attributes
	if len(attributes) != 4 || slices.ContainsFunc(attributes, func(a *tfprotov6.SchemaAttribute) bool { return !strings.HasSuffix(a.Description, ".") }) {
		t.Errorf("attributes %v, want four with a sentence each", attributes)
	}
}
