package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// inventoryBench is a simulated vCenter for the tests of data sources.
type inventoryBench struct{ *sim }

func newInventory(t *testing.T, opts demo.Options) *inventoryBench {
	t.Helper()
	return &inventoryBench{newSim(t, opts)}
}

// config is the blocks after a provider block that reaches the vCenter.
func (b *inventoryBench) config(blocks string) string { return b.provider() + blocks }

// run drives terraform through the steps. The last is an empty configuration: what cannot be planned cannot be destroyed.
func (b *inventoryBench) run(steps ...resource.TestStep) {
	b.t.Helper()
	b.sim.run(append(steps, resource.TestStep{Config: b.config("")})...)
}

// shows is a step whose outputs have these values, and after which there is nothing to do.
func (b *inventoryBench) shows(blocks string, outputs map[string]knownvalue.Check) resource.TestStep {
	return resource.TestStep{
		Config:            b.config(blocks),
		ConfigPlanChecks:  resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		ConfigStateChecks: wantOutputs(outputs),
	}
}

func wantOutputs(outputs map[string]knownvalue.Check) []statecheck.StateCheck {
	var checks []statecheck.StateCheck
	for name, value := range outputs {
		checks = append(checks, statecheck.ExpectKnownOutputValue(name, value))
	}
	return checks
}

// refuses is a step that fails with these words.
func (b *inventoryBench) refuses(blocks, words string) resource.TestStep {
	return fails(b.config(blocks), words)
}

func wantTexts(values ...string) knownvalue.Check {
	checks := []knownvalue.Check{}
	for _, v := range values {
		checks = append(checks, knownvalue.StringExact(v))
	}
	return knownvalue.ListExact(checks)
}

func wantNumber(n int64) knownvalue.Check { return knownvalue.Int64Exact(n) }

func TestHosts(t *testing.T) {
	b := newInventory(t, demo.Options{Datacenters: 2, Clusters: 2, Hosts: 2, VMs: 1})
	b.run(
		b.shows(`
data "hypersdk_hosts" "all" {}
data "hypersdk_hosts" "c1" {
  cluster = "/DC1/host/DC1_C1"
  name    = "*_H1"
  states  = ["connected", "maintenance"]
  timeouts = { read = "1m" }
}
data "hypersdk_hosts" "none" { name = "esx-*" }
data "hypersdk_clusters" "c1" { name = "DC1_C1" }
data "hypersdk_hosts" "by_id" { cluster = data.hypersdk_clusters.c1.ids[0] }

output "count"   { value = length(data.hypersdk_hosts.all.hosts) }
output "ids"     { value = data.hypersdk_hosts.all.ids == data.hypersdk_hosts.all.hosts[*].id }
output "sorted"  { value = data.hypersdk_hosts.all.hosts[*].path == sort(data.hypersdk_hosts.all.hosts[*].path) }
output "c1"      { value = data.hypersdk_hosts.c1.hosts[*].path }
output "none"    { value = data.hypersdk_hosts.none.hosts }
output "none_id" { value = data.hypersdk_hosts.none.ids }
output "by_id"   { value = data.hypersdk_hosts.by_id.hosts[*].name }
`, map[string]knownvalue.Check{
			"count": wantNumber(8), "ids": knownvalue.Bool(true), "sorted": knownvalue.Bool(true), "c1": wantTexts("/DC1/host/DC1_C1/DC1_C1_H1"),
			"none": knownvalue.ListSizeExact(0), "none_id": knownvalue.ListSizeExact(0), "by_id": wantTexts("DC1_C1_H0", "DC1_C1_H1"),
		}),
		resource.TestStep{
			Config: b.config(`data "hypersdk_hosts" "one" { name = "DC0_C0_H0" }`),
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue("data.hypersdk_hosts.one", tfjsonpath.New("hosts").AtSliceIndex(0),
				knownvalue.ObjectPartial(map[string]knownvalue.Check{
					"path": word("/DC0/host/DC0_C0/DC0_C0_H0"), "datacenter": word("DC0"), "cluster": word("DC0_C0"), "state": word("connected"),
					"power_state": word("poweredOn"), "maintenance": knownvalue.Bool(false), "overall_status": word("green"), "cpu_cores": wantNumber(2),
					"cpu_total_mhz": wantNumber(4588), "memory_mb": wantNumber(4095), "version": word("8.0.2"), "vms": knownvalue.NotNull(),
				}))},
		},
		b.refuses(`data "hypersdk_hosts" "x" { name = "[a-" }`, `pattern "[a-" is not a glob`),
		b.refuses(`data "hypersdk_hosts" "x" { states = ["up"] }`, `"up" cannot be used for states`),
		b.refuses(`data "hypersdk_hosts" "x" { datacenter = "/DC7" }`, `there is no "DC7" at the top either`),
		b.refuses(`data "hypersdk_hosts" "x" { cluster = "DC0_C9" }`, `did you mean DC0_C0`),
		b.refuses(`data "hypersdk_hosts" "x" { folder = "/DC0/host/DC0_C0" }`, `it is a ClusterComputeResource, not a folder`),
		b.refuses(`data "hypersdk_hosts" "x" { tags = ["env/prod"] }`, `env/prod`),
		b.refuses(`data "hypersdk_hosts" "x" { tags = [] }`, `list must contain at least 1 elements`),
	)
}

