package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// listRig is a vCenter with two pools and two templates, and a provider at it.
func listRig(t *testing.T) (*demo.VCenter, *wire) {
	t.Helper()
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{smallGuest(t)}})
	c, err := vsphere.Dial(t.Context(), vsphere.Config{URL: v.URL(), Username: v.Username(), Password: vsphere.Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context()) //nolint:errcheck // the test is about something else
	for _, name := range []string{"prod", "test"} {
		if _, err := c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: name, Parent: "/DC0/host/DC0_C0", CPUReservationMHz: 100}); err != nil {
			t.Fatal(err)
		}
		spec := vsphere.TemplateSpec{Method: vsphere.TemplateByClone, Source: "/DC0/vm/DC0_C0_RP0_VM0", Name: "golden-" + name, ResourcePool: "/DC0/host/DC0_C0"}
		if _, err := c.CreateTemplate(t.Context(), spec, nil); err != nil {
			t.Fatal(err)
		}
	}
	return v, newWire(t, vsphereBlock(v))
}

func listedNames(found []listedThing) string {
	var all []string
	for _, f := range found {
		all = append(all, f.name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestLists_FindWhatCanBeManaged(t *testing.T) {
	v, w := listRig(t)
	for _, tt := range []struct {
		kind   string
		config map[string]any
		limit  int64
		want   string
	}{
		{"hypersdk_clone", map[string]any{}, 0, "/DC0/vm/DC0_C0_RP0_VM0 /DC0/vm/DC0_C0_RP0_VM1 /DC0/vm/web-01"},
		{"hypersdk_clone", map[string]any{"name": "/DC0/vm/web*"}, 0, "/DC0/vm/web-01"},
		{"hypersdk_resource_pool", map[string]any{}, 0, "/DC0/host/DC0_C0/Resources/prod /DC0/host/DC0_C0/Resources/test"},
		{"hypersdk_resource_pool", map[string]any{"name": "pro*"}, 0, "/DC0/host/DC0_C0/Resources/prod"},
		{"hypersdk_resource_pool", map[string]any{}, 1, "/DC0/host/DC0_C0/Resources/prod"},
		{"hypersdk_resource_pool", map[string]any{"name": "none"}, 0, ""},
		{"hypersdk_template", map[string]any{}, 0, "/DC0/vm/golden-prod /DC0/vm/golden-test"},
		{"hypersdk_template", map[string]any{"name": "/DC0/vm/*-test"}, 0, "/DC0/vm/golden-test"},
	} {
		found, text := w.query(tt.kind, tt.config, tt.limit)
		if got := listedNames(found); got != tt.want || text != "" {
			t.Errorf("%s %v limit %d: %q, says %q; want %q", tt.kind, tt.config, tt.limit, got, text, tt.want)
		}
	}
	before := v.Calls()["RetrievePropertiesEx"]
	w.query("hypersdk_template", map[string]any{}, 0)
	if made := v.Calls()["RetrievePropertiesEx"] - before; made != 2 {
		t.Errorf("%d retrieves for a list of templates, want 2", made)
	}
}

func TestLists_CarryIdentityAndResource(t *testing.T) {
	_, w := listRig(t)
	for kind, want := range map[string]struct{ identity, attribute, value string }{
		"hypersdk_clone":         {"instance_uuid", "path", "/DC0/vm/web-01"},
		"hypersdk_resource_pool": {"moid", "path", "/DC0/host/DC0_C0/Resources/prod"},
		"hypersdk_template":      {"instance_uuid", "path", "/DC0/vm/golden-prod"},
	} {
		found, text := w.query(kind, map[string]any{"name": want.value}, 0)
		if len(found) != 1 || text != "" {
			t.Fatalf("%s: found %v, says %q", kind, found, text)
		}
		if got := found[0]; got.identity["vcenter"] == "" || got.identity[want.identity] != got.resource["id"] || got.resource[want.attribute] != want.value {
			t.Errorf("%s: identity %v, resource %v", kind, got.identity, got.resource)
		}
	}
}

func TestLists_Refuse(t *testing.T) {
	w := newWire(t, map[string]any{"vsphere": map[string]any{"server": "127.0.0.1:1", "username": "u", "password": "p"}})
	for _, kind := range []string{"hypersdk_clone", "hypersdk_resource_pool", "hypersdk_template"} {
		if _, text := w.query(kind, map[string]any{"name": "["}, 0); !strings.Contains(text, `AttributeName("name"): Not a pattern`) {
			t.Errorf("%s: a broken pattern says %q", kind, text)
		}
		if found, text := w.query(kind, map[string]any{}, 0); !strings.Contains(text, "Cannot reach vCenter") || len(found) > 0 {
			t.Errorf("%s: without a vCenter it says %q", kind, text)
		}
	}
}
