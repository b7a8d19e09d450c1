package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func newClustersDataSource() datasource.DataSource {
	return &inventoryDataSource[vsphere.Cluster]{
		name: "clusters",
		about: "Clusters: DRS, HA and EVC, hosts, capacity and usage.\n\nThey are read together, in one retrieve, whatever their number. Arguments choose together; " +
			"without any, every cluster is listed. A standalone host is no cluster.",
		filters: map[string]schema.Attribute{
			"datacenter": place("datacenter", "in this datacenter"),
			"folder":     place("folder", "below this host folder, however deep"),
		},
		fields: map[string]schema.Attribute{
			"id":                   textField("Managed object id, such as `domain-c42`."),
			"name":                 textField("Name, as people see it."),
			"path":                 textField("Inventory path; a slash inside a name is `%2f`."),
			"datacenter":           textField("Name of the datacenter."),
			"resource_pool":        textField("Managed object id of the cluster's root resource pool."),
			"overall_status":       textField(statusWords),
			"drs":                  flagField("Whether DRS is on."),
			"drs_mode":             textField("`fullyAutomated`, `partiallyAutomated` or `manual`; empty without DRS."),
			"ha":                   flagField("Whether vSphere HA is on."),
			"ha_admission_control": flagField("Whether HA refuses to start what it could not restart after a failure; `false` without HA."),
			"evc_mode":             textField("EVC baseline, such as `intel-broadwell`; empty without EVC."),
			"hosts":                numberField("Number of hosts."),
			"effective_hosts":      numberField("Number of hosts that can run VMs: connected and not in maintenance mode."),
			"cpu_cores":            numberField("Number of cores of all hosts together."),
			"cpu_threads":          numberField("Number of hardware threads of all hosts together."),
			"cpu_total_mhz":        numberField("CPU of all hosts together, in MHz."),
			"cpu_effective_mhz":    numberField("CPU that VMs can use, in MHz: of the effective hosts, without what ESXi itself needs."),
			"cpu_usage_mhz":        numberField("CPU in use on all hosts together, in MHz." + usageChanges),
			"cpu_demand_mhz":       numberField("CPU that the running VMs would use if they got it, in MHz; DRS tells it, 0 without." + usageChanges),
			"memory_mb":            numberField("Memory of all hosts together, in MB (2^20 bytes)."),
			"memory_effective_mb":  numberField("Memory that VMs can use, in MB."),
			"memory_usage_mb":      numberField("Memory in use on all hosts together, in MB." + usageChanges),
			"memory_demand_mb":     numberField("Memory that the running VMs ask for, in MB; DRS tells it, 0 without." + usageChanges),
			"vms":                  numberField("Number of VMs and templates on the hosts."),
			"datastores":           numberField("Number of datastores that the cluster sees."),
			"networks":             numberField("Number of networks that the cluster sees."),
		},
		list: (*vsphere.Client).ListClusters,
	}
}
