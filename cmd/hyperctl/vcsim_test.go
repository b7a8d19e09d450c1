package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestParseGuest(t *testing.T) {
	tests := []struct {
		in   string
		want demo.Guest
	}{
		{"/DC0/vm/a=x.qcow2", demo.Guest{Path: "/DC0/vm/a", Disks: []demo.GuestDisk{{Image: "x.qcow2"}}}},
		{
			"/DC0/vm/a=x=y.raw,firmware=uefi,cpus=4,memory=2048,guest-id=ubuntu64Guest,hostname=web,ip=10.0.0.1,ip=fe80::1,power=on",
			demo.Guest{
				Path: "/DC0/vm/a", Disks: []demo.GuestDisk{{Image: "x=y.raw"}}, Firmware: "uefi", CPUs: 4, MemoryMB: 2048,
				GuestID: "ubuntu64Guest", Hostname: "web", IPs: []string{"10.0.0.1", "fe80::1"}, PoweredOn: true,
			},
		},
		{
			"/DC0/vm/a=x,address=scsi0:1,controller=lsilogic,disk=y,format=vmdk,address=sata0:0",
			demo.Guest{Path: "/DC0/vm/a", Disks: []demo.GuestDisk{
				{Image: "x", Address: "scsi0:1", Controller: "lsilogic"}, {Image: "y", Format: "vmdk", Address: "sata0:0"},
			}},
		},
		{
			"/DC0/vm/a=x,mac=00:50:56:00:00:01,nic=e1000e,network=LAN",
			demo.Guest{
				Path: "/DC0/vm/a", Disks: []demo.GuestDisk{{Image: "x"}},
				NICs: []demo.GuestNIC{{MAC: "00:50:56:00:00:01"}, {Type: "e1000e", Network: "LAN"}},
			},
		},
		{"/DC0/vm/a=x,power=off", demo.Guest{Path: "/DC0/vm/a", Disks: []demo.GuestDisk{{Image: "x"}}}},
	}
	for _, tt := range tests {
		got, err := parseGuest(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestParseGuest_Refuses(t *testing.T) {
	for _, in := range []string{
		"", "x", "=x", "/a=", "a=x", "/a=x,", "/a=x,firmware", "/a=x,firmware=", "/a=x,firmware=efi", "/a=x,firm=bios",
		"/a=x,cpus=0", "/a=x,cpus=many", "/a=x,memory=-1", "/a=x,power=maybe", "/a=x,nic=ne2000", "/a=x,format=vdi",
	} {
		if g, err := parseGuest(in); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("parseGuest(%q) = %+v, %v; want an invalid one", in, g, err)
		}
	}
}

func TestVCSimFlags(t *testing.T) {
	cmd := &cobra.Command{Use: "vcsim"}
	f := &vcsimFlags{}
	f.bind(cmd)
	args := "-hosts 5 -vms 9 -listen :0 -latency 20ms -username u -password-file - -session-idle 1m -rate 1MiB -cut-after 2KiB" +
		" -lease-timeout 3s -lease-delay 4s -lose-lease-at 5 -truncate 6 -garbage -fail-progress 7 -cache-dir c -guest /DC0/vm/a=b"
	root := cli.Root("x", "x", "1")
	root.AddCommand(cmd)
	if err := cmd.ParseFlags(cli.Normalize(root, append([]string{"vcsim"}, strings.Fields(args)...))[1:]); err != nil {
		t.Fatal(err)
	}
	got, err := f.parse(strings.NewReader("hunter2\n"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := demo.Options{
		Hosts: 5, VMs: 9, Listen: ":0", Latency: 20 * time.Millisecond, Username: "u", Password: "hunter2",
		SessionIdle: time.Minute, CacheDir: filepath.Join(here, "c"),
		Guests: []demo.Guest{{Path: "/DC0/vm/a", Disks: []demo.GuestDisk{{Image: filepath.Join(here, "b")}}}},
		Faults: demo.Faults{
			BytesPerSec: 1 << 20, CutAfter: 2048, CutTimes: 1, LeaseTimeout: 3 * time.Second, LeaseDelay: 4 * time.Second,
			LoseLeaseAt: 5, Truncate: 6, Garbage: true, FailProgress: 7,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestShellQuote(t *testing.T) {
	for _, text := range []string{"plain", "it's", `a"b$c\d`, "", "new\nline"} {
		out, err := exec.Command("sh", "-c", "printf %s "+shellQuote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("the shell reads %q as %q, %v", text, out, err)
		}
	}
}

// TestVCSim_Foreground reads the variables of one that runs in the foreground and then interrupts it.
func TestVCSim_Foreground(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "hyperctl", "vcsim", "-hosts", "1", "-vms", "1")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{}
	lines := bufio.NewScanner(stdout)
	for len(vars) < 8 && lines.Scan() {
		name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if !found {
			t.Errorf("not a variable: %q", lines.Text())
		}
		vars[name] = strings.Trim(value, "'")
	}
	if _, err := os.Stat(vars["GOVC_TLS_CA_CERTS"]); err != nil {
		t.Errorf("the CA's file: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Errorf("more on stdout: %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	if _, err := os.Stat(vars["GOVC_TLS_CA_CERTS"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the CA's file is left behind: %v", err)
	}
}
