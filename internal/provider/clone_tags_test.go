package provider

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/vmware/govmomi"
	govobject "github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
)

// govmomi is a plain client, for what the SDK has no verb for.
func (b *cloneBench) govmomi() *govmomi.Client {
	b.t.Helper()
	u, err := url.Parse(b.vc.URL())
	if err != nil {
		b.t.Fatal(err)
	}
	u.User = url.UserPassword(b.vc.Username(), b.vc.Password())
	client, err := govmomi.NewClient(b.t.Context(), u, true)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = client.Logout(context.WithoutCancel(b.t.Context())) })
	return client
}

// defineLabels makes the tags env/prod and env/dev and the custom attribute owner.
func (b *cloneBench) defineLabels() {
	b.t.Helper()
	client := b.govmomi()
	fields, err := govobject.GetCustomFieldsManager(client.Client)
	if err == nil {
		_, err = fields.Add(b.t.Context(), "owner", "VirtualMachine", nil, nil)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	service := rest.NewClient(client.Client)
	if err := service.Login(b.t.Context(), url.UserPassword(b.vc.Username(), b.vc.Password())); err != nil {
		b.t.Fatal(err)
	}
	manager := tags.NewManager(service)
	category, err := manager.CreateCategory(b.t.Context(), &tags.Category{Name: "env", Cardinality: "MULTIPLE"})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range []string{"prod", "dev"} {
		if _, err := manager.CreateTag(b.t.Context(), &tags.Tag{Name: name, CategoryID: category}); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := service.Logout(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

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
	b.defineLabels()
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
	b.defineLabels()
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
