package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// binDir holds the provider's binary for the tests that run it as Terraform does; buildProvider fills it when first needed.
var (
	binDir        string
	buildProvider = sync.OnceValue(func() error {
		out, err := exec.Command("go", "build", "-tags", "libvirt_dlopen", "-o", filepath.Join(binDir, "terraform-provider-hypersdk"), "../..").CombinedOutput()
		if err != nil {
			return fmt.Errorf("build the provider: %w\n%s", err, out)
		}
		return nil
	})
)

func TestMain(m *testing.M) {
	if servedAsPeer() {
		return
	}
	dir, err := os.MkdirTemp("", "hypersdk-provider")
	if err != nil {
		panic(err)
	}
	binDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// workspace is a directory with a configuration that real terraform works on, with the provider as a process of its own.
type workspace struct {
	t        *testing.T
	dir      string
	required string // where the providers come from
}

func newWorkspace(t *testing.T, config string) *workspace {
	t.Helper()
	need.Tools(t, "go", "terraform")
	if err := buildProvider(); err != nil {
		t.Fatal(err)
	}
	w := &workspace{t: t, dir: t.TempDir(), required: "hypersdk = { source = \"hypersdk/hypersdk\" }"}
	w.write("terraformrc", fmt.Sprintf("provider_installation {\n dev_overrides {\n  \"hypersdk/hypersdk\" = %q\n }\n direct {}\n}\n", binDir))
	w.configure(config)
	return w
}

func (w *workspace) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workspace) configure(config string) {
	w.t.Helper()
	w.write("main.tf", "terraform {\n required_providers {\n"+w.required+"\n }\n}\n"+config)
}

func (w *workspace) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(w.t.Context(), "terraform", args...)
	out := &bytes.Buffer{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, out, out
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "terraformrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, out
}

// terraform runs a command and wants its exit code.
func (w *workspace) terraform(wantExit int, args ...string) string {
	w.t.Helper()
	cmd, out := w.command(append(args, "-no-color")...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != wantExit {
		w.t.Fatalf("terraform %s: exit %d, want %d\n%s", strings.Join(args, " "), got, wantExit, out)
	}
	return out.String()
}

// apply wants success and, after it, a plan without changes.
func (w *workspace) apply(args ...string) string {
	w.t.Helper()
	out := w.terraform(0, append([]string{"apply", "-auto-approve", "-input=false"}, args...)...)
	w.terraform(0, "plan", "-detailed-exitcode", "-input=false")
	return out
}

// instance is the resource in the state file: its status ("tainted" or empty) and attributes; nil when it is not there.
func (w *workspace) instance() (taint string, attributes map[string]any) {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	var state struct {
		Resources []struct {
			Instances []struct {
				Status     string
				Attributes map[string]any
			}
		}
	}
	if err := json.Unmarshal(data, &state); err != nil {
		w.t.Fatal(err)
	}
	if len(state.Resources) == 0 {
		return "", nil
	}
	i := state.Resources[0].Instances[0]
	return i.Status, i.Attributes
}

// startApply begins an apply over a slow wire and returns once the copy is under way.
func (w *workspace) startApply(b *bench) (*exec.Cmd, *bytes.Buffer) {
	w.t.Helper()
	b.vc.SetFaults(demo.Faults{BytesPerSec: 1 << 20})
	cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	eventually(w.t, "the copy to be under way", func() bool { return largestFile(b.dir) > 256<<10 })
	return cmd, out
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if ok() {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("waited two minutes for %s", what)
}

func largestFile(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // files come and go
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			size = max(size, info.Size())
		}
		return nil
	})
	return size
}

func TestProcess_InterruptedApplyGoesOnInPlace(t *testing.T) {
	raw := rig.Disk(t, 16<<20, rig.Random)
	b := newBench(t, webGuest(raw))
	w := newWorkspace(t, b.config())
	cmd, out := w.startApply(b)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // Terraform ends with 1 whatever the provider says
	taint, attributes := w.instance()
	if taint != "" || attributes["status"] != "interrupted" {
		t.Fatalf("taint %q, status %v; want an untainted interrupted resource\n%s", taint, attributes["status"], out)
	}
	if !strings.Contains(out.String(), "was interrupted") {
		t.Errorf("no word of the interruption:\n%s", out)
	}
	b.vc.SetFaults(demo.Faults{})
	plan := w.terraform(2, "plan", "-detailed-exitcode", "-input=false")
	if !strings.Contains(plan, "0 to add, 1 to change, 0 to destroy") || !strings.Contains(plan, "Will resume") {
		t.Errorf("the plan is not a resume in place:\n%s", plan)
	}
	w.apply()
	wantSameImage(t, raw, b.disk(0))
	if got := b.vc.Sessions(); got != 0 {
		t.Errorf("%d vCenter sessions left, want 0", got)
	}
}

func TestProcess_KilledProviderIsAdopted(t *testing.T) {
	first, second := rig.Disk(t, 16<<20, rig.Random), rig.Disk(t, 1<<20, rig.Text)
	b := newBench(t, webGuest(first, second))
	w := newWorkspace(t, b.config())
	cmd, out := w.startApply(b)
	if err := syscall.Kill(providerProcess(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("apply succeeded without its provider:\n%s", out)
	}
	b.vc.SetFaults(demo.Faults{})
	b.vc.EndSessions() // the killed one could not log out
	applied := w.apply()
	if !strings.Contains(applied, "Goes on from an earlier run") {
		t.Errorf("the journal was not adopted:\n%s", applied)
	}
	wantSameImage(t, first, b.disk(0))
	wantSameImage(t, second, b.disk(1))
	if got := b.vc.Sessions(); got != 0 {
		t.Errorf("%d vCenter sessions left, want 0", got)
	}
}

// providerProcess is the process of the binary under test.
func providerProcess(t *testing.T) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && strings.HasPrefix(exe, binDir+"/") {
			var pid int
			if _, err := fmt.Sscanf(link, "/proc/%d/exe", &pid); err == nil {
				return pid
			}
		}
	}
	t.Fatal("no provider process")
	return 0
}

