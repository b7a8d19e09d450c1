package migrate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

// defineStage defines the domain with its final disks, switched off.
type defineStage struct{}

func (defineStage) Name() string { return stageDefine }

func (defineStage) Inputs(s *State) any {
	t := *s.job.spec.Target
	t.Power = "" // the start stage's
	return t
}

func (defineStage) Does(j *job) string {
	return fmt.Sprintf("define domain %q (%s) in %s", j.name, j.domainUUID(), j.spec.Target.URI)
}

// Stands checks that the domain is still defined.
func (defineStage) Stands(ctx context.Context, s *State) error {
	_, err := s.job.deps.Libvirt.GetDomain(ctx, s.job.domainUUID())
	return err
}

func (defineStage) Run(ctx context.Context, s *State, _ sdk.ProgressFunc) error {
	if err := s.refuseForeignDomain(ctx); err != nil {
		return err
	}
	spec, err := domainSpec(ctx, s)
	if err != nil {
		return err
	}
	s.Defined = true // written down first: whoever finds the domain knows that it is this job's
	if err := s.save(); err != nil {
		return err
	}
	return s.define(ctx, spec)
}

// refuseForeignDomain guards the UUID: it is derived, so the same VM migrated into another directory has it too.
func (s *State) refuseForeignDomain(ctx context.Context) error {
	if s.Defined {
		return nil
	}
	domain, err := s.job.deps.Libvirt.GetDomain(ctx, s.job.domainUUID())
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return sdk.WithHint(sdk.Conflictf("domain %q is this VM already, migrated by another job; its disks are %v", domain.Name, domain.Disks),
		"go on in that job's directory, undefine the domain, or choose another name for a second copy")
}

// Undo removes the definition; the disks stay.
func (defineStage) Undo(ctx context.Context, s *State) error {
	if !s.Defined {
		return nil
	}
	err := s.job.deps.Libvirt.Undefine(ctx, s.job.domainUUID())
	if err == nil {
		s.Defined = false
	}
	return err
}

// define defines the domain and keeps its XML for a person and its spec for a later redefine.
func (s *State) define(ctx context.Context, spec libvirt.DomainSpec) error {
	xml, err := libvirt.DomainXML(spec)
	if err != nil {
		return err
	}
	path := filepath.Join(s.job.jobDir(), "domain.xml")
	if err := journal.WriteFile(path, []byte(xml), 0o600); err != nil {
		return err
	}
	if _, err := s.job.deps.Libvirt.Define(ctx, spec); err != nil {
		return fmt.Errorf("define domain %q: %w", spec.Name, err)
	}
	s.Domain, s.DomainXMLPath, s.DomainUUID = &spec, path, spec.UUID
	return nil
}

func domainSpec(ctx context.Context, s *State) (libvirt.DomainSpec, error) {
	j := s.job
	host, err := j.deps.Libvirt.GetHost(ctx)
	if err != nil {
		return libvirt.DomainSpec{}, err
	}
	spec := libvirt.DomainSpec{
		Name: j.name, UUID: j.domainUUID(),
		Description: "migrated from " + j.vm.Path,
		CPUs:        j.vm.CPUs, CoresPerCPU: j.vm.CoresPerSocket, MemoryMB: j.vm.MemoryMB,
		Firmware: j.vm.Firmware, SecureBoot: j.vm.SecureBoot,
		Acceleration: host.Acceleration, Emulator: host.Emulator, Machine: host.Machine,
		Hardware: j.spec.Target.Hardware[0], Autostart: j.spec.Target.Autostart,
		Metadata: libvirt.Metadata{
			JobKey: j.key, SourceVM: j.vm.Path, InstanceUUID: j.vm.InstanceUUID,
			VCenterUUID: j.vcenter.InstanceUUID, Version: j.deps.Version,
		},
	}
	for _, d := range s.Disks {
		spec.Disks = append(spec.Disks, libvirt.DomainDisk{Path: d.Path, Format: d.Format})
	}
	for _, nic := range j.vm.NICs {
		n, ok := j.network(nic.Network)
		if !ok {
			return spec, sdk.WithHint(sdk.Invalidf("%s is on network %q, which is mapped to nothing", nic.Label, nic.Network),
				"map it, or map \"*\"")
		}
		linkDown := !nic.StartConnected && !slices.Contains(s.Disconnected, nic.Key)
		spec.NICs = append(spec.NICs, libvirt.DomainNIC{MAC: nic.MAC, Bridge: n.Bridge, Network: n.Network, LinkDown: linkDown})
	}
	return spec, nil
}

// network is where a source network's adapters go.
func (j *job) network(source string) (NetworkSpec, bool) {
	n, ok := j.spec.Target.Networks[source]
	if !ok {
		n, ok = j.spec.Target.Networks["*"]
	}
	return n, ok
}

// bootStage proves that the guest boots, on throw-away overlays, before anything is committed.
type bootStage struct{}

func (bootStage) Name() string { return stageBoot }

func (bootStage) Inputs(s *State) any { return []any{s.job.spec.Verify, s.job.spec.Target.Hardware} }

