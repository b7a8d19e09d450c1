package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

func TestClone_RefusedBeforeAnythingIsMade(t *testing.T) {
	b := newCloneBench(t, guestAt(t, "/DC0/vm/f/same"), guestAt(t, "/DC0/vm/g/same"))
	source := func(path string) string {
		return b.provider() + "resource \"hypersdk_clone\" \"vm\" {\n name = \"web-01\"\n source = \"" + path + "\"\n}\n"
	}
	tests := []struct{ name, config, want string }{
		{"no source", b.provider() + "resource \"hypersdk_clone\" \"vm\" {\n name = \"web-01\"\n}\n", "Clone what?"},
		{"unknown source", source("/DC0/vm/nobody"), "Cannot find the source"},
		{"ambiguous source", source("same"), "/DC0/vm/g/same"},
		{"wrong kind of source", source("/DC0/host/DC0_C0"), "is that of a ClusterComputeResource"},
		{"wrong kind of pool", b.config(`resource_pool = "/DC0/vm"`), "Cannot be used"},
		{"wrong kind of folder", b.config(`folder = "/DC0/host/DC0_C0"`), "Cannot be used"},
		{"unknown folder", b.config(`folder = "/DC0/vm/nowhere"`), "has no"},
		{"both datastores", b.config(`datastore = "LocalDS_0"`, `datastore_cluster = "pod"`), "datastore_cluster"},
		{"cores", b.config(`cpus = 4`, `cores_per_socket = 3`), "Sockets are not whole"},
		{"memory", b.config(`memory = 1023`), "multiple of 4"},
		{"limit below reservation", b.config(`cpu_allocation = { reservation = 200, limit = 100 }`), "The limit is below the reservation"},
		{"shares without count", b.config(`memory_allocation = { shares = "custom" }`), "How many shares?"},
		{"count without custom", b.config(`memory_allocation = { shares = "low", share_count = 5 }`), "set by the level"},
		{"bad slot", b.config(`disks = { "disk0" = { size = 1 } }`), "must be a slot"},
		{"new disk without size", b.config(`disks = { "scsi0:4" = {} }`), "How large?"},
		{"bad adapter", b.config(`networks = { "eth0" = { network = "VM Network" } }`), "number of an adapter"},
		{"bad address", b.config(`networks = { "0" = { network = "VM Network", mac = "nonsense" } }`), "six pairs"},
		{"iso and client", b.config(`cdrom = { iso = "[a] b.iso", client = true }`), "one (and only one)"},
		{"two customizations", b.config(`customize = { spec = "x", linux = {} }`), "one (and only one)"},
		{"no customization to wait for", b.config(`wait_for = { customization = true }`), "no customization to wait for"},
		{"gateway without address", b.config(`customize = { linux = {}, interfaces = { "0" = { gateways = ["10.0.0.1"] } } }`), "A gateway without an address"},
		{"not a network", b.config(`customize = { linux = {}, interfaces = { "0" = { ipv4 = "10.0.0.1" } } }`), "Not a network address"},
		{"unknown snapshot", b.config(`linked = true`, `snapshot = "nope"`), "the source has no snapshot"},
		{"linked without snapshot", b.config(`linked = true`), "no snapshot"},
		{"wrong password", b.provider(b.vc.Password(), "wrong") + source("/DC0/vm/golden")[len(b.provider()):], "Cannot reach vCenter"},
	}
	var steps []resource.TestStep
	for _, tt := range tests {
		steps = append(steps, fails(tt.config, tt.want))
	}
	b.run(steps...)
	if n := b.vc.Calls()["CloneVM_Task"]; n != 0 {
		t.Errorf("refusals began %d clones", n)
	}
}

func TestClone_NameTakenIsAnError(t *testing.T) {
	b := newCloneBench(t, guestAt(t, clonePath))
	b.run(fails(b.config(), "exists"))
}

