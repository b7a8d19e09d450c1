package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/preflight"
)

var _ datasource.DataSourceWithConfigure = (*preflightDataSource)(nil)

// failOnNothing is the word of fail_on by which findings are only shown.
const failOnNothing = "none"

func newPreflightDataSource() datasource.DataSource { return &preflightDataSource{} }

// preflightDataSource says what a migration would meet, and makes nothing.
type preflightDataSource struct{ dataBase }

// preflightSourceModel is the data source's configuration and state.
type preflightSourceModel struct {
	Source      types.String   `tfsdk:"source"`
	Target      *targetModel   `tfsdk:"target"`
	Convert     *convertModel  `tfsdk:"convert"`
	SourceAfter types.String   `tfsdk:"source_after"`
	FailOn      types.String   `tfsdk:"fail_on"`
	Ignore      []string       `tfsdk:"ignore"`
	Timeouts    timeouts.Value `tfsdk:"timeouts"`

	ID         types.String   `tfsdk:"id"`
	OK         types.Bool     `tfsdk:"ok"`
	Counts     *findingCounts `tfsdk:"counts"`
	Findings   types.List     `tfsdk:"findings"`
	Name       types.String   `tfsdk:"name"`
	SourceUUID types.String   `tfsdk:"source_uuid"`
	DomainUUID types.String   `tfsdk:"domain_uuid"`
	NeedBytes  types.Int64    `tfsdk:"need_bytes"`
	FreeBytes  types.Int64    `tfsdk:"free_bytes"`
}

// findingCounts is how many findings there are of each severity.
type findingCounts struct {
	Critical int64 `tfsdk:"critical"`
	Warning  int64 `tfsdk:"warning"`
	Info     int64 `tfsdk:"info"`
}

// Metadata names the data source.
func (d *preflightDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_preflight"
}

// Read runs the pre-flight checks of the migration that the configuration describes.
func (d *preflightDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m preflightSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	ctx, cancel := withReadTimeout(ctx, req.Config, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !d.known(&resp.Diagnostics) {
		return
	}
	settings := d.conns.get()
	if m.Target.URI.IsNull() && settings.libvirtUnknown {
		resp.Diagnostics.AddAttributeError(path.Root("target").AtName("uri"), "The target is not known yet",
			"The provider block's libvirt.uri comes from a resource that does not exist yet. Give target.uri, or apply that resource first.")
		return
	}
	migration := m.migration(settings.libvirtURI)
	deps, ok := (&migrationResource{conns: d.conns}).deps(ctx, migration.Target.URI.ValueString(), &resp.Diagnostics)
	if !ok {
		return
	}
	preview, err := migrate.Preview(ctx, deps, migration.spec())
	if err != nil {
		at := path.Root("source")
		if errors.Is(err, context.DeadlineExceeded) {
			at = path.Root("timeouts")
		}
		resp.Diagnostics.AddAttributeError(at, fmt.Sprintf("Cannot check %q", m.Source.ValueString()), detail(err))
		return
	}
	m.refuse(preview.Findings, &resp.Diagnostics)
	resp.Diagnostics.Append(m.set(ctx, preview, migration.Target.URI.ValueString())...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// migration is the resource that the data source speaks of.
func (m *preflightSourceModel) migration(defaultURI string) *migrationModel {
	target := *m.Target
	target.URI = types.StringValue(stringOr(target.URI, defaultURI))
	target.Pool = types.StringValue(stringOr(target.Pool, "default"))
	return &migrationModel{Source: m.Source, Target: &target, Convert: m.Convert, SourceAfter: m.SourceAfter}
}

// refuse adds the findings that fail_on names as errors. Others are only shown in the result.
func (m *preflightSourceModel) refuse(findings []sdk.Finding, diags *diag.Diagnostics) {
	for _, f := range preflight.Blocking(findings, stringOr(m.FailOn, failOnNothing), m.Ignore) {
		diags.AddAttributeError(findingPath(f.ID), "Pre-flight: "+f.ID, fmt.Sprintf(
			"%s\n\n%s\n\nTo go on all the same, add %q to ignore, or leave fail_on out.", sentence(f.Text), sentence(f.Action), f.ID))
	}
}

// set takes over the result. Without fail_on, ok is what hypersdk_migration would say: it stops at what is critical.
func (m *preflightSourceModel) set(ctx context.Context, p *migrate.Plan, uri string) diag.Diagnostics {
	least := stringOr(m.FailOn, failOnNothing)
	if least == failOnNothing {
		least = string(sdk.Critical)
	}
	m.OK = types.BoolValue(len(preflight.Blocking(p.Findings, least, m.Ignore)) == 0)
	m.Counts = &findingCounts{}
	for _, f := range p.Findings {
		switch f.Severity {
		case sdk.Critical:
			m.Counts.Critical++
		case sdk.Warning:
			m.Counts.Warning++
		case sdk.Info:
			m.Counts.Info++
		}
	}
	m.ID = types.StringValue(migrationID(uri, p.DomainUUID))
	m.Name, m.SourceUUID, m.DomainUUID = types.StringValue(p.Name), types.StringValue(p.VM.InstanceUUID), types.StringValue(p.DomainUUID)
	m.NeedBytes, m.FreeBytes = types.Int64Value(p.NeedBytes), types.Int64Null()
	if p.FreeBytes >= 0 {
		m.FreeBytes = types.Int64Value(p.FreeBytes)
	}
	var diags diag.Diagnostics
	m.Findings, diags = findingList(ctx, p.Findings)
	return diags
}
