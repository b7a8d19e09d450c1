package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// stream runs a command until stop and gives its lines as they come.
func stream(t *testing.T, v *demo.VCenter, args ...string) (lines *bufio.Scanner, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	root := commands("test")
	args = append(args, "-server", v.URL(), "-username", v.Username(), "-ca-file", v.CAFile())
	root.SetArgs(cli.Normalize(root, args))
	root.SetOut(write)
	root.SetErr(io.Discard)
	done := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		write.CloseWithError(errors.Join(io.EOF, err))
		done <- err
	}()
	t.Cleanup(cancel)
	return bufio.NewScanner(read), func() error {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, read) }() // nobody reads any more
		return <-done
	}
}

func TestEventsFollow_LineByLine(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	t.Setenv("HYPERSDK_VSPHERE_PASSWORD", v.Password())
	lines, stop := stream(t, v, "events", "-follow", "-types", "UserLoginSessionEvent", "-since", "1h", "-json")
	for range 2 { // its own login, and then ours while it follows
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		var e map[string]any
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e["event_type"] != "UserLoginSessionEvent" || e["category"] != "session" {
			t.Fatalf("got %s %v", lines.Text(), err)
		}
		other, end := stream(t, v, "events", "-follow", "-since", "1h")
		if !other.Scan() || !strings.HasPrefix(other.Text(), "TIME ") {
			t.Errorf("got %q, want the head of a table", other.Text())
		}
		_ = end()
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if n := v.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestMetricsWatch_BeginsWithTheLastSample(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	t.Setenv("HYPERSDK_VSPHERE_PASSWORD", v.Password())
	lines, stop := stream(t, v, "metrics", "-entity", "DC0_C0_RP0_VM0", "-type", "vm", "-watch", "-json")
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	var sample map[string]any
	if err := json.Unmarshal(lines.Bytes(), &sample); err != nil || sample["time"] == nil || sample["cpu_percent"] == nil {
		t.Errorf("got %s %v, want time and cpu_percent side by side", lines.Text(), err)
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}
