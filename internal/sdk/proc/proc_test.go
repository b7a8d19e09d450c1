package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// parentEnv makes the test binary a parent that starts a long tool, prints its PID and stays.
const parentEnv = "HYPERSDK_TEST_PROC_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) == "1" {
		p, err := Start(context.Background(), sh("exec sleep 1000"))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		<-p.Done()
	}
	os.Exit(m.Run())
}

func sh(script string) Cmd { return Cmd{Name: "sh", Args: []string{"-c", script}} }

// eventually polls a condition.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s still not: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// gone says whether a process has ended; a zombie that nobody waits for counts as ended.
func gone(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

func TestRun_CollectsOutput(t *testing.T) {
	var lines []string
	cmd := sh("printf 'one\\rtwo\\n\\nthree'; cat")
	cmd.Stdin = strings.NewReader(" and stdin\n")
	cmd.Line = func(l string) { lines = append(lines, l) }
	res, err := Run(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(res.Stdout), "one\rtwo\n\nthree and stdin\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if want := []string{"one", "two", "three and stdin"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
	if res.Code != 0 || res.Truncated {
		t.Errorf("got code %d, truncated %v; want 0, false", res.Code, res.Truncated)
	}
}

func TestRun_ArgumentsReachNoShell(t *testing.T) {
	res, err := Run(t.Context(), Cmd{Name: "printf", Args: []string{"%s", "$(id); `id` > x | y"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(res.Stdout), "$(id); `id` > x | y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRun_ExitError(t *testing.T) {
	tests := []struct {
		name, script string
		code         int
		text         string
	}{
		{"code and last lines", "echo out; for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3", 3,
			"sh: exit code 3: line 3; line 4; line 5; line 6; line 7"},
		{"silent", "exit 1", 1, "sh: exit code 1"},
		{"signal", "kill -9 $$", -1, "sh: ended by signal: killed"},
		{"terminal escapes", `printf '\033]0;owned\007 bad\n' >&2; exit 2`, 2, "sh: exit code 2: ]0;owned  bad"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := Run(t.Context(), sh(tt.script))
			var exit *ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("got %v, want an ExitError", err)
			}
			if exit.Code != tt.code || res.Code != tt.code || err.Error() != tt.text {
				t.Errorf("got code %d, result code %d, %q; want %d, %q", exit.Code, res.Code, err, tt.code, tt.text)
			}
		})
	}
}

func TestExitError_LongLineIsCut(t *testing.T) {
	err := &ExitError{Name: "x", Code: 1, Stderr: strings.Repeat("é", 5000)}
	if got := err.Error(); len(got) > tailBytes+50 || !strings.HasSuffix(got, "é") {
		t.Errorf("%d bytes, want at most %d", len(got), tailBytes+50)
	}
}

func TestRun_NotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	tests := []struct{ tool, hint string }{
		{"qemu-img", "apt-get install qemu-utils"},
		{"virt-v2v-in-place", "apt-get install virt-v2v"},
		{"no-such-tool", "on PATH"},
	}
	for _, tt := range tests {
		_, err := Run(t.Context(), Cmd{Name: tt.tool})
		if hints := sdk.Hints(err); !errors.Is(err, sdk.ErrNotFound) || len(hints) != 1 || !strings.Contains(hints[0], tt.hint) {
			t.Errorf("%s: got %v, hints %q; want ErrNotFound with %q", tt.tool, err, hints, tt.hint)
		}
	}
	if _, err := Find("/nonexistent/tool"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("path: got %v, want ErrNotFound", err)
	}
}

func TestFind_NotFromCurrentDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mytool"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("PATH", ".")
	if path, err := Find("mytool"); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %q, %v; want ErrInvalid", path, err)
	}
}

func TestRun_Environment(t *testing.T) {
	t.Setenv("LIBGUESTFS_BACKEND", "direct")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	t.Setenv("GOVC_PASSWORD", "secret")
	cmd := Cmd{Name: "env", Env: []string{"EXTRA=1", "HOME=/elsewhere"}}
	res, err := Run(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(res.Stdout)), "\n")
	for _, want := range []string{"LIBGUESTFS_BACKEND=direct", "LC_ALL=C", "EXTRA=1", "HOME=/elsewhere", "PATH=" + os.Getenv("PATH")} {
		if !slices.Contains(got, want) {
			t.Errorf("environment %q lacks %q", got, want)
		}
	}
	if bytes.Contains(res.Stdout, []byte("secret")) {
		t.Error("a password of ours reached the tool")
	}
}

func TestRun_Dir(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(t.Context(), Cmd{Name: "pwd", Dir: dir})
	if err != nil || strings.TrimSpace(string(res.Stdout)) != dir {
		t.Errorf("got %q, %v; want %q", res.Stdout, err, dir)
	}
	if _, err := Run(t.Context(), Cmd{Name: "pwd", Dir: filepath.Join(dir, "none")}); err == nil {
		t.Error("missing directory: got nil, want an error")
	}
}

