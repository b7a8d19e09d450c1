package migrate_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// crashEnv carries a crashTask to the child process that is to be killed.
const crashEnv = "HYPERSDK_MIGRATE_CRASH"

// crashTask is one migration and the point at which its process kills itself, as kill -9 would.
type crashTask struct {
	URL, Username, Password, CAFile string
	Spec                            migrate.Spec
	Stage                           string
	Status                          sdk.Status
	Bytes                           int64 // die in the middle of a disk, once so many bytes are covered
}

func TestMain(m *testing.M) {
	if raw := os.Getenv(crashEnv); raw != "" {
		os.Exit(runAndDie(raw))
	}
	os.Exit(m.Run())
}

func runAndDie(raw string) int {
	var task crashTask
	if err := json.Unmarshal([]byte(raw), &task); err != nil {
		return 3
	}
	ctx := context.Background()
	vs, err := vsphere.Dial(ctx, vsphere.Config{
		URL: task.URL, Username: task.Username, Password: vsphere.Secret(task.Password), CAFile: task.CAFile,
	})
	if err != nil {
		println(err.Error())
		return 3
	}
	lv, err := libvirt.Open(ctx, uri, nil)
	if err != nil {
		println(err.Error())
		return 3
	}
	_, err = migrate.Run(ctx, migrate.Deps{VSphere: vs, Libvirt: lv, Version: "test"}, task.Spec, func(p sdk.Progress) {
		atByte := task.Bytes > 0 && p.Stage == task.Stage && p.Done >= task.Bytes
		if atByte || task.Bytes == 0 && p.Item == "" && p.Stage == task.Stage && p.Status == task.Status {
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		}
	})
	if err != nil {
		println(err.Error())
		return 1
	}
	return 0
}

// The same command after kill -9, at every stage boundary and in the middle of a disk, ends as an undisturbed run does.
func TestRun_EndsTheSameAfterKill9(t *testing.T) {
	boot := need.BootDisk(t, 8<<20, 21, marker+"\r\n")
	data := need.BootDisk(t, 4<<20, 22, "")
	vc := startVCenter(t, tinyGuest(boot, data))
	deps := connect(t, vc)
	var want string
	t.Run("undisturbed", func(t *testing.T) { want = undisturbed(t, deps) }) // its domain goes with the subtest

	points := []crashTask{{Stage: "export", Bytes: 2 << 20}, {Stage: "export", Bytes: 5 << 20}}
	for _, stage := range []string{"export", "manifest", "define", "boot"} {
		for _, status := range []sdk.Status{sdk.Running, sdk.Succeeded} {
			points = append(points, crashTask{Stage: stage, Status: status})
		}
	}
	for _, point := range points {
		name := point.Stage + "/" + string(point.Status)
		if point.Bytes > 0 {
			name = point.Stage + "/in the middle of a disk"
		}
		t.Run(name, func(t *testing.T) {
			spec := crashSpec(t, deps)
			faults := demo.Faults{LeaseTimeout: 8 * time.Second} // so long vCenter holds the lease of a process that died
			if point.Bytes > 0 {
				faults.BytesPerSec = 8 << 20
			}
			vc.SetFaults(faults)
			point.Spec = spec
			killed(t, vc, point)
			vc.SetFaults(demo.Faults{})
			got, err := migrate.Run(t.Context(), deps, spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			if sums := digests(t, got); sums != want {
				t.Errorf("disks = %s, want %s as undisturbed", sums, want)
			}
			if _, err := deps.Libvirt.GetDomain(t.Context(), got.DomainUUID); err != nil {
				t.Error(err)
			}
			for _, name := range leftovers(t, spec.Dir) {
				if strings.HasSuffix(name, ".partial") || strings.HasSuffix(name, ".boot.qcow2") {
					t.Errorf("%s was left behind", name)
				}
			}
		})
	}
}

func crashSpec(t *testing.T, deps migrate.Deps) migrate.Spec {
	spec := targetSpec(t, deps)
	spec.Verify = bootVerify()
	spec.Parallel = 1
	return spec
}

func undisturbed(t *testing.T, deps migrate.Deps) string {
	t.Helper()
	got, err := migrate.Run(t.Context(), deps, crashSpec(t, deps), nil)
	if err != nil {
		t.Fatal(err)
	}
	return digests(t, got)
}

// digests are those of the files as they are, not as the result says.
func digests(t *testing.T, r *migrate.Result) string {
	t.Helper()
	var sums []string
	for _, d := range r.Disks {
		raw, err := os.ReadFile(d.Path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	return strings.Join(sums, " ")
}

// killed runs the task in a process of its own, which must die by SIGKILL.
func killed(t *testing.T, vc *demo.VCenter, task crashTask) {
	t.Helper()
	task.URL, task.Username, task.Password, task.CAFile = vc.URL(), vc.Username(), vc.Password(), vc.CAFile()
	raw, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashEnv+"="+string(raw))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v, not by SIGKILL: %s", err, out)
	}
}