func TestClustersAndDatacenters(t *testing.T) {
	b := newInventory(t, demo.Options{Datacenters: 2, Clusters: 2, Hosts: 2, VMs: 1})
	b.run(
		b.shows(`
data "hypersdk_datacenters" "all" {}
data "hypersdk_datacenters" "one" { name = "*1" }
data "hypersdk_datacenters" "none" { name = "Berlin" }
data "hypersdk_clusters" "all" {}
data "hypersdk_clusters" "dc1" { datacenter = data.hypersdk_datacenters.one.ids[0] }
data "hypersdk_clusters" "none" { name = "/DC0/*" }

output "dcs"      { value = data.hypersdk_datacenters.all.datacenters[*].path }
output "no_dcs"   { value = data.hypersdk_datacenters.none.datacenters }
output "clusters" { value = data.hypersdk_clusters.all.clusters[*].path }
output "dc1"      { value = [for c in data.hypersdk_clusters.dc1.clusters : "${c.name} ${c.hosts} ${c.vms} ${c.drs} ${c.drs_mode} ${c.ha}"] }
output "none"     { value = data.hypersdk_clusters.none.ids }
output "counts"   { value = [for d in data.hypersdk_datacenters.one.datacenters : "${d.vms} ${d.hosts} ${d.clusters} ${d.datastores}"] }
output "total"    { value = data.hypersdk_clusters.all.clusters[0].cpu_total_mhz }
`, map[string]knownvalue.Check{
			"dcs": wantTexts("/DC0", "/DC1"), "no_dcs": knownvalue.ListSizeExact(0),
			"clusters": wantTexts("/DC0/host/DC0_C0", "/DC0/host/DC0_C1", "/DC1/host/DC1_C0", "/DC1/host/DC1_C1"),
			"dc1":      wantTexts("DC1_C0 2 1 true fullyAutomated false", "DC1_C1 2 1 true fullyAutomated false"),
			"none":     knownvalue.ListSizeExact(0), "counts": wantTexts("2 4 2 1"), "total": wantNumber(9176),
		}),
		b.refuses(`data "hypersdk_clusters" "x" { name = "[" }`, `pattern "[" is not a glob`),
		b.refuses(`data "hypersdk_clusters" "x" { datacenter = "Berlin" }`, `no datacenter has that name`),
		b.refuses(`data "hypersdk_clusters" "x" { datacenter = "Berlin" }`, `name the datacenter by its inventory path`),
		b.refuses(`data "hypersdk_datacenters" "x" { folder = "/nowhere" }`, `there is no "nowhere" at the top either`),
		b.refuses(`data "hypersdk_clusters" "x" { timeouts = { read = "soon" } }`, `soon`),
	)
}

