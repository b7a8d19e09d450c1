package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// clean is a migration without any finding. Each test spoils one thing in it.
func clean() Input {
	return Input{
		VM: &vsphere.VM{
			Name: "web-01", Host: "esx1", PowerState: "poweredOff", ConnectionState: "connected", GuestID: "debian12_64Guest",
			GuestFullName: "Debian GNU/Linux 12 (64-bit)", Hostname: "web-01", ToolsStatus: "guestToolsNotRunning", Firmware: "bios",
			CPUs: 2, MemoryMB: 2048,
			Disks: []vsphere.Disk{disk("scsi0:0"), disk("scsi0:1")},
			NICs:  []vsphere.NIC{{Label: "Network adapter 1", MAC: "00:50:56:aa:00:01", Network: "VM Network", Type: "vmxnet3"}},
		},
		Target: &Target{
			URI: "qemu:///system",
			Host: &libvirt.Host{Hostname: "kvm1", Acceleration: "kvm", CPUs: 8, MemoryMB: 16384, FreeMemoryMB: 8192,
				Firmware: []string{"bios", "uefi", "uefi-secure"}},
			Pool:     &libvirt.StoragePool{Name: "default", Type: "dir", Active: true, AvailableBytes: 100 << 30},
			Networks: []libvirt.Network{{Name: "default", Bridge: "virbr0", Active: true}, {Name: "idle"}},
			Domains:  []libvirt.Domain{{Name: "db-01", UUID: "11111111-0000-0000-0000-000000000000", MACs: []string{"52:54:00:00:00:01"}}},
			Bridges:  map[string]bool{"br0": true, "br9": false},
		},
		Plan: Plan{
			Name: "web-01", UUID: "99999999-0000-0000-0000-00000000000A", Dir: "/var/lib/libvirt/images", FreeBytes: 50 << 30,
			NeedBytes: 20 << 30, Fix: true, Networks: map[string]string{"VM Network": "network:default"},
		},
	}
}

func disk(address string) vsphere.Disk {
	return vsphere.Disk{Address: address, Label: "Hard disk 1", CapacityBytes: 10 << 30, Datastore: "ds1", DatastoreAccessible: true, Mode: "persistent"}
}

func disks(n int) []vsphere.Disk { return slices.Repeat([]vsphere.Disk{disk("scsi0:0")}, n) }

func TestCheck_ACleanMigrationHasNoFinding(t *testing.T) {
	if got := Check(clean()); len(got) > 0 {
		t.Errorf("got %+v, want none", got)
	}
}

