package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/pipeline"
)

// state is what flows from stage to stage.
type state struct {
	Made []string `json:"made"`
}

// script says how the stages of one run behave and records what they did.
type script struct {
	names  []string
	inputs map[string]string // by stage
	fail   map[string]error
	gone   map[string]bool // the result of the stage no longer stands
	noUndo map[string]error
	before func(stage string) // called when a stage runs
	did    []string
}

// stage runs, can be undone and looks at its result.
type stage struct {
	name string
	s    *script
}

func (st stage) Name() string      { return st.name }
func (st stage) Inputs(*state) any { return st.s.inputs[st.name] }
func (st stage) Run(_ context.Context, s *state, report sdk.ProgressFunc) error {
	st.s.did = append(st.s.did, "run "+st.name)
	if st.s.before != nil {
		st.s.before(st.name)
	}
	report.Report(sdk.Progress{Stage: st.name, Message: "at work"})
	if err := st.s.fail[st.name]; err != nil {
		return err
	}
	s.Made = append(s.Made, st.name)
	return nil
}

func (st stage) Undo(ctx context.Context, _ *state) error {
	st.s.did = append(st.s.did, "undo "+st.name)
	return errors.Join(ctx.Err(), st.s.noUndo[st.name])
}

func (st stage) Stands(context.Context, *state) error {
	if st.s.gone[st.name] {
		return errors.New("its file is gone")
	}
	return nil
}

// plain is a stage that only runs.
type plain struct{ st stage }

func (p plain) Name() string        { return p.st.Name() }
func (p plain) Inputs(s *state) any { return p.st.Inputs(s) }
func (p plain) Run(ctx context.Context, s *state, report sdk.ProgressFunc) error {
	return p.st.Run(ctx, s, report)
}

// run runs the script on the journal in dir, as one process of several.
func (sc *script) run(t *testing.T, ctx context.Context, dir string, report sdk.ProgressFunc) (*state, error) {
	t.Helper()
	j, err := journal.Open(dir, "job")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	if sc.names == nil {
		sc.names = []string{"export", "fix", "define"}
	}
	var stages []pipeline.Stage[state]
	for _, name := range sc.names {
		if strings.HasPrefix(name, "plain") {
			stages = append(stages, plain{stage{name, sc}})
			continue
		}
		stages = append(stages, stage{name, sc})
	}
	s := &state{}
	return s, pipeline.Run(ctx, j, stages, s, report)
}

func status(t *testing.T, dir, stage string) journal.Stage {
	t.Helper()
	rec, err := journal.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Stages[stage]
}