func TestVMs(t *testing.T) {
	disk := rig.Disk(t, 1<<20, rig.Zero)
	guests := []demo.Guest{
		{Path: "/DC0/vm/прод/Zürich 東京", PoweredOn: true, Hostname: "zrh-1", IPs: []string{"192.0.2.7", "2001:db8::7"}},
		{Path: "/DC0/vm/a%2fb", GuestID: "rhel9_64Guest", Firmware: "uefi"},
	}
	for i := range guests {
		guests[i].Disks = []demo.GuestDisk{{Image: disk}}
		guests[i].NICs = []demo.GuestNIC{{MAC: fmt.Sprintf("00:50:56:00:00:0%d", i), Network: "VM Network"}}
	}
	b := newInventory(t, demo.Options{Datacenters: 2, Hosts: 1, VMs: 1, Guests: guests})
	b.run(
		b.shows(`
data "hypersdk_vms" "all" {}
data "hypersdk_vms" "unicode" {
  folder    = "/DC0/vm/прод"
  states    = ["poweredOn"]
  templates = false
}
data "hypersdk_vms" "slash" { name = "a%2fb" }
data "hypersdk_vms" "same"  { name = "a/b" }
data "hypersdk_vms" "guest" { guest = "Red Hat *" }
data "hypersdk_vms" "dc1"   { datacenter = "DC1" }
data "hypersdk_vms" "none" {
  cluster = "DC1_C0"
  name    = "web-*"
}

locals { zrh = data.hypersdk_vms.unicode.vms[0] }
output "all"   { value = data.hypersdk_vms.all.vms[*].path }
output "zrh"   { value = [local.zrh.name, local.zrh.folder, local.zrh.hostname, local.zrh.cluster, local.zrh.host, local.zrh.tools_status, local.zrh.resource_pool] }
output "ips"   { value = local.zrh.ip_addresses }
output "disk"  { value = "${local.zrh.disks[0].address} ${local.zrh.disks[0].capacity_gb * 1024} ${local.zrh.disks[0].thin} ${local.zrh.disks[0].datastore}" }
output "nic"   { value = "${local.zrh.nics[0].mac} ${local.zrh.nics[0].network} ${local.zrh.nics[0].type}" }
output "snaps" { value = local.zrh.snapshots }
output "slash" { value = [data.hypersdk_vms.slash.vms[0].name, data.hypersdk_vms.slash.vms[0].path, data.hypersdk_vms.slash.vms[0].firmware] }
output "same"  { value = data.hypersdk_vms.slash.ids == data.hypersdk_vms.same.ids && data.hypersdk_vms.slash.ids == data.hypersdk_vms.guest.ids }
output "dc1"   { value = data.hypersdk_vms.dc1.vms[*].name }
output "none"  { value = data.hypersdk_vms.none.vms }
`, map[string]knownvalue.Check{
			"all": wantTexts("/DC0/vm/DC0_C0_RP0_VM0", "/DC0/vm/a%2fb", "/DC0/vm/прод/Zürich 東京", "/DC1/vm/DC1_C0_RP0_VM0"),
			"zrh": wantTexts("Zürich 東京", "/DC0/vm/прод", "zrh-1", "DC0_C0", "DC0_C0_H0", "guestToolsRunning", "/DC0/host/DC0_C0/Resources"),
			"ips": wantTexts("192.0.2.7", "2001:db8::7"), "disk": word("scsi0:0 1 true LocalDS_0"), "nic": word("00:50:56:00:00:00 VM Network vmxnet3"),
			"snaps": knownvalue.ListSizeExact(0), "slash": wantTexts("a/b", "/DC0/vm/a%2fb", "uefi"), "same": knownvalue.Bool(true),
			"dc1": wantTexts("DC1_C0_RP0_VM0"), "none": knownvalue.ListSizeExact(0),
		}),
		b.refuses(`data "hypersdk_vms" "x" { guest = "[" }`, `pattern "[" is not a glob`),
		b.refuses(`data "hypersdk_vms" "x" { states = ["on"] }`, `"on" cannot be used for states`),
		b.refuses(`data "hypersdk_vms" "x" { folder = "/DC0/vm/prod" }`, `/DC0/vm exists and has no "prod" in it`),
		b.refuses(`data "hypersdk_vms" "x" { datacenter = "" }`, `string length must be at least 1`),
	)
}

