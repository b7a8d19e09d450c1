package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	snapshotBefore = "hypersdk_snapshot.before"

	snapshotBlock = `
resource "hypersdk_snapshot" "before" {
  vm          = "/DC0/vm/DC0_C0_RP0_VM0"
  name        = "before-upgrade"
  description = "all is well"
  # more
}
`
)

func TestSnapshot_IsTakenChangedAndRemoved(t *testing.T) {
	b := newTemplateBench(t)
	var id string
	b.run(
		resource.TestStep{
			Config:           b.config(snapshotBlock),
			ConfigPlanChecks: actionOf(snapshotBefore, plancheck.ResourceActionCreate),
			ConfigStateChecks: []statecheck.StateCheck{
				stateOf(snapshotBefore, "path", word("before-upgrade")), stateOf(snapshotBefore, "current", knownvalue.Bool(true)),
				stateOf(snapshotBefore, "parent", knownvalue.Null()), stateOf(snapshotBefore, "memory", knownvalue.Bool(false)),
				stateOf(snapshotBefore, "vm_id", word(b.get(runningPath).InstanceUUID)), stateOf(snapshotBefore, "created", knownvalue.NotNull()),
			},
			Check: afterwards(func() { id = b.snapshots(runningPath)[0].Ref }),
		},
		resource.TestStep{ // renamed and described anew, the same snapshot
			Config:            b.config(snapshotBlock, "before-upgrade", "before", "all is well", "all was well", "# more", "remove_children = true"),
			ConfigPlanChecks:  actionOf(snapshotBefore, plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{stateOf(snapshotBefore, "path", word("before")), stateOf(snapshotBefore, "id", knownvalue.NotNull())},
			Check: afterwards(func() {
				if got := b.snapshots(runningPath)[0]; got.Ref != id || got.Name != "before" || got.Description != "all was well" {
					t.Errorf("got %+v, want %s renamed and described", got, id)
				}
			}),
		},
		resource.TestStep{ // a description that is left out is not managed
			Config:           b.config(snapshotBlock, "before-upgrade", "before", `description = "all is well"`, "", "# more", "remove_children = true"),
			ConfigPlanChecks: actionOf(snapshotBefore, plancheck.ResourceActionNoop),
		},
		resource.TestStep{ // the same VM by another word
			Config: b.config(snapshotBlock, "before-upgrade", "before", `description = "all is well"`, "", "# more", "remove_children = true",
				runningPath, b.get(runningPath).InstanceUUID),
			ConfigPlanChecks: actionOf(snapshotBefore, plancheck.ResourceActionUpdate),
		},
		resource.TestStep{ // renamed behind our back, and one more on top
			PreConfig: func() {
				name := "renamed"
				b.must(b.c.UpdateSnapshot(t.Context(), runningPath, id, vsphere.SnapshotUpdate{Name: &name}))
				b.take(runningPath, "on-top")
			},
			Config: b.config(snapshotBlock, "before-upgrade", "before", `description = "all is well"`, "", "# more", "remove_children = true",
				runningPath, b.get(runningPath).InstanceUUID),
			ConfigPlanChecks:  actionOf(snapshotBefore, plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{stateOf(snapshotBefore, "current", knownvalue.Bool(false)), stateOf(snapshotBefore, "name", word("before"))},
		},
	)
	if got := b.snapshots(runningPath); len(got) != 0 {
		t.Errorf("destroy with remove_children left %v", got)
	}
}

func TestSnapshot_ChildrenStay(t *testing.T) {
	b := newTemplateBench(t)
	b.run(
		resource.TestStep{Config: b.config(snapshotBlock), Check: afterwards(func() { b.take(runningPath, "child") })},
	)
	if got := b.snapshots(runningPath); len(got) != 1 || got[0].Path != "child" || !got[0].Current {
		t.Errorf("got %+v, want the child as the root", got)
	}
}

func TestSnapshot_ChainOfTwo(t *testing.T) {
	b := newTemplateBench(t)
	chain := snapshotBlock + `
resource "hypersdk_snapshot" "second" {
  vm     = hypersdk_snapshot.before.vm_moid
  name   = "second"
  memory = true
}
`
	b.run(
		resource.TestStep{
			Config: b.config(chain),
			ConfigStateChecks: []statecheck.StateCheck{
				stateOf("hypersdk_snapshot.second", "path", word("before-upgrade/second")), stateOf("hypersdk_snapshot.second", "memory", knownvalue.Bool(true)),
				stateOf("hypersdk_snapshot.second", "parent", knownvalue.NotNull()), stateOf("hypersdk_snapshot.second", "current", knownvalue.Bool(true)),
			},
		},
		resource.TestStep{Config: b.config(chain), ConfigPlanChecks: actionOf("hypersdk_snapshot.second", plancheck.ResourceActionNoop)},
	)
	if got := b.snapshots(runningPath); len(got) != 0 {
		t.Errorf("destroy left %v", got)
	}
}

func TestSnapshot_WhatReplaces(t *testing.T) {
	b := newTemplateBench(t)
	replaced := actionOf(snapshotBefore, plancheck.ResourceActionDestroyBeforeCreate)
	b.run(
		resource.TestStep{Config: b.config(snapshotBlock)},
		resource.TestStep{Config: b.config(snapshotBlock, "# more", "memory = true"), ConfigPlanChecks: replaced},
		resource.TestStep{Config: b.config(snapshotBlock, "# more", "memory = true", runningPath, builtPath), ConfigPlanChecks: replaced},
		resource.TestStep{
			Config: b.config(snapshotBlock, "# more", "memory = true", runningPath, builtPath),
			Taint:  []string{snapshotBefore}, ConfigPlanChecks: replaced,
		},
		resource.TestStep{ // removed behind our back
			PreConfig: func() {
				s := b.snapshots(builtPath)[0]
				_, err := b.c.RemoveSnapshot(t.Context(), b.get(builtPath).Ref, s.Ref, false, nil)
				b.must(err)
			},
			Config:           b.config(snapshotBlock, "# more", "memory = true", runningPath, builtPath),
			ConfigPlanChecks: actionOf(snapshotBefore, plancheck.ResourceActionCreate),
		},
		resource.TestStep{ // words that name nothing are no reason to throw a snapshot away
			Config:      b.config(snapshotBlock, "# more", "memory = true", runningPath, "/DC0/vm/none"),
			ExpectError: fails("", "Cannot find the VM").ExpectError,
		},
	)
	if got := b.snapshots(runningPath); len(got) != 0 {
		t.Errorf("the replaced one is left: %v", got)
	}
}

func TestSnapshot_ItsVMDeleted(t *testing.T) {
	b := newTemplateBench(t)
	config := b.config(snapshotBlock, runningPath, builtPath)
	b.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig:          func() { b.must(b.c.DeleteTemplate(t.Context(), b.get(builtPath).Ref)) },
			Config:             config,
			PlanOnly:           true,
			ExpectNonEmptyPlan: true,
		},
	)
}

