package journal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
)

// ownerEnv makes the test binary a process that owns the journal in the named directory, says so and stays.
const ownerEnv = "HYPERSDK_TEST_JOURNAL_OWNER"

func TestMain(m *testing.M) {
	dir := os.Getenv(ownerEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	j, err := journal.Open(dir, "job")
	if err == nil {
		err = j.Put("work", "half done")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("owned")
	select {}
}

func open(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, "job")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func closeJournal(t *testing.T, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestJournal_RemembersAcrossOwners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	j := open(t, dir)
	stage := journal.Stage{Status: sdk.Succeeded, Inputs: "abc", StartedAt: time.Now().UTC().Truncate(time.Second)}
	if err := j.SetStage("export", stage); err != nil {
		t.Fatal(err)
	}
	if err := j.Put("disks", []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)

	j = open(t, dir)
	defer closeJournal(t, j)
	if got := j.Stage("export"); got != stage {
		t.Errorf("stage %+v, want %+v", got, stage)
	}
	if got := j.Stage("fix"); got != (journal.Stage{}) {
		t.Errorf("unknown stage %+v, want the zero one", got)
	}
	var disks []int
	if ok, err := j.Get("disks", &disks); !ok || err != nil || len(disks) != 2 {
		t.Errorf("got %v, %v, %v; want two disks", disks, ok, err)
	}
	if ok, err := j.Get("none", &disks); ok || err != nil {
		t.Errorf("missing section: %v, %v; want false, nil", ok, err)
	}
	var wrong map[string]string
	if _, err := j.Get("disks", &wrong); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("section of another shape: %v, want ErrInvalid", err)
	}
}

func TestJournal_DeleteAndForget(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	for name, status := range map[string]sdk.Status{"export": sdk.Succeeded, "fix": sdk.Failed} {
		if err := j.SetStage(name, journal.Stage{Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Put("disks", 1); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Forget("export", "fix", "none"), j.Delete("disks")); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	rec, err := journal.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Stages["export"].Status != sdk.Pending || rec.Stages["fix"].Status != sdk.Failed || len(rec.Stages) != 2 {
		t.Errorf("stages %+v, want export pending and fix failed", rec.Stages)
	}
	if ok, err := rec.Get("disks", new(int)); ok || err != nil {
		t.Errorf("section: %v, %v; want it gone", ok, err)
	}
}

func TestOpen_OneOwner(t *testing.T) {
	dir := t.TempDir()
	if journal.Owned(dir) {
		t.Error("owned before anybody opened it")
	}
	j := open(t, dir)
	if !journal.Owned(dir) {
		t.Error("not owned while it is open")
	}
	_, err := journal.Open(dir, "job")
	if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("second owner: got %v, want ErrConflict that names process %d", err, os.Getpid())
	}
	if h := sdk.Hints(err); len(h) != 1 || !strings.Contains(h[0], dir) {
		t.Errorf("hints %q, want one that names %s", h, dir)
	}
	closeJournal(t, j)
	if journal.Owned(dir) {
		t.Error("owned after Close")
	}
	closeJournal(t, open(t, dir))
}

func TestOpen_AfterOwnerWasKilled(t *testing.T) {
	dir := t.TempDir()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+dir)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Process.Kill() })
	var said string
	if _, err := fmt.Fscan(out, &said); err != nil || said != "owned" {
		t.Fatalf("owner said %q, %v", said, err)
	}
	_, err = journal.Open(dir, "job")
	if want := fmt.Sprintf("process %d", owner.Process.Pid); !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), want) {
		t.Errorf("while the owner lives: got %v, want ErrConflict that names %s", err, want)
	}
	if err := owner.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // killed

	j := open(t, dir)
	defer closeJournal(t, j)
	var work string
	if _, err := j.Get("work", &work); err != nil || work != "half done" {
		t.Errorf("got %q, %v; want what the killed owner wrote", work, err)
	}
}

// plant writes a record by hand.
func plant(t *testing.T, change func(*journal.Record)) string {
	t.Helper()
	dir := t.TempDir()
	rec := journal.Record{Version: 1, Key: "job"}
	change(&rec)
	data, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "journal.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpen_Refuses(t *testing.T) {
	owned := func(ago time.Duration) func(*journal.Record) {
		return func(r *journal.Record) {
			r.Owner = journal.Owner{Host: "elsewhere", PID: 7, Heartbeat: time.Now().Add(-ago)}
		}
	}
	tests := []struct {
		name   string
		change func(*journal.Record)
		want   error
		text   string
	}{
		{"another job", func(r *journal.Record) { r.Key = "other" }, sdk.ErrConflict, "another job (other)"},
		{"a later version", func(r *journal.Record) { r.Version = 2 }, sdk.ErrInvalid, "version 2"},
		{"a living owner on another host", owned(time.Second), sdk.ErrConflict, "process 7 on elsewhere"},
		{"a silent owner on another host", owned(time.Hour), nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := plant(t, tt.change)
			j, err := journal.Open(dir, "job")
			if err == nil {
				closeJournal(t, j)
			}
			if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %v with %q", err, tt.want, tt.text)
			}
			if journal.Owned(dir) {
				t.Error("a refused Open keeps the lock")
			}
		})
	}
}

func TestOpen_CorruptRecord(t *testing.T) {
	for _, content := range []string{"", "{", "[]", `{"version":"x"}`} {
		dir := t.TempDir()
		path := filepath.Join(dir, "journal.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Open(dir, "job"); !errors.Is(err, sdk.ErrInvalid) || len(sdk.Hints(err)) != 1 {
			t.Errorf("%q: got %v, want ErrInvalid with a hint", content, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q: became %q, %v; want it untouched", content, got, err)
		}
	}
}

func TestRead_Missing(t *testing.T) {
	if _, err := journal.Read(t.TempDir()); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "job")
	if err := open(t, dir).Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want the directory gone", err)
	}
}

func TestPut_FullDiskKeepsTheOldRecord(t *testing.T) {
	need.Root(t)
	need.Tools(t, "mount", "umount")
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", dir).CombinedOutput(); err != nil {
		need.Missing(t, fmt.Sprintf("a tmpfs of its own: %v: %s", err, out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	j := open(t, dir)
	if err := j.Put("work", "safe"); err != nil {
		t.Fatal(err)
	}
	if err := j.Put("big", strings.Repeat("x", 512<<10)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want %v", err, syscall.ENOSPC)
	}
	rec, err := journal.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var work string
	if ok, err := rec.Get("work", &work); !ok || err != nil || work != "safe" {
		t.Errorf("after the failed write: %q, %v, %v; want the old record", work, ok, err)
	}
	if err := j.Delete("big"); err != nil {
		t.Errorf("after the section was given up: %v", err)
	}
	closeJournal(t, j)
	names, err := filepath.Glob(filepath.Join(dir, ".journal*"))
	if err != nil || len(names) != 0 {
		t.Errorf("left %v, %v; want no temporary file", names, err)
	}
}
