package libvirt

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
)

// TestBootCheck_Network boots a real kernel with a shell for a guest: it takes an address by DHCP on the isolated network and
// listens on a port. One boot serves the checks of both.
func TestBootCheck_Network(t *testing.T) {
	client := systemClient(t)
	dir := scratch(t)
	spec := tinySpec(t, dir, netGuest(t, dir))
	spec.Domain.MemoryMB = 256
	spec.Domain.NICs = []DomainNIC{{MAC: "52:54:00:AA:00:01", Bridge: "bridge-of-the-real-domain"}}
	spec.Check, spec.Timeout = "address", 4*time.Minute
	check, err := parseCheck(spec.Check, "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := client.newBoot(spec, check, quick)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.end(t.Context()); err != nil {
			t.Error(err)
		}
		wantNothingLeft(t, client, spec)
	}()
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ check, evidence string }{
		{"address", "was leased to 52:54:00:aa:00:01 (web-01)"},
		{"tcp:7", "connected to 198.1"},
		{"tcp:8", "connection refused"}, // with nobody there, nobody may answer in the guest's place
	} {
		if b.check, err = parseCheck(c.check, ""); err != nil {
			t.Fatal(err)
		}
		refused := c.check == "tcp:8"
		if refused {
			b.timeout = 2 * time.Second
		}
		got, err := b.watch(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.OK == refused || !strings.Contains(got.Evidence, c.evidence) || (got.OK && len(got.Addresses) != 1) {
			t.Fatalf("check %s: %+v, want evidence %q and one address", c.check, got, c.evidence)
		}
	}
	// The prompt went by while other checks looked at the console.
	if log := readFile(t, b.spec.ConsoleLog); !bytes.Contains(log, []byte("web-01 login:")) {
		t.Errorf("no prompt on the console: %q", log)
	}
	// The guest sees nobody but the network's own end: it has no route to anywhere.
	if routes := consoleLine(t, b, "routes:"); routes != "routes: 198.1 end" {
		t.Errorf("the guest's routes: %q", routes)
	}
}

// consoleLine returns the line of the console's log that begins with prefix.
func consoleLine(t *testing.T, b *boot, prefix string) string {
	t.Helper()
	var found string
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := poll(ctx, 50*time.Millisecond, func() (bool, error) {
		log, err := os.ReadFile(b.spec.ConsoleLog)
		for line := range strings.Lines(string(log)) {
			if line = printable(line); strings.HasPrefix(line, prefix) && strings.HasSuffix(line, "end") {
				found = line
			}
		}
		return found != "", err
	})
	if err != nil {
		t.Errorf("no line %q on the console: %v", prefix, err)
	}
	return found
}

const netGuestInit = `#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys /dev
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
for m in $($b cat /modules); do $b insmod /$m; done
$b ip link set lo up; $b ip link set eth0 up
$b udhcpc -q -f -i eth0 -x hostname:web-01 -s /dhcp
$b nc -ll -p 7 -e /bin/busybox true </dev/null &
echo "routes: $($b ip route | $b cut -c 1-5) end"
echo "web-01 login: "
while :; do $b sleep 60; done
`

const netGuestDHCP = `#!/bin/busybox sh
[ "$1" = bound ] || exit 0
/bin/busybox ip addr add $ip/$mask dev $interface
for r in $router; do /bin/busybox ip route add default via $r; done
`

// netGuest builds a disk that boots the machine's own kernel by GRUB, with busybox for everything else.
func netGuest(t *testing.T, dir string) DomainDisk {
	t.Helper()
	need.Tools(t, "grub-mkimage", "mke2fs", "busybox", "cpio")
	kernels, err := filepath.Glob("/boot/vmlinuz-*-cloud-amd64")
	if err != nil || len(kernels) == 0 {
		need.Missing(t, "no kernel linux-image-cloud-amd64: run scripts/setup-kvm-host.sh")
	}
	kernel := kernels[len(kernels)-1]
	version := strings.TrimPrefix(kernel, "/boot/vmlinuz-")

	boot := filepath.Join(dir, "boot")
	copyFile(t, kernel, filepath.Join(boot, "vmlinuz"))
	initramfs(t, filepath.Join(dir, "initramfs"), filepath.Join(boot, "initrd"), version)
	run(t, dir, nil, "mke2fs", "-q", "-t", "ext2", "-d", boot, "fs.img", "40M")
	writeFile(t, filepath.Join(dir, "grub.cfg"), "linux (hd0,msdos1)/vmlinuz console=ttyS0 quiet panic=-1\ninitrd (hd0,msdos1)/initrd\nboot\n")
	run(t, dir, nil, "grub-mkimage", "-O", "i386-pc", "-o", "core.img", "-p", "/", "-c", "grub.cfg", "biosdisk", "part_msdos", "ext2", "linux")

	// The boot sector loads sector 1, where the core lies unless it is told otherwise.
	const partition = 2048
	disk := make([]byte, partition*512)
	copy(disk[:440], readFile(t, "/usr/lib/grub/i386-pc/boot.img"))
	copy(disk[512:], readFile(t, filepath.Join(dir, "core.img")))
	fs := readFile(t, filepath.Join(dir, "fs.img"))
	entry := disk[446:]
	entry[0], entry[4] = 0x80, 0x83
	binary.LittleEndian.PutUint32(entry[8:], partition)
	binary.LittleEndian.PutUint32(entry[12:], uint32(len(fs)/512))
	disk[510], disk[511] = 0x55, 0xaa
	path := filepath.Join(dir, "guest.raw")
	if err := os.WriteFile(path, slices.Concat(disk, fs), 0o644); err != nil {
		t.Fatal(err)
	}
	return DomainDisk{Path: path, Format: "raw"}
}

// initramfs packs busybox, the init script, and the network driver with what it depends on.
func initramfs(t *testing.T, root, out, version string) {
	t.Helper()
	copyFile(t, "/bin/busybox", filepath.Join(root, "bin/busybox"))
	writeFile(t, filepath.Join(root, "init"), netGuestInit)
	writeFile(t, filepath.Join(root, "dhcp"), netGuestDHCP)
	var modules []string
	for _, driver := range []string{"virtio_pci", "virtio_net", "af_packet"} {
		for _, module := range moduleWithDeps(t, version, driver) {
			name := filepath.Base(module)
			if !slices.Contains(modules, name) {
				copyFile(t, filepath.Join("/lib/modules", version, module), filepath.Join(root, name))
				modules = append(modules, name)
			}
		}
	}
	writeFile(t, filepath.Join(root, "modules"), strings.Join(modules, "\n"))
	var names bytes.Buffer
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(root, path); rel != "." {
			names.WriteString(rel + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	archive := run(t, root, &names, "cpio", "-o", "-H", "newc", "--quiet")
	writeFile(t, out, string(archive))
}

// moduleWithDeps reads modules.dep: a module's line names what must be loaded before it, the last first. A driver built into
// the kernel has no line.
func moduleWithDeps(t *testing.T, version, driver string) []string {
	t.Helper()
	for line := range strings.Lines(string(readFile(t, filepath.Join("/lib/modules", version, "modules.dep")))) {
		module, deps, _ := strings.Cut(line, ":")
		if strings.HasPrefix(filepath.Base(module), driver+".ko") {
			list := strings.Fields(deps)
			slices.Reverse(list)
			return append(list, module)
		}
	}
	return nil
}

func run(t *testing.T, dir string, stdin *bytes.Buffer, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	return out
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	writeFile(t, to, string(readFile(t, from)))
}
