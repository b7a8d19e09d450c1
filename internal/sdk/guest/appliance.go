package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// Disk is one image of the guest, in boot order. FIX writes to it: give an overlay.
type Disk struct {
	Path   string
	Format string // qcow2 or raw
}

// Spec opens an appliance.
type Spec struct {
	Disks    []Disk
	ReadOnly bool
	MemoryMB int          // of the appliance; 0: 768
	Logger   *slog.Logger // nil: silent
}

const (
	defaultMemoryMB = 768
	closeTimeout    = 2 * time.Minute
)

// serve starts guestfish's server, says its process id, and stays until our end of stdin closes, so that the server and its
// QEMU do not outlive this program however it ends: the inner shell is a grandchild, which the death of its parent does not
// kill. It is constant text; what varies comes in its arguments: the directory, then guestfish's own. Standard error goes
// to a file because the server answers a call only after it has written why the call failed.
const serve = `dir=$1; shift
(
	vars=$(guestfish --listen "$@" 2>>"$dir/stderr") || exit 1
	eval "$vars"
	echo "$GUESTFISH_PID"
	cat >/dev/null
	kill -9 "$GUESTFISH_PID" 2>/dev/null
	rm -rf "$dir"
)
rc=$?
exit "$rc"`

// Appliance is one running libguestfs appliance with the guest's disks attached. It is not safe for concurrent use.
type Appliance struct {
	log      *slog.Logger
	disks    int
	readOnly bool
	dir      string // private: stderr of the server, files on their way
	env      []string
	server   *proc.Process
	stdin    io.Closer
	pid      string
	told     int64 // how much of the server's stderr has been read
	files    int   // names given in dir

	found *inspected // what Inspect learned
	fixed *FixSpec   // what Fix was told
}

