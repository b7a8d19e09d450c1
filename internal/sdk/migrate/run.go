package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/pipeline"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/preflight"
)

// Run does the migration, or goes on with one that was interrupted. On cancellation it returns the context's error and a
// Result whose Status is interrupted. When the export is whole and a later stage failed, the Result is there and the error is
// an *sdk.PartialError. A job that has ended answers with its result; its domain is defined again when it is gone while
// its disks are there.
func Run(ctx context.Context, deps Deps, spec Spec, report sdk.ProgressFunc) (*Result, error) {
	j, err := prepare(ctx, deps, spec)
	if err != nil {
		return nil, err
	}
	state, err := j.earlier()
	if err != nil {
		return nil, err
	}
	again, err := j.ended(ctx, state)
	if err != nil || again != nil {
		return again, err
	}
	if state != nil && state.Committing && state.ConversionKey != j.conversionKey() {
		return nil, sdk.WithHint(sdk.Conflictf("the job in %s is merging what it was asked for before; it cannot be asked for something else now", j.jobDir()),
			"run it with the settings it began with")
	}
	if err := j.refuseBlocking(ctx, state); err != nil {
		return nil, err
	}
	unlock, err := j.reserve(state)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if j.journal, err = journal.Open(j.jobDir(), j.key); err != nil {
		return nil, err
	}
	defer j.journal.Close() //nolint:errcheck // everything in it is synced
	return j.drive(ctx, report)
}

// reserve makes the directories and takes the file names in them for this run: two VMs of one name in one directory would
// otherwise write the same files.
func (j *job) reserve(state *State) (unlock func(), err error) {
	var locks []*journal.NameLock
	unlock = func() {
		for _, l := range locks {
			l.Release()
		}
	}
	for _, dir := range slices.Compact([]string{j.dir, j.diskDir}) {
		if err := os.MkdirAll(filepath.Join(dir, workDir), 0o755); err != nil {
			unlock()
			return nil, err
		}
		lock, err := journal.LockName(filepath.Join(dir, workDir), j.base)
		if err != nil {
			unlock()
			return nil, err
		}
		locks = append(locks, lock)
	}
	for _, d := range j.wanted() {
		if state == nil && d.Path != "" && exists(d.Path) {
			unlock()
			return nil, sdk.WithHint(sdk.Conflictf("%s exists", d.Path), "move it away, or choose another name or directory")
		}
	}
	return unlock, nil
}

// earlier is what an earlier run left; nil when there was none.
func (j *job) earlier() (*State, error) {
	_, state, err := loadRecord(j.dir, j.key)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil, nil
	}
	return state, err
}

// ended answers for a job that is over, and nil for one that has work left.
func (j *job) ended(ctx context.Context, state *State) (*Result, error) {
	if state == nil || state.Status != sdk.Succeeded || !j.reached(state) {
		return nil, nil
	}
	if state.ConversionKey != j.conversionKey() {
		return nil, sdk.WithHint(sdk.Conflictf("%q was migrated already, with other settings, on %s", j.name, state.FinishedAt.Format(time.RFC3339)),
			"its job is in %s; choose another name for a second copy", j.jobDir())
	}
	domainGone, err := j.domainGone(ctx)
	switch {
	case err != nil:
		return nil, err
	case domainGone && state.allGone():
		return nil, j.forget() // nothing is left of it: made anew
	case j.spec.Target == nil || j.spec.Until != UntilCutover:
		return &state.Result, j.stillWhole(ctx, state)
	case domainGone:
		_, err = Redefine(ctx, j.deps, j.dir, j.key)
	}
	return &state.Result, err
}

