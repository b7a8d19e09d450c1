package guest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// phony is a guest that has files and no working system: enough to be inspected and fixed, not to boot.
type phony struct {
	name  string
	files map[string]string // by path; a value that starts with "-> " is a symlink
	check func(t *testing.T, a *Appliance, in *inspected, err error)
}

const phonyKernel = "5.4.0-1-generic"

// phonyImage makes an ext4 image, 24 MiB, of a guest's files. All guests lie on disks without partitions.
func phonyImage(t *testing.T, p phony) Disk {
	t.Helper()
	dir, image := t.TempDir(), filepath.Join(t.TempDir(), p.name+".raw")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 24<<20); err != nil {
		t.Fatal(err)
	}
	for name, text := range p.files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch target, link := strings.CutPrefix(text, "-> "); {
		case link:
			err = os.Symlink(target, file)
		case text == "fifo":
			err = syscall.Mkfifo(file, 0o644)
		default:
			err = os.WriteFile(file, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if p.files == nil {
		noise := make([]byte, 1<<20)
		_, _ = rand.Read(noise)
		if err := os.WriteFile(image, noise, 0o600); err != nil {
			t.Fatal(err)
		}
		return Disk{Path: image, Format: "raw"}
	}
	out, err := exec.CommandContext(t.Context(), "mke2fs", "-q", "-F", "-t", "ext4", "-d", dir, image).CombinedOutput()
	if err != nil {
		t.Fatalf("mke2fs: %v: %s", err, out)
	}
	return Disk{Path: image, Format: "raw"}
}

func ubuntu(t *testing.T) phony {
	ram := pack(t, "lz4", writeCPIO([]cpioFile{
		{Name: "conf", Mode: modeDir | 0o755},
		{Name: "conf/modules", Mode: modeRegular | 0o644, Data: []byte("dm-crypt\n")},
		{Name: "lib", Mode: modeDir | 0o755},
		{Name: "lib/modules", Mode: modeDir | 0o755},
		{Name: "lib/modules/" + phonyKernel + "/kernel/mptspi.ko", Mode: modeRegular | 0o644, Data: []byte("elf")},
	}))
	modules := "lib/modules/" + phonyKernel + "/"
	return phony{
		name: "ubuntu",
		files: map[string]string{
			"etc/os-release":                        "-> ../usr/lib/os-release",
			"usr/lib/os-release":                    "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"20.04\"\nPRETTY_NAME=\"Ubuntu 20.04 LTS\x1b[31m\"\n",
			"etc/fstab":                             "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0 / ext4 defaults 0 1\n/dev/sdb1 /gone ext4 nofail 0 2\n",
			"etc/hostname":                          "web\n",
			"etc/netplan/00.yaml":                   "network: {ethernets: {ens160: {dhcp4: true}}}\n",
			"etc/default/grub":                      "GRUB_CMDLINE_LINUX=\"\"\n",
			"etc/initramfs-tools/modules":           "# none",
			"etc/!echo|x\n y":                       "a hostile name",
			"boot/grub/grub.cfg":                    "menuentry 'x' {\n\tlinux /boot/vmlinuz-" + phonyKernel + " root=/dev/sda ro\n}\n",
			"boot/vmlinuz-" + phonyKernel:           "kernel",
			"boot/vmlinuz-|evil !id\nx":             "kernel",
			"boot/initrd.img-" + phonyKernel:        string(ram),
			modules + "modules.dep":                 "kernel/virtio_blk.ko: kernel/virtio.ko\nkernel/virtio.ko:\nkernel/virtio_net.ko: kernel/virtio.ko\n",
			modules + "modules.builtin":             "kernel/drivers/virtio/virtio_pci.ko\n",
			modules + "kernel/virtio_blk.ko":        "blk",
			modules + "kernel/virtio.ko":            "virtio",
			modules + "kernel/virtio_net.ko":        "net",
			"usr/sbin/update-initramfs":             "#!/bin/sh\n",
			"usr/bin/vmtoolsd":                      "elf",
			"usr/lib/systemd/system/vgauth.service": "[Service]\n",
		},
		check: checkUbuntu,
	}
}

func checkUbuntu(t *testing.T, a *Appliance, in *inspected, err error) {
	if err != nil {
		t.Fatal(err)
	}
	if in.Distro != "ubuntu" || in.Family != "debian" || in.Product != "Ubuntu 20.04 LTS[31m" || in.Hostname != "web" ||
		!slices.Equal(in.Network, []string{"netplan"}) || len(in.Kernels) != 1 || in.Kernels[0].InInitrd {
		t.Errorf("inspection: %+v", in.Inspection)
	}
	a.found = in
	done, err := a.Fix(t.Context(), everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := paths(done)
	for _, want := range []string{
		"modify /etc/fstab", "modify /boot/grub/grub.cfg", "create /etc/systemd/network/10-hypersdk-ens160.link",
		"modify /boot/initrd.img-" + phonyKernel, "modify /etc/initramfs-tools/modules", "link /etc/systemd/system/vgauth.service",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no edit %q in %q", want, got)
		}
	}
	findings, err := a.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Severity == sdk.Critical || !strings.Contains(f.Text, "/dev/sdb1") {
			t.Errorf("finding after fix: %+v", f)
		}
	}
	image, err := a.readFile(t.Context(), "/boot/initrd.img-"+phonyKernel, maxInitramfs)
	if err != nil {
		t.Fatal(err)
	}
	ram, err := readInitramfs(image)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(ram.files["conf/modules"].Data), "dm-crypt\nvirtio_blk\nvirtio_net\n"; got != want {
		t.Errorf("conf/modules = %q, want %q", got, want)
	}
	if _, ok := ram.files["lib/modules/"+phonyKernel+"/kernel/virtio_blk.ko"]; !ok {
		t.Error("virtio_blk is not in the initramfs")
	}
}