// Open launches the appliance. It refuses nothing about the guest yet. Canceling ctx kills it.
func Open(ctx context.Context, spec Spec) (*Appliance, error) {
	args, err := diskArgs(spec)
	if err != nil {
		return nil, err
	}
	if _, err := proc.Find("guestfish"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hypersdk-guest-")
	if err != nil {
		return nil, fmt.Errorf("open appliance: %w", err)
	}
	memory := spec.MemoryMB
	if memory == 0 {
		memory = defaultMemoryMB
	}
	a := &Appliance{
		log: spec.Logger, disks: len(spec.Disks), readOnly: spec.ReadOnly, dir: dir,
		env: environment(ctx, dir, memory),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	start := time.Now()
	if err := a.start(ctx, args); err != nil {
		a.kill()
		return nil, fmt.Errorf("launch appliance: %w", err)
	}
	a.log.Debug("appliance is up", "took", time.Since(start))
	return a, nil
}

func diskArgs(spec Spec) ([]string, error) {
	if len(spec.Disks) == 0 {
		return nil, sdk.Invalidf("open appliance: no disks")
	}
	var args []string
	if spec.ReadOnly {
		args = append(args, "--ro")
	}
	for _, d := range spec.Disks {
		if d.Format != "qcow2" && d.Format != "raw" {
			return nil, sdk.Invalidf("open appliance: disk %s: format %q is not qcow2 or raw", d.Path, d.Format)
		}
		path, err := filepath.Abs(d.Path)
		if err != nil {
			return nil, fmt.Errorf("open appliance: %w", err)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, sdk.Kind(sdk.ErrNotFound, fmt.Errorf("open appliance: %w", err))
		}
		args = append(args, "--format="+d.Format, "-a", path)
	}
	return args, nil
}

func (a *Appliance) start(ctx context.Context, args []string) error {
	stdin, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	a.stdin = hold
	pid, say := io.Pipe()
	a.server, err = proc.Start(ctx, proc.Cmd{
		Name: "sh", Args: append([]string{"-c", serve, "sh", a.dir}, args...), Env: a.env, Stdin: stdin, Stdout: say,
		Grace: time.Second,
	})
	_ = stdin.Close()
	if err != nil {
		return err
	}
	go func() {
		<-a.server.Done()
		_ = say.CloseWithError(errors.New("guestfish has ended"))
	}()
	line := make([]byte, 32)
	n, err := pid.Read(line)
	if err != nil {
		return a.explain(err)
	}
	// Later output has nobody to read it; the server writes none.
	_ = pid.Close()
	a.pid = strings.TrimSpace(string(line[:n]))
	if _, err := strconv.Atoi(a.pid); err != nil {
		return fmt.Errorf("guestfish said %q, not its process id", a.pid)
	}
	_, err = a.call(ctx, "run")
	return err
}

// call runs one guestfish command and returns what it prints. A command that fails ends the appliance.
func (a *Appliance) call(ctx context.Context, args ...string) (string, error) {
	res, err := a.remote(ctx, args)
	if err != nil {
		return "", a.explain(err)
	}
	return string(res.Stdout), nil
}

// try runs a command that is allowed to fail. The error is what the appliance said.
func (a *Appliance) try(ctx context.Context, args ...string) (string, error) {
	if _, err := a.complaint(); err != nil {
		return "", err
	}
	args = append([]string{"-" + args[0]}, args[1:]...)
	res, err := a.remote(ctx, args)
	if err != nil {
		return "", a.explain(err)
	}
	said, err := a.complaint()
	if err != nil {
		return "", err
	}
	if said != "" {
		return "", &refusal{command: strings.TrimPrefix(args[0], "-"), text: said}
	}
	return string(res.Stdout), nil
}

// refusal is the appliance's answer to a command that it could not do; it goes on running.
type refusal struct{ command, text string }

func (e *refusal) Error() string { return e.text }

func (a *Appliance) remote(ctx context.Context, args []string) (*proc.Result, error) {
	if a.server == nil {
		return nil, sdk.Conflictf("the appliance is closed")
	}
	start := time.Now()
	res, err := proc.Run(ctx, proc.Cmd{Name: "guestfish", Args: append([]string{"--remote=" + a.pid, "--"}, args...), Env: a.env})
	a.log.Debug("guestfish", "args", args, "took", time.Since(start))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("guestfish %s: %w", strings.Join(args, " "), err)
	}
	if res.Truncated {
		return nil, sdk.Invalidf("guestfish %s: more output than any guest needs", args[0])
	}
	return res, nil
}

// complaint returns the errors that the server has written since it was last asked.
func (a *Appliance) complaint() (string, error) {
	f, err := os.Open(filepath.Join(a.dir, "stderr"))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(a.told, io.SeekStart); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return "", err
	}
	a.told += int64(len(text))
	var said []string
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if line == "" || strings.HasPrefix(line, "qemu-system") || strings.HasPrefix(line, "libguestfs: warning") {
			continue
		}
		said = append(said, strings.TrimPrefix(line, "libguestfs: error: "))
	}
	return strings.Join(said, "; "), nil
}

// explain adds what the server said to the error of a call.
func (a *Appliance) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if said, _ := a.complaint(); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// temp returns a new name in the private directory.
func (a *Appliance) temp() string {
	a.files++
	return filepath.Join(a.dir, fmt.Sprintf("file-%d", a.files))
}

// Close syncs, shuts the appliance down and waits for it: after a nil error what was written is in the images. When ctx ends
// it is killed instead, and the images are not to be used. A second Close does nothing.
func (a *Appliance) Close(ctx context.Context) error {
	if a.server == nil {
		return nil
	}
	defer a.kill()
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	for _, command := range []string{"sync", "umount-all", "shutdown", "exit"} {
		if _, err := a.call(ctx, command); err != nil {
			return fmt.Errorf("close appliance: %w", err)
		}
	}
	return nil
}

// kill ends what is left of the appliance and removes its directory. After a clean exit only the shell is left.
func (a *Appliance) kill() {
	if a.server != nil {
		_ = a.server.Stop()
		_ = a.stdin.Close()
		a.server = nil
	}
	_ = os.RemoveAll(a.dir)
}
