package preflight

import (
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Input is everything the rules look at. They look at nothing else: a rule is a pure function, gathered facts come in here.
type Input struct {
	VM     *vsphere.VM
	Target *Target // nil: files only
	Plan   Plan
}

// Target is what was learnt of the KVM host.
type Target struct {
	URI      string
	Host     *libvirt.Host
	Pool     *libvirt.StoragePool // nil: disks go to a directory
	Networks []libvirt.Network
	Domains  []libvirt.Domain
	// Bridges tells for each bridge the plan names whether it exists; a bridge that could not be looked up is absent.
	Bridges map[string]bool
}

// Plan is what the user asked for, as far as rules care.
type Plan struct {
	Name        string // of the domain
	UUID        string // of the domain: one with this UUID is our own and no conflict
	Dir         string // where disks go
	FreeBytes   int64  // in Dir; -1: not known
	NeedBytes   int64  // estimate for images, kept files and overlays
	SourceAfter string // "", powered_off, running, nics_disconnected
	Fix         bool
	Hardware    []libvirt.Hardware
	Networks    map[string]string // source network -> "bridge:br0" or "network:default"; "*" is the default
	Skip        []string          // disk addresses left out
	Existing    []string          // target disk files that exist already and are not this job's
}

// Check runs every rule and returns the findings, worst first, then by id. A finding is present only when it applies.
func Check(in Input) []sdk.Finding { panic("contract") }

// Blocking returns the findings at least as severe as failOn ("critical", "warning"; "none": nothing blocks) whose ids are
// not ignored.
func Blocking(findings []sdk.Finding, failOn string, ignore []string) []sdk.Finding {
	panic("contract")
}
