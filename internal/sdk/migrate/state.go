package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/guest"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	defaultShutdown = 5 * time.Minute
	cleanupTimeout  = time.Minute
	stateSection    = "state" // as the pipeline keeps it
)

// State is what flows from stage to stage. Its exported fields are kept in the journal: they are all that a resume knows.
type State struct {
	Result
	Overlays      []Overlay           `json:"overlays,omitempty"`
	Domain        *libvirt.DomainSpec `json:"domain,omitempty"`
	DiskIDs       map[string]FileID   `json:"disk_ids,omitempty"`       // by path, as committed
	SourceVersion string              `json:"source_version,omitempty"` // change version of the VM that was exported
	SourceRan     bool                `json:"source_ran,omitempty"`     // we powered it on again: what was exported is stale
	ShutDown      bool                `json:"shut_down,omitempty"`      // we shut it down, so we may start it again
	Disconnected  []int32             `json:"disconnected,omitempty"`   // device keys of the adapters that we disconnected
	OutageStart   time.Time           `json:"outage_start,omitzero"`
	Committing    bool                `json:"committing,omitempty"` // from here on only forward
	Defined       bool                `json:"defined,omitempty"`    // the domain of this UUID is ours
	Reached       string              `json:"reached,omitempty"`    // the Until of the last run that succeeded
	ExportedAt    time.Time           `json:"exported_at,omitzero"` // by vCenter's clock, when the copy began
	ConversionKey string              `json:"conversion_key,omitempty"`

	job       *job
	appliance *guest.Appliance
}

// Overlay is a qcow2 over a converted disk that FIX writes to.
type Overlay struct {
	Path string `json:"path"`
	Base string `json:"base"`
	ID   FileID `json:"id"` // when the guest stages ended
}

// FileID tells whether a path still is the file it was.
type FileID struct {
	Device uint64    `json:"device"`
	Inode  uint64    `json:"inode"`
	Bytes  int64     `json:"bytes"`
	Mtime  time.Time `json:"mtime"`
}

func fileID(path string) (FileID, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return FileID{}, err
	}
	id := FileID{Bytes: info.Size(), Mtime: info.ModTime().UTC()}
	id.Device, id.Inode = deviceInode(info)
	return id, nil
}

// job is one prepared migration: the spec with its defaults, the VM as it is now, and where everything goes.
type job struct {
	deps    Deps
	spec    Spec
	vm      *vsphere.VM
	vcenter *vsphere.VCenter
	pool    *libvirt.StoragePool // nil: disks stay in dir
	name    string               // of the domain
	base    string               // of files
	dir     string               // artifacts
	diskDir string               // images: the storage pool's directory, or dir
	key     string
	disks   []PlanDisk // all of the VM's, skipped ones included
	journal *journal.Journal
}

func (j *job) jobDir() string { return JobDir(j.dir, j.key) }

func (j *job) domainUUID() string { return DomainUUID(j.key) }

// wanted are the disks that are not skipped, in boot order.
func (j *job) wanted() []PlanDisk {
	var disks []PlanDisk
	for _, d := range j.disks {
		if !d.Skip {
			disks = append(disks, d)
		}
	}
	return disks
}

// exportSpec is what the export stage asks for.
func (j *job) exportSpec() export.Spec {
	s := export.Spec{
		Name: j.base, Dir: j.dir, Keep: j.spec.Keep, Compression: j.spec.Compression,
		Verify: j.spec.Verify.Checksum, Checksum: j.spec.Verify.Checksum, Parallel: j.spec.Parallel,
	}
	for _, d := range j.wanted() {
		s.Disks = append(s.Disks, export.DiskSpec{ID: d.ID, Address: d.Address, Path: d.Path, Format: d.Format})
	}
	return s
}

// copySpec is what makes one copy another than before: not how fast or how carefully it is made.
func (j *job) copySpec() export.Spec {
	s := j.exportSpec()
	s.Parallel, s.Verify, s.Checksum = 0, false, false
	return s
}

// prepare finds the VM and decides names and places. It changes nothing.
func prepare(ctx context.Context, deps Deps, spec Spec) (*job, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	spec = spec.withDefaults()
	vm, err := deps.VSphere.GetVM(ctx, spec.VM)
	if err != nil {
		return nil, err
	}
	vcenter, err := deps.VSphere.GetVCenter(ctx)
	if err != nil {
		return nil, err
	}
	j := &job{deps: deps, spec: spec, vm: vm, vcenter: vcenter, dir: spec.Dir, name: spec.Name}
	if j.name == "" {
		j.name = fileBase(vm.Name)
	}
	j.base = fileBase(j.name)
	if j.base == "" {
		return nil, sdk.WithHint(sdk.Invalidf("the VM's name %q gives no file name", vm.Name), "set name")
	}
	uri := ""
	diskDir := j.dir
	if t := spec.Target; t != nil {
		uri = t.URI
		if t.Pool != "" {
			if j.pool, err = deps.Libvirt.GetStoragePool(ctx, t.Pool); err != nil {
				return nil, fmt.Errorf("storage pool %q: %w", t.Pool, err)
			}
			diskDir = j.pool.Path
		}
	}
	if j.dir == "" {
		j.dir = diskDir
	}
	j.diskDir = diskDir
	j.key = JobKey(vcenter.InstanceUUID, vm.InstanceUUID, uri, j.name)
	j.disks = planDisks(spec, vm, diskDir, j.base)
	return j, nil
}

// planDisks numbers the disks in boot order and says where each goes.
func planDisks(spec Spec, vm *vsphere.VM, dir, base string) []PlanDisk {
	var disks []PlanDisk
	for i, d := range vm.Disks {
		want, ok := spec.Disks[d.Address]
		if !ok {
			want = spec.Disks["*"]
		}
		p := PlanDisk{ID: fmt.Sprintf("disk-%d", i), Address: d.Address, CapacityBytes: d.CapacityBytes, Transport: "nfc", Skip: want.Skip}
		if spec.Convert && !p.Skip {
			p.Format = want.Format
			setDefault(&p.Format, spec.Format)
			p.Path = filepath.Join(dir, fmt.Sprintf("%s-%s.%s", base, p.ID, p.Format))
		}
		disks = append(disks, p)
	}
	return disks
}

// loadRecord reads a job's journal without owning it.
func loadRecord(dir, key string) (*journal.Record, *State, error) {
	rec, err := journal.Read(JobDir(dir, key))
	if err != nil {
		return nil, nil, err
	}
	var s State
	if _, err := rec.Get(stateSection, &s); err != nil {
		return nil, nil, err
	}
	return rec, &s, nil
}

// Load reads what is known of a job from its directory. sdk.ErrNotFound when there is no journal.
func Load(dir, jobKey string) (*Result, error) {
	_, s, err := loadRecord(dir, jobKey)
	if err != nil {
		return nil, err
	}
	if s.Status == sdk.Running && !journal.Owned(JobDir(dir, jobKey)) {
		s.Status = sdk.Interrupted
	}
	return &s.Result, nil
}

// save writes the state down before something is done that a resume must know of.
func (s *State) save() error { return s.job.journal.Put(stateSection, s) }

// OnlyForward tells the pipeline that nothing is undone once overlays are being merged.
func (s *State) OnlyForward() bool { return s.Committing }

// closeAppliance ends the appliance if one runs; it works after cancellation.
func (s *State) closeAppliance(ctx context.Context) error {
	if s.appliance == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	err := s.appliance.Close(ctx)
	s.appliance = nil
	return err
}

// exists says whether a path is there at all.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}
