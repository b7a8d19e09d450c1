package tui

import (
	"maps"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// networksOf are the names of the networks that adapters of the VMs are in, sorted.
func networksOf(vms []*vsphere.VMSummary) []string {
	names := map[string]bool{}
	for _, vm := range vms {
		for _, nic := range vm.NICs {
			if nic.Network != "" {
				names[nic.Network] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
