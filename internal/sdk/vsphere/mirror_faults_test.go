package vsphere_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// becomes waits until the mirror is as it should be.
func becomes(t *testing.T, m *vsphere.Mirror, what string, is func(*vsphere.Inventory, vsphere.MirrorStatus) bool) *vsphere.Inventory {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		now := m.Snapshot()
		status := m.Status()
		if is(now, status) {
			return now
		}
		select {
		case <-now.Changed():
		case <-ctx.Done():
			t.Fatalf("the mirror does not become %s: %+v, %d VMs", what, status, len(now.VMs))
		}
	}
}

func TestMirror_RestartLeavesNoPhantom(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 3})
	c := dial(t, v)
	m := mirror(t, c)
	before := m.Snapshot()
	w := vim(t, v)
	machine := object.NewVirtualMachine(w, vmRefOf(*before.VMs[0]))
	task, err := machine.PowerOff(t.Context())
	done(t, task, err)
	end := v.Outage(true)
	lost := becomes(t, m, "lost", func(_ *vsphere.Inventory, s vsphere.MirrorStatus) bool { return s.State == vsphere.MirrorLost })
	if s := m.Status(); !errors.Is(s.Err, sdk.ErrUnavailable) || s.Since.IsZero() || s.AsOf.After(s.Since) || s.Age(time.Now()) <= 0 || len(lost.VMs) != 3 {
		t.Errorf("lost is %+v with %d VMs, want the reason and the last data", s, len(lost.VMs))
	}
	end()
	other := object.NewVirtualMachine(vim(t, v), vmRefOf(*before.VMs[0]))
	task, err = other.Destroy(t.Context()) // while nobody listens
	done(t, task, err)
	after := becomes(t, m, "live", func(i *vsphere.Inventory, s vsphere.MirrorStatus) bool {
		return s.State == vsphere.MirrorLive && len(i.VMs) == 2
	})
	if after.VM(before.VMs[0].Ref) != nil || after.VMs[0] != before.VMs[1] || after.Version <= before.Version {
		t.Error("the deleted VM is there, or what did not change is another row")
	}
	same(t, c, m, "the restart")
}

func TestMirror_LostSessionIsNoOutage(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 2})
	c := dial(t, v)
	m := mirror(t, c)
	ref := vmRefOf(*m.Snapshot().VMs[0])
	v.EndSessions()
	task, err := object.NewVirtualMachine(vim(t, v), ref).PowerOff(t.Context())
	done(t, task, err)
	becomes(t, m, "true again", func(i *vsphere.Inventory, s vsphere.MirrorStatus) bool {
		if s.State != vsphere.MirrorLive {
			t.Fatalf("the mirror is %+v, want live throughout", s)
		}
		return i.VM(ref.Value).PowerState == "poweredOff"
	})
}

func TestMirror_SnapshotsDoNotChange(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 3})
	m := mirror(t, dial(t, v))
	before := m.Snapshot()
	copied := values(before.VMs)
	task, err := object.NewVirtualMachine(vim(t, v), vmRefOf(*before.VMs[1])).Rename(t.Context(), "zzz")
	done(t, task, err)
	after := becomes(t, m, "renamed", func(i *vsphere.Inventory, _ vsphere.MirrorStatus) bool { return i.VMs[2].Name == "zzz" })
	if !reflect.DeepEqual(copied, values(before.VMs)) {
		t.Error("a snapshot changed")
	}
	if after.VMs[0] != before.VMs[0] || after.VMs[1] != before.VMs[2] {
		t.Error("rows that did not change are not shared")
	}
	select {
	case <-before.Changed():
	default:
		t.Error("Changed of a snapshot that is not the newest is not closed")
	}
}

