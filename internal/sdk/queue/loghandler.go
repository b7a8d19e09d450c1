package queue

import (
	"context"
	"log/slog"
	"strings"
)

// logHandler writes slog records as lines of a job's log: "message key=value …".
type logHandler struct {
	task   *Task
	level  slog.Leveler
	prefix string // of keys
	attrs  string
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool {
	return h.level == nil && l >= slog.LevelInfo || h.level != nil && l >= h.level.Level()
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	h.task.log.add(levelName(r.Level), b.String())
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(h.attrs)
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	more := *h
	more.attrs = b.String()
	return &more
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	more := *h
	more.prefix += name + "."
	return &more
}

func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, child := range value.Group() {
			writeAttr(b, prefix+a.Key+".", child)
		}
		return
	}
	b.WriteString(" " + prefix + a.Key + "=" + value.String())
}
