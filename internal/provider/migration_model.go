package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// engineNone is the door's word for a migration without a pipeline.
const engineNone = "none"

// The words of condition.
const (
	conditionOK            = "ok"
	conditionDomainMissing = "domain_missing"
	conditionDiskMissing   = "disk_missing"
)

// migrationModel is the resource's configuration, plan and state.
type migrationModel struct {
	Source      types.String    `tfsdk:"source"`
	Target      *targetModel    `tfsdk:"target"`
	Until       types.String    `tfsdk:"until"`
	Mode        types.String    `tfsdk:"mode"`
	Convert     *convertModel   `tfsdk:"convert"`
	Verify      *verifyModel    `tfsdk:"verify"`
	SourceAfter types.String    `tfsdk:"source_after"`
	Preflight   *preflightModel `tfsdk:"preflight"`
	Executor    types.String    `tfsdk:"executor"`
	OnDestroy   types.String    `tfsdk:"on_destroy"`
	Timeouts    timeouts.Value  `tfsdk:"timeouts"`

	ID                  types.String  `tfsdk:"id"`
	JobID               types.String  `tfsdk:"job_id"`
	Status              types.String  `tfsdk:"status"`
	CurrentStage        types.String  `tfsdk:"current_stage"`
	Progress            types.Int64   `tfsdk:"progress"`
	Condition           types.String  `tfsdk:"condition"`
	SourceUUID          types.String  `tfsdk:"source_uuid"`
	SourceChangeVersion types.String  `tfsdk:"source_change_version"`
	DomainUUID          types.String  `tfsdk:"domain_uuid"`
	DomainState         types.String  `tfsdk:"domain_state"`
	BootEvidence        types.String  `tfsdk:"boot_evidence"`
	ManifestPath        types.String  `tfsdk:"manifest_path"`
	ReportPath          types.String  `tfsdk:"report_path"`
	WorkDir             types.String  `tfsdk:"work_dir"`
	BytesCopied         types.Int64   `tfsdk:"bytes_copied"`
	DowntimeSeconds     types.Float64 `tfsdk:"downtime_seconds"`
	FinishedAt          types.String  `tfsdk:"finished_at"`
	Disks               types.List    `tfsdk:"disks"`
	Findings            types.List    `tfsdk:"findings"`
}

type targetModel struct {
	URI       types.String                `tfsdk:"uri"`
	Name      types.String                `tfsdk:"name"`
	Pool      types.String                `tfsdk:"pool"`
	Autostart types.Bool                  `tfsdk:"autostart"`
	Power     types.String                `tfsdk:"power"`
	Hardware  []string                    `tfsdk:"hardware"`
	Networks  map[string]networkModel     `tfsdk:"networks"`
	Disks     map[string]diskRequestModel `tfsdk:"disks"`
}

type networkModel struct {
	Bridge  types.String `tfsdk:"bridge"`
	Network types.String `tfsdk:"network"`
}

type diskRequestModel struct {
	Format types.String `tfsdk:"format"`
	Skip   types.Bool   `tfsdk:"skip"`
}

type convertModel struct {
	Fstab         types.String `tfsdk:"fstab"`
	CompressLevel types.Int64  `tfsdk:"compress_level"`
	Engine        types.String `tfsdk:"engine"`
}

type verifyModel struct {
	Checksum    types.Bool   `tfsdk:"checksum"`
	Boot        types.String `tfsdk:"boot"`
	BootMarker  types.String `tfsdk:"boot_marker"`
	BootTimeout types.String `tfsdk:"boot_timeout"`
}

type preflightModel struct {
	FailOn types.String `tfsdk:"fail_on"`
	Ignore []string     `tfsdk:"ignore"`
}

type diskModel struct {
	Address types.String `tfsdk:"address"`
	Path    types.String `tfsdk:"path"`
	Format  types.String `tfsdk:"format"`
	Bytes   types.Int64  `tfsdk:"bytes"`
	SHA256  types.String `tfsdk:"sha256"`
}

type findingModel struct {
	ID       types.String `tfsdk:"id"`
	Severity types.String `tfsdk:"severity"`
	Text     types.String `tfsdk:"text"`
	Action   types.String `tfsdk:"action"`
}

type identityModel struct {
	URI        types.String `tfsdk:"uri"`
	DomainUUID types.String `tfsdk:"domain_uuid"`
}

func (m *migrationModel) identity() identityModel {
	return identityModel{URI: m.Target.URI, DomainUUID: m.DomainUUID}
}

// spec asks the SDK for what the configuration says.
func (m *migrationModel) spec() migrate.Spec {
	s := migrate.Spec{
		VM:          m.Source.ValueString(),
		Name:        m.Target.Name.ValueString(),
		Convert:     true,
		Manifest:    true,
		Pipeline:    &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true},
		Target:      m.Target.spec(),
		Disks:       map[string]migrate.DiskSpec{},
		Until:       m.Until.ValueString(),
		Verify:      m.Verify.spec(),
		SourceAfter: m.SourceAfter.ValueString(),
	}
	for address, d := range m.Target.Disks {
		s.Disks[address] = migrate.DiskSpec{Format: d.Format.ValueString(), Skip: d.Skip.ValueBool()}
	}
	if c := m.Convert; c != nil {
		s.Pipeline.Fstab, s.Pipeline.Engine = c.Fstab.ValueString(), c.Engine.ValueString()
		if c.Engine.ValueString() == engineNone {
			s.Pipeline = nil
		}
		if level := c.CompressLevel.ValueInt64(); level > 0 {
			s.Compression = export.Compression{Mode: export.Deflate, Level: int(level)}
		}
	}
	if p := m.Preflight; p != nil {
		s.Preflight = migrate.PreflightSpec{FailOn: p.FailOn.ValueString(), Ignore: p.Ignore}
	}
	return s
}

