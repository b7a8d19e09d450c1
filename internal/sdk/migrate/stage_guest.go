package migrate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/guest"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

// The guest stages share one appliance over one set of overlays, so they stand or run again together: inspect stands only
// when the overlays are as the last of them left them.

// guestInputs are what all three are asked to do. Of the adapters only what FIX pins: their links come and go.
func guestInputs(s *State) any {
	var macs []string
	for _, nic := range s.job.vm.NICs {
		macs = append(macs, nic.MAC)
	}
	return []any{s.job.spec.Pipeline, macs}
}

func lastGuestStage(j *job) string {
	last := ""
	for _, st := range stages(j) {
		switch st.Name() {
		case stageInspect, stageFix, stageValidate:
			last = st.Name()
		}
	}
	return last
}

func guestStands(s *State) error {
	if s.Committing {
		return nil
	}
	last := lastGuestStage(s.job)
	if status := s.job.journal.Stage(last).Status; status != sdk.Succeeded {
		return fmt.Errorf("%s did not end", last)
	}
	for _, o := range s.Overlays {
		id, err := fileID(o.Path)
		if err != nil {
			return err
		}
		if id != o.ID {
			return fmt.Errorf("%s is not as it was left", o.Path)
		}
	}
	return nil
}

// openGuest makes fresh overlays when FIX will write, and launches the appliance. A second call is a no-op.
func (s *State) openGuest(ctx context.Context) error {
	if s.appliance != nil {
		return nil
	}
	disks, err := s.guestDisks(ctx)
	if err != nil {
		return err
	}
	s.appliance, err = guest.Open(ctx, guest.Spec{Disks: disks, ReadOnly: !s.job.spec.Pipeline.Fix, Logger: s.job.deps.Logger})
	return err
}

func (s *State) guestDisks(ctx context.Context) ([]guest.Disk, error) {
	var disks []guest.Disk
	s.Overlays = nil
	for _, d := range s.Disks {
		if !s.job.spec.Pipeline.Fix {
			disks = append(disks, guest.Disk{Path: d.Path, Format: d.Format})
			continue
		}
		o := Overlay{Path: filepath.Join(s.job.jobDir(), d.ID+".overlay.qcow2"), Base: d.Path}
		if err := qemuimg.CreateOverlay(ctx, o.Path, d.Path, d.Format); err != nil {
			return nil, fmt.Errorf("overlay of %s: %w", d.ID, err)
		}
		s.Overlays = append(s.Overlays, o)
		disks = append(disks, guest.Disk{Path: o.Path, Format: FormatQcow2})
	}
	return disks, nil
}

// endGuest closes the appliance after the last guest stage and remembers the overlays as they are.
func (s *State) endGuest(ctx context.Context, stage string) error {
	if stage != lastGuestStage(s.job) {
		return nil
	}
	if err := s.closeAppliance(ctx); err != nil {
		return err
	}
	for i, o := range s.Overlays {
		if err := qemuimg.Check(ctx, o.Path, FormatQcow2); err != nil {
			return fmt.Errorf("overlay of %s: %w", o.Base, err)
		}
		id, err := fileID(o.Path)
		if err != nil {
			return err
		}
		s.Overlays[i].ID = id
	}
	return nil
}

// inspectStage finds out what the guest is.
type inspectStage struct{}

func (inspectStage) Name() string        { return stageInspect }
func (inspectStage) Inputs(s *State) any { return guestInputs(s) }
func (inspectStage) Does(*job) string    { return "find out what the guest is, in a libguestfs appliance" }

func (inspectStage) Stands(_ context.Context, s *State) error { return guestStands(s) }

func (inspectStage) Run(ctx context.Context, s *State, _ sdk.ProgressFunc) error {
	if err := s.openGuest(ctx); err != nil {
		return err
	}
	found, err := s.appliance.Inspect(ctx)
	if err != nil {
		return err
	}
	s.Inspection = found
	s.addFindings(found.Findings)
	return s.endGuest(ctx, stageInspect)
}

// fixStage makes the guest boot on the target's hardware, in the overlays.
type fixStage struct{}

