package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// refs are the ids of the VMs that a vCenter began with.
func refs(t *testing.T, c *vsphere.Client, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		vm, err := c.Resolve(t.Context(), vsphere.KindVM, fmt.Sprintf("/DC0/vm/DC0_C0_RP0_VM%d", i))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = vm.Value
	}
	return ids
}

func TestGetVM_ReadsThatComeTogetherShareCalls(t *testing.T) {
	const n = 20
	v := rig.VCenter(t, demo.Options{VMs: n, Latency: 10 * time.Millisecond})
	c := dial(t, v)
	ids := refs(t, c, n)
	before := v.Calls()
	var wait sync.WaitGroup
	for i, id := range ids {
		wait.Go(func() {
			vm, err := c.GetVM(t.Context(), id)
			if err != nil {
				t.Error(err)
				return
			}
			if want := fmt.Sprintf("/DC0/vm/DC0_C0_RP0_VM%d", i); vm.Path != want {
				t.Errorf("%s: path %s, want %s", id, vm.Path, want)
			}
		})
	}
	wait.Wait()
	if got := calls(before, v.Calls()); got > n/4 {
		t.Errorf("%d reads made %d calls, want at most %d", n, got, n/4)
	}
}

func TestGetVM_OneThatIsGoneDoesNotSpoilTheOthers(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 3})
	c := dial(t, v)
	ids := append(refs(t, c, 3), "vm-99999")
	errs := make([]error, len(ids))
	var wait sync.WaitGroup
	for i, id := range ids {
		wait.Go(func() { _, errs[i] = c.GetVM(t.Context(), id) })
	}
	wait.Wait()
	for i, err := range errs[:3] {
		if err != nil {
			t.Errorf("%s: %v", ids[i], err)
		}
	}
	if !errors.Is(errs[3], sdk.ErrNotFound) {
		t.Errorf("the one that is gone: %v, want not found", errs[3])
	}
}

func TestGetVM_WaiterMayLeave(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1, Latency: 50 * time.Millisecond})
	c := dial(t, v)
	id := refs(t, c, 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.GetVM(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
