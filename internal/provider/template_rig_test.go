package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// The stock inventory: two VMs that run, in the cluster's root pool, and what the tests add as guests, which are off.
const (
	builtPath    = "/DC0/vm/build/golden"
	vmFolderPath = "/DC0/vm"
	poolPath     = "/DC0/host/DC0_C0/Resources"
	runningPath  = "/DC0/vm/DC0_C0_RP0_VM0"
)

// templateBench is a simulated vCenter with a VM that is off, and folders.
type templateBench struct{ *sim }

func newTemplateBench(t *testing.T) *templateBench {
	t.Helper()
	return newTemplateBenchWith(t, demo.Options{})
}

func newTemplateBenchWith(t *testing.T, opts demo.Options) *templateBench {
	t.Helper()
	opts.Hosts, opts.VMs = 1, 2
	opts.Guests = []demo.Guest{
		{Path: builtPath, Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Mixed), Format: "raw"}}},
		{Path: "/DC0/vm/templates/old", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Text), Format: "raw"}}},
	}
	return &templateBench{newSimWithAdmin(t, opts)}
}

// config is the provider and a resource; change replaces parts of the resource.
func (b *templateBench) config(block string, change ...string) string {
	return b.provider() + strings.NewReplacer(change...).Replace(block)
}

// get is what vCenter says of a VM or template now.
func (b *templateBench) get(ref string) *vsphere.Template {
	b.t.Helper()
	got, err := b.c.GetTemplate(b.t.Context(), ref)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *templateBench) snapshots(vm string) []vsphere.Snapshot {
	b.t.Helper()
	got, err := b.c.ListSnapshots(b.t.Context(), vm)
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Snapshots
}

// stateOf checks an attribute of a resource.
func stateOf(address, name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(name), value)
}

// actionOf checks what the plan does with a resource.
func actionOf(address string, action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

// afterwards turns a function that fails the test itself into one that terraform's test helper calls after an apply.
func afterwards(f func()) resource.TestCheckFunc {
	return func(*terraform.State) error {
		f()
		return nil
	}
}

// rename gives a VM another name. UpdateTemplate would mark it, so it is turned back.
func (b *templateBench) rename(ref, name string) {
	b.t.Helper()
	now, err := b.c.UpdateTemplate(b.t.Context(), b.get(ref).Ref, vsphere.TemplateUpdate{Name: &name})
	b.must(err)
	b.must(b.c.MarkAsVM(b.t.Context(), now.Ref, poolPath, ""))
}

func (b *templateBench) take(vm, name string) *vsphere.Snapshot {
	b.t.Helper()
	made, _, err := b.c.CreateSnapshot(b.t.Context(), vsphere.SnapshotSpec{VM: vm, Name: name}, nil)
	b.must(err)
	return made
}
