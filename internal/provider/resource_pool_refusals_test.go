package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	fwtypes "github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestResourcePool_RefusedShapes(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	var steps []resource.TestStep
	for _, tc := range []struct{ lines, words string }{
		{`name = ""`, "A pool needs a name"},
		{`name = "   "`, "A pool needs a name"},
		{`name = "` + strings.Repeat("x", 81) + `"`, "The name is too long"},
		{`name = "a%2fb"`, `Write the name as it reads: "a/b"`},
		{named + "\n" + `parent = ""`, "parent string length must be at least 1"},
		{named + "\n" + `cpu = { reservation = -1 }`, "cpu.reservation value must be at least 0"},
		{named + "\n" + `memory = { limit = -2 }`, "memory.limit value must be at least -1"},
		{named + "\n" + `cpu = { reservation = 500, limit = 400 }`, "The limit is below the reservation"},
		{named + "\n" + `memory = { reservation = 500, limit = 400 }`, "limited to 400 MB cannot have 500 MB reserved"},
		{named + "\n" + `cpu = { shares = "huge" }`, "cpu.shares value must be one of"},
		{named + "\n" + `cpu = { shares = "custom" }`, "Custom shares without a count"},
		{named + "\n" + `cpu = { shares = "low", share_count = 5 }`, "A share count without custom shares"},
		{named + "\n" + `cpu = { share_count = 5 }`, "A share count without custom shares"},
		{named + "\n" + `memory = { shares = "custom", share_count = 0 }`, "share_count value must be between 1 and"},
		{named + "\n" + `scale_descendants_shares = "on"`, "scale_descendants_shares value must be one of"},
		{named + "\n" + `on_destroy = "delete"`, "on_destroy value must be one of"},
	} {
		step := fails(b.pool(tc.lines), tc.words)
		step.PlanOnly = true
		steps = append(steps, step)
	}
	before := b.vc.Calls()
	b.run(steps...)
	if after := b.vc.Calls(); after["Login"] != before["Login"] {
		t.Errorf("%d logins for configurations that cannot be", after["Login"]-before["Login"])
	}
}

func TestAllocationRules_Warn(t *testing.T) {
	for want, m := range map[string]allocationModel{
		"A limit of 0 is a limit of nothing": {Limit: fwtypes.Int64Value(0)},
		"No VM in the pool can power on":     {Expandable: fwtypes.BoolValue(false)},
		"":                                   {Expandable: fwtypes.BoolValue(false), Reservation: fwtypes.Int64Value(10), Limit: fwtypes.Int64Value(20)},
	} {
		object, d := fwtypes.ObjectValueFrom(t.Context(), allocationTypes(), m)
		var resp validator.ObjectResponse
		allocationRules{what: "CPU", unit: "MHz"}.ValidateObject(t.Context(), validator.ObjectRequest{Path: path.Root("cpu"), ConfigValue: object}, &resp)
		if d.HasError() || resp.Diagnostics.HasError() {
			t.Errorf("%+v: %v %v", m, d, resp.Diagnostics)
		}
		var got string
		for _, d := range resp.Diagnostics.Warnings() {
			got += d.Summary()
		}
		if got != want {
			t.Errorf("%+v: got warning %q, want %q", m, got, want)
		}
	}
}

