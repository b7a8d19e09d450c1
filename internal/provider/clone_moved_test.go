package provider

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	fwprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	fwresource "github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// peerVMProvider stands for the vSphere provider: its one resource says that it is the given VM.
type peerVMProvider struct {
	peerProvider
	vm *vsphere.VM
}

func (p *peerVMProvider) Resources(context.Context) []func() fwresource.Resource {
	return []func() fwresource.Resource{func() fwresource.Resource { return &peerVM{vm: p.vm} }}
}

func (*peerVMProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

var _ fwprovider.Provider = (*peerVMProvider)(nil)

// peerVM has the attributes of vsphere_virtual_machine that matter to a clone.
type peerVM struct {
	peerResource
	vm *vsphere.VM
}

func (*peerVM) Metadata(_ context.Context, _ fwresource.MetadataRequest, resp *fwresource.MetadataResponse) {
	resp.TypeName = "vsphere_virtual_machine"
}

func (*peerVM) Schema(_ context.Context, _ fwresource.SchemaRequest, resp *fwresource.SchemaResponse) {
	resp.Schema.Attributes = map[string]schema.Attribute{
		"name": schema.StringAttribute{Required: true}, "num_cpus": schema.Int64Attribute{Optional: true},
		"clone": schema.SingleNestedAttribute{Optional: true, Attributes: map[string]schema.Attribute{"template_uuid": schema.StringAttribute{Required: true}}},
	}
	for _, name := range []string{"id", "uuid", "moid"} {
		resp.Schema.Attributes[name] = schema.StringAttribute{Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}}
	}
}

func (r *peerVM) Create(ctx context.Context, req fwresource.CreateRequest, resp *fwresource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
	for name, value := range map[string]string{"id": r.vm.BIOSUUID, "uuid": r.vm.BIOSUUID, "moid": r.vm.Ref} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}

// runMoved makes the peer's state and then moves it.
func (b *cloneBench) runMoved(says *vsphere.VM, moved resource.TestStep) {
	b.t.Helper()
	p := New("test")
	b.t.Cleanup(func() { p.Close(context.WithoutCancel(b.t.Context())) })
	before := b.provider() + "resource \"vsphere_virtual_machine\" \"old\" {\n name = \"golden\"\n num_cpus = 2\n clone = { template_uuid = \"4211\" }\n}\n"
	resource.UnitTest(b.t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypersdk": providerserver.NewProtocol6WithError(p),
			"vsphere":  providerserver.NewProtocol6WithError(&peerVMProvider{vm: says}),
		},
		Steps: []resource.TestStep{{Config: before}, moved},
	})
}

const movedClone = "moved {\n from = vsphere_virtual_machine.old\n to = hypersdk_clone.vm\n}\n"

func TestClone_MovedFromTheVSphereProvider(t *testing.T) {
	b := newCloneBench(t)
	vm := b.vm(goldenPath)
	after := b.provider() + "resource \"hypersdk_clone\" \"vm\" {\n name = \"golden\"\n cpus = 2\n power = \"off\"\n}\n" + movedClone
	b.runMoved(vm, resource.TestStep{
		Config: after, ConfigPlanChecks: plans(plancheck.ResourceActionNoop),
		ConfigStateChecks: []statecheck.StateCheck{
			cloneHas("id", word(vm.InstanceUUID)), cloneHas("path", word(vm.Path)), cloneHas("moid", word(vm.Ref)), cloneHas("source_id", knownvalue.Null()),
		},
	})
	if n := b.vc.Calls()["CloneVM_Task"]; n != 0 {
		t.Errorf("%d clones, want none", n)
	}
}

func TestClone_MovedStateOfAnotherVMIsRefused(t *testing.T) {
	b := newCloneBench(t)
	says := *b.vm(goldenPath)
	says.Ref = b.vm("/DC0/vm/DC0_C0_RP0_VM0").Ref
	refused := fails(fmt.Sprintf("%sresource \"hypersdk_clone\" \"vm\" {\n name = \"golden\"\n}\n", b.provider())+movedClone, "Another VM")
	b.runMoved(&says, refused)
}
