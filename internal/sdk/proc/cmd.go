package proc

import (
	"context"
	"io"
	"time"
)

const (
	// maxStdout is how much collected output is kept: the longest that any tool here has to say is a few MiB of XML.
	maxStdout = 16 << 20
	// maxStderr is how much of the end of stderr is kept.
	maxStderr = 64 << 10
	// maxLine is where a line without an end is cut.
	maxLine = 64 << 10
	// defaultGrace is the time between SIGTERM and SIGKILL.
	defaultGrace = 5 * time.Second
)

// Cmd is one run of a tool: no shell, argv as given.
type Cmd struct {
	Name   string   // looked up on PATH
	Args   []string // never a secret
	Env    []string // added to a small inherited environment (PATH, HOME, TMPDIR, LANG=C, …; see env.go)
	Dir    string
	Stdin  io.Reader // nil: nothing to read; not read on after the tool has ended, but for a Read that has begun
	Stdout io.Writer // nil: collected; an error of the writer ends the tool and is what Run returns
	// Line is called for each line of stderr (and of stdout when Stdout is nil) as it comes, one call at a time. A carriage
	// return ends a line too, so that progress shows; empty lines are dropped and a line longer than 64 KiB comes in parts.
	Line  func(line string)
	Grace time.Duration // between SIGTERM and SIGKILL to the process group on cancel; 0: 5 s
}

// Result of a run.
type Result struct {
	Stdout    []byte // at most 16 MiB kept
	Truncated bool   // Stdout was longer
	Stderr    []byte // the last 64 KiB
	Code      int    // -1 when a signal ended the tool
}

// Run runs the tool to its end. A tool that is not installed is sdk.ErrNotFound with a hint that names the Debian package; an
// exit code other than 0 is an *ExitError. When ctx ends, the whole process group is ended and ctx's error is returned.
// The result is not nil whenever the tool was started, so that what it printed can be looked at beside the error.
func Run(ctx context.Context, cmd Cmd) (*Result, error) {
	p, err := Start(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return p.Wait()
}