// Each row spoils the clean migration and gives the findings that must come, with a word that their text or action names.
func TestCheck_Rules(t *testing.T) {
	type want struct {
		id       string
		severity sdk.Severity
		names    string // in text or action
	}
	tests := []struct {
		name  string
		spoil func(in *Input)
		want  []want
	}{
		{"inaccessible", func(in *Input) { in.VM.ConnectionState = "inaccessible" }, []want{{"source.connection", sdk.Critical, "inaccessible"}}},
		{"orphaned", func(in *Input) { in.VM.ConnectionState = "orphaned" }, []want{{"source.connection", sdk.Critical, "esx1"}}},
		{"connection not known", func(in *Input) { in.VM.ConnectionState = "" }, nil},

		{"running", func(in *Input) { running(in) }, []want{{"source.power.running", sdk.Critical, "poweredOn"}}},
		{"running, stays on", func(in *Input) { running(in); in.Plan.SourceAfter = "running" }, []want{{"source.power.running", sdk.Critical, "source_after"}}},
		{"running, shut down first", func(in *Input) { running(in); in.Plan.SourceAfter = "powered_off" }, []want{{"source.power.running", sdk.Warning, "gracefully"}}},
		{"running, disconnected after", func(in *Input) { running(in); in.Plan.SourceAfter = "nics_disconnected" }, []want{{"source.power.running", sdk.Warning, "gracefully"}}},
		{"suspended", func(in *Input) { in.VM.PowerState = "suspended"; in.Plan.SourceAfter = "powered_off" }, []want{{"source.power.suspended", sdk.Critical, "suspended"}}},
		{"running without tools", func(in *Input) { running(in); in.VM.ToolsStatus = "guestToolsNotRunning" },
			[]want{{"source.power.running", sdk.Critical, ""}, {"source.tools.not_running", sdk.Info, ""}}},
		{"to be shut down without tools", func(in *Input) {
			running(in)
			in.VM.ToolsStatus, in.Plan.SourceAfter = "", "powered_off"
		}, []want{{"source.tools.not_running", sdk.Critical, "from inside"}, {"source.power.running", sdk.Warning, ""}}},

		{"template", func(in *Input) { in.VM.Template, in.VM.Hostname = true, "" }, []want{{"source.template", sdk.Info, "as they are"}}},
		{"snapshots", func(in *Input) { in.VM.Snapshots = []vsphere.Snapshot{{Path: "before"}, {Path: "before/after"}} },
			[]want{{"source.snapshot.present", sdk.Warning, "before/after"}}},
		{"consolidation", func(in *Input) { in.VM.ConsolidationNeeded = true }, []want{{"source.consolidation_needed", sdk.Warning, "Consolidate"}}},
		{"fault tolerance", func(in *Input) { in.VM.FaultTolerance = true }, []want{{"source.fault_tolerance", sdk.Warning, "web-01"}}},

		{"ubuntu", func(in *Input) { in.VM.GuestID = "ubuntu64Guest" }, nil},
		{"red hat", func(in *Input) { in.VM.GuestID, in.VM.GuestFullName = "rhel9_64Guest", "" }, []want{{"source.guest.unsupported", sdk.Warning, "rhel9_64Guest"}}},
		{"red hat by virt-v2v", func(in *Input) { in.VM.GuestID, in.Plan.Engine = "rhel9_64Guest", "virt-v2v" }, nil},
		{"windows", func(in *Input) { in.VM.GuestID = "windows2019srv_64Guest" }, []want{{"source.guest.unsupported", sdk.Warning, "virt-v2v"}}},
		{"windows by virt-v2v", func(in *Input) { in.VM.GuestID, in.Plan.Engine = "winLonghorn64Guest", "virt-v2v" }, nil},
		{"some linux", func(in *Input) { in.VM.GuestID = "other5xLinux64Guest" }, []want{{"source.guest.unsupported", sdk.Warning, "other5xLinux64Guest"}}},
		{"no guest id", func(in *Input) { in.VM.GuestID = "" }, []want{{"source.guest.unsupported", sdk.Warning, ""}}},
		{"freebsd", func(in *Input) { in.VM.GuestID = "freebsd14_64Guest" }, []want{{"source.guest.unsupported", sdk.Critical, "--pipeline-fix=false"}}},
		{"freebsd by virt-v2v", func(in *Input) { in.VM.GuestID, in.Plan.Engine = "freebsd14_64Guest", "virt-v2v" }, []want{{"source.guest.unsupported", sdk.Critical, ""}}},
		{"freebsd without fix", func(in *Input) { in.VM.GuestID, in.Plan.Fix = "freebsd14_64Guest", false }, nil},
		{"host name", func(in *Input) { in.VM.Hostname = "" }, []want{{"source.hostname.missing", sdk.Info, ""}}},

		{"no disk", func(in *Input) { in.VM.Disks = nil }, []want{{"source.disk.none", sdk.Critical, "no disk"}}},
		{"all disks left out", func(in *Input) { in.Plan.Skip = []string{"scsi0:0", "scsi0:1"} }, []want{{"source.disk.none", sdk.Critical, "left out"}}},
		{"datastore not accessible", func(in *Input) { in.VM.Disks[1].DatastoreAccessible = false }, []want{{"source.datastore.missing", sdk.Critical, `"ds1"`}}},
		{"datastore missing", func(in *Input) { in.VM.Disks[1].Datastore = "" }, []want{{"source.datastore.missing", sdk.Critical, "scsi0:1"}}},
		{"bad disk left out", func(in *Input) { in.VM.Disks[1].Datastore, in.Plan.Skip = "", []string{"scsi0:1"} }, nil},
		{"capacity 0", func(in *Input) { in.VM.Disks[0].CapacityBytes = 0 }, []want{{"source.disk.capacity.invalid", sdk.Critical, "scsi0:0"}}},
		{"capacity odd", func(in *Input) { in.VM.Disks[0].CapacityBytes = 1000 }, []want{{"source.disk.capacity.invalid", sdk.Critical, "1000"}}},
		{"capacity enormous", func(in *Input) { in.VM.Disks[0].CapacityBytes = 65 << 40 }, []want{{"source.disk.capacity.invalid", sdk.Critical, ""}}},
		{"independent", func(in *Input) { in.VM.Disks[0].Mode = "independent_persistent" }, []want{{"source.disk.independent", sdk.Warning, "scsi0:0"}}},
		{"nonpersistent", func(in *Input) { in.VM.Disks[0].Mode = "independent_nonpersistent" }, []want{{"source.disk.independent", sdk.Critical, "thrown away"}}},
		{"rdm", func(in *Input) { in.VM.Disks[1].RDM = true }, []want{{"source.disk.rdm", sdk.Critical, "skip = true"}}},
		{"shared", func(in *Input) { in.VM.Disks[1].Shared = true }, []want{{"source.disk.shared", sdk.Critical, "--skip-disk scsi0:1"}}},
		{"two bad disks", func(in *Input) { in.VM.Disks[0].RDM, in.VM.Disks[1].RDM = true, true },
			[]want{{"source.disk.rdm", sdk.Critical, "scsi0:0"}, {"source.disk.rdm", sdk.Critical, "scsi0:1"}}},

		{"passthrough", func(in *Input) { in.VM.Passthrough = []string{"PCI device 0", "GRID vGPU"} }, []want{{"source.device.passthrough", sdk.Critical, `"PCI device 0" and "GRID vGPU"`}}},
		{"sr-iov adapter", func(in *Input) { in.VM.NICs[0].Type, in.VM.Passthrough = "sriov", []string{"Network adapter 1"} },
			[]want{{"source.nic.type.sriov", sdk.Warning, "00:50:56:aa:00:01"}}},
		{"usb", func(in *Input) { in.VM.USB = []string{"Dongle"} }, []want{{"source.device.usb", sdk.Warning, "Dongle"}}},
		{"tpm of a linux guest", func(in *Input) { in.VM.TPM = true }, []want{{"source.tpm", sdk.Warning, "recovery key"}}},
		{"tpm of a windows guest", func(in *Input) { in.VM.TPM, in.VM.GuestID, in.Plan.Fix = true, "windows11_64Guest", false }, []want{{"source.tpm", sdk.Critical, "BitLocker"}}},
		{"secure boot, firmware there", func(in *Input) { in.VM.Firmware, in.VM.SecureBoot = "uefi", true }, nil},
		{"secure boot", func(in *Input) { secure(in); in.Target.Host.Firmware = []string{"bios", "uefi"} }, []want{{"source.secure_boot", sdk.Warning, "ovmf"}}},
		{"no adapter", func(in *Input) { in.VM.NICs = nil }, []want{{"source.nic.none", sdk.Info, ""}}},

		{"network not mapped", func(in *Input) { in.Plan.Networks = map[string]string{"Other": "network:default"} },
			[]want{{"target.network.unmapped", sdk.Critical, `target.networks = { "VM Network" = { network = "default" } }`}}},
		{"network mapped to nonsense", func(in *Input) { in.Plan.Networks["VM Network"] = "default" }, []want{{"target.network.unmapped", sdk.Critical, "Network adapter 1"}}},
		{"network by star", func(in *Input) { in.Plan.Networks = map[string]string{"*": "bridge:br0"} }, nil},
		{"network not mapped, files only", func(in *Input) { in.Plan.Networks, in.Target = nil, nil }, nil},
		{"network missing", func(in *Input) { in.Plan.Networks["VM Network"] = "network:lan" }, []want{{"target.network.missing", sdk.Critical, `"default" and "idle"`}}},
		{"network missing, none there", func(in *Input) { in.Target.Networks = nil }, []want{{"target.network.missing", sdk.Critical, "there is none"}}},
		{"network inactive", func(in *Input) { in.Plan.Networks["VM Network"] = "network:idle" }, []want{{"target.network.inactive", sdk.Critical, "net-start idle"}}},
		{"bridge missing", func(in *Input) { in.Plan.Networks["VM Network"] = "bridge:br9" }, []want{{"target.bridge.missing", sdk.Critical, "br9"}}},
		{"bridge not known", func(in *Input) { in.Plan.Networks["VM Network"] = "bridge:br7" }, nil},
		{"two adapters of one network", func(in *Input) {
			in.VM.NICs = append(in.VM.NICs, vsphere.NIC{Label: "Network adapter 2", Network: "VM Network"})
			in.Plan.Networks = nil
		}, []want{{"target.network.unmapped", sdk.Critical, `"Network adapter 1" and "Network adapter 2"`}}},

		{"pool inactive", func(in *Input) { in.Target.Pool.Active = false }, []want{{"target.pool.inactive", sdk.Critical, "pool-start default"}}},
		{"pool of volumes", func(in *Input) { in.Target.Pool.Type = "logical" }, []want{{"target.pool.type", sdk.Critical, "logical"}}},
		{"pool of nfs", func(in *Input) { in.Target.Pool.Type = "netfs" }, nil},
		{"no pool", func(in *Input) { in.Target.Pool = nil }, nil},
		{"no space", func(in *Input) { in.Plan.NeedBytes = 60 << 30 }, []want{{"target.space", sdk.Critical, "50 GiB free, and up to 60 GiB"}}},
		{"exactly enough space", func(in *Input) { in.Plan.NeedBytes = 50 << 30 }, nil},
		{"no space in the pool", func(in *Input) { in.Plan.FreeBytes, in.Plan.NeedBytes = -1, 200<<30 }, []want{{"target.space", sdk.Critical, "pool default"}}},
		{"space not known", func(in *Input) { in.Plan.FreeBytes, in.Plan.NeedBytes, in.Target.Pool = -1, 200<<30, nil }, nil},
		{"no space for files", func(in *Input) { in.Target, in.Plan.FreeBytes = nil, 1 }, []want{{"target.space", sdk.Critical, "1 B free"}}},
		{"files exist", func(in *Input) { in.Plan.Existing = []string{"/a.qcow2", "/b.qcow2"} },
			[]want{{"target.file.exists", sdk.Critical, "/a.qcow2"}, {"target.file.exists", sdk.Critical, "/b.qcow2"}}},
		{"21 disks", func(in *Input) { in.VM.Disks = disks(21) }, []want{{"target.disk.count", sdk.Warning, "21 disks"}}},
		{"20 disks", func(in *Input) { in.VM.Disks = disks(20) }, nil},
		{"21 disks without virtio", func(in *Input) { in.VM.Disks, in.Plan.Hardware = disks(21), []libvirt.Hardware{libvirt.HardwareSATA} }, nil},

		{"uefi", func(in *Input) { in.VM.Firmware = "uefi" }, nil},
		{"uefi without firmware", func(in *Input) { in.VM.Firmware, in.Target.Host.Firmware = "uefi", []string{"bios"} }, []want{{"target.firmware.missing", sdk.Critical, "ovmf"}}},
		{"bios without ovmf", func(in *Input) { in.Target.Host.Firmware = []string{"bios"} }, nil},
		{"no kvm", func(in *Input) { in.Target.Host.Acceleration = "qemu" }, []want{{"target.acceleration.missing", sdk.Warning, "software emulation"}}},
		{"more memory than the host", func(in *Input) { in.VM.MemoryMB = 20000 }, []want{{"target.memory.low", sdk.Critical, "16 GiB"}}},
		{"more memory than is free", func(in *Input) { in.VM.MemoryMB = 10000 }, []want{{"target.memory.low", sdk.Warning, "8.0 GiB"}}},
		{"as much memory as is free", func(in *Input) { in.VM.MemoryMB = 8192 }, nil},
		{"more cpus than the host", func(in *Input) { in.VM.CPUs = 9 }, []want{{"target.cpus.low", sdk.Warning, "9 vCPUs"}}},
		{"host not known", func(in *Input) { secure(in); in.VM.MemoryMB, in.Target.Host = 1<<30, nil }, nil},

		{"name empty", func(in *Input) { in.Plan.Name = " " }, []want{{"target.name.invalid", sdk.Critical, "empty"}}},
		{"name with a slash", func(in *Input) { in.Plan.Name = "a/b" }, []want{{"target.name.invalid", sdk.Critical, "slash"}}},
		{"name with a dot in front", func(in *Input) { in.Plan.Name = ".." }, []want{{"target.name.invalid", sdk.Critical, "dot"}}},
		{"name with a line break", func(in *Input) { in.Plan.Name = "a\nb" }, []want{{"target.name.invalid", sdk.Critical, "line break"}}},
		{"name not utf-8", func(in *Input) { in.Plan.Name = "a\xff" }, []want{{"target.name.invalid", sdk.Critical, ""}}},
		{"name too long", func(in *Input) { in.Plan.Name = strings.Repeat("a", 201) }, []want{{"target.name.invalid", sdk.Critical, "200"}}},
		{"name with spaces and umlauts", func(in *Input) { in.Plan.Name = "Grüße von web 01" }, nil},
		{"name taken", func(in *Input) { in.Plan.Name = "db-01" }, []want{{"target.domain.exists", sdk.Critical, "11111111"}}},
		{"name taken by ourselves", func(in *Input) {
			in.Target.Domains[0] = libvirt.Domain{Name: "web-01", UUID: strings.ToLower(in.Plan.UUID), MACs: []string{"00:50:56:aa:00:01"}}
		}, nil},
		{"mac taken", func(in *Input) { in.Target.Domains[0].MACs = []string{"00:50:56:AA:00:01"} }, []want{{"target.mac.conflict", sdk.Critical, "db-01"}}},
		{"no mac", func(in *Input) { in.VM.NICs[0].MAC, in.Target.Domains[0].MACs = "", []string{""} }, nil},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		for _, w := range tt.want {
			seen[w.id] = true
		}
		t.Run(tt.name, func(t *testing.T) {
			in := clean()
			tt.spoil(&in)
			got := Check(in)
			var gotIDs, wantIDs []string
			for _, f := range got {
				gotIDs = append(gotIDs, f.ID+" "+string(f.Severity))
			}
			for _, w := range tt.want {
				wantIDs = append(wantIDs, w.id+" "+string(w.severity))
			}
			if diff := cmp.Diff(wantIDs, gotIDs); diff != "" {
				t.Fatalf("findings (-want +got):\n%s", diff)
			}
			for i, f := range got {
				if !strings.Contains(f.Text+"\n"+f.Action, tt.want[i].names) {
					t.Errorf("%q, %q: nothing names %q", f.Text, f.Action, tt.want[i].names)
				}
				if f.Text == "" || f.Action == "" {
					t.Errorf("%s: text %q, action %q", f.ID, f.Text, f.Action)
				}
			}
		})
	}
	for _, rule := range rules {
		for _, id := range strings.Split(rule.ids, ", ") {
			if !seen[id] {
				t.Errorf("no row makes %s", id)
			}
		}
	}
}

