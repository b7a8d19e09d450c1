package preflight

import (
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Input is everything the rules look at. They look at nothing else: a rule is a pure function, gathered facts come in here.
type Input struct {
	VM     *vsphere.VM // required
	Target *Target     // nil: files only
	Plan   Plan
}

// Target is what was learnt of the KVM host.
type Target struct {
	URI      string
	Host     *libvirt.Host        // nil: not asked; rules about it stay silent
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
	Engine      string // that fixes: builtin (also "") or virt-v2v
	Hardware    []libvirt.Hardware
	Networks    map[string]string // source network -> "bridge:br0" or "network:default"; "*" is the default
	Skip        []string          // disk addresses left out
	Existing    []string          // target disk files that exist already and are not this job's
}

// disks are the VM's disks that the plan does not leave out.
func (in Input) disks() []vsphere.Disk {
	var disks []vsphere.Disk
	for _, d := range in.VM.Disks {
		if !slices.Contains(in.Plan.Skip, d.Address) {
			disks = append(disks, d)
		}
	}
	return disks
}

// host is what is known of the KVM host; nil: nothing.
func (in Input) host() *libvirt.Host {
	if in.Target == nil {
		return nil
	}
	return in.Target.Host
}

// stopsSource says that the plan shuts the guest down itself before it exports.
func (in Input) stopsSource() bool {
	return in.Plan.SourceAfter == "powered_off" || in.Plan.SourceAfter == "nics_disconnected"
}
