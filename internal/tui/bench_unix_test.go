//go:build unix

package tui

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// cpuTime is what this process has used: on a loaded machine the clock says little.
func cpuTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// many are so many VMs as a large vCenter has.
func many(n int) []*vsphere.VMSummary {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]*vsphere.VMSummary, n)
	for i := range list {
		list[i] = &vsphere.VMSummary{
			Ref: fmt.Sprintf("vm-%d", i), Name: fmt.Sprintf("%s-%05d", []string{"web", "db", "app", "cache"}[r.IntN(4)], r.IntN(n)), Path: fmt.Sprintf("/DC0/vm/%d", i),
			PowerState: []string{"poweredOn", "poweredOff"}[r.IntN(2)], ConnectionState: "connected", CPUs: 1 + r.IntN(16), MemoryMB: 1024 << r.IntN(6),
			IPAddresses: []string{fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))}, Host: fmt.Sprintf("esxi-%02d.example.org", r.IntN(64)),
			ResourcePool: "/DC0/host/C0/Resources/" + []string{"prod", "dev", "test"}[r.IntN(3)], GuestFullName: "Debian GNU/Linux 12 (64-bit)",
			Disks: []vsphere.VMDisk{{CapacityGB: float64(r.IntN(500))}},
		}
	}
	return list
}

// BenchmarkKey_TenThousandVMs presses keys and draws the screen after each. The budget is 5 ms a key.
func BenchmarkKey_TenThousandVMs(b *testing.B) {
	for name, keys := range map[string][]string{
		"move": {"down", "down", "up", "pgdown"}, "select": {"space"}, "all": {"a", "u"}, "sort": {"s"}, "reverse": {"r"},
		"filter": {"/", "w", "e", "b", "-", "1", "esc"}, "glob": {"/", "*", "1", "?", "esc"},
	} {
		b.Run(name, func(b *testing.B) {
			m := New(b.Context(), newFake(), Options{Dir: "/"})
			m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
			m.Update(tea.ColorProfileMsg{Profile: colorprofile.TrueColor})
			m.Update(inventoryMsg{inv: Inventory{Loaded: true, Version: 1}, table: newTable(many(10000))})
			began := cpuTime(b)
			for i := 0; b.Loop(); i++ {
				m.Update(keyOf(keys[i%len(keys)]))
				_ = m.View()
			}
			b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/1000/float64(b.N), "cpu-ms/key")
		})
	}
}

// BenchmarkRefresh_TenThousandVMs is what a change of the inventory costs beside the UI.
func BenchmarkRefresh_TenThousandVMs(b *testing.B) {
	vms := many(10000)
	for b.Loop() {
		newTable(vms)
	}
}
