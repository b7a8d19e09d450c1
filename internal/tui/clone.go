package tui

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const maxCopies = 100

// newCloneForm asks how VMs are cloned: each of them, so many times.
func newCloneForm(vms []*vsphere.VMSummary) screen {
	name := textField("New name", "{name}-clone", "{name} stands for the source's name, {n} for the number of the copy, from 1.")
	if len(vms) == 1 {
		name = textField("New name", vms[0].Name+"-clone", "{n} stands for the number of the copy, from 1.")
	}
	copies := textField("Copies", "1", "How many of each, 1 to 100. With more than one the name needs {n}.")
	kind := choiceField("Kind", "A linked clone shares the disks of a snapshot and holds only what differs.", "full", "linked")
	snapshot := textField("Snapshot", "", "Name or path of the snapshot to clone. Empty: the VM as it is; of a linked clone the current snapshot.")
	snapshot.known = snapshotsOf(vms)
	pool := textField("Resource pool", "", "Its path or name; a cluster or a host means its root pool. Empty: the source's. A template needs one.")
	datastore := textField("Datastore", "", "Its name or path. Empty: the source's.")
	power := yesNo("Power on", "Start the new VMs.", false)
	limit := atOnce()
	f := &form{
		name: "Clone VMs", button: "Clone", intro: []string{"Clone " + about(vms)},
		fields: []*field{name, copies, kind, snapshot, pool, datastore, power, limit},
	}
	f.take = func(p Places) { pool.known, datastore.known = p.Pools, p.Datastores }
	f.submit = func(m *Model) (tea.Cmd, error) {
		n, err := strconv.Atoi(copies.text())
		if err != nil || n < 1 || n > maxCopies {
			return nil, sdk.Invalidf("copies: %q is no number from 1 to %d", copies.text(), maxCopies)
		}
		atOnce, err := limit.limit()
		if err != nil {
			return nil, err
		}
		like := vsphere.CloneSpec{
			TargetName: name.text(), LinkedClone: kind.chosen == 1, Snapshot: snapshot.text(), ResourcePool: pool.text(),
			Datastore: datastore.text(), PowerOn: power.yes(),
		}
		specs, err := cloneSpecs(vms, like, n)
		if err != nil {
			return nil, err
		}
		items, err := m.backend.Clone(specs)
		if err != nil {
			return nil, err
		}
		return m.begin("Clone VMs", atOnce, items), nil
	}
	return f
}

// cloneSpecs are the clones of each VM, with their names. Two of one name are refused.
func cloneSpecs(vms []*vsphere.VMSummary, like vsphere.CloneSpec, copies int) ([]vsphere.CloneSpec, error) {
	if copies > 1 && !strings.Contains(like.TargetName, "{n}") {
		return nil, sdk.Invalidf("new name: %d copies need {n} in %q", copies, like.TargetName)
	}
	var specs []vsphere.CloneSpec
	seen := map[string]bool{}
	for _, vm := range vms {
		for n := range copies {
			spec := like
			spec.SourceVM = vm.Ref
			spec.TargetName = strings.NewReplacer("{name}", vm.Name, "{n}", strconv.Itoa(n+1)).Replace(like.TargetName)
			if err := spec.Validate(); err != nil {
				return nil, fmt.Errorf("clone of %s: %w", vm.Name, err)
			}
			if seen[spec.TargetName] {
				return nil, sdk.WithHint(sdk.Invalidf("new name: two clones would be called %q", spec.TargetName), "put {name} into it")
			}
			seen[spec.TargetName] = true
			specs = append(specs, spec)
		}
	}
	return specs, nil
}

// snapshotsOf are the snapshots that every one of the VMs has.
func snapshotsOf(vms []*vsphere.VMSummary) []string {
	have := map[string]int{}
	for _, vm := range vms {
		for _, name := range vm.Snapshots {
			have[name]++
		}
	}
	var names []string
	for _, name := range vms[0].Snapshots {
		if have[name] == len(vms) {
			names = append(names, name)
		}
	}
	return names
}
