package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	fwresource "github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	fwtypes "github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// A vCenter may answer a custom count that is a level's own as that level.
func TestReadAllocation_KeepsCustomWithTheSameCount(t *testing.T) {
	written, d := fwtypes.ObjectValueFrom(t.Context(), allocationTypes(), allocationModel{
		Shares: fwtypes.StringValue("custom"), ShareCount: fwtypes.Int64Value(4000),
	})
	if d.HasError() {
		t.Fatal(d)
	}
	for count, want := range map[int32]string{4000: "custom", 4001: "normal"} {
		object, d := readAllocation(t.Context(), vsphere.Allocation{Limit: -1, Shares: "normal", ShareCount: count}, written)
		got, more := newAllocationModel(t.Context(), object)
		if d.HasError() || more.HasError() || got.Shares.ValueString() != want {
			t.Errorf("%d: got %+v %v %v, want shares %s", count, got, d, more, want)
		}
	}
}

func TestAllocationChanges_OnlyWhatDiffers(t *testing.T) {
	state := allocationModel{
		Reservation: fwtypes.Int64Value(1), Limit: fwtypes.Int64Value(2), Expandable: fwtypes.BoolValue(true),
		Shares: fwtypes.StringValue("custom"), ShareCount: fwtypes.Int64Value(5),
	}
	if got := state.changes(state); got != (allocationChanges{}) {
		t.Errorf("got %+v for no change", got)
	}
	plan := state
	plan.ShareCount = fwtypes.Int64Value(6)
	got := plan.changes(state)
	if got.reservation != nil || got.limit != nil || got.expandable != nil || *got.shares != "custom" || *got.count != 6 {
		t.Errorf("got %+v, want the shares alone", got)
	}
	plan = state
	plan.Shares, plan.ShareCount = fwtypes.StringValue("low"), fwtypes.Int64Unknown()
	if got := plan.changes(state); *got.shares != "low" || got.count != nil {
		t.Errorf("got %+v, want low shares without a count", got)
	}
}

// A vCenter that says nothing about scaling means that it does not scale.
func TestPoolModel_SilenceAboutScaling(t *testing.T) {
	for written, want := range map[string]fwtypes.String{
		"disabled": fwtypes.StringValue("disabled"), "scaleCpuAndMemoryShares": fwtypes.StringNull(), "": fwtypes.StringNull(),
	} {
		m := poolModel{ScaleDescendantsShares: fwtypes.StringValue(written), Parent: fwtypes.StringValue("p")}
		var diags diag.Diagnostics
		m.set(t.Context(), nil, &vsphere.ResourcePool{Parent: "p"}, &diags)
		if diags.HasError() || !m.ScaleDescendantsShares.Equal(want) {
			t.Errorf("%q: got %s %v, want %s", written, m.ScaleDescendantsShares, diags, want)
		}
	}
}

func TestSamePoolVCenter(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	vc, err := b.c.GetVCenter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var schema fwresource.IdentitySchemaResponse
	new(poolResource).IdentitySchema(t.Context(), fwresource.IdentitySchemaRequest{}, &schema)
	shape := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"vcenter": tftypes.String, "moid": tftypes.String}}
	for uuid, want := range map[string]bool{vc.InstanceUUID: true, strings.ToUpper(vc.InstanceUUID): true, "5f0e4a1d-7a3c-4f0e-9c55-0f6b7d1c2a34": false} {
		identity := &tfsdk.ResourceIdentity{Schema: schema.IdentitySchema, Raw: tftypes.NewValue(shape, map[string]tftypes.Value{
			"vcenter": tftypes.NewValue(tftypes.String, uuid), "moid": tftypes.NewValue(tftypes.String, "resgroup-42"),
		})}
		var diags diag.Diagnostics
		if got := samePoolVCenter(t.Context(), b.c, identity, &diags); got != want || diags.HasError() == want {
			t.Errorf("%s: got %v %v, want %v", uuid, got, diags, want)
		}
	}
	if !samePoolVCenter(t.Context(), b.c, nil, new(diag.Diagnostics)) {
		t.Error("a state without identity is refused")
	}
}
