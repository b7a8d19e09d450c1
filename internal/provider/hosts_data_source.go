package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	usageChanges = " It changes from read to read: keep it out of resource arguments."
	statusWords  = "What vCenter's alarms make of it: `green`, `yellow`, `red`, or `gray` when it is not known."
)

func newHostsDataSource() datasource.DataSource {
	return &inventoryDataSource[vsphere.Host]{
		name: "hosts",
		about: "ESXi hosts: state, hardware, version, usage and what runs on them.\n\nThey are read together, in one retrieve, whatever their number. Arguments choose " +
			"together; without any, every host is listed.",
		filters: map[string]schema.Attribute{
			"datacenter": place("datacenter", "in this datacenter"),
			"cluster":    place("cluster", "in this cluster"),
			"folder":     place("folder", "below this host folder, however deep"),
			"states":     stateWords("A host in maintenance mode is in that state alone, whatever its connection is. ", vsphere.HostStates()),
		},
		fields: map[string]schema.Attribute{
			"id":              textField("Managed object id, such as `host-42`."),
			"name":            textField("Name, as people see it."),
			"path":            textField("Inventory path; a slash inside a name is `%2f`."),
			"datacenter":      textField("Name of the datacenter."),
			"cluster":         textField("Name of the cluster; empty for a standalone host."),
			"state":           textField("Connection: `connected`, `disconnected` or `notResponding`."),
			"power_state":     textField("`poweredOn`, `poweredOff`, `standBy` or `unknown`."),
			"maintenance":     flagField("Whether the host is in maintenance mode."),
			"overall_status":  textField(statusWords),
			"vendor":          textField("Maker of the machine."),
			"model":           textField("Model of the machine."),
			"cpu_model":       textField("Model of the processors."),
			"cpu_sockets":     numberField("Number of processors."),
			"cpu_cores":       numberField("Number of cores of all processors together."),
			"cpu_threads":     numberField("Number of hardware threads of all cores together."),
			"cpu_mhz":         numberField("Clock of one core, in MHz."),
			"cpu_total_mhz":   numberField("Cores times clock, in MHz."),
			"cpu_usage_mhz":   numberField("CPU in use, in MHz." + usageChanges),
			"memory_mb":       numberField("Memory, in MB (2^20 bytes)."),
			"memory_usage_mb": numberField("Memory in use, in MB." + usageChanges),
			"version":         textField("Version of ESXi, such as `8.0.3`."),
			"build":           textField("Build number of ESXi."),
			"uptime_seconds":  numberField("Seconds since the host started." + usageChanges),
			"vms":             numberField("Number of VMs and templates registered on the host."),
			"datastores":      numberField("Number of datastores that the host sees."),
		},
		list: (*vsphere.Client).ListHosts,
	}
}
