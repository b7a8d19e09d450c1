package vsphere_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// twoByTwo is a vCenter with two datacenters of two clusters of two hosts and one VM each.
func twoByTwo(t testing.TB, guests ...demo.Guest) *demo.VCenter {
	t.Helper()
	return rig.VCenter(t, demo.Options{Datacenters: 2, Clusters: 2, Hosts: 2, VMs: 1, Guests: guests})
}

func hostPaths(hosts []vsphere.Host) string {
	var paths []string
	for _, h := range hosts {
		paths = append(paths, h.Path)
	}
	return strings.Join(paths, " ")
}

func TestFilter_Places(t *testing.T) {
	c := dial(t, twoByTwo(t))
	all, err := c.ListHosts(t.Context(), vsphere.Filter{})
	if err != nil || len(all) != 8 {
		t.Fatalf("got %d hosts and %v, want 8", len(all), err)
	}
	clusters, err := c.ListClusters(t.Context(), vsphere.Filter{Name: "DC1_C0"})
	if err != nil || len(clusters) != 1 {
		t.Fatalf("got %v and %v, want DC1_C0", clusters, err)
	}
	const c10, c11 = "/DC1/host/DC1_C0/DC1_C0_H0 /DC1/host/DC1_C0/DC1_C0_H1", "/DC1/host/DC1_C1/DC1_C1_H0 /DC1/host/DC1_C1/DC1_C1_H1"
	tests := []struct {
		name   string
		filter vsphere.Filter
		want   string
	}{
		{"datacenter", vsphere.Filter{Datacenter: "/DC1"}, c10 + " " + c11},
		{"datacenter by name", vsphere.Filter{Datacenter: "DC1"}, c10 + " " + c11},
		{"cluster", vsphere.Filter{Cluster: "/DC1/host/DC1_C0"}, c10},
		{"cluster by id", vsphere.Filter{Cluster: clusters[0].Ref}, c10},
		{"folder", vsphere.Filter{Folder: "/DC1/host"}, c10 + " " + c11},
		{"a folder that holds none", vsphere.Filter{Folder: "/DC1/vm"}, ""},
		{"contradiction", vsphere.Filter{Datacenter: "/DC0", Cluster: "/DC1/host/DC1_C0"}, ""},
		{"name and place", vsphere.Filter{Datacenter: "/DC1", Name: "*_H1"}, "/DC1/host/DC1_C0/DC1_C0_H1 /DC1/host/DC1_C1/DC1_C1_H1"},
		{"path", vsphere.Filter{Name: "/DC1/host/*0/*_H[1-9]"}, "/DC1/host/DC1_C0/DC1_C0_H1"},
		{"a star does not cross a slash", vsphere.Filter{Name: "/DC1/*"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.ListHosts(t.Context(), tt.filter)
			if err != nil || hostPaths(got) != tt.want || got == nil {
				t.Errorf("got %q and %v, want %q", hostPaths(got), err, tt.want)
			}
		})
	}
}

func TestFilter_Refusals(t *testing.T) {
	c := dial(t, twoByTwo(t))
	yes := true
	list := map[string]func(vsphere.Filter) error{
		"hosts":       func(f vsphere.Filter) error { _, err := c.ListHosts(t.Context(), f); return err },
		"clusters":    func(f vsphere.Filter) error { _, err := c.ListClusters(t.Context(), f); return err },
		"datacenters": func(f vsphere.Filter) error { _, err := c.ListDatacenters(t.Context(), f); return err },
		"VMs":         func(f vsphere.Filter) error { _, err := c.ListVMs(t.Context(), f); return err },
	}
	tests := []struct {
		noun   string
		filter vsphere.Filter
		field  string
		kind   error
		text   string
	}{
		{"hosts", vsphere.Filter{Name: "[a"}, "name", sdk.ErrInvalid, `pattern "[a" is not a glob`},
		{"VMs", vsphere.Filter{Guest: "[a"}, "guest", sdk.ErrInvalid, `pattern "[a" is not a glob`},
		{"hosts", vsphere.Filter{States: []string{"poweredOn"}}, "states", sdk.ErrInvalid, `"poweredOn" is no state of a host`},
		{"clusters", vsphere.Filter{States: []string{"green"}}, "states", sdk.ErrInvalid, "clusters are not chosen by states"},
		{"datacenters", vsphere.Filter{Cluster: "DC0_C0"}, "cluster", sdk.ErrInvalid, "datacenters are not chosen by cluster"},
		{"hosts", vsphere.Filter{Templates: &yes}, "templates", sdk.ErrInvalid, "hosts are not chosen by templates"},
		{"VMs", vsphere.Filter{Datacenter: "DC7"}, "datacenter", sdk.ErrNotFound, "no datacenter has that name"},
		{"VMs", vsphere.Filter{Datacenter: "/Berlin"}, "datacenter", sdk.ErrNotFound, "no datacenter has that inventory path"},
		{"hosts", vsphere.Filter{Cluster: "/DC0/vm"}, "cluster", sdk.ErrInvalid, "it is a Folder, not a cluster"},
		{"hosts", vsphere.Filter{Tags: []string{"env/prod"}}, "tags", sdk.ErrNotFound, "env/prod"},
	}
	for _, tt := range tests {
		t.Run(tt.noun+" by "+tt.field, func(t *testing.T) {
			err := list[tt.noun](tt.filter)
			bad, ok := errors.AsType[*vsphere.FilterError](err)
			if !ok || bad.Field != tt.field || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("got %v, want %v about %s: %s", err, tt.kind, tt.field, tt.text)
			}
			if len(sdk.Hints(err)) == 0 {
				t.Errorf("%v has no hint", err)
			}
		})
	}
}

func TestFilter_Tags(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 3, VMs: 2})
	c := dial(t, v)
	all, err := c.ListHosts(t.Context(), vsphere.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if n := v.Calls()["REST login"]; n != 0 {
		t.Errorf("%d REST logins without tags, want none", n)
	}
	api := rest.NewClient(vim(t, v))
	if err := api.Login(t.Context(), url.UserPassword(v.Username(), v.Password())); err != nil {
		t.Fatal(err)
	}
	manager := tags.NewManager(api)
	category, err := manager.CreateCategory(t.Context(), &tags.Category{Name: "env", Cardinality: "MULTIPLE"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prod", "ssd"} {
		id, err := manager.CreateTag(t.Context(), &tags.Tag{Name: name, CategoryID: category})
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range all {
			if name == "prod" && i < 2 || name == "ssd" && i > 0 {
				if err := manager.AttachTag(t.Context(), id, hostRef(h)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for wanted, want := range map[string][]vsphere.Host{"env/prod": all[:2], "env/ssd": all[1:], "env/prod env/ssd": all[1:2]} {
		got, err := c.ListHosts(t.Context(), vsphere.Filter{Tags: strings.Fields(wanted)})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q and %v, want %q", wanted, hostPaths(got), err, hostPaths(want))
		}
	}
	if got, err := c.ListVMs(t.Context(), vsphere.Filter{Tags: []string{"env/prod"}}); err != nil || len(got) != 0 {
		t.Errorf("VMs: got %d and %v, want none", len(got), err)
	}
}
