package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func wholeVM() *vsphere.VM {
	return &vsphere.VM{
		Ref: "vm-1", Name: "web-1", Path: "/DC0/vm/web-1", Datacenter: "DC0", PowerState: "poweredOn", ConnectionState: "connected", Host: "esxi-01",
		GuestFullName: "Debian GNU/Linux 12 (64-bit)", GuestID: "debian12_64Guest", Hostname: "web-1.example.org", IPAddress: "10.0.0.11", ToolsStatus: "guestToolsRunning",
		Firmware: "uefi", SecureBoot: true, CPUs: 2, CoresPerSocket: 2, MemoryMB: 4096, Datastore: "LocalDS_0", ResourcePool: "/DC0/host/C0/Resources/prod",
		InstanceUUID: "92d04c2b-0142-5fa3-9cd0-fd78cc9971fc", Annotation: "first line\nsecond \x1b[31mline",
		Disks: []vsphere.Disk{
			{Address: "scsi0:0", Label: "Hard disk 1", Datastore: "LocalDS_0", CapacityBytes: 40 << 30, Thin: true, Controller: "pvscsi", File: "[LocalDS_0] web-1/web-1.vmdk", DatastoreAccessible: true, Mode: "persistent"},
			{Address: "scsi0:1", Label: "Hard disk 2", Datastore: "LocalDS_0", CapacityBytes: 2 << 40, RDM: true, Controller: "lsilogic", File: "[LocalDS_0] web-1/lun.vmdk", DatastoreAccessible: true},
		},
		NICs:      []vsphere.NIC{{MAC: "00:50:56:aa:bb:01", Type: "vmxnet3", Network: "VM Network", Connected: true}, {MAC: "00:50:56:aa:bb:02", Type: "e1000", Network: "DMZ"}},
		GuestNICs: []vsphere.GuestNIC{{MAC: "00:50:56:aa:bb:01", IPs: []string{"10.0.0.11", "fe80::1"}}},
		Snapshots: []vsphere.Snapshot{
			{Name: "base", Path: "base", Created: noon.Add(-48 * time.Hour), Description: "after the installation"},
			{Name: "patched", Path: "base/patched", Created: noon.Add(-time.Hour), Current: true},
		},
	}
}

func TestDetail(t *testing.T) {
	f := newFake(vms()...)
	f.vm = wholeVM()
	p := play(t, f, 100, 44).press("end", "up", "up", "up", "enter").await("Disks").golden("detail-100x44")
	if strings.Contains(p.m.View().Content, "\x1b[31mline") {
		t.Error("an annotation drives the terminal")
	}
	p.press("esc").want("NAME")

	p = play(t, f, 80, 24).press("end", "up", "up", "up", "enter").await("more lines below").golden("detail-80x24")
	p.press("end").want("is running (power state poweredOn)").wantNot("more lines below")
	for key, title := range map[string]string{"m": "Metrics of web-1", "e": "Events of web-1", "c": "Clone 1 VM: web-1", "x": "Migrate 1 VM: web-1"} {
		p.press(key).want(title).press("esc").want("hyperctl  web-1")
	}
}

func TestDetail_ReadAgainWhenTheVMChanges(t *testing.T) {
	f := newFake(vms()...)
	f.vm = wholeVM()
	p := play(t, f, 100, 44).press("end", "up", "up", "up", "enter").await("EFI")
	f.vm = wholeVM()
	f.vm.Hostname = "renamed.example.org"
	f.show(vms(), nil)
	p.await("renamed.example.org")
}

func TestDetail_ErrorSaysWhatToDo(t *testing.T) {
	f := newFake(vms()...)
	f.vmErr = sdk.WithHint(sdk.NotFoundf("VM vm-1 does not exist"), "look at the list again")
	play(t, f, 80, 24).press("enter").await("VM vm-1 does not exist; look at the list again")
}

func TestMetrics_NoSamples(t *testing.T) {
	f := newFake(vms()...)
	f.samples <- &vsphere.Metrics{Missing: map[string]string{"cpu_percent": "the VM is off", "net_rx_mbps": "the VM is off"}}
	p := play(t, f, 80, 24).press("m").await("vCenter has no samples of this VM.").want("the VM is off")
	equal(t, "each reason once", strings.Count(p.screen(), "the VM is off"), 1)
}

