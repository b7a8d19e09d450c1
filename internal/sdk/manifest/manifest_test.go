package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

var update = flag.Bool("update", false, "rewrite testdata/full.json")

// specManifest is the example of the feature document.
func specManifest() *Manifest {
	return &Manifest{
		ManifestVersion: Version,
		Source:          &Source{Provider: "vsphere", VMName: "Ubuntu-Server", Datacenter: "DC1"},
		VM:              &VM{CPU: 4, MemGB: 8, Firmware: FirmwareBIOS, OSHint: "linux"},
		Disks: []Disk{{
			ID: "disk-0", SourceFormat: "vmdk", Bytes: 107374182400,
			LocalPath: "/var/lib/libvirt/images/ubuntu/disk.vmdk", BootOrderHint: new(0), DiskType: DiskBoot,
		}},
		Pipeline: Pipeline{
			Inspect:  InspectStage{Enabled: true},
			Fix:      FixStage{Enabled: true, FstabMode: FstabStabilizeAll},
			Convert:  ConvertStage{Enabled: true, Compress: true},
			Validate: ValidateStage{Enabled: true},
		},
	}
}

// fullManifest has a value in every field.
func fullManifest() *Manifest {
	m := specManifest()
	m.Source.VMID, m.Source.ExportTimestamp, m.Source.ExportMethod = "vm-42", "2026-11-23T07:00:00Z", "nfc"
	m.VM.SecureBoot, m.VM.OSVersion, m.VM.Firmware = true, "Ubuntu 24.04 <LTS> & more", FirmwareUEFI
	m.Disks[0].Checksum, m.Disks[0].Label = "sha256:"+strings.Repeat("0f", 32), "Hard disk 1"
	m.Disks = append(m.Disks, Disk{ID: "disk-1", SourceFormat: "qcow2", Bytes: 0, LocalPath: "disk-1.qcow2", DiskType: DiskData})
	m.NICs = []NIC{{ID: "nic-0", MAC: "00:50:56:00:00:01", Network: "VM Network"}}
	m.Pipeline.Inspect.CollectGuestInfo = true
	m.Pipeline.Fix = FixStage{
		Enabled: true, FstabMode: FstabNoop, Backup: new(false), UpdateGrub: new(false), RegenInitramfs: new(false),
		PrintFstab: true, RemoveVMwareTools: true, EnableRDP: new(false),
	}
	m.Pipeline.Convert.CompressLevel = 6
	m.Pipeline.Validate.CheckImageIntegrity = new(false)
	m.Output = &Output{Directory: "/var/lib/libvirt/images", Format: "qcow2"}
	m.Options = &Options{DryRun: true, Verbose: new(0), Report: &Report{Enabled: new(false), Path: "r.json"}}
	m.Metadata = &Metadata{
		HypersdkVersion: "0.1.0", JobID: "j1", CreatedAt: "2026-11-23T07:00:00Z", Tags: map[string]string{"env": "prod"},
	}
	m.Notes = []string{"a note"}
	m.Warnings = []Warning{{Stage: "export", Message: "slow", Timestamp: "2026-11-23T07:00:00Z"}}
	return m
}

func compact(t *testing.T, data []byte) string {
	t.Helper()
	var buf bytes.Buffer
	if err := json.Compact(&buf, data); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestEncode_Golden(t *testing.T) {
	tests := []struct {
		file string
		m    *Manifest
	}{
		{"spec.json", specManifest()},
		{"full.json", fullManifest()},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			got, err := tt.m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", tt.file)
			if *update && tt.file == "full.json" { // spec.json is the user's own text
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(compact(t, want), compact(t, got)); diff != "" {
				t.Errorf("keys in order (-want +got):\n%s", diff)
			}
			back, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.m, back); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
			if err := schema(t).Validate(decode(t, want)); err != nil {
				t.Errorf("schema: %v", err)
			}
		})
	}
}

