package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var update = flag.Bool("update", false, "rewrite the golden screens")

// noon is the time of every golden screen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fake is a Backend that a test plays.
type fake struct {
	mu      sync.Mutex
	inv     Inventory
	changed chan struct{}

	vm       *vsphere.VM
	vmErr    error
	places   Places
	samples  chan *vsphere.Metrics
	events   chan vsphere.Event
	streamed error // of a stream, once its channel is closed
	ops      []vsphere.VMOperation
	refs     []vsphere.VMRef
	clones   []vsphere.CloneSpec
	do       func(ctx context.Context, name string, report sdk.ProgressFunc) error
	plan     func(migrate.Spec) (*migrate.Plan, error)
	migrated []migrate.Spec
}

func newFake(vms ...*vsphere.VMSummary) *fake {
	f := &fake{changed: make(chan struct{}), samples: make(chan *vsphere.Metrics, 10), events: make(chan vsphere.Event, 100)}
	f.do = func(context.Context, string, sdk.ProgressFunc) error { return nil }
	f.show(vms, nil)
	return f
}

// show changes what there is.
func (f *fake) show(vms []*vsphere.VMSummary, lost error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inv = Inventory{
		Server: "vc.example", VMs: vms, Generation: f.inv.Generation + 1, Version: f.inv.Version + 1, Loaded: true,
		Since: noon.Add(-42 * time.Second), Lost: lost,
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) Inventory(ctx context.Context, seen uint64) (Inventory, error) {
	for {
		f.mu.Lock()
		inv, changed := f.inv, f.changed
		f.mu.Unlock()
		if inv.Generation != seen {
			return inv, nil
		}
		select {
		case <-ctx.Done():
			return Inventory{}, ctx.Err()
		case <-changed:
		}
	}
}

func (f *fake) VM(context.Context, string) (*vsphere.VM, error) { return f.vm, f.vmErr }
func (f *fake) Places(context.Context) (Places, error)          { return f.places, nil }

func (f *fake) Metrics(ctx context.Context, _ string, use func(*vsphere.Metrics)) error {
	return pour(ctx, f.samples, use, f.streamed)
}

func (f *fake) Events(ctx context.Context, _ string, use func(vsphere.Event)) error {
	return pour(ctx, f.events, use, f.streamed)
}

func pour[T any](ctx context.Context, from chan T, use func(T), end error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case item, more := <-from:
			if !more {
				return end
			}
			use(item)
		}
	}
}

func (f *fake) item(name string) sdk.BulkItem {
	return sdk.BulkItem{Name: name, Do: func(ctx context.Context, report sdk.ProgressFunc) error { return f.do(ctx, name, report) }}
}

func (f *fake) Items(op vsphere.VMOperation, vms []vsphere.VMRef) []sdk.BulkItem {
	f.ops, f.refs = append(f.ops, op), vms
	var items []sdk.BulkItem
	for _, vm := range vms {
		items = append(items, f.item(vm.Name))
	}
	return items
}

func (f *fake) Clone(specs []vsphere.CloneSpec) ([]sdk.BulkItem, error) {
	f.clones = specs
	var items []sdk.BulkItem
	for _, spec := range specs {
		items = append(items, f.item(spec.TargetName))
	}
	return items, nil
}

func (f *fake) Preflight(_ context.Context, spec migrate.Spec) (*migrate.Plan, error) {
	if f.plan == nil {
		return &migrate.Plan{Name: spec.Name, Dir: spec.Dir, FreeBytes: -1}, nil
	}
	return f.plan(spec)
}

func (f *fake) Migrate(spec migrate.Spec) sdk.BulkItem {
	f.migrated = append(f.migrated, spec)
	return f.item(spec.Name)
}

// player runs a Model as bubbletea would, but in the test's own time.
type player struct {
	t    *testing.T
	m    *Model
	msgs chan tea.Msg
	quit bool
}

func play(t *testing.T, f *fake, w, h int) *player {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	p := &player{t: t, msgs: make(chan tea.Msg)}
	p.m = New(ctx, f, Options{Dir: t.TempDir(), TargetDir: "/srv/kvm/{name}", Location: time.UTC})
	p.m.now = func() time.Time { return noon }
	p.start(p.m.Init())
	p.send(tea.WindowSizeMsg{Width: w, Height: h})
	p.await("vc.example  live")
	return p
}

// start runs a command beside the test; its message comes with await.
func (p *player) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	ctx := p.t.Context()
	go func() {
		msg := cmd()
		select {
		case p.msgs <- msg:
		case <-ctx.Done():
		}
	}()
}

func (p *player) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			p.start(cmd)
		}
		return
	case tea.QuitMsg:
		p.quit = true
		return
	}
	_, cmd := p.m.Update(msg)
	p.start(cmd)
}

// press sends keys: names as bubbletea has them, or a text in letters.
func (p *player) press(keys ...string) *player {
	for _, k := range keys {
		p.send(keyOf(k))
	}
	return p
}

// write types a text.
func (p *player) write(text string) *player {
	for _, r := range text {
		p.press(string(r))
	}
	return p
}

func keyOf(name string) tea.KeyPressMsg {
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
		"right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1,
		"backspace": tea.KeyBackspace,
	}
	switch {
	case name == "space":
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	case name == " ":
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	case name == "shift+tab":
		return tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift}
	case strings.HasPrefix(name, "ctrl+"):
		return tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
	case named[name] != 0:
		return tea.KeyPressMsg{Code: named[name]}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// screen is what one sees, without colours, and without blanks at the ends of lines.