func TestMetrics_ErrorStays(t *testing.T) {
	f := newFake(vms()...)
	f.streamed = sdk.NotFoundf("the VM is gone")
	close(f.samples)
	play(t, f, 80, 24).press("m").await("! the VM is gone")
}

// metricsOf are so many samples, one each 20 seconds, until noon.
func metricsOf(n int) *vsphere.Metrics {
	m := &vsphere.Metrics{}
	for i := range n {
		value := float64(i%30) * 3
		m.Samples = append(m.Samples, vsphere.MetricSample{Time: noon.Add(time.Duration(i-n+1) * 20 * time.Second), Values: map[string]float64{
			"cpu_percent": value, "memory_percent": 61.5, "disk_read_mbps": value / 10, "disk_write_mbps": 0.25, "net_rx_mbps": 1.5, "net_tx_mbps": value / 7,
		}})
	}
	return m
}

func TestMetrics_LiveFigures(t *testing.T) {
	f := newFake(vms()...)
	f.samples <- metricsOf(180)
	p := play(t, f, 80, 24).press("m").await("CPU").want("CPU           87.0 %  0.0 to 87.0", "Memory        61.5 %", "the last 15 min")
	f.samples <- &vsphere.Metrics{Samples: []vsphere.MetricSample{{Time: noon.Add(20 * time.Second), Values: map[string]float64{"cpu_percent": 99.5}}}}
	p.await("  99.5 %").want("Memory           - %", "newest 12:00:20 UTC")
	p.press("w").want("the last 60 min").press("w").want("the last 5 min")
	equal(t, "an hour is kept", len(p.m.top().(*metrics).samples), sampleKeep)
	p.press("esc").want("NAME")
}

func TestEvents(t *testing.T) {
	f := newFake(vms()...)
	for i := range 30 {
		severity := []string{"info", "warning", "error"}[i%3]
		f.events <- vsphere.Event{Key: int32(i), CreatedAt: noon.Add(time.Duration(i) * time.Minute), EventType: "VmPoweredOnEvent", Severity: severity,
			Message: fmt.Sprintf("event %d \x1b[2Jhappened to a VM with a message that is longer than one line of eighty cells can hold", i), User: `VSPHERE.LOCAL\Administrator`}
	}
	p := play(t, f, 80, 24).press("e")
	p.until("all of them", func() bool { return strings.Contains(p.screen(), "30 events") }).golden("events-80x24")
	if strings.Contains(p.m.View().Content, "\x1b[2J") {
		t.Error("an event drives the terminal")
	}
	p.press("s", "s").want("20 events", "severity warning or worse").press("s").want("10 events").press("s")
	p.press("p")
	f.events <- vsphere.Event{Key: 99, CreatedAt: noon, Severity: "info", Message: "the last one"}
	p.await("PAUSED, 1 waiting").wantNot("the last one").press("p").want("the last one", "31 events")
	p.press("home")
	f.events <- vsphere.Event{Key: 100, CreatedAt: noon, Severity: "info", Message: "one more"}
	p.await("32 events").want("event 0 ")
	p.press("esc").want("NAME")
}

// A flood costs old events and no memory.
func TestEvents_Flood(t *testing.T) {
	f := newFake(vms()...)
	p := play(t, f, 80, 24).press("e")
	go func() {
		for i := range 10000 {
			f.events <- vsphere.Event{Key: int32(i), CreatedAt: noon, Severity: "info", Message: fmt.Sprintf("event %d", i)}
		}
	}()
	p.await("event 9999")
	if n := len(p.m.top().(*events).all); n > eventKeep {
		t.Errorf("%d events are kept", n)
	}
}

func TestEvents_None(t *testing.T) {
	play(t, newFake(vms()...), 80, 24).press("e").want("No events of this VM in the last day. New ones appear here.")
}

func finding(id string, severity sdk.Severity) sdk.Finding {
	return sdk.Finding{ID: id, Severity: severity, Text: "something is so about " + id, Action: "do something about it, in so many words that they need more than one line"}
}

