package vsphere

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// tenThousand is a mirror of 10,000 VMs on 100 hosts in 200 folders, as a collector would tell it.
func tenThousand(tb testing.TB) *mirrored {
	tb.Helper()
	k := newMirrored(newMirrorRows())
	ref := func(typ, id string, n int) types.ManagedObjectReference {
		return types.ManagedObjectReference{Type: typ, Value: fmt.Sprintf("%s-%d", id, n)}
	}
	enter := func(obj types.ManagedObjectReference, props ...any) {
		update := types.ObjectUpdate{Obj: obj, Kind: types.ObjectUpdateKindEnter}
		for i := 0; i < len(props); i += 2 {
			update.ChangeSet = append(update.ChangeSet, types.PropertyChange{Name: props[i].(string), Op: types.PropertyChangeOpAssign, Val: props[i+1]})
		}
		k.apply(update)
	}
	root, dc := ref("Folder", "group-d", 1), ref("Datacenter", "datacenter", 2)
	vms, hosts, cluster, pool := ref("Folder", "group-v", 3), ref("Folder", "group-h", 4), ref("ClusterComputeResource", "domain-c", 5), ref("ResourcePool", "resgroup", 6)
	enter(dc, "name", "DC1", "parent", root)
	enter(vms, "name", "vm", "parent", dc)
	enter(hosts, "name", "host", "parent", dc)
	enter(cluster, "name", "Cluster1", "parent", hosts)
	enter(pool, "name", "Resources", "parent", cluster, "owner", cluster)
	network := ref("Network", "network", 7)
	enter(network, "name", "VM Network")
	for n := range 100 {
		enter(ref("HostSystem", "host", n), "name", fmt.Sprintf("esxi-%03d.example.com", n), "parent", cluster)
	}
	for n := range 200 {
		enter(ref("Folder", "group-v1", n), "name", fmt.Sprintf("team-%03d", n), "parent", vms)
	}
	for n := range 10000 {
		enter(ref("VirtualMachine", "vm", n),
			"name", fmt.Sprintf("app-%05d", (n*7919)%10000), "parent", ref("Folder", "group-v1", n%200), "resourcePool", pool, "runtime.host", ref("HostSystem", "host", n%100),
			"config.template", false, "config.instanceUuid", fmt.Sprintf("5027c5f4-0000-0000-0000-%012d", n), "config.uuid", fmt.Sprintf("4227c5f4-0000-0000-0000-%012d", n),
			"config.guestId", "debian12_64Guest", "config.guestFullName", "Debian GNU/Linux 12 (64-bit)", "config.firmware", "efi", "config.annotation", "made by a benchmark",
			"runtime.powerState", types.VirtualMachinePowerStatePoweredOn, "runtime.connectionState", types.VirtualMachineConnectionStateConnected,
			"guest.hostName", fmt.Sprintf("app-%05d", n), "guest.toolsRunningStatus", "guestToolsRunning", "guest.ipAddress", fmt.Sprintf("10.%d.%d.9", n/250, n%250),
			"config.hardware", benchHardware(n, network))
	}
	if _, err := k.settle(true); err != nil {
		tb.Fatal(err)
	}
	return k
}

// benchHardware is that of a VM with two disks and an adapter, and with what every VM has besides.
func benchHardware(n int, network types.ManagedObjectReference) types.VirtualHardware {
	device := func(key int32, label string) types.VirtualDevice {
		return types.VirtualDevice{Key: key, ControllerKey: 1000, UnitNumber: types.NewInt32(key % 16), DeviceInfo: &types.Description{Label: label, Summary: label}}
	}
	disk := func(key int32) *types.VirtualDisk {
		d := &types.VirtualDisk{VirtualDevice: device(key, fmt.Sprintf("Hard disk %d", key-1999)), CapacityInBytes: 40 << 30, CapacityInKB: 40 << 20}
		d.Backing = &types.VirtualDiskFlatVer2BackingInfo{
			VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: fmt.Sprintf("[san-%d] app-%05d/app_%d.vmdk", n%20, n, key)},
			DiskMode:                     "persistent", ThinProvisioned: types.NewBool(true), Uuid: fmt.Sprintf("6000C29%013d", n),
		}
		return d
	}
	nic := &types.VirtualVmxnet3{}
	nic.VirtualDevice, nic.MacAddress = device(4000, "Network adapter 1"), fmt.Sprintf("00:50:56:00:%02x:%02x", n>>8, n&255)
	nic.Backing = &types.VirtualEthernetCardNetworkBackingInfo{VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "VM Network"}, Network: &network}
	nic.Connectable = &types.VirtualDeviceConnectInfo{Connected: true, StartConnected: true}
	scsi := &types.ParaVirtualSCSIController{}
	scsi.VirtualDevice = device(1000, "SCSI controller 0")
	hw := types.VirtualHardware{NumCPU: 2, MemoryMB: 4096, Device: []types.BaseVirtualDevice{scsi, disk(2000), disk(2001), nic}}
	for i := range 8 {
		hw.Device = append(hw.Device, &types.VirtualCdrom{VirtualDevice: device(int32(3000+i), "CD/DVD drive")})
	}
	return hw
}

