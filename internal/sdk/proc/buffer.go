package proc

import (
	"bytes"
	"io"
	"sync"
)

// head keeps the beginning of a stream.
type head struct {
	kept      []byte
	truncated bool
}

func (h *head) Write(p []byte) (int, error) {
	room := maxStdout - len(h.kept)
	if len(p) > room {
		h.truncated = true
		h.kept = append(h.kept, p[:room]...)
		return len(p), nil
	}
	h.kept = append(h.kept, p...)
	return len(p), nil
}

// tail keeps the end of a stream.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*maxStderr {
		t.kept = append(t.kept[:0], t.last()...)
	}
	return len(p), nil
}

func (t *tail) last() []byte { return t.kept[max(0, len(t.kept)-maxStderr):] }

// lines hands a stream on line by line.
type lines struct {
	mu   *sync.Mutex // shared by the streams of one tool
	line func(string)
	part []byte // of a line whose end has not come yet
}

// split returns a writer that calls line, or one that does nothing when there is no line.
func (o *streams) split(line func(string)) io.Writer {
	if line == nil {
		return io.Discard
	}
	l := &lines{mu: &o.lineMu, line: line}
	o.lines = append(o.lines, l)
	return l
}

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\r\n")
		if end < 0 {
			l.add(p)
			break
		}
		l.add(p[:end])
		l.flush()
		p = p[end+1:]
	}
	return n, nil
}

func (l *lines) add(p []byte) {
	for len(l.part)+len(p) > maxLine {
		room := maxLine - len(l.part)
		l.part = append(l.part, p[:room]...)
		p = p[room:]
		l.flush()
	}
	l.part = append(l.part, p...)
}

func (l *lines) flush() {
	if len(l.part) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line(string(l.part))
	l.part = l.part[:0]
}
