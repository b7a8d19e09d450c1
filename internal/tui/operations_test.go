package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// choose selects the three web servers and opens the bulk menu.
func choose(p *player) *player {
	return p.press("*").write("web-*").press("enter", "b").want("3 VMs: web-1, web-2, web-10")
}

func TestBulk_MenuHasTheSixNumbers(t *testing.T) {
	p := choose(play(t, newFake(vms()...), 80, 24)).golden("bulk-80x24")
	for i, name := range []string{"Clone VMs", "Create Snapshots", "Power Off VMs", "Delete VMs", "Modify Resource Pool", "Change Network"} {
		p.want(fmt.Sprintf("%d  %s", i+1, name))
		p.press(fmt.Sprint(i+1)).want("hyperctl  "+name, "3 VMs: web-1").press("esc").want("Bulk operations")
	}
	p.press("down", "up", "up", "enter").want("hyperctl  Delete VMs") // the cursor is on the last
}

func TestBulk_WithoutSelectionIsTheCurrentVM(t *testing.T) {
	play(t, newFake(vms()...), 80, 24).press("down", "b").want("1 VM: debian-12, under the cursor; none is selected")
}

// tab goes to the button and presses it.
func start(p *player, fields int) *player {
	for range fields {
		p.press("tab")
	}
	return p.press("enter")
}

func TestBulk_WhatIsOrdered(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want vsphere.VMOperation
	}{
		"snapshot": {append(append([]string{"2", "ctrl+u"}, letters("before")...), "tab", "tab", "right", "tab", "tab", "tab", "enter"),
			vsphere.VMSnapshotSpec{Name: "before", Memory: true}},
		"power off": {append(append([]string{"3", "ctrl+u"}, letters("90s")...), "tab", "space", "tab", "tab", "enter"),
			vsphere.VMPowerSpec{Action: vsphere.ActionShutdown, Timeout: 90 * time.Second, Force: true}},
		"delete": {append(append([]string{"4", "right", "tab", "tab", "tab"}, letters("delete 3")...), "enter", "enter"),
			vsphere.VMDeleteSpec{PowerOff: vsphere.PowerOffPolicy{ShutdownTimeout: 5 * time.Minute}}},
		"pool":    {append(append([]string{"5"}, letters("prod")...), "tab", "tab", "enter"), vsphere.VMPoolSpec{ResourcePool: "prod"}},
		"network": {append(append([]string{"6", "right", "tab"}, letters("VLAN 7")...), "tab", "tab", "enter"), vsphere.VMNetworkSpec{Network: "VLAN 7", From: "DMZ"}},
		"network of all": {append(append([]string{"6", "tab"}, letters("VLAN 7")...), "tab", "tab", "enter"),
			vsphere.VMNetworkSpec{Network: "VLAN 7", NIC: vsphere.AllNICs}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(vms()...)
			p := choose(play(t, f, 80, 24)).press(c.keys...)
			p.await("Ended after 0:00: 3 done")
			equal(t, "operation", f.ops, []vsphere.VMOperation{c.want})
			equal(t, "VMs", len(f.refs), 3)
		})
	}
}

func letters(text string) []string { return strings.Split(text, "") }

