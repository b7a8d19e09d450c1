package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	goldenTemplate = "hypersdk_template.golden"

	cloneBlock = `
resource "hypersdk_template" "golden" {
  name     = "golden-1"
  source   = "/DC0/vm/build/golden"
  folder   = "/DC0/vm/templates"
  snapshot = "base"
  # more
}
`
	convertBlock = `
resource "hypersdk_template" "golden" {
  name     = "golden-1"
  source   = "/DC0/vm/build/golden"
  method   = "convert"
  folder   = "/DC0/vm/templates"
  snapshot = "base"
  # more
}
`
)

func TestTemplate_CloneIsMadeChangedInPlaceAndDeleted(t *testing.T) {
	b := newTemplateBench(t)
	var id string
	b.run(
		resource.TestStep{
			Config: b.config(cloneBlock),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(goldenTemplate, plancheck.ResourceActionCreate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				stateOf(goldenTemplate, "template", knownvalue.Bool(true)), stateOf(goldenTemplate, "method", word("clone")),
				stateOf(goldenTemplate, "path", word("/DC0/vm/templates/golden-1")), stateOf(goldenTemplate, "on_destroy", word("delete")),
				stateOf(goldenTemplate, "snapshot_id", knownvalue.NotNull()), stateOf(goldenTemplate, "source_id", word(b.get(builtPath).InstanceUUID)),
			},
			Check: afterwards(func() {
				made := b.get("/DC0/vm/templates/golden-1")
				if id = made.InstanceUUID; !made.Template || len(made.Snapshots) != 1 || made.Snapshots[0].Name != "base" {
					t.Errorf("got %+v, want a template with the snapshot base", made)
				}
				if source := b.get(builtPath); source.Template || len(source.Snapshots) != 0 {
					t.Errorf("the source became %+v", source)
				}
			}),
		},
		resource.TestStep{ // renamed, moved and annotated, the same template
			Config:           b.config(cloneBlock, "golden-1", "golden-2", "/DC0/vm/templates", "/DC0/vm", "# more", `annotation = "mine"`),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
			Check: afterwards(func() {
				if got := b.get("/DC0/vm/golden-2"); got.InstanceUUID != id || got.Annotation != "mine" || !got.Template {
					t.Errorf("got %+v, want the template %s renamed, moved and annotated", got, id)
				}
			}),
		},
		resource.TestStep{ // not managed any more: no difference
			Config:           b.config(cloneBlock, "golden-1", "golden-2", "/DC0/vm/templates", "/DC0/vm"),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionNoop),
		},
	)
	if _, err := b.c.GetTemplate(t.Context(), id); err == nil {
		t.Error("destroy left the template")
	}
}

func TestTemplate_ConvertsInPlaceAndGoesBack(t *testing.T) {
	b := newTemplateBench(t)
	was := b.get(builtPath)
	b.run(
		resource.TestStep{
			Config:           b.config(convertBlock),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionCreate),
			ConfigStateChecks: []statecheck.StateCheck{
				stateOf(goldenTemplate, "id", word(was.InstanceUUID)), stateOf(goldenTemplate, "moid", word(was.Ref)),
				stateOf(goldenTemplate, "source_id", word(was.InstanceUUID)), stateOf(goldenTemplate, "on_destroy", word("revert")),
			},
		},
		resource.TestStep{ // another name for it, then again the first: the source is long gone from its path, and nobody asks
			Config:           b.config(convertBlock, "golden-1", "golden-2"),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
		},
		resource.TestStep{ // the VM by another word is the same VM
			Config:           b.config(convertBlock, "golden-1", "golden-2", "/DC0/vm/build/golden", was.InstanceUUID),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
		},
	)
	now := b.get(builtPath)
	if now.InstanceUUID != was.InstanceUUID || now.Template {
		t.Errorf("got %+v, want the VM as it was", now)
	}
	vm, err := b.c.GetVM(t.Context(), builtPath)
	b.must(err)
	b.must(b.c.PowerOnVM(t.Context(), vm)) // it is whole, in a pool
}

