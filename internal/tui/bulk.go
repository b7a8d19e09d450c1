package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// bulkMenu chooses what to do to several VMs.
type bulkMenu struct {
	vms      []*vsphere.VMSummary
	selected bool // else it is the one under the cursor
	at       int
}

// bulkEntry is a line of the menu.
type bulkEntry struct {
	name, does string
	open       func(*Model, []*vsphere.VMSummary) screen
}

// bulkEntries are the operations under the numbers that they have, from 1.
func bulkEntries() []bulkEntry {
	return []bulkEntry{
		{"Clone VMs", "Clone selected VMs concurrently", func(_ *Model, vms []*vsphere.VMSummary) screen { return newCloneForm(vms) }},
		{"Create Snapshots", "Snapshot all selected VMs", newSnapshotForm},
		{"Power Off VMs", "Graceful shutdown of selected VMs", newPowerOffForm},
		{"Delete VMs", "Remove selected VMs", newDeleteForm},
		{"Modify Resource Pool", "Change pool assignment", newPoolForm},
		{"Change Network", "Reconfigure network settings", newNetworkForm},
	}
}

func newBulkMenu(vms []*vsphere.VMSummary, selected bool) *bulkMenu {
	return &bulkMenu{vms: vms, selected: selected}
}

func (b *bulkMenu) title() string { return "Bulk operations" }
func (b *bulkMenu) typing() bool  { return false }
func (b *bulkMenu) close()        {}

func (b *bulkMenu) keys(k *keymap) []key.Binding {
	return []key.Binding{bind("1-6", "choose"), bind("Enter", "choose"), k.Back}
}

func (b *bulkMenu) help(*keymap) []section {
	s := section{title: "Bulk operations", keys: []key.Binding{bind("Enter", "choose this one")}}
	for i, e := range bulkEntries() {
		s.keys = append(s.keys, bind(strconv.Itoa(i+1), e.name))
	}
	return []section{s}
}

func (b *bulkMenu) update(m *Model, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil
	}
	entries := bulkEntries()
	if n, err := strconv.Atoi(press.String()); err == nil && n >= 1 && n <= len(entries) {
		b.at = n - 1
		return m.push(entries[b.at].open(m, b.vms))
	}
	switch {
	case is(press, m.k.Up):
		b.at = max(0, b.at-1)
	case is(press, m.k.Down):
		b.at = min(len(entries)-1, b.at+1)
	case is(press, m.k.Detail):
		return m.push(entries[b.at].open(m, b.vms))
	case is(press, m.k.Back):
		m.pop()
	}
	return nil
}

func (b *bulkMenu) body(m *Model, w, h int) []string {
	lines := []string{""}
	text := about(b.vms)
	if !b.selected {
		text = about(b.vms) + ", under the cursor; none is selected"
	}
	for _, line := range wrap(text, w-2) {
		lines = append(lines, " "+line)
	}
	lines = append(lines, "")
	for i, e := range bulkEntries() {
		line := fmt.Sprintf("%d  %s  ", i+1, fit(e.name, 22))
		if i == b.at {
			lines = append(lines, m.st.cursor.Render(fit(" > "+line+e.does, w)))
			continue
		}
		lines = append(lines, "   "+line+m.st.dim.Render(e.does))
	}
	return lines[:min(h, len(lines))]
}

func (b *bulkMenu) foot(m *Model) string { return m.st.dim.Render(count(len(b.vms), "VM")) }

// about says which VMs are meant: some by name, the rest by number.
func about(vms []*vsphere.VMSummary) string {
	const some = 6
	var names []string
	for _, vm := range vms[:min(some, len(vms))] {
		names = append(names, sdk.Printable(vm.Name))
	}
	text := count(len(vms), "VM") + ": " + strings.Join(names, ", ")
	if more := len(vms) - len(names); more > 0 {
		text += " and " + grouped(more) + " more"
	}
	return text
}

// atOnce is the field that bounds how many items run together.
func atOnce() *field {
	return textField("At once", strconv.Itoa(sdk.DefaultConcurrent), "How many VMs are worked on at the same time, 1 to 64.")
}

func (f *field) limit() (int, error) {
	n, err := strconv.Atoi(f.text())
	if err != nil || n < 1 || n > 64 {
		return 0, sdk.Invalidf("at once: %q is no number from 1 to 64", f.text())
	}
	return n, nil
}

// span reads a time such as 5m.
func (f *field) span() (time.Duration, error) {
	d, err := time.ParseDuration(f.text())
	if err != nil || d <= 0 || d > 24*time.Hour {
		return 0, sdk.Invalidf("%s: %q is no time such as 90s, 5m or 1h", strings.ToLower(f.label), f.text())
	}
	return d, nil
}

// operate begins an operation on VMs.
func operate(m *Model, what string, limit *field, op vsphere.VMOperation, vms []*vsphere.VMSummary) (tea.Cmd, error) {
	n, err := limit.limit()
	if err == nil {
		err = op.Validate()
	}
	if err != nil {
		return nil, err
	}
	refs := make([]vsphere.VMRef, 0, len(vms))
	for _, vm := range vms {
		refs = append(refs, vm.VM())
	}
	return m.begin(what, n, m.backend.Items(op, refs)), nil
}

