package demo_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func restLogin(t *testing.T, v *demo.VCenter) *tags.Manager {
	t.Helper()
	client := rest.NewClient(dial(t, v).Client)
	if err := client.Login(t.Context(), url.UserPassword(v.Username(), v.Password())); err != nil {
		t.Fatal(err)
	}
	return tags.NewManager(client)
}

func TestREST_LoginIsChecked(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	client := rest.NewClient(dial(t, v).Client)
	for _, user := range []*url.Userinfo{url.UserPassword(v.Username(), "wrong"), url.UserPassword("x", "y"), nil} {
		if err := client.Login(t.Context(), user); !rest.IsStatusError(err, http.StatusUnauthorized) {
			t.Errorf("login as %v: %v, want 401", user, err)
		}
	}
	if _, err := tags.NewManager(client).ListTags(t.Context()); !rest.IsStatusError(err, http.StatusUnauthorized) {
		t.Errorf("a call without a session: %v, want 401", err)
	}
	m := restLogin(t, v)
	if got := v.Sessions(); got != 1 {
		t.Errorf("%d sessions, want 1", got)
	}
	if _, err := m.ListTags(t.Context()); err != nil {
		t.Error(err)
	}
	v.EndSessions()
	if _, err := m.ListTags(t.Context()); !rest.IsStatusError(err, http.StatusUnauthorized) {
		t.Errorf("a call after the session's end: %v, want 401", err)
	}
	m = restLogin(t, v)
	if err := m.Logout(t.Context()); err != nil {
		t.Error(err)
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("%d sessions after logout, want 0", got)
	}
	if n := v.Calls()["REST login"]; n != 5 {
		t.Errorf("%d logins counted, want 5", n)
	}
}

func TestREST_OffersNothingButTags(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	for _, path := range []string{"/rest/com/vmware/content/library", "/api/content/library/item", "/rest/vcenter/certificate-authority/get-root"} {
		u := *c.URL()
		u.Path = path
		res, err := c.Client.Client.Get(u.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %s, want 404", path, res.Status)
		}
	}
}

func TestREST_TagsAsVCenterKeepsThem(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	m := restLogin(t, v)
	vm := findVM(t, login(t, v), "/DC0/vm/DC0_C0_RP0_VM0").Reference()
	if _, err := m.CreateCategory(t.Context(), &tags.Category{Name: "env", Cardinality: "SINGLE", AssociableTypes: []string{"VirtualMachine"}}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range []string{"prod", "dev"} {
		id, err := m.CreateTag(t.Context(), &tags.Tag{Name: name, CategoryID: "env"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := m.AttachMultipleTagsToObject(t.Context(), ids, vm); err == nil || !strings.Contains(err.Error(), "one tag") {
		t.Errorf("two tags of a single category: %v", err)
	}
	if err := m.AttachTag(t.Context(), ids[0], vm); err != nil {
		t.Fatal(err)
	}
	if err := m.AttachTag(t.Context(), ids[1], vm); err == nil || !strings.Contains(err.Error(), "one tag") {
		t.Errorf("a second tag of a single category: %v", err)
	}
	if err := m.AttachTag(t.Context(), ids[0], types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-999"}); !rest.IsStatusError(err, http.StatusForbidden) {
		t.Errorf("an object that is not there: %v, want 403", err)
	}
	if err := m.DetachMultipleTagsFromObject(t.Context(), ids[:1], vm); err != nil {
		t.Fatal(err)
	}
	if left, err := m.ListAttachedObjectsOnTags(t.Context(), ids); err != nil || len(left[0].ObjectIDs) > 0 {
		t.Errorf("objects with a detached tag: %v, %v; want none", left, err)
	}
}

func TestCustomFields_AreKeptByObject(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := login(t, v)
	vm := findVM(t, c, "/DC0/vm/DC0_C0_RP0_VM0")
	m, err := object.GetCustomFieldsManager(c.Client)
	if err != nil {
		t.Fatal(err)
	}
	def, err := m.Add(t.Context(), "owner", "VirtualMachine", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Set(t.Context(), vm.Reference(), def.Key, "ops"); err != nil {
		t.Fatal(err)
	}
	var entity mo.ManagedEntity
	if err := vm.Properties(t.Context(), vm.Reference(), []string{"customValue"}, &entity); err != nil {
		t.Fatal(err)
	}
	want := []types.BaseCustomFieldValue{&types.CustomFieldStringValue{CustomFieldValue: types.CustomFieldValue{Key: def.Key}, Value: "ops"}}
	if diff := cmp.Diff(want, entity.CustomValue); diff != "" {
		t.Errorf("values differ (-want +got):\n%s", diff)
	}
	gone := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-999"}
	wantFault[*types.ManagedObjectNotFound](t, m.Set(t.Context(), gone, def.Key, "x"))
}
