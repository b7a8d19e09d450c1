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
	fwtypes "github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// peerProvider stands for the vSphere provider: it has one resource, which remembers what it is told.
type peerProvider struct{ id string }

func (*peerProvider) Metadata(_ context.Context, _ fwprovider.MetadataRequest, resp *fwprovider.MetadataResponse) {
	resp.TypeName = "vsphere"
}
func (*peerProvider) Schema(context.Context, fwprovider.SchemaRequest, *fwprovider.SchemaResponse) {}
func (*peerProvider) Configure(context.Context, fwprovider.ConfigureRequest, *fwprovider.ConfigureResponse) {
}
func (*peerProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
func (p *peerProvider) Resources(context.Context) []func() fwresource.Resource {
	return []func() fwresource.Resource{func() fwresource.Resource { return &peerResource{id: p.id} }}
}

// peerResource has the attributes of vsphere_resource_pool that matter to a pool.
type peerResource struct{ id string }

func (*peerResource) Metadata(_ context.Context, _ fwresource.MetadataRequest, resp *fwresource.MetadataResponse) {
	resp.TypeName = "vsphere_resource_pool"
}

func (*peerResource) Schema(_ context.Context, _ fwresource.SchemaRequest, resp *fwresource.SchemaResponse) {
	resp.Schema.Attributes = map[string]schema.Attribute{
		"id":   schema.StringAttribute{Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}},
		"tags": schema.SetAttribute{Optional: true, ElementType: fwtypes.StringType},
	}
	for _, name := range []string{"name", "parent_resource_pool_id", "cpu_share_level", "memory_share_level", "scale_descendants_shares"} {
		resp.Schema.Attributes[name] = schema.StringAttribute{Optional: true}
	}
	for _, name := range []string{"cpu_reservation", "cpu_limit", "cpu_shares", "memory_reservation", "memory_limit", "memory_shares"} {
		resp.Schema.Attributes[name] = schema.Int64Attribute{Optional: true}
	}
	for _, name := range []string{"cpu_expandable", "memory_expandable"} {
		resp.Schema.Attributes[name] = schema.BoolAttribute{Optional: true}
	}
}

func (r *peerResource) Create(ctx context.Context, req fwresource.CreateRequest, resp *fwresource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), r.id)...)
}
func (*peerResource) Read(context.Context, fwresource.ReadRequest, *fwresource.ReadResponse) {}
func (*peerResource) Update(context.Context, fwresource.UpdateRequest, *fwresource.UpdateResponse) {
}
func (*peerResource) Delete(context.Context, fwresource.DeleteRequest, *fwresource.DeleteResponse) {}

func TestResourcePool_MovedFromTheVSphereProvider(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	pool := b.create(vsphere.ResourcePoolSpec{Name: "prod", Parent: poolCluster, CPUReservationMHz: 200, MemoryShares: "high"})
	p := New("test")
	t.Cleanup(func() { p.Close(context.WithoutCancel(t.Context())) })
	before := fmt.Sprintf(`
resource "vsphere_resource_pool" "old" {
  name                    = "prod"
  parent_resource_pool_id = %q
  cpu_reservation         = 200
  cpu_limit               = -1
  cpu_expandable          = true
  cpu_share_level         = "normal"
  cpu_shares              = 4000
  memory_reservation      = 0
  memory_limit            = -1
  memory_expandable       = true
  memory_share_level      = "high"
  memory_shares           = 327680
  tags                    = ["urn:vmomi:InventoryServiceTag:1:GLOBAL"]
}
`, pool.Parent)
	after := b.pool(named, `parent = "`+pool.Parent+`"`, `cpu = { reservation = 200 }`, `memory = { shares = "high" }`) + `
moved {
  from = vsphere_resource_pool.old
  to   = hypersdk_resource_pool.p
}
`
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypersdk": providerserver.NewProtocol6WithError(p),
			"vsphere":  providerserver.NewProtocol6WithError(&peerProvider{id: pool.Ref}),
		},
		Steps: []resource.TestStep{
			{Config: b.provider() + before},
			{
				Config:           after,
				ConfigPlanChecks: poolAction(plancheck.ResourceActionNoop),
				ConfigStateChecks: []statecheck.StateCheck{
					poolState(word(pool.Ref), "id"), poolState(word(pool.Path), "path"), poolState(knownvalue.Int64Exact(327680), "memory", "share_count"),
				},
			},
		},
	})
}

func TestResourcePool_MoveStateTakesNobodyElses(t *testing.T) {
	for address, want := range map[string]bool{
		"registry.example.com/hashicorp/vsphere": true, "registry.example.com/vmware/vsphere": true,
		"registry.example.com/hashicorp/other": false, "registry.example.com/else/vsphere": false,
	} {
		if got := fromVSphere(address); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}
