package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// tagged is a vCenter with tags: env (one of prod, dev), team (any of red, blue, prod).
type tagged struct {
	*demo.VCenter
	c   *vsphere.Client
	ids map[string]string // by category/name
}

func newTagged(t *testing.T) *tagged {
	t.Helper()
	v := rig.VCenter(t, demo.Options{VMs: 12})
	w := &tagged{VCenter: v, ids: map[string]string{}}
	m, logout := tagManager(t, v)
	defer logout()
	for _, category := range []tags.Category{
		{Name: "env", Cardinality: "SINGLE", AssociableTypes: []string{"VirtualMachine"}}, {Name: "team", Cardinality: "MULTIPLE"},
	} {
		id, err := m.CreateCategory(t.Context(), &category)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range map[string][]string{"env": {"prod", "dev"}, "team": {"red", "blue", "prod"}}[category.Name] {
			tag, err := m.CreateTag(t.Context(), &tags.Tag{Name: name, CategoryID: id})
			if err != nil {
				t.Fatal(err)
			}
			w.ids[category.Name+"/"+name] = tag
		}
	}
	w.c = dial(t, v)
	return w
}

// tagManager is plain govmomi at the REST service.
func tagManager(t *testing.T, v *demo.VCenter) (*tags.Manager, func()) {
	t.Helper()
	u, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	vim, err := vim25.NewClient(t.Context(), soap.NewClient(u, true))
	if err != nil {
		t.Fatal(err)
	}
	client := rest.NewClient(vim)
	if err := client.Login(t.Context(), url.UserPassword(v.Username(), v.Password())); err != nil {
		t.Fatal(err)
	}
	return tags.NewManager(client), func() {
		if err := client.Logout(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("log out: %v", err)
		}
	}
}

