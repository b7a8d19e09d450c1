package proc

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// linger is how long an empty pipe is still read after the tool ended: something that the tool left running in the background
// may hold it open for ever.
const linger = 300 * time.Millisecond

// streams feeds a tool and reads what it prints.
type streams struct {
	stdin io.Reader
	feed  *os.File      // the end we write stdin to; nil: none
	fed   chan struct{} // closed when all of stdin is written

	parent []*os.File // the ends we read
	child  []*os.File // the ends of the tool
	sinks  []io.Writer
	lines  []*lines
	wg     sync.WaitGroup

	stdout head
	stderr tail
	lineMu sync.Mutex // one call of Line at a time

	mu      sync.Mutex
	failure error // of the caller's writer
}

// attach connects c. After c was started or not, started must be called.
func attach(c *exec.Cmd, cmd Cmd) (*streams, error) {
	o := &streams{stdin: cmd.Stdin, fed: make(chan struct{})}
	var outSink io.Writer
	switch w := cmd.Stdout.(type) {
	case nil:
		outSink = io.MultiWriter(&o.stdout, o.split(cmd.Line))
	case *os.File:
		c.Stdout = w
	default:
		outSink = w
	}
	var err error
	if outSink != nil {
		if c.Stdout, err = o.pipe(outSink); err != nil {
			return nil, err
		}
	}
	if c.Stderr, err = o.pipe(io.MultiWriter(&o.stderr, o.split(cmd.Line))); err != nil {
		o.started(false)
		return nil, err
	}
	if err := o.attachStdin(c); err != nil {
		o.started(false)
		return nil, err
	}
	return o, nil
}

// attachStdin hands a file on as it is. Anything else is copied by us and not by os/exec, whose Wait would wait for a reader
// that blocks after the tool has ended.
func (o *streams) attachStdin(c *exec.Cmd) error {
	if f, ok := o.stdin.(*os.File); ok || o.stdin == nil {
		if ok {
			c.Stdin = f
		}
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	c.Stdin, o.feed = r, w
	o.child = append(o.child, r)
	return nil
}

func (o *streams) pipe(sink io.Writer) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.parent, o.child, o.sinks = append(o.parent, r), append(o.child, w), append(o.sinks, sink)
	return w, nil
}

// started closes our copies of the tool's ends and begins to read, or closes everything when there is no tool.
func (o *streams) started(ok bool) {
	for _, f := range o.child {
		_ = f.Close()
	}
	for i, r := range o.parent {
		if !ok {
			_ = r.Close()
			continue
		}
		o.wg.Go(func() { o.pump(o.sinks[i], r) })
	}
	switch {
	case o.feed == nil:
		close(o.fed)
	case ok:
		go o.copyStdin()
	default:
		_ = o.feed.Close()
	}
}

func (o *streams) copyStdin() {
	defer close(o.fed)
	defer o.feed.Close() //nolint:errcheck // the tool sees the end
	// A tool need not read all of its input; what it makes of a short one, its exit code says.
	_, _ = io.Copy(o.feed, o.stdin)
}

// drain waits until all output is read. The tool has ended.
func (o *streams) drain() {
	for _, r := range o.parent {
		_ = r.SetReadDeadline(time.Now().Add(linger)) // where there are no deadlines, end of file must do
	}
	o.wg.Wait()
	for _, l := range o.lines {
		l.flush()
	}
	select {
	case <-o.fed:
	case <-time.After(linger): // a reader that blocks is left to its owner
	}
}

// pump copies until end of file, an error of the sink, or an empty pipe after the deadline that drain sets. A deadline that
// passed while the sink was busy does not count: data may be waiting.
func (o *streams) pump(sink io.Writer, r *os.File) {
	defer r.Close() //nolint:errcheck // read only; the tool sees a closed pipe
	buf := make([]byte, 64<<10)
	empty := false
	for {
		n, err := r.Read(buf)
		if n > 0 {
			empty = false
			if _, werr := sink.Write(buf[:n]); werr != nil {
				o.fail(werr)
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && !empty:
			empty = true
			_ = r.SetReadDeadline(time.Now().Add(linger))
		default:
			return
		}
	}
}

func (o *streams) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failure = err
}

func (o *streams) writeErr() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failure
}

func (o *streams) result(code int) *Result {
	return &Result{Stdout: o.stdout.kept, Truncated: o.stdout.truncated, Stderr: o.stderr.last(), Code: code}
}
