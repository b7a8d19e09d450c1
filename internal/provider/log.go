package provider

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// The subsystems of the log. Each has a level of its own, from TF_LOG_PROVIDER_HYPERSDK_VIM and so on.
const (
	logVIM     = "vim"  // vCenter's SOAP interface
	logREST    = "rest" // vCenter's REST service
	logLibvirt = "libvirt"
	logJob     = "job" // migrations
)

// subsystemKey is the attribute that says which subsystem a record is of.
const subsystemKey = "subsystem"

// masked stands where a secret stood.
const masked = "***"

// secretFields are fields whose value never shows, whoever logs them.
func secretFields() []string {
	return []string{"password", "cookie", "session", "session_id", "ticket", "token", "authorization"}
}

// newLogger gives the SDK a logger that writes to Terraform's log, in which the secrets are masked. Terraform's logger lives in
// a request's context; the SDK's own goroutines have none, so the logger holds the one it was born with.
func newLogger(ctx context.Context, secrets ...string) *slog.Logger {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	return slog.New(&logHandler{base: logContext(context.WithoutCancel(ctx)), secrets: secrets})
}

// logContext has the subsystems.
func logContext(ctx context.Context) context.Context {
	for _, name := range []string{logVIM, logREST, logLibvirt, logJob} {
		ctx = tflog.NewSubsystem(ctx, name, tflog.WithRootFields(), tflog.WithLevelFromEnv("TF_LOG_PROVIDER_HYPERSDK", name))
	}
	return ctx
}

// mask hides the secrets in a message and its fields. tflog's own masks write to a map that all lines of a logger share, which
// ends the process when two goroutines log at once.
func (h *logHandler) mask(message string, fields map[string]any) string {
	hide := func(text string) string {
		for _, secret := range h.secrets {
			text = strings.ReplaceAll(text, secret, masked)
		}
		return text
	}
	for key, value := range fields {
		if text, ok := value.(string); ok {
			fields[key] = hide(text)
		}
		if slices.Contains(secretFields(), key) {
			fields[key] = masked
		}
	}
	return hide(message)
}

type logHandler struct {
	base      context.Context //nolint:containedctx // it carries the log sink, and no cancellation
	secrets   []string
	subsystem string // empty: the root
	attrs     []slog.Attr
	prefix    string
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
	message := h.mask(r.Message, fields)
	writeLog(h.base, h.subsystem, r.Level, message, fields) //nolint:contextcheck // the sink is in the context the logger was born with
	return nil
}

// writeLog writes to the subsystem that the context has, or to the root.
func writeLog(ctx context.Context, subsystem string, level slog.Level, message string, fields map[string]any) {
	root, sub := tflog.Debug, tflog.SubsystemDebug
	switch {
	case level >= slog.LevelError:
		root, sub = tflog.Error, tflog.SubsystemError
	case level >= slog.LevelWarn:
		root, sub = tflog.Warn, tflog.SubsystemWarn
	case level >= slog.LevelInfo:
		root, sub = tflog.Info, tflog.SubsystemInfo
	case level < slog.LevelDebug:
		root, sub = tflog.Trace, tflog.SubsystemTrace
	}
	if subsystem == "" {
		root(ctx, message, fields)
		return
	}
	sub(ctx, subsystem, message, fields)
}

// WithAttrs returns a handler with more fields.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		if a.Key == subsystemKey && h.prefix == "" {
			next.subsystem = a.Value.String()
			continue
		}
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
