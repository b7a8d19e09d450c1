package provider

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestResourcePool_CreateAndEveryChangeInPlace(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	normalMemory := vsphere.Allocation{Limit: -1, Expandable: true, Shares: "normal", ShareCount: 163840}
	at := poolRoot + "/prod"
	var before map[string]int
	step := func(check resource.TestCheckFunc, lines ...string) resource.TestStep {
		return resource.TestStep{
			PreConfig:        func() { before = b.vc.Calls() },
			Config:           b.pool(lines...),
			ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate),
			Check: resource.ComposeTestCheckFunc(check, func(*terraform.State) error {
				if n := b.vc.Calls()["UpdateConfig"] - before["UpdateConfig"]; n != 1 {
					return fmt.Errorf("%d UpdateConfig calls, want 1", n)
				}
				return nil
			}),
		}
	}
	cpu := func(reservation, limit int64, expandable bool, shares string, count int32) vsphere.Allocation {
		return vsphere.Allocation{Reservation: reservation, Limit: limit, Expandable: expandable, Shares: shares, ShareCount: count}
	}
	b.run(
		resource.TestStep{
			Config:           b.pool(named, inRoot, sized),
			ConfigPlanChecks: poolAction(plancheck.ResourceActionCreate),
			ConfigStateChecks: []statecheck.StateCheck{
				poolState(word(at), "path"), poolState(word(poolCluster), "parent"), poolState(knownvalue.NotNull(), "parent_id"),
				poolState(knownvalue.StringRegexp(regexp.MustCompile("^resgroup-")), "id"), poolState(word("refuse"), "on_destroy"),
				poolState(knownvalue.Int64Exact(8000), "cpu", "share_count"), poolState(knownvalue.Bool(true), "cpu", "expandable"),
				poolState(word("normal"), "memory", "shares"), poolState(word("disabled"), "scale_descendants_shares"),
			},
			Check: b.has(at, cpu(200, 800, true, "high", 8000), normalMemory),
		},
		step(b.has(at, cpu(300, 800, true, "high", 8000), normalMemory), named, inRoot, `cpu = { reservation = 300, limit = 800, shares = "high" }`),
		step(b.has(at, cpu(300, -1, true, "high", 8000), normalMemory), named, inRoot, `cpu = { reservation = 300, shares = "high" }`),
		step(b.has(at, cpu(300, -1, false, "high", 8000), normalMemory), named, inRoot, `cpu = { reservation = 300, shares = "high", expandable = false }`),
		step(b.has(at, cpu(300, -1, false, "custom", 77), normalMemory), named, inRoot, `cpu = { reservation = 300, shares = "custom", share_count = 77, expandable = false }`),
		step(b.has(at, cpu(300, -1, false, "custom", 78), normalMemory), named, inRoot, `cpu = { reservation = 300, shares = "custom", share_count = 78, expandable = false }`),
		step(b.has(at, cpu(0, -1, true, "normal", 4000), normalMemory), named, inRoot, `cpu = {}`),
		step(b.has(at, cpu(0, -1, true, "normal", 4000), cpu(100, -1, false, "normal", 163840)), named, inRoot, `cpu = {}`, memSize),
		step(b.has(poolRoot+"/a%2fb 100%25", cpu(0, -1, true, "normal", 4000), cpu(100, -1, false, "normal", 163840)), `name = "a/b 100%"`, inRoot, `cpu = {}`, memSize),
		resource.TestStep{ // what is left out is no longer managed
			Config:           b.pool(`name = "a/b 100%"`, inRoot),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		},
		resource.TestStep{
			Config:            b.pool(`name = "a/b 100%"`, inRoot, `scale_descendants_shares = "scaleCpuAndMemoryShares"`, `on_destroy = "move_children"`, `timeouts = { read = "1m" }`),
			ConfigPlanChecks:  poolAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word("scaleCpuAndMemoryShares"), "scale_descendants_shares")},
		},
		resource.TestStep{
			Config:           b.pool(`name = "a/b 100%"`, inRoot, `on_destroy = "move_children"`),
			ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate), // timeouts go
			Check: func(*terraform.State) error {
				if got := b.get(poolRoot + "/a%2fb 100%25").ScaleDescendantsShares; got != vsphere.ScaleCPUAndMemory {
					return fmt.Errorf("scaling became %q when it was left out", got)
				}
				return nil
			},
		},
	)
	if _, err := b.c.GetResourcePool(t.Context(), poolRoot+"/a%2fb 100%25"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v after destroy, want ErrNotFound", err)
	}
}

