package proc

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// Process is a tool that goes on running.
type Process struct {
	cmd   *exec.Cmd
	name  string
	grace time.Duration
	io    *streams

	stop     chan struct{} // closed by the first Stop
	stopOnce sync.Once
	drained  chan struct{} // closed when the tool has ended and its output is read
	done     chan struct{}

	result *Result // set before done is closed
	err    error
}

// Start starts the tool. Canceling ctx ends its process group. The tool does not outlive this process: on Linux the kernel
// kills it when this process dies, however it dies.
func Start(ctx context.Context, cmd Cmd) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Name, err)
	}
	path, err := Find(cmd.Name)
	if err != nil {
		return nil, err
	}
	c := exec.Command(path, cmd.Args...) //nolint:noctx // the context ends the whole group, see watch
	c.Args[0] = cmd.Name
	c.Dir, c.Env = cmd.Dir, environment(cmd.Env)
	leadGroup(c)
	streams, err := attach(c, cmd)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Name, err)
	}
	p := &Process{
		cmd: c, name: cmd.Name, grace: cmd.Grace, io: streams,
		stop: make(chan struct{}), drained: make(chan struct{}), done: make(chan struct{}),
	}
	if p.grace == 0 {
		p.grace = defaultGrace
	}
	started := make(chan error)
	go p.own(ctx, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Name, err)
	}
	return p, nil
}

// own starts the tool and stays with it to its end. It keeps its thread, because the kernel's parent-death signal is bound to
// the thread that started the child, not to the process.
func (p *Process) own(ctx context.Context, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	p.io.started(err == nil)
	started <- err
	if err != nil {
		return
	}
	ended := make(chan bool)
	go func() { ended <- p.watch(ctx) }()
	err = p.cmd.Wait()
	p.io.drain()
	close(p.drained)
	canceled := <-ended
	p.result = p.io.result(p.cmd.ProcessState.ExitCode())
	p.err = p.verdict(ctx, err, canceled)
	close(p.done)
}

// watch ends the process group when ctx ends or Stop is called, and says whether it was ctx.
func (p *Process) watch(ctx context.Context) (canceled bool) {
	select {
	case <-p.drained:
		return false
	case <-p.stop:
	case <-ctx.Done():
		canceled = true
	}
	terminateGroup(p.cmd.Process)
	timer := time.NewTimer(p.grace)
	defer timer.Stop()
	select {
	case <-p.drained:
	case <-timer.C:
	}
	killGroup(p.cmd.Process) // also what ignored SIGTERM while the leader obeyed
	return canceled
}

func (p *Process) verdict(ctx context.Context, err error, canceled bool) error {
	if canceled {
		return fmt.Errorf("%s: %w", p.name, ctx.Err())
	}
	if werr := p.io.writeErr(); werr != nil {
		return fmt.Errorf("%s: pass on its output: %w", p.name, werr)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &ExitError{
			Name: p.name, Code: exit.ExitCode(), Signal: signalName(exit.ProcessState), Stderr: string(p.result.Stderr),
		}
	}
	return fmt.Errorf("%s: %w", p.name, err)
}

// PID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and been waited for.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait returns as Run does. It may be called more than once.
func (p *Process) Wait() (*Result, error) {
	<-p.done
	return p.result, p.err
}

// Stop ends the process group: SIGTERM, then SIGKILL after the grace. It returns when the process has been waited for; one that
// has ended already is no error.
func (p *Process) Stop() error {
	p.stopOnce.Do(func() { close(p.stop) })
	<-p.done
	return nil
}
