package migrate

import (
	"log/slog"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/guest"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Spec asks for one migration, or for a part of one: an export alone, an export with the pipeline, or the whole way into
// libvirt. Its zero values are good; VM and one of Dir and Target are required.
type Spec struct {
	VM          string              `json:"vm"`                   // inventory path, moref, instance UUID or unique name
	Name        string              `json:"name,omitempty"`       // of files and domain; empty: the VM's
	Dir         string              `json:"dir,omitempty"`        // artifacts and journal; empty: the storage pool's directory
	Keep        export.Keep         `json:"keep,omitempty"`       // what stays as the server served it
	Convert     bool                `json:"convert"`              // make images; needed by everything after it
	Format      string              `json:"format,omitempty"`     // of images: qcow2 (default) or raw
	Compression export.Compression  `json:"compression,omitzero"` // zero: pass-through
	Manifest    bool                `json:"manifest"`
	Pipeline    *PipelineSpec       `json:"pipeline,omitempty"` // nil: no pipeline
	Target      *TargetSpec         `json:"target,omitempty"`   // nil: nothing is defined in libvirt
	Disks       map[string]DiskSpec `json:"disks,omitempty"`    // by source address, "*" for all others
	Until       string              `json:"until,omitempty"`    // validated or cutover (default)
	Verify      VerifySpec          `json:"verify"`
	SourceAfter string              `json:"source_after,omitempty"` // "" (as it is), powered_off, running, nics_disconnected
	ShutdownIn  time.Duration       `json:"shutdown_in,omitempty"`  // bound of the graceful shutdown; 0: 5 minutes
	Preflight   PreflightSpec       `json:"preflight"`
	Parallel    int                 `json:"parallel,omitempty"` // disks at once; 0: 4
}

// PipelineSpec chooses stages and engine. Inspect, Fix and Validate are the spec's stages; CONVERT is Spec.Convert.
type PipelineSpec struct {
	Inspect  bool   `json:"inspect"`
	Fix      bool   `json:"fix"`
	Validate bool   `json:"validate"`
	Fstab    string `json:"fstab,omitempty"`  // stabilize-all (default), bypath-only, noop
	Engine   string `json:"engine,omitempty"` // builtin (default) or virt-v2v
	DryRun   bool   `json:"dry_run,omitempty"`
}

// TargetSpec says where the domain goes.
type TargetSpec struct {
	URI       string                 `json:"uri"`
	Pool      string                 `json:"pool,omitempty"`     // empty: disks stay in Dir
	Networks  map[string]NetworkSpec `json:"networks,omitempty"` // by source network name, "*" for all others
	Autostart bool                   `json:"autostart,omitempty"`
	Power     string                 `json:"power,omitempty"`    // on (default) or off: the domain's state at the end
	Hardware  []libvirt.Hardware     `json:"hardware,omitempty"` // tried in turn by the boot check; empty: virtio
}

// NetworkSpec names exactly one of a bridge and a libvirt network.
type NetworkSpec struct {
	Bridge  string `json:"bridge,omitempty"`
	Network string `json:"network,omitempty"`
}

// DiskSpec overrides what happens to a disk.
type DiskSpec struct {
	Format string `json:"format,omitempty"`
	Skip   bool   `json:"skip,omitempty"`
}

// VerifySpec says how sure to be.
type VerifySpec struct {
	Checksum    bool          `json:"checksum"`              // check every grain, SHA-256 every file
	Boot        string        `json:"boot,omitempty"`        // none (default), power, console, agent, address, tcp:PORT
	BootMarker  string        `json:"boot_marker,omitempty"` // console: regular expression
	BootTimeout time.Duration `json:"boot_timeout,omitempty"`
}

// PreflightSpec says which findings stop the migration.
type PreflightSpec struct {
	FailOn string   `json:"fail_on,omitempty"` // critical (default), warning, none
	Ignore []string `json:"ignore,omitempty"`  // ids that do not stop it
}

// Deps are the connections a migration works over. Libvirt is nil when Spec.Target is. Logger may be nil.
type Deps struct {
	VSphere *vsphere.Client
	Libvirt *libvirt.Client
	Logger  *slog.Logger
	Version string // of this program, for the manifest and the domain's metadata
}

// Plan is what a migration would do: the answer of a dry run and of terraform plan.
type Plan struct {
	VM         *vsphere.VM   `json:"vm"`
	JobKey     string        `json:"job_key"`
	DomainUUID string        `json:"domain_uuid,omitempty"`
	Name       string        `json:"name"`
	Dir        string        `json:"dir"`
	Resume     string        `json:"resume,omitempty"` // stage an earlier run stopped at
	Stages     []PlanStage   `json:"stages"`
	Disks      []PlanDisk    `json:"disks"`
	NeedBytes  int64         `json:"need_bytes"`
	FreeBytes  int64         `json:"free_bytes"` // -1: not known
	Findings   []sdk.Finding `json:"findings"`
	Blocking   []sdk.Finding `json:"blocking"` // those of Findings that stop it
}

// PlanStage is one stage that would run.
type PlanStage struct {
	Name string     `json:"name"`
	Does string     `json:"does"` // one line for a person
	Done sdk.Status `json:"status,omitempty"`
}

// PlanDisk is one disk that would be moved.
type PlanDisk struct {
	ID            string `json:"id"`
	Address       string `json:"address"`
	CapacityBytes int64  `json:"capacity_bytes"`
	Transport     string `json:"transport"`
	Path          string `json:"path,omitempty"`
	Format        string `json:"format,omitempty"`
	Skip          bool   `json:"skip,omitempty"`
}

// Result is what a migration made; it is the journal's record of the job and is whole at any point of it.
type Result struct {
	JobKey          string              `json:"job_key"`
	VMPath          string              `json:"vm_path"`
	InstanceUUID    string              `json:"instance_uuid"`
	VCenterUUID     string              `json:"vcenter_uuid"`
	ChangeVersion   string              `json:"change_version"`
	Name            string              `json:"name"`
	Dir             string              `json:"dir"`
	Status          sdk.Status          `json:"status"`
	Stage           string              `json:"stage"` // the one that runs, or ran last
	Disks           []export.Disk       `json:"disks"`
	Files           []string            `json:"files"`
	ManifestPath    string              `json:"manifest_path,omitempty"`
	ReportPath      string              `json:"report_path,omitempty"`
	Inspection      *guest.Inspection   `json:"inspection,omitempty"`
	Edits           []guest.Edit        `json:"edits,omitempty"`
	Findings        []sdk.Finding       `json:"findings"`
	DomainUUID      string              `json:"domain_uuid,omitempty"`
	DomainXMLPath   string              `json:"domain_xml_path,omitempty"`
	Boot            *libvirt.BootResult `json:"boot,omitempty"`
	Pipeline        PipelineResult      `json:"pipeline"`
	BytesCopied     int64               `json:"bytes_copied"`
	DowntimeSeconds float64             `json:"downtime_seconds"`
	StartedAt       time.Time           `json:"started_at"`
	FinishedAt      time.Time           `json:"finished_at,omitzero"`
}

// PipelineResult is the outcome of the stages after the export.
type PipelineResult struct {
	Status sdk.Status `json:"status,omitempty"`
	Stage  string     `json:"stage,omitempty"` // that failed
	Error  string     `json:"error,omitempty"`
}
