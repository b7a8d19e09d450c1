package cli

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
)

func addLogFlags(flags *pflag.FlagSet) {
	flags.CountP("verbose", "v", "more log lines on stderr: -v info, -vv debug, -vvv trace")
	flags.String("log-level", "", "`LEVEL` of log lines on stderr: off, error, warn, info, debug or trace (HYPERSDK_LOG_LEVEL; default warn)")
}

// Logger makes the logger that the command line and the settings ask for; it writes to w. A level that there is not is
// sdk.ErrInvalid.
func Logger(cmd *cobra.Command, talk config.Talk, w io.Writer) (*slog.Logger, error) {
	text := talk.LogLevel
	if flag := cmd.Flag("log-level"); flag != nil && flag.Changed {
		text = flag.Value.String()
	}
	level := hclog.LevelFromString(text)
	if level == hclog.NoLevel {
		return nil, Unknown("log level", text, []string{"off", "error", "warn", "info", "debug", "trace"})
	}
	if verbose, _ := cmd.Flags().GetCount("verbose"); verbose > 0 {
		louder := []hclog.Level{hclog.Info, hclog.Debug, hclog.Trace}[min(verbose, 3)-1]
		level = min(level, louder)
	}
	return slog.New(&handler{log: hclog.New(&hclog.LoggerOptions{
		Name: cmd.Root().Name(), Level: level, Output: w,
	})}), nil
}

// handler hands the records of log/slog to an hclog logger.
type handler struct {
	log    hclog.Logger
	prefix string // of keys, from groups
}

var levels = []struct {
	at    slog.Level
	level hclog.Level
}{{slog.LevelError, hclog.Error}, {slog.LevelWarn, hclog.Warn}, {slog.LevelInfo, hclog.Info}, {slog.LevelDebug, hclog.Debug}}

func hclogLevel(level slog.Level) hclog.Level {
	for _, l := range levels {
		if level >= l.at {
			return l.level
		}
	}
	return hclog.Trace
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return hclogLevel(level) >= h.log.GetLevel() && h.log.GetLevel() != hclog.Off
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var args []any
	r.Attrs(func(a slog.Attr) bool {
		args = appendAttr(args, h.prefix, a)
		return true
	})
	h.log.Log(hclogLevel(r.Level), r.Message, args...)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var args []any
	for _, a := range attrs {
		args = appendAttr(args, h.prefix, a)
	}
	return &handler{log: h.log.With(args...), prefix: h.prefix}
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{log: h.log, prefix: h.prefix + name + "."}
}

// appendAttr resolves LogValuers, which redact secrets, and flattens groups.
func appendAttr(args []any, prefix string, a slog.Attr) []any {
	value := a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
		return args
	case value.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, sub := range value.Group() {
			args = appendAttr(args, prefix, sub)
		}
		return args
	case value.Kind() == slog.KindDuration:
		return append(args, prefix+a.Key, value.Duration().Round(time.Millisecond).String())
	}
	return append(args, prefix+a.Key, value.Any())
}
