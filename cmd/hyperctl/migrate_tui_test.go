package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// terminal is hyperctl in a real terminal: a tmux server of the test's own.
type terminal struct {
	t      *testing.T
	socket string
	dir    string
}

// openTerminal runs a command line in a terminal of so many cells.
func openTerminal(t *testing.T, v *demo.VCenter, w, h int, line string, env ...string) *terminal {
	t.Helper()
	need.Tools(t, "tmux")
	dir, err := os.MkdirTemp("", "ui") //nolint:usetesting // short: the path of a socket has room for 100 letters
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, socket: filepath.Join(dir, "s"), dir: dir}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = exec.CommandContext(ctx, "tmux", "-S", term.socket, "kill-server").Run() // it may have ended
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	cmd := exec.CommandContext(t.Context(), "tmux", "-S", term.socket, "-f", "/dev/null", "new-session", "-d",
		"-x", fmt.Sprint(w), "-y", fmt.Sprint(h), line+"; echo exit code $?; cat")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "TERM=xterm-256color",
		"HYPERSDK_VSPHERE_SERVER="+v.URL(), "HYPERSDK_VSPHERE_USERNAME="+v.Username(), "HYPERSDK_VSPHERE_PASSWORD="+v.Password(), "HYPERSDK_VSPHERE_CA_FILE="+v.CAFile())
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.CommandContext(term.t.Context(), "tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

func (term *terminal) screen() string { return term.tmux("capture-pane", "-p") }

// press sends keys by tmux's names, or letters.
func (term *terminal) press(keys ...string) *terminal {
	term.t.Helper()
	for _, key := range keys {
		term.tmux("send-keys", key)
	}
	return term
}

// write types a text.
func (term *terminal) write(text string) *terminal {
	term.t.Helper()
	term.tmux("send-keys", "-l", text)
	return term
}

// await polls until the screen holds all the texts.
func (term *terminal) await(texts ...string) *terminal {
	term.t.Helper()
	return term.until(fmt.Sprintf("%q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// until polls until the screen is as wanted.
func (term *terminal) until(what string, is func(screen string) bool) *terminal {
	term.t.Helper()
	deadline := time.After(time.Minute)
	poll := time.NewTicker(30 * time.Millisecond)
	defer poll.Stop()
	for {
		if is(term.screen()) {
			return term
		}
		select {
		case <-poll.C:
		case <-deadline:
			term.t.Fatalf("waited for %s; the screen is\n%s", what, term.screen())
		}
	}
}

// list is what the list of VMs, and no other screen, has at its foot.
const list = "Space select"

func demoVMs(t *testing.T) *demo.VCenter {
	return rig.VCenter(t, demo.Options{Hosts: 2, VMs: 5})
}

// Each key does in a real terminal what it says, and Esc leads back.
func TestUI_EachKey(t *testing.T) {
	v := demoVMs(t)
	term := openTerminal(t, v, 110, 30, "hyperctl migrate").await("DC0_C0_RP0_VM0", "5 VMs, 5 on", list)
	at := func(name string) func(string) bool { // the cursor is on the VM
		return regexp.MustCompile(`(?m)^> .. ?` + name + ` `).MatchString
	}
	for _, c := range []struct {
		name string
		keys []string
		want []string
		is   func(string) bool
	}{
		{name: "down", keys: []string{"Down"}, is: at("DC0_C0_RP0_VM1")},
		{name: "j", keys: []string{"j"}, is: at("DC0_C0_RP0_VM2")},
		{name: "up", keys: []string{"Up"}, is: at("DC0_C0_RP0_VM1")},
		{name: "k", keys: []string{"k"}, is: at("DC0_C0_RP0_VM0")},
		{name: "page down", keys: []string{"PageDown"}, is: at("DC0_C0_RP0_VM4")},
		{name: "page up", keys: []string{"PageUp"}, is: at("DC0_C0_RP0_VM0")},
		{name: "end", keys: []string{"End"}, is: at("DC0_C0_RP0_VM4")},
		{name: "home", keys: []string{"Home"}, is: at("DC0_C0_RP0_VM0")},
		{name: "space", keys: []string{"Space"}, want: []string{"1 selected", "  * DC0_C0_RP0_VM0"}},
		{name: "a", keys: []string{"a"}, want: []string{"5 selected"}},
		{name: "u", keys: []string{"u"}, is: func(s string) bool { return !strings.Contains(s, "selected") }},
		{name: "glob", keys: []string{"*", "*", "V", "M", "?", "Enter"}, want: []string{"5 VMs selected by *VM?"}},
		{name: "i", keys: []string{"i"}, is: func(s string) bool { return !strings.Contains(s, "selected") }},
		{name: "filter", keys: []string{"/", "v", "m", "3"}, want: []string{"/vm3", "1 of 5 shown"}, is: at("DC0_C0_RP0_VM3")},
		{name: "filter kept", keys: []string{"Enter"}, want: []string{`filter "vm3"`, list}},
		{name: "filter cleared", keys: []string{"Escape"}, want: []string{"5 VMs"}},
		{name: "sort", keys: []string{"s"}, want: []string{"POWER↑"}},
		{name: "reverse", keys: []string{"r"}, want: []string{"POWER↓"}},
		{name: "enter", keys: []string{"Home", "Enter"}, want: []string{"Network adapters", "Findings for a migration", "[LocalDS_0]"}},
		{name: "esc from details", keys: []string{"Escape"}, want: []string{list}},
		{name: "m", keys: []string{"m"}, want: []string{"Metrics of DC0_C0_RP0_VM", "CPU", "Memory", "Disk read", "Network out", "a sample every 20 s"}},
		{name: "w", keys: []string{"w"}, want: []string{"the last 60 min"}},
		{name: "e from metrics", keys: []string{"e"}, want: []string{"Events of DC0_C0_RP0_VM", "VmPoweredOnEvent"}},
		{name: "p", keys: []string{"p"}, want: []string{"PAUSED"}},
		{name: "esc from events", keys: []string{"Escape"}, want: []string{list}},
		{name: "e", keys: []string{"e"}, want: []string{"Events of DC0_C0_RP0_VM", "VmCreatedEvent"}},
		{name: "back to the list", keys: []string{"Escape"}, want: []string{list}},
		{name: "c", keys: []string{"c"}, want: []string{"Clone 1 VM", "[ Clone ]"}},
		{name: "esc from a form", keys: []string{"Escape"}, want: []string{list}},
		{name: "b", keys: []string{"b"}, want: []string{"1  Clone VMs", "2  Create Snapshots", "3  Power Off VMs", "4  Delete VMs", "5  Modify Resource Pool", "6  Change Network"}},
		{name: "b 5", keys: []string{"5"}, want: []string{"Another resource pool", "known: "}},
		{name: "esc to the menu", keys: []string{"Escape"}, want: []string{"1  Clone VMs"}},
		{name: "esc from the menu", keys: []string{"Escape"}, want: []string{list}},
		{name: "x", keys: []string{"x"}, want: []string{"Migrate 1 VM", "qemu:///system", "From DC0_DVPG0"}},
		{name: "esc from the migration", keys: []string{"Escape"}, want: []string{list}},
		{name: "o", keys: []string{"o"}, want: []string{"no operation was begun yet"}},
		{name: "help", keys: []string{"?"}, want: []string{"Everywhere", "select by glob", "PgDn"}},
		{name: "esc from help", keys: []string{"Escape"}, want: []string{list}},
		{name: "draw again", keys: []string{"C-l"}, want: []string{list}},
		{name: "q", keys: []string{"q"}, want: []string{"exit code 0"}},
	} {
		ok := t.Run(c.name, func(t *testing.T) {
			term.t = t
			term.press(c.keys...).await(c.want...)
			if c.is != nil {
				term.until("the cursor or the selection", c.is)
			}
		})
		if !ok {
			t.Fatal("the keys after it are not tried")
		}
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("%d sessions are left behind", got)
	}
}

// The six bulk operations do their work at vCenter, and the list shows it without being asked.
func TestUI_BulkOperations(t *testing.T) {
	v := demoVMs(t)
	withClient(t, v, func(c *vsphere.Client) {
		if _, err := c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "production"}); err != nil {
			t.Fatal(err)
		}
	})
	term := openTerminal(t, v, 120, 30, "hyperctl migrate").await("5 VMs, 5 on")
	tabs := func(n int) { term.press(strings.Split(strings.Repeat("Tab,", n)+"Enter", ",")...) }
	term.press("Space", "Space").await("2 selected")

	term.press("b", "2", "C-u").write("before-tui")
	tabs(5)
	term.await("Ended after", "2 done").press("s").await("Save summary").press("C-u").write("out.txt").press("Enter", "Enter").await("saved as")
	if text, err := os.ReadFile(filepath.Join(term.dir, "out.txt")); err != nil || !strings.HasPrefix(string(text), "Create Snapshots: 2 succeeded\n") {
		t.Errorf("the summary: %q, %v", text, err)
	}
	term.press("Escape").await("2 selected")

	term.press("b", "1", "C-u").write("{name}-copy")
	tabs(8)
	term.await("Clone VMs", "Ended after", "2 done").press("Escape").await("DC0_C0_RP0_VM1-copy", "7 VMs")

	term.press("b", "5").write("production")
	tabs(2)
	term.await("Modify Resource Pool", "Ended after", "2 done").press("Escape").await("production", list)

	term.press("b", "3", "Tab", "Right", "Tab", "Tab", "Enter") // no Tools run in it: off hard
	term.await("Power Off VMs", "Ended after", "2 done").press("Escape").await("7 VMs, 3 on")

	term.press("b", "6", "Tab").write("VM Network")
	tabs(2)
	term.await("Change Network", "Ended after", "2 done").press("Escape").await(list)

	term.press("b", "4", "Tab", "Tab", "Tab").write("delete 3")
	tabs(1)
	term.await(`nothing is deleted: type "delete 2" to confirm`).press("Up", "C-u").write("delete 2")
	tabs(1)
	term.await("Delete VMs", "Ended after", "2 done").press("Escape").await("5 VMs, 3 on")

	term.press("q").await("Create Snapshots: 2 succeeded", "Clone VMs: 2 succeeded", "Delete VMs: 2 succeeded", "exit code 0")
	withClient(t, v, func(c *vsphere.Client) {
		vms, err := c.ListVMs(t.Context(), vsphere.Filter{})
		if err != nil || len(vms) != 5 {
			t.Fatalf("%d VMs, %v", len(vms), err)
		}
	})
}

// vCenter restarts under the UI: a banner says so, the data stays, and it goes on by itself.
func TestUI_LostAndBack(t *testing.T) {
	v := demoVMs(t)
	term := openTerminal(t, v, 120, 30, "hyperctl migrate").await("5 VMs, 5 on")
	end := v.Outage(true)
	term.await("vCenter is not reached, trying again", "DC0_C0_RP0_VM0")
	end()
	term.until("the banner to go", func(s string) bool { return !strings.Contains(s, "not reached") && strings.Contains(s, "live") })
	withClient(t, v, func(c *vsphere.Client) {
		vm, err := c.GetVM(t.Context(), "DC0_C0_RP0_VM0")
		if err == nil {
			err = c.PowerVM(t.Context(), vm, vsphere.ActionOff, time.Minute)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	term.await("5 VMs, 4 on").press("q").await("exit code 0")
}

// A terminal that is small, becomes large, and one without colours.
func TestUI_ResizeAndNoColour(t *testing.T) {
	v := demoVMs(t)
	term := openTerminal(t, v, 44, 10, "hyperctl migrate", "NO_COLOR=1").await("DC0_C0_RP0_VM0", "5 VMs")
	if screen := term.screen(); strings.Contains(screen, "MEMORY") && strings.Contains(screen, "GUEST") {
		t.Errorf("44 cells have no room for all columns:\n%s", screen)
	}
	term.tmux("resize-window", "-x", "150", "-y", "40")
	term.await("MEMORY", "GUEST", "HOST")
	if text := term.tmux("capture-pane", "-p", "-e"); regexp.MustCompile(`\x1b\[[0-9;]*(3[0-7]|38)[;m]`).MatchString(text) {
		t.Errorf("colours under NO_COLOR: %q", text)
	}
	term.tmux("resize-window", "-x", "20", "-y", "4")
	term.until("20 cells", func(s string) bool { return strings.Contains(s, "> ") && !strings.Contains(s, "HOST") })
	term.press("C-c").await("exit code 0")
}

// Quitting asks while work is under way, cancels it, and says what became of it.
func TestUI_QuitCancelsWork(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 2, VMs: 3, Faults: demo.Faults{CloneDelay: time.Hour}})
	term := openTerminal(t, v, 110, 30, "hyperctl migrate").await("3 VMs")
	term.press("a", "b", "1").await("Clone 3 VMs").press("Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
	term.await("3 running").press("q").await("3 of 3 under way").press("n").await("3 running").press("C-c").await("cancel and quit").press("y")
	term.await("Clone VMs: 0 succeeded, 3 canceled", "exit code 130")
}

// Without a terminal there is nothing to draw on.
func TestUI_NeedsATerminal(t *testing.T) {
	v := demoVMs(t)
	cmd, _, errs := program(t, v, "migrate")
	err := cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 2 {
		t.Errorf("exit code %d (%v), want 2", got, err)
	}
	if text := errs.String(); !strings.Contains(text, "the terminal UI needs a terminal") || !strings.Contains(text, "hint: name a VM") {
		t.Errorf("it says %q", text)
	}
}