func (t *targetModel) spec() *migrate.TargetSpec {
	s := &migrate.TargetSpec{
		URI: t.URI.ValueString(), Pool: t.Pool.ValueString(), Autostart: t.Autostart.ValueBool(), Power: t.Power.ValueString(),
		Networks: map[string]migrate.NetworkSpec{},
	}
	for name, n := range t.Networks {
		s.Networks[name] = migrate.NetworkSpec{Bridge: n.Bridge.ValueString(), Network: n.Network.ValueString()}
	}
	for _, h := range t.Hardware {
		s.Hardware = append(s.Hardware, libvirt.Hardware(h))
	}
	return s
}

func (v *verifyModel) spec() migrate.VerifySpec {
	if v == nil {
		return migrate.VerifySpec{Checksum: true}
	}
	timeout, _ := time.ParseDuration(v.BootTimeout.ValueString()) // validated; empty is 0, the SDK's own default
	return migrate.VerifySpec{
		Checksum: v.Checksum.IsNull() || v.Checksum.ValueBool(),
		Boot:     v.Boot.ValueString(), BootMarker: v.BootMarker.ValueString(), BootTimeout: timeout,
	}
}

// finished says whether the domain is the user's now: nothing is left to do.
func (m *migrationModel) finished() bool {
	return m.Status.ValueString() == string(sdk.Succeeded) && m.Until.ValueString() == migrate.UntilCutover
}

// setResult takes over what a run made. Values that the plan already promised keep: Terraform insists, and they are the same.
func (m *migrationModel) setResult(ctx context.Context, r *migrate.Result, progress int64) diag.Diagnostics {
	var diags diag.Diagnostics
	m.DomainUUID = types.StringValue(migrate.DomainUUID(r.JobKey))
	m.ID = types.StringValue(migrationID(m.Target.URI.ValueString(), m.DomainUUID.ValueString()))
	m.Target.Name = types.StringValue(r.Name)
	m.SourceUUID = types.StringValue(r.InstanceUUID)
	m.SourceChangeVersion = textOrNull(r.ChangeVersion)
	m.Status = types.StringValue(string(r.Status))
	m.CurrentStage = textOrNull(r.Stage)
	m.Progress = types.Int64Value(progress)
	m.Condition = types.StringValue(conditionOK)
	m.DomainState = types.StringNull()
	m.BootEvidence = types.StringNull()
	if r.Boot != nil && r.Boot.OK {
		m.BootEvidence = textOrNull(r.Boot.Evidence)
	}
	m.ManifestPath, m.ReportPath = textOrNull(r.ManifestPath), textOrNull(r.ReportPath)
	m.WorkDir = types.StringValue(migrate.JobDir(r.Dir, r.JobKey))
	m.BytesCopied = types.Int64Value(r.BytesCopied)
	m.DowntimeSeconds = types.Float64Value(r.DowntimeSeconds)
	m.FinishedAt = types.StringNull()
	if !r.FinishedAt.IsZero() {
		m.FinishedAt = types.StringValue(r.FinishedAt.UTC().Format(time.RFC3339))
	}
	m.JobID = types.StringValue(r.JobKey)
	if m.finished() {
		m.JobID = types.StringNull()
	}
	var d diag.Diagnostics
	m.Disks, d = diskList(ctx, r.Disks)
	diags.Append(d...)
	if m.Findings.IsUnknown() || m.Findings.IsNull() {
		m.Findings, d = findingList(ctx, r.Findings)
		diags.Append(d...)
	}
	return diags
}

// setUnknown marks what a run will find out.
func (m *migrationModel) setUnknown() {
	m.JobID, m.Status, m.CurrentStage, m.Condition = types.StringUnknown(), types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.DomainState, m.BootEvidence, m.FinishedAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.ManifestPath, m.ReportPath, m.SourceChangeVersion = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.WorkDir = types.StringUnknown()
	m.Progress, m.BytesCopied, m.DowntimeSeconds = types.Int64Unknown(), types.Int64Unknown(), types.Float64Unknown()
	m.Disks, m.Findings = types.ListUnknown(objectOf(diskFields)), types.ListUnknown(objectOf(findingFields))
}

var (
	diskFields = map[string]attr.Type{
		"address": types.StringType, "path": types.StringType, "format": types.StringType, "bytes": types.Int64Type, "sha256": types.StringType,
	}
	findingFields = map[string]attr.Type{
		"id": types.StringType, "severity": types.StringType, "text": types.StringType, "action": types.StringType,
	}
)

func objectOf(fields map[string]attr.Type) attr.Type { return types.ObjectType{AttrTypes: fields} }

func diskList(ctx context.Context, disks []export.Disk) (types.List, diag.Diagnostics) {
	models := make([]diskModel, 0, len(disks))
	for _, d := range disks {
		models = append(models, diskModel{
			Address: textOrNull(d.Address), Path: textOrNull(d.Path), Format: textOrNull(d.Format),
			Bytes: types.Int64Value(d.Bytes), SHA256: textOrNull(d.SHA256),
		})
	}
	return types.ListValueFrom(ctx, objectOf(diskFields), models)
}

func findingList(ctx context.Context, findings []sdk.Finding) (types.List, diag.Diagnostics) {
	models := make([]findingModel, 0, len(findings))
	for _, f := range findings {
		models = append(models, findingModel{
			ID: types.StringValue(f.ID), Severity: types.StringValue(string(f.Severity)),
			Text: types.StringValue(f.Text), Action: types.StringValue(f.Action),
		})
	}
	return types.ListValueFrom(ctx, objectOf(findingFields), models)
}

func textOrNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}
