package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	checks "github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/preflight"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// detail shows one VM whole.
type detail struct {
	row *vsphere.VMSummary
	vm  *vsphere.VM // nil: it is being read
	err error
	win window
}

func newDetail(row *vsphere.VMSummary) *detail { return &detail{row: row, win: window{scrolls: true}} }

func (d *detail) title() string { return sdk.Printable(d.row.Name) }
func (d *detail) typing() bool  { return false }
func (d *detail) close()        {}

func (d *detail) keys(k *keymap) []key.Binding {
	return []key.Binding{k.Back, k.Metrics, k.Events, k.Clone, k.Migrate, k.Down, k.Up}
}

func (d *detail) help(k *keymap) []section {
	return []section{{"This VM", []key.Binding{k.Metrics, k.Events, k.Clone, k.Migrate}}}
}

type vmMsg struct {
	of  *detail
	vm  *vsphere.VM
	err error
}

func (d *detail) start(m *Model) tea.Cmd {
	ctx, backend, ref := m.life(), m.backend, d.row.Ref
	return func() tea.Msg {
		vm, err := backend.VM(ctx, ref)
		return vmMsg{d, vm, err}
	}
}

func (d *detail) update(m *Model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case vmMsg:
		if msg.of == d {
			d.err = msg.err
			if msg.vm != nil {
				d.vm = msg.vm
			}
		}
	case changedMsg:
		if now := m.row(d.row.Ref); now != nil && now != d.row {
			d.row = now
			return d.start(m)
		}
	case tea.KeyPressMsg:
		switch {
		case d.win.key(m.k, msg):
		case is(msg, m.k.Back):
			m.pop()
		case is(msg, m.k.Migrate):
			return m.push(newMigrateForm(m, []*vsphere.VMSummary{d.row}))
		default:
			return openOne(m, msg, d.row)
		}
	}
	return nil
}

func (d *detail) body(m *Model, w, h int) []string {
	lines := []string{""}
	switch {
	case d.vm == nil && d.err != nil:
		for _, line := range wrap("! "+explain(d.err), w-2) {
			lines = append(lines, " "+m.st.bad.Render(line))
		}
		return lines
	case d.vm == nil:
		return append(lines, " Reading …")
	}
	lines = append(d.facts(m, w), d.disks(m, w)...)
	lines = append(lines, d.adapters(m, w)...)
	lines = append(lines, d.snapshots(m, w)...)
	lines = append(lines, d.findings(m, w)...)
	d.win.resize(len(lines), h)
	from, to := d.win.rows()
	return lines[from:to]
}

// facts are pairs, in two columns where there is room.
func (d *detail) facts(m *Model, w int) []string {
	vm := d.vm
	pairs := [][2]string{
		{"Power", powerWord(d.row)}, {"Host", vm.Host},
		{"CPUs", fmt.Sprintf("%d, %d a socket", vm.CPUs, max(1, vm.CoresPerSocket))}, {"Datacenter", vm.Datacenter},
		{"Memory", sdk.FormatBytes(vm.MemoryMB << 20)}, {"Pool", lastName(vm.ResourcePool)},
		{"Firmware", firmware(vm)}, {"Datastore", vm.Datastore},
		{"Guest", vm.GuestFullName}, {"VMware Tools", toolsWord(vm.ToolsStatus)},
		{"Hostname", vm.Hostname}, {"IP", vm.IPAddress},
	}
	var lines []string
	cell := func(p [2]string, w int) string {
		value := sdk.Printable(p[1])
		if value == "" {
			value = "-"
		}
		return m.st.dim.Render(fit(p[0], 13)) + fit(value, max(1, w-13))
	}
	lines = append(lines, "")
	for i := 0; i < len(pairs); i += 2 {
		if w >= 70 {
			half := (w - 2) / 2
			lines = append(lines, " "+cell(pairs[i], half-1)+" "+cell(pairs[i+1], w-2-half))
			continue
		}
		lines = append(lines, " "+cell(pairs[i], w-2), " "+cell(pairs[i+1], w-2))
	}
	lines = append(lines, " "+cell([2]string{"Path", vm.Path}, w-2), " "+cell([2]string{"Reference", vm.Ref + ", instance UUID " + vm.InstanceUUID}, w-2))
	if vm.Annotation != "" {
		lines = append(lines, " "+cell([2]string{"Annotation", vm.Annotation}, w-2))
	}
	return lines
}

