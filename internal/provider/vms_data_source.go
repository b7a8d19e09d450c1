package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func newVMsDataSource() datasource.DataSource {
	return &inventoryDataSource[vsphere.VMSummary]{
		name: "vms",
		about: "VMs and templates: place, guest, hardware, disks, adapters and snapshots; what a fleet's migration is planned from, with `for_each` over " +
			"`hypersdk_preflight` and `hypersdk_migration`.\n\nThey are read together, in one retrieve of 250 a page. Arguments choose together; without any, every VM " +
			"and template is listed. Of a VM whose configuration vCenter cannot read (`connection_state` says why) only name, place and state are known.",
		filters: map[string]schema.Attribute{
			"datacenter": place("datacenter", "in this datacenter"),
			"cluster":    place("cluster", "on the hosts of this cluster"),
			"folder":     place("folder", "below this VM folder, however deep"),
			"states":     stateWords("", vsphere.VMStates()),
			"guest": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Only those whose configured guest operating system matches this glob, by its id (`debian12_64Guest`) or its full name " +
					"(`Debian GNU/Linux 12 (64-bit)`). Default: all.",
				Validators: []validator.String{glob{}},
			},
			"templates": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "`true`: templates only; `false`: no templates. Default: both.",
			},
		},
		fields: vmFields(),
		list:   (*vsphere.Client).ListVMs,
	}
}

func vmFields() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":               textField("Managed object id, such as `vm-42`. Of all the ways to name a VM to another data source or resource it costs the fewest calls."),
		"name":             textField("Name, as people see it."),
		"path":             textField("Inventory path; a slash inside a name is `%2f`."),
		"datacenter":       textField("Name of the datacenter."),
		"folder":           textField("Inventory path of the folder."),
		"resource_pool":    textField("Inventory path of the resource pool; empty for a template."),
		"cluster":          textField("Name of the cluster; empty on a standalone host."),
		"host":             textField("Name of the host. DRS moves VMs: keep it out of resource arguments."),
		"instance_uuid":    textField("UUID that is unique in this vCenter."),
		"bios_uuid":        textField("UUID that the guest sees; copies of a VM may share it."),
		"template":         flagField("Whether it is a template."),
		"power_state":      textField("`poweredOn`, `poweredOff` or `suspended`."),
		"connection_state": textField("`connected`, `disconnected`, `orphaned`, `inaccessible` or `invalid`."),
		"guest_id":         textField("Guest operating system that the VM is configured for, such as `debian12_64Guest`."),
		"guest_full_name":  textField("The same in words."),
		"hostname":         textField("Name that the guest gave itself; empty when VMware Tools never said."),
		"ip_addresses": schema.ListAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Addresses that VMware Tools report, the primary one first; empty when they do not run.",
		},
		"tools_status": textField("VMware Tools: `guestToolsRunning`, `guestToolsNotRunning` or `guestToolsExecutingScripts`."),
		"firmware":     textField("`bios` or `uefi`."),
		"cpus":         numberField("Number of virtual CPUs."),
		"memory_mb":    numberField("Memory, in MB (2^20 bytes)."),
		"annotation":   textField("Notes."),
		"cbt":          flagField("Whether changed block tracking is on."),
		"disks": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "Disks, in boot order.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"address":     textField("Controller, bus and unit: `scsi0:1`."),
				"label":       textField("Label, such as `Hard disk 1`."),
				"capacity_gb": schema.Float64Attribute{Computed: true, MarkdownDescription: "Capacity, in GB (2^30 bytes)."},
				"thin":        flagField("Whether it takes only the room that was written."),
				"datastore":   textField("Name of the datastore."),
			}},
		},
		"nics": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "Network adapters, in the order of the hardware.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"label":     textField("Label, such as `Network adapter 1`."),
				"mac":       textField("MAC address, in lower case."),
				"network":   textField("Name of the network; of a port group its name, too."),
				"type":      textField("`vmxnet3`, `e1000`, `e1000e`, `sriov`, …."),
				"connected": flagField("Whether it is plugged in now."),
			}},
		},
		"snapshot_count": numberField("Number of snapshots."),
		"snapshots": schema.ListAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Names of the snapshots, each after those of its ancestors and a slash (`base/patched`), parents first.",
		},
	}
}