func TestClone_RefusedInAPlanOfAChange(t *testing.T) {
	b := newCloneBench(t)
	on := `power = "on"`
	b.run(
		resource.TestStep{Config: b.config(on, `disks = { "scsi0:1" = { size = 4, provisioning = "thin" } }`, `networks = { "0" = { network = "VM Network" }, "1" = { network = "VM Network" } }`)},
		fails(b.config(on, `disks = { "scsi0:1" = { size = 2, provisioning = "thin" } }`), "A disk cannot shrink"),
		fails(b.config(on, `disks = { "scsi0:1" = { size = 4, provisioning = "eager" } }`), "keeps how it is provisioned"),
		fails(b.config(on, `networks = { "1" = { network = "VM Network" } }`), "would change places"),
		fails(b.config(on, `cpus = 1`), "Needs a restart"),
		fails(b.config(on, `cores_per_socket = 2`), "Needs a restart"),
		fails(b.config(on, `memory = 512`), "Needs a restart"),
		fails(b.config(on, `networks = { "0" = { network = "VM Network", type = "e1000" }, "1" = { network = "VM Network" } }`), "Needs a restart"),
	)
}

func TestClone_RestartsWhenItMay(t *testing.T) {
	b := newCloneBench(t)
	b.run(
		resource.TestStep{Config: b.config(`power = "on"`)},
		resource.TestStep{
			Config: b.config(`power = "on"`, `cpus = 1`, `allow_restart = true`), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate),
			Check: func(*terraform.State) error { return b.wantPower("poweredOn") },
		},
		resource.TestStep{ // off needs no restart
			Config: b.config(`power = "off"`, `cpus = 2`), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate),
			Check: func(*terraform.State) error { return b.wantPower("poweredOff") },
		},
	)
}

func TestClone_ReplacedOnlyForAnotherSource(t *testing.T) {
	b := newCloneBench(t, guestAt(t, "/DC0/vm/golden-2"))
	customized := func(host, policy string) string {
		return b.config(`customize = { linux = { hostname = "`+host+`" } }`, `recustomize = "`+policy+`"`)
	}
	b.run(
		resource.TestStep{Config: customized("one", "warn")},
		resource.TestStep{Config: customized("two", "warn"), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate)},
		resource.TestStep{Config: customized("three", "replace"), ConfigPlanChecks: plans(plancheck.ResourceActionDestroyBeforeCreate)},
		resource.TestStep{Config: swap(b.config(), goldenPath, "/DC0/vm/golden-2"), ConfigPlanChecks: plans(plancheck.ResourceActionDestroyBeforeCreate)},
	)
}

func TestClone_ARebuiltTemplateReplacesNothing(t *testing.T) {
	b := newCloneBench(t)
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{
			PreConfig: func() {
				b.delete(goldenPath)
				b.rebuild()
			},
			Config:           b.config(),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		},
	)
}

func TestClone_DestroyByPolicy(t *testing.T) {
	tests := []struct {
		policy string
		there  bool
	}{{"delete", false}, {"power_off", true}, {"unregister", false}}
	for _, tt := range tests {
		t.Run(tt.policy, func(t *testing.T) {
			b := newCloneBench(t)
			b.run(resource.TestStep{Config: b.config(`power = "on"`, `on_destroy = "`+tt.policy+`"`)})
			vm, err := b.c.GetVM(t.Context(), clonePath)
			if there := err == nil; there != tt.there {
				t.Fatalf("VM there: %v, want %v (%v)", there, tt.there, err)
			}
			if tt.there && vm.PowerState != "poweredOff" {
				t.Errorf("VM is %s, want poweredOff", vm.PowerState)
			}
			if n := b.vc.Calls()["UnregisterVM"]; (n == 1) != (tt.policy == "unregister") {
				t.Errorf("%d VMs unregistered", n)
			}
		})
	}
}

func TestClone_FailedPowerOnKeepsTheVM(t *testing.T) {
	b := newCloneBench(t)
	b.vc.SetFaults(demo.Faults{FailPowerOn: noCapacity()})
	b.run(
		resource.TestStep{
			Config: b.config(`power = "on"`), ExpectNonEmptyPlan: true,
			Check: resource.TestCheckResourceAttr(cloneAddress, "status", cloneIncomplete),
		},
		resource.TestStep{
			PreConfig: func() { b.vc.SetFaults(demo.Faults{}) },
			Config:    b.config(`power = "on"`), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate),
			Check: resource.TestCheckResourceAttr(cloneAddress, "status", cloneSucceeded),
		},
	)
	if n := b.vc.Calls()["CloneVM_Task"]; n != 1 {
		t.Errorf("%d clones, want 1", n)
	}
}