func TestTemplate_DestroyPolicies(t *testing.T) {
	for name, tc := range map[string]struct {
		block, policy string
		left          string // what stays, and where
		template      bool
	}{
		"clone, keep":     {cloneBlock, "keep", "/DC0/vm/templates/golden-1", true},
		"convert, keep":   {convertBlock, "keep", "/DC0/vm/templates/golden-1", true},
		"convert, delete": {convertBlock, "delete", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTemplateBench(t)
			var id string
			b.run(
				resource.TestStep{Config: b.config(tc.block), Check: afterwards(func() { id = b.get("/DC0/vm/templates/golden-1").InstanceUUID })},
				resource.TestStep{
					Config:           b.config(tc.block, "# more", "on_destroy = "+strconv.Quote(tc.policy)),
					ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
				},
			)
			got, err := b.c.GetTemplate(t.Context(), id)
			if tc.left == "" {
				if !errors.Is(err, sdk.ErrNotFound) {
					t.Errorf("got %v and %v, want it gone", got, err)
				}
				return
			}
			b.must(err)
			if got.Path != tc.left || got.Template != tc.template {
				t.Errorf("got %+v, want %s left", got, tc.left)
			}
		})
	}
}

func TestTemplate_DriftIsPutRight(t *testing.T) {
	b := newTemplateBench(t)
	config := b.config(cloneBlock, "# more", `annotation = "mine"`)
	var made *vsphere.Template
	again := func(drift func(ref string)) resource.TestStep {
		return resource.TestStep{
			PreConfig:        func() { drift(made.Ref) },
			Config:           config,
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
			Check: afterwards(func() {
				if now := b.get(made.Ref); !now.Template || now.Path != made.Path || now.Annotation != "mine" {
					t.Errorf("got %+v, want the template as configured", now)
				}
			}),
		}
	}
	update := func(change vsphere.TemplateUpdate) func(string) {
		return func(ref string) {
			_, err := b.c.UpdateTemplate(t.Context(), ref, change)
			b.must(err)
		}
	}
	name, folder, notes := "renamed", vmFolderPath, "theirs"
	b.run(
		resource.TestStep{Config: config, Check: afterwards(func() { made = b.get("/DC0/vm/templates/golden-1") })},
		again(func(ref string) { b.must(b.c.MarkAsVM(t.Context(), ref, poolPath, "")) }),
		again(update(vsphere.TemplateUpdate{Name: &name})),
		again(update(vsphere.TemplateUpdate{Folder: &folder})),
		again(update(vsphere.TemplateUpdate{Annotation: &notes})),
		resource.TestStep{ // its snapshot removed: no linked clone can hang on it any more
			PreConfig: func() {
				b.must(b.c.MarkAsVM(t.Context(), made.Ref, poolPath, ""))
				_, err := b.c.RemoveSnapshot(t.Context(), made.Ref, made.Snapshots[0].Ref, false, nil)
				b.must(err)
				b.must(b.c.MarkAsTemplate(t.Context(), made.Ref))
			},
			Config:           config,
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionDestroyBeforeCreate),
			Check: afterwards(func() {
				if made = b.get("/DC0/vm/templates/golden-1"); len(made.Snapshots) != 1 {
					t.Errorf("got %+v, want a snapshot", made)
				}
			}),
		},
		resource.TestStep{ // deleted behind our back
			PreConfig:        func() { b.must(b.c.DeleteTemplate(t.Context(), made.Ref)) },
			Config:           config,
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionCreate),
			Check:            afterwards(func() { made = b.get("/DC0/vm/templates/golden-1") }),
		},
		resource.TestStep{ // turned into a VM that runs: nobody's VM is powered off for it
			PreConfig: func() {
				b.must(b.c.MarkAsVM(t.Context(), made.Ref, poolPath, ""))
				vm, err := b.c.GetVM(t.Context(), made.Ref)
				b.must(err)
				b.must(b.c.PowerOnVM(t.Context(), vm))
			},
			Config:      config,
			ExpectError: fails("", "shut it down first: a template is always off").ExpectError,
		},
		resource.TestStep{
			PreConfig: func() {
				_, _, err := b.c.CreateSnapshot(t.Context(), vsphere.SnapshotSpec{VM: made.Ref, Name: "off"}, nil)
				b.must(err)
				b.must(b.c.RevertSnapshot(t.Context(), vsphere.RevertSpec{VM: made.Ref, Snapshot: "off"}, nil))
			},
			Config:           config,
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
		},
	)
}