func TestBulk_Refusals(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want string
	}{
		"delete without the words": {[]string{"4", "tab", "tab", "tab", "tab", "enter"}, `nothing is deleted: type "delete 3" to confirm`},
		"delete with others":       {append(append([]string{"4", "tab", "tab", "tab"}, letters("delete 2")...), "tab", "enter"), `type "delete 3"`},
		"no pool":                  {[]string{"5", "tab", "tab", "enter"}, "no resource pool named"},
		"no network":               {[]string{"6", "tab", "tab", "tab", "enter"}, "no network named"},
		"no deadline":              {[]string{"3", "ctrl+u", "tab", "tab", "tab", "enter"}, `"" is no time`},
		"none at once":             {append(append([]string{"2", "tab", "tab", "tab", "tab", "ctrl+u"}, letters("0")...), "tab", "enter"), `"0" is no number from 1 to 64`},
		"memory and quiesce":       {[]string{"2", "tab", "tab", "right", "tab", "right", "tab", "tab", "enter"}, "memory and quiesce exclude each other"},
		"one name for all":         {append(append([]string{"1", "ctrl+u"}, letters("x")...), "tab", "tab", "tab", "tab", "tab", "tab", "tab", "tab", "enter"), `two clones would be called "x"`},
		"copies without n":         {append(append([]string{"1", "tab", "ctrl+u"}, letters("2")...), "tab", "tab", "tab", "tab", "tab", "tab", "tab", "enter"), "2 copies need {n}"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(vms()...)
			choose(play(t, f, 80, 24)).press(c.keys...).want(c.want)
			if len(f.ops)+len(f.clones) > 0 {
				t.Errorf("it was done nevertheless: %v %v", f.ops, f.clones)
			}
		})
	}
}

func TestClone_CopiesOfEach(t *testing.T) {
	f := newFake(vms()...)
	p := choose(play(t, f, 80, 24)).press("1", "ctrl+u").write("{name}-c{n}").press("tab", "ctrl+u").write("2").press("tab", "right", "tab").write("base")
	start(p, 5).await("6 done")
	equal(t, "clones", len(f.clones), 6)
	equal(t, "the fourth", f.clones[3], vsphere.CloneSpec{SourceVM: "vm-3", TargetName: "web-2-c2", LinkedClone: true, Snapshot: "base"})
}

func TestClone_CompletesPools(t *testing.T) {
	f := newFake(vms()...)
	f.places = Places{Pools: []string{"production", "dev"}}
	p := play(t, f, 80, 24).press("end", "c").want("Clone 1 VM")
	p.await("hyperctl  Clone VMs").press("tab", "tab", "tab", "tab").await("known: production, dev")
	p.write("pro").want("→ production").press("right").want("> Resource pool  production").golden("clone-80x24")
}

// A bar a VM: they run together under the limit, one is canceled alone, the others end.
func TestOperations_CancelOne(t *testing.T) {
	f := newFake(vms()...)
	let := make(chan struct{})
	f.do = func(ctx context.Context, name string, report sdk.ProgressFunc) error {
		report(sdk.Progress{Stage: "copy", Item: "disk-0", Done: 512 << 20, Total: 2 << 30, Unit: "bytes"})
		report(sdk.Progress{Stage: "copy", Item: "disk-1", Done: 512 << 20, Total: 2 << 30, Unit: "bytes"})
		select {
		case <-ctx.Done():
			return fmt.Errorf("copy: %w", ctx.Err())
		case <-let:
		}
		if name == "web-10" {
			return sdk.WithHint(sdk.Conflictf("it is \x1b[2J locked"), "unlock it")
		}
		return nil
	}
	p := choose(play(t, f, 80, 24)).press("2", "tab", "tab", "tab", "tab", "ctrl+u").write("2").press("tab", "enter")
	p.until("two running and one waiting", func() bool {
		s := p.screen()
		return strings.Count(s, "25%") == 2 && strings.Contains(s, "waiting")
	})
	p.golden("operation-80x24").want("1 operation running")
	p.press("x").until("the third's turn", func() bool {
		return strings.Contains(p.screen(), "canceled") && !strings.Contains(p.screen(), "waiting")
	})
	p.press("s").want("the summary can be saved when the operation has ended")
	close(let)
	p.await("Ended after 0:00: 1 done · 1 FAILED · 1 canceled").press("down", "down")
	p.want(`web-10: it is \x1b[2J locked; unlock it`).golden("summary-80x24")
	p.press("f").wantNot("web-2 ").want("web-1 ", "web-10 ").press("f", "esc").want("NAME").press("o").want("Ended after")
}

