package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestList_Screens(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 12}, {200, 15}} {
		name := fmt.Sprintf("list-%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			play(t, newFake(vms()...), size[0], size[1]).press("space", "down", "space").golden(name)
		})
	}
}

func TestList_NothingThere(t *testing.T) {
	play(t, newFake(), 80, 24).want("This vCenter shows you no VMs.").press("enter", "m", "b", "x", "c", "space", "down").want("0 VMs")
}

// Every size draws exactly as many lines as there are, none too wide.
func TestList_EverySize(t *testing.T) {
	p := play(t, newFake(vms()...), 80, 24)
	for w := 1; w <= 130; w += 3 {
		for _, h := range []int{1, 2, 3, 4, 5, 24} {
			p.send(tea.WindowSizeMsg{Width: w, Height: h})
			lines := p.m.lines()
			if len(lines) != h {
				t.Fatalf("%dx%d: %d lines", w, h, len(lines))
			}
			for _, line := range lines {
				if got := width(line); got > w {
					t.Fatalf("%dx%d: a line of %d cells: %q", w, h, got, line)
				}
			}
		}
	}
}

func TestList_HostileNames(t *testing.T) {
	p := play(t, newFake(vms()...), 120, 24)
	if text := p.m.View().Content; strings.Contains(text, "\x1b[2J") || strings.Contains(text, "\u202e") {
		t.Error("a name drives the terminal")
	}
	p.want(`evil\x1b[2J\u202ename`)
}

// order are the names on the screen, from the top.
func order(p *player) []string {
	var names []string
	l := p.m.list
	for _, i := range l.shown {
		names = append(names, l.t.rows[i].vm.Ref)
	}
	return names
}

func TestList_Sort(t *testing.T) {
	p := play(t, newFake(vms()...), 120, 24)
	for _, step := range []struct {
		keys []string
		by   string
		want []string
	}{
		{nil, "NAME↑", []string{"vm-7", "vm-6", "vm-5", "vm-1", "vm-3", "vm-2", "vm-4"}},
		{[]string{"r"}, "NAME↓", []string{"vm-4", "vm-2", "vm-3", "vm-1", "vm-5", "vm-6", "vm-7"}},
		{[]string{"s"}, "POWER↑", []string{"vm-5", "vm-3", "vm-7", "vm-1", "vm-2", "vm-4", "vm-6"}},
		{[]string{"s"}, "CPU↓", []string{"vm-3", "vm-4", "vm-1", "vm-2", "vm-7", "vm-6", "vm-5"}},
		{[]string{"s"}, "MEMORY↓", []string{"vm-3", "vm-4", "vm-1", "vm-2", "vm-6", "vm-7", "vm-5"}},
		{[]string{"s"}, "DISK↓", []string{"vm-3", "vm-4", "vm-1", "vm-2", "vm-6", "vm-7", "vm-5"}},
		{[]string{"s"}, "IP↑", []string{"vm-2", "vm-1", "vm-7", "vm-4", "vm-6", "vm-5", "vm-3"}},
		{[]string{"s"}, "HOST↑", []string{"vm-6", "vm-1", "vm-3", "vm-4", "vm-2", "vm-5", "vm-7"}},
		{[]string{"s", "s", "s"}, "NAME↑", []string{"vm-7", "vm-6", "vm-5", "vm-1", "vm-3", "vm-2", "vm-4"}},
	} {
		p.press(step.keys...).want(step.by)
		equal(t, step.by, order(p), step.want)
	}
}

func TestList_Filter(t *testing.T) {
	p := play(t, newFake(vms()...), 120, 24)
	for _, step := range []struct {
		text string
		want []string
	}{
		{"WEB", []string{"vm-1", "vm-3", "vm-2"}},
		{"web-1", []string{"vm-1", "vm-2"}},
		{"web-?", []string{"vm-1", "vm-3"}},
		{"*-1*", []string{"vm-6", "vm-1", "vm-2"}},
		{"10.0.0.2", []string{"vm-2"}},
		{"windows off", []string{"vm-3"}},
		{"データ", []string{"vm-4"}},
		{"prod web", []string{"vm-1", "vm-2"}},
		{"nothing like it", nil},
	} {
		p.press("/", "ctrl+u").write(step.text).press("enter")
		equal(t, step.text, order(p), step.want)
	}
	p.want(`No VM matches "nothing like it"`).press("esc").wantNot("No VM matches")
	p.press("/").write("web").press("esc")
	equal(t, "esc takes the filter back", len(order(p)), 7)
	p.press("/").write("web-1")
	p.press("backspace", "backspace")
	equal(t, "a shorter text", len(order(p)), 3)
}

