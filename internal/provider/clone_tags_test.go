package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// labelled checks what the clone carries at vCenter.
func (b *cloneBench) labelled(owner string, want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		ref := machineReference(b.vm(clonePath).Ref)
		attached, err := b.c.AttachedTags(b.t.Context(), ref)
		if err != nil {
			return err
		}
		var got []string
		for _, tag := range attached[ref] {
			got = append(got, tag.String())
		}
		has, err := b.c.CustomAttributes(b.t.Context(), ref)
		if err != nil {
			return err
		}
		if !slices.Equal(got, want) || has["owner"] != owner {
			return fmt.Errorf("tags %v, owner %q; want %v, %q", got, has["owner"], want, owner)
		}
		return nil
	}
}

func TestClone_TagsAndCustomAttributes(t *testing.T) {
	b := newCloneBench(t)
	b.defineLabels("VirtualMachine", "owner")
	labelled := b.config(`tags = ["env/prod"]`, `custom_attributes = { owner = "web" }`)
	b.run(
		resource.TestStep{Config: labelled, Check: b.labelled("web", "env/prod")},
		resource.TestStep{
			PreConfig: func() {
				ref := machineReference(b.vm(clonePath).Ref)
				if err := b.c.SetTags(t.Context(), ref, []string{"env/dev"}, []string{"env/prod"}); err != nil {
					t.Fatal(err)
				}
				if err := b.c.SetCustomAttributes(t.Context(), ref, "VM", map[string]string{"owner": "nobody"}, nil); err != nil {
					t.Fatal(err)
				}
			},
			Config: labelled, ConfigPlanChecks: plans(plancheck.ResourceActionUpdate), Check: b.labelled("web", "env/dev", "env/prod"),
		},
		resource.TestStep{ // what others attached stays
			Config: b.config(`tags = []`, `custom_attributes = {}`), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate), Check: b.labelled("", "env/dev"),
		},
		fails(b.config(`tags = ["env/none"]`), "A tag cannot be found"),
	)
}

func TestClone_WithoutTagsTheTagServiceIsNotAsked(t *testing.T) {
	b := newCloneBench(t)
	b.run(resource.TestStep{Config: b.config()})
	for name, n := range b.vc.Calls() {
		if strings.HasPrefix(name, "REST") && n > 0 {
			t.Errorf("%d calls %s, want none (%v)", n, name, slices.Sorted(maps.Keys(b.vc.Calls())))
		}
	}
}

// Tags that cannot be attached leave the VM as it is, untainted; the next apply attaches them.
func TestClone_FailedTagsKeepTheVM(t *testing.T) {
	b := newCloneBench(t)
	b.defineLabels("VirtualMachine", "owner")
	w := newWorkspace(t, b.config(`custom_attributes = { missing = "x" }`))
	w.terraform(0, "apply", "-auto-approve", "-input=false")
	taint, attributes := w.instance()
	if taint != "" || attributes["status"] != cloneIncomplete {
		t.Fatalf("taint %q, status %v", taint, attributes["status"])
	}
	w.configure(b.config(`custom_attributes = { owner = "web" }`))
	w.apply()
	if _, attributes := w.instance(); attributes["status"] != cloneSucceeded {
		t.Errorf("status %v, want %s", attributes["status"], cloneSucceeded)
	}
	if n := b.vc.Calls()["CloneVM_Task"]; n != 1 {
		t.Errorf("%d clones, want 1", n)
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}
