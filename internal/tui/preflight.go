package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	checks "github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/preflight"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// preflights is how many VMs are looked at together.
const preflights = 4

// preflight shows what would stop migrations, and what they would do, before they begin.
type preflight struct {
	vms     []*vsphere.VMSummary
	specs   []migrate.Spec
	limit   int
	ignore  []string // ids of findings that shall not stop it
	plans   []*migrate.Plan
	errs    []error
	known   int
	feed    *feed[planned]
	stop    context.CancelFunc
	wait    tea.Cmd
	win     window
	printed []preflightLine
}

// planned is the answer about one VM.
type planned struct {
	i    int
	plan *migrate.Plan
	err  error
}

// preflightLine is a line of the screen. id is of the finding that it is about.
type preflightLine struct {
	text, id string
	style    sdk.Severity
	strong   bool
}

func newPreflight(vms []*vsphere.VMSummary, specs []migrate.Spec, limit int) *preflight {
	n := len(specs)
	return &preflight{
		vms: vms, specs: specs, limit: limit, plans: make([]*migrate.Plan, n), errs: make([]error, n), feed: newFeed[planned](n), stop: func() {},
	}
}

func (p *preflight) title() string { return "Pre-flight" }
func (p *preflight) typing() bool  { return false }
func (p *preflight) close()        { p.stop() }

func (p *preflight) keys(k *keymap) []key.Binding {
	return []key.Binding{bind("Enter", "start"), k.Ignore, k.Down, k.Up, k.Back}
}

func (p *preflight) help(k *keymap) []section {
	return []section{{"Pre-flight", []key.Binding{bind("Enter", "start the migrations that nothing stops"), k.Ignore}}}
}

func (p *preflight) start(m *Model) tea.Cmd {
	ctx, stop := context.WithCancel(m.life())
	p.stop = stop
	backend, specs := m.backend, p.specs
	p.wait = p.feed.wait(ctx)
	return tea.Batch(p.wait, p.feed.run(ctx, func(ctx context.Context, use func(planned)) error {
		items := make([]sdk.BulkItem, len(specs))
		for i, spec := range specs {
			items[i] = sdk.BulkItem{Name: spec.Name, Do: func(ctx context.Context, _ sdk.ProgressFunc) error {
				plan, err := backend.Preflight(ctx, spec)
				use(planned{i, plan, err})
				return nil
			}}
		}
		_, err := sdk.RunBulk(ctx, "pre-flight", preflights, items, nil)
		return err
	}))
}

func (p *preflight) update(m *Model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case fed[planned]:
		if msg.from != p.feed {
			return nil
		}
		for _, answer := range msg.items {
			p.plans[answer.i], p.errs[answer.i] = answer.plan, answer.err
			p.known++
		}
		if !msg.ended {
			return p.wait
		}
	case tea.KeyPressMsg:
		return p.press(m, msg)
	}
	return nil
}

func (p *preflight) press(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case p.win.key(m.k, msg):
	case is(msg, m.k.Back):
		m.pop()
	case is(msg, m.k.Ignore):
		p.toggle(m)
	case msg.String() == "enter":
		return p.begin(m)
	}
	return nil
}

// toggle lets the finding under the cursor pass, or not any more.
func (p *preflight) toggle(m *Model) {
	if p.win.at >= len(p.printed) || p.printed[p.win.at].id == "" {
		m.say("put the cursor on a finding to ignore it")
		return
	}
	id := p.printed[p.win.at].id
	if i := slices.Index(p.ignore, id); i >= 0 {
		p.ignore = slices.Delete(p.ignore, i, i+1)
	} else {
		p.ignore = append(p.ignore, id)
	}
}

