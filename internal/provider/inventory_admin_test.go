package provider

import (
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/vmware/govmomi/find"
	govobject "github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// inventoryAdmin is somebody else who works on the vCenter of a bench, by plain govmomi.
type inventoryAdmin struct {
	t    *testing.T
	user *url.Userinfo
	vim  *vim25.Client
	tags *tags.Manager
}

func (b *inventoryBench) admin() *inventoryAdmin {
	b.t.Helper()
	u, err := soap.ParseURL(b.vc.URL())
	if err != nil {
		b.t.Fatal(err)
	}
	sc := soap.NewClient(u, false)
	if err := sc.SetRootCAs(b.vc.CAFile()); err != nil {
		b.t.Fatal(err)
	}
	c, err := vim25.NewClient(b.t.Context(), sc)
	a := &inventoryAdmin{t: b.t, user: url.UserPassword(b.vc.Username(), b.vc.Password()), vim: c}
	a.check(err)
	a.check(session.NewManager(c).Login(b.t.Context(), a.user))
	b.t.Cleanup(sc.CloseIdleConnections)
	return a
}

func (a *inventoryAdmin) check(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *inventoryAdmin) done(task *govobject.Task, err error) {
	a.t.Helper()
	if err == nil {
		err = task.Wait(a.t.Context())
	}
	a.check(err)
}

func (a *inventoryAdmin) host(path string) *govobject.HostSystem {
	a.t.Helper()
	host, err := find.NewFinder(a.vim).HostSystem(a.t.Context(), path)
	a.check(err)
	return host
}

// tag makes a tag, written category/name, and attaches it.
func (a *inventoryAdmin) tag(name string, objects ...mo.Reference) {
	a.t.Helper()
	if a.tags == nil {
		client := rest.NewClient(a.vim)
		a.check(client.Login(a.t.Context(), a.user))
		a.tags = tags.NewManager(client)
	}
	category, tag, _ := strings.Cut(name, "/")
	if _, err := a.tags.GetCategory(a.t.Context(), category); err != nil {
		_, err := a.tags.CreateCategory(a.t.Context(), &tags.Category{Name: category, Cardinality: "MULTIPLE"})
		a.check(err)
	}
	id, err := a.tags.CreateTag(a.t.Context(), &tags.Tag{Name: tag, CategoryID: category})
	a.check(err)
	for _, o := range objects {
		a.check(a.tags.AttachTag(a.t.Context(), id, o))
	}
}

// leave ends the admin's sessions, so that the bench can count the provider's.
func (a *inventoryAdmin) leave() {
	a.t.Helper()
	if a.tags != nil {
		a.check(a.tags.Logout(a.t.Context()))
	}
	a.check(session.NewManager(a.vim).Logout(a.t.Context()))
}

func TestHosts_FollowWhatIsDoneToThem(t *testing.T) {
	b := newInventory(t, demo.Options{Hosts: 3, VMs: 1})
	const config = `
data "hypersdk_hosts" "ready" { states = ["connected"] }
data "hypersdk_hosts" "away"  { states = ["maintenance", "disconnected"] }
data "hypersdk_clusters" "c"  {}
output "ready" { value = data.hypersdk_hosts.ready.hosts[*].name }
output "away"  { value = [for h in data.hypersdk_hosts.away.hosts : "${h.name} ${h.state} ${h.maintenance}"] }
output "able"  { value = data.hypersdk_clusters.c.clusters[0].effective_hosts }
`
	before := b.shows(config, map[string]knownvalue.Check{
		"ready": wantTexts("DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2"), "away": knownvalue.ListSizeExact(0), "able": wantNumber(3),
	})
	after := b.shows(config, map[string]knownvalue.Check{
		"ready": wantTexts("DC0_C0_H2"), "away": wantTexts("DC0_C0_H0 connected true", "DC0_C0_H1 disconnected false"), "able": wantNumber(1),
	})
	after.PreConfig = func() {
		admin := b.admin()
		admin.done(admin.host("/DC0/host/DC0_C0/DC0_C0_H0").EnterMaintenanceMode(t.Context(), 0, false, nil))
		admin.done(admin.host("/DC0/host/DC0_C0/DC0_C0_H1").Disconnect(t.Context()))
		admin.leave()
	}
	b.run(before, after)
}

func TestInventory_Tags(t *testing.T) {
	b := newInventory(t, demo.Options{Datacenters: 2, Hosts: 2, VMs: 1})
	admin := b.admin()
	finder := find.NewFinder(admin.vim)
	vm, err := finder.VirtualMachine(t.Context(), "/DC1/vm/DC1_C0_RP0_VM0")
	admin.check(err)
	cluster, err := finder.ClusterComputeResource(t.Context(), "/DC1/host/DC1_C0")
	admin.check(err)
	dc, err := finder.Datacenter(t.Context(), "/DC1")
	admin.check(err)
	host := admin.host("/DC1/host/DC1_C0/DC1_C0_H1")
	admin.tag("env/prod", vm, cluster, dc, host)
	admin.tag("env/empty")
	admin.tag("tier/web", vm)
	admin.leave()
	logins := b.vc.Calls()["REST login"]
	b.run(
		b.shows(`
data "hypersdk_vms" "x"         { tags = ["env/prod", "tier/web"] }
data "hypersdk_hosts" "x"       { tags = ["env/prod"] }
data "hypersdk_clusters" "x"    { tags = ["env/prod"] }
data "hypersdk_datacenters" "x" { tags = ["env/prod"] }
data "hypersdk_hosts" "both"    { tags = ["env/prod", "tier/web"] }
data "hypersdk_vms" "none"      { tags = ["env/empty"] }
output "found" {
  value = concat(data.hypersdk_vms.x.vms[*].path, data.hypersdk_hosts.x.hosts[*].path, data.hypersdk_clusters.x.clusters[*].path,
    data.hypersdk_datacenters.x.datacenters[*].path, data.hypersdk_hosts.both.ids, data.hypersdk_vms.none.ids)
}
`, map[string]knownvalue.Check{
			"found": wantTexts("/DC1/vm/DC1_C0_RP0_VM0", "/DC1/host/DC1_C0/DC1_C0_H1", "/DC1/host/DC1_C0", "/DC1"),
		}),
		b.refuses(`data "hypersdk_vms" "x" { tags = ["env/production"] }`, `env/production`),
		b.refuses(`data "hypersdk_vms" "x" { tags = [""] }`, `string length must be at least 1`),
	)
	if b.vc.Calls()["REST login"] == logins {
		t.Error("tags were found without asking the REST service")
	}
}
