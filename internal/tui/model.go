package tui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	inventoryPause = 300 * time.Millisecond // between two redraws that changes of the inventory cause
	ageTick        = time.Second            // while vCenter is lost its data's age is shown
)

// screen is what fills the terminal between the bar and the foot.
type screen interface {
	// title is its name in the bar.
	title() string
	// keys are those that work, the most wanted first.
	keys(k *keymap) []key.Binding
	// update takes a message: keys only while it is the top one, everything else always.
	update(m *Model, msg tea.Msg) tea.Cmd
	// body draws it in at most h lines of at most w cells.
	body(m *Model, w, h int) []string
	// foot is its line above the keys; empty: none to say.
	foot(m *Model) string
	// typing says that letters are text and no keys.
	typing() bool
	// close ends what it has going.
	close()
}

// Model is the whole UI, for bubbletea.
type Model struct {
	backend Backend
	opts    Options
	life    func() context.Context // ends with the UI
	now     func() time.Time

	k       *keymap
	st      *styles
	profile colorprofile.Profile
	light   bool
	w, h    int

	inv    Inventory
	table  *table
	ended  error // why the inventory is not followed any more
	ticks  bool  // a tick is under way
	notice string

	list  *vmList
	stack []screen // above the list
	works []*work
	quit  bool // as soon as no work runs
}

// New makes the UI. It ends with ctx.
func New(ctx context.Context, backend Backend, opts Options) *Model {
	m := &Model{
		backend: backend, opts: opts.withDefaults(), life: func() context.Context { return ctx }, now: time.Now,
		k: newKeymap(), profile: colorprofile.ASCII, w: 80, h: 24, table: newTable(nil),
	}
	m.restyle()
	m.list = newVMList()
	return m
}

func (m *Model) restyle() { m.st = newStyles(m.profile, !m.light) }

// Init begins to follow the inventory.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.follow(0), tea.RequestBackgroundColor) }

// inventoryMsg is news of the inventory, prepared for the list.
type inventoryMsg struct {
	inv   Inventory
	table *table
	err   error
}

type (
	followMsg  struct{} // it is time to wait for the next news
	tickMsg    struct{}
	changedMsg struct{} // VMs changed
)

// follow waits for the next news. The list is prepared here, beside the UI, so that keys need not wait for it.
func (m *Model) follow(seen uint64) tea.Cmd {
	ctx, backend, had, hadVersion := m.life(), m.backend, m.table, m.inv.Version
	return func() tea.Msg {
		inv, err := backend.Inventory(ctx, seen)
		if err != nil {
			return inventoryMsg{err: err}
		}
		if inv.Version == hadVersion && len(inv.VMs) == len(had.rows) {
			return inventoryMsg{inv: inv, table: had}
		}
		return inventoryMsg{inv: inv, table: newTable(inv.VMs)}
	}
}

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
		return m, nil
	case tea.ColorProfileMsg:
		m.profile = msg.Profile
		m.restyle()
		return m, nil
	case tea.BackgroundColorMsg:
		m.light = !msg.IsDark()
		m.restyle()
		return m, nil
	case inventoryMsg:
		return m, m.learn(msg)
	case followMsg:
		return m, m.follow(m.inv.Generation)
	case tickMsg:
		m.ticks = false
		return m, m.tick()
	case workMsg:
		return m, m.progressed(msg)
	case tea.KeyPressMsg:
		return m, m.press(msg)
	case tea.PasteMsg:
		return m, m.top().update(m, msg)
	}
	var cmds []tea.Cmd
	for _, s := range m.screens() {
		cmds = append(cmds, s.update(m, msg))
	}
	return m, tea.Batch(cmds...)
}

func (m *Model) learn(msg inventoryMsg) tea.Cmd {
	if msg.err != nil {
		if m.life().Err() == nil {
			m.ended = msg.err
		}
		return nil
	}
	m.inv = msg.inv
	var cmds []tea.Cmd
	if m.table != msg.table {
		m.table = msg.table
		m.list.refresh(m.table)
		for _, s := range m.stack {
			cmds = append(cmds, s.update(m, changedMsg{}))
		}
	}
	return tea.Batch(append(cmds, m.tick(), tea.Tick(inventoryPause, func(time.Time) tea.Msg { return followMsg{} }))...)
}

// row is the VM as it is now; nil when it is gone.
func (m *Model) row(ref string) *vsphere.VMSummary {
	if i, there := m.table.byRef[ref]; there {
		return m.table.rows[i].vm
	}
	return nil
}

// tick draws again in a second while there is something whose age is shown: nothing moves when nothing happens.
func (m *Model) tick() tea.Cmd {
	if m.ticks || m.inv.Lost == nil && !m.working() {
		return nil
	}
	m.ticks = true
	return tea.Tick(ageTick, func(time.Time) tea.Msg { return tickMsg{} })
}

func (m *Model) press(msg tea.KeyPressMsg) tea.Cmd {
	m.notice = ""
	top := m.top()
	switch {
	case msg.String() == "ctrl+c", is(msg, m.k.Quit) && !top.typing():
		return m.leave()
	case is(msg, m.k.Refresh):
		return tea.ClearScreen
	case msg.String() == "f1", is(msg, m.k.Help) && !top.typing():
		if _, open := top.(*help); open {
			break
		}
		return m.push(newHelp(m, top))
	case is(msg, m.k.Operations) && !top.typing() && m.showsWork() == nil:
		return m.openWork()
	}
	return top.update(m, msg)
}

// leave quits, and asks first when work is under way.
func (m *Model) leave() tea.Cmd {
	if !m.working() {
		return tea.Quit
	}
	if _, asked := m.top().(*leaving); asked {
		return nil
	}
	return m.push(&leaving{})
}

func (m *Model) screens() []screen { return append([]screen{m.list}, m.stack...) }

func (m *Model) top() screen {
	if len(m.stack) == 0 {
		return m.list
	}
	return m.stack[len(m.stack)-1]
}

// starter is a screen that has something to do when it is opened.
type starter interface{ start(m *Model) tea.Cmd }

func (m *Model) push(s screen) tea.Cmd {
	m.stack = append(m.stack, s)
	if s, ok := s.(starter); ok {
		return s.start(m)
	}
	return nil
}

// pop closes the top screen.
func (m *Model) pop() {
	if n := len(m.stack); n > 0 {
		m.stack[n-1].close()
		m.stack = m.stack[:n-1]
	}
}

// home closes all screens above the list.
func (m *Model) home() {
	for len(m.stack) > 0 {
		m.pop()
	}
}

// say shows one line until the next key.
func (m *Model) say(text string) { m.notice = text }
