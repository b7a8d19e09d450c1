package queue_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

// crashWait is the ack-wait of the tests that kill: short enough for many deaths, long enough for a loaded machine.
const crashWait = 3 * time.Second

// effects is where the processes of a crash test leave what they did. A lock that the kernel holds proves that no two executions
// of a job overlap; a fence, kept under that lock, refuses an execution that is older than one it has seen.
type effects struct{ dir string }

func (e effects) path(id, what string) string { return filepath.Join(e.dir, id+"."+what) }

// hold takes the job's lock: an error when another execution has it.
func (e effects) hold(id string) (*os.File, error) {
	f, err := os.OpenFile(e.path(id, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("two executions at once: %w", err)
	}
	return f, nil
}

var errFenced = errors.New("fenced")

// write is a fenced effect: it appends a line unless a later execution has written.
func (e effects) write(id string, fence uint64, line string) error {
	guard, err := os.OpenFile(e.path(id, "fence"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer guard.Close()
	if err := syscall.Flock(int(guard.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	seen, err := io.ReadAll(guard)
	if err != nil {
		return err
	}
	if highest, _ := strconv.ParseUint(string(seen), 10, 64); highest > fence {
		return errFenced
	}
	if _, err := guard.WriteAt([]byte(strconv.FormatUint(fence, 10)), 0); err != nil {
		return err
	}
	return e.append(id+".effects", line)
}

func (e effects) append(name, line string) error {
	f, err := os.OpenFile(filepath.Join(e.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(line + "\n")
	return err
}

func (e effects) lines(name string) []string {
	data, err := os.ReadFile(filepath.Join(e.dir, name))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// handle is a job of three steps that a later execution goes on with.
func (e effects) handle(ctx context.Context, task *queue.Task) (any, error) {
	id := task.Job().ID
	lock, err := e.hold(id)
	if err != nil {
		return nil, errors.Join(err, e.append("violations", id))
	}
	defer lock.Close()
	task.Plan("one", "two", "three")
	for len(e.lines(id+".effects")) < 3 {
		select { // some work, in which a kill may come
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Duration(5+rand.IntN(20)) * time.Millisecond):
		}
		step := strconv.Itoa(len(e.lines(id+".effects")) + 1)
		task.Log(0, "step %s", step)
		if err := e.write(id, task.Fence(), step); err != nil {
			return nil, errors.Join(err, e.append("violations", id))
		}
	}
	return "whole", nil
}

// playRole is a worker or a daemon in a process of its own. Its arguments come in variables of the environment.
func playRole(role string) error {
	ctx := context.Background()
	o := queue.Options{AckWait: crashWait, Tick: 20 * time.Millisecond, PerSource: 2, MaxDeliveries: 1000}
	if n, err := strconv.Atoi(os.Getenv("QUEUE_TEST_DELIVERIES")); err == nil {
		o.MaxDeliveries = n
	}
	if role == "daemon" {
		o.Dir = os.Getenv("QUEUE_TEST_STORE")
	} else {
		o.URL = os.Getenv("QUEUE_TEST_URL")
	}
	q, err := queue.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	e := effects{os.Getenv("QUEUE_TEST_DIR")}
	abort := func(string) { os.Exit(3) }
	if os.Getenv("QUEUE_TEST_ABORT") == "no" {
		abort = nil
	}
	w, err := q.Work(queue.WorkerSpec{Name: os.Getenv("QUEUE_TEST_NAME"), Slots: 8, Abort: abort,
		Handlers: map[string]queue.Handler{
			"steps": e.handle,
			"poison": func(context.Context, *queue.Task) (any, error) {
				return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
			},
			"freeze": e.freeze,
		}})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return w.Stop(ctx)
}

// freeze writes one effect and, deaf to its context as a hung machine would be, another when it is let go on.
func (e effects) freeze(ctx context.Context, task *queue.Task) (any, error) {
	id, name := task.Job().ID, task.Job().Worker
	if err := e.write(id, task.Fence(), name); err != nil {
		return nil, err
	}
	if task.Job().Attempts > 1 {
		return name, nil
	}
	for len(e.lines("go")) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	task.Log(0, "stale line")
	err := e.write(id, task.Fence(), "stale")
	checked := task.Check(ctx)
	return nil, errors.Join(e.append("woke", fmt.Sprintf("%t,%t", errors.Is(err, errFenced), errors.Is(checked, queue.ErrLeaseLost))))
}

// process is a worker or daemon under test.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func start(t *testing.T, role, name, dir string, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), append(env, "QUEUE_TEST_ROLE="+role, "QUEUE_TEST_NAME="+name, "QUEUE_TEST_DIR="+dir)...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%s %s does not start: %q, %v", role, name, line, err)
	}
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// leave asks the process to stop in good order.
func (p *process) leave(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("graceful stop: %v", err)
	}
}

// checkEffects proves that every job ran to its end, each step once and in order, and no two executions overlapped.
func checkEffects(t *testing.T, e effects, jobs []*job.Job) {
	t.Helper()
	if v := e.lines("violations"); len(v) > 0 {
		t.Errorf("%d violations: %v", len(v), v)
	}
	for _, j := range jobs {
		if got := strings.Join(e.lines(j.ID+".effects"), " "); got != "1 2 3" {
			t.Errorf("job %s left %q", j.ID, got)
		}
		if j.Status != sdk.Succeeded || string(j.Result) != `"whole"` || j.Lease != nil {
			text, _ := json.Marshal(j)
			t.Errorf("job ended as %s", text)
		}
	}
}

func submitSteps(t *testing.T, q *queue.Queue, n int) []string {
	t.Helper()
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			spec := job.Spec{Kind: "steps"}
			if i%4 == 0 { // their changes are batches
				spec.Key, spec.Limits.Source = fmt.Sprint("vm-", i), fmt.Sprint("esxi-", i%3)
			}
			j, _, err := q.Submit(t.Context(), spec)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = j.ID
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ids
}

func allEnded(t *testing.T, q *queue.Queue, ids []string) []*job.Job {
	t.Helper()
	var jobs []*job.Job
	eventually(t, func() string {
		page, err := q.List(job.Filter{Limit: 1000})
		if err != nil {
			return err.Error()
		}
		live := 0
		for _, j := range page.Jobs {
			if j.Live() {
				live++
			}
		}
		if jobs = page.Jobs; live > 0 || len(jobs) != len(ids) {
			return fmt.Sprintf("%d jobs of %d, %d live", len(jobs), len(ids), live)
		}
		return ""
	})
	return jobs
}

// Workers die at random points, over and over; two nodes share a queue on a NATS server of its own.
func TestCrash_WorkersKilledAtRandom(t *testing.T) {
	t.Parallel()
	url, dir := cluster(t), t.TempDir()
	e := effects{dir}
	q := open(t, func(o *queue.Options) { o.URL, o.AckWait, o.PerSource, o.MaxDeliveries = url, crashWait, 2, 1000 })
	workers := []*process{start(t, "worker", "w0", dir, "QUEUE_TEST_URL="+url), start(t, "worker", "w1", dir, "QUEUE_TEST_URL="+url)}
	watched := watchLimits(t, q)
	ids := submitSteps(t, q, 200)
	for kill := range 6 {
		eventually(t, func() string { // the worker is in the midst of something
			if page, err := q.List(job.Filter{Status: []sdk.Status{sdk.Running}, Worker: fmt.Sprint("w", kill%2)}); err == nil && page.Total > 0 {
				return ""
			}
			if page, err := q.List(job.Filter{Status: []sdk.Status{sdk.Pending, sdk.Running}}); err == nil && page.Total == 0 {
				return ""
			}
			return "worker runs nothing"
		})
		time.Sleep(rand.N(30 * time.Millisecond)) // the point is random, the outcome is not
		workers[kill%2].kill()
		workers[kill%2] = start(t, "worker", fmt.Sprint("w", kill%2), dir, "QUEUE_TEST_URL="+url)
	}
	jobs := allEnded(t, q, ids)
	checkEffects(t, e, jobs)
	again := 0
	for _, j := range jobs {
		if j.Attempts > 1 {
			again++
		}
	}
	t.Logf("%d of %d jobs were started more than once", again, len(jobs))
	if again == 0 {
		t.Error("no kill hit a running job: the test shows nothing")
	}
	if most := watched(); most > 2 || most == 0 {
		t.Errorf("at most %d jobs of one source ran at once, the limit is 2", most)
	}
	for _, w := range workers {
		w.leave(t)
	}
}

// watchLimits counts, at every change of a job, how many of its source run; a node sees the changes in the store's order.
func watchLimits(t *testing.T, q *queue.Queue) func() int {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := q.Watch(ctx, 0, job.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	most, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		for u := range w.Updates {
			if u.Job.Limits.Source == "" {
				continue
			}
			if page, err := q.List(job.Filter{Status: []sdk.Status{sdk.Running}, Source: u.Job.Limits.Source}); err == nil {
				most = max(most, page.Total)
			}
		}
	}()
	return func() int {
		cancel()
		<-done
		return most
	}
}

// The whole daemon, server and workers in one process, dies at random points.
func TestCrash_DaemonKilledAtRandom(t *testing.T) {
	t.Parallel()
	dir, storeDir := t.TempDir(), filepath.Join(t.TempDir(), "queue")
	e := effects{dir}
	seed := open(t, func(o *queue.Options) { o.Dir, o.AckWait = storeDir, crashWait })
	ids := submitSteps(t, seed, 150)
	seed.Close()
	for range 5 {
		p := start(t, "daemon", "d", dir, "QUEUE_TEST_STORE="+storeDir)
		before := countEffects(e, ids)
		eventually(t, func() string { // it does something
			if n := countEffects(e, ids); n > before || n == 3*len(ids) {
				return ""
			}
			return "the daemon does nothing"
		})
		time.Sleep(rand.N(200 * time.Millisecond))
		p.kill()
	}
	p := start(t, "daemon", "d", dir, "QUEUE_TEST_STORE="+storeDir)
	eventually(t, func() string {
		if n := countEffects(e, ids); n < 3*len(ids) {
			return fmt.Sprintf("%d of %d effects", n, 3*len(ids))
		}
		return ""
	})
	p.leave(t)
	q := open(t, func(o *queue.Options) { o.Dir, o.AckWait = storeDir, crashWait })
	w := work(t, q, queue.WorkerSpec{Name: "d", Slots: 8, Handlers: map[string]queue.Handler{"steps": e.handle}}) // handed back at the very end
	checkEffects(t, e, allEnded(t, q, ids))
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func countEffects(e effects, ids []string) int {
	n := 0
	for _, id := range ids {
		n += len(e.lines(id + ".effects"))
	}
	return n
}

// A process that is frozen past its lease and wakes up finds its job gone and can write nothing.
func TestCrash_FrozenWorkerIsFenced(t *testing.T) {
	t.Parallel()
	url, dir := cluster(t), t.TempDir()
	e := effects{dir}
	q := open(t, func(o *queue.Options) { o.URL, o.AckWait = url, crashWait })
	frozen := start(t, "worker", "frozen", dir, "QUEUE_TEST_URL="+url, "QUEUE_TEST_ABORT=no") // else it would end itself
	j := submit(t, q, job.Spec{Kind: "freeze"})
	until(t, q, j.ID, "its first effect", func(*job.Job) bool { return len(e.lines(j.ID+".effects")) == 1 })
	if err := frozen.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	other := start(t, "worker", "other", dir, "QUEUE_TEST_URL="+url)
	got := until(t, q, j.ID, "succeeded elsewhere", is(sdk.Succeeded))
	if err := e.append("go", "on"); err != nil {
		t.Fatal(err)
	}
	if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		if len(e.lines("woke")) == 0 {
			return "the frozen worker does not wake up"
		}
		return ""
	})
	if woke := e.lines("woke")[0]; woke != "true,true" {
		t.Errorf("effect fenced, check refused: %s", woke)
	}
	frozen.leave(t)
	other.leave(t)
	if effects := strings.Join(e.lines(j.ID+".effects"), " "); effects != "frozen other" {
		t.Errorf("effects %q", effects)
	}
	after, err := q.Get(t.Context(), j.ID)
	if err != nil || after.Revision != got.Revision || after.Worker != "other" || string(after.Result) != `"other"` {
		t.Errorf("the record changed after its end: %+v, %v", after, err)
	}
	lines, err := q.Logs(t.Context(), j.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if line.Text == "stale line" {
			t.Error("the frozen worker wrote into the log")
		}
	}
}

// A job that kills every worker that runs it ends as failed and says why.
func TestCrash_PoisonEnds(t *testing.T) {
	t.Parallel()
	url, dir := cluster(t), t.TempDir()
	q := open(t, func(o *queue.Options) { o.URL, o.AckWait, o.MaxDeliveries = url, time.Second, 2 })
	j := submit(t, q, job.Spec{Kind: "poison", Key: "k"})
	for attempt := 1; attempt <= 2; attempt++ {
		p := start(t, "worker", "w", dir, "QUEUE_TEST_URL="+url, "QUEUE_TEST_DELIVERIES=2")
		_ = p.cmd.Wait()
	}
	j = until(t, q, j.ID, "failed", is(sdk.Failed))
	if j.Error == nil || j.Error.Kind != job.KindWorkerLost || !strings.Contains(j.Error.Text, "2 workers in a row") || j.Attempts != 2 || j.Lease != nil {
		t.Errorf("got %+v, %+v", j, j.Error)
	}
	submit(t, q, job.Spec{Kind: "other", Key: "k"})
}