func TestResourcePool_WithoutAParent(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.run(
		resource.TestStep{
			Config:            b.pool(named),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word(poolRoot), "parent"), poolState(word(poolRoot+"/prod"), "path")},
		},
		resource.TestStep{Config: b.pool(named, inRoot), ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate)}, // other words
		resource.TestStep{Config: b.pool(named, `parent = "`+b.get(poolCluster).Ref+`"`), Check: func(*terraform.State) error {
			if n := b.vc.Calls()["MoveIntoResourcePool"]; n != 0 {
				return fmt.Errorf("%d moves for other words of the same parent", n)
			}
			return nil
		}},
	)
}

func TestResourcePool_Moves(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	parents := poolBlock("a", `name = "a"`, inRoot) + poolBlock("b", `name = "b"`, inRoot)
	child := func(parent string) string { return b.provider() + parents + poolBlock("p", named, parent) }
	var id string
	b.run(
		resource.TestStep{
			Config:            child(`parent = hypersdk_resource_pool.a.path`),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word(poolRoot+"/a/prod"), "path")},
			Check: func(s *terraform.State) error {
				id = s.RootModule().Resources[poolAddress].Primary.ID
				return nil
			},
		},
		resource.TestStep{
			Config:            child(`parent = hypersdk_resource_pool.b.id`),
			ConfigPlanChecks:  poolAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word(poolRoot+"/b/prod"), "path")},
			Check: func(s *terraform.State) error {
				if got := s.RootModule().Resources[poolAddress].Primary.ID; got != id {
					return fmt.Errorf("the pool became %s from %s", got, id)
				}
				return nil
			},
		},
		resource.TestStep{ // somebody moves it away
			PreConfig:         func() { b.change(poolRoot+"/b/prod", vsphere.UpdateResourcePoolSpec{Parent: new(poolCluster)}) },
			Config:            child(`parent = hypersdk_resource_pool.b.id`),
			ConfigPlanChecks:  poolAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word(poolRoot+"/b/prod"), "path")},
		},
		resource.TestStep{ // the parent is renamed, and its path with it
			Config:            strings.ReplaceAll(child(`parent = hypersdk_resource_pool.b.path`), `name = "b"`, `name = "c"`),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word(poolRoot+"/c/prod"), "path")},
		},
		fails(child(`parent = "`+poolRoot+`/c/prod"`), "A pool cannot be its own parent"),
		fails(child(`parent = "/DC0/vm"`), "This cannot be the parent"),
		fails(child(`parent = "`+poolRoot+`/none"`), "no resource pool has that inventory path"),
		resource.TestStep{Config: strings.ReplaceAll(child(`parent = hypersdk_resource_pool.b.path`), `name = "b"`, `name = "c"`)},
	)
}

func TestResourcePool_DeletedOutOfBandAndTainted(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	config := b.pool(named, inRoot)
	b.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() { b.delete(poolRoot + "/prod") },
			Config:    config, ConfigPlanChecks: poolAction(plancheck.ResourceActionCreate),
		},
		resource.TestStep{
			Taint:  []string{poolAddress},
			Config: config, ConfigPlanChecks: poolAction(plancheck.ResourceActionDestroyBeforeCreate),
		},
	)
}

