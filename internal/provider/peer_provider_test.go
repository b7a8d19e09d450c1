package provider

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	fwprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	fwresource "github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	fwtypes "github.com/hashicorp/terraform-plugin-framework/types"
)

// peerBinary is how a copy of the test's binary is called when Terraform starts it as the vSphere provider.
const peerBinary = "terraform-provider-vsphere"

// servedAsPeer makes this process the vSphere provider when it was started under that name.
func servedAsPeer() bool {
	if !strings.HasPrefix(filepath.Base(os.Args[0]), peerBinary) {
		return false
	}
	err := providerserver.Serve(context.Background(), func() fwprovider.Provider { return peerProvider{} },
		providerserver.ServeOpts{Address: peerAddress, ProtocolVersion: 5}) // as the real one speaks
	if err != nil {
		panic(err)
	}
	return true
}

// peerProvider stands for the vSphere provider: its resources are what their configuration says, and nothing is done for them.
// They have the names, the blocks and the schema's version of the real ones, as far as a moved block meets them.
type peerProvider struct{}

func (peerProvider) Metadata(_ context.Context, _ fwprovider.MetadataRequest, resp *fwprovider.MetadataResponse) {
	resp.TypeName = "vsphere"
}
func (peerProvider) Schema(context.Context, fwprovider.SchemaRequest, *fwprovider.SchemaResponse) {}
func (peerProvider) Configure(context.Context, fwprovider.ConfigureRequest, *fwprovider.ConfigureResponse) {
}
func (peerProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
func (peerProvider) Resources(context.Context) []func() fwresource.Resource {
	return []func() fwresource.Resource{
		func() fwresource.Resource { return &peerResource{kind: "vsphere_virtual_machine", schema: peerVM()} },
		func() fwresource.Resource {
			return &peerResource{kind: "vsphere_resource_pool", schema: peerPoolSchema()}
		},
	}
}

type peerResource struct {
	kind   string
	schema schema.Schema
}

func (r *peerResource) Metadata(_ context.Context, _ fwresource.MetadataRequest, resp *fwresource.MetadataResponse) {
	resp.TypeName = r.kind
}
func (r *peerResource) Schema(_ context.Context, _ fwresource.SchemaRequest, resp *fwresource.SchemaResponse) {
	resp.Schema = r.schema
}
func (*peerResource) Create(_ context.Context, req fwresource.CreateRequest, resp *fwresource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
}
func (*peerResource) Read(context.Context, fwresource.ReadRequest, *fwresource.ReadResponse) {}
func (*peerResource) Update(_ context.Context, req fwresource.UpdateRequest, resp *fwresource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
}
func (*peerResource) Delete(context.Context, fwresource.DeleteRequest, *fwresource.DeleteResponse) {}

func peerAttributes(texts, numbers, flags []string) map[string]schema.Attribute {
	all := map[string]schema.Attribute{}
	for _, name := range texts {
		all[name] = schema.StringAttribute{Optional: true}
	}
	for _, name := range numbers {
		all[name] = schema.Int64Attribute{Optional: true}
	}
	for _, name := range flags {
		all[name] = schema.BoolAttribute{Optional: true}
	}
	return all
}

func peerVM() schema.Schema {
	block := func(texts, numbers, flags []string) schema.Block {
		return schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: peerAttributes(texts, numbers, flags)}}
	}
	return schema.Schema{
		Version: 3,
		Attributes: peerAttributes(
			[]string{"id", "uuid", "moid", "name", "folder", "resource_pool_id", "datastore_id", "guest_id", "change_version"},
			[]string{"num_cpus", "memory"}, []string{"imported", "reboot_required"}),
		Blocks: map[string]schema.Block{
			"clone":             block([]string{"template_uuid"}, []string{"timeout"}, []string{"linked_clone"}),
			"disk":              block([]string{"label", "path", "uuid"}, []string{"size", "unit_number"}, []string{"thin_provisioned"}),
			"network_interface": block([]string{"network_id", "adapter_type", "mac_address"}, nil, nil),
		},
	}
}

func peerPoolSchema() schema.Schema {
	s := schema.Schema{Attributes: peerAttributes(
		[]string{"id", "name", "parent_resource_pool_id", "cpu_share_level", "memory_share_level", "scale_descendants_shares"},
		[]string{"cpu_reservation", "cpu_limit", "cpu_shares", "memory_reservation", "memory_limit", "memory_shares"},
		[]string{"cpu_expandable", "memory_expandable"})}
	s.Attributes["tags"] = schema.SetAttribute{Optional: true, ElementType: fwtypes.StringType}
	return s
}

// The addresses under which the mirror of a test has the two providers.
const (
	peerAddress = "registry.example.com/hashicorp/vsphere"
	ourAddress  = "registry.example.com/hypersdk/hypersdk"
)

// newMirrorWorkspace is a workspace whose providers, ours and the vSphere stub, come from a filesystem mirror, as an
// installation without the internet has them.
func newMirrorWorkspace(t *testing.T) *workspace {
	t.Helper()
	w := newWorkspace(t, "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	for address, from := range map[string]string{
		peerAddress: self, ourAddress: filepath.Join(binDir, "terraform-provider-hypersdk"),
	} {
		name := "terraform-provider-" + filepath.Base(address) + "_v1.0.0"
		copyFile(t, from, filepath.Join(mirror, address, "1.0.0", runtime.GOOS+"_"+runtime.GOARCH, name))
	}
	w.write("terraformrc", "provider_installation {\n filesystem_mirror {\n  path = \""+mirror+"\"\n }\n}\n")
	w.required = "hypersdk = { source = \"" + ourAddress + "\" }\nvsphere = { source = \"" + peerAddress + "\" }"
	return w
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // only read
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
