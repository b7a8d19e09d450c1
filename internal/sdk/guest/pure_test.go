package guest

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
)

var testNames = deviceNames{
	disks: 2,
	filesystems: []Filesystem{
		{Device: "/dev/sda1", Type: "ext4", UUID: "aaaaaaaa-0000-0000-0000-000000000001"},
		{Device: "/dev/sda5", Type: "swap", UUID: "aaaaaaaa-0000-0000-0000-000000000005"},
		{Device: "/dev/sdb1", Type: "ext4", UUID: "bbbbbbbb-0000-0000-0000-000000000001", Label: "data"},
		{Device: "/dev/vg-0/home", Type: "ext4", UUID: "cccccccc-0000-0000-0000-000000000001"},
		{Device: "/dev/sdb2", Type: "vfat", UUID: "x y\nz"},
	},
}

func TestDeviceNames_Stable(t *testing.T) {
	for name, want := range map[string]string{
		"/dev/sda1": "UUID=aaaaaaaa-0000-0000-0000-000000000001", "/dev/vda1": "UUID=aaaaaaaa-0000-0000-0000-000000000001",
		"/dev/hda5": "UUID=aaaaaaaa-0000-0000-0000-000000000005", "/dev/nvme1n1p1": "UUID=bbbbbbbb-0000-0000-0000-000000000001",
		"/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0-part1": "UUID=bbbbbbbb-0000-0000-0000-000000000001",
		"/dev/disk/by-path/pci-0000:00:07.1-ata-1-part1":        "UUID=aaaaaaaa-0000-0000-0000-000000000001",
		"/dev/mapper/vg--0-home":                                "UUID=cccccccc-0000-0000-0000-000000000001",
		"/dev/disk/by-label/data":                               "UUID=bbbbbbbb-0000-0000-0000-000000000001",
		"/dev/sdb2":                                             "", // a UUID that is none is never written
		"/dev/sdc1":                                             "", "/dev/sda": "", "/dev/sdzzz1": "", "/dev/disk/by-path/x": "", "": "",
	} {
		if got, _ := testNames.stable(name); got != want {
			t.Errorf("stable(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRewriteDevices_KeepsAllElse(t *testing.T) {
	in := "# /dev/sda1 in a comment\n\n  /dev/sda1\t/  ext4 defaults 0 1 # /dev/sda1\r\nLABEL=data /data ext4\n/dev/sda5 none swap sw\n" +
		"//server/share /mnt cifs x\n/dev/sdq9 /gone ext4 nofail\n\t# tail\n/dev/sda1"
	want := strings.Replace(in, "  /dev/sda1\t", "  UUID=aaaaaaaa-0000-0000-0000-000000000001\t", 1)
	want = strings.Replace(want, "/dev/sda5 none", "UUID=aaaaaaaa-0000-0000-0000-000000000005 none", 1)
	want = strings.TrimSuffix(want, "/dev/sda1") + "UUID=aaaaaaaa-0000-0000-0000-000000000001"
	got := rewriteDevices(in, 0, func(fields []string) (string, bool) {
		if !unstable(fields[0]) {
			return "", false
		}
		return testNames.stable(fields[0])
	})
	if got != want {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

func FuzzRewriteDevices(f *testing.F) {
	f.Add("/dev/sda1 / ext4\n#\n \\040 x")
	f.Fuzz(func(t *testing.T, text string) {
		parseFstab(text)
		if got := rewriteDevices(text, 1, func([]string) (string, bool) { return "", false }); got != text {
			t.Errorf("nothing was to change: %q became %q", text, got)
		}
		same := rewriteDevices(text, 0, func([]string) (string, bool) { return "X", true })
		if strings.Count(same, "\n") != strings.Count(text, "\n") {
			t.Errorf("lines came or went: %q became %q", text, same)
		}
	})
}

func TestRewriteGrub(t *testing.T) {
	replace := func(_, device string) (string, bool) { return testNames.stable(device) }
	for in, want := range map[string]string{
		"\tlinux /boot/vmlinuz root=/dev/sda1 ro quiet\n": "\tlinux /boot/vmlinuz root=UUID=aaaaaaaa-0000-0000-0000-000000000001 ro quiet\n",
		"linuxefi /v root=/dev/sda1 resume=/dev/sda5":     "linuxefi /v root=UUID=aaaaaaaa-0000-0000-0000-000000000001 resume=UUID=aaaaaaaa-0000-0000-0000-000000000005",
		"linux /v root=UUID=x resume=/dev/sdz1\n":         "linux /v root=UUID=x resume=/dev/sdz1\n",
		"linux /v xroot=/dev/sda1 nfsroot=/dev/sda1\n":    "linux /v xroot=/dev/sda1 nfsroot=/dev/sda1\n",
		"set root='hd0,msdos1' # root=/dev/sda1\n":        "set root='hd0,msdos1' # root=/dev/sda1\n",
		"linux /v root=/dev/sda1":                         "linux /v root=UUID=aaaaaaaa-0000-0000-0000-000000000001",
		"linux /v root=/dev/sda11 \n":                     "linux /v root=/dev/sda11 \n",
	} {
		if got := rewriteGrubCfg(in, replace); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	in := "#GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\nGRUB_CMDLINE_LINUX=\"root=/dev/sda1 quiet\"\nX=root=/dev/sda1\n"
	want := "#GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\nGRUB_CMDLINE_LINUX=\"root=UUID=aaaaaaaa-0000-0000-0000-000000000001 quiet\"\nX=root=/dev/sda1\n"
	if got := rewriteGrubDefault(in, replace); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	resume := "# RESUME=/dev/sda5\nRESUME=/dev/sda5\nRESUME=none\n"
	if got := rewriteResume(resume, testNames.stable); got != "# RESUME=/dev/sda5\nRESUME=UUID=aaaaaaaa-0000-0000-0000-000000000005\nRESUME=none\n" {
		t.Errorf("resume: %q", got)
	}
}

func TestModules_Closure(t *testing.T) {
	m := newKernelModules("6.1", "/lib/modules/6.1", map[string][]byte{
		"modules.dep": []byte("kernel/a/virtio-blk.ko.zst: kernel/v/virtio.ko.zst kernel/v/ring.ko.zst\nkernel/v/virtio.ko.zst: kernel/v/ring.ko.zst\n" +
			"kernel/v/ring.ko.zst:\n../../evil.ko: kernel/v/ring.ko.zst\nkernel/x/loop1.ko: kernel/x/loop2.ko ../../../etc/shadow\nkernel/x/loop2.ko: kernel/x/loop1.ko\nnonsense\n"),
		"modules.builtin": []byte("kernel/drivers/virtio/virtio-pci.ko\n"),
	})
	if !m.has("virtio_blk") || !m.has("virtio_pci") || m.has("virtio_net") || m.has("evil") {
		t.Errorf("has: %v %v", m.paths, m.builtin)
	}
	got := m.closure([]string{"virtio_blk", "virtio_net", "loop1"})
	want := []string{"kernel/a/virtio-blk.ko.zst", "kernel/v/ring.ko.zst", "kernel/v/virtio.ko.zst", "kernel/x/loop1.ko", "kernel/x/loop2.ko"}
	if !slices.Equal(got, want) {
		t.Errorf("closure = %q, want %q", got, want)
	}
}

func TestMergeModuleList(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "virtio_pci\nvirtio_blk\n",
		"dm-mod\n# c\nvirtio-blk x=1": "dm-mod\n# c\nvirtio-blk x=1\nvirtio_pci\n",
		"virtio_blk\nvirtio_pci\n":    "virtio_blk\nvirtio_pci\n",
	} {
		if got := string(mergeModuleList([]byte(in), virtioDrivers[:2])); got != want {
			t.Errorf("merge(%q) = %q, want %q", in, got, want)
		}
	}
}

func testFiles() []cpioFile {
	return []cpioFile{
		{Name: "conf", Mode: modeDir | 0o755},
		{Name: "conf/modules", Mode: modeRegular | 0o644, Data: []byte("vmw_pvscsi\n")},
		{Name: "lib", Mode: modeSymlink | 0o777, Data: []byte("usr/lib")},
		{Name: "usr/lib/modules/6.1/kernel/x.ko", Mode: modeRegular | 0o644, Data: bytes.Repeat([]byte{7}, 100_001)},
	}
}

func TestCPIO_ToolReadsIt(t *testing.T) {
	need.Tools(t, "cpio")
	cmd := exec.CommandContext(t.Context(), "cpio", "--list", "--quiet")
	cmd.Stdin = bytes.NewReader(writeCPIO(testFiles()))
	out, err := cmd.CombinedOutput()
	if want := "conf\nconf/modules\nlib\nusr/lib/modules/6.1/kernel/x.ko\n"; err != nil || string(out) != want {
		t.Errorf("cpio lists %q, %v; want %q", out, err, want)
	}
}

// pack makes one segment in a format of the kernel's.
func pack(t *testing.T, format string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	switch format {
	case "cpio":
		return data
	case "gzip":
		gz := gzip.NewWriter(&out)
		mustWrite(t, gz, data)
	case "zstd":
		enc, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, enc, data)
	case "lz4":
		need.Tools(t, "lz4")
		cmd := exec.CommandContext(t.Context(), "lz4", "-l", "-c", "-q")
		cmd.Stdin, cmd.Stdout = bytes.NewReader(data), &out
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func mustWrite(t *testing.T, w io.WriteCloser, data []byte) {
	t.Helper()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReadInitramfs_Segments(t *testing.T) {
	microcode := writeCPIO([]cpioFile{{Name: "kernel/x86/microcode/GenuineIntel.bin", Mode: modeRegular | 0o644, Data: bytes.Repeat([]byte{1}, 5000)}})
	for _, format := range []string{"cpio", "gzip", "zstd", "lz4"} {
		t.Run(format, func(t *testing.T) {
			image := append(append(bytes.Clone(microcode), make([]byte, 512)...), pack(t, format, writeCPIO(testFiles()))...)
			ram, err := readInitramfs(image)
			if err != nil {
				t.Fatal(err)
			}
			if len(ram.segments) != 2 || ram.segments[1].format != format || ram.segments[1].end != len(image) {
				t.Errorf("segments %+v of %d bytes", ram.segments, len(image))
			}
			if got := string(ram.files["conf/modules"].Data); got != "vmw_pvscsi\n" {
				t.Errorf("conf/modules = %q", got)
			}
			if names, _ := ram.modules("6.1"); !names["x"] || ram.libDir() != "usr/lib" {
				t.Errorf("modules %v in %s", names, ram.libDir())
			}
			appendAndRead(t, image, ram)
		})
	}
}

// appendAndRead adds a segment as FIX does and finds what was there and what was added.
func appendAndRead(t *testing.T, image []byte, ram *initramfs) {
	t.Helper()
	if !ram.appendable() {
		var err error
		if image, err = rewriteLZ4(image, ram.segments); err != nil {
			t.Fatal(err)
		}
	}
	files := ram.withParents([]cpioFile{{Name: "usr/lib/modules/6.1/kernel/d/virtio_blk.ko", Mode: modeRegular | 0o644, Data: []byte("elf")}})
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if names[0] != "usr" || slices.Contains(names, "lib") {
		t.Errorf("archive has %q", names)
	}
	more, err := segmentToAppend(len(image), files)
	if err != nil {
		t.Fatal(err)
	}
	image = append(image, more...)
	if len(image)%4 != 0 {
		t.Errorf("%d bytes are not padded to 4", len(image))
	}
	again, err := readInitramfs(image)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := again.modules("6.1")
	if !got["x"] || !got["virtio_blk"] || string(again.files["conf/modules"].Data) != "vmw_pvscsi\n" {
		t.Errorf("after appending: %v", got)
	}
}

func TestReadInitramfs_Refuses(t *testing.T) {
	gz := pack(t, "gzip", writeCPIO(testFiles()))
	huge := strings.Replace(string(writeCPIO(testFiles())), "0000000b", "ffffffff", 1)
	for name, image := range map[string]string{
		"xz":        "\xfd7zXZ\x00rest",
		"garbage":   "garbage",
		"truncated": string(gz[:len(gz)/2]),
		"cut cpio":  string(writeCPIO(testFiles())[:300]),
		"huge":      huge,
		"lz4":       "\x02\x21\x4c\x18\x04\x00\x00\x00\xff\xff\xff\xff",
		"zstd":      "\x28\xb5\x2f\xfd\x00",
	} {
		if _, err := readInitramfs([]byte(image)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if ram, err := readInitramfs(nil); err != nil || len(ram.files) != 0 {
		t.Errorf("an empty image: %v", err)
	}
}

func FuzzReadInitramfs(f *testing.F) {
	f.Add(writeCPIO(testFiles()[:2]))
	f.Add([]byte("\x02\x21\x4c\x18\x05\x00\x00\x00\x10a\x01\x00\x00"))
	f.Add([]byte("\x28\xb5\x2f\xfd\x24\x01\x09\x00\x00a"))
	f.Fuzz(func(t *testing.T, image []byte) {
		ram, err := readInitramfs(image)
		if err != nil {
			return
		}
		for name := range ram.files {
			if name == "" || name[0] == '/' || strings.HasPrefix(name, "../") {
				t.Errorf("name %q", name)
			}
		}
		if n := len(ram.segments); n > 0 && ram.segments[n-1].end > len(image) {
			t.Errorf("segments %+v of %d bytes", ram.segments, len(image))
		}
	})
}

func TestConfiguredInterfaces(t *testing.T) {
	etc := tree{
		"network/interfaces": {Data: []byte("auto lo ens192\niface lo inet loopback\niface ens192 inet dhcp\n# iface no inet\nauto br0\niface br0 inet static\n" +
			"  bridge_ports ens224\nauto ens192:1\niface vlan10 inet dhcp\n  vlan-raw-device ens192\niface ../../x inet dhcp\n")},
		"netplan/50.yaml": {Data: []byte("network:\n  version: 2\n  ethernets:\n    ens160: {dhcp4: true}\n    nic0:\n      match: {macaddress: '00:50:56:AA:00:02'}\n      set-name: lan\n" +
			"    \"e\\nvil\": {}\n")},
		"netplan/bad.yaml":                                 {Data: []byte("network: [\n")},
		"systemd/network/a.network":                        {Data: []byte("[Match]\nName=en* eth7\n[Network]\nName=eth9\n")},
		"NetworkManager/system-connections/x.nmconnection": {Data: []byte("[connection]\ntype=ethernet\ninterface-name=eth3\n[ethernet]\nmac-address=00:50:56:AA:00:03\n")},
	}
	found, tools := configuredInterfaces(etc)
	var got []string
	for _, i := range found {
		got = append(got, i.Name+" "+i.MAC)
	}
	want := []string{"eth3 00:50:56:AA:00:03", "ens160 ", "lan 00:50:56:AA:00:02", "ens192 ", "ens224 ", "eth7 "}
	if !slices.Equal(got, want) {
		t.Errorf("interfaces %q, want %q", got, want)
	}
	if want := []string{"networkmanager", "netplan", "ifupdown", "networkd"}; !slices.Equal(tools, want) {
		t.Errorf("tools %q, want %q", tools, want)
	}
}

func TestPin(t *testing.T) {
	nics := []NIC{{MAC: "00:50:56:00:00:01"}, {MAC: "00:50:56:00:00:02"}, {MAC: "not one"}}
	show := func(pins []iface, unpinned []string) string {
		var parts []string
		for _, p := range pins {
			parts = append(parts, p.Name+"="+p.MAC[15:])
		}
		return strings.Join(append(parts, unpinned...), " ")
	}
	for _, c := range []struct {
		name  string
		found []iface
		known map[string]string
		want  string
	}{
		{"one", []iface{{Name: "ens192"}}, nil, "ens192=01"},
		{"VMware's order", []iface{{Name: "ens224"}, {Name: "ens192"}}, nil, "ens192=01 ens224=02"},
		{"order of configuration", []iface{{Name: "eth1"}, {Name: "eth0"}}, nil, "eth1=01 eth0=02"},
		{"by address first", []iface{{Name: "a"}, {Name: "b", MAC: "00:50:56:00:00:01"}}, nil, "b=01 a=02"},
		{"an old rule holds", []iface{{Name: "eth0"}, {Name: "eth1"}}, map[string]string{"eth0": "00:50:56:00:00:02"}, "eth1=01"},
		{"too many", []iface{{Name: "a"}, {Name: "b"}, {Name: "c"}}, nil, "a=01 b=02 c"},
	} {
		if got := show(pin(c.found, nics, c.known)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPersistentRules(t *testing.T) {
	rules := "# PCI\nSUBSYSTEM==\"net\", ATTR{address}==\"00:0c:29:11:22:33\", NAME=\"eth0\"\nSUBSYSTEM==\"net\", ATTR{address}==\"00:50:56:00:00:02\", NAME=\"eth1\"\n"
	if got := persistentNames(rules); got["eth0"] != "00:0c:29:11:22:33" || got["eth1"] != "00:50:56:00:00:02" || len(got) != 2 {
		t.Errorf("names %v", got)
	}
	got := dropPersistent(rules, []iface{{Name: "eth0", MAC: "00:50:56:00:00:01"}, {Name: "eth1", MAC: "00:50:56:00:00:02"}})
	if want := strings.Replace(rules, "SUBSYSTEM", "#SUBSYSTEM", 1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHasVirtualization(t *testing.T) {
	for text, want := range map[string]bool{
		"flags\t\t: fpu vmx sse\n": true, "flags : fpu svm\n": true, "flags : fpu svmx vmxnet\nbugs : vmx\n": false, "": false,
	} {
		if got := hasVirtualization([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestFamily(t *testing.T) {
	for in, want := range map[string]string{"debian": "debian", "linuxmint ubuntu debian": "debian", "rocky rhel centos fedora": "rhel", "sles suse": "suse", "x": "unknown"} {
		id, like, _ := strings.Cut(in, " ")
		if got := family(id, like); got != want {
			t.Errorf("family(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestDomainXML_NamesEscaped(t *testing.T) {
	got, err := domainXML([]Disk{{Path: "/a'<b>&.qcow2", Format: "qcow2"}, {Path: "/c", Format: "raw"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`file="/a&#39;&lt;b&gt;&amp;.qcow2"`, `dev="sdb" bus="scsi"`, `type="raw"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestOpen_Refuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, disks := range map[string][]Disk{
		"no disks": nil, "format": {{Path: file, Format: "vmdk"}}, "missing": {{Path: file + "x", Format: "raw"}},
	} {
		if a, err := Open(t.Context(), Spec{Disks: disks}); err == nil {
			_ = a.Close(t.Context())
			t.Errorf("%s: opened", name)
		}
	}
}
