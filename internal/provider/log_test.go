package provider

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestLogger_WritesFieldsGroupsAndLevels(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(tflogtest.RootLogger(t.Context(), &out)).With("job", "k").WithGroup("disk").With("id", "disk-0")
	log.Warn("slow", "bytes", 5, "password", vsphere.Secret("hunter2"), slog.Group("", slog.String("inline", "x")), slog.Group("g", slog.Int("n", 1)))
	log.Debug("fine")
	lines, err := tflogtest.MultilineJSONDecode(&out)
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{
			"@level": "warn", "@message": "slow", "@module": "provider", "job": "k", "disk.id": "disk-0", "disk.bytes": 5.0,
			"disk.password": "[redacted]", "disk.inline": "x", "disk.g.n": 1.0,
		},
		{"@level": "debug", "@message": "fine", "@module": "provider", "job": "k", "disk.id": "disk-0"},
	}
	for _, line := range lines {
		delete(line, "@caller")
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("log differs (-want +got):\n%s", diff)
	}
}

func TestLogger_SubsystemsMaskSecrets(t *testing.T) {
	t.Setenv("TF_LOG_PROVIDER_HYPERSDK_REST", "WARN")
	var out bytes.Buffer
	log := newLogger(tflogtest.RootLogger(t.Context(), &out), "hunter2", "")
	vim, rest := log.With("subsystem", "vim"), log.With("subsystem", "vim").With("subsystem", "rest")
	vim.Debug("login with hunter2", "user", "svc", "url", "https://svc:hunter2@vc", "ticket", "abc")
	rest.Debug("below the level")
	rest.Warn("busy", "token", "xyz")
	log.Info("hunter2 is out")
	lines, err := tflogtest.MultilineJSONDecode(&out)
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"@level": "debug", "@module": "provider.vim", "@message": "login with ***", "user": "svc", "url": "https://svc:***@vc", "ticket": "***"},
		{"@level": "warn", "@module": "provider.rest", "@message": "busy", "token": "***"},
		{"@level": "info", "@module": "provider", "@message": "*** is out"},
	}
	for _, line := range lines {
		delete(line, "@caller")
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("log differs (-want +got):\n%s", diff)
	}
}

// The process must outlive a hundred lines at once: Terraform's log hands shared maps to what masks.
func TestLogger_ManyAtOnce(t *testing.T) {
	log := newLogger(tflogtest.RootLogger(t.Context(), io.Discard), "hunter2").With(subsystemKey, logVIM)
	var lines sync.WaitGroup
	for range 100 {
		lines.Go(func() { log.Debug("login with hunter2", "method", "Login", "url", "https://hunter2@vc") })
	}
	lines.Wait()
}

func TestProgress_LogsATenthOnce(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(logContext(tflogtest.RootLogger(t.Context(), &out)))
	for done := range int64(101) {
		p.report(sdk.Progress{Stage: "export", Item: "disk-0", Status: sdk.Running, Done: done, Total: 100, Unit: "bytes"})
	}
	p.report(sdk.Progress{Stage: "export", Item: "disk-1", Done: 0, Total: 300, Unit: "bytes"})
	p.report(sdk.Progress{Stage: "export", Status: sdk.Succeeded})
	lines, err := tflogtest.MultilineJSONDecode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(lines), 13; got != want {
		t.Errorf("%d lines, want %d: eleven tenths, the other disk, the stage's end", got, want)
	}
	if got, want := p.percent(), int64(25); got != want {
		t.Errorf("percent() = %d, want %d", got, want)
	}
}
