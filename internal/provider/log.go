package provider

import (
	"context"
	"log/slog"
	"slices"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// newLogger gives the SDK a logger that writes to Terraform's log. Terraform's logger lives in a request's context; the
// SDK's own goroutines have none, so the logger holds the one it was born with.
func newLogger(ctx context.Context) *slog.Logger {
	return slog.New(&logHandler{base: context.WithoutCancel(ctx)})
}

type logHandler struct {
	base   context.Context //nolint:containedctx // it carries the log sink, and no cancellation
	attrs  []slog.Attr
	prefix string
}

// Enabled leaves the level to Terraform's own settings.
func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle writes one record.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	fields := make(map[string]any, len(h.attrs)+r.NumAttrs())
	for _, a := range h.attrs {
		addField(fields, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		addField(fields, h.prefix, a)
		return true
	})
	write := tflog.Debug
	switch {
	case r.Level >= slog.LevelError:
		write = tflog.Error
	case r.Level >= slog.LevelWarn:
		write = tflog.Warn
	case r.Level >= slog.LevelInfo:
		write = tflog.Info
	case r.Level < slog.LevelDebug:
		write = tflog.Trace
	}
	write(h.base, r.Message, fields) //nolint:contextcheck // the sink is in the context the logger was born with
	return nil
}

// WithAttrs returns a handler with more fields.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.prefix + a.Key
		next.attrs = append(next.attrs, a)
	}
	return &next
}

// WithGroup returns a handler whose further fields are named group.field.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.prefix = h.prefix + name + "."
	return &next
}

func addField(fields map[string]any, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		fields[prefix+a.Key] = v.Any()
		return
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range v.Group() {
		addField(fields, prefix, member)
	}
}
