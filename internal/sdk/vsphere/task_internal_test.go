package vsphere

import (
	"slices"
	"testing"

	"github.com/vmware/govmomi/vim25/types"
)

// TestTaskWait_PartsOfTheInfo: vCenter tells only what changed of a task's info, the simulator all of it.
func TestTaskWait_PartsOfTheInfo(t *testing.T) {
	var told []int
	w := &taskWait{done: make(chan types.TaskInfo, 1), report: func(percent int) { told = append(told, percent) }}
	vm := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-1"}
	for i, update := range [][]types.PropertyChange{
		{{Name: "info", Val: types.TaskInfo{State: types.TaskInfoStateQueued}}},
		{{Name: "info.state", Val: types.TaskInfoStateRunning}},
		{{Name: "info.progress", Val: int32(10)}},
		{{Name: "info.progress", Val: int32(40)}},
		{{Name: "info.progress", Val: int32(30)}},
		{{Name: "info.progress", Val: nil}},
	} {
		if w.apply(types.ObjectUpdate{ChangeSet: update}) {
			t.Fatalf("update %d ended the task", i)
		}
	}
	if !w.apply(types.ObjectUpdate{ChangeSet: []types.PropertyChange{
		{Name: "info.state", Val: types.TaskInfoStateSuccess}, {Name: "info.result", Val: vm},
	}}) {
		t.Fatal("the task did not end")
	}
	if got, err := outcome(<-w.done); err != nil || got != vm {
		t.Errorf("got %v %v, want the result", got, err)
	}
	if want := []int{10, 40}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
