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
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	govobject "github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// defineLabels makes the tags env/prod and env/dev and custom attributes of a kind of object.
func (b *sim) defineLabels(kind string, attributes ...string) {
	b.t.Helper()
	client := b.govmomiClient()
	defer client.Logout(b.t.Context()) //nolint:errcheck // the test's end would show a session that is left
	fields, err := govobject.GetCustomFieldsManager(client.Client)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range attributes {
		if _, err := fields.Add(b.t.Context(), name, kind, nil, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	service := rest.NewClient(client.Client)
	if err := service.Login(b.t.Context(), url.UserPassword(b.vc.Username(), b.vc.Password())); err != nil {
		b.t.Fatal(err)
	}
	defer service.Logout(context.WithoutCancel(b.t.Context())) //nolint:errcheck // as above
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
}

// labelled checks what the pool carries at vCenter.
func (b *poolBench) labelled(tags []string, attributes map[string]string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		pool, err := b.c.GetResourcePool(b.t.Context(), poolRoot+"/prod")
		if err != nil {
			return err
		}
		attached, err := b.c.AttachedTags(b.t.Context(), pool.Reference())
		if err != nil {
			return err
		}
		names := []string{}
		for _, tag := range attached[pool.Reference()] {
			names = append(names, tag.String())
		}
		values, err := b.c.CustomAttributes(b.t.Context(), pool.Reference())
		if err != nil {
			return err
		}
		if !slices.Equal(names, tags) || !maps.Equal(values, attributes) {
			return fmt.Errorf("the pool carries %v and %v, want %v and %v", names, values, tags, attributes)
		}
		return nil
	}
}

func restCalls(calls map[string]int) (n int) {
	for method, count := range calls {
		if strings.HasPrefix(method, "REST ") {
			n += count
		}
	}
	return n
}

func TestResourcePool_TagsAndCustomAttributes(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.defineLabels("ResourcePool", "owner", "cost")
	both := b.pool(named, inRoot, `tags = ["env/prod", "dev"]`, `custom_attributes = { owner = "ops", cost = "42" }`)
	one := b.pool(named, inRoot, `tags = ["env/prod"]`, `custom_attributes = { owner = "ops" }`)
	b.run(
		fails(b.pool(named, inRoot, `tags = ["env/none"]`), "A tag cannot be found"),
		resource.TestStep{Config: both, Check: b.labelled([]string{"env/dev", "env/prod"}, map[string]string{"owner": "ops", "cost": "42"})},
		resource.TestStep{ // a tag is detached and a value changed by others
			PreConfig: func() {
				pool := b.get(poolRoot + "/prod").Reference()
				if err := b.c.SetTags(t.Context(), pool, nil, []string{"env/dev"}); err != nil {
					t.Fatal(err)
				}
				if err := b.c.SetCustomAttributes(t.Context(), pool, "resource pool", map[string]string{"owner": "somebody"}, []string{"cost"}); err != nil {
					t.Fatal(err)
				}
			},
			Config: both, ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate),
			Check: b.labelled([]string{"env/dev", "env/prod"}, map[string]string{"owner": "ops", "cost": "42"}),
		},
		resource.TestStep{
			Config: one, ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate),
			Check: b.labelled([]string{"env/prod"}, map[string]string{"owner": "ops"}),
		},
		resource.TestStep{ // what others add is theirs
			PreConfig: func() {
				pool := b.get(poolRoot + "/prod").Reference()
				if err := b.c.SetTags(t.Context(), pool, []string{"env/dev"}, nil); err != nil {
					t.Fatal(err)
				}
				if err := b.c.SetCustomAttributes(t.Context(), pool, "resource pool", map[string]string{"cost": "7"}, nil); err != nil {
					t.Fatal(err)
				}
			},
			Config: one, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		},
		fails(b.pool(named, inRoot, `custom_attributes = { ownr = "x" }`), `no custom attribute "ownr"`),
		resource.TestStep{
			Config:            b.pool(named, inRoot),
			ConfigStateChecks: []statecheck.StateCheck{poolState(knownvalue.Null(), "tags"), poolState(knownvalue.Null(), "custom_attributes")},
			Check:             b.labelled([]string{"env/dev", "env/prod"}, map[string]string{"owner": "ops", "cost": "7"}),
		},
	)
}

func TestResourcePool_WithoutTagsTheTagServiceIsNotAsked(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.run(resource.TestStep{Config: b.pool(named, inRoot)}, resource.TestStep{Config: b.pool(named, inRoot, sized)})
	if n := restCalls(b.vc.Calls()); n != 0 {
		t.Errorf("%d calls of the REST service without a tag", n)
	}
}
