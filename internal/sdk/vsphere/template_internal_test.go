package vsphere

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const golden = "/DC0/vm/build/golden"

// newTemplates is a vCenter with the VM golden, another one in the folder templates, and a client.
func newTemplates(t *testing.T) (*demo.VCenter, *Client) {
	t.Helper()
	disk := []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Mixed)}}
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{
		{Path: golden, Disks: disk}, {Path: "/DC0/vm/templates/old", Disks: disk},
	}})
	c, err := Dial(t.Context(), Config{URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return v, c
}

func byClone() TemplateSpec {
	return TemplateSpec{Method: TemplateByClone, Source: golden, Name: "golden-1", Folder: "/DC0/vm/templates", Snapshot: "base", Annotation: "notes"}
}

func byConvert() TemplateSpec {
	s := byClone()
	s.Method = TemplateByConvert
	return s
}

// wantTemplate checks what CreateTemplate promises of both specs.
func wantTemplate(t *testing.T, got *TemplateResult, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v %v", err, sdk.Hints(err))
	}
	made := got.Template
	if !made.Template || made.Path != "/DC0/vm/templates/golden-1" || made.Annotation != "notes" || len(made.Snapshots) != 1 ||
		made.Snapshots[0].Ref != got.SnapshotID || made.Snapshots[0].Name != "base" {
		t.Errorf("got %+v, want the template golden-1 with notes and the snapshot base", got)
	}
}

func wantKind(t *testing.T, err, kind error, words string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error() + " " + strings.Join(sdk.Hints(err), " ")
	}
	if !errors.Is(err, kind) || !strings.Contains(text, words) {
		t.Errorf("got %q, want %v that says %q", text, kind, words)
	}
}

