package migrate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/manifest"
)

// manifestStage writes the Artifact Manifest beside the files. Commit writes it again: FIX changes sizes and digests.
type manifestStage struct{}

func (manifestStage) Name() string { return stageManifest }

func (manifestStage) Inputs(s *State) any { return s.job.spec.Pipeline }

func (manifestStage) Does(j *job) string { return "write " + j.manifestPath() }

func (manifestStage) Run(_ context.Context, s *State, _ sdk.ProgressFunc) error {
	s.ManifestPath = s.job.manifestPath()
	return s.writeManifest()
}

func (j *job) manifestPath() string { return filepath.Join(j.dir, j.base+".manifest.json") }

func (s *State) writeManifest() error {
	data, err := s.manifest().Encode()
	if err != nil {
		return fmt.Errorf("manifest of %q: %w", s.Name, err)
	}
	return journal.WriteFile(s.ManifestPath, data, 0o644)
}

func (s *State) manifest() *manifest.Manifest {
	j := s.job
	m := &manifest.Manifest{
		ManifestVersion: manifest.Version,
		Source: &manifest.Source{
			Provider: "vsphere", VMID: j.vm.InstanceUUID, VMName: j.vm.Name, Datacenter: j.vm.Datacenter,
			ExportTimestamp: s.StartedAt.Format(time.RFC3339), ExportMethod: "nfc",
		},
		VM: &manifest.VM{
			CPU: j.vm.CPUs, MemGB: max(1, int(j.vm.MemoryMB/1024)), Firmware: j.vm.Firmware, SecureBoot: j.vm.SecureBoot,
			OSHint: osHint(s), OSVersion: osVersion(s),
		},
		Pipeline: manifestPipeline(j.spec),
		Output:   &manifest.Output{Directory: filepath.Join(j.dir, "output"), Format: j.spec.Format},
		Metadata: &manifest.Metadata{HypersdkVersion: j.deps.Version, JobID: j.key, CreatedAt: s.StartedAt.Format(time.RFC3339)},
	}
	for i, d := range s.Disks {
		m.Disks = append(m.Disks, manifestDisk(i, d))
	}
	for i, nic := range j.vm.NICs {
		m.NICs = append(m.NICs, manifest.NIC{ID: fmt.Sprintf("nic-%d", i), MAC: nic.MAC, Network: nic.Network})
	}
	return m
}

// manifestDisk names the converted image, or the VMDK as served when there is none.
func manifestDisk(order int, d export.Disk) manifest.Disk {
	out := manifest.Disk{ID: d.ID, SourceFormat: d.Format, Bytes: d.Bytes, LocalPath: d.Path, BootOrderHint: &order, DiskType: manifest.DiskData}
	digest := d.SHA256
	if d.Path == "" {
		out.SourceFormat, out.Bytes, out.LocalPath, digest = "vmdk", d.SourceBytes, d.SourcePath, d.SourceSHA256
	}
	if digest != "" {
		out.Checksum = "sha256:" + digest
	}
	if order == 0 {
		out.DiskType = manifest.DiskBoot
	}
	return out
}

func manifestPipeline(spec Spec) manifest.Pipeline {
	p := spec.Pipeline
	if p == nil {
		p = &PipelineSpec{}
	}
	var m manifest.Pipeline
	m.Inspect.Enabled = p.Inspect
	m.Fix.Enabled, m.Fix.FstabMode = p.Fix, p.Fstab
	m.Convert.Enabled, m.Convert.Compress = spec.Convert, spec.Compression.Mode != export.Uncompressed
	if spec.Compression.Mode == export.Deflate {
		m.Convert.CompressLevel = spec.Compression.Level
	}
	m.Validate.Enabled = p.Validate
	return m
}

// osHint is what INSPECT found, or else what vSphere was told.
func osHint(s *State) string {
	if s.Inspection != nil {
		return s.Inspection.Type
	}
	id := strings.ToLower(s.job.vm.GuestID)
	switch {
	case strings.HasPrefix(id, "win"):
		return "windows"
	case slices.ContainsFunc(linuxGuestIDs, func(word string) bool { return strings.Contains(id, word) }):
		return "linux"
	}
	return ""
}

// linuxGuestIDs are words of vSphere's VirtualMachineGuestOsIdentifier values for Linux.
var linuxGuestIDs = []string{"linux", "debian", "ubuntu", "rhel", "centos", "sles", "suse", "fedora", "photon", "rocky", "amazon", "asianux"}

func osVersion(s *State) string {
	if s.Inspection == nil {
		return s.job.vm.GuestFullName
	}
	return s.Inspection.Product
}
