package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	cloneAddress = "hypersdk_clone.vm"
	clonePath    = "/DC0/vm/web-01"
	goldenPath   = "/DC0/vm/golden"
)

// cloneBench is a simulated vCenter with a VM to clone.
type cloneBench struct{ *sim }

// golden is a VM to clone: two CPUs, 1 GB of memory, a disk of 64 MB at scsi0:0 and an adapter on "VM Network".
func golden(t *testing.T) demo.Guest {
	t.Helper()
	return demo.Guest{
		Path: goldenPath, CPUs: 2, MemoryMB: 1024, Hostname: "golden", IPs: []string{"192.0.2.10"},
		Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Text), Format: "raw"}},
	}
}

// guestAt is a VM like golden in another place; the folders on the way are made.
func guestAt(t *testing.T, path string) demo.Guest {
	t.Helper()
	g := golden(t)
	g.Path = path
	return g
}

func newCloneBench(t *testing.T, guests ...demo.Guest) *cloneBench {
	t.Helper()
	return cloneBenchOf(t, demo.Options{Guests: append([]demo.Guest{golden(t)}, guests...)})
}

func cloneBenchOf(t *testing.T, opts demo.Options) *cloneBench {
	t.Helper()
	return &cloneBench{newSimWithAdmin(t, opts)}
}

// config is a provider block and a clone with more lines. The clone stays off unless a line says otherwise.
func (b *cloneBench) config(lines ...string) string {
	power := `power = "off"`
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "power ") {
			power = ""
		}
	}
	return b.provider() + fmt.Sprintf("resource \"hypersdk_clone\" \"vm\" {\n  name   = \"web-01\"\n  source = %q\n  %s\n  %s\n}\n",
		goldenPath, power, strings.Join(lines, "\n  "))
}

// vm is what vCenter has at the path.
func (b *cloneBench) vm(path string) *vsphere.VM {
	b.t.Helper()
	vm, err := b.c.GetVM(b.t.Context(), path)
	if err != nil {
		b.t.Fatal(err)
	}
	return vm
}

// change makes a change behind Terraform's back.
func (b *cloneBench) change(path string, spec vsphere.UpdateVMSpec) {
	b.t.Helper()
	if _, err := b.c.UpdateVM(b.t.Context(), b.vm(path), spec, nil); err != nil {
		b.t.Fatal(err)
	}
}

func (b *cloneBench) delete(path string) {
	b.t.Helper()
	if err := b.c.DeleteVM(b.t.Context(), b.vm(path), vsphere.PowerOffPolicy{Force: true}, nil); err != nil {
		b.t.Fatal(err)
	}
}

func cloneHas(name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(cloneAddress, tfjsonpath.New(name), value)
}

// plans is a step's check that its plan does this to the clone.
func plans(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(cloneAddress, action)}}
}

// updates is a step that changes the clone in place.
func updates(config string, checks ...statecheck.StateCheck) resource.TestStep {
	return resource.TestStep{Config: config, ConfigPlanChecks: plans(plancheck.ResourceActionUpdate), ConfigStateChecks: checks}
}

func (b *cloneBench) wantPower(state string) error {
	if vm := b.vm(clonePath); vm.PowerState != state {
		return fmt.Errorf("the VM is %s, want %s", vm.PowerState, state)
	}
	return nil
}

// rebuild makes another VM behind golden's path.
func (b *cloneBench) rebuild() {
	b.t.Helper()
	_, err := b.c.Clone(b.t.Context(), vsphere.CloneSpec{SourceVM: clonePath, TargetName: "golden"}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
}

// swap replaces one text by another.
func swap(config, old, text string) string { return strings.ReplaceAll(config, old, text) }

// noCapacity is what vCenter answers when no host may start the VM.
func noCapacity() *types.InsufficientResourcesFault { return &types.InsufficientResourcesFault{} }

// reboot lets the guest come up anew.
func (b *cloneBench) reboot() {
	b.t.Helper()
	vm := b.vm(clonePath)
	if err := b.c.PowerOffVM(b.t.Context(), vm, vsphere.PowerOffPolicy{Force: true}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.c.PowerOnVM(b.t.Context(), vm); err != nil {
		b.t.Fatal(err)
	}
}
