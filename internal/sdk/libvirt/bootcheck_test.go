package libvirt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// systemClient opens the machine's own daemon.
func systemClient(t *testing.T) *Client {
	t.Helper()
	need.Tools(t, "libvirtd", "qemu-system-x86_64")
	need.Root(t)
	c, err := Open(t.Context(), "qemu:///system", nil)
	if errors.Is(err, sdk.ErrUnavailable) {
		need.Missing(t, "no libvirtd answers: run scripts/setup-kvm-host.sh")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// scratch is a directory that QEMU, whoever it runs as, may enter: testing's own are closed to others.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hypersdk-libvirt-test-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Boot sectors in 16-bit code, loaded at 0x7c00: a whole guest in 512 bytes. They write to the serial port's registers
// themselves.
var (
	// halt: cli; hlt; jmp to the hlt.
	sectorHalt = []byte{0xfa, 0xf4, 0xeb, 0xfd}

	// print: write the text at 0x30 byte by byte to COM1, waiting for the transmitter, then halt.
	sectorPrint = []byte{
		0xfa,       // 00 cli
		0x31, 0xc0, // 01 xor ax,ax
		0x8e, 0xd8, // 03 mov ds,ax
		0xfc,             // 05 cld
		0xbe, 0x30, 0x7c, // 06 mov si,text
		0xac,       // 09 lodsb
		0x84, 0xc0, // 0a test al,al
		0x74, 0x12, // 0c jz 20
		0x88, 0xc4, // 0e mov ah,al
		0xba, 0xfd, 0x03, // 10 mov dx,3fd
		0xec,       // 13 in al,dx
		0xa8, 0x20, // 14 test al,20
		0x74, 0xfb, // 16 jz 13
		0xba, 0xf8, 0x03, // 18 mov dx,3f8
		0x88, 0xe0, // 1b mov al,ah
		0xee,       // 1d out dx,al
		0xeb, 0xe9, // 1e jmp 9
		0xf4,       // 20 hlt
		0xeb, 0xfd, // 21 jmp 20
	}

	// power off: write S5 to the ACPI control register, where SeaBIOS puts it.
	sectorPowerOff = []byte{0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd}

	// read: 64 sectors by INT 13h AH=42h with the packet at 0x30, then halt.
	sectorRead = []byte{0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x30, 0x7c, 0xb4, 0x42, 0xcd, 0x13, 0xfa, 0xf4, 0xeb, 0xfd}
	readPacket = "\x10\x00\x40\x00\x00\x00\x00\x10\x01\x00\x00\x00\x00\x00\x00\x00"
)

// bootDisk writes a raw disk of 1 MiB with this boot sector and text at 0x30.
func bootDisk(t *testing.T, dir string, code []byte, text string) DomainDisk {
	t.Helper()
	image := make([]byte, 1<<20)
	copy(image, code)
	copy(image[0x30:], text)
	if code != nil {
		image[510], image[511] = 0x55, 0xaa
	}
	path := filepath.Join(dir, "disk.raw")
	if err := os.WriteFile(path, image, 0o644); err != nil {
		t.Fatal(err)
	}
	return DomainDisk{Path: path, Format: "raw"}
}

func tinySpec(t *testing.T, dir string, disk DomainDisk) BootSpec {
	t.Helper()
	id := uuid.NewString()
	return BootSpec{
		Domain: DomainSpec{
			Name: "hypersdk-test-" + id[:8], UUID: id, CPUs: 1, MemoryMB: 64, Firmware: FirmwareBIOS,
			Acceleration: AccelerationQEMU, Hardware: HardwareVirtio, Disks: []DomainDisk{disk},
			Metadata: Metadata{JobKey: "job-" + id},
		},
		Check: "console", Marker: "guest is up", Timeout: time.Minute, Dir: dir,
	}
}

// quick is the pace of guests that are one sector long.
var quick = bootPace{look: 50 * time.Millisecond, ask: 50 * time.Millisecond, read: 32 << 10}

func TestBootCheck(t *testing.T) {
	t.Parallel()
	client := systemClient(t)
	cases := map[string]struct {
		code     []byte
		text     string
		change   func(*BootSpec)
		ok       bool
		evidence string // part of it
		tail     string // part of it
	}{
		"marker": {code: sectorPrint, text: "early\r\n\x1b[32mthe guest is up\x1b[0m\x07\r\n", ok: true, evidence: "the guest is up"},
		"marker without a line's end": {code: sectorPrint, text: "\r\nweb-01 login: ", ok: true, evidence: "web-01 login:",
			change: func(s *BootSpec) { s.Marker = "" }},
		"kernel panic": {code: sectorPrint, text: "\r\nfirst\r\nKernel panic - not syncing: VFS\r\nlast",
			evidence: "the kernel panicked: Kernel panic - not syncing: VFS", tail: "first\nKernel panic"},
		"initramfs shell": {code: sectorPrint, text: "\r\nGave up waiting for suspend/resume device\r\n(initramfs) ",
			evidence: "the initramfs dropped to a shell"},
		"silent": {code: sectorHalt, change: func(s *BootSpec) { s.Timeout = 3 * time.Second },
			evidence: "no line that matches guest is up within 3s"},
		"empty disk":       {evidence: "the firmware found nothing to boot"},
		"stops by itself":  {code: sectorPowerOff, evidence: "the guest stopped by itself"},
		"power":            {code: sectorRead, text: readPacket, ok: true, evidence: "KiB were read", change: func(s *BootSpec) { s.Check = "power" }},
		"power, no read":   {code: sectorHalt, evidence: "no sign that the firmware", change: func(s *BootSpec) { s.Check, s.Timeout = "power", 3*time.Second }},
		"power, no system": {evidence: "the firmware found nothing to boot", change: func(s *BootSpec) { s.Check = "power" }},
		"agent":            {code: sectorHalt, evidence: "no answer from the guest agent within 3s: ", change: func(s *BootSpec) { s.Check, s.Timeout = "agent", 3*time.Second }},
		"address": {code: sectorHalt, evidence: "no DHCP lease", change: func(s *BootSpec) {
			s.Check, s.Timeout = "address", 3*time.Second
			s.Domain.NICs = []DomainNIC{{MAC: "52:54:00:12:34:56", Bridge: "no-such-bridge"}}
		}},
		"port": {code: sectorHalt, evidence: "the guest took no address by DHCP yet", change: func(s *BootSpec) {
			s.Check, s.Timeout = "tcp:22", 3*time.Second
			s.Domain.NICs = []DomainNIC{{MAC: "52:54:00:12:34:57", Network: "default"}}
		}},
		"sata": {code: sectorPrint, text: "\r\nthe guest is up", ok: true, evidence: "the guest is up",
			change: func(s *BootSpec) { s.Domain.Hardware = HardwareSATA }},
		"vmware": {code: sectorPrint, text: "\r\nthe guest is up", ok: true, evidence: "the guest is up",
			change: func(s *BootSpec) { s.Domain.Hardware = HardwareVMware }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of a case is waiting
			dir := scratch(t)
			spec := tinySpec(t, dir, bootDisk(t, dir, c.code, c.text))
			if c.change != nil {
				c.change(&spec)
			}
			var last sdk.Progress
			got, err := client.bootCheck(t.Context(), spec, quick, func(p sdk.Progress) { last = p })
			if err != nil {
				t.Fatal(err)
			}
			if got.OK != c.ok || !strings.Contains(got.Evidence, c.evidence) {
				t.Errorf("got OK %t, evidence %q; want %t, %q", got.OK, got.Evidence, c.ok, c.evidence)
			}
			if !strings.Contains(got.Tail, c.tail) {
				t.Errorf("tail %q, want %q in it", got.Tail, c.tail)
			}
			want := map[bool]sdk.Status{true: sdk.Succeeded, false: sdk.Failed}[c.ok]
			if last.Status != want {
				t.Errorf("last progress %q, want %q", last.Status, want)
			}
			if _, err := os.Stat(got.ConsoleLog); err != nil {
				t.Errorf("console log: %v", err)
			}
			wantNothingLeft(t, client, spec)
		})
	}
}

// wantNothingLeft fails when a domain or a network of the boot check is still there.
func wantNothingLeft(t *testing.T, c *Client, spec BootSpec) {
	t.Helper()
	for _, name := range bootCheckNames(t, c, spec) {
		t.Errorf("left behind: %s", name)
	}
	files, err := filepath.Glob(filepath.Join(spec.Dir, "nvram-*"))
	if err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// bootCheckNames lists the domains and networks that boot checks of the spec's job have now.
func bootCheckNames(t *testing.T, c *Client, spec BootSpec) []string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	keys, err := call(ctx, c, connection.domains)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, key := range keys {
		if strings.HasPrefix(key.name, spec.Domain.Name) {
			names = append(names, key.name)
		}
	}
	networks, err := call(ctx, c, connection.networks)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		if strings.Contains(n.name, jobToken(spec.Domain)) {
			names = append(names, n.name)
		}
	}
	return names
}

