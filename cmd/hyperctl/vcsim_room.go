//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// room is the directory that the simulator in the background keeps its state in. A record lock on a file in it, held
// for life, says that one runs and which process it is: it cannot go stale.
type room string

// openRoom makes the directory, for this user alone. One that others could have prepared is refused: it will hold a password.
func openRoom() (room, error) {
	dir := filepath.Join(config.RuntimeDir(), "hypersdk-vcsim-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the directory for vcsim's state: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return "", sdk.WithHint(sdk.Kind(sdk.ErrDenied, fmt.Errorf("%s is not a directory of this user alone", dir)), "remove it, or set XDG_RUNTIME_DIR")
	}
	return room(dir), nil
}

func (r room) stateFile() string { return filepath.Join(string(r), "vcsim.json") }
func (r room) logFile() string   { return filepath.Join(string(r), "vcsim.log") }

func (r room) openLock() (*os.File, error) {
	return os.OpenFile(filepath.Join(string(r), "vcsim.lock"), os.O_RDWR|os.O_CREATE, 0o600)
}

// lock takes the lock for the life of the process, or as long as the file is open; nil when another process holds it.
func (r room) lock() (*os.File, error) {
	f, err := r.openLock()
	if err != nil {
		return nil, err
	}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart})
	if err == nil {
		return f, nil
	}
	f.Close() //nolint:errcheck,gosec // nothing was written
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
}

// holder is the process that holds the lock, without touching it; 0 when none does.
func (r room) holder() (pid int, err error) {
	f, err := r.openLock()
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // only asked
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil {
		return 0, fmt.Errorf("look at %s: %w", f.Name(), err)
	}
	if lock.Type == syscall.F_UNLCK {
		return 0, nil
	}
	return int(lock.Pid), nil
}

// remember writes the state down, whole or not at all.
func (r room) remember(s simulator) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temp := r.stateFile() + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, r.stateFile())
}

func (r room) recall() (simulator, error) {
	var s simulator
	data, err := os.ReadFile(r.stateFile())
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", r.stateFile(), err)
	}
	return s, nil
}

func (r room) forget() { _ = os.Remove(r.stateFile()) }

// end sends the signal to whoever holds the lock and waits until nobody does.
func (r room) end(ctx context.Context, signal syscall.Signal, grace time.Duration) (gone bool, err error) {
	deadline, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	tick := time.NewTicker(stopPoll)
	defer tick.Stop()
	signaled := 0
	for {
		pid, err := r.holder()
		if err != nil || pid == 0 {
			return err == nil, err
		}
		if pid != signaled {
			signaled = pid
			if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("end process %d: %w", pid, err)
			}
		}
		select {
		case <-deadline.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
}

// spawn starts this program again, in a session of its own, with pipes for stdin and stdout and the log for stderr.
func (r room) spawn() (child *os.Process, stdin io.WriteCloser, stdout io.ReadCloser, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, nil, nil, err
	}
	log, err := os.OpenFile(r.logFile(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, nil, err
	}
	defer log.Close() //nolint:errcheck // the child's now
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	defer inRead.Close() //nolint:errcheck // the child's now
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		inWrite.Close() //nolint:errcheck,gosec // nothing was written
		return nil, nil, nil, err
	}
	defer outWrite.Close() //nolint:errcheck // the child's now
	// sdk/proc ends what it starts with its context; this process has to outlive us.
	child, err = os.StartProcess(exe, []string{os.Args[0], "vcsim", "--serve-detached"}, &os.ProcAttr{ //nolint:forbidigo // see above
		Dir: "/", Files: []*os.File{inRead, outWrite, log}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		inWrite.Close() //nolint:errcheck,gosec // nothing was written
		outRead.Close() //nolint:errcheck,gosec // nothing was read
		return nil, nil, nil, err
	}
	return child, inWrite, outRead, nil
}
