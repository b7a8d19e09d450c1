package main

import (
	"bufio"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// TestDaemon_TheSameOutput asks vCenter and a daemon on it for the same, in every form of output.
func TestDaemon_TheSameOutput(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	direct, _, _ := program(t, v)
	url, stop, err := startDaemon(direct.Env, buildDaemon(t), "--state-dir", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	for _, line := range []string{
		"host list", "host list -o wide -pattern *_H0", "host list -o csv", "host info DC0_C0_H0", "host info none",
		"cluster list -json", "cluster info DC0_C0", "datacenter list -o yaml", "vcenter info",
		"vm list -state poweredOn", "vm list -state asleep", "vm list -pattern none*", "vm info DC0_C0_RP0_VM0 -o yaml", "vm snapshot list DC0_C0_RP0_VM0 -json",
		"pool list", "metrics -entity none", "events -types VmPoweredOnEvent -limit 3 -o csv", "events -types VmPowerdOnEvent",
	} {
		want, wantOut, wantErr := program(t, v, strings.Fields(line)...)
		got, out, stderr := program(t, v, append(strings.Fields(line), "-daemon", url)...)
		wantCode, code := codeOf(t, want.Run()), codeOf(t, got.Run())
		if code != wantCode || out.String() != wantOut.String() {
			t.Errorf("%s: exit %d, want %d\n%s%s\nwant\n%s%s", line, code, wantCode, out, stderr, wantOut, wantErr)
		}
	}
	refused, _, stderr := program(t, v, "host", "list", "-daemon", url, "-server", v.URL())
	if code := codeOf(t, refused.Run()); code != 2 || !strings.Contains(stderr.String(), "choose one") {
		t.Errorf("a daemon and a vCenter: exit %d, %s", code, stderr)
	}
}

// buildDaemon builds hypersdkd.
func buildDaemon(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "hypersdkd")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "libvirt_dlopen", "-o", bin, "../hypersdkd").CombinedOutput(); err != nil {
		t.Fatalf("build hypersdkd: %v\n%s", err, out)
	}
	return bin
}

var daemonURL = regexp.MustCompile(`\burl=(\S+)`)

// startDaemon starts the real command and returns its address. stop asks it to end, and waits.
func startDaemon(env []string, bin string, args ...string) (url string, stop func() error, err error) {
	cmd := exec.Command(bin, append(args, "--no-auth", "--listen", "127.0.0.1:0")...)
	cmd.Env = env
	log, err := cmd.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	lines := bufio.NewScanner(log)
	var said strings.Builder
	for url == "" && lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if m := daemonURL.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
	}
	if url == "" {
		return "", nil, errors.Join(errors.New("hypersdkd did not start:\n"+said.String()), cmd.Wait())
	}
	drained := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, log)
		drained <- err
	}()
	return url, func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		return errors.Join(err, <-drained, cmd.Wait())
	}, nil
}
