package preflight

import (
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// connection: a VM that vCenter cannot reach through its host cannot be exported.
func connection(in Input) []sdk.Finding {
	state := in.VM.ConnectionState
	if state == "" || state == "connected" {
		return nil
	}
	return found("source.connection", sdk.Critical,
		fmt.Sprintf("VM %q is %s: vCenter cannot reach it on host %q", in.VM.Name, state, in.VM.Host),
		"bring its host back, or register the VM again (Remove from Inventory, then Register VM), and run this again")
}

// power: a cold export reads disks that nobody writes. A suspended guest has memory that no disk holds.
func power(in Input) []sdk.Finding {
	switch state := in.VM.PowerState; {
	case state == "suspended":
		return found("source.power.suspended", sdk.Critical,
			fmt.Sprintf("VM %q is suspended (power state suspended): what its guest had in memory would be lost", in.VM.Name),
			"resume it and shut its guest down, then run this again")
	case state != "poweredOn":
		return nil
	case in.stopsSource():
		return found("source.power.running", sdk.Warning,
			fmt.Sprintf("VM %q is running (power state poweredOn): its guest will be shut down gracefully before its disks are read", in.VM.Name),
			"nothing, when now is a good time for the guest to go down")
	}
	return found("source.power.running", sdk.Critical,
		fmt.Sprintf("VM %q is running (power state poweredOn): its disks cannot be read while it writes to them", in.VM.Name),
		`shut it down, or let the migration do it: source_after = "powered_off" (hyperexport --power-off-source)`)
}

func template(in Input) []sdk.Finding {
	if !in.VM.Template {
		return nil
	}
	return found("source.template", sdk.Info,
		fmt.Sprintf("%q is a template: its disks are exported as they are", in.VM.Name),
		"nothing; give the domain an identity of its own before it starts if the template is meant to be customized")
}

func snapshots(in Input) []sdk.Finding {
	if len(in.VM.Snapshots) == 0 {
		return nil
	}
	names := make([]string, 0, len(in.VM.Snapshots))
	for _, s := range in.VM.Snapshots {
		names = append(names, s.Path)
	}
	return found("source.snapshot.present", sdk.Warning,
		fmt.Sprintf("VM %q has snapshots %s: its current state is migrated, the snapshots are not", in.VM.Name, quoted(names)),
		"delete them first for a quicker export, or ignore this when the current state is what you want")
}

func consolidation(in Input) []sdk.Finding {
	if !in.VM.ConsolidationNeeded {
		return nil
	}
	return found("source.consolidation_needed", sdk.Warning,
		fmt.Sprintf("disks of VM %q need consolidation: an earlier snapshot was not merged, reads are slow and may fail", in.VM.Name),
		"in vSphere: Snapshots > Consolidate, then run this again")
}

func faultTolerance(in Input) []sdk.Finding {
	if !in.VM.FaultTolerance {
		return nil
	}
	return found("source.fault_tolerance", sdk.Warning,
		fmt.Sprintf("VM %q is protected by Fault Tolerance: its domain will have no second copy to fail over to", in.VM.Name),
		"turn Fault Tolerance off before the export, and plan availability at the target")
}