func TestTemplate_TaintMakesItAnew(t *testing.T) {
	for name, block := range map[string]string{"clone": cloneBlock, "convert": convertBlock} {
		t.Run(name, func(t *testing.T) {
			b := newTemplateBench(t)
			b.run(
				resource.TestStep{Config: b.config(block)},
				resource.TestStep{
					Taint: []string{goldenTemplate}, Config: b.config(block),
					ConfigPlanChecks:  actionOf(goldenTemplate, plancheck.ResourceActionDestroyBeforeCreate),
					ConfigStateChecks: []statecheck.StateCheck{stateOf(goldenTemplate, "template", knownvalue.Bool(true))},
				},
			)
			b.get(builtPath)
		})
	}
}

func TestTemplate_WhatReplaces(t *testing.T) {
	b := newTemplateBench(t)
	replaced := actionOf(goldenTemplate, plancheck.ResourceActionDestroyBeforeCreate)
	b.run(
		resource.TestStep{Config: b.config(cloneBlock)},
		resource.TestStep{Config: b.config(cloneBlock, "base", "other"), ConfigPlanChecks: replaced},
		resource.TestStep{Config: b.config(cloneBlock, "base", "other", "/DC0/vm/build/golden", "/DC0/vm/templates/old"), ConfigPlanChecks: replaced},
		resource.TestStep{ // the source goes, and another VM comes to stand behind the same words
			PreConfig:        func() { b.rename("/DC0/vm/templates/old", "elsewhere") },
			Config:           b.config(cloneBlock, "base", "other", "/DC0/vm/build/golden", "/DC0/vm/templates/old"),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionNoop),
		},
		resource.TestStep{ // what is left out is not managed any more
			Config:           b.config(cloneBlock, `snapshot = "base"`, "", "/DC0/vm/build/golden", "/DC0/vm/templates/old"),
			ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
		},
		fails(b.config(cloneBlock, `snapshot = "base"`, "", "/DC0/vm/build/golden", "/DC0/vm/none"), "Cannot find the source"),
	)
}

func TestTemplate_Refusals(t *testing.T) {
	b := newTemplateBench(t)
	b.run(
		fails(b.config(convertBlock, builtPath, runningPath), "shut it down first"),
		fails(b.config(convertBlock, "# more", `datastore = "LocalDS_0"`), "A conversion copies nothing"),
		fails(b.config(cloneBlock, "# more", `on_destroy = "revert"`), "A clone has nothing to go back to"),
		fails(b.config(cloneBlock, `source   = "/DC0/vm/build/golden"`, ""), "Which VM is it to be made of?"),
		fails(b.config(cloneBlock, builtPath, "/DC0/vm/build/none"), "no VM has that inventory path"),
		fails(b.config(cloneBlock, "golden-1", "old"), "/DC0/vm/templates/old exists"),
		fails(b.config(cloneBlock, "/DC0/vm/templates", "/DC0/vm/none"), "Cannot find the folder"),
		fails(b.config(cloneBlock, "# more", `method = "copy"`), `"clone" "convert"`),
		fails(b.config(cloneBlock, "# more", `resource_pool = "/DC0/vm/build"`), "Cannot find the resource pool"),
		fails(b.config(cloneBlock, "# more", `datastore = "nowhere"`), "Cannot find the datastore"),
		fails(b.config(cloneBlock, "# more", `host = "nowhere"`), "Cannot find the host"),
	)
	if n := b.vc.Calls()["MarkAsTemplate"]; n != 0 {
		t.Errorf("%d marks, want none", n)
	}
	if golden := b.get(builtPath); golden.Template || len(golden.Snapshots) != 0 || golden.Annotation != "" {
		t.Errorf("a refusal changed the source: %+v", golden)
	}
}

