package libvirt

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"libvirt.org/go/libvirtxml"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

var update = flag.Bool("update", false, "rewrite golden files")

// plainSpec is a guest with one disk and one adapter.
func plainSpec() DomainSpec {
	return DomainSpec{
		Name: "web-01", UUID: "6ba7b810-9dad-51d1-80b4-00c04fd430c8", CPUs: 2, MemoryMB: 2048,
		Firmware: FirmwareBIOS, Acceleration: AccelerationQEMU, Hardware: HardwareVirtio,
		Disks: []DomainDisk{{Path: "/images/web-01.qcow2", Format: "qcow2"}},
		NICs:  []DomainNIC{{MAC: "00:50:56:AA:BB:01", Network: "default"}},
		Metadata: Metadata{
			JobKey: "0123abcd", SourceVM: "/DC1/vm/web & <01>", InstanceUUID: "50000000-0000-0000-0000-000000000001",
			VCenterUUID: "60000000-0000-0000-0000-000000000002", Version: "0.1.0",
		},
	}
}

func manyDisks(n int) []DomainDisk {
	disks := make([]DomainDisk, n)
	for i := range disks {
		disks[i] = DomainDisk{Path: fmt.Sprintf("/images/d%02d.raw", i), Format: "raw"}
	}
	return disks
}

// goldenSpecs are the variants that have a golden file.
func goldenSpecs() map[string]DomainSpec {
	specs := map[string]DomainSpec{}
	add := func(name string, change func(*DomainSpec)) {
		spec := plainSpec()
		change(&spec)
		specs[name] = spec
	}
	add("bios-virtio-tcg", func(*DomainSpec) {})
	add("uefi-virtio-kvm", func(s *DomainSpec) {
		s.Firmware, s.Acceleration, s.CPUs, s.CoresPerCPU = FirmwareUEFI, AccelerationKVM, 8, 4
		s.Description = "two lines,\nand a <tag> & \"quotes\""
		s.Emulator, s.Machine = "/usr/bin/qemu-system-x86_64", "pc-q35-7.2"
	})
	add("uefi-secure", func(s *DomainSpec) { s.Firmware, s.SecureBoot = FirmwareUEFI, true })
	add("bios-sata", func(s *DomainSpec) { s.Hardware, s.Disks = HardwareSATA, manyDisks(8) })
	add("bios-vmware", func(s *DomainSpec) { s.Hardware, s.Disks = HardwareVMware, manyDisks(8) })
	add("many-disks", func(s *DomainSpec) { s.Disks = manyDisks(23) })
	add("nics", func(s *DomainSpec) {
		s.NICs = []DomainNIC{
			{MAC: "00:50:56:aa:bb:01", Bridge: "br0"},
			{MAC: "00-50-56-AA-BB-02", Network: "default", LinkDown: true},
		}
		s.Disks[0].Serial = "6000C29-7d3a+b.c_1"
		s.ConsoleLog = "/var/log/console.log"
	})
	return specs
}

