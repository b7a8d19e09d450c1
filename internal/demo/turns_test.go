package demo_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// What the simulator does without locks is found here by the race detector: without turns it fails every time.
func TestTurns_ClonesMadeFoundChangedAndDestroyedAtOnce(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 4})
	const each, workers = 5, 8
	var work sync.WaitGroup
	for w := range workers {
		work.Go(func() { makeClones(t, v, fmt.Sprintf("old-%d", w), w%4, each) })
	}
	work.Wait()
	for w := range workers {
		work.Go(func() { makeClones(t, v, fmt.Sprintf("new-%d", w), w%4, each) })
		work.Go(func() { changeAndDestroy(t, v, fmt.Sprintf("old-%d", w), each) })
	}
	work.Wait()
	c := login(t, v)
	for w := range workers {
		for i := range each {
			if old, made := cloneExists(t, c, fmt.Sprintf("old-%d-%d", w, i)), cloneExists(t, c, fmt.Sprintf("new-%d-%d", w, i)); old || !made {
				t.Errorf("clone %d of %d: the old one is there: %t, the new one: %t", i, w, old, made)
			}
		}
	}
}

// makeClones makes n clones one after another, the first of them running.
func makeClones(t *testing.T, v *demo.VCenter, name string, source, n int) {
	c := login(t, v)
	vm, folder := findVM(t, c, fmt.Sprintf("/DC0/vm/DC0_C0_RP0_VM%d", source)), folderOf(t, c)
	for i := range n {
		task, err := vm.Clone(t.Context(), folder, fmt.Sprintf("%s-%d", name, i), types.VirtualMachineCloneSpec{PowerOn: i == 0})
		if err := finish(t, task, err); err != nil {
			t.Errorf("clone %s-%d: %v", name, i, err)
		}
	}
}

func changeAndDestroy(t *testing.T, v *demo.VCenter, name string, n int) {
	c := login(t, v)
	for i := range n {
		vm := findVM(t, c, fmt.Sprintf("/DC0/vm/%s-%d", name, i))
		if i == 0 {
			task, err := vm.PowerOff(t.Context())
			if err := finish(t, task, err); err != nil {
				t.Errorf("power off %s-%d: %v", name, i, err)
			}
		}
		task, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: "changed"})
		if err := finish(t, task, err); err != nil {
			t.Errorf("change %s-%d: %v", name, i, err)
		}
		task, err = vm.Destroy(t.Context())
		if err := finish(t, task, err); err != nil {
			t.Errorf("destroy %s-%d: %v", name, i, err)
		}
	}
}