func (fixStage) Name() string        { return stageFix }
func (fixStage) Inputs(s *State) any { return guestInputs(s) }

func (fixStage) Does(j *job) string {
	if j.spec.Pipeline.Engine == EngineVirtV2V {
		return "convert the guest with virt-v2v-in-place, in overlays"
	}
	return fmt.Sprintf("fstab (%s), boot loader, initramfs with virtio, interface names, VMware tools; in overlays", j.spec.Pipeline.Fstab)
}

func (fixStage) Stands(_ context.Context, s *State) error { return guestStands(s) }

func (fixStage) Run(ctx context.Context, s *State, report sdk.ProgressFunc) error {
	report = withStage(report, stageFix)
	result, err := s.fix(ctx, report)
	if err != nil {
		return err
	}
	s.Edits = result.Edits
	s.addFindings(result.Findings)
	return s.endGuest(ctx, stageFix)
}

func (s *State) fix(ctx context.Context, report sdk.ProgressFunc) (*guest.FixResult, error) {
	p := s.job.spec.Pipeline
	if p.Engine == EngineVirtV2V {
		if err := s.closeAppliance(ctx); err != nil {
			return nil, err
		}
		disks, err := s.guestDisks(ctx)
		if err != nil {
			return nil, err
		}
		return guest.FixWithVirtV2V(ctx, disks, s.job.deps.Logger, report)
	}
	spec := guest.FixSpec{Fstab: p.Fstab, Bootloader: true, Initramfs: true, Network: true, VMwareTools: true, DryRun: p.DryRun}
	for _, nic := range s.job.vm.NICs {
		spec.NICs = append(spec.NICs, guest.NIC{MAC: nic.MAC})
	}
	result, err := s.appliance.Fix(ctx, spec, report)
	if errors.Is(err, sdk.ErrInvalid) {
		err = sdk.WithHint(err, "the virt-v2v engine may know this guest: engine = virt-v2v")
	}
	return result, err
}

// validateStage reads back what FIX wrote and checks the images.
type validateStage struct{}

func (validateStage) Name() string        { return stageValidate }
func (validateStage) Inputs(s *State) any { return guestInputs(s) }
func (validateStage) Does(*job) string    { return "read the guest back; check the images" }

func (validateStage) Stands(_ context.Context, s *State) error { return guestStands(s) }

func (validateStage) Run(ctx context.Context, s *State, _ sdk.ProgressFunc) error {
	if s.appliance != nil {
		findings, err := s.appliance.Validate(ctx)
		if err != nil {
			return err
		}
		s.addFindings(findings)
		if err := refuseCritical(findings); err != nil && s.job.spec.Pipeline.Fix {
			return err
		}
	}
	for _, d := range s.Disks {
		if err := checkImage(ctx, d.Path, d.Format); err != nil {
			return fmt.Errorf("%s: %w", d.ID, err)
		}
	}
	return s.endGuest(ctx, stageValidate)
}

// checkImage runs qemu-img check; a raw image has nothing to check.
func checkImage(ctx context.Context, path, format string) error {
	if format == FormatRaw {
		return nil
	}
	return qemuimg.Check(ctx, path, format)
}

func refuseCritical(findings []sdk.Finding) error {
	for _, f := range findings {
		if f.Severity == sdk.Critical {
			return sdk.WithHint(sdk.Invalidf("%s: %s", f.ID, f.Text), "%s", f.Action)
		}
	}
	return nil
}

// addFindings keeps one finding an id and text, so that a resume does not repeat them.
func (s *State) addFindings(found []sdk.Finding) {
	for _, f := range found {
		if !containsFinding(s.Findings, f) {
			s.Findings = append(s.Findings, f)
		}
	}
}

func containsFinding(list []sdk.Finding, f sdk.Finding) bool {
	for _, have := range list {
		if have.ID == f.ID && have.Text == f.Text {
			return true
		}
	}
	return false
}

func withStage(report sdk.ProgressFunc, name string) sdk.ProgressFunc {
	return func(p sdk.Progress) {
		p.Stage = name
		report.Report(p)
	}
}
