package demo_test

import (
	"testing"
	"time"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/vim25/methods"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// "vSphere Web Services API": ServiceInstance.CurrentTime, "the current time on the server".
func TestClock_IsTheOneThatWasGiven(t *testing.T) {
	want := time.Date(2024, 1, 20, 18, 30, 0, 0, time.UTC)
	c := login(t, rig.VCenter(t, demo.Options{Clock: func() time.Time { return want }}))
	got, err := methods.GetCurrentTime(t.Context(), c.Client)
	if err != nil || !got.Equal(want) {
		t.Errorf("it is %v, %v; want %v", got, err, want)
	}
}

func TestNames_OfClustersAndHosts(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 1, Names: map[string]string{"DC0_C0": "Cluster1", "DC0_C0_H0": "esxi-host-01"}}))
	if _, err := find.NewFinder(c.Client).HostSystem(t.Context(), "/DC0/host/Cluster1/esxi-host-01"); err != nil {
		t.Error(err)
	}
	if _, err := demo.Start(t.Context(), demo.Options{CacheDir: t.TempDir(), Names: map[string]string{"DC9": "x"}}); err == nil {
		t.Error("a name for nothing is taken")
	}
}
