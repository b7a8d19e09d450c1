package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func newProgress(t *testing.T, how string, args ...string) (*cli.Progress, *bytes.Buffer) {
	t.Helper()
	cmd := &cobra.Command{Use: "x"}
	cli.AddProgress(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p, err := cli.NewProgress(cmd, config.Talk{Progress: how}, &out)
	if err != nil {
		t.Fatal(err)
	}
	return p, &out
}

var seconds = regexp.MustCompile(`[0-9.]+ s\b`)

func TestProgress_PlainLines(t *testing.T) {
	p, out := newProgress(t, "auto")
	p.Report(sdk.Progress{Stage: "export", Status: sdk.Running})
	p.Report(sdk.Progress{Stage: "export", Status: sdk.Running})
	const total = 64 << 20
	for done := int64(0); done <= total; done += 1 << 20 {
		p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: done, Total: total, Unit: "bytes"})
	}
	p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: total, Total: total, Unit: "bytes", Status: sdk.Succeeded})
	p.Report(sdk.Progress{Stage: "export", Status: sdk.Succeeded})
	p.Report(sdk.Progress{Stage: "fix", Message: "launching \x1b[2Jthe appliance"})
	p.Report(sdk.Progress{Message: "editing"})
	p.Report(sdk.Progress{Message: "editing", Done: 42, Total: 100, Unit: "percent"})
	fmt.Fprintln(p, "a log line")
	p.Report(sdk.Progress{Stage: "fix", Status: sdk.Failed, Message: "no kernel"})
	p.Report(sdk.Progress{Stage: "define", Status: sdk.Succeeded, Message: "done in an earlier run"})
	p.Close()
	want := `export: started
export disk-0: 0% (0 B of 64 MiB)
export disk-0: 10% (7.0 MiB of 64 MiB)
export disk-0: 20% (13 MiB of 64 MiB)
export disk-0: 30% (20 MiB of 64 MiB)
export disk-0: 40% (26 MiB of 64 MiB)
export disk-0: 50% (32 MiB of 64 MiB)
export disk-0: 60% (39 MiB of 64 MiB)
export disk-0: 70% (45 MiB of 64 MiB)
export disk-0: 80% (52 MiB of 64 MiB)
export disk-0: 90% (58 MiB of 64 MiB)
export disk-0: 100% (64 MiB of 64 MiB)
export: succeeded in T
fix: started
fix: launching \x1b[2Jthe appliance
fix: editing
fix: 40%
a log line
fix: failed after T: no kernel
define: succeeded, done in an earlier run
`
	if got := seconds.ReplaceAllString(out.String(), "T"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestProgress_None(t *testing.T) {
	p, out := newProgress(t, "auto", "--progress", "none")
	p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 1, Total: 2})
	fmt.Fprintln(p, "a log line")
	p.Close()
	if out.String() != "a log line\n" {
		t.Errorf("got %q; want the log line alone", out.String())
	}
}

func TestProgress_RefusesAnUnknownWay(t *testing.T) {
	cmd := &cobra.Command{Use: "x"}
	if _, err := cli.NewProgress(cmd, config.Talk{Progress: "fancy"}, os.Stderr); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("error = %v; want an invalid one", err)
	}
}

// TestProgress_FromManyGoroutines is for the race detector.
func TestProgress_FromManyGoroutines(t *testing.T) {
	p, out := newProgress(t, "plain")
	var wg sync.WaitGroup
	for disk := range 4 {
		wg.Go(func() {
			for done := int64(1); done <= 10; done++ {
				p.Report(sdk.Progress{Stage: "export", Item: fmt.Sprintf("disk-%d", disk), Done: done, Total: 10, Unit: "bytes"})
			}
		})
	}
	wg.Wait()
	p.Close()
	if got := strings.Count(out.String(), "100%"); got != 4 {
		t.Errorf("%d disks reached 100%%; want 4:\n%s", got, out)
	}
}

func TestLogger(t *testing.T) {
	tests := []struct {
		level string
		args  []string
		want  string // the messages that pass
	}{
		{"warn", nil, "w e"},
		{"off", nil, ""},
		{"warn", []string{"-v"}, "i w e"},
		{"warn", []string{"-vvv"}, "d i w e"},
		{"error", []string{"--log-level", "debug"}, "d i w e"},
	}
	for _, tt := range tests {
		root := cli.Root("tool", "A tool", "1")
		if err := root.ParseFlags(tt.args); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		log, err := cli.Logger(root, config.Talk{LogLevel: tt.level}, &out)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		log.Error("e")
		var got []string
		for line := range strings.Lines(out.String()) {
			fields := strings.Fields(line)
			got = append(got, fields[len(fields)-1])
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("level %s, flags %q: got %q; want %q", tt.level, tt.args, text, tt.want)
		}
	}
}

type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func TestLogger_KeepsAttributesAndRedacts(t *testing.T) {
	var out bytes.Buffer
	log, err := cli.Logger(cli.Root("tool", "A tool", "1"), config.Talk{LogLevel: "info"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.With("vm", "web-1").WithGroup("nfc").Info("renewed", "percent", 40, slog.Group("login", "password", secret("hunter2")))
	for _, want := range []string{"tool: renewed", "vm=web-1", "nfc.percent=40", "nfc.login.password=[redacted]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("the secret is in %q", out.String())
	}
}

func TestLogger_RefusesAnUnknownLevel(t *testing.T) {
	_, err := cli.Logger(cli.Root("tool", "A tool", "1"), config.Talk{LogLevel: "loud"}, os.Stderr)
	if !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("error = %v; want an invalid one", err)
	}
}