func (w *tagged) vm(t *testing.T, name string) types.ManagedObjectReference {
	t.Helper()
	ref, err := w.c.Resolve(t.Context(), vsphere.KindVM, name)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (w *tagged) attached(t *testing.T, ref types.ManagedObjectReference) string {
	t.Helper()
	all, err := w.c.AttachedTags(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tag := range all[ref] {
		names = append(names, tag.String())
	}
	return strings.Join(names, " ")
}

// rests counts the calls of the REST service since a count.
func rests(before, after map[string]int) map[string]int {
	made := map[string]int{}
	for name, n := range after {
		if short, ok := strings.CutPrefix(name, "REST "); ok && n > before[name] {
			made[short] = n - before[name]
		}
	}
	return made
}

func TestTags_UnusedMeansNoRESTSession(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	if _, err := c.ResolveTags(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.SetTags(t.Context(), types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-1"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if made := rests(nil, v.Calls()); len(made) > 0 {
		t.Errorf("REST calls %v, want none", made)
	}
}

func TestResolveTags(t *testing.T) {
	w := newTagged(t)
	got, err := w.c.ResolveTags(t.Context(), []string{"env/prod", "blue", w.ids["env/dev"]})
	if err != nil {
		t.Fatal(err)
	}
	want := []vsphere.Tag{
		{ID: w.ids["env/prod"], Name: "prod", Category: "env"},
		{ID: w.ids["team/blue"], Name: "blue", Category: "team"},
		{ID: w.ids["env/dev"], Name: "dev", Category: "env"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tags differ (-want +got):\n%s", diff)
	}
	before := w.Calls()
	if _, err := w.c.ResolveTags(t.Context(), []string{"env/prod", "blue"}); err != nil {
		t.Fatal(err)
	}
	if made := rests(before, w.Calls()); len(made) > 0 {
		t.Errorf("asked again: %v", made)
	}
}

func TestResolveTags_Refuses(t *testing.T) {
	w := newTagged(t)
	for _, tt := range []struct {
		name string
		kind error
		hint string
	}{
		{"prod", sdk.ErrInvalid, "env/prod, team/prod"},
		{"env/prd", sdk.ErrNotFound, "env/prod"},
		{"bleu", sdk.ErrNotFound, "blue"},
		{"urn:vmomi:InventoryServiceTag:none:GLOBAL", sdk.ErrNotFound, ""},
		{" ", sdk.ErrInvalid, "category/name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.c.ResolveTags(t.Context(), []string{tt.name})
			if !errors.Is(err, tt.kind) || !strings.Contains(strings.Join(sdk.Hints(err), "\n"), tt.hint) {
				t.Errorf("got %v with hints %q, want %v with %q", err, sdk.Hints(err), tt.kind, tt.hint)
			}
		})
	}
}

func TestResolveTags_FindsOneMadeSince(t *testing.T) {
	w := newTagged(t)
	if _, err := w.c.ResolveTags(t.Context(), []string{"red"}); err != nil {
		t.Fatal(err)
	}
	m, logout := tagManager(t, w.VCenter)
	defer logout()
	id, err := m.CreateTag(t.Context(), &tags.Tag{Name: "green", CategoryID: "team"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.c.ResolveTags(t.Context(), []string{"team/green"})
	if err != nil || got[0].ID != id {
		t.Errorf("got %v, %v; want the new tag %s", got, err, id)
	}
}

func TestSetTags_SendsTheDifferenceAndLeavesOthers(t *testing.T) {
	w := newTagged(t)
	vm := w.vm(t, "DC0_C0_RP0_VM0")
	set := func(want, before []string) map[string]int {
		t.Helper()
		calls := w.Calls()
		if err := w.c.SetTags(t.Context(), vm, want, before); err != nil {
			t.Fatal(err)
		}
		return rests(calls, w.Calls())
	}
	m, logout := tagManager(t, w.VCenter)
	defer logout()
	if err := m.AttachTag(t.Context(), w.ids["team/blue"], vm); err != nil { // somebody else's
		t.Fatal(err)
	}
	set([]string{"env/prod", "team/red"}, nil)
	if got, want := w.attached(t, vm), "env/prod team/blue team/red"; got != want {
		t.Errorf("attached %q, want %q", got, want)
	}
	made := set([]string{"env/dev", "team/red"}, []string{"env/prod", "team/red"}) // env allows one tag: off before on
	if got, want := w.attached(t, vm), "env/dev team/blue team/red"; got != want {
		t.Errorf("attached %q, want %q", got, want)
	}
	if diff := cmp.Diff(map[string]int{
		"list-attached-tags-on-objects": 1, "detach-multiple-tags-from-object": 1, "attach-multiple-tags-to-object": 1,
	}, made); diff != "" {
		t.Errorf("calls differ (-want +got):\n%s", diff)
	}
	made = set([]string{"env/dev", "team/red"}, []string{"env/dev", "team/red"})
	if diff := cmp.Diff(map[string]int{"list-attached-tags-on-objects": 1}, made); diff != "" {
		t.Errorf("calls without a difference (-want +got):\n%s", diff)
	}
	set(nil, []string{"env/dev", "team/red"})
	if got, want := w.attached(t, vm), "team/blue"; got != want {
		t.Errorf("attached %q, want %q", got, want)
	}
}

func TestSetTags_SaysWhatVCenterRefuses(t *testing.T) {
	w := newTagged(t)
	err := w.c.SetTags(t.Context(), w.vm(t, "DC0_C0_RP0_VM0"), []string{"env/prod", "env/dev"}, nil)
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "one tag") {
		t.Errorf("two tags of a single category: %v", err)
	}
	folder, err := w.c.Resolve(t.Context(), vsphere.KindFolder, "/DC0/vm")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.c.SetTags(t.Context(), folder, []string{"env/prod"}, nil); !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "Folder") {
		t.Errorf("a category that is not for folders: %v", err)
	}
	gone := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-999"}
	if err := w.c.SetTags(t.Context(), gone, []string{"env/prod"}, nil); !errors.Is(err, sdk.ErrDenied) {
		t.Errorf("an object that is gone: %v, want the service's refusal", err)
	}
}

func TestAttachedTags_ReadsTogether(t *testing.T) {
	w := newTagged(t)
	var refs []types.ManagedObjectReference
	for i := range 12 {
		refs = append(refs, w.vm(t, fmt.Sprintf("DC0_C0_RP0_VM%d", i)))
	}
	if err := w.c.SetTags(t.Context(), refs[1], []string{"env/prod"}, nil); err != nil {
		t.Fatal(err)
	}
	before := w.Calls()
	var wait sync.WaitGroup
	for i, ref := range refs {
		wait.Go(func() {
			all, err := w.c.AttachedTags(t.Context(), ref)
			if err != nil {
				t.Error(err)
			}
			if got, want := len(all[ref]), map[bool]int{true: 1}[i == 1]; got != want {
				t.Errorf("%v has %d tags, want %d", ref, got, want)
			}
		})
	}
	wait.Wait()
	if made := rests(before, w.Calls())["list-attached-tags-on-objects"]; made == 0 || made > len(refs)/2 {
		t.Errorf("%d calls for %d reads, want at most half as many", made, len(refs))
	}
}

func TestObjectsWithTags_HaveAllOfThem(t *testing.T) {
	w := newTagged(t)
	first, second := w.vm(t, "DC0_C0_RP0_VM0"), w.vm(t, "DC0_C0_RP0_VM1")
	folder, err := w.c.Resolve(t.Context(), vsphere.KindFolder, "/DC0/vm")
	if err != nil {
		t.Fatal(err)
	}
	for ref, names := range map[types.ManagedObjectReference][]string{
		first: {"env/prod", "red"}, second: {"red"}, folder: {"red"},
	} {
		if err := w.c.SetTags(t.Context(), ref, names, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		tags []string
		kind vsphere.Kind
		want []types.ManagedObjectReference
	}{
		{[]string{"red", "env/prod"}, vsphere.KindVM, []types.ManagedObjectReference{first}},
		{[]string{"red", "team/red"}, vsphere.KindVM, []types.ManagedObjectReference{first, second}},
		{[]string{"red"}, vsphere.KindFolder, []types.ManagedObjectReference{folder}},
		{[]string{"blue"}, vsphere.KindVM, nil},
	} {
		got, err := w.c.ObjectsWithTags(t.Context(), tt.tags, tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v of kind %s (-want +got):\n%s", tt.tags, tt.kind, diff)
		}
	}
	if err := w.c.SetTags(t.Context(), second, nil, []string{"red"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.c.ObjectsWithTags(t.Context(), []string{"red"}, vsphere.KindVM); len(got) != 1 {
		t.Errorf("a detached tag still lists its object: %v", got)
	}
	if _, err := w.c.ObjectsWithTags(t.Context(), nil, vsphere.KindVM); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("no tags: %v, want a refusal", err)
	}
}

func TestREST_BusyServiceIsAskedAgain(t *testing.T) {
	for _, status := range []int{429, 503} {
		w := newTagged(t)
		w.SetFaults(demo.Faults{FailREST: 2, RESTStatus: status})
		if _, err := w.c.ResolveTags(t.Context(), []string{"env/prod"}); err != nil {
			t.Errorf("after two answers %d: %v", status, err)
		}
	}
}

func TestREST_BusyForEverEndsWithTheContext(t *testing.T) {
	w := newTagged(t)
	w.SetFaults(demo.Faults{FailREST: 1 << 30})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := w.c.ResolveTags(ctx, []string{"env/prod"})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("got %v, want the deadline and the service's state", err)
	}
}

func TestREST_EndedSessionLogsInAgainOnce(t *testing.T) {
	w := newTagged(t)
	vm := w.vm(t, "DC0_C0_RP0_VM0")
	w.attached(t, vm)
	w.EndSessions()
	before := w.Calls()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := w.c.ResolveTags(t.Context(), []string{"env/prod"}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := rests(before, w.Calls())["login"]; got != 1 {
		t.Errorf("%d logins, want 1", got)
	}
}

func TestREST_CloseLogsOut(t *testing.T) {
	w := newTagged(t)
	if _, err := w.c.ResolveTags(t.Context(), []string{"env/prod"}); err != nil {
		t.Fatal(err)
	}
	if got := w.Sessions(); got != 2 {
		t.Errorf("%d sessions while tags are used, want 2", got)
	}
	if err := w.c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.Sessions(); got != 0 {
		t.Errorf("%d sessions left, want 0", got)
	}
	if _, err := w.c.ResolveTags(t.Context(), []string{"team/red"}); err == nil {
		t.Error("a closed client logged in again")
	}
}
