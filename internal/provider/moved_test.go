package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// peerBlocks are a VM and a pool as the vSphere provider has them in its state, and a VM whose state says two different things.
func peerBlocks(vm, other *vsphere.VM, pool *vsphere.ResourcePool) string {
	return fmt.Sprintf(`
resource "vsphere_virtual_machine" "old" {
  id               = %[1]q
  uuid             = %[1]q
  moid             = %[2]q
  name             = "golden"
  resource_pool_id = "resgroup-8"
  num_cpus         = 2
  memory           = 1024
  imported         = false
  clone { template_uuid = "4211" }
  disk {
    label = "disk0"
    size  = 1
  }
  network_interface { network_id = "network-7" }
}
resource "vsphere_virtual_machine" "confused" {
  id   = %[1]q
  uuid = %[1]q
  moid = %[3]q
  name = "golden"
}
resource "vsphere_resource_pool" "old" {
  id                      = %[4]q
  name                    = "prod"
  parent_resource_pool_id = %[5]q
  cpu_reservation         = 200
  cpu_limit               = -1
  cpu_expandable          = true
  cpu_share_level         = "normal"
  cpu_shares              = 4000
  memory_reservation      = 0
  memory_limit            = -1
  memory_expandable       = true
  memory_share_level      = "high"
  memory_shares           = 327680
  tags                    = ["urn:vmomi:InventoryServiceTag:1:GLOBAL"]
}
`, vm.BIOSUUID, vm.Ref, other.Ref, pool.Ref, pool.Parent)
}

func movedFrom(from, to string) string { return "moved {\n from = " + from + "\n to = " + to + "\n}\n" }

// The state is made by the other provider, both providers are processes that Terraform installs from a mirror, and a moved block
// is all that happens: nothing is replaced, nothing is changed, and vCenter hears reads alone.
func TestProcess_MovedFromTheVSphereProvider(t *testing.T) {
	b := newCloneBench(t)
	vm := b.vm(goldenPath)
	pool, err := b.c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "prod", Parent: poolCluster, CPUReservationMHz: 200, MemoryShares: "high"})
	b.must(err)
	peer := peerBlocks(vm, b.vm("/DC0/vm/DC0_C0_RP0_VM0"), pool)
	confused := peer[strings.Index(peer, `resource "vsphere_virtual_machine" "confused"`):strings.Index(peer, `resource "vsphere_resource_pool"`)]

	w := newMirrorWorkspace(t)
	w.configure(b.provider() + peer)
	w.terraform(0, "init", "-input=false")
	w.terraform(0, "apply", "-auto-approve", "-input=false")

	wrong := b.provider() + strings.Replace(peer, confused, "", 1) + "resource \"hypersdk_clone\" \"vm\" {\n name = \"golden\"\n}\n" +
		movedFrom("vsphere_virtual_machine.confused", cloneAddress)
	w.configure(wrong)
	if said := w.terraform(1, "plan", "-input=false"); !strings.Contains(said, "Another VM") {
		t.Errorf("a state of two VMs is moved:\n%s", said)
	}

	ours := fmt.Sprintf(`
resource "hypersdk_clone" "vm" {
  name     = "golden"
  cpus     = 2
  memory   = 1024
  folder   = "/DC0/vm"
  power    = "off"
}
resource "hypersdk_resource_pool" "p" {
  name   = "prod"
  parent = %q
  cpu    = { reservation = 200 }
  memory = { shares = "high" }
}
`, pool.Parent)
	w.configure(b.provider() + confused + ours + movedFrom("vsphere_virtual_machine.old", cloneAddress) + movedFrom("vsphere_resource_pool.old", poolAddress))
	_, calls := b.counted(func() {
		plan := w.terraform(2, "plan", "-detailed-exitcode", "-input=false")
		for _, want := range []string{"has moved to " + cloneAddress, "has moved to " + poolAddress, "0 to add, 0 to change, 0 to destroy"} {
			if !strings.Contains(plan, want) {
				t.Errorf("the plan does not say %q:\n%s", want, plan)
			}
		}
		w.apply()
		w.required = "hypersdk = { source = \"" + ourAddress + "\" }" // the other provider can go, once nothing is its
		w.terraform(0, "state", "rm", "vsphere_virtual_machine.confused")
		w.configure(b.provider() + ours)
		w.terraform(0, "plan", "-detailed-exitcode", "-input=false")
	})
	for method := range calls {
		if strings.HasSuffix(method, "_Task") || method == "UpdateConfig" || method == "MoveIntoResourcePool" {
			t.Errorf("vCenter was asked to change something: %v", calls)
		}
	}
	if after := b.vm(goldenPath); after.ChangeVersion != vm.ChangeVersion {
		t.Errorf("the VM is at version %s, was at %s", after.ChangeVersion, vm.ChangeVersion)
	}
	for name, want := range map[string]string{cloneAddress: vm.InstanceUUID, poolAddress: pool.Ref} {
		if shown := w.terraform(0, "state", "show", name); !strings.Contains(shown, want) {
			t.Errorf("%s is not %s:\n%s", name, want, shown)
		}
	}
}

func TestResourcePool_MoveStateTakesNobodyElses(t *testing.T) {
	for address, want := range map[string]bool{
		"registry.example.com/hashicorp/vsphere": true, "registry.example.com/vmware/vsphere": true,
		"registry.example.com/hashicorp/other": false, "registry.example.com/else/vsphere": false,
	} {
		if got := fromVSphere(address); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}