func TestResourcePool_UnmanagedDriftIsNoDifference(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.run(
		resource.TestStep{Config: b.pool(named)},
		resource.TestStep{
			PreConfig: func() {
				b.create(vsphere.ResourcePoolSpec{Name: "elsewhere", Parent: poolCluster})
				b.change(poolRoot+"/prod", vsphere.UpdateResourcePoolSpec{
					Parent: new(poolRoot + "/elsewhere"), CPULimitMHz: types.NewInt64(900), MemoryShares: new("low"), ScaleDescendantsShares: new(vsphere.ScaleCPUAndMemory),
				})
			},
			Config:            b.pool(named),
			ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			ConfigStateChecks: []statecheck.StateCheck{poolState(knownvalue.Int64Exact(900), "cpu", "limit"), poolState(word(poolRoot+"/elsewhere/prod"), "path")},
		},
	)
}

func TestResourcePool_ImportByPathAndMoref(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	pool := b.create(vsphere.ResourcePoolSpec{Name: "prod", Parent: poolCluster, CPUReservationMHz: 200, CPULimitMHz: types.NewInt64(800), CPUShares: "high"})
	config := b.pool(named, `parent = "`+poolRoot+`"`, sized)
	b.run(
		resource.TestStep{
			Config: config, ResourceName: poolAddress, ImportState: true, ImportStateId: pool.Path, ImportStatePersist: true,
		},
		resource.TestStep{
			Config:           config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		},
		resource.TestStep{
			ResourceName: poolAddress, ImportState: true, ImportStateId: pool.Ref, ImportStateVerify: true,
		},
		resource.TestStep{ResourceName: poolAddress, ImportState: true, ImportStateId: poolRoot + "/none", ExpectError: fails("", "Cannot find the resource pool").ExpectError},
		resource.TestStep{ResourceName: poolAddress, ImportState: true, ImportStateId: poolRoot, ExpectError: fails("", "A root pool cannot be managed").ExpectError},
	)
}

func TestResourcePool_ImportBlockThenNothingToDo(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	pool := b.create(vsphere.ResourcePoolSpec{Name: "prod", Parent: poolCluster, CPUReservationMHz: 200})
	importing := fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", poolAddress, pool.Ref)
	b.run(resource.TestStep{
		Config: b.pool(named) + importing,
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(poolAddress, plancheck.ResourceActionNoop),
		}},
		ConfigStateChecks: []statecheck.StateCheck{poolState(knownvalue.Int64Exact(200), "cpu", "reservation")},
	})
}

func TestResourcePool_AHundred(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	config := b.provider() + `
resource "hypersdk_resource_pool" "many" {
  count  = 100
  name   = "p${count.index}"
  parent = "` + poolCluster + `"
  cpu    = { limit = 100 + count.index }
}
`
	var before, created map[string]int
	count := func(after, before map[string]int) (n int) {
		for method, calls := range after {
			n += calls - before[method]
		}
		return n
	}
	b.run(
		resource.TestStep{
			PreConfig: func() { before = b.vc.Calls() },
			Config:    config,
			Check: func(*terraform.State) error {
				created = b.vc.Calls()
				if n := created["CreateResourcePool"] - before["CreateResourcePool"]; n != 100 {
					return fmt.Errorf("%d calls made 100 pools", n)
				}
				t.Logf("apply of 100 pools: %d calls", count(created, before))
				if n := count(created, before); n > 220 { // one each, its share of the reads, and a few to find the parent
					return fmt.Errorf("%d calls in all made 100 pools, want at most 220", n)
				}
				return nil
			},
		},
		resource.TestStep{
			PreConfig:    func() { before = b.vc.Calls() },
			RefreshState: true,
			Check: func(*terraform.State) error {
				after := b.vc.Calls()
				if n := count(after, before); n > 12 {
					return fmt.Errorf("%d calls refreshed 100 pools, want at most 12: %v before, %v after", n, before, after)
				}
				t.Logf("refresh of 100 pools: %d calls", count(after, before))
				before = after
				return nil
			},
		},
	)
	after := b.vc.Calls()
	if n := after["Destroy_Task"] - before["Destroy_Task"]; n != 100 {
		t.Errorf("%d calls deleted 100 pools", n)
	}
	t.Logf("destroy of 100 pools, with its refresh: %d calls", count(after, before))
}