func TestDomainXML_Golden(t *testing.T) {
	for name, spec := range goldenSpecs() {
		t.Run(name, func(t *testing.T) {
			got, err := DomainXML(spec)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, name+".xml", got)
		})
	}
	t.Run("bootcheck", func(t *testing.T) {
		spec := plainSpec()
		spec.Firmware, spec.NVRAM = FirmwareUEFI, "/scratch/vars.fd"
		got, err := renderDomain(spec, &throwAway{mark: bootCheckMark{Job: "job", Owner: "1.2"}})
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, "bootcheck-uefi.xml", got)
	})
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestDomainXML_Schema asks libvirt's own schema about every golden file.
func TestDomainXML_Schema(t *testing.T) {
	need.Tools(t, "virt-xml-validate", "xmllint")
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) < len(goldenSpecs())+1 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	for _, file := range files {
		if out, err := exec.Command("virt-xml-validate", file, "domain").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

func TestDomainXML_OnlyFirstDiskBoots(t *testing.T) {
	for _, hardware := range []Hardware{HardwareVirtio, HardwareSATA, HardwareVMware} {
		spec := plainSpec()
		spec.Hardware, spec.Disks = hardware, manyDisks(45)
		text, err := DomainXML(spec)
		if err != nil {
			t.Fatal(err)
		}
		var doc libvirtxml.Domain
		if err := doc.Unmarshal(text); err != nil {
			t.Fatal(err)
		}
		var booting []string
		names := map[string]bool{}
		for _, d := range doc.Devices.Disks {
			if d.Boot != nil {
				booting = append(booting, d.Source.File.File)
			}
			names[d.Target.Dev] = true
		}
		if diff := cmp.Diff([]string{"/images/d00.raw"}, booting); diff != "" {
			t.Errorf("%s: disks with a boot order (-want +got):\n%s", hardware, diff)
		}
		if len(names) != 45 {
			t.Errorf("%s: %d distinct device names for 45 disks", hardware, len(names))
		}
	}
}

func TestDomainXML_Refuses(t *testing.T) {
	cases := map[string]struct {
		change func(*DomainSpec)
		want   string // in the error
	}{
		"blank name":     {func(s *DomainSpec) { s.Name = "  " }, "blank"},
		"slash in name":  {func(s *DomainSpec) { s.Name = "a/b" }, "characters"},
		"newline":        {func(s *DomainSpec) { s.Name = "a\nb" }, "characters"},
		"long name":      {func(s *DomainSpec) { s.Name = strings.Repeat("x", 201) }, "201 bytes"},
		"no UUID":        {func(s *DomainSpec) { s.UUID = "" }, "UUID"},
		"no vCPU":        {func(s *DomainSpec) { s.CPUs = 0 }, "0 vCPUs"},
		"odd sockets":    {func(s *DomainSpec) { s.CPUs, s.CoresPerCPU = 3, 2 }, "sockets of 2 cores"},
		"no memory":      {func(s *DomainSpec) { s.MemoryMB = 0 }, "0 MB"},
		"firmware":       {func(s *DomainSpec) { s.Firmware = "efi" }, "neither bios nor uefi"},
		"secure bios":    {func(s *DomainSpec) { s.SecureBoot = true }, "secure boot"},
		"acceleration":   {func(s *DomainSpec) { s.Acceleration = "hvf" }, "neither kvm nor qemu"},
		"hardware":       {func(s *DomainSpec) { s.Hardware = "" }, "not one of"},
		"relative disk":  {func(s *DomainSpec) { s.Disks[0].Path = "web.qcow2" }, "not absolute"},
		"disk format":    {func(s *DomainSpec) { s.Disks[0].Format = "vmdk" }, "neither qcow2 nor raw"},
		"disk serial":    {func(s *DomainSpec) { s.Disks[0].Serial = "a,b" }, "serial"},
		"two sources":    {func(s *DomainSpec) { s.NICs[0].Bridge = "br0" }, "exactly one"},
		"no source":      {func(s *DomainSpec) { s.NICs[0].Network = "" }, "exactly one"},
		"no MAC":         {func(s *DomainSpec) { s.NICs[0].MAC = "" }, "MAC"},
		"long MAC":       {func(s *DomainSpec) { s.NICs[0].MAC = "00:00:00:00:00:00:00:01" }, "MAC"},
		"multicast MAC":  {func(s *DomainSpec) { s.NICs[0].MAC = "01:00:5e:00:00:01" }, "multicast"},
		"too many disks": {func(s *DomainSpec) { s.Disks = manyDisks(257) }, "257 disks"},
		"NVRAM":          {func(s *DomainSpec) { s.NVRAM = "vars.fd" }, "absolute"},
		"console log":    {func(s *DomainSpec) { s.ConsoleLog = "log" }, "absolute"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec := plainSpec()
			c.change(&spec)
			_, err := DomainXML(spec)
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an sdk.ErrInvalid with %q", err, c.want)
			}
		})
	}
}

func TestDiskName(t *testing.T) {
	for index, want := range map[int]string{0: "sda", 25: "sdz", 26: "sdaa", 51: "sdaz", 52: "sdba", 255: "sdiv", 701: "sdzz", 702: "sdaaa"} {
		if got := diskName("sd", index); got != want {
			t.Errorf("diskName(%d) = %s, want %s", index, got, want)
		}
	}
}

func TestReadMarks(t *testing.T) {
	mine := plainSpec().Metadata
	written, err := renderMetadata(mine, nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		inner string
		want  marks
	}{
		"ours":           {written, marks{domain: &mine}},
		"beside another": {`<x:os xmlns:x="http://other/"><x:id>1</x:id></x:os>` + written, marks{domain: &mine}},
		"with a prefix": {
			`<h:domain xmlns:h="` + domainNamespace + `"><h:job>k</h:job></h:domain>`, marks{domain: &Metadata{JobKey: "k"}}},
		"another's": {`<domain xmlns="http://other/"><job>k</job></domain>`, marks{}},
		"nested":    {`<a xmlns="http://other/">` + written + `</a>`, marks{}},
		"broken":    {`<domain xmlns="` + domainNamespace + `"><job>k`, marks{}},
		"boot check": {
			`<bootcheck xmlns="` + bootCheckNamespace + `"><job>k</job><owner>1.2</owner></bootcheck>`,
			marks{bootCheck: &bootCheckMark{Job: "k", Owner: "1.2"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readMarks(c.inner), cmp.AllowUnexported(marks{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