// BenchmarkMirror_WarmList is the list of a screen or a page of the API: a glob, a place and a state, then another order.
func BenchmarkMirror_WarmList(b *testing.B) {
	i := tenThousand(b).inventory(1)
	b.ReportAllocs()
	began := cpuTime()
	for b.Loop() {
		vms, err := i.FilterVMs(Filter{Name: "app-*", Datacenter: "DC1", Cluster: "Cluster1", States: []string{"poweredOn"}, Guest: "debian*"})
		if err != nil || len(vms) != 10000 {
			b.Fatal(len(vms), err)
		}
		slices.SortFunc(vms, func(x, y *VMSummary) int { return strings.Compare(x.Name, y.Name) })
	}
	b.ReportMetric(float64(cpuTime()-began)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
}

// cpuTime is what the process has used of the CPUs, which other load on the machine does not change.
func cpuTime() time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use) // it has nothing to fail on
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkMirror_OneChange is what one VM's power change costs among 10,000.
func BenchmarkMirror_OneChange(b *testing.B) {
	k := tenThousand(b)
	obj := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-77"}
	states := []types.VirtualMachinePowerState{types.VirtualMachinePowerStatePoweredOff, types.VirtualMachinePowerStatePoweredOn}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		k.apply(types.ObjectUpdate{Obj: obj, Kind: types.ObjectUpdateKindModify, ChangeSet: []types.PropertyChange{{Name: "runtime.powerState", Val: states[n%2]}}})
		if changed, err := k.settle(false); err != nil || !changed {
			b.Fatal(changed, err)
		}
		k.inventory(uint64(n))
	}
}

// BenchmarkMirror_MovedFolder is what a rename costs that changes the path of every VM.
func BenchmarkMirror_MovedFolder(b *testing.B) {
	k := tenThousand(b)
	obj := types.ManagedObjectReference{Type: "Datacenter", Value: "datacenter-2"}
	for n := 0; b.Loop(); n++ {
		k.apply(types.ObjectUpdate{Obj: obj, Kind: types.ObjectUpdateKindModify, ChangeSet: []types.PropertyChange{{Name: "name", Val: fmt.Sprintf("DC-%d", n)}}})
		if _, err := k.settle(false); err != nil {
			b.Fatal(err)
		}
		k.inventory(uint64(n))
	}
}

// BenchmarkMirror_Memory reports the bytes that a VM takes, rows and all.
func BenchmarkMirror_Memory(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		k := tenThousand(b)
		i := k.inventory(1)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(i.VMs)), "bytes/VM")
		runtime.KeepAlive(k)
	}
}

// BenchmarkMetricsHub_AThousandWatchers is one tick: the query, its answer, and a thousand watchers that take it.
func BenchmarkMetricsHub_AThousandWatchers(b *testing.B) {
	k := newTicking(b, demo.Options{Hosts: 1, VMs: 1})
	ctx, stop := context.WithCancel(b.Context())
	var got, end sync.WaitGroup
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 1000 {
		w, err := k.Watch(ctx, MetricsSpec{Entity: "DC0_C0_RP0_VM0"})
		if err != nil {
			b.Fatal(err)
		}
		next(b, w)
		end.Go(func() {
			defer w.Close()
			for {
				if _, err := w.Next(ctx); err != nil {
					return
				}
				got.Done()
			}
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	began := cpuTime()
	for b.Loop() {
		k.c.clock.mu.Lock()
		if k.c.clock.server.After(time.Now().Add(-time.Minute)) {
			k.c.clock.server = time.Now().Add(-30 * time.Minute) // once more
			k.feeds[MetricsSpec{Type: TypeVM, Entity: "DC0_C0_RP0_VM0"}.feedKey()].forget()
		}
		k.c.clock.mu.Unlock()
		got.Add(1000)
		k.tick()
		got.Wait()
	}
	used := cpuTime() - began
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/(1<<20), "MiB")
	b.ReportMetric(float64(used)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
	stop()
	end.Wait()
}

// forget makes samples of the last half hour new ones.
func (f *feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.samples {
		f.samples[i].Time = f.samples[i].Time.Add(-40 * time.Minute)
	}
}