// The example is applied as it stands, but for the names of datacenter and cluster.
func TestResourcePool_ExampleApplies(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	example, err := os.ReadFile("../../examples/resources/hypersdk_resource_pool/resource.tf")
	if err != nil {
		t.Fatal(err)
	}
	b.run(resource.TestStep{
		Config: b.provider() + strings.ReplaceAll(string(example), "/DC1/host/C1", poolCluster),
		Check: b.has(poolRoot+"/production",
			vsphere.Allocation{Reservation: 2000, Limit: 8000, Expandable: true, Shares: "high", ShareCount: 8000},
			vsphere.Allocation{Reservation: 4096, Limit: -1, Shares: "normal", ShareCount: 163840}),
	})
}

// terraform_data holds values that are not known before apply.
func TestResourcePool_ValuesKnownOnlyInApply(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	later := `
resource "terraform_data" "later" {
  input = { name = "prod", parent = "` + poolCluster + `", mhz = 300, memory = { reservation = 50, limit = 60, expandable = true, shares = "low", share_count = null } }
}
`
	config := b.provider() + later + poolBlock("p", `name = terraform_data.later.output.name`, `parent = terraform_data.later.output.parent`,
		`cpu = { reservation = terraform_data.later.output.mhz, limit = terraform_data.later.output.mhz + 100 }`, `memory = terraform_data.later.output.memory`)
	check := b.has(poolRoot+"/prod", vsphere.Allocation{Reservation: 300, Limit: 400, Expandable: true, Shares: "normal", ShareCount: 4000},
		vsphere.Allocation{Reservation: 50, Limit: 60, Expandable: true, Shares: "low", ShareCount: 81920})
	b.run(
		resource.TestStep{Config: config, Check: check},
		fails(strings.ReplaceAll(config, "mhz = 300", "mhz = -300"), "value must be at least 0"),
		resource.TestStep{
			Config: strings.ReplaceAll(config, "mhz = 300", "mhz = 200"), ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate),
			Check: func(*terraform.State) error {
				if got := b.get(poolRoot + "/prod").CPU(); got.Reservation != 200 || got.Limit != 300 {
					return fmt.Errorf("got %+v, want 200 to 300 MHz", got)
				}
				return nil
			},
		},
	)
}

func TestResourcePool_SecondCluster(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.addCluster("DC0_C1")
	second := `parent = "/DC0/host/DC0_C1"`
	b.run(
		fails(b.pool(named), "name a cluster, host or pool as the parent: /DC0/host/DC0_C0, /DC0/host/DC0_C1"),
		resource.TestStep{Config: b.pool(named, inRoot)},
		resource.TestStep{
			Config:            b.pool(named, second),
			ConfigPlanChecks:  poolAction(plancheck.ResourceActionDestroyBeforeCreate),
			ConfigStateChecks: []statecheck.StateCheck{poolState(word("/DC0/host/DC0_C1/Resources/prod"), "path")},
		},
	)
}

func TestResourcePool_SessionEndsBetweenCalls(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.run(
		resource.TestStep{Config: b.pool(named, inRoot)},
		resource.TestStep{
			PreConfig:        b.vc.EndSessions,
			Config:           b.pool(named, inRoot, sized),
			ConfigPlanChecks: poolAction(plancheck.ResourceActionUpdate),
		},
	)
}

func TestResourcePool_UnreachableIsNotGone(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	away := strings.NewReplacer(b.vc.URL(), "https://127.0.0.1:1/sdk").Replace(b.pool(named, inRoot))
	b.run(
		resource.TestStep{Config: b.pool(named, inRoot)},
		fails(away, "Cannot reach vCenter"),
		resource.TestStep{
			Config:           b.pool(named, inRoot),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		},
	)
}
