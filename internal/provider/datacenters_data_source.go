package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func newDatacentersDataSource() datasource.DataSource {
	return &inventoryDataSource[vsphere.Datacenter]{
		name: "datacenters",
		about: "Datacenters: their folders, and how much is in them.\n\nThey are read together, in one retrieve, whatever their number. Arguments choose together; without " +
			"any, every datacenter is listed.",
		filters: map[string]schema.Attribute{
			"folder": place("folder", "below this folder of datacenters, however deep"),
		},
		fields: map[string]schema.Attribute{
			"id":               textField("Managed object id, such as `datacenter-3`."),
			"name":             textField("Name, as people see it."),
			"path":             textField("Inventory path; a slash inside a name is `%2f`."),
			"overall_status":   textField(statusWords),
			"vm_folder":        textField("Managed object id of the root of its VM folders; a `folder` argument takes it."),
			"host_folder":      textField("Managed object id of the root of its host folders."),
			"datastore_folder": textField("Managed object id of the root of its datastore folders."),
			"network_folder":   textField("Managed object id of the root of its network folders."),
			"vms":              numberField("Number of VMs and templates on its hosts."),
			"hosts":            numberField("Number of hosts."),
			"clusters":         numberField("Number of clusters."),
			"datastores":       numberField("Number of datastores."),
			"networks":         numberField("Number of networks."),
		},
		list: (*vsphere.Client).ListDatacenters,
	}
}