// begin starts what nothing stops.
func (p *preflight) begin(m *Model) tea.Cmd {
	if p.known < len(p.specs) {
		m.say("not all VMs were looked at yet")
		return nil
	}
	var items []sdk.BulkItem
	for i, spec := range p.specs {
		if !p.stopped(i) {
			spec.Preflight.Ignore = slices.Clone(p.ignore)
			items = append(items, m.backend.Migrate(spec))
		}
	}
	if len(items) == 0 {
		m.say("every one would be stopped: do what the findings say, or ignore one with i")
		return nil
	}
	return m.begin("Migrate to KVM", p.limit, items)
}

// stopped says that migration i would not go through.
func (p *preflight) stopped(i int) bool {
	return p.errs[i] != nil || p.plans[i] == nil || len(checks.Blocking(p.plans[i].Findings, "", p.ignore)) > 0
}

// lines is everything there is to read.
func (p *preflight) lines(w int) []preflightLine {
	var lines []preflightLine
	for i, vm := range p.vms {
		head := clip(sdk.Printable(vm.Name), max(16, w/2))
		switch {
		case p.errs[i] != nil:
			lines = append(lines, preflightLine{text: head + ": cannot be looked at", strong: true})
			lines = append(lines, indented(blank(8), explain(p.errs[i]), "", sdk.Critical, w)...)
			continue
		case p.plans[i] == nil:
			lines = append(lines, preflightLine{text: head + ": looking …", strong: true})
			continue
		}
		lines = append(lines, preflightLine{text: head + ": " + p.verdict(i), strong: true})
		for _, f := range p.plans[i].Findings {
			mark := string(f.Severity)
			if slices.Contains(p.ignore, f.ID) {
				mark = "ignored"
			}
			lines = append(lines, indented(fit(mark, 8), sdk.Printable(f.Text)+" ["+f.ID+"]", f.ID, f.Severity, w)...)
			if f.Action != "" {
				lines = append(lines, indented(blank(8), "-> "+sdk.Printable(f.Action), f.ID, "", w)...)
			}
		}
	}
	return lines
}

// indented is a text under a word.
func indented(word, text, id string, severity sdk.Severity, w int) []preflightLine {
	var lines []preflightLine
	for _, line := range wrap(text, w-15) {
		lines = append(lines, preflightLine{text: "  " + word + " " + line, id: id, style: severity})
		word = blank(8)
	}
	return lines
}

// verdict sums a plan up.
func (p *preflight) verdict(i int) string {
	plan := p.plans[i]
	var parts []string
	if n := len(checks.Blocking(plan.Findings, "", p.ignore)); n > 0 {
		parts = append(parts, "STOPPED by "+count(n, "finding"))
	} else {
		parts = append(parts, "ready")
	}
	if plan.Resume != "" {
		parts = append(parts, "goes on at "+plan.Resume)
	}
	space := count(len(plan.Disks), "disk") + ", " + sdk.FormatBytes(plan.NeedBytes) + " at most"
	if plan.FreeBytes >= 0 {
		space += " of " + sdk.FormatBytes(plan.FreeBytes) + " free"
	}
	parts = append(parts, space)
	return strings.Join(parts, ", ")
}

func (p *preflight) body(m *Model, w, h int) []string {
	p.printed = p.lines(w)
	p.win.resize(len(p.printed), h-1)
	lines := []string{""}
	for i, to := p.win.rows(); i < to; i++ {
		l := p.printed[i]
		mark, style := "   ", m.st.severity(string(l.style))
		if i == p.win.at {
			mark = " > "
		}
		if l.strong {
			style = m.st.strong
		}
		lines = append(lines, mark+style.Render(clip(l.text, w-4)))
	}
	return lines
}

func (p *preflight) foot(m *Model) string {
	if p.known < len(p.specs) {
		return m.st.accent.Render(fmt.Sprintf("looked at %d of %d", p.known, len(p.specs)))
	}
	stopped := 0
	for i := range p.specs {
		if p.stopped(i) {
			stopped++
		}
	}
	text := m.st.good.Render(count(len(p.specs)-stopped, "VM") + " ready")
	if stopped > 0 {
		text += " · " + m.st.bad.Render(count(stopped, "VM")+" would be stopped and left out")
	}
	return text
}
