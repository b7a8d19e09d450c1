package demo_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/nfc"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

const webPath = "/DC0/vm/web-01"

func TestExport_RunningVMIsRefused(t *testing.T) {
	g := guest(t, webPath)
	g.PoweredOn = true
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	_, err := findVM(t, c, webPath).Export(t.Context())
	wantFault[*types.InvalidPowerState](t, err)
}

func TestExport_OneLeaseAtATime(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}}))
	vm := findVM(t, c, webPath)
	lease, _ := export(t, vm)

	_, err := vm.Export(t.Context())
	wantFault[*types.TaskInProgress](t, err)
	_, err = vm.PowerOn(t.Context())
	wantFault[*types.TaskInProgress](t, err)

	if err := lease.Abort(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	again, _ := export(t, vm)
	if err := again.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFault[*types.ManagedObjectNotFound](t, again.Progress(t.Context(), 1))
}

func TestExport_IsATaskOfTheVM(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}}))
	vm := findVM(t, c, webPath)
	lease, _ := export(t, vm)
	_, err := vm.Export(t.Context())
	var busy *types.TaskInProgress
	if soap.IsSoapFault(err) {
		if f, ok := soap.ToSoapFault(err).VimFault().(types.TaskInProgress); ok {
			busy = &f
		}
	}
	if busy == nil {
		t.Fatalf("got %v, want TaskInProgress", err)
	}
	if err := lease.Progress(t.Context(), 42); err != nil {
		t.Fatal(err)
	}
	var task mo.Task
	if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), busy.Task, []string{"info"}, &task); err != nil {
		t.Fatal(err)
	}
	if task.Info.State != types.TaskInfoStateRunning || task.Info.Progress != 42 || *task.Info.Entity != vm.Reference() {
		t.Errorf("got task %+v, want the VM's, running, at 42 %%", task.Info)
	}
	if err := lease.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), busy.Task, []string{"info"}, &task); err != nil {
		t.Fatal(err)
	}
	if got, want := task.Info.State, types.TaskInfoStateSuccess; got != want {
		t.Errorf("got task state %s, want %s", got, want)
	}
}

func TestLease_StaysInitializingForItsDelay(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}, Faults: demo.Faults{LeaseDelay: time.Hour}})
	lease, err := findVM(t, login(t, v), webPath).Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := lease.Properties(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.State != types.HttpNfcLeaseStateInitializing || p.Info != nil {
		t.Errorf("got state %s and info %v, want initializing without info", p.State, p.Info)
	}
	wantFault[*types.InvalidState](t, lease.Complete(t.Context()))
	if err := lease.Abort(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestLease_TimesOutWithoutProgress(t *testing.T) {
	v := rig.VCenter(t, demo.Options{
		Guests: []demo.Guest{guest(t, webPath)}, Faults: demo.Faults{LeaseTimeout: 50 * time.Millisecond},
	})
	c := login(t, v)
	vm := findVM(t, c, webPath)
	lease, err := vm.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := waitLost(t, lease)
	if _, ok := p.Error.Fault.(*types.Timedout); !ok {
		t.Errorf("got %#v, want Timedout", p.Error.Fault)
	}
	if got, want := p.Info.LeaseTimeout, int32(1); got != want {
		t.Errorf("got a lease timeout of %d s, want %d", got, want)
	}
	res, _, err := get(t, c, "GET", p.Info.DeviceUrl[0].Url, nil)
	if err != nil || res.StatusCode != 404 {
		t.Errorf("got %v and %v from the URL of a dead lease, want 404", res, err)
	}
	wantFault[*types.Timedout](t, lease.Progress(t.Context(), 1))
	v.SetFaults(demo.Faults{})
	export(t, vm) // the VM is free again
}

// waitLost waits until the lease is in state error and returns its properties.
func waitLost(t *testing.T, lease *nfc.Lease) mo.HttpNfcLease {
	t.Helper()
	var p mo.HttpNfcLease
	eventually(t, "the lease's end", func() bool {
		var err error
		if p, err = lease.Properties(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p.State == types.HttpNfcLeaseStateError
	})
	return p
}

func TestLease_RefusedProgressDoesNotEndIt(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}, Faults: demo.Faults{FailProgress: 2}})
	lease, _ := export(t, findVM(t, login(t, v), webPath))
	for range 2 {
		wantFault[*types.HostCommunication](t, lease.Progress(t.Context(), 10))
	}
	if err := lease.Progress(t.Context(), 10); err != nil {
		t.Error(err)
	}
	wantFault[*types.InvalidArgument](t, lease.Progress(t.Context(), 101))
	if got, want := v.Calls()["HttpNfcLeaseProgress"], 4; got != want {
		t.Errorf("counted %d calls, want %d", got, want)
	}
}