func TestRun_BoundsOutput(t *testing.T) {
	var longest int
	cmd := sh("head -c 20000000 /dev/zero; head -c 300000 /dev/zero >&2; printf end >&2")
	cmd.Line = func(l string) { longest = max(longest, len(l)) }
	res, err := Run(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Stdout) != maxStdout || !res.Truncated {
		t.Errorf("stdout %d bytes, truncated %v; want %d, true", len(res.Stdout), res.Truncated, maxStdout)
	}
	if len(res.Stderr) != maxStderr || !bytes.HasSuffix(res.Stderr, []byte("end")) {
		t.Errorf("stderr %d bytes, ends %q; want the last %d", len(res.Stderr), res.Stderr[len(res.Stderr)-3:], maxStderr)
	}
	if longest != maxLine {
		t.Errorf("longest line %d, want %d", longest, maxLine)
	}
}

// slowWriter takes the first bytes only when the tool has printed the rest and ended.
type slowWriter struct {
	t     *testing.T
	dir   string
	got   int
	begun bool
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.got += len(p)
	if w.begun {
		return len(p), nil
	}
	w.begun = true
	if err := os.WriteFile(filepath.Join(w.dir, "begun"), nil, 0o600); err != nil {
		return 0, err
	}
	eventually(w.t, "tool at its end", func() bool {
		_, err := os.Stat(filepath.Join(w.dir, "end"))
		return err == nil
	})
	time.Sleep(2 * linger) // so that the drain's deadline has passed when the next read comes
	return len(p), nil
}

func TestRun_SlowReaderLosesNothing(t *testing.T) {
	w := &slowWriter{t: t, dir: t.TempDir()}
	cmd := sh("printf x; until [ -e begun ]; do sleep 0.01; done; head -c 50000 /dev/zero; touch end")
	cmd.Dir, cmd.Stdout = w.dir, w
	if _, err := Run(t.Context(), cmd); err != nil {
		t.Fatal(err)
	}
	if w.got != 50001 {
		t.Errorf("got %d bytes, want 50001", w.got)
	}
}

type brokenWriter struct{}

var errFull = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errFull }

func TestRun_WriterErrorEndsTool(t *testing.T) {
	cmd := Cmd{Name: "yes", Stdout: brokenWriter{}}
	if _, err := Run(t.Context(), cmd); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

func TestRun_StdoutFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := sh("echo hello")
	cmd.Stdout = f
	if _, err := Run(t.Context(), cmd); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != "hello\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRun_LeavesBackgroundChildBehind(t *testing.T) {
	res, err := Run(t.Context(), sh("sleep 1000 & echo $!"))
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(res.Stdout))
	if gone(pid) {
		t.Error("the child is gone, want it to go on")
	}
	if err := exec.Command("kill", pid).Run(); err != nil {
		t.Error(err)
	}
}

func TestRun_StdinThatNeverEnds(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	cmd := sh("echo done")
	cmd.Stdin = struct{ *os.File }{r} // not an *os.File: copied
	if res, err := Run(t.Context(), cmd); err != nil || string(res.Stdout) != "done\n" {
		t.Errorf("got %v, %v; want done", res, err)
	}
}

func TestRun_CancelEndsGroup(t *testing.T) {
	tests := []struct{ name, script string }{
		{"polite", "sleep 1000 & echo $!; wait"},
		{"child ignores SIGTERM", "(trap '' TERM; sleep 1000 >/dev/null 2>&1 & echo $!; wait) & wait"},
		{"all ignore SIGTERM", "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done"},
		{"exits 0 on SIGTERM", "trap 'exit 0' TERM; sleep 1000 & echo $!; wait"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var child string
			cmd := sh(tt.script)
			cmd.Grace = 200 * time.Millisecond
			cmd.Line = func(l string) {
				child = l
				cancel()
			}
			_, err := Run(ctx, cmd)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
			eventually(t, "child "+child+" gone", func() bool { return gone(child) })
		})
	}
}

func TestRun_CanceledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mark := filepath.Join(t.TempDir(), "ran")
	if _, err := Run(ctx, sh("touch "+mark)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the tool ran")
	}
}

func TestProcess_Stop(t *testing.T) {
	p, err := Start(t.Context(), sh("exec sleep 1000"))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
		t.Fatal("ended by itself")
	default:
	}
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	<-p.Done()
	var exit *ExitError
	if _, err := p.Wait(); !errors.As(err, &exit) || exit.Signal != "terminated" {
		t.Errorf("got %v, want an ExitError by SIGTERM", err)
	}
	if !gone(fmt.Sprint(p.PID())) {
		t.Error("the process is there after Stop")
	}
}

func TestProcess_DiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a parent-death signal")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid string
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	if gone(pid) {
		t.Fatal("the tool ended while its parent lives")
	}
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	eventually(t, "tool "+pid+" gone", func() bool { return gone(pid) })
}
