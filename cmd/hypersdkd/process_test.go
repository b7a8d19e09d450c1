package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hypersdkd": main})
}

const deadline = 60 * time.Second

// process is hypersdkd as a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	ended chan error

	mu  sync.Mutex
	log strings.Builder
}

func environment(v *demo.VCenter) []string {
	return append(os.Environ(), "HYPERSDK_VSPHERE_SERVER="+v.URL(), "HYPERSDK_VSPHERE_USERNAME="+v.Username(),
		"HYPERSDK_VSPHERE_PASSWORD="+v.Password(), "HYPERSDK_VSPHERE_CA_FILE="+v.CAFile())
}

var readyLine = regexp.MustCompile(`ready.* url=(\S+)`)

// launch starts the daemon on a free port and waits until it says that it is ready.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(t.Context(), "hypersdkd", append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = env
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
				ready <- m[1]
			}
		}
		p.ended <- p.cmd.Wait()
	}()
	select {
	case p.url = <-ready:
	case err := <-p.ended:
		t.Fatalf("it ended: %v\n%s", err, p.text())
	case <-time.After(deadline):
		t.Fatalf("it is not ready after %s\n%s", deadline, p.text())
	}
	return p
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// end sends a signal and waits; it returns the exit code, -1 for a process that was killed.
func (p *process) end(signal os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(deadline):
		p.t.Fatalf("it did not end within %s\n%s", deadline, p.text())
		return 0
	}
}

func (p *process) get(path, token string) (status int, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestProcess_TokenStaysAndNoSessionIsLeft(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	state := filepath.Join(t.TempDir(), "state")
	p := launch(t, environment(v), "-state-dir", state)
	text, err := os.ReadFile(filepath.Join(state, "token"))
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(string(text))
	if status, body := p.get("/vsphere/hosts", ""); status != 401 {
		t.Errorf("without a token: %d %s", status, body)
	}
	var hosts []struct{ Name string }
	status, body := p.get("/vsphere/hosts", token)
	if err := json.Unmarshal([]byte(body), &hosts); err != nil || status != 200 || len(hosts) != 3 {
		t.Errorf("with the token: %d %s (%v)", status, body, err)
	}
	if code := p.end(syscall.SIGKILL); code != -1 {
		t.Errorf("after kill -9: code %d", code)
	}
	again := launch(t, environment(v), "-state-dir", state)
	if status, body := again.get("/vsphere/hosts", token); status != 200 {
		t.Errorf("after kill -9 and a new start: %d %s", status, body)
	}
	before := v.Sessions()
	if code := again.end(syscall.SIGTERM); code != 0 {
		t.Errorf("after SIGTERM: code %d\n%s", code, again.text())
	}
	if got := v.Sessions(); got != before-1 {
		t.Errorf("SIGTERM left %d of %d sessions; one is of the process that was killed", got, before)
	}
	if strings.Contains(p.text()+again.text(), token) || strings.Contains(p.text()+again.text(), v.Password()) {
		t.Error("a secret is in the log")
	}
	if info, err := os.Stat(filepath.Join(state, "audit.log")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("audit log: %v, %v", info, err)
	}
}

func TestProcess_Demo(t *testing.T) {
	p := launch(t, append(os.Environ(), "HYPERSDK_STATE_DIR="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir()), "--demo", "--no-auth")
	for _, path := range []string{"/vsphere/hosts", "/vsphere/metrics?entity=vm-name&type=vm", "/jobs", "/docs", "/readyz"} {
		if status, body := p.get(path, ""); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if code := p.end(os.Interrupt); code != 0 {
		t.Errorf("after an interrupt: code %d\n%s", code, p.text())
	}
}

// refusedStart runs the daemon to its end.
func refusedStart(t *testing.T, env []string, args ...string) (code int, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "hypersdkd", args...)
	cmd.Env = env
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("%v: %v\n%s", args, err, text)
	}
	return exit.ExitCode(), string(text)
}

func TestProcess_Refusals(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := write("viewer.token", "a-token-of-a-viewer", 0o600)
	tests := []struct {
		name, args string
		code       int
		words      []string
	}{
		{"no-auth off the loopback", "--demo --no-auth --listen 0.0.0.0:0", 2, []string{"--no-auth works on the loopback interface only", "hint:"}},
		{"no TLS off the loopback", "--demo --listen 0.0.0.0:0", 2, []string{"read the token", "--tls-cert", "--plain-http"}},
		{"no address", "--demo --listen nowhere", 2, []string{`"nowhere"`, "host:port"}},
		{"half of TLS", "--demo --tls-cert x.pem", 2, []string{"--tls-key"}},
		{"no certificate", "--demo --tls-cert " + dir + "/none --tls-key " + dir + "/none", 2, []string{"TLS"}},
		{"no vCenter", "", 2, []string{"no vCenter is given", "--demo"}},
		{"two vCenters", "--demo --server vc", 2, []string{"--demo brings its own"}},
		{"no file", "--config " + dir + "/none", 3, []string{"configuration", "no such file"}},
		{"unknown key", "--config " + write("bogus.yaml", "lissen: x\n", 0o600), 2, []string{"line 1", "DAEMON.md"}},
		{"open password", "--config " + write("open.yaml", "vsphere: {server: vc, username: u, password: hunter2}\n", 0o644), 4, []string{"0644", "chmod 600"}},
		{"no role", "--demo --config " + write("role.yaml", "tokens: [{name: eve, role: god, file: "+token+"}]\n", 0o600), 2, []string{`"eve"`, `"god"`, "viewer, operator and admin"}},
		{"no token file", "--demo --config " + write("token.yaml", "tokens: [{name: eve, role: viewer, file: /none}]\n", 0o600), 3, []string{"eve"}},
		{"unknown flag", "--lissen x", 2, []string{"lissen"}},
		{"operand", "serve", 2, []string{"serve"}},
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "HYPERSDK_STATE_DIR=" + filepath.Join(dir, "state")}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stderr := refusedStart(t, env, strings.Fields(tt.args)...)
			if code != tt.code {
				t.Errorf("code %d, want %d: %s", code, tt.code, stderr)
			}
			for _, word := range tt.words {
				if !strings.Contains(stderr, word) {
					t.Errorf("%q does not say %q", stderr, word)
				}
			}
			if strings.Contains(stderr, "hunter2") {
				t.Errorf("the password is shown: %s", stderr)
			}
		})
	}
}