func TestProcess_TimeoutIsAnErrorAndResumes(t *testing.T) {
	raw := rig.Disk(t, 16<<20, rig.Random)
	b := newBench(t, webGuest(raw))
	w := newWorkspace(t, b.config(more(`timeouts = { create = "2s" }`)...))
	b.vc.SetFaults(demo.Faults{BytesPerSec: 1 << 20})
	out := w.terraform(1, "apply", "-auto-approve", "-input=false")
	if !strings.Contains(out, "ran out of time") {
		t.Errorf("the error does not name the timeout:\n%s", out)
	}
	taint, _ := w.instance()
	if taint != "tainted" {
		t.Errorf("status %q, want tainted", taint)
	}
	b.vc.SetFaults(demo.Faults{})
	w.configure(b.config())
	w.apply()
	wantSameImage(t, raw, b.disk(0))
}

func TestProcess_MissingDiskIsReplacedOnlyOnRequest(t *testing.T) {
	b := newBench(t, smallGuest(t))
	w := newWorkspace(t, b.config())
	w.apply()
	remove(t, b.disk(0))
	if plan := w.terraform(2, "plan", "-detailed-exitcode", "-input=false"); !strings.Contains(plan, "disk-0.qcow2") {
		t.Errorf("the plan does not name the file:\n%s", plan)
	}
	if out := w.terraform(1, "apply", "-auto-approve", "-input=false"); !strings.Contains(out, "-replace=") {
		t.Errorf("the error does not say how to go on:\n%s", out)
	}
	w.apply("-replace=" + address)
	if !exists(b.disk(0)) {
		t.Error("the disk is not there again")
	}
}

func TestProcess_AsksVCenterSparingly(t *testing.T) {
	b := newBench(t, smallGuest(t))
	w := newWorkspace(t, b.config())
	login := map[string]bool{"RetrieveServiceContent": true, "Login": true, "Logout": true}
	count := func(what string, limit int, do func()) {
		before := b.vc.Calls()
		do()
		total, calls := 0, map[string]int{}
		for name, n := range b.vc.Calls() {
			if n -= before[name]; n > 0 && !login[name] {
				calls[name] = n
				total += n
			}
		}
		if total > limit {
			t.Errorf("%s: %d calls, want at most %d: %v", what, total, limit, calls)
		}
	}
	count("plan", 3, func() { w.terraform(2, "plan", "-detailed-exitcode", "-input=false") })
	w.apply()
	count("plan without changes", 0, func() { w.terraform(0, "plan", "-detailed-exitcode", "-input=false") })
	count("destroy", 0, func() { w.terraform(0, "destroy", "-auto-approve", "-input=false") })
	if got := b.vc.Sessions(); got != 0 {
		t.Errorf("%d vCenter sessions left, want 0", got)
	}
}

func TestProcess_WarnsWhenTheSourceRunsBesideItsCopy(t *testing.T) {
	guest := smallGuest(t)
	guest.PoweredOn = true
	b := newBench(t, guest)
	w := newWorkspace(t, b.config(more(`source_after = "powered_off"`)...))
	w.apply()
	client := b.login()
	vm, err := client.GetVM(t.Context(), guestPath)
	if err != nil {
		t.Fatal(err)
	}
	if vm.PowerState != "poweredOff" {
		t.Errorf("the source is %s after the migration, want poweredOff", vm.PowerState)
	}
	if err := client.PowerOnVM(t.Context(), vm); err != nil {
		t.Fatal(err)
	}
	b.virsh("start", b.name)
	plan := w.terraform(0, "plan", "-detailed-exitcode", "-input=false")
	if !strings.Contains(plan, "was powered on again") {
		t.Errorf("the plan says nothing of the source that runs:\n%s", plan)
	}
}

func TestProcess_UnknownSettingsDialNobody(t *testing.T) {
	b := newBench(t, smallGuest(t))
	w := newWorkspace(t, "resource \"terraform_data\" \"host\" {\n input = "+fmt.Sprintf("%q", b.vc.URL())+"\n}\n"+
		b.provider(fmt.Sprintf("%q", b.vc.URL()), "terraform_data.host.output")+b.migration())
	before := b.vc.Calls()["Login"]
	w.terraform(2, "plan", "-detailed-exitcode", "-input=false")
	if after := b.vc.Calls()["Login"]; after != before {
		t.Errorf("%d logins while the server is not known, want none", after-before)
	}
	w.apply()
}

func TestGuest_ApplyBootsARealGuest(t *testing.T) {
	need.Tools(t, "qemu-system-x86_64", "guestfish")
	guest := webGuest()
	guest.CPUs, guest.MemoryMB = 1, 512
	guest.Disks = []demo.GuestDisk{{Image: need.Guest(t, "bios")}}
	b := newBench(t, guest)
	w := newWorkspace(t, b.config(`convert = { engine = "none" }`, `verify = { boot = "console" }`))
	w.apply()
	_, attributes := w.instance()
	if attributes["boot_evidence"] == nil || attributes["domain_state"] != "shutoff" {
		t.Errorf("evidence %v, domain %v; want a console line and a domain that is off", attributes["boot_evidence"], attributes["domain_state"])
	}
	t.Logf("evidence: %v", attributes["boot_evidence"])
}