func TestList_SelectionSurvivesFilterAndRefresh(t *testing.T) {
	f := newFake(vms()...)
	p := play(t, f, 120, 24)
	p.press("/").write("web-1").press("enter", "a", "esc").want("2 selected")
	p.press("/").write("windows").press("enter").want("2 selected (2 not shown)")
	p.press("i").want("3 selected (2 not shown)").press("space").want("2 selected (2 not shown)")
	f.show(vms()[1:], nil) // vm-1 is gone
	p.until("the new inventory", func() bool { return len(p.m.table.rows) == 6 })
	var chosen []string // vm-1 is gone
	for _, vm := range p.m.list.targets() {
		chosen = append(chosen, vm.Ref)
	}
	equal(t, "selected", chosen, []string{"vm-2"})
	p.press("u").wantNot("selected")
	p.press("esc", "*").write("WEB-*").press("enter").want("2 VMs selected by WEB-*")
}

func TestList_CursorStaysOnItsVM(t *testing.T) {
	f := newFake(vms()...)
	p := play(t, f, 120, 24).press("end", "up") // web-10
	before := p.m.list.current().vm.Ref
	p.press("s", "s")
	equal(t, "after a sort", p.m.list.current().vm.Ref, before)
	more := append([]*vsphere.VMSummary{{Ref: "vm-0", Name: "aaa", PowerState: "poweredOn"}}, vms()...)
	f.show(more, nil)
	p.until("the new inventory", func() bool { return len(p.m.table.rows) == 8 })
	equal(t, "after a refresh", p.m.list.current().vm.Ref, before)
	p.press("/").write("web")
	equal(t, "in a filter", p.m.list.current().vm.Ref, before)
	p.write("-2")
	equal(t, "what a filter hides it leaves", p.m.list.current().vm.Ref, "vm-3")
}

func TestLost_BannerAndBack(t *testing.T) {
	f := newFake(vms()...)
	p := play(t, f, 100, 24)
	f.show(vms(), errDown)
	p.await("vCenter is not reached, trying again; this is 42 s old: dial tcp 192.0.2.1:443").want("lost").golden("lost-100x24")
	p.m.now = func() time.Time { return noon.Add(time.Minute) }
	p.await("this is 102 s old")
	f.show(vms(), nil)
	p.await("vc.example  live").wantNot("not reached")
}

// No line means by its colour what it does not also say.
func TestColours(t *testing.T) {
	p := play(t, newFake(vms()...), 100, 24).press("space")
	plain := p.screen()
	for _, profile := range []colorprofile.Profile{colorprofile.ASCII, colorprofile.ANSI, colorprofile.ANSI256, colorprofile.TrueColor} {
		for _, dark := range []bool{true, false} {
			p.m.profile, p.m.light = profile, !dark
			p.m.restyle()
			if got := p.screen(); got != plain {
				t.Errorf("with profile %v, dark %v the words differ:\n%s", profile, dark, got)
			}
		}
	}
	p.send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	if text := p.m.View().Content; strings.Contains(text, "\x1b[3") {
		t.Errorf("colours where there are none: %q", text)
	}
}

func TestHelp_NamesEveryKey(t *testing.T) {
	p := play(t, newFake(vms()...), 80, 24).press("?").golden("help-80x24")
	for _, s := range append(p.m.list.help(p.m.k), p.m.k.moves()) {
		for _, b := range s.keys {
			p.want(b.Help().Desc)
		}
	}
	p.press("?").want("NAME")
	p.press("b", "?").want("Modify Resource Pool").press("esc", "1", "?").wantNot("Everywhere").press("f1").want("Form").press("f1", "esc", "esc", "esc").want("NAME")
}

func TestQuit_AtOnceWhenNothingRuns(t *testing.T) {
	p := play(t, newFake(vms()...), 80, 24)
	p.press("q").until("the end", func() bool { return p.quit })
	p = play(t, newFake(vms()...), 80, 24).press("/").write("q").want("/q")
	p.press("ctrl+c").until("the end", func() bool { return p.quit })
}

func TestNaturalOrder(t *testing.T) {
	names := []string{"vm10", "vm2", "vm1", "vm1a", "vm", "vm100", "vm02", "a9", "db-3-2", "db-3-10"}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(naturally(a), naturally(b)) })
	want := []string{"a9", "db-3-2", "db-3-10", "vm", "vm1", "vm1a", "vm2", "vm02", "vm10", "vm100"}
	if slices.Index(names, "vm02") < slices.Index(names, "vm2") { // equal keys: either way
		i, j := slices.Index(names, "vm02"), slices.Index(names, "vm2")
		names[i], names[j] = names[j], names[i]
	}
	equal(t, "order", names, want)
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"web-*", "web-1", true}, {"web-?", "web-10", false}, {"*-0?", "db-01", true}, {"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false}, {"?", "デ", true}, {"web", "web-1", false}, {"", "x", false},
	} {
		equal(t, c.pattern+" "+c.name, glob(c.pattern, c.name), c.want)
	}
}