func TestBootCheck_UEFI(t *testing.T) {
	t.Parallel()
	client := systemClient(t)
	host, err := client.GetHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(host.Firmware, " "), FirmwareUEFI) {
		need.Missing(t, "no UEFI firmware is installed: run scripts/setup-kvm-host.sh")
	}
	dir := scratch(t)
	spec := tinySpec(t, dir, bootDisk(t, dir, nil, ""))
	spec.Domain.Firmware = FirmwareUEFI
	spec.Domain.MemoryMB = 256
	spec.Timeout = 2 * time.Minute
	got, err := client.bootCheck(t.Context(), spec, quick, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.OK || !strings.Contains(got.Evidence, "firmware") {
		t.Errorf("got OK %t, evidence %q; want the firmware to say that it cannot boot", got.OK, got.Evidence)
	}
	wantNothingLeft(t, client, spec)
}

func TestBootCheck_CancelLeavesNothing(t *testing.T) {
	t.Parallel()
	client := systemClient(t)
	dir := scratch(t)
	spec := tinySpec(t, dir, bootDisk(t, dir, sectorPrint, "\r\nhello"))
	spec.Domain.NICs = []DomainNIC{{MAC: "52:54:00:12:34:58", Network: "default"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last sdk.Progress
	_, err := client.bootCheck(ctx, spec, quick, func(p sdk.Progress) {
		last = p
		if p.Status == sdk.Running {
			if names := bootCheckNames(t, client, spec); len(names) != 2 {
				t.Errorf("while it runs there are %q, want a domain and a network", names)
			}
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if last.Status != sdk.Canceled {
		t.Errorf("last progress %q, want canceled", last.Status)
	}
	wantNothingLeft(t, client, spec)
}

// TestBootCheck_RemovesLeftovers leaves a network and a domain of the same job behind as a killed process would, and others of
// a process that lives and of another job, which must stay.
func TestBootCheck_RemovesLeftovers(t *testing.T) {
	t.Parallel()
	client := systemClient(t)
	dir := scratch(t)
	spec := tinySpec(t, dir, bootDisk(t, dir, sectorPrint, "\r\nthe guest is up"))
	other := tinySpec(t, dir, spec.Domain.Disks[0])
	dead := owner{pid: os.Getpid(), started: self().started + 1}.String() // our number, but not us
	job, alive := jobToken(spec.Domain), self().String()

	makeNetwork := func(job, owner string) string {
		name, err := client.createIsolatedNetwork(t.Context(), job, owner)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = do(context.WithoutCancel(t.Context()), client, func(conn connection) error { return conn.destroyNetwork(name) })
		})
		return name
	}
	gone := makeNetwork(job, dead)
	stays := []string{makeNetwork(job, alive), makeNetwork(jobToken(other.Domain), dead)}

	left := other.Domain
	left.Name, left.Disks = spec.Domain.Name+"-bootcheck-0000", nil
	text, err := renderDomain(left, &throwAway{mark: bootCheckMark{Job: job, Owner: dead}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t.Context(), client, func(conn connection) (domainKey, error) { return conn.createDomain(text) }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.destroy(context.WithoutCancel(t.Context()), left.UUID) })

	got, err := client.bootCheck(t.Context(), spec, quick, nil)
	if err != nil || !got.OK {
		t.Fatalf("got %+v, %v", got, err)
	}
	names := strings.Join(bootCheckNames(t, client, spec), " ")
	if strings.Contains(names, gone) || strings.Contains(names, left.Name) {
		t.Errorf("still there: %s", names)
	}
	names += strings.Join(bootCheckNames(t, client, other), " ")
	for _, name := range stays {
		if !strings.Contains(names, name) {
			t.Errorf("%s went, and it was not this check's to remove", name)
		}
	}
}

func TestBootCheck_Refuses(t *testing.T) {
	client := &Client{}
	for name, change := range map[string]func(*BootSpec){
		"unknown check":  func(s *BootSpec) { s.Check = "ping" },
		"no port":        func(s *BootSpec) { s.Check = "tcp:" },
		"port 0":         func(s *BootSpec) { s.Check = "tcp:0" },
		"port 65536":     func(s *BootSpec) { s.Check = "tcp:65536" },
		"bad marker":     func(s *BootSpec) { s.Marker = "(" },
		"endless marker": func(s *BootSpec) { s.Marker = strings.Repeat("x", 1025) },
		"relative dir":   func(s *BootSpec) { s.Dir = "scratch" },
		"bad domain":     func(s *BootSpec) { s.Domain.CPUs = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			spec := tinySpec(t, "/scratch", DomainDisk{Path: "/disk.raw", Format: "raw"})
			change(&spec)
			if _, err := client.BootCheck(t.Context(), spec, nil); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want sdk.ErrInvalid", err)
			}
		})
	}
}

func TestBootCheck_NoneBootsNothing(t *testing.T) {
	got, err := (&Client{}).BootCheck(t.Context(), BootSpec{Check: "none"}, nil)
	if err != nil || !got.OK || got.Seconds != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOwnerIsGone(t *testing.T) {
	me := self()
	for text, want := range map[string]bool{
		me.String():                             false,
		owner{me.pid, me.started + 1}.String():  true,
		fmt.Sprintf("%d.%d", 1<<30, me.started): true,
		fmt.Sprintf("%d.0", me.pid):             false,
		"":                                      false,
		"x.y":                                   false,
	} {
		if got := ownerIsGone(text); got != want {
			t.Errorf("ownerIsGone(%q) = %t, want %t", text, got, want)
		}
	}
}

// TestBootCheck_EndsWithItsProcess shows what becomes of the domain when the process dies: the daemon sees its connection
// close, and destroys it.
func TestBootCheck_EndsWithItsProcess(t *testing.T) {
	t.Parallel()
	watcher := systemClient(t)
	dying := systemClient(t)
	dir := scratch(t)
	spec := tinySpec(t, dir, bootDisk(t, dir, sectorHalt, ""))
	check, err := parseCheck(spec.Check, spec.Marker)
	if err != nil {
		t.Fatal(err)
	}
	b, err := dying.newBoot(spec, check, quick)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := watcher.state(t.Context(), b.spec.UUID); err != nil {
		t.Fatalf("the domain does not run: %v", err)
	}
	if err := dying.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = poll(ctx, 50*time.Millisecond, func() (bool, error) {
		_, err := watcher.state(ctx, b.spec.UUID)
		if isGone(err) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		t.Errorf("the domain still runs: %v", err)
		_ = watcher.destroy(t.Context(), b.spec.UUID)
	}
}