func TestTemplate_ImportThenNothingToDo(t *testing.T) {
	b := newTemplateBench(t)
	made, err := b.c.CreateTemplate(t.Context(), vsphere.TemplateSpec{
		Method: vsphere.TemplateByClone, Source: builtPath, Name: "golden-1", Folder: "/DC0/vm/templates", Snapshot: "base",
	}, nil)
	b.must(err)
	const imported = `
resource "hypersdk_template" "golden" {
  name       = "golden-1"
  folder     = "/DC0/vm/templates"
  on_destroy = "delete"
  # more
}
`
	var steps []resource.TestStep
	for i, id := range []string{made.Template.Path, made.Template.Ref, made.Template.InstanceUUID, "golden-1"} {
		steps = append(steps, resource.TestStep{
			Config: b.config(imported), ResourceName: goldenTemplate, ImportState: true, ImportStateId: id, ImportStatePersist: i == 0,
			ImportStateCheck: func(states []*terraform.InstanceState) error {
				if len(states) != 1 || states[0].ID != made.Template.InstanceUUID || states[0].Attributes["moid"] != made.Template.Ref {
					return fmt.Errorf("imported %v", states)
				}
				return nil
			},
		})
	}
	steps = append(steps,
		resource.TestStep{Config: b.config(imported), ConfigPlanChecks: actionOf(goldenTemplate, plancheck.ResourceActionNoop)},
		resource.TestStep{ // how it was made is not known, and saying so changes nothing but the state
			Config:            b.config(imported, "# more", "source = \""+builtPath+"\"\nmethod = \"convert\"\nsnapshot = \"base\""),
			ConfigPlanChecks:  actionOf(goldenTemplate, plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{stateOf(goldenTemplate, "snapshot_id", word(made.SnapshotID)), stateOf(goldenTemplate, "id", word(made.Template.InstanceUUID))},
		},
		fails(b.config(imported, "# more", `snapshot = "none"`), "a template takes no snapshot"),
	)
	b.run(steps...)
	if _, err := b.c.GetTemplate(t.Context(), made.Template.InstanceUUID); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want it deleted as on_destroy says", err)
	}
}

func TestTemplate_ImportRefusesAVM(t *testing.T) {
	b := newTemplateBench(t)
	refused := func(id, words string) resource.TestStep {
		return resource.TestStep{
			Config: b.config(cloneBlock), ResourceName: goldenTemplate, ImportState: true, ImportStateId: id, ExpectError: fails("", words).ExpectError,
		}
	}
	b.run(refused(builtPath, "create the resource with method = \"convert\""), refused("/DC0/vm/none", "no VM has that inventory path"))
}

func TestTemplate_UnknownUntilApplied(t *testing.T) {
	b := newTemplateBench(t)
	later := `
resource "terraform_data" "later" {
  input = { source = "/DC0/vm/build/golden", folder = "/DC0/vm/templates", method = "clone" }
}
` + strings.NewReplacer(`"/DC0/vm/build/golden"`, "terraform_data.later.output.source", `"/DC0/vm/templates"`, "terraform_data.later.output.folder",
		"# more", "method = terraform_data.later.output.method").Replace(cloneBlock)
	b.run(
		resource.TestStep{
			Config: b.config(later),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectUnknownValue(goldenTemplate, tfjsonpath.New("on_destroy")), plancheck.ExpectUnknownValue(goldenTemplate, tfjsonpath.New("folder")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{stateOf(goldenTemplate, "on_destroy", word("delete"))},
		},
	)
}

func TestTemplate_CallsOfARefresh(t *testing.T) {
	b := newTemplateBench(t)
	many := b.config(`
resource "hypersdk_template" "golden" {
  count  = 10
  name   = "golden-${count.index}"
  source = "/DC0/vm/build/golden"
  folder = "/DC0/vm/templates"
}
`)
	var start map[string]int
	b.run(
		resource.TestStep{Config: many},
		resource.TestStep{
			PreConfig: func() { start = b.vc.Calls() },
			Config:    many, PlanOnly: true,
		},
		resource.TestStep{
			PreConfig: func() {
				now := b.vc.Calls()
				if clones := now["CloneVM_Task"]; clones != 10 {
					t.Errorf("%d clones, want 10", clones)
				}
				// PlanOnly plans twice, refreshing each time: ten reads share calls, and the folder is found once a run.
				if n := now["RetrievePropertiesEx"] - start["RetrievePropertiesEx"]; n > 12 {
					t.Errorf("%d reads for the refreshes of ten templates", n)
				}
				if n := now["FindByInventoryPath"] - start["FindByInventoryPath"]; n > 4 {
					t.Errorf("%d look-ups for the refreshes of ten templates", n)
				}
				if now["FindByUuid"] != 0 || now["CreateContainerView"] != 0 {
					t.Errorf("the refresh searched: %v", now)
				}
			},
			Config: many,
		},
	)
}
