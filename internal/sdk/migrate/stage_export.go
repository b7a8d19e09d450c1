package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

// Names of the stages, as they stand in journals, reports and on screens.
const (
	stageShutdown = "shutdown"
	stageExport   = "export"
	stageConvert  = "convert" // reported with export's progress: it ends in the same pass
	stageManifest = "manifest"
	stageInspect  = "inspect"
	stageFix      = "fix"
	stageValidate = "validate"
	stageDefine   = "define"
	stageBoot     = "boot"
	stageCommit   = "commit"
	stageSource   = "source"
	stageStart    = "start"
)

// shutdownStage powers the source off gracefully when it runs.
type shutdownStage struct{}

func (shutdownStage) Name() string { return stageShutdown }

func (shutdownStage) Inputs(s *State) any { return s.job.spec.SourceAfter }

func (shutdownStage) Does(j *job) string {
	if j.vm.PowerState == "poweredOff" {
		return "nothing: the VM is off"
	}
	return fmt.Sprintf("ask the guest to shut down, wait up to %s", j.spec.ShutdownIn)
}

// Stands checks that nobody started the VM since.
func (shutdownStage) Stands(_ context.Context, s *State) error {
	if s.Committing || s.job.vm.PowerState == "poweredOff" {
		return nil
	}
	return fmt.Errorf("the VM is %s", s.job.vm.PowerState)
}

func (shutdownStage) Run(ctx context.Context, s *State, _ sdk.ProgressFunc) error {
	if s.job.vm.PowerState == "poweredOff" {
		return nil
	}
	s.ShutDown = true
	s.SourceRan = s.SourceRan || s.SourceVersion != "" // it runs, and there is a copy of it already: a stale one
	s.OutageStart = time.Now().UTC()
	if err := s.save(); err != nil {
		return err
	}
	if err := s.job.deps.VSphere.ShutdownVM(ctx, s.job.vm, s.job.spec.ShutdownIn); err != nil {
		return sdk.WithHint(fmt.Errorf("shut down %q: %w", s.job.vm.Path, err),
			"its guest was asked and may still shut down later; look at it before you try again")
	}
	vm, err := s.job.deps.VSphere.GetVM(ctx, s.job.vm.Ref)
	if err != nil {
		return err
	}
	s.job.vm = vm
	return nil
}

// Undo gives the service back: a VM that we shut down runs again after a failure.
func (shutdownStage) Undo(ctx context.Context, s *State) error {
	if !s.ShutDown {
		return nil
	}
	s.SourceRan, s.OutageStart = true, time.Time{} // written down first: a copy of a VM that may run is stale
	if err := s.save(); err != nil {
		return err
	}
	if err := s.job.deps.VSphere.PowerOnVM(ctx, s.job.vm); err != nil {
		return fmt.Errorf("power %q on again: %w", s.job.vm.Path, err)
	}
	s.ShutDown = false
	return nil
}

// exportStage copies the disks and converts them in the same pass.
type exportStage struct{}

func (exportStage) Name() string { return stageExport }

func (exportStage) Inputs(s *State) any { return s.job.copySpec() }

func (exportStage) Does(j *job) string {
	var total int64
	for _, d := range j.wanted() {
		total += d.CapacityBytes
	}
	text := fmt.Sprintf("copy %s (%s) over NFC", plural(len(j.wanted()), "disk"), sdk.FormatBytes(total))
	if j.spec.Convert {
		text += ", convert to " + j.spec.Format + " in the same pass, " + describeCompression(j.spec.Compression)
	}
	if j.spec.Keep != export.KeepNothing {
		text += fmt.Sprintf(", keep the %s as served", j.spec.Keep)
	}
	return text
}

// Stands checks that the files are there and the VM is the one that was exported.
func (exportStage) Stands(ctx context.Context, s *State) error {
	if s.Committing {
		return nil
	}
	if err := s.stale(ctx); err != nil {
		return err
	}
	for _, d := range s.Disks {
		for path, bytes := range map[string]int64{d.Path: d.Bytes, d.SourcePath: 0} {
			if path == "" {
				continue
			}
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if bytes > 0 && info.Size() != bytes {
				return fmt.Errorf("%s has %d bytes, not %d", path, info.Size(), bytes)
			}
		}
	}
	return nil
}

// stale says why what was copied is not what the source holds now; nil when nothing speaks against it. A change version
// covers the VM's settings alone, so vCenter's events are asked whether the VM ran.
func (s *State) stale(ctx context.Context) error {
	switch {
	case s.SourceVersion == "":
		return nil
	case s.SourceRan:
		return errors.New("it ran since")
	case s.SourceVersion != s.job.vm.ChangeVersion:
		return errors.New("its settings changed since")
	}
	ran, err := s.job.deps.VSphere.PoweredOnSince(ctx, s.job.vm, s.ExportedAt)
	if err != nil {
		return fmt.Errorf("whether it ran since is not known: %w", err)
	}
	if ran {
		return errors.New("it ran since")
	}
	return nil
}

func (exportStage) Run(ctx context.Context, s *State, report sdk.ProgressFunc) error {
	if reason := s.stale(ctx); reason != nil {
		report.Report(sdk.Progress{Stage: stageExport, Message: "copies anew: " + reason.Error()})
		if err := s.forgetExport(); err != nil {
			return err
		}
		s.SourceVersion = ""
	}
	if err := s.beginCopy(ctx); err != nil {
		return err
	}
	if s.OutageStart.IsZero() {
		s.OutageStart = time.Now().UTC()
	}
	var wire received
	result, err := export.Run(ctx, s.job.deps.VSphere.Source(s.job.vm), s.job.exportSpec(), s.job.journal,
		func(p sdk.Progress) {
			p.Stage = stageExport
			wire.note(p)
			report.Report(p)
		})
	s.BytesCopied += wire.total()
	if result != nil {
		s.Disks, s.Files = result.Disks, result.Files
	}
	if err != nil {
		return fmt.Errorf("export %q: %w", s.job.vm.Path, err)
	}
	if s.job.spec.Convert {
		report.Report(sdk.Progress{Stage: stageConvert, Status: sdk.Succeeded, Message: "in the same pass as export"})
	}
	return nil
}

// beginCopy writes down of which state of the source the copy is, before its first byte; a resume keeps what was written.
func (s *State) beginCopy(ctx context.Context) error {
	if s.SourceVersion != "" {
		return nil
	}
	now, err := s.job.deps.VSphere.Now(ctx)
	if err != nil {
		return err
	}
	s.SourceVersion, s.ExportedAt = s.job.vm.ChangeVersion, now
	return s.save()
}

// received counts what came over the wire, disk by disk, also in a run that fails.
type received struct {
	mu    sync.Mutex
	disks map[string]int64
}

func (r *received) note(p sdk.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.disks == nil {
		r.disks = map[string]int64{}
	}
	r.disks[p.Item] = max(r.disks[p.Item], p.Wire)
}

func (r *received) total() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var n int64
	for item, bytes := range r.disks {
		if item != "" {
			n += bytes
		}
	}
	return n
}

// forgetExport drops what an earlier run exported of a source that has changed since. They are this job's own files.
func (s *State) forgetExport() error {
	if err := export.Forget(s.job.journal); err != nil {
		return err
	}
	s.dropOverlays()
	s.Disks, s.Files, s.DiskIDs, s.SourceRan, s.Committing = nil, nil, nil, false, false
	return nil
}