func TestRun_InOrderWithTheLastReport(t *testing.T) {
	var got []string
	sc := &script{}
	s, err := sc.run(t, t.Context(), t.TempDir(), func(p sdk.Progress) { got = append(got, p.Stage+" "+string(p.Status)+p.Message) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"export running", "export at work", "export succeeded",
		"fix running", "fix at work", "fix succeeded",
		"define running", "define at work", "define succeeded",
	}
	if !slices.Equal(got, want) {
		t.Errorf("reports %q, want %q", got, want)
	}
	if want := []string{"export", "fix", "define"}; !slices.Equal(s.Made, want) {
		t.Errorf("state %q, want %q", s.Made, want)
	}
}

func TestRun_Again(t *testing.T) {
	tests := []struct {
		name   string
		second script
		want   []string
	}{
		{"nothing changed: all is skipped", script{}, nil},
		{"the last one's inputs changed", script{inputs: map[string]string{"define": "other"}}, []string{"run define"}},
		{"an earlier one's inputs changed: what follows runs too", script{inputs: map[string]string{"fix": "other"}},
			[]string{"run fix", "run define"}},
		{"a result is gone: what follows runs too", script{gone: map[string]bool{"export": true}},
			[]string{"run export", "run fix", "run define"}},
		{"a stage was put in between", script{names: []string{"export", "inspect", "fix", "define"}},
			[]string{"run inspect", "run fix", "run define"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := (&script{}).run(t, t.Context(), dir, nil); err != nil {
				t.Fatal(err)
			}
			s, err := tt.second.run(t, t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(tt.second.did, tt.want) {
				t.Errorf("did %q, want %q", tt.second.did, tt.want)
			}
			if len(s.Made) != 3+len(tt.want) {
				t.Errorf("state %q, want the first run's and %d more", s.Made, len(tt.want))
			}
		})
	}
}

func TestRun_SkippedStageIsReported(t *testing.T) {
	dir := t.TempDir()
	if _, err := (&script{}).run(t, t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	_, err := (&script{}).run(t, t.Context(), dir, func(p sdk.Progress) { got = append(got, p.Stage+" "+string(p.Status)) })
	if want := []string{"export succeeded", "fix succeeded", "define succeeded"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestRun_FailureUndoesInReverse(t *testing.T) {
	dir := t.TempDir()
	cause := sdk.Conflictf("the name is taken")
	sc := &script{names: []string{"export", "plain", "fix", "define", "boot"}, fail: map[string]error{"define": cause}}
	_, err := sc.run(t, t.Context(), dir, nil)
	var failed *pipeline.StageError
	if !errors.As(err, &failed) || failed.Stage != "define" || !errors.Is(err, sdk.ErrConflict) {
		t.Fatalf("got %v, want a StageError of define that is ErrConflict", err)
	}
	want := []string{"run export", "run plain", "run fix", "run define", "undo define", "undo fix", "undo export"}
	if !slices.Equal(sc.did, want) {
		t.Errorf("did %q, want %q", sc.did, want)
	}
	for name, want := range map[string]sdk.Status{"export": sdk.Pending, "plain": sdk.Succeeded, "fix": sdk.Pending, "define": sdk.Failed, "boot": ""} {
		if got := status(t, dir, name).Status; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := status(t, dir, "define").Error; got != cause.Error() {
		t.Errorf("recorded error %q, want %q", got, cause)
	}

	again := &script{names: sc.names}
	if _, err := again.run(t, t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"run export", "run plain", "run fix", "run define", "run boot"}; !slices.Equal(again.did, want) {
		t.Errorf("the next run did %q, want %q", again.did, want)
	}
}

func TestRun_UndoThatFails(t *testing.T) {
	stuck := errors.New("domain is stuck")
	sc := &script{fail: map[string]error{"define": sdk.Invalidf("bad xml")}, noUndo: map[string]error{"fix": stuck}}
	dir := t.TempDir()
	_, err := sc.run(t, t.Context(), dir, nil)
	if !errors.Is(err, stuck) || !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "undo fix") {
		t.Errorf("got %v, want both errors and the name of the undo", err)
	}
	if !slices.Contains(sc.did, "undo export") {
		t.Errorf("did %q, want the other undos all the same", sc.did)
	}
}

func TestRun_CancelUndoesNothingAndResumes(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sc := &script{fail: map[string]error{"fix": context.Canceled}, before: func(name string) {
		if name == "fix" {
			cancel()
		}
	}}
	if _, err := sc.run(t, ctx, dir, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	if want := []string{"run export", "run fix"}; !slices.Equal(sc.did, want) {
		t.Errorf("did %q, want %q", sc.did, want)
	}
	if got := status(t, dir, "fix").Status; got != sdk.Canceled {
		t.Errorf("fix is %q, want %q", got, sdk.Canceled)
	}

	again := &script{}
	s, err := again.run(t, t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"run fix", "run define"}; !slices.Equal(again.did, want) {
		t.Errorf("the next run did %q, want %q", again.did, want)
	}
	if want := []string{"export", "fix", "define"}; !slices.Equal(s.Made, want) {
		t.Errorf("state %q, want %q", s.Made, want)
	}
}

func TestRun_CanceledBetweenStages(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sc := &script{before: func(string) { cancel() }}
	if _, err := sc.run(t, ctx, t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if want := []string{"run export"}; !slices.Equal(sc.did, want) {
		t.Errorf("did %q, want %q", sc.did, want)
	}
}

func TestRun_DeathWhileAnEarlierStageRunsAnew(t *testing.T) {
	dir := t.TempDir()
	if _, err := (&script{}).run(t, t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves: it had begun to run fix anew.
	sc := &script{inputs: map[string]string{"fix": "other"}}
	sc.before = func(name string) {
		if name != "fix" {
			return
		}
		if got := status(t, dir, "define").Status; got != sdk.Pending {
			t.Errorf("while fix runs anew, define is %q, want %q", got, sdk.Pending)
		}
		if got := status(t, dir, "fix").Status; got != sdk.Running {
			t.Errorf("while fix runs, it is %q, want %q", got, sdk.Running)
		}
	}
	if _, err := sc.run(t, t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
}

func TestRun_InputsThatCannotBeHashed(t *testing.T) {
	j, err := journal.Open(t.TempDir(), "job")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	sc := &script{}
	err = pipeline.Run(t.Context(), j, []pipeline.Stage[state]{unhashable{stage{"export", sc}}}, &state{}, nil)
	if err == nil || !strings.Contains(err.Error(), "export") || slices.Contains(sc.did, "run export") {
		t.Errorf("got %v after %q, want an error that names the stage, and that it did not run", err, sc.did)
	}
}

type unhashable struct{ stage }

func (unhashable) Inputs(*state) any { return func() {} }