func running(in *Input) { in.VM.PowerState, in.VM.ToolsStatus = "poweredOn", "guestToolsRunning" }

func secure(in *Input) { in.VM.Firmware, in.VM.SecureBoot = "uefi", true }

func TestCheck_WorstFirstThenByID(t *testing.T) {
	in := clean()
	in.VM.Hostname, in.VM.ConsolidationNeeded, in.VM.FaultTolerance = "", true, true
	in.VM.Disks[0].RDM, in.Target.Pool.Active = true, false
	var got []string
	for _, f := range Check(in) {
		got = append(got, f.ID)
	}
	want := []string{"source.disk.rdm", "target.pool.inactive", "source.consolidation_needed", "source.fault_tolerance", "source.hostname.missing"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestBlocking(t *testing.T) {
	findings := []sdk.Finding{{ID: "a", Severity: sdk.Critical}, {ID: "b", Severity: sdk.Critical}, {ID: "c", Severity: sdk.Warning}, {ID: "d", Severity: sdk.Info}}
	for _, tt := range []struct {
		failOn string
		ignore []string
		want   string
	}{
		{"", nil, "ab"}, {"critical", nil, "ab"}, {"warning", nil, "abc"}, {"none", nil, ""},
		{"critical", []string{"a"}, "b"}, {"warning", []string{"a", "b", "c"}, ""}, {"critical", []string{"x"}, "ab"},
	} {
		got := ""
		for _, f := range Blocking(findings, tt.failOn, tt.ignore) {
			got += f.ID
		}
		if got != tt.want {
			t.Errorf("fail on %q, ignore %v: got %q, want %q", tt.failOn, tt.ignore, got, tt.want)
		}
	}
}