func TestMigrate_PreflightComesFirst(t *testing.T) {
	f := newFake(vms()...)
	f.plan = func(s migrate.Spec) (*migrate.Plan, error) {
		plan := &migrate.Plan{Name: s.Name, Dir: s.Dir, FreeBytes: 50 << 30, NeedBytes: 40 << 30, Disks: make([]migrate.PlanDisk, 1)}
		switch s.Name {
		case "web-1":
			plan.Findings = []sdk.Finding{finding("source.power.running", sdk.Critical), finding("source.snapshot.present", sdk.Warning)}
		case "web-2":
			return nil, sdk.WithHint(sdk.Unavailablef("libvirt does not answer"), "start libvirtd")
		}
		return plan, nil
	}
	p := play(t, f, 80, 24).press("*").write("web-*").press("enter", "x").want("Migrate 3 VMs", "From DMZ", "From VM Network").golden("migrate-80x24")
	p.press("tab", "tab").write("pool-1").press("tab", "tab", "ctrl+u").write("bridge:br0")
	p.press("tab", "tab", "left", "tab", "right", "tab", "tab", "tab", "right", "tab", "tab", "enter")
	p.await("1 VM ready · 2 VMs would be stopped").golden("preflight-80x24")
	equal(t, "nothing began", len(f.migrated), 0)
	p.press("down", "i").want("2 VMs ready").want("ignored").press("enter")
	p.await("Ended after 0:00: 2 done").want("hyperctl  Migrate to KVM")
	equal(t, "migrations", len(f.migrated), 2)
	s := f.migrated[0]
	equal(t, "target", *s.Target, migrate.TargetSpec{URI: "qemu:///system", Pool: "pool-1", Networks: map[string]migrate.NetworkSpec{"VM Network": {Bridge: "br0"}},
		Power: migrate.PowerOff, Hardware: []libvirt.Hardware{libvirt.HardwareSATA}})
	equal(t, "the rest", []string{s.VM, s.Name, s.Dir, s.SourceAfter, s.Verify.Boot}, []string{"vm-1", "web-1", "/srv/kvm/web-1", migrate.AfterPoweredOff, "none"})
	equal(t, "ignored", s.Preflight.Ignore, []string{"source.power.running"})
	equal(t, "no fix", s.Pipeline.Fix, false)
}

func TestMigrate_Refusals(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want string
	}{
		"no target":     {[]string{"ctrl+u"}, "no libvirt URI"},
		"relative":      {append([]string{"tab", "ctrl+u"}, letters("here/{name}")...), `"here/web-1" is not an absolute path`},
		"one directory": {append([]string{"tab", "ctrl+u"}, letters("/srv/kvm")...), "two VMs would go to /srv/kvm"},
		"network":       {append([]string{"tab", "tab", "tab", "tab", "ctrl+u"}, letters("br0")...), `want network:NAME or bridge:NAME, got "br0"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, newFake(vms()...), 80, 30).press("*").write("web-*").press("enter", "x").press(c.keys...)
			f := p.m.top().(*form)
			for f.at < len(f.fields) {
				p.press("tab")
			}
			p.press("enter").want(c.want)
		})
	}
}

// Leaving the screen ends what it asked.
func TestPreflight_EndsWithItsScreen(t *testing.T) {
	f := newFake(vms()...)
	asked, ended := make(chan struct{}, 1), make(chan struct{})
	f.plan = nil
	b := &slowPreflight{fake: f, asked: asked, ended: ended}
	p := play(t, f, 80, 40)
	p.m.backend = b
	p.press("x")
	form := p.m.top().(*form)
	for form.at < len(form.fields) {
		p.press("tab")
	}
	p.press("enter").want("looking …").press("enter").want("not all VMs were looked at yet")
	for waits := true; waits; {
		select {
		case msg := <-p.msgs:
			p.send(msg)
		case <-asked:
			waits = false
		}
	}
	p.press("esc").want("Pre-flight ]")
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on asking")
	}
}

type slowPreflight struct {
	*fake
	asked, ended chan struct{}
}

func (s *slowPreflight) Preflight(ctx context.Context, _ migrate.Spec) (*migrate.Plan, error) {
	s.asked <- struct{}{}
	<-ctx.Done()
	close(s.ended)
	return nil, ctx.Err()
}