// another is a client of a later run, which knows nothing of this one's.
func another(t *testing.T, v *demo.VCenter) *Client {
	t.Helper()
	c, err := Dial(t.Context(), Config{URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return c
}

func TestTemplate_CloneInterruptedAnywhereIsFoundAgain(t *testing.T) {
	snapshot := func(t *testing.T, c *Client, made string) {
		t.Helper()
		h, err := c.readHead(t.Context(), vmByID(made))
		if err == nil {
			_, err = c.baseSnapshot(t.Context(), h, byClone().Snapshot, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, until := range map[string]func(*testing.T, *Client, string){
		"after the clone":    func(*testing.T, *Client, string) {},
		"after the snapshot": snapshot,
		"after the mark, before anybody heard of it": func(t *testing.T, c *Client, made string) {
			t.Helper()
			snapshot(t, c, made)
			if err := c.MarkAsTemplate(t.Context(), made); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, c := newTemplates(t)
			spec := byClone()
			made, err := c.clone(t.Context(), spec.clone(), nil)
			if err != nil {
				t.Fatal(err)
			}
			until(t, c, made.VM.Ref)

			next := another(t, v)
			got, err := next.CreateTemplate(t.Context(), spec, nil)
			wantTemplate(t, got, err)
			if got.Template.Ref != made.VM.Ref {
				t.Errorf("got %s, want the VM %s that was there already", got.Template.Ref, made.VM.Ref)
			}
			if n := v.Calls()["CreateSnapshot_Task"]; n != 1 {
				t.Errorf("%d snapshots were taken, want 1", n)
			}
			_, err = next.CreateTemplate(t.Context(), spec, nil) // the same run means another one
			wantKind(t, err, sdk.ErrConflict, "asked for before in this run")
			spec.Snapshot = "other"
			_, err = another(t, v).CreateTemplate(t.Context(), spec, nil)
			wantKind(t, err, ErrNameTaken, "it is not this clone")
			if err := next.DeleteTemplate(t.Context(), got.Template.Ref); err != nil {
				t.Fatal(err)
			}
			again, err := next.CreateTemplate(t.Context(), byClone(), nil)
			wantTemplate(t, again, err)
		})
	}
}

func TestTemplate_UnfinishedIsTakenUpByTheSameClient(t *testing.T) {
	v, c := newTemplates(t)
	v.SetFaults(demo.Faults{Unavailable: 1000, UnavailableMethod: "CreateSnapshot_Task"})
	_, err := c.CreateTemplate(t.Context(), byClone(), nil)
	wantKind(t, err, sdk.ErrUnavailable, "stays as far as it came")
	v.SetFaults(demo.Faults{})
	got, err := c.CreateTemplate(t.Context(), byClone(), nil)
	wantTemplate(t, got, err)
	if n := v.Calls()["CloneVM_Task"]; n > 2 { // the second finds the name taken
		t.Errorf("%d clones were asked for", n)
	}
}

func TestTemplate_ConversionInterruptedAnywhereIsFoundAgain(t *testing.T) {
	folder := func(t *testing.T, c *Client, path string) types.ManagedObjectReference {
		t.Helper()
		ref, err := c.Resolve(t.Context(), KindFolder, path)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	for name, goal := range map[string]func(*testing.T, *Client, *head) templateGoal{
		"after the mark": func(_ *testing.T, _ *Client, h *head) templateGoal {
			return templateGoal{name: h.name, folder: h.folder}
		},
		"after the move": func(t *testing.T, c *Client, h *head) templateGoal {
			t.Helper()
			return templateGoal{name: h.name, folder: folder(t, c, "/DC0/vm/templates")}
		},
		"after the name": func(t *testing.T, c *Client, _ *head) templateGoal {
			t.Helper()
			return templateGoal{name: "golden-1", folder: folder(t, c, "/DC0/vm/templates")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, c := newTemplates(t)
			spec := byConvert()
			before, err := c.findHead(t.Context(), golden)
			if err != nil {
				t.Fatal(err)
			}
			part := goal(t, c, before)
			part.mark = templateMark{At: time.Now(), Key: templateKey(spec), Name: before.name, Folder: before.folder.Value, Pool: before.pool.String()}
			if err := c.reconcile(t.Context(), before, part); err != nil {
				t.Fatal(err)
			}
			got, err := c.CreateTemplate(t.Context(), spec, nil)
			wantTemplate(t, got, err)
			if name == "after the mark" { // and once more, when nobody heard that it was finished
				got, err = c.CreateTemplate(t.Context(), spec, nil)
				wantTemplate(t, got, err)
			}
			if got.Template.InstanceUUID != before.instanceUUID || got.SourceUUID != before.instanceUUID {
				t.Errorf("got %s of %s, want the VM itself, %s", got.Template.InstanceUUID, got.SourceUUID, before.instanceUUID)
			}
			if err := c.RevertTemplate(t.Context(), got.Template.Ref, "", ""); err != nil {
				t.Fatal(err)
			}
			after, err := c.readHead(t.Context(), before.ref)
			if err != nil {
				t.Fatal(err)
			}
			if after.template || after.path != golden || after.pool == nil || *after.pool != *before.pool {
				t.Errorf("got %+v, want the VM where it was", after)
			}
			if mark, err := c.readMark(t.Context(), before.ref); err != nil || mark.Key != "" {
				t.Errorf("got mark %v and %v, want none left", mark, err)
			}
		})
	}
}

func TestTemplate_ConvertedLongAgoIsSomebodys(t *testing.T) {
	v, c := newTemplates(t)
	before, err := c.findHead(t.Context(), golden)
	if err != nil {
		t.Fatal(err)
	}
	mark := templateMark{Key: templateKey(byConvert()), Name: before.name, Folder: before.folder.Value, At: time.Now().Add(-2 * adoptWithin)}
	if err := c.reconcile(t.Context(), before, templateGoal{name: before.name, folder: before.folder, mark: mark}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateTemplate(t.Context(), byConvert(), nil); err != nil { // unfinished: however old
		t.Fatal(err)
	}
	_, err = another(t, v).CreateTemplate(t.Context(), byConvert(), nil)
	wantKind(t, err, sdk.ErrConflict, "if it is yours, import it")
}

func TestTemplate_ConvertRevertConvertUsesTheSnapshotAgain(t *testing.T) {
	v, c := newTemplates(t)
	for range 2 {
		got, err := c.CreateTemplate(t.Context(), byConvert(), nil)
		wantTemplate(t, got, err)
		if err := c.RevertTemplate(t.Context(), got.Template.Ref, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := v.Calls()["CreateSnapshot_Task"]; n != 1 {
		t.Errorf("%d snapshots were taken, want 1", n)
	}
}

func TestTemplate_CallsOfACreate(t *testing.T) {
	v, c := newTemplates(t)
	spec := byClone()
	spec.ResourcePool, spec.Datastore = "/DC0/host/DC0_C0/Resources", "/DC0/datastore/LocalDS_0"
	before := v.Calls()
	got, err := c.CreateTemplate(t.Context(), spec, nil)
	wantTemplate(t, got, err)
	after := v.Calls()
	// Four look-ups and five reads, one of what the source's hardware is; a clone, the notes that the simulator's clone drops, a snapshot, the mark. The watcher of all
	// tasks is not counted: how many waits it makes depends on how updates fall together.
	for method, most := range map[string]int{
		"FindByInventoryPath": 4, "RetrievePropertiesEx": 5, "CloneVM_Task": 1, "ReconfigVM_Task": 1, "CreateSnapshot_Task": 1,
		"MarkAsTemplate": 1, "FindChild": 0, "Rename_Task": 0, "MoveIntoFolder_Task": 0,
	} {
		if n := after[method] - before[method]; n > most {
			t.Errorf("%s: %d calls, want at most %d", method, n, most)
		}
	}
	before = v.Calls()
	for range 5 {
		if _, err := c.ReadTemplate(t.Context(), got.Template.Ref, got.Template.InstanceUUID); err != nil {
			t.Fatal(err)
		}
	}
	if n := v.Calls()["RetrievePropertiesEx"] - before["RetrievePropertiesEx"]; n != 5 {
		t.Errorf("five reads one after the other made %d calls, want 5", n)
	}
}

func TestTemplate_Refusals(t *testing.T) {
	_, c := newTemplates(t)
	running, err := c.findHead(t.Context(), "DC0_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	refused := func(kind error, words string, change func(*TemplateSpec)) {
		t.Helper()
		spec := byConvert()
		change(&spec)
		_, err := c.CreateTemplate(t.Context(), spec, nil)
		wantKind(t, err, kind, words)
	}
	refused(sdk.ErrConflict, "shut it down first", func(s *TemplateSpec) { s.Source = running.path })
	refused(sdk.ErrConflict, "/DC0/vm/templates/old is there already", func(s *TemplateSpec) { s.Name = "old" })
	refused(sdk.ErrConflict, "/DC0/vm/templates/old exists", func(s *TemplateSpec) { s.Method, s.Name = TemplateByClone, "old" })
	refused(sdk.ErrNotFound, "no VM has that inventory path", func(s *TemplateSpec) { s.Source = "/DC0/vm/build/none" })
	refused(sdk.ErrNotFound, "find folder", func(s *TemplateSpec) { s.Folder = "/DC0/vm/none" })
	refused(sdk.ErrInvalid, "stays on its datastore", func(s *TemplateSpec) { s.Datastore = "LocalDS_0" })
	refused(sdk.ErrInvalid, "no source named", func(s *TemplateSpec) { s.Source = "" })
	refused(sdk.ErrInvalid, "has no name", func(s *TemplateSpec) { s.Name = "" })
	refused(sdk.ErrInvalid, "clone or convert", func(s *TemplateSpec) { s.Method = "copy" })

	if h, err := c.findHead(t.Context(), golden); err != nil || h.template || len(h.snapshots) != 0 {
		t.Errorf("a refusal changed the source: %+v %v", h, err)
	}
	if err := c.MarkAsTemplate(t.Context(), running.ref.Value); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("marking a running VM: got %v, want ErrConflict", err)
	}
	if err := c.DeleteTemplate(t.Context(), running.ref.Value); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("deleting a running VM: got %v, want ErrConflict", err)
	}
}

func TestTemplate_OfATemplateNeedsAPool(t *testing.T) {
	_, c := newTemplates(t)
	first, err := c.CreateTemplate(t.Context(), byClone(), nil)
	wantTemplate(t, first, err)
	spec := byClone()
	spec.Source, spec.Name = first.Template.Path, "golden-2"
	_, err = c.CreateTemplate(t.Context(), spec, nil)
	wantKind(t, err, sdk.ErrInvalid, "name a resource pool")
	spec.ResourcePool = "/DC0/host/DC0_C0"
	second, err := c.CreateTemplate(t.Context(), spec, nil)
	if err != nil || second.Template.Name != "golden-2" || second.SourceUUID != first.Template.InstanceUUID {
		t.Errorf("got %+v and %v, want golden-2 of golden-1", second, err)
	}
}

func TestTemplate_UpdateMarksAgainAndFollowsTheUUID(t *testing.T) {
	_, c := newTemplates(t)
	made, err := c.CreateTemplate(t.Context(), byClone(), nil)
	wantTemplate(t, made, err)
	ref := made.Template.Ref
	if err := c.MarkAsVM(t.Context(), ref, "/DC0/host/DC0_C0", ""); err != nil {
		t.Fatal(err)
	}
	if now, err := c.ReadTemplate(t.Context(), ref, made.Template.InstanceUUID); err != nil || now.Template {
		t.Errorf("got %+v and %v, want a VM", now, err)
	}
	if now, err := c.UpdateTemplate(t.Context(), ref, TemplateUpdate{}); err != nil || !now.Template {
		t.Errorf("got %+v and %v, want a template again", now, err)
	}
	if now, err := c.ReadTemplate(t.Context(), "vm-9999", made.Template.InstanceUUID); err != nil || now.Ref != ref {
		t.Errorf("got %+v and %v, want the template by its UUID", now, err)
	}
	for range 2 { // the second time it is gone, which is fine
		if err := c.DeleteTemplate(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.ReadTemplate(t.Context(), ref, made.Template.InstanceUUID); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if err := c.RevertTemplate(t.Context(), ref, "", ""); err != nil {
		t.Errorf("turning back what is gone: %v, want nothing", err)
	}
}