// hostile has in its way whatever would hang, follow or overflow a careless reader.
func hostile() phony {
	return phony{
		name: "hostile",
		files: map[string]string{
			"etc/debian_version": "12.1\n",
			"etc/os-release":     "-> /dev/zero",
			"usr/lib/os-release": "fifo",
			"etc/fstab":          "-> ../../../../../../etc/shadow",
			"etc/passwd":         "x",
			"etc/hostname":       strings.Repeat("h", 5000),
			"boot/grub/grub.cfg": strings.Repeat("linux root=/dev/sda1\n", 10),
			"boot/vmlinuz-1":     "k",
			"boot/initrd.img-1":  "\x1f\x8bnot gzip",
			"lib/modules/1/x":    "-> /proc/kcore",
			"etc/crypttab":       "fifo",
		},
		check: func(t *testing.T, _ *Appliance, in *inspected, err error) {
			if err != nil {
				t.Fatal(err)
			}
			if in.Family != "debian" || len(in.Hostname) > 200 || len(in.kernels) != 1 || in.kernels[0].problem == "" {
				t.Errorf("inspection: %+v", in.Inspection)
			}
		},
	}
}

func other(name, family string) phony {
	return phony{
		name:  name,
		files: map[string]string{"etc/os-release": "ID=" + name + "\nVERSION_ID=1\n", "etc/fstab": "", "boot/x": ""},
		check: func(t *testing.T, a *Appliance, in *inspected, err error) {
			if err != nil {
				t.Fatal(err)
			}
			if in.Family != family || !slices.ContainsFunc(in.Findings, func(f sdk.Finding) bool { return f.ID == "guest.engine" }) {
				t.Errorf("inspection: %+v", in.Inspection)
			}
			a.found = in
			if _, err := a.Fix(t.Context(), FixSpec{}, nil); !errors.Is(err, sdk.ErrInvalid) || len(sdk.Hints(err)) == 0 {
				t.Errorf("fix: %v, want an invalid guest with a hint", err)
			}
		},
	}
}

func refused(name, text string, files map[string]string) phony {
	return phony{name: name, files: files, check: func(t *testing.T, _ *Appliance, _ *inspected, err error) {
		if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), text) {
			t.Errorf("inspect: %v, want an invalid guest with %q", err, text)
		}
	}}
}

func TestInspect_PhonyGuests(t *testing.T) {
	need.Appliance(t)
	need.Tools(t, "mke2fs", "lz4")
	guests := []phony{
		ubuntu(t), other("fedora", "rhel"), other("alpine", "alpine"), hostile(),
		refused("garbage", "no file system", nil), refused("data", "ext4", map[string]string{"photos/a.jpg": "x"}),
	}
	var disks []Disk
	for _, g := range guests {
		disks = append(disks, phonyImage(t, g))
	}
	a := open(t, disks...)
	filesystems, err := a.listFilesystems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			device := fmt.Sprintf("/dev/sd%s", letters(i))
			mine := slices.DeleteFunc(slices.Clone(filesystems), func(fs Filesystem) bool { return fs.Device != device })
			if _, err := a.call(t.Context(), "umount-all"); err != nil {
				t.Fatal(err)
			}
			in, err := a.inspect(t.Context(), mine, deviceNames{filesystems: mine, disks: 1, first: i})
			g.check(t, a, in, err)
		})
	}
	t.Run("cancel", func(t *testing.T) { cancelMidway(t, a) })
}

// cancelMidway ends a read that a guest could make last for ever; the appliance goes on.
func cancelMidway(t *testing.T, a *Appliance) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Inspect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("inspect with a canceled context: %v", err)
	}
	if _, err := a.call(t.Context(), "list-devices"); err != nil {
		t.Errorf("after a canceled call: %v", err)
	}
}