func TestDataSources_NeedToKnowTheVCenterInThePlan(t *testing.T) {
	b := newInventory(t, demo.Options{Hosts: 1, VMs: 1})
	var steps []resource.TestStep
	for _, source := range []string{"hosts", "vcenter"} {
		steps = append(steps, fails(`
resource "terraform_data" "made" { input = "vc.example.com" }
provider "hypersdk" {
  vsphere = { server = terraform_data.made.output }
}
data "hypersdk_`+source+`" "x" {}
`, "vCenter is not known yet"))
	}
	b.run(steps...)
	if n := b.vc.Calls()["Login"]; n != 0 {
		t.Errorf("%d logins, want none", n)
	}
}

func TestInventory_SlowVCenterIsAboutTheTimeout(t *testing.T) {
	var diags diag.Diagnostics
	(&inventoryDataSource[vsphere.VMSummary]{name: "vms"}).refuse(fmt.Errorf("list VMs: %w", context.DeadlineExceeded), &diags)
	at, ok := diags[0].(diag.DiagnosticWithPath)
	if !ok || at.Path().String() != "timeouts" || at.Summary() != "Cannot list the VMs" || !strings.Contains(at.Detail(), "timeouts.read") {
		t.Errorf("got %v, want an error on timeouts", diags)
	}
}

func TestVCenter(t *testing.T) {
	b := newInventory(t, demo.Options{Hosts: 1, VMs: 1})
	b.run(b.shows(`
data "hypersdk_vcenter" "this" {}
output "version" { value = "${data.hypersdk_vcenter.this.version} ${data.hypersdk_vcenter.this.api_type} ${data.hypersdk_vcenter.this.api_version}" }
output "same"    { value = data.hypersdk_vcenter.this.id == data.hypersdk_vcenter.this.instance_uuid }
output "url"     { value = data.hypersdk_vcenter.this.url }
`, map[string]knownvalue.Check{
		"version": word("8.0.3 VirtualCenter 8.0.3.0"), "same": knownvalue.Bool(true), "url": word(b.vc.URL()),
	}))
	for method, n := range b.vc.Calls() {
		if !slices.Contains([]string{"RetrieveServiceContent", "Login", "Logout", "CreateFilter", "WaitForUpdatesEx", "DestroyPropertyFilter"}, method) {
			t.Errorf("%d calls of %s, want none beyond the session's own", n, method)
		}
	}
}

// read reads a data source once, in process, with these arguments; the rest of its configuration is null.
func (b *inventoryBench) read(create func() datasource.DataSource, arguments map[string]string) map[string]int {
	b.t.Helper()
	conns := newConnections("test")
	conns.configure(settings{vsphere: vsphere.Config{
		URL: b.vc.URL(), Username: b.vc.Username(), Password: vsphere.Secret(b.vc.Password()), CAFile: b.vc.CAFile(),
	}, log: slog.New(slog.DiscardHandler)})
	before := b.vc.Calls()
	source := create()
	source.(datasource.DataSourceWithConfigure).Configure(b.t.Context(), datasource.ConfigureRequest{ProviderData: conns}, &datasource.ConfigureResponse{})
	var resp datasource.ReadResponse
	readData(b.t, source, arguments, &resp)
	if resp.Diagnostics.HasError() {
		b.t.Fatal(resp.Diagnostics)
	}
	conns.close(b.t.Context())
	made := map[string]int{}
	for method, n := range b.vc.Calls() {
		if n -= before[method]; n > 0 {
			made[method] = n
		}
	}
	return made
}

