package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// revertServer is the provider over its protocol, as Terraform 1.14 speaks to it, connected to the bench.
func revertServer(t *testing.T, b *templateBench) tfprotov6.ActionServer {
	t.Helper()
	p := New("test")
	t.Cleanup(func() { p.Close(t.Context()) })
	server := providerserver.NewProtocol6(p)()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	whole, ok := schemas.Provider.ValueType().(tftypes.Object)
	if !ok {
		t.Fatal("the provider's schema is no object")
	}
	block, ok := whole.AttributeTypes["vsphere"].(tftypes.Object)
	if !ok {
		t.Fatal("vsphere is no object")
	}
	config := filledObject(whole, map[string]tftypes.Value{"vsphere": filledObject(block, map[string]tftypes.Value{
		"server": wireText(b.vc.URL()), "username": wireText(b.vc.Username()), "password": wireText(b.vc.Password()), "ca_file": wireText(b.vc.CAFile()),
	})})
	value, err := tfprotov6.NewDynamicValue(whole, config)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &value}); err != nil || len(res.Diagnostics) != 0 {
		t.Fatal(err, res)
	}
	actions, ok := server.(tfprotov6.ActionServer)
	if !ok {
		t.Fatal("the provider serves no actions")
	}
	return actions
}

func wireText(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

// filledObject is an object whose other attributes are null.
func filledObject(of tftypes.Object, set map[string]tftypes.Value) tftypes.Value {
	values := map[string]tftypes.Value{}
	for name, kind := range of.AttributeTypes {
		values[name] = tftypes.NewValue(kind, nil)
	}
	for name, v := range set {
		values[name] = v
	}
	return tftypes.NewValue(of, values)
}

// invoke validates and invokes the action and returns its progress and its diagnostics.
func invoke(t *testing.T, server tfprotov6.ActionServer, set map[string]tftypes.Value) (progress, said string) {
	t.Helper()
	kind := tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"vm": tftypes.String, "snapshot": tftypes.String, "suppress_power_on": tftypes.Bool, "timeout": tftypes.String,
	}}
	config, err := tfprotov6.NewDynamicValue(kind, filledObject(kind, set))
	if err != nil {
		t.Fatal(err)
	}
	const name = "hypersdk_snapshot_revert"
	var diagnostics []*tfprotov6.Diagnostic
	valid, err := server.ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: name, Config: &config})
	if err != nil {
		t.Fatal(err)
	}
	if diagnostics = valid.Diagnostics; len(diagnostics) == 0 {
		stream, err := server.InvokeAction(t.Context(), &tfprotov6.InvokeActionRequest{ActionType: name, Config: &config})
		if err != nil {
			t.Fatal(err)
		}
		for event := range stream.Events {
			switch e := event.Type.(type) {
			case tfprotov6.ProgressInvokeActionEventType:
				progress += e.Message + "\n"
			case tfprotov6.CompletedInvokeActionEventType:
				diagnostics = append(diagnostics, e.Diagnostics...)
			}
		}
	}
	for _, d := range diagnostics {
		said += d.Attribute.String() + ": " + d.Summary + ": " + d.Detail + "\n"
	}
	return progress, said
}

func TestSnapshotRevert_GoesBack(t *testing.T) {
	b := newTemplateBench(t)
	for name, memory := range map[string]bool{"cold": false, "running": true} {
		_, _, err := b.c.CreateSnapshot(t.Context(), vsphere.SnapshotSpec{VM: runningPath, Name: name, Memory: memory}, nil)
		b.must(err)
	}
	server := revertServer(t, b)
	for _, step := range []struct {
		snapshot string
		suppress bool
		want     string
	}{{"cold", false, "poweredOff"}, {"running", false, "poweredOn"}, {"running", true, "poweredOff"}} {
		progress, said := invoke(t, server, map[string]tftypes.Value{
			"vm": wireText(runningPath), "snapshot": wireText(step.snapshot), "suppress_power_on": tftypes.NewValue(tftypes.Bool, step.suppress),
		})
		if said != "" || !strings.Contains(progress, runningPath) {
			t.Errorf("%s: says %q, progress %q", step.snapshot, said, progress)
		}
		if got := b.get(runningPath).PowerState; got != step.want {
			t.Errorf("%s: the VM is %s, want %s", step.snapshot, got, step.want)
		}
		for _, s := range b.snapshots(runningPath) {
			if s.Current != (s.Name == step.snapshot) {
				t.Errorf("after %s, %s is current: %v", step.snapshot, s.Name, s.Current)
			}
		}
	}
}

func TestSnapshotRevert_Refuses(t *testing.T) {
	b := newTemplateBench(t)
	server := revertServer(t, b)
	for _, tt := range []struct {
		set  map[string]tftypes.Value
		want string
	}{
		{map[string]tftypes.Value{"vm": wireText(runningPath), "snapshot": wireText("none")}, `AttributeName("snapshot"): Cannot revert the VM`},
		{map[string]tftypes.Value{"vm": wireText(runningPath), "snapshot": wireText("")}, `AttributeName("snapshot")`},
		{map[string]tftypes.Value{"vm": wireText(runningPath), "snapshot": wireText("x"), "timeout": wireText("soon")}, "Not a duration"},
		{map[string]tftypes.Value{"vm": wireText("/DC0/vm/none"), "snapshot": wireText("x")}, "no VM has that inventory path"},
	} {
		if _, said := invoke(t, server, tt.set); !strings.Contains(said, tt.want) {
			t.Errorf("%v says %q, want %q", tt.set, said, tt.want)
		}
	}
	if n := b.vc.Calls()["RevertToSnapshot_Task"]; n != 0 {
		t.Errorf("%d reverts asked for, want none", n)
	}
}