func TestLease_EndsWithItsSession(t *testing.T) {
	ends := map[string]func(t *testing.T, v *demo.VCenter, logout func() error){
		"logout": func(t *testing.T, _ *demo.VCenter, logout func() error) {
			if err := logout(); err != nil {
				t.Fatal(err)
			}
		},
		"administrator": func(_ *testing.T, v *demo.VCenter, _ func() error) { v.EndSessions() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}})
			first := login(t, v)
			lease, info := export(t, findVM(t, first, webPath))
			end(t, v, func() error { return first.Logout(t.Context()) })

			wantFault[*types.NotAuthenticated](t, lease.Progress(t.Context(), 1))
			second := login(t, v)
			res, _, err := get(t, second, "GET", info.DeviceUrl[0].Url, nil)
			if err != nil || res.StatusCode != 404 {
				t.Errorf("got %v and %v from the URL of a dead lease, want 404", res, err)
			}
			export(t, findVM(t, second, webPath))
		})
	}
}

func TestExport_SnapshotOfARunningVM(t *testing.T) {
	g := guest(t, webPath)
	g.PoweredOn = true
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	vm := findVM(t, c, webPath)
	snapshot := takeSnapshot(t, vm, "s1")
	res, err := methods.ExportSnapshot(t.Context(), c.Client, &types.ExportSnapshot{This: snapshot})
	if err != nil {
		t.Fatal(err)
	}
	info, err := nfc.NewLease(c.Client, res.Returnval).Wait(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, body, err := get(t, c, "GET", info.DeviceUrl[0].Url, nil)
	if err != nil || answer.StatusCode != 200 || !strings.HasPrefix(string(body), "KDMV") {
		t.Errorf("got %v, %v and %.4q, want a VMDK", answer, err, body)
	}
	wantFault[*types.TaskInProgress](t, second(vm, t))
}

func second(vm *object.VirtualMachine, t *testing.T) error {
	task, err := vm.PowerOff(t.Context())
	if err != nil {
		return err
	}
	if err := task.Wait(t.Context()); err != nil {
		return err
	}
	_, err = vm.Export(t.Context())
	return err
}

func takeSnapshot(t *testing.T, vm *object.VirtualMachine, name string) types.ManagedObjectReference {
	t.Helper()
	task, err := vm.CreateSnapshot(t.Context(), name, "", false, false)
	if err != nil {
		t.Fatal(err)
	}
	info, err := task.WaitForResult(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return info.Result.(types.ManagedObjectReference)
}

func TestExport_StockVMIsEmptyAndACloneHasNoBytes(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, "/DC0/vm/DC0_C0_RP0_VM0")
	if err := powerOff(t, vm); err != nil {
		t.Fatal(err)
	}
	lease, info := export(t, vm)
	if got, want := info.TotalDiskCapacityInKB, int64(10<<20); got != want {
		t.Errorf("got %d KB, want %d", got, want)
	}
	if err := lease.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	folders, err := object.NewDatacenter(c.Client, datacenter(t, c)).Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	task, err := vm.Clone(t.Context(), folders.VmFolder, "copy", types.VirtualMachineCloneSpec{})
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = findVM(t, c, "/DC0/vm/copy").Export(t.Context())
	wantFault[*types.FileFault](t, err)
}

func powerOff(t *testing.T, vm *object.VirtualMachine) error {
	t.Helper()
	task, err := vm.PowerOff(t.Context())
	if err != nil {
		return err
	}
	return task.Wait(t.Context())
}

func TestExport_UEFIHasAnNVRAMFile(t *testing.T) {
	g := guest(t, webPath)
	g.Firmware = "uefi"
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	_, info := export(t, findVM(t, c, webPath))
	var names []string
	for _, d := range info.DeviceUrl {
		if *d.Disk {
			names = append(names, "disk:"+d.TargetId)
		} else {
			names = append(names, "file:"+d.TargetId)
		}
	}
	if got, want := strings.Join(names, " "), "disk:disk-0.vmdk file:nvram"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExport_URLsCanLeaveTheHostToTheClient(t *testing.T) {
	v := rig.VCenter(t, demo.Options{ESXURLs: true, Guests: []demo.Guest{guest(t, webPath)}})
	c := login(t, v)
	_, info := export(t, findVM(t, c, webPath))
	u, err := url.Parse(info.DeviceUrl[0].Url)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.Host, "*"; got != want {
		t.Errorf("got host %q, want %q", got, want)
	}
	res, _, err := get(t, c, "GET", info.Items[0].URL.String(), nil) // govmomi has put the host in
	if err != nil || res.StatusCode != 200 {
		t.Errorf("got %v and %v, want 200", res, errors.Unwrap(err))
	}
}