func firmware(vm *vsphere.VM) string {
	text := strings.ToUpper(vm.Firmware)
	if vm.SecureBoot {
		text += ", secure boot"
	}
	if vm.TPM {
		text += ", TPM"
	}
	return text
}

// toolsWord is the state of VMware Tools without vSphere's prefix.
func toolsWord(status string) string {
	switch status {
	case "guestToolsRunning":
		return "running"
	case "guestToolsNotRunning":
		return "not running"
	}
	return status
}

// grid is a small table with its title. The last column takes what is left.
func (m *Model) grid(title string, w int, none string, head []string, rows [][]string) []string {
	lines := []string{"", " " + m.st.strong.Render(title)}
	if len(rows) == 0 {
		return append(lines, "   "+m.st.dim.Render(none))
	}
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], width(sdk.Printable(cell)))
		}
	}
	write := func(row []string) string {
		var b strings.Builder
		b.WriteString("   ")
		for i, cell := range row {
			b.WriteString(fit(sdk.Printable(cell), min(widths[i], 40)) + "  ")
		}
		return clip(strings.TrimRight(b.String(), " "), w)
	}
	lines = append(lines, m.st.head.Render(write(head)))
	for _, row := range rows {
		lines = append(lines, write(row))
	}
	return lines
}

func (d *detail) disks(m *Model, w int) []string {
	var rows [][]string
	for _, disk := range d.vm.Disks {
		kind := "thick"
		switch {
		case disk.RDM:
			kind = "raw device"
		case disk.Thin:
			kind = "thin"
		}
		rows = append(rows, []string{disk.Address, fitRight(sdk.FormatBytes(disk.CapacityBytes), 8), kind, disk.Controller, disk.File})
	}
	return m.grid("Disks", w, "none", []string{"ADDRESS", fitRight("SIZE", 8), "KIND", "CONTROLLER", "FILE"}, rows)
}

func (d *detail) adapters(m *Model, w int) []string {
	ips := map[string]string{}
	for _, g := range d.vm.GuestNICs {
		ips[g.MAC] = strings.Join(g.IPs, " ")
	}
	var rows [][]string
	for _, nic := range d.vm.NICs {
		on := "no"
		if nic.Connected {
			on = "yes"
		}
		rows = append(rows, []string{nic.MAC, nic.Type, on, nic.Network, ips[nic.MAC]})
	}
	return m.grid("Network adapters", w, "none", []string{"MAC", "TYPE", "LINK", "NETWORK", "ADDRESSES"}, rows)
}

func (d *detail) snapshots(m *Model, w int) []string {
	var rows [][]string
	for _, s := range d.vm.Snapshots {
		now := ""
		if s.Current {
			now = "current"
		}
		rows = append(rows, []string{s.Created.In(m.opts.Location).Format("2006-01-02 15:04"), now, s.Path, s.Description})
	}
	return m.grid("Snapshots", w, "none", []string{"CREATED", "", "PATH", "DESCRIPTION"}, rows)
}

// findings is what pre-flight can say of the VM alone.
func (d *detail) findings(m *Model, w int) []string {
	lines := []string{"", " " + m.st.strong.Render("Findings for a migration")}
	found := checks.Check(checks.Input{VM: d.vm, Plan: checks.Plan{Name: d.vm.Name, FreeBytes: -1, Fix: true}})
	for _, f := range found {
		for i, line := range wrap(sdk.Printable(f.Text)+" -> "+sdk.Printable(f.Action), w-14) {
			word := ""
			if i == 0 {
				word = string(f.Severity)
			}
			lines = append(lines, "   "+m.st.severity(string(f.Severity)).Render(fit(word, 8))+" "+line)
		}
	}
	if len(found) == 0 {
		lines = append(lines, "   "+m.st.dim.Render("none about the VM itself; pre-flight (x) also looks at the target"))
	}
	return lines
}

func (d *detail) foot(m *Model) string {
	if d.err != nil && d.vm != nil {
		return m.st.warn.Render("not read again: " + explain(d.err))
	}
	if more := d.win.n - d.win.first - d.win.height; more > 0 {
		return m.st.dim.Render(count(more, "more line") + " below")
	}
	return ""
}
