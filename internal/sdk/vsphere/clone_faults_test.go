package vsphere_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// waitFor polls a condition.
func waitFor(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// begin starts a clone and returns when vCenter has taken the call.
func (s *cloneScene) begin(t testing.TB, ctx context.Context, spec vsphere.CloneSpec) (end func() (*vsphere.CloneResult, error)) { //nolint:revive // t first, as everywhere here
	t.Helper()
	var result *vsphere.CloneResult
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = s.c.Clone(ctx, spec, nil)
	}()
	waitFor(t, "the clone begins", func() bool { return s.v.Calls()["CloneVM_Task"] > 0 })
	return func() (*vsphere.CloneResult, error) {
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("the clone does not end")
		}
		return result, err
	}
}

func TestClone_MadeOnceWhateverHappens(t *testing.T) {
	spec := vsphere.CloneSpec{SourceVM: stockVM, TargetName: "once", PowerOn: true}
	slow := demo.Faults{CloneDelay: 300 * time.Millisecond}
	for name, tt := range map[string]struct {
		faults demo.Faults
		during func(*demo.VCenter)
		adopts bool
	}{
		"503 before the call":                    {demo.Faults{Unavailable: 2, UnavailableMethod: "CloneVM_Task"}, nil, false},
		"answer lost":                            {demo.Faults{LoseAnswers: 1, LoseAnswerMethod: "CloneVM_Task", CloneDelay: slow.CloneDelay}, nil, true},
		"answer lost of a clone that was quick":  {demo.Faults{LoseAnswers: 1, LoseAnswerMethod: "CloneVM_Task"}, nil, true},
		"watching the task fails":                {demo.Faults{Unavailable: 1, UnavailableMethod: "ModifyListView", CloneDelay: slow.CloneDelay}, nil, false},
		"session ends":                           {slow, (*demo.VCenter).EndSessions, false},
		"vCenter is away for a while":            {slow, func(v *demo.VCenter) { v.Outage(false)() }, false},
		"vCenter dies mid-task and comes back":   {slow, func(v *demo.VCenter) { v.Outage(true)() }, true},
		"reading it back is answered with a 503": {demo.Faults{Unavailable: 1, UnavailableMethod: "RetrievePropertiesEx", CloneDelay: slow.CloneDelay}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCloneScene(t, demo.Options{Faults: tt.faults})
			end := s.begin(t, t.Context(), spec)
			if tt.during != nil {
				tt.during(s.v)
			}
			result, err := end()
			if err != nil {
				t.Fatalf("%v; hints %q", err, sdk.Hints(err))
			}
			if result.VM.Path != "/DC0/vm/once" || result.VM.PowerState != "poweredOn" || result.Adopted != tt.adopts {
				t.Errorf("got %s %s adopted %v, want one VM, adopted %v", result.VM.Path, result.VM.PowerState, result.Adopted, tt.adopts)
			}
		})
	}
}

func TestClone_AnotherRunFindsWhatTheFirstBegan(t *testing.T) {
	spec := vsphere.CloneSpec{SourceVM: stockVM, TargetName: "found"}
	for name, delay := range map[string]time.Duration{"while it runs": 700 * time.Millisecond, "when it has ended": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCloneScene(t, demo.Options{Faults: demo.Faults{CloneDelay: delay}})
			first := dial(t, s.v)
			lost := make(chan struct{})
			go func() { // the first run never hears of its clone again
				defer close(lost)
				_, _ = first.Clone(t.Context(), spec, nil)
			}()
			waitFor(t, "the first run begins", func() bool { return s.v.Calls()["CloneVM_Task"] == 1 })
			if delay == 0 {
				<-lost
			}
			result, err := s.c.Clone(t.Context(), spec, nil)
			if err != nil || !result.Adopted || len(result.Warnings) == 0 {
				t.Errorf("got %+v %v, want the first run's VM", result, err)
			}
			<-lost
			spec := spec
			spec.CPUs = 8
			if _, err := s.c.Clone(t.Context(), spec, nil); !errors.Is(err, sdk.ErrConflict) {
				t.Errorf("got %v, want ErrConflict: something else was asked for", err)
			}
		})
	}
}

func TestClone_TwiceInOneRunIsAConflict(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	spec := vsphere.CloneSpec{SourceVM: stockVM, TargetName: "twice"}
	vm := s.clone(t, spec)
	if _, err := s.c.Clone(t.Context(), spec, nil); !errors.Is(err, sdk.ErrConflict) || len(sdk.Hints(err)) == 0 {
		t.Errorf("got %v, want ErrConflict with a hint", err)
	}
	if err := s.c.DeleteVM(t.Context(), vm, vsphere.PowerOffPolicy{}, nil); err != nil {
		t.Fatal(err)
	}
	s.clone(t, spec) // the first is gone
}

func TestClone_CanceledAfterTheVMWasMade(t *testing.T) {
	s := newCloneScene(t, demo.Options{Latency: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := s.begin(t, ctx, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "late"})
	waitFor(t, "the VM exists", func() bool {
		_, err := s.c.GetVM(t.Context(), "/DC0/vm/late")
		return err == nil
	})
	cancel()
	result, err := end()
	if result == nil || result.VM.Path != "/DC0/vm/late" {
		t.Errorf("got %v %v, want the VM named", result, err)
	}
}

func TestClone_SourceRebuiltInTheSameRun(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	golden := vsphere.CloneSpec{SourceVM: stockVM, TargetName: "golden"}
	vm := s.clone(t, golden)
	first, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: "/DC0/vm/golden", TargetName: "a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := dial(t, s.v) // somebody else rebuilds it
	if err := other.DeleteVM(t.Context(), vm, vsphere.PowerOffPolicy{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Clone(t.Context(), golden, nil); err != nil {
		t.Fatal(err)
	}
	second, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: "/DC0/vm/golden", TargetName: "b"}, nil)
	if err != nil || second.SourceRef == first.SourceRef {
		t.Errorf("got %+v %v, want a clone of the new one", second, err)
	}
}
