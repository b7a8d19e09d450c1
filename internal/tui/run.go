package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	tea "charm.land/bubbletea/v2"
)

// framesPerSecond bounds what a slow link has to carry; a frame holds only the cells that changed.
const framesPerSecond = 20

// ErrQuit says that operations were under way when the UI was quit, and were canceled.
var ErrQuit = errors.New("operations were canceled by quitting")

// Options say how the UI begins. Dir is required.
type Options struct {
	Dir       string         // where summaries are saved, and below which migrations go unless one says otherwise; absolute
	TargetURI string         // of libvirt, in the migration form; empty: qemu:///system
	TargetDir string         // in the migration form; empty: {name} below Dir
	Location  *time.Location // of the times that are shown; nil: the machine's
	ASCII     bool           // plots without Unicode
}

func (o Options) withDefaults() Options {
	if o.TargetURI == "" {
		o.TargetURI = "qemu:///system"
	}
	if o.TargetDir == "" {
		o.TargetDir = filepath.Join(o.Dir, "{name}")
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	return o
}

// Run shows the UI on a terminal until it is quit or ctx ends, and waits until what it began has ended: work that is under way
// then is canceled, which is ErrQuit. It returns what became of each operation that was begun, in their order.
func Run(ctx context.Context, backend Backend, opts Options, in io.Reader, out io.Writer) ([]Summary, error) {
	life, stop := context.WithCancel(ctx)
	defer stop()
	m := New(life, backend, opts)
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler())
	_, err := program.Run()
	interrupted := m.working() || m.quit
	stop()
	var done []Summary
	for _, w := range m.works {
		w.run(life) // waits for it; what was never begun is canceled
		done = append(done, newSummary(w.state()))
	}
	switch {
	case ctx.Err() != nil:
		return done, ctx.Err()
	case err != nil && !errors.Is(err, tea.ErrProgramKilled):
		return done, fmt.Errorf("terminal UI: %w", err)
	case interrupted:
		return done, ErrQuit
	}
	return done, nil
}