func TestMirror_LeavesNothingBehind(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c := dial(t, v)
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		m := c.StartMirror(ctx)
		if _, err := m.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		cancel()
		<-m.Done()
		if _, err := c.StartMirror(ctx).Ready(t.Context()); !errors.Is(err, sdk.ErrConflict) {
			t.Errorf("a mirror that has ended gives %v, want ErrConflict", err)
		}
	}
	n := v.Calls()
	if n["CreateContainerView"] != n["DestroyView"] || n["CreatePropertyCollector"] != n["DestroyPropertyCollector"] || n["CreateContainerView"] == 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestMirror_EndsWithTheClient(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c, err := vsphere.Dial(t.Context(), config(v))
	fatal(t, err)
	m, h, e := c.StartMirror(t.Context()), c.StartMetrics(t.Context()), c.StartEvents(t.Context(), 0)
	_, err = m.Ready(t.Context())
	fatal(t, err)
	fatal(t, c.Close(t.Context()))
	for _, done := range []<-chan struct{}{m.Done(), h.Done(), e.Done()} {
		select {
		case <-done:
		default:
			t.Error("Close came back before the background work had ended")
		}
	}
	if n := v.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestMirror_FiltersAsTheListsDo(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Datacenters: 2, Clusters: 2, Hosts: 2, VMs: 2, Guests: []demo.Guest{{Path: "/DC0/vm/a%2fb/c"}}})
	c := dial(t, v)
	i := mirror(t, c).Snapshot()
	before := v.Calls()
	yes := true
	filters := []vsphere.Filter{
		{}, {Name: "DC0_*"}, {Name: "/DC0/vm/a%2fb/*"}, {Datacenter: "DC1"}, {Datacenter: "/DC1", States: []string{"poweredOn"}}, {Cluster: "DC0_C1"}, {Folder: "a/b"},
		{Folder: "/DC0/host"}, {Folder: "/DC0/vm", Cluster: "DC0_C1"}, {Templates: &yes}, {Guest: "debian*"}, {States: []string{"suspended"}},
		{Datacenter: "DC7"}, {Name: "["}, {States: []string{"asleep"}}, {Folder: "vm"},
	}
	var got [][]vsphere.VMSummary
	var errs []error
	for _, f := range filters {
		vms, err := i.FilterVMs(f)
		got, errs = append(got, values(vms)), append(errs, err)
	}
	if n := calls(before, v.Calls()); n != 0 {
		t.Errorf("%d calls for filters in memory", n)
	}
	for n, f := range filters {
		want, err := c.ListVMs(t.Context(), f)
		var mine, theirs *vsphere.FilterError
		if errors.As(errs[n], &mine) != errors.As(err, &theirs) || mine != nil && (mine.Field != theirs.Field || !sameKind(mine, theirs)) {
			t.Errorf("%+v: got %v, want %v", f, errs[n], err)
		}
		if err == nil && !reflect.DeepEqual(got[n], want) {
			t.Errorf("%+v: got %v, want %v", f, vmPaths(got[n]), vmPaths(want))
		}
	}
	if _, err := i.FilterVMs(vsphere.Filter{Tags: []string{"env/prod"}}); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v for tags, want ErrInvalid", err)
	}
	hosts, err := i.FilterHosts(vsphere.Filter{Cluster: "DC1_C0", States: []string{"connected"}})
	if err != nil || len(hosts) != 2 {
		t.Errorf("got %d hosts and %v, want 2", len(hosts), err)
	}
	clusters, err := i.FilterClusters(vsphere.Filter{Datacenter: "DC1"})
	if err != nil || len(clusters) != 2 {
		t.Errorf("got %d clusters and %v, want 2", len(clusters), err)
	}
	datacenters, err := i.FilterDatacenters(vsphere.Filter{Name: "DC?"})
	if err != nil || len(datacenters) != 2 {
		t.Errorf("got %d datacenters and %v, want 2", len(datacenters), err)
	}
	pools, err := i.FilterResourcePools("/DC0/host/*/Resources")
	if err != nil || len(pools) != 2 {
		t.Errorf("got %d pools and %v, want 2", len(pools), err)
	}
}

func sameKind(a, b error) bool {
	return errors.Is(a, sdk.ErrNotFound) == errors.Is(b, sdk.ErrNotFound) && errors.Is(a, sdk.ErrInvalid) == errors.Is(b, sdk.ErrInvalid)
}
