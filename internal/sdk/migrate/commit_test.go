package migrate

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

// committing is a job with two disks and FIX's overlays on them, each overlay saying something else than its disk.
func committing(t *testing.T) *State {
	t.Helper()
	need.Tools(t, "qemu-img", "qemu-io")
	dir := t.TempDir()
	jn, err := journal.Open(filepath.Join(dir, "job"), "key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = jn.Close() })
	j := &job{dir: dir, base: "web", name: "web", journal: jn, spec: Spec{Pipeline: &PipelineSpec{Fix: true}}}
	s := &State{job: j}
	for _, id := range []string{"disk-0", "disk-1"} {
		base, overlay := filepath.Join(dir, id+".qcow2"), filepath.Join(dir, id+".overlay.qcow2")
		tool(t, "qemu-img", "create", "-q", "-f", "qcow2", base, "4M")
		tool(t, "qemu-io", "-f", "qcow2", "-c", "write -q -P 1 0 1M", base)
		if err := qemuimg.CreateOverlay(t.Context(), overlay, base, FormatQcow2); err != nil {
			t.Fatal(err)
		}
		tool(t, "qemu-io", "-f", "qcow2", "-c", "write -q -P 2 512K 1M", overlay)
		s.Disks = append(s.Disks, export.Disk{ID: id, Path: base, Format: FormatQcow2})
		s.Overlays = append(s.Overlays, Overlay{Path: overlay, Base: base})
	}
	return s
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func wantMerged(t *testing.T, s *State) {
	t.Helper()
	for _, o := range s.Overlays {
		tool(t, "qemu-io", "-f", "qcow2", "-c", "read -q -P 1 0 512K", "-c", "read -q -P 2 512K 1M", o.Base)
		if exists(o.Path) {
			t.Errorf("%s is still there", o.Path)
		}
	}
	if len(s.DiskIDs) != len(s.Disks) {
		t.Errorf("%d disks measured, want %d", len(s.DiskIDs), len(s.Disks))
	}
}

func TestCommit_RollsForwardFromAnyPoint(t *testing.T) {
	t.Run("undisturbed", func(t *testing.T) {
		s := committing(t)
		if err := (commitStage{}).Run(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
		wantMerged(t, s)
	})
	t.Run("killed after the first disk", func(t *testing.T) {
		s := committing(t)
		tool(t, "qemu-img", "commit", "-q", "-f", "qcow2", s.Overlays[0].Path)
		if err := os.Remove(s.Overlays[0].Path); err != nil {
			t.Fatal(err)
		}
		if err := (commitStage{}).Run(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
		wantMerged(t, s)
	})
	t.Run("killed between merge and removal", func(t *testing.T) {
		s := committing(t)
		tool(t, "qemu-img", "commit", "-q", "-d", "-f", "qcow2", s.Overlays[0].Path)
		if err := (commitStage{}).Run(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
		wantMerged(t, s)
	})
}

func TestCommit_SaysCommittingBeforeItTouchesADisk(t *testing.T) {
	s := committing(t)
	s.Overlays[0].Base, s.Overlays[1].Base = "", ""
	tool(t, "qemu-img", "rebase", "-u", "-q", "-f", "qcow2", "-F", "qcow2", "-b", filepath.Join(s.job.dir, "gone.qcow2"), s.Overlays[0].Path)
	if err := (commitStage{}).Run(t.Context(), s, nil); err == nil {
		t.Fatal("a commit into a missing disk succeeded")
	}
	var kept State
	if _, err := s.job.journal.Get(stateSection, &kept); err != nil || !kept.Committing {
		t.Errorf("journal says committing: %v (%v), want true", kept.Committing, err)
	}
}
