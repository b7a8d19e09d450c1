package export_test

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

func TestRun_FullTargetIsFinal(t *testing.T) {
	need.Root(t)
	a, _ := testDisk(t, "scsi0:0", 8<<20, 4)
	for _, keep := range []export.Keep{export.KeepNothing, export.KeepVMDK, export.KeepOVA} {
		small := t.TempDir()
		if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
			need.Missing(t, "cannot mount a tmpfs: "+err.Error())
		}
		t.Cleanup(func() { _ = syscall.Unmount(small, 0) })
		s := spec(small, a)
		s.Keep = keep
		if keep != export.KeepNothing { // the kept file alone meets the full disk
			s.Disks[0].Path = filepath.Join(t.TempDir(), "disk-0.qcow2")
		}
		src := &localSource{disks: []localDisk{a}}
		_, err := export.Run(t.Context(), src, s, openJournal(t, filepath.Join(t.TempDir(), "j")), nil)
		if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, sdk.ErrConflict) || src.leases != 1 {
			t.Errorf("keep %q: got %v after %d leases, want ENOSPC of kind ErrConflict after one", keep, err, src.leases)
		}
		hints := strings.Join(sdk.Hints(err), "\n")
		if !strings.Contains(err.Error(), small) || !strings.Contains(hints, "8388608 bytes") || !strings.Contains(hints, "free") {
			t.Errorf("keep %q: got %v with hints %q, want the path, the bytes needed and those free", keep, err, hints)
		}
		if got := append(partials(t, small), partials(t, filepath.Dir(s.Disks[0].Path))...); len(got) != 0 {
			t.Errorf("keep %q: left behind %v", keep, got)
		}
	}
}
