package vsphere_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// fieldsManager is plain govmomi at the custom fields.
func fieldsManager(t *testing.T, v *demo.VCenter) *object.CustomFieldsManager {
	t.Helper()
	u, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(v.Username(), v.Password())
	c, err := govmomi.NewClient(t.Context(), u, true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := object.GetCustomFieldsManager(c.Client)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func define(t *testing.T, m *object.CustomFieldsManager, name, kind string) {
	t.Helper()
	if _, err := m.Add(t.Context(), name, kind, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestCustomAttributes(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	m := fieldsManager(t, v)
	define(t, m, "owner", "VirtualMachine")
	define(t, m, "cost centre", "VirtualMachine")
	define(t, m, "rack", "HostSystem")
	c := dial(t, v)
	vm, err := c.Resolve(t.Context(), vsphere.KindVM, "DC0_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	set := func(want map[string]string, remove ...string) int {
		t.Helper()
		before := v.Calls()["SetField"]
		if err := c.SetCustomAttributes(t.Context(), vm, vsphere.KindVM, want, remove); err != nil {
			t.Fatal(err)
		}
		return v.Calls()["SetField"] - before
	}
	wantAttributes := func(want map[string]string) {
		t.Helper()
		got, err := c.CustomAttributes(t.Context(), vm)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attributes differ (-want +got):\n%s", diff)
		}
	}
	wantAttributes(map[string]string{})
	if got := set(map[string]string{"owner": "ops", "cost centre": "42"}); got != 2 {
		t.Errorf("%d calls to set two, want 2", got)
	}
	if got := set(map[string]string{"owner": "dev", "cost centre": "42"}); got != 1 {
		t.Errorf("%d calls to change one of two, want 1", got)
	}
	wantAttributes(map[string]string{"owner": "dev", "cost centre": "42"})
	if got := set(map[string]string{"owner": "dev"}, "cost centre", "never defined"); got != 1 {
		t.Errorf("%d calls to remove one, want 1", got)
	}
	wantAttributes(map[string]string{"owner": "dev"})

	define(t, m, "since", "") // for all kinds, after the definitions were read
	set(map[string]string{"since": "2026"})
	wantAttributes(map[string]string{"owner": "dev", "since": "2026"})
}

func TestSetCustomAttributes_UnknownNameChangesNothing(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	m := fieldsManager(t, v)
	define(t, m, "owner", "VirtualMachine")
	define(t, m, "rack", "HostSystem")
	c := dial(t, v)
	vm, err := c.Resolve(t.Context(), vsphere.KindVM, "DC0_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	err = c.SetCustomAttributes(t.Context(), vm, vsphere.KindVM, map[string]string{"owner": "ops", "owners": "x"}, nil)
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(strings.Join(sdk.Hints(err), "\n"), "did you mean owner?") {
		t.Errorf("an unknown name: %v with hints %q", err, sdk.Hints(err))
	}
	if err := c.SetCustomAttributes(t.Context(), vm, vsphere.KindVM, map[string]string{"rack": "r1"}, nil); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("an attribute of hosts on a VM: %v, want a refusal", err)
	}
	if n := v.Calls()["SetField"]; n != 0 {
		t.Errorf("%d values set, want none", n)
	}
	gone := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-999"}
	if _, err := c.CustomAttributes(t.Context(), gone); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("a VM that is gone: %v, want not found", err)
	}
}