func TestInventory_CallBudgets(t *testing.T) {
	b := newInventory(t, demo.Options{Hosts: 100, VMs: 20})
	dc := map[string]string{"datacenter": "/DC0"}
	tests := []struct {
		name      string
		create    func() datasource.DataSource
		arguments map[string]string
		most      int
	}{
		{"hosts", newHostsDataSource, nil, 7},
		{"hosts of a cluster", newHostsDataSource, map[string]string{"cluster": "/DC0/host/DC0_C0"}, 8},
		{"clusters", newClustersDataSource, dc, 8},
		{"datacenters", newDatacentersDataSource, nil, 7},
		{"vms", newVMsDataSource, dc, 8},
		{"vcenter", newVCenterDataSource, nil, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			total := 0
			made := b.read(tt.create, tt.arguments)
			for method, n := range made {
				if total += n; strings.HasPrefix(method, "REST") {
					t.Errorf("%d %s without tags", n, method)
				}
			}
			if total > tt.most || made["Login"] != 1 {
				t.Errorf("%d calls, want at most %d, login and logout included: %v", total, tt.most, made)
			}
		})
	}
}

// TestInventory_FieldsAreTheJSON holds Terraform's names to those of the other doors.
func TestInventory_FieldsAreTheJSON(t *testing.T) {
	tests := []struct {
		source datasource.DataSource
		object any
	}{
		{newHostsDataSource(), vsphere.Host{}}, {newClustersDataSource(), vsphere.Cluster{}}, {newDatacentersDataSource(), vsphere.Datacenter{}},
		{newVMsDataSource(), vsphere.VMSummary{Disks: make([]vsphere.VMDisk, 1), NICs: make([]vsphere.VMNIC, 1)}},
	}
	for _, tt := range tests {
		var md datasource.MetadataResponse
		tt.source.Metadata(t.Context(), datasource.MetadataRequest{ProviderTypeName: "hypersdk"}, &md)
		var sr datasource.SchemaResponse
		tt.source.Schema(t.Context(), datasource.SchemaRequest{}, &sr)
		list, ok := sr.Schema.Attributes[strings.TrimPrefix(md.TypeName, "hypersdk_")].(schema.ListNestedAttribute)
		if !ok {
			t.Fatalf("%s has no list of its own name", md.TypeName)
		}
		wantFields(t, md.TypeName, list.NestedObject.Attributes, tt.object)
		if _, _, err := objectList(list.NestedObject.Attributes, []any{tt.object}); err != nil {
			t.Errorf("%s%v", md.TypeName, err)
		}
	}
}

func wantFields(t *testing.T, where string, attributes map[string]schema.Attribute, object any) {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if name == "ref" {
			name = "id"
		}
		if _, ok := attributes[name]; !ok {
			t.Errorf("%s does not show %s", where, name)
		}
	}
	for name, a := range attributes {
		list, ok := a.(schema.ListNestedAttribute)
		if v := reflect.ValueOf(fields[name]); ok && v.Len() > 0 {
			wantFields(t, where+"."+name, list.NestedObject.Attributes, v.Index(0).Interface())
		}
	}
}

func TestDataSources_SchemasAreValid(t *testing.T) {
	for _, create := range New("test").DataSources(t.Context()) {
		var sr datasource.SchemaResponse
		create().Schema(t.Context(), datasource.SchemaRequest{}, &sr)
		if d := sr.Schema.ValidateImplementation(t.Context()); d.HasError() {
			t.Error(d)
		}
		for name, a := range sr.Schema.Attributes {
			wantDataDescribed(t, name, a)
		}
	}
}

func wantDataDescribed(t *testing.T, name string, a schema.Attribute) {
	t.Helper()
	text := a.GetMarkdownDescription()
	if text == "" {
		text = a.GetDescription()
	}
	if !strings.HasSuffix(text, ".") {
		t.Errorf("%s: description %q is not a sentence", name, text)
	}
	var nested map[string]schema.Attribute
	switch a := a.(type) {
	case schema.SingleNestedAttribute:
		nested = a.Attributes
	case schema.MapNestedAttribute:
		nested = a.NestedObject.Attributes
	case schema.ListNestedAttribute:
		nested = a.NestedObject.Attributes
	}
	for inner, b := range nested {
		wantDataDescribed(t, name+"."+inner, b)
	}
}
