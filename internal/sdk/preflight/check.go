package preflight

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// rules are all there is, in the order of a person's questions. A rule may make several findings, one for each disk or
// adapter, and none when it does not apply.
var rules = []struct {
	ids   string // what it can find
	check func(Input) []sdk.Finding
}{
	// The VM as a whole.
	{"source.connection", connection},
	{"source.power.running, source.power.suspended", power},
	{"source.template", template},
	{"source.snapshot.present", snapshots},
	{"source.consolidation_needed", consolidation},
	{"source.fault_tolerance", faultTolerance},
	// Its guest.
	{"source.guest.unsupported", unsupportedGuest},
	{"source.tools.not_running", toolsNotRunning},
	{"source.hostname.missing", hostnameMissing},
	// Its disks.
	{"source.disk.none", noDisk},
	{"source.datastore.missing", datastoreMissing},
	{"source.disk.capacity.invalid", diskCapacity},
	{"source.disk.independent", independentDisk},
	{"source.disk.rdm", rdmDisk},
	{"source.disk.shared", sharedDisk},
	// Its other devices.
	{"source.device.passthrough", passthrough},
	{"source.device.usb", usb},
	{"source.tpm", tpm},
	{"source.secure_boot", secureBoot},
	{"source.nic.none", noNIC},
	{"source.nic.type.sriov", sriovNIC},
	// Where its disks go.
	{"target.pool.inactive", poolInactive},
	{"target.pool.type", poolType},
	{"target.space", space},
	{"target.file.exists", fileExists},
	{"target.disk.count", diskCount},
	// What the domain needs of the host.
	{"target.network.unmapped, target.network.missing, target.network.inactive, target.bridge.missing", networks},
	{"target.firmware.missing", firmwareMissing},
	{"target.acceleration.missing", accelerationMissing},
	{"target.memory.low", memoryLow},
	{"target.cpus.low", cpusLow},
	// Its identity there.
	{"target.name.invalid", nameInvalid},
	{"target.domain.exists", domainExists},
	{"target.mac.conflict", macConflict},
}

// Check runs every rule and returns the findings, worst first, then by id. A finding is present only when it applies.
func Check(in Input) []sdk.Finding {
	var findings []sdk.Finding
	for _, rule := range rules {
		findings = append(findings, rule.check(in)...)
	}
	slices.SortStableFunc(findings, func(a, b sdk.Finding) int {
		switch {
		case a.Severity.Worse(b.Severity):
			return -1
		case b.Severity.Worse(a.Severity):
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return findings
}

// Blocking returns the findings at least as severe as failOn ("critical", also when empty; "warning"; "none": nothing
// blocks) whose ids are not ignored.
func Blocking(findings []sdk.Finding, failOn string, ignore []string) []sdk.Finding {
	if failOn == "none" {
		return nil
	}
	least := sdk.Critical
	if failOn != "" {
		least = sdk.Severity(failOn)
	}
	var blocking []sdk.Finding
	for _, f := range findings {
		if !least.Worse(f.Severity) && !slices.Contains(ignore, f.ID) {
			blocking = append(blocking, f)
		}
	}
	return blocking
}

// found is one finding, as a rule returns it.
func found(id string, severity sdk.Severity, text, action string) []sdk.Finding {
	return []sdk.Finding{{ID: id, Severity: severity, Text: text, Action: action}}
}

// each makes a finding for every item that the function has a text for.
func each[T any](items []T, id string, severity sdk.Severity, text func(T) string, action func(T) string) []sdk.Finding {
	var findings []sdk.Finding
	for _, item := range items {
		if t := text(item); t != "" {
			findings = append(findings, sdk.Finding{ID: id, Severity: severity, Text: t, Action: action(item)})
		}
	}
	return findings
}

// quoted is a list for a person: "a", "b" and "c".
func quoted(names []string) string {
	var s string
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			s += " and "
		default:
			s += ", "
		}
		s += fmt.Sprintf("%q", name)
	}
	return s
}