func (j *job) domainGone(ctx context.Context) (bool, error) {
	if j.spec.Target == nil {
		return true, nil
	}
	_, err := j.deps.Libvirt.GetDomain(ctx, j.domainUUID())
	if errors.Is(err, sdk.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// allGone says whether none of the files is there any more.
func (s *State) allGone() bool { return len(s.Files) > 0 && !slices.ContainsFunc(s.Files, exists) }

// forget starts the job anew.
func (j *job) forget() error {
	old, err := journal.Open(j.jobDir(), j.key)
	if err != nil {
		return err
	}
	return old.Remove()
}

// stillWhole checks that a finished export is what it was, and that the VM is what was exported.
func (j *job) stillWhole(ctx context.Context, state *State) error {
	for path, want := range state.DiskIDs {
		if got, err := fileID(path); err != nil || got != want {
			return sdk.WithHint(sdk.Conflictf("%s is not the file that was exported on %s any more", path, state.FinishedAt.Format(time.RFC3339)),
				"move what is left of that export away, %s included, to export again", j.jobDir())
		}
	}
	state.job = j
	if reason := state.stale(ctx); reason != nil {
		return sdk.WithHint(sdk.Conflictf("%q was exported on %s, and %v", j.vm.Path, state.FinishedAt.Format(time.RFC3339), reason),
			"move that export away, %s included, or choose another directory", j.jobDir())
	}
	return nil
}

// reached says whether the earlier run went as far as this one is asked to go.
func (j *job) reached(state *State) bool {
	return j.spec.Target == nil || j.spec.Until == UntilValidated || state.Reached == UntilCutover
}

// conversionKey changes when what was asked of the copy changes. Where it ends and how it is checked is no part of it.
func (j *job) conversionKey() string {
	data, err := json.Marshal([]any{j.copySpec(), j.spec.Pipeline})
	if err != nil {
		panic(err) // plain structs of strings and numbers
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// refuseBlocking runs the pre-flight rules against the world as it is now.
func (j *job) refuseBlocking(ctx context.Context, state *State) error {
	if state != nil && state.Committing {
		return nil // it has begun to be ours: only forward
	}
	in, err := j.preflightInput(ctx, state)
	if err != nil {
		return err
	}
	blocking := preflight.Blocking(preflight.Check(in), j.spec.Preflight.FailOn, j.spec.Preflight.Ignore)
	if len(blocking) == 0 {
		return nil
	}
	var lines []string
	for _, f := range blocking {
		lines = append(lines, fmt.Sprintf("%s: %s", f.ID, f.Text))
	}
	err = sdk.Invalidf("pre-flight: %s", strings.Join(lines, "; "))
	for i := len(blocking) - 1; i >= 0; i-- {
		err = sdk.WithHint(err, "%s: %s", blocking[i].ID, blocking[i].Action)
	}
	return err
}

// drive runs the stages and records how it ended.
func (j *job) drive(ctx context.Context, report sdk.ProgressFunc) (*Result, error) {
	s := &State{job: j}
	if _, err := j.journal.Get(stateSection, s); err != nil {
		return nil, err
	}
	j.describe(ctx, s)
	if err := s.save(); err != nil {
		return nil, err
	}
	err := pipeline.Run(ctx, j.journal, asPipeline(stages(j)), s, func(p sdk.Progress) {
		report.Report(p)
	})
	err = errors.Join(err, s.closeAppliance(ctx))
	return &s.Result, j.conclude(ctx, s, err)
}

// describe fills in what is known before the first stage.
func (j *job) describe(ctx context.Context, s *State) {
	s.JobKey, s.Name, s.Dir, s.Status = j.key, j.name, j.dir, sdk.Running
	s.VMPath, s.InstanceUUID, s.VCenterUUID, s.ChangeVersion = j.vm.Path, j.vm.InstanceUUID, j.vcenter.InstanceUUID, j.vm.ChangeVersion
	s.ConversionKey = j.conversionKey()
	if pipe := j.spec.Pipeline; !s.Committing && (pipe == nil || !pipe.Fix) {
		s.dropOverlays() // of an earlier run that was to fix the guest
	}
	s.Pipeline = PipelineResult{}
	s.FinishedAt = time.Time{}
	if s.StartedAt.IsZero() {
		s.StartedAt = time.Now().UTC()
	}
	if in, err := j.preflightInput(ctx, s); err == nil {
		s.addFindings(preflight.Check(in))
	}
}

// conclude turns how the stages ended into the result's status and the caller's error, and writes both down.
func (j *job) conclude(ctx context.Context, s *State, err error) error {
	var failed *pipeline.StageError
	errors.As(err, &failed)
	if failed != nil {
		s.Stage = failed.Stage
	}
	switch {
	case err == nil:
		s.Status, s.FinishedAt, s.Stage, s.Reached = sdk.Succeeded, time.Now().UTC(), lastStage(j), j.spec.Until
		s.finishDisks()
	case ctx.Err() != nil:
		s.Status = sdk.Interrupted
		err = context.Cause(ctx)
		if s.ShutDown {
			err = sdk.WithHint(err, "the source %q is shut down; the same command goes on from here", j.vm.Path)
		}
	case failed != nil && afterExport(failed.Stage):
		s.Status = sdk.Failed
		s.Pipeline = PipelineResult{Status: sdk.Failed, Stage: failed.Stage, Error: failed.Err.Error()}
		err = &sdk.PartialError{Done: s.Files, Failed: map[string]error{failed.Stage: errorOf(err, failed)}}
	default:
		s.Status = sdk.Failed
	}
	if j.spec.Pipeline != nil && s.Status == sdk.Succeeded {
		s.Pipeline.Status = sdk.Succeeded
	}
	s.ReportPath = filepath.Join(j.jobDir(), "report.json")
	if jerr := s.save(); jerr != nil && err == nil {
		return jerr
	}
	if rerr := j.writeReport(s); rerr != nil && err == nil {
		return rerr
	}
	return err
}

func lastStage(j *job) string {
	list := stages(j)
	return list[len(list)-1].Name()
}

// dropOverlays forgets FIX's work.
func (s *State) dropOverlays() {
	for _, o := range s.Overlays {
		removeQuietly(o.Path)
	}
	s.Overlays = nil
}

// errorOf keeps what the undo had to say beside the stage's own error.
func errorOf(err error, failed *pipeline.StageError) error {
	if err == error(failed) { //nolint:errorlint // is it that very one, with nothing joined to it?
		return failed.Err
	}
	return err
}

// finishDisks records the identity of every file as it is handed over.
func (s *State) finishDisks() {
	if s.DiskIDs == nil {
		s.DiskIDs = map[string]FileID{}
	}
	for _, path := range s.Files {
		if id, err := fileID(path); err == nil {
			s.DiskIDs[path] = id
		}
	}
}

// Report is the record of a run for people and programs: the result and each stage with its times.
type Report struct {
	Result
	Stages map[string]journal.Stage `json:"stages"`
}

func (j *job) writeReport(s *State) error {
	rec, err := journal.Read(j.jobDir())
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(Report{Result: s.Result, Stages: rec.Stages}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	return journal.WriteFile(s.ReportPath, append(data, '\n'), 0o644)
}