func newSnapshotForm(m *Model, vms []*vsphere.VMSummary) screen {
	name := textField("Name", "hyperctl-"+m.now().UTC().Format("2006-01-02-1504"), "A VM that has a snapshot of that name is skipped.")
	description := textField("Description", "", "What it is for. May be empty.")
	memory := yesNo("With memory", "A running VM's memory too: going back makes it run again as it was. Takes longer.", false)
	quiesce := yesNo("Quiesce", "VMware Tools bring the file systems into a consistent state first. Not with memory.", false)
	limit := atOnce()
	return &form{
		name: "Create Snapshots", button: "Create snapshots", intro: []string{"Snapshot of " + about(vms)},
		fields: []*field{name, description, memory, quiesce, limit},
		submit: func(m *Model) (tea.Cmd, error) {
			op := vsphere.VMSnapshotSpec{Name: name.text(), Description: description.text(), Memory: memory.yes(), Quiesce: quiesce.yes()}
			return operate(m, "Create Snapshots", limit, op, vms)
		},
	}
}

func newPowerOffForm(_ *Model, vms []*vsphere.VMSummary) screen {
	deadline := textField("Deadline", "5m", "How long a guest may take to shut down: 90s, 5m, 1h.")
	late := choiceField("Afterwards", "What becomes of a VM whose guest cannot be asked, or is not down at the deadline.",
		"leave it running and say so", "power it off hard")
	limit := atOnce()
	return &form{
		name: "Power Off VMs", button: "Power off", intro: []string{"Graceful shutdown of " + about(vms), running(vms)},
		fields: []*field{deadline, late, limit},
		submit: func(m *Model) (tea.Cmd, error) {
			d, err := deadline.span()
			if err != nil {
				return nil, err
			}
			return operate(m, "Power Off VMs", limit, vsphere.VMPowerSpec{Action: vsphere.ActionShutdown, Timeout: d, Force: late.yes()}, vms)
		},
	}
}

// running says how many of the VMs are on.
func running(vms []*vsphere.VMSummary) string {
	on := 0
	for _, vm := range vms {
		if vm.PowerState == "poweredOn" {
			on++
		}
	}
	if on == 1 {
		return "1 of them is on."
	}
	return fmt.Sprintf("%s of them are on.", grouped(on))
}

func newDeleteForm(_ *Model, vms []*vsphere.VMSummary) screen {
	wanted := fmt.Sprintf("delete %d", len(vms))
	on := choiceField("Running VMs", "A VM that runs is not deleted unless you say how it is stopped.",
		"leave them", "shut down the guest first", "power off hard first")
	deadline := textField("Deadline", "5m", "How long a guest may take to shut down: 90s, 5m, 1h.")
	confirm := textField("Type: "+wanted, "", "Type "+wanted+" to say that you mean it.")
	limit := atOnce()
	return &form{
		name: "Delete VMs", button: "Delete for good",
		intro:  []string{"Delete " + about(vms), "Their disks and snapshots go with them, and cannot be brought back. " + running(vms)},
		fields: []*field{on, deadline, limit, confirm},
		submit: func(m *Model) (tea.Cmd, error) {
			if strings.Join(strings.Fields(confirm.text()), " ") != wanted {
				return nil, sdk.Invalidf("nothing is deleted: type %q to confirm", wanted)
			}
			var op vsphere.VMDeleteSpec
			switch on.chosen {
			case 1:
				d, err := deadline.span()
				if err != nil {
					return nil, err
				}
				op.PowerOff.ShutdownTimeout = d
			case 2:
				op.PowerOff.Force = true
			}
			return operate(m, "Delete VMs", limit, op, vms)
		},
	}
}

func newPoolForm(_ *Model, vms []*vsphere.VMSummary) screen {
	pool := textField("Resource pool", "", "Its path or name; a cluster or a host means its root pool. A VM that is there is skipped.")
	limit := atOnce()
	f := &form{
		name: "Modify Resource Pool", button: "Change pool", intro: []string{"Another resource pool for " + about(vms)},
		fields: []*field{pool, limit},
		submit: func(m *Model) (tea.Cmd, error) {
			return operate(m, "Modify Resource Pool", limit, vsphere.VMPoolSpec{ResourcePool: pool.text()}, vms)
		},
	}
	f.take = func(p Places) { pool.known = p.Pools }
	return f
}

func newNetworkForm(m *Model, vms []*vsphere.VMSummary) screen {
	here := networksOf(vms)
	from := choiceField("Adapters", "Which adapters of each VM are connected to the other network.", append([]string{"all"}, quotedNets(here)...)...)
	network := textField("Network", "", "Name or path of the network that they go to. The guest keeps its adapter and MAC address.")
	network.known = networksOf(m.inv.VMs)
	limit := atOnce()
	f := &form{
		name: "Change Network", button: "Change network", intro: []string{"Another network for " + about(vms)},
		fields: []*field{from, network, limit},
		submit: func(m *Model) (tea.Cmd, error) {
			op := vsphere.VMNetworkSpec{Network: network.text(), NIC: vsphere.AllNICs}
			if from.chosen > 0 {
				op.NIC, op.From = "", here[from.chosen-1]
			}
			return operate(m, "Change Network", limit, op, vms)
		},
	}
	f.take = func(p Places) { network.known = p.Networks }
	return f
}

func quotedNets(names []string) []string {
	var texts []string
	for _, name := range names {
		texts = append(texts, "those on "+sdk.Printable(name))
	}
	return texts
}