func TestResourcePool_RefusedByVCenter(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	taken := b.create(vsphere.ResourcePoolSpec{Name: "taken", Parent: poolCluster})
	small := b.create(vsphere.ResourcePoolSpec{Name: "small", Parent: poolCluster, CPUReservationMHz: 100, CPUExpandable: types.NewBool(false)})
	b.create(vsphere.ResourcePoolSpec{Name: "sibling", Parent: small.Path, CPUReservationMHz: 60})
	inSmall := `parent = "` + small.Path + `"`
	b.run(
		fails(b.pool(`name = "taken"`, inRoot), "choose another name, or take the pool that is there over (import it)"),
		fails(b.pool(named, inSmall, `cpu = { reservation = 41 }`), "41 MHz of CPU are asked for and 40 MHz are unreserved"),
		resource.TestStep{Config: b.pool(named, inSmall, `cpu = { reservation = 40 }`)},
		fails(b.pool(`name = "taken"`, inRoot, `cpu = { reservation = 40 }`), `the name "taken" is taken`),
		fails(b.pool(named, inSmall, `cpu = { reservation = 42 }`), "42 MHz of CPU are asked for and 40 MHz are unreserved"),
		resource.TestStep{Config: b.pool(named, `parent = "`+taken.Ref+`"`, `cpu = { reservation = 101 }`)}, // moved first, then raised
		resource.TestStep{ // moved and lowered: the other way round
			Config: b.pool(named, inSmall, `cpu = {}`),
			Check:  b.has(small.Path+"/prod", vsphere.Allocation{Limit: -1, Expandable: true, Shares: "normal", ShareCount: 4000}, b.get(taken.Ref).Memory()),
		},
	)
}

// What no apply could bring about is refused in the plan. A parent counts as what the same plan makes of it.
func TestResourcePool_CapacityIsPlanned(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.create(vsphere.ResourcePoolSpec{
		Name: "small", Parent: poolCluster, CPUReservationMHz: 100, CPUExpandable: types.NewBool(false), MemoryLimitMB: types.NewInt64(64),
	})
	b.create(vsphere.ResourcePoolSpec{Name: "open", Parent: poolRoot + "/small"})
	inOpen := `parent = "` + poolRoot + `/small/open"` // which gives what small gives
	family := func(parent, child int) string {
		return b.provider() + poolBlock("parent", `name = "parent"`, inRoot, fmt.Sprintf(`cpu = { reservation = %d, expandable = false }`, parent)) +
			poolBlock("p", named, `parent = hypersdk_resource_pool.parent.id`, fmt.Sprintf(`cpu = { reservation = %d }`, child))
	}
	refused := func(config, words string) resource.TestStep {
		step := fails(config, words)
		step.PlanOnly = true
		return step
	}
	b.run(
		refused(b.pool(named, inRoot, `cpu = { reservation = 99999999 }`), "A reservation of 99999999 MHz of CPU is asked for, and "+poolCluster+" has"),
		refused(b.pool(named, inRoot, `memory = { reservation = 99999999 }`), "MB in all"),
		refused(b.pool(named, inOpen, `cpu = { reservation = 101 }`), poolRoot+"/small has 100 MHz reserved and does not expand"),
		refused(b.pool(named, inOpen, `memory = { reservation = 65 }`), poolRoot+"/small is limited to 64 MB"),
		resource.TestStep{Config: family(50, 40)},
		refused(family(50, 51), poolRoot+"/parent has 50 MHz reserved and does not expand"),
		resource.TestStep{Config: family(80, 70)}, // both at once, the parent first
		refused(family(60, 70), poolRoot+"/parent has 60 MHz reserved and does not expand"),
	)
}

func TestResourcePool_DestroyRefusesWhatHoldsSomething(t *testing.T) {
	b := newPoolBench(t, demo.Options{Guests: []demo.Guest{{Path: guestPath}}})
	config := b.pool(named, inRoot)
	b.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				b.create(vsphere.ResourcePoolSpec{Name: "child", Parent: poolRoot + "/prod"})
				b.moveVM(guestPath, poolRoot+"/prod")
			},
			Config: config, Destroy: true, ExpectError: fails("", "it holds the VM web-01 and the pool child").ExpectError,
		},
		resource.TestStep{Config: b.pool(named, inRoot, `on_destroy = "move_children"`)},
		resource.TestStep{Config: b.pool(named, inRoot, `on_destroy = "move_children"`), Destroy: true},
	)
	if _, err := b.c.GetResourcePool(t.Context(), poolRoot+"/child"); err != nil {
		t.Errorf("the child pool did not move to the parent: %v", err)
	}
	pools, err := b.c.ListResourcePools(t.Context(), poolRoot)
	if err != nil || len(pools) != 1 || *pools[0].VMs != 3 {
		t.Errorf("got %+v %v, want the root pool with all 3 VMs", pools, err)
	}
}