// schema is the published one.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../../docs/schema/artifact-manifest-1.0.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t *testing.T, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// documents are good and bad ones: the spec's example with one place replaced. Parse and the schema must agree on each.
var documents = []struct {
	name, old, new string
	field          string // that Parse names; empty: the document is good
}{
	{name: "as it is"},
	{name: "unknown fields", old: `"disks": [`, new: `"hooks": {"pre": 1}, "disks": [`},
	{name: "unknown field of a disk", old: `"id": "disk-0",`, new: `"id": "disk-0", "colour": "red",`},
	{name: "empty file", old: `107374182400`, new: `0`},
	{name: "no hint", old: `"boot_order_hint": 0,`, new: ``},
	{name: "no source", old: `"source": {`, new: `"from": {`},
	{name: "no vm", old: `"vm": {`, new: `"hardware": {`},
	{name: "no pipeline", old: `"pipeline": {`, new: `"stages": {`},
	{name: "checksum", old: `"bytes"`, new: `"checksum": "sha256:` + strings.Repeat("a1", 32) + `", "bytes"`},
	{name: "level", old: `"compress": true`, new: `"compress": true, "compress_level": 9`},
	{name: "firmware unknown", old: `"bios"`, new: `"unknown"`},
	{name: "any os_hint", old: `"linux"`, new: `"beos"`},

	{name: "other version", old: `"1.0"`, new: `"1.1"`, field: "manifest_version"},
	{name: "version as a number", old: `"1.0"`, new: `1.0`, field: "manifest_version"},
	{name: "no version", old: `"manifest_version"`, new: `"version"`, field: "manifest_version"},
	{name: "no disks", old: `"disks"`, new: `"volumes"`, field: "disks"},
	{name: "disks not a list", old: `"disks": [`, new: `"disks": {}, "x": [`, field: "disks"},
	{name: "no provider", old: `"provider"`, new: `"from"`, field: "source.provider"},
	{name: "empty provider", old: `"vsphere"`, new: `""`, field: "source.provider"},
	{name: "no id", old: `"id"`, new: `"name"`, field: "disks[0].id"},
	{name: "id with a slash", old: `"disk-0"`, new: `"../disk-0"`, field: "disks[0].id"},
	{name: "id with a line end", old: `"disk-0"`, new: `"disk-0\n"`, field: "disks[0].id"},
	{name: "format", old: `"vmdk"`, new: `"ova"`, field: "disks[0].source_format"},
	{name: "no bytes", old: `"bytes"`, new: `"size"`, field: "disks[0].bytes"},
	{name: "bytes null", old: `107374182400`, new: `null`, field: "disks[0].bytes"},
	{name: "negative bytes", old: `107374182400`, new: `-1`, field: "disks[0].bytes"},
	{name: "bytes as text", old: `107374182400`, new: `"1"`, field: "bytes"},
	{name: "no path", old: `"local_path"`, new: `"path"`, field: "disks[0].local_path"},
	{name: "checksum null", old: `"bytes"`, new: `"checksum": null, "bytes"`, field: "disks[0].checksum"},
	{name: "checksum empty", old: `"bytes"`, new: `"checksum": "", "bytes"`, field: "disks[0].checksum"},
	{name: "checksum in capitals", old: `"bytes"`, new: `"checksum": "sha256:` + strings.Repeat("A1", 32) + `", "bytes"`, field: "disks[0].checksum"},
	{name: "checksum of md5", old: `"bytes"`, new: `"checksum": "md5:00", "bytes"`, field: "disks[0].checksum"},
	{name: "negative hint", old: `"boot_order_hint": 0`, new: `"boot_order_hint": -1`, field: "disks[0].boot_order_hint"},
	{name: "disk type", old: `"boot"`, new: `"swap"`, field: "disks[0].disk_type"},
	{name: "no cpu", old: `"cpu": 4`, new: `"cpu": 0`, field: "vm.cpu"},
	{name: "half a GiB", old: `"mem_gb": 8`, new: `"mem_gb": 0.5`, field: "vm.mem_gb"},
	{name: "memory null", old: `"mem_gb": 8`, new: `"mem_gb": null`, field: "vm.mem_gb"},
	{name: "efi", old: `"bios"`, new: `"efi"`, field: "vm.firmware"},
	{name: "fstab mode", old: `"stabilize-all"`, new: `"all"`, field: "pipeline.fix.fstab_mode"},
	{name: "enabled as text", old: `"inspect": {"enabled": true}`, new: `"inspect": {"enabled": "yes"}`, field: "pipeline.inspect.enabled"},
	{name: "level 10", old: `"compress": true`, new: `"compress": true, "compress_level": 10`, field: "pipeline.convert.compress_level"},
	{name: "level 0", old: `"compress": true`, new: `"compress": true, "compress_level": 0`, field: "pipeline.convert.compress_level"},
	{name: "output format", old: `"pipeline": {`, new: `"output": {"format": "vmdk"}, "pipeline": {`, field: "output.format"},
}

func TestParse_AgreesWithSchema(t *testing.T) {
	spec, err := os.ReadFile("testdata/spec.json")
	if err != nil {
		t.Fatal(err)
	}
	s := schema(t)
	for _, tt := range documents {
		t.Run(tt.name, func(t *testing.T) {
			doc := strings.Replace(string(spec), tt.old, tt.new, 1)
			if tt.old != "" && doc == string(spec) {
				t.Fatal("the document was not changed")
			}
			_, err := Parse([]byte(doc))
			serr := s.Validate(decode(t, []byte(doc)))
			if tt.field == "" {
				if err != nil || serr != nil {
					t.Errorf("Parse: %v; schema: %v; want both nil", err, serr)
				}
				return
			}
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tt.field) {
				t.Errorf("Parse: got %v, want ErrInvalid that names %s", err, tt.field)
			}
			if serr == nil {
				t.Error("schema: got nil, want an error")
			}
		})
	}
}

func TestParse_Garbage(t *testing.T) {
	for _, doc := range []string{"", "null", "[]", "{", `{"manifest_version":"1.0"} x`} {
		if _, err := Parse([]byte(doc)); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", doc, err)
		}
	}
}

func TestValidate_NamesEveryField(t *testing.T) {
	m := specManifest()
	m.Disks = append(m.Disks, m.Disks[0])
	m.VM.Firmware = "efi"
	_, err := m.Encode()
	for _, want := range []string{`vm.firmware is "efi"`, `disks[1].id is "disk-0" as disks[0].id is`} {
		if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrInvalid with %q", err, want)
		}
	}
}

func TestBootDisk(t *testing.T) {
	disk := func(id string, hint *int) Disk { return Disk{ID: id, BootOrderHint: hint} }
	tests := []struct {
		name  string
		disks []Disk
		want  string
	}{
		{"none", nil, ""},
		{"no hints: the first", []Disk{disk("a", nil), disk("b", nil)}, "a"},
		{"a hint beats none", []Disk{disk("a", nil), disk("b", new(5))}, "b"},
		{"a late hint does not", []Disk{disk("a", nil), disk("b", new(1000))}, "a"},
		{"equal: the first", []Disk{disk("a", new(1)), disk("b", new(1))}, "a"},
		{"zero", []Disk{disk("a", new(1)), disk("b", new(0))}, "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if d := (&Manifest{Disks: tt.disks}).BootDisk(); d != nil {
				got = d.ID
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