func TestOperations_CancelAll(t *testing.T) {
	f := newFake(vms()...)
	f.do = func(ctx context.Context, _ string, _ sdk.ProgressFunc) error { <-ctx.Done(); return ctx.Err() }
	p := choose(play(t, f, 80, 24)).press("2", "tab", "tab", "tab", "tab", "ctrl+u").write("1").press("tab", "enter")
	p.until("one that runs", func() bool { return strings.Contains(p.screen(), "running  ") })
	p.press("X").await("Ended after 0:00: 3 canceled")
}

func TestOperations_Save(t *testing.T) {
	f := newFake(vms()...)
	f.do = func(_ context.Context, name string, _ sdk.ProgressFunc) error {
		if name == "web-2" {
			return sdk.Skip("it is so already")
		}
		return nil
	}
	p := choose(play(t, f, 80, 24)).press("2", "tab", "tab", "tab", "tab", "tab", "enter").await("Ended")
	p.press("s").want("create-snapshots-20261123-120000.json").press("enter", "enter").await("saved as")
	data, err := os.ReadFile(filepath.Join(p.m.opts.Dir, "create-snapshots-20261123-120000.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sum Summary
	if err := json.Unmarshal(data, &sum); err != nil {
		t.Fatal(err)
	}
	equal(t, "counts", [4]int{sum.Total, sum.Succeeded, sum.Skipped, sum.Failed}, [4]int{3, 2, 1, 0})
	equal(t, "the skipped one", sum.Items[1], sdk.BulkOutcome{Name: "web-2", Status: sdk.Skipped, Message: "it is so already"})

	p.press("s", "enter", "enter").await("exists; give another name")
	p.press("up", "ctrl+u").write("sum.txt").press("enter", "enter").await("saved as")
	text, err := os.ReadFile(filepath.Join(p.m.opts.Dir, "sum.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := "Create Snapshots: 2 succeeded, 1 skipped\nStarted  2026-11-23T12:00:00Z\nFinished 2026-11-23T12:00:00Z\n\n" +
		"NAME    STATUS      SECONDS  MESSAGE\nweb-1   succeeded       0.0\nweb-2   skipped         0.0  it is so already\nweb-10  succeeded       0.0\n"
	equal(t, "text", string(text), want)
	p.press("s", "ctrl+u").write("no/such/dir").press("enter", "enter").await("such file or directory") // the line breaks before it
}

func TestQuit_AsksWhenWorkRuns(t *testing.T) {
	f := newFake(vms()...)
	f.do = func(ctx context.Context, _ string, _ sdk.ProgressFunc) error { <-ctx.Done(); return ctx.Err() }
	p := choose(play(t, f, 80, 24)).press("2", "tab", "tab", "tab", "tab", "tab", "enter")
	p.until("three that run", func() bool { return strings.Count(p.screen(), "running  ") >= 3 })
	p.press("q").want("Create Snapshots: 3 of 3 under way", "y cancel and quit").golden("quit-80x24")
	p.press("n").want("Create Snapshots").press("ctrl+c").want("cancel and quit").press("ctrl+c")
	if p.quit {
		t.Fatal("it quit without an answer")
	}
	p.press("y").until("the end", func() bool { return p.quit })
	if p.m.working() {
		t.Error("it quit while work ran")
	}
}

// What comes a thousand times a second is drawn a few times.
func TestOperations_RedrawsAreBounded(t *testing.T) {
	f := newFake(vms()...)
	const reports = 20000
	f.do = func(_ context.Context, _ string, report sdk.ProgressFunc) error {
		for i := range reports {
			report(sdk.Progress{Stage: "copy", Done: int64(i), Total: reports, Unit: "percent"})
		}
		return nil
	}
	p := choose(play(t, f, 80, 24)).press("2", "tab", "tab", "tab", "tab", "tab", "enter")
	news := 0
	deadline := time.After(20 * time.Second)
	for !strings.Contains(p.screen(), "Ended") {
		select {
		case msg := <-p.msgs:
			if _, ok := msg.(workMsg); ok {
				news++
			}
			p.send(msg)
		case <-deadline:
			t.Fatal("it does not end")
		}
	}
	if news > reports/100 {
		t.Errorf("%d redraws for %d reports", news, 3*reports)
	}
}
