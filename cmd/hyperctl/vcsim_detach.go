//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	stopGrace = 20 * time.Second      // between SIGTERM and SIGKILL
	killGrace = 5 * time.Second       // after SIGKILL
	stopPoll  = 20 * time.Millisecond // how often the lock is looked at meanwhile
)

// reply is what the process in the background tells the one that started it, once, over its stdout.
type reply struct {
	Simulator simulator `json:"simulator"`
	Error     string    `json:"error,omitempty"`
	Hints     []string  `json:"hints,omitempty"`
	Code      int       `json:"code,omitempty"` // the exit code that the error would have had
}

// detachVCSim starts this program again in a session of its own, hands it the options over stdin, since they hold a password,
// and waits until it answers.
func detachVCSim(ctx context.Context, options demo.Options, out, talk io.Writer) error {
	room, err := openRoom()
	if err != nil {
		return err
	}
	pid, err := room.holder()
	if err != nil {
		return err
	}
	if pid != 0 {
		return sdk.WithHint(sdk.Conflictf("a vcsim runs in the background already"), "hyperctl vcsim -status prints its variables, -stop ends it")
	}
	child, stdin, stdout, err := room.spawn()
	if err != nil {
		return fmt.Errorf("start vcsim in the background: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = child.Signal(syscall.SIGTERM) })
	defer stop()
	r, err := handshake(stdin, stdout, options)
	switch {
	case ctx.Err() != nil:
		_, _ = child.Wait()
		return context.Cause(ctx)
	case err != nil:
		_, _ = child.Wait()
		return sdk.WithHint(fmt.Errorf("vcsim ended before it was ready: %w", err), "its log is %s", room.logFile())
	case r.Error != "":
		_, _ = child.Wait()
		return r.err()
	}
	fmt.Fprintf(talk, "vcsim serves %s in the background (pid %d); hyperctl vcsim -stop ends it\n", r.Simulator.URL, r.Simulator.PID)
	return r.Simulator.exports(out)
}

func handshake(stdin io.WriteCloser, stdout io.ReadCloser, options demo.Options) (reply, error) {
	defer stdout.Close() //nolint:errcheck // only read
	err := json.NewEncoder(stdin).Encode(options)
	if cerr := stdin.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return reply{}, err
	}
	var r reply
	err = json.NewDecoder(stdout).Decode(&r)
	return r, err
}

// err gives the error its kind and hints back.
func (r reply) err() error {
	err := errors.New(r.Error)
	for _, kind := range []error{sdk.ErrInvalid, sdk.ErrNotFound, sdk.ErrDenied} {
		if cli.ExitCode(kind) == r.Code {
			err = sdk.Kind(kind, err)
		}
	}
	for i := len(r.Hints) - 1; i >= 0; i-- {
		err = sdk.WithHint(err, "%s", r.Hints[i])
	}
	return err
}

// serveDetached is the process in the background: it holds the lock as long as it lives.
func serveDetached(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	err := serveInRoom(ctx, stdin, stdout)
	if err != nil {
		_ = json.NewEncoder(stdout).Encode(reply{Error: err.Error(), Hints: sdk.Hints(err), Code: cli.ExitCode(err)})
	}
	return err
}

func serveInRoom(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	room, err := openRoom()
	if err != nil {
		return err
	}
	lock, err := room.lock()
	if err != nil {
		return err
	}
	if lock == nil {
		return sdk.Conflictf("another vcsim runs in the background already")
	}
	defer lock.Close() //nolint:errcheck // releases the lock
	defer room.forget()
	room.forget()
	var options demo.Options
	if err := json.NewDecoder(stdin).Decode(&options); err != nil {
		return fmt.Errorf("read the options: %w", err)
	}
	return serve(ctx, options, func(s simulator) error {
		s.PID = os.Getpid()
		if err := room.remember(s); err != nil {
			return err
		}
		if err := json.NewEncoder(stdout).Encode(reply{Simulator: s}); err != nil {
			return err
		}
		return closeStdio()
	})
}

// closeStdio lets go of the pipe to the process that started this one.
func closeStdio() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	os.Stdout.Close() //nolint:errcheck,gosec // its reader has what it waits for
	os.Stdin.Close()  //nolint:errcheck,gosec // read to its end
	os.Stdin, os.Stdout = null, null
	return nil
}

// stopVCSim ends the one in the background and waits until it is gone. None there is fine.
func stopVCSim(ctx context.Context, talk io.Writer) error {
	room, err := openRoom()
	if err != nil {
		return err
	}
	signals := []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGTERM, stopGrace}, {syscall.SIGKILL, killGrace}}
	for _, s := range signals {
		gone, err := room.end(ctx, s.signal, s.grace)
		if err != nil || gone {
			return err
		}
		fmt.Fprintf(talk, "vcsim is still there %s after %s\n", s.grace, s.signal)
	}
	return sdk.Conflictf("the vcsim in the background does not end")
}

// vcsimStatus prints the variables of the one in the background.
func vcsimStatus(out, talk io.Writer) error {
	room, err := openRoom()
	if err != nil {
		return err
	}
	pid, err := room.holder()
	if err != nil {
		return err
	}
	s, err := room.recall()
	if pid == 0 || errors.Is(err, os.ErrNotExist) {
		return sdk.WithHint(sdk.NotFoundf("no vcsim runs in the background"), `eval "$(hyperctl vcsim -detach)" starts one`)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(talk, "vcsim serves %s (pid %d, since %s)\n", s.URL, pid, s.StartedAt.Local().Format(time.DateTime))
	return s.exports(out)
}