func TestSnapshot_Refusals(t *testing.T) {
	b := newTemplateBench(t)
	b.take(runningPath, "before-upgrade")
	b.must(b.c.MarkAsTemplate(t.Context(), b.get("/DC0/vm/templates/old").Ref))
	b.run(
		fails(b.config(snapshotBlock), "import it as "+runningPath+"#snapshot-"),
		fails(b.config(snapshotBlock, "# more", "memory = true\nquiesce = true"), "Memory and quiesce exclude each other"),
		fails(b.config(snapshotBlock, "before-upgrade", "x", "# more", "quiesce = true"), "without quiesce"),
		fails(b.config(snapshotBlock, runningPath, "/DC0/vm/templates/old"), "a template takes no snapshot"),
		fails(b.config(snapshotBlock, runningPath, "/DC0/vm/none"), "no VM has that inventory path"),
		fails(b.config(snapshotBlock, "before-upgrade", ""), "string length must be between 1 and 80"),
		fails(b.config(snapshotBlock, "all is well", ""), "string length must be at least 1"),
	)
}

func TestSnapshot_ImportThenNothingToDo(t *testing.T) {
	b := newTemplateBench(t)
	root := b.take(runningPath, "before-upgrade")
	const imported = `
resource "hypersdk_snapshot" "before" {
  vm   = "/DC0/vm/DC0_C0_RP0_VM0"
  name = "before-upgrade"
}
`
	vm := b.get(runningPath)
	var steps []resource.TestStep
	for i, id := range []string{
		runningPath + "#before-upgrade", vm.Ref + "#" + root.Ref, vm.InstanceUUID + "#/before-upgrade", "DC0_C0_RP0_VM0#before-upgrade", root.Ref,
	} {
		steps = append(steps, resource.TestStep{
			Config: b.config(imported), ResourceName: snapshotBefore, ImportState: true, ImportStateId: id, ImportStatePersist: i == 0,
			ImportStateCheck: func(states []*terraform.InstanceState) error {
				if len(states) != 1 || states[0].ID != root.Ref || states[0].Attributes["vm"] != runningPath {
					return fmt.Errorf("%s: imported %v", id, states)
				}
				return nil
			},
		})
	}
	steps = append(steps, resource.TestStep{Config: b.config(imported), ConfigPlanChecks: actionOf(snapshotBefore, plancheck.ResourceActionNoop)})
	b.run(steps...)
	if got := b.snapshots(runningPath); len(got) != 0 {
		t.Errorf("destroy left %v", got)
	}
}

func TestSnapshot_ImportRefusals(t *testing.T) {
	b := newTemplateBench(t)
	refused := func(id, words string) resource.TestStep {
		return resource.TestStep{
			Config: b.config(snapshotBlock), ResourceName: snapshotBefore, ImportState: true, ImportStateId: id, ExpectError: fails("", words).ExpectError,
		}
	}
	b.run(
		refused("before-upgrade", "write the VM, a # and the snapshot"),
		refused(builtPath+"#none", "no snapshot has that name"),
		refused("/DC0/vm/none#twin", "no VM has that inventory path"),
		refused("snapshot-99999", "does not exist"),
	)
}

func TestSnapshot_CallsOfARefresh(t *testing.T) {
	b := newTemplateBench(t)
	many := b.config(`
resource "hypersdk_snapshot" "before" {
  count = 10
  vm    = "/DC0/vm/DC0_C0_RP0_VM0"
  name  = "before-${count.index}"
}
`)
	var start map[string]int
	b.run(
		resource.TestStep{Config: many},
		resource.TestStep{PreConfig: func() { start = b.vc.Calls() }, Config: many, PlanOnly: true},
		resource.TestStep{
			PreConfig: func() {
				now := b.vc.Calls()
				if n := now["RetrievePropertiesEx"] - start["RetrievePropertiesEx"]; n > 12 {
					t.Errorf("%d reads for the refreshes of ten snapshots", n)
				}
				if n := now["FindByInventoryPath"] - start["FindByInventoryPath"]; n > 4 {
					t.Errorf("%d look-ups for the refreshes of ten snapshots", n)
				}
				if n := now["CreateSnapshot_Task"]; n != 10 {
					t.Errorf("%d snapshots taken, want 10", n)
				}
			},
			Config: many,
		},
	)
}