func (bootStage) Does(j *job) string {
	return fmt.Sprintf("boot a throw-away copy on an isolated network and check: %s", j.spec.Verify.Boot)
}

func (bootStage) Run(ctx context.Context, s *State, report sdk.ProgressFunc) error {
	report = withStage(report, stageBoot)
	for _, hardware := range s.job.spec.Target.Hardware {
		report.Report(sdk.Progress{Message: fmt.Sprintf("booting on %s hardware", hardware)})
		result, err := s.tryBoot(ctx, hardware, report)
		if err != nil {
			return err
		}
		s.Boot = result
		if !result.OK {
			continue
		}
		if hardware == s.Domain.Hardware {
			return nil
		}
		spec := *s.Domain
		spec.Hardware = hardware
		s.addFindings([]sdk.Finding{{
			ID: "boot.hardware.fallback", Severity: sdk.Warning,
			Text:   fmt.Sprintf("the guest did not boot on %s hardware and does on %s", s.Domain.Hardware, hardware),
			Action: "it runs on slower devices; add the virtio drivers in the guest and redefine it",
		}})
		return s.define(ctx, spec)
	}
	next := "the converted disks are kept as exported, so a retry does not copy them again"
	if s.ShutDown {
		next = "the source is started again, so a retry shuts it down and copies anew"
	}
	return sdk.WithHint(fmt.Errorf("the guest did not boot on %s hardware: %s", s.Boot.Hardware, s.Boot.Evidence),
		"the console log is %s; %s", s.Boot.ConsoleLog, next)
}

// tryBoot boots throw-away overlays once.
func (s *State) tryBoot(ctx context.Context, hardware libvirt.Hardware, report sdk.ProgressFunc) (*libvirt.BootResult, error) {
	spec := *s.Domain
	spec.Hardware, spec.Autostart, spec.Disks = hardware, false, nil
	for _, d := range s.Disks {
		path := filepath.Join(s.job.jobDir(), d.ID+".boot.qcow2")
		if err := s.throwAway(ctx, path, d); err != nil {
			return nil, fmt.Errorf("throw-away overlay of %s: %w", d.ID, err)
		}
		defer removeQuietly(path)
		spec.Disks = append(spec.Disks, libvirt.DomainDisk{Path: path, Format: FormatQcow2})
	}
	v := s.job.spec.Verify
	return s.job.deps.Libvirt.BootCheck(ctx, libvirt.BootSpec{
		Domain: spec, Check: v.Boot, Marker: v.BootMarker, Timeout: v.BootTimeout, Dir: s.job.jobDir(),
	}, report)
}

// throwAway makes an overlay above what holds a disk's newest content: FIX's overlay, or the disk itself.
func (s *State) throwAway(ctx context.Context, path string, d export.Disk) error {
	for _, o := range s.Overlays {
		if o.Base == d.Path && exists(o.Path) {
			return qemuimg.StackOverlay(ctx, path, o.Path, o.Base)
		}
	}
	return qemuimg.CreateOverlay(ctx, path, d.Path, d.Format)
}

// sourceStage makes a power-on of the source by mistake harmless.
type sourceStage struct{}

func (sourceStage) Name() string        { return stageSource }
func (sourceStage) Inputs(s *State) any { return s.job.spec.SourceAfter }
func (sourceStage) Does(*job) string    { return "make the source's adapters start disconnected" }

func (sourceStage) Run(ctx context.Context, s *State, _ sdk.ProgressFunc) error {
	for _, nic := range s.job.vm.NICs {
		if nic.StartConnected {
			s.Disconnected = append(s.Disconnected, nic.Key)
		}
	}
	if err := s.save(); err != nil {
		return err
	}
	if err := s.job.deps.VSphere.DisconnectNICs(ctx, s.job.vm); err != nil {
		return err
	}
	vm, err := s.job.deps.VSphere.GetVM(ctx, s.job.vm.Ref)
	if err != nil {
		return err
	}
	s.job.vm, s.SourceVersion = vm, vm.ChangeVersion // our own change does not make the copy stale
	return nil
}

// Undo reconnects what Run disconnected.
func (sourceStage) Undo(ctx context.Context, s *State) error {
	if len(s.Disconnected) == 0 {
		return nil
	}
	err := s.job.deps.VSphere.ReconnectNICs(ctx, s.job.vm, s.Disconnected)
	if err == nil {
		s.Disconnected = nil
	}
	return err
}

// startStage starts the real domain.
type startStage struct{}

func (startStage) Name() string        { return stageStart }
func (startStage) Inputs(s *State) any { return s.job.spec.Target.Power }
func (startStage) Does(*job) string    { return "start the domain" }

func (startStage) Run(ctx context.Context, s *State, _ sdk.ProgressFunc) error {
	if err := s.job.deps.Libvirt.Start(ctx, s.job.domainUUID()); err != nil {
		return fmt.Errorf("start domain %q: %w", s.job.name, err)
	}
	s.DowntimeSeconds = time.Since(s.OutageStart).Round(time.Second).Seconds()
	return nil
}
