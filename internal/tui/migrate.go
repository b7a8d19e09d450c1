package tui

import (
	"fmt"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// migrateForm asks where VMs go, and how.
type migrateForm struct {
	vms                                                 []*vsphere.VMSummary
	uri, dir, pool                                      *field
	networks                                            map[string]*field // by source network
	format, fix, hardware, boot, start, source, atLimit *field
}

var (
	bootChecks   = []string{"none", "power", "console", "agent", "address"}
	sourceStates = []string{"", migrate.AfterPoweredOff, migrate.AfterDisconnected}
)

func newMigrateForm(m *Model, vms []*vsphere.VMSummary) screen {
	t := &migrateForm{
		vms:      vms,
		uri:      textField("Target", m.opts.TargetURI, "URI of the libvirt that the VMs go to, such as qemu:///system."),
		dir:      textField("Directory", m.opts.TargetDir, "An absolute path; {name} stands for the VM's name. What is made and what a resume needs lies there."),
		pool:     textField("Storage pool", "", "libvirt's storage pool for the disks. Empty: they stay in the directory."),
		networks: map[string]*field{},
		format:   choiceField("Disk format", "Of the disks' images.", migrate.FormatQcow2, migrate.FormatRaw),
		fix:      yesNo("Fix the guest", "Give it the drivers, names and boot files that it needs under KVM.", true),
		hardware: choiceField("Hardware", "The devices that the guest sees. Without a fix it may know only SATA or VMware's own, which QEMU emulates.",
			string(libvirt.HardwareVirtio), string(libvirt.HardwareSATA), string(libvirt.HardwareVMware)),
		boot: choiceField("Boot check", "Start a throw-away copy of the guest to see that it boots: that it reads its disk, says something on its console, "+
			"answers as agent, or gets an address.", bootChecks...),
		start:   choiceField("At the end", "What the new domain does.", "leave it off", "start it"),
		source:  choiceField("Source VM", "It is never changed or deleted. A VM that runs must be shut down for a copy.", "leave as it is", "shut it down first", "shut it down, start it without network"),
		atLimit: textField("At once", "2", "How many VMs are migrated at the same time, 1 to 64."),
	}
	f := &form{
		name: "Migrate to KVM", button: "Pre-flight", intro: []string{"Migrate " + about(vms)},
		fields: []*field{t.uri, t.dir, t.pool},
	}
	for _, network := range networksOf(vms) {
		to := textField("From "+sdk.Printable(network), "network:default", "Where adapters on it go: network:NAME of libvirt or bridge:NAME of the host.")
		to.known = []string{"network:default", "bridge:virbr0", "bridge:br0"}
		t.networks[network] = to
		f.fields = append(f.fields, to)
	}
	f.fields = append(f.fields, t.format, t.fix, t.hardware, t.boot, t.start, t.source, t.atLimit)
	f.submit = t.submit
	return f
}

func (t *migrateForm) submit(m *Model) (tea.Cmd, error) {
	limit, err := t.atLimit.limit()
	if err != nil {
		return nil, err
	}
	specs := make([]migrate.Spec, 0, len(t.vms))
	dirs := map[string]bool{}
	for _, vm := range t.vms {
		spec, err := t.spec(vm)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vm.Name, err)
		}
		if spec.Dir != "" && dirs[spec.Dir] {
			return nil, sdk.WithHint(sdk.Invalidf("directory: two VMs would go to %s", spec.Dir), "put {name} into it")
		}
		dirs[spec.Dir] = true
		specs = append(specs, spec)
	}
	return m.push(newPreflight(t.vms, specs, limit)), nil
}

// spec is the migration of one of the VMs.
func (t *migrateForm) spec(vm *vsphere.VMSummary) (migrate.Spec, error) {
	s := migrate.Spec{
		VM: vm.Ref, Name: fileName(vm.Name), Convert: true, Format: t.format.options[t.format.chosen], Manifest: true,
		Pipeline:    &migrate.PipelineSpec{Inspect: true, Fix: t.fix.yes(), Validate: true},
		Verify:      migrate.VerifySpec{Checksum: true, Boot: bootChecks[t.boot.chosen]},
		SourceAfter: sourceStates[t.source.chosen],
		Target: &migrate.TargetSpec{
			URI: t.uri.text(), Pool: t.pool.text(), Networks: map[string]migrate.NetworkSpec{}, Power: []string{migrate.PowerOff, migrate.PowerOn}[t.start.chosen],
			Hardware: []libvirt.Hardware{libvirt.Hardware(t.hardware.options[t.hardware.chosen])},
		},
	}
	if dir := t.dir.text(); dir != "" {
		s.Dir = filepath.Clean(strings.ReplaceAll(dir, "{name}", s.Name))
	}
	if s.Target.URI == "" {
		return s, sdk.Invalidf("target: no libvirt URI, such as qemu:///system")
	}
	for _, network := range networksOf([]*vsphere.VMSummary{vm}) {
		to, err := parseNetwork(t.networks[network].text())
		if err != nil {
			return s, fmt.Errorf("from %s: %w", network, err)
		}
		s.Target.Networks[network] = to
	}
	return s, s.Validate()
}

// fileName is a VM's name without what has no place in the name of a file or a domain.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\`, r) {
			return '-'
		}
		return r
	}, name)
}

func parseNetwork(text string) (migrate.NetworkSpec, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case kind == "network" && name != "":
		return migrate.NetworkSpec{Network: name}, nil
	case kind == "bridge" && name != "":
		return migrate.NetworkSpec{Bridge: name}, nil
	}
	return migrate.NetworkSpec{}, sdk.Invalidf("want network:NAME or bridge:NAME, got %q", text)
}
