package vsphere_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestListHosts_AHundredInFewCalls(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 100, VMs: 1})
	c := dial(t, v)
	before := v.Calls()
	hosts, err := c.ListHosts(t.Context(), vsphere.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if n := calls(before, v.Calls()); len(hosts) < 100 || n > 4 {
		t.Errorf("got %d hosts in %d calls, want 100 or more in at most 4", len(hosts), n)
	}
	for _, h := range hosts {
		if h.Name == "" || h.Datacenter != "DC0" || h.CPUTotalMHz != h.CPUCores*h.CPUMHz || h.MemoryMB == 0 || h.State != "connected" {
			t.Fatalf("got %+v", h)
		}
	}
	if !slices.IsSortedFunc(hosts, func(a, b vsphere.Host) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("not sorted by path")
	}
}

func TestListHosts_Pattern(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{Hosts: 3, VMs: 1}))
	all, err := c.ListHosts(t.Context(), vsphere.Filter{Name: "*"})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{all[0].Name, all[0].Path} {
		got, err := c.ListHosts(t.Context(), vsphere.Filter{Name: pattern})
		if err != nil || !slices.Contains(got, all[0]) {
			t.Errorf("%s: got %v %v, want %v", pattern, got, err, all[0])
		}
	}
	if got, err := c.ListHosts(t.Context(), vsphere.Filter{Name: "none-*"}); err != nil || len(got) != 0 {
		t.Errorf("got %v %v, want none", got, err)
	}
	if _, err := c.ListHosts(t.Context(), vsphere.Filter{Name: "[a"}); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestGetHost(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{Hosts: 3, VMs: 1}))
	all, err := c.ListHosts(t.Context(), vsphere.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	want := all[0]
	for _, ref := range []string{want.Path, want.Ref} {
		if got, err := c.GetHost(t.Context(), ref); err != nil || *got != want {
			t.Errorf("%s: got %v %v, want %v", ref, got, err, want)
		}
	}
	if _, err := c.GetHost(t.Context(), "no-such-host"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
