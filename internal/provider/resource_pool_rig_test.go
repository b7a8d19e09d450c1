package provider

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	govobject "github.com/vmware/govmomi/object"
	vim "github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	poolAddress = "hypersdk_resource_pool.p"
	poolCluster = "/DC0/host/DC0_C0"
	poolRoot    = poolCluster + "/Resources"
)

// poolBench is a simulated vCenter for the tests of pools.
type poolBench struct{ *sim }

func newPoolBench(t *testing.T, opts demo.Options) *poolBench {
	t.Helper()
	return &poolBench{newSimWithAdmin(t, opts)}
}

// pool is a provider and a pool with these lines.
func (b *poolBench) pool(lines ...string) string {
	return b.provider() + poolBlock("p", lines...)
}

func poolBlock(name string, lines ...string) string {
	return fmt.Sprintf("resource \"hypersdk_resource_pool\" %q {\n  %s\n}\n", name, strings.Join(lines, "\n  "))
}

const (
	named   = `name = "prod"`
	inRoot  = `parent = "` + poolCluster + `"`
	sized   = `cpu = { reservation = 200, limit = 800, shares = "high" }`
	memSize = `memory = { reservation = 100, expandable = false }`
)

func (b *poolBench) get(ref string) *vsphere.ResourcePool {
	b.t.Helper()
	pool, err := b.c.GetResourcePool(b.t.Context(), ref)
	if err != nil {
		b.t.Fatal(err)
	}
	return pool
}

func (b *poolBench) create(spec vsphere.ResourcePoolSpec) *vsphere.ResourcePool {
	b.t.Helper()
	pool, err := b.c.CreateResourcePool(b.t.Context(), spec)
	if err != nil {
		b.t.Fatal(err)
	}
	return pool
}

func (b *poolBench) change(ref string, spec vsphere.UpdateResourcePoolSpec) {
	b.t.Helper()
	if _, err := b.c.UpdateResourcePool(b.t.Context(), ref, spec); err != nil {
		b.t.Fatal(err)
	}
}

func (b *poolBench) delete(ref string) {
	b.t.Helper()
	if err := b.c.DeleteResourcePool(b.t.Context(), ref, vsphere.MoveChildren); err != nil {
		b.t.Fatal(err)
	}
}

// has checks the pool at vCenter.
func (b *poolBench) has(path string, cpu, memory vsphere.Allocation) resource.TestCheckFunc {
	return func(*terraform.State) error {
		pool, err := b.c.GetResourcePool(b.t.Context(), path)
		if err != nil {
			return err
		}
		if pool.CPU() != cpu || pool.Memory() != memory {
			return fmt.Errorf("the pool has CPU %+v and memory %+v, want %+v and %+v", pool.CPU(), pool.Memory(), cpu, memory)
		}
		return nil
	}
}

func poolState(value knownvalue.Check, at ...string) statecheck.StateCheck {
	where := tfjsonpath.New(at[0])
	for _, step := range at[1:] {
		where = where.AtMapKey(step)
	}
	return statecheck.ExpectKnownValue(poolAddress, where, value)
}

func poolAction(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(poolAddress, action)}}
}

// govmomiClient is a plain client, for what the SDK has no verb for.
func (b *sim) govmomiClient() *govmomi.Client {
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
	return client
}

func (b *poolBench) moveVM(vm, pool string) {
	b.t.Helper()
	client := b.govmomiClient()
	defer client.Logout(b.t.Context()) //nolint:errcheck // the test's end would show a session that is left
	finder := find.NewFinder(client.Client)
	machine, err := finder.VirtualMachine(b.t.Context(), vm)
	if err != nil {
		b.t.Fatal(err)
	}
	to := vim.ManagedObjectReference{Type: "ResourcePool", Value: b.get(pool).Ref}
	task, err := machine.Relocate(b.t.Context(), vim.VirtualMachineRelocateSpec{Pool: &to}, vim.VirtualMachineMovePriorityDefaultPriority)
	if err == nil {
		err = task.Wait(b.t.Context())
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// addCluster makes a second, empty cluster.
func (b *poolBench) addCluster(name string) {
	b.t.Helper()
	client := b.govmomiClient()
	defer client.Logout(b.t.Context()) //nolint:errcheck // as above
	folder, err := find.NewFinder(client.Client).Folder(b.t.Context(), "/DC0/host")
	if err == nil {
		_, err = govobject.NewFolder(client.Client, folder.Reference()).CreateCluster(b.t.Context(), name, vim.ClusterConfigSpecEx{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
