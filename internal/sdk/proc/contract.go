package proc

import (
	"context"
	"io"
	"time"
)

// Cmd is one run of a tool: no shell, argv as given.
type Cmd struct {
	Name   string   // looked up on PATH
	Args   []string // never a secret
	Env    []string // added to a small inherited environment (PATH, HOME, TMPDIR, LANG=C, …)
	Dir    string
	Stdin  io.Reader
	Stdout io.Writer         // nil: collected
	Line   func(line string) // called for each line of stderr (and of stdout when Stdout is nil) as it comes
	Grace  time.Duration     // between SIGTERM and SIGKILL to the process group on cancel; 0: 5 s
}

// Result of a run.
type Result struct {
	Stdout []byte // at most 16 MiB kept
	Stderr []byte // the last 64 KiB
	Code   int
}

// ExitError says that a tool ended with a code other than 0. Its text has the tool, the code and the last lines of stderr.
type ExitError struct {
	Name   string
	Code   int
	Signal string // the signal that ended it, if one did
	Stderr string
}

func (e *ExitError) Error() string { panic("contract") }

// Run runs the tool to its end. A tool that is not installed is sdk.ErrNotFound with a hint that names the Debian package.
// When ctx ends, the whole process group is ended and ctx's error is returned.
func Run(ctx context.Context, cmd Cmd) (*Result, error) { panic("contract") }

// Process is a tool that goes on running.
type Process struct{}

// Start starts the tool. Canceling ctx ends its process group.
func Start(ctx context.Context, cmd Cmd) (*Process, error) { panic("contract") }

// PID of the process.
func (p *Process) PID() int { panic("contract") }

// Done is closed when the process has ended and been waited for.
func (p *Process) Done() <-chan struct{} { panic("contract") }

// Wait returns as Run does.
func (p *Process) Wait() (*Result, error) { panic("contract") }

// Stop ends the process group: SIGTERM, then SIGKILL after the grace.
func (p *Process) Stop() error { panic("contract") }

// Find returns the path of a tool, or sdk.ErrNotFound with the hint.
func Find(name string) (string, error) { panic("contract") }