func (p *player) screen() string {
	lines := strings.Split(ansi.Strip(p.m.View().Content), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// until takes messages until the condition holds.
func (p *player) until(what string, is func() bool) *player {
	p.t.Helper()
	deadline := time.After(20 * time.Second)
	for !is() {
		select {
		case msg := <-p.msgs:
			p.send(msg)
		case <-deadline:
			p.t.Fatalf("waited for %s; the screen is\n%s", what, p.screen())
		}
	}
	return p
}

// await takes messages until the screen holds the text.
func (p *player) await(text string) *player {
	p.t.Helper()
	return p.until(fmt.Sprintf("%q", text), func() bool { return strings.Contains(p.screen(), text) })
}

// want fails unless the screen holds the texts.
func (p *player) want(texts ...string) *player {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.screen(), text) {
			p.t.Errorf("no %q on the screen:\n%s", text, p.screen())
		}
	}
	return p
}

// wantNot fails when the screen holds one of the texts.
func (p *player) wantNot(texts ...string) *player {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.screen(), text) {
			p.t.Errorf("%q is on the screen:\n%s", text, p.screen())
		}
	}
	return p
}

// golden compares the screen with testdata/name.golden, and checks that no line is wider or higher than the terminal.
func (p *player) golden(name string) *player {
	p.t.Helper()
	got := p.screen()
	lines := strings.Split(p.m.View().Content, "\n")
	if len(lines) != p.m.h {
		p.t.Errorf("%s has %d lines in a terminal of %d", name, len(lines), p.m.h)
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > p.m.w {
			p.t.Errorf("%s: a line of %d cells in a terminal of %d: %q", name, w, p.m.w, line)
		}
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got+"\n"), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	if got+"\n" != string(want) {
		p.t.Errorf("%s differs; got\n%s\nwant\n%s", name, got, want)
	}
	return p
}

// vms are some that differ in all that the list shows.
func vms() []*vsphere.VMSummary {
	gib := func(gb float64) []vsphere.VMDisk { return []vsphere.VMDisk{{Address: "scsi0:0", CapacityGB: gb}} }
	nic := func(network string) []vsphere.VMNIC {
		return []vsphere.VMNIC{{Label: "Network adapter 1", Network: network}}
	}
	return []*vsphere.VMSummary{
		{Ref: "vm-1", Name: "web-1", Path: "/DC0/vm/web-1", PowerState: "poweredOn", ConnectionState: "connected", CPUs: 2, MemoryMB: 4096, Disks: gib(40),
			IPAddresses: []string{"10.0.0.11"}, Host: "esxi-01", ResourcePool: "/DC0/host/C0/Resources/prod", GuestFullName: "Debian GNU/Linux 12 (64-bit)",
			NICs: nic("VM Network"), Snapshots: []string{"base"}},
		{Ref: "vm-2", Name: "web-10", Path: "/DC0/vm/web-10", PowerState: "poweredOn", ConnectionState: "connected", CPUs: 2, MemoryMB: 4096, Disks: gib(40),
			IPAddresses: []string{"10.0.0.2"}, Host: "esxi-02", ResourcePool: "/DC0/host/C0/Resources/prod", GuestFullName: "Debian GNU/Linux 12 (64-bit)", NICs: nic("VM Network")},
		{Ref: "vm-3", Name: "web-2", Path: "/DC0/vm/web-2", PowerState: "poweredOff", ConnectionState: "connected", CPUs: 16, MemoryMB: 131072, Disks: gib(2048),
			Host: "esxi-01", ResourcePool: "/DC0/host/C0/Resources/dev", GuestFullName: "Microsoft Windows Server 2019 (64-bit)", NICs: nic("DMZ")},
		{Ref: "vm-4", Name: "データベース-01", Path: "/DC0/vm/db", PowerState: "suspended", ConnectionState: "connected", CPUs: 8, MemoryMB: 65536, Disks: gib(500),
			IPAddresses: []string{"fd00::1"}, Host: "esxi-01", ResourcePool: "/DC0/host/C0/Resources/prod", GuestFullName: "Red Hat Enterprise Linux 9"},
		{Ref: "vm-5", Name: "evil\x1b[2J\u202ename", Path: "/DC0/vm/evil", PowerState: "poweredOn", ConnectionState: "disconnected", Host: "esxi-03"},
		{Ref: "vm-6", Name: "debian-12", Path: "/DC0/vm/debian-12", PowerState: "poweredOff", ConnectionState: "connected", Template: true, CPUs: 1, MemoryMB: 1024,
			Disks: gib(8), Host: "esxi-01", GuestFullName: "Debian GNU/Linux 12 (64-bit)"},
		{Ref: "vm-7", Name: "a-name-that-is-as-long-as-vsphere-lets-it-be-which-is-eighty-characters-in-all-77", Path: "/DC0/vm/long", PowerState: "poweredOn",
			ConnectionState: "connected", CPUs: 1, MemoryMB: 512, Disks: gib(0.5), IPAddresses: []string{"192.168.100.200"}, Host: "esxi-host-with-a-long-name.example.org",
			ResourcePool: "/DC0/host/C0/Resources", GuestFullName: "Other"},
	}
}

var errDown = errors.New("dial tcp 192.0.2.1:443: connect: connection refused")

// equal fails unless got is want.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
