package provider

import (
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// Whatever happens to vCenter while it clones, the apply that began it ends well, and each clone is there once.
func TestCloneProcess_ApplyOutlastsTrouble(t *testing.T) {
	for name, trouble := range map[string]struct {
		before demo.Faults
		during func(*cloneBench)
	}{
		"busy at first":    {before: demo.Faults{CloneDelay: time.Second, Unavailable: 3}},
		"busy":             {before: demo.Faults{CloneDelay: 2 * time.Second, Unavailable: 2, UnavailableMethod: "CloneVM_Task"}},
		"session ended":    {before: demo.Faults{CloneDelay: 2 * time.Second}, during: func(b *cloneBench) { b.vc.EndSessions() }},
		"answer lost":      {before: demo.Faults{CloneDelay: 2 * time.Second, LoseAnswers: 1, LoseAnswerMethod: "CloneVM_Task"}},
		"away for a while": {before: demo.Faults{CloneDelay: 2 * time.Second}, during: outage(false)},
		"died and back":    {before: demo.Faults{CloneDelay: 2 * time.Second}, during: outage(true)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newCloneBench(t)
			w := newWorkspace(t, threeClones(b))
			b.vc.SetFaults(trouble.before)
			cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "three clones under way", func() bool { return b.vc.Calls()["CloneVM_Task"] >= 3 })
			if trouble.during != nil {
				trouble.during(b)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("apply: %v\n%s", err, out)
			}
			b.vc.SetFaults(demo.Faults{})
			w.apply()
			wantThree(t, b)
		})
	}
}

// outage cuts vCenter off for a second.
func outage(restart bool) func(*cloneBench) {
	return func(b *cloneBench) {
		end := b.vc.Outage(restart)
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		<-timer.C
		end()
	}
}
