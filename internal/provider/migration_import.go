package provider

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// migrationID is what import takes: the domain's UUID is unique on one host only.
func migrationID(uri, domainUUID string) string { return uri + "#" + domainUUID }

// parseMigrationID undoes migrationID.
func parseMigrationID(id string) (identityModel, error) {
	cut := strings.LastIndex(id, "#")
	if cut < 1 {
		return identityModel{}, sdk.Invalidf("want URI#UUID, such as qemu:///system#2f1c…, got %q", id)
	}
	parsed, err := uuid.Parse(id[cut+1:])
	if err != nil {
		return identityModel{}, sdk.Invalidf("want the UUID of the domain after #, got %q", id[cut+1:])
	}
	return identityModel{URI: types.StringValue(id[:cut]), DomainUUID: types.StringValue(parsed.String())}, nil
}

// ImportState takes URI#UUID or an identity; Read does the rest.
func (r *migrationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var who identityModel
	if req.ID != "" {
		var err error
		if who, err = parseMigrationID(req.ID); err != nil {
			resp.Diagnostics.AddError("Not the id of a migration", detail(err))
			return
		}
	} else {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &who)...)
	}
	resp.Diagnostics.Append(who.seed(ctx, resp.State.SetAttribute)...)
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, who)...)
	}
}

// seed sets what is known of a migration by its identity alone, arguments at their defaults.
func (who identityModel) seed(ctx context.Context, set func(context.Context, path.Path, any) diag.Diagnostics) diag.Diagnostics {
	var diags diag.Diagnostics
	for attribute, value := range map[string]any{
		"id": migrationID(who.URI.ValueString(), who.DomainUUID.ValueString()), "domain_uuid": who.DomainUUID,
		"until": migrate.UntilCutover, "mode": "cold", "executor": "local", "on_destroy": string(migrate.RemoveDomain),
	} {
		diags.Append(set(ctx, path.Root(attribute), value)...)
	}
	diags.Append(set(ctx, path.Root("target").AtName("uri"), who.URI)...)
	return diags
}

// readImported fills the state of a domain that was migrated elsewhere: from its journal when that is beside its disks, else
// from the domain alone. A domain that no migration made is refused: destroy would take it away.
func (r *migrationResource) readImported(ctx context.Context, domain *libvirt.Domain, state *migrationModel, resp *resource.ReadResponse) {
	switch {
	case domain == nil:
		resp.State.RemoveResource(ctx)
		return
	case domain.Metadata == nil:
		resp.Diagnostics.AddError("Not a migrated domain", fmt.Sprintf("Domain %q (%s) was not made by this provider or its commands. "+
			"Manage it with a libvirt provider instead.", domain.Name, domain.UUID))
		return
	}
	result, err := importedResult(domain)
	if err != nil {
		resp.Diagnostics.AddError("The migration is not finished", detail(err))
		return
	}
	resp.Diagnostics.Append(state.setImported(ctx, domain, result)...)
}

// setImported fills the state from what is known of a domain that was migrated elsewhere.
func (m *migrationModel) setImported(ctx context.Context, domain *libvirt.Domain, result *migrate.Result) diag.Diagnostics {
	uri, domainUUID := m.Target.URI, m.DomainUUID
	findings, diags := findingList(ctx, nil)
	m.Findings = findings
	diags.Append(m.setResult(ctx, result, 100)...)
	m.Target.URI, m.DomainUUID = uri, domainUUID
	m.ID = types.StringValue(migrationID(uri.ValueString(), domainUUID.ValueString()))
	m.setDomain(domain)
	if result.Dir == "" {
		m.WorkDir = types.StringNull() // no journal beside the disks
	}
	return diags
}

// importedResult is what the journal beside the disks says, else what the domain shows. A migration that is not finished is
// sdk.ErrConflict.
func importedResult(domain *libvirt.Domain) (*migrate.Result, error) {
	result := &migrate.Result{
		JobKey: domain.Metadata.JobKey, InstanceUUID: domain.Metadata.InstanceUUID, Name: domain.Name, Status: sdk.Succeeded,
	}
	for _, file := range domain.Disks {
		result.Disks = append(result.Disks, export.Disk{Path: file})
	}
	if len(domain.Disks) == 0 {
		return result, nil
	}
	loaded, err := jobRef{Dir: filepath.Dir(domain.Disks[0]), Key: domain.Metadata.JobKey}.load()
	switch {
	case err != nil:
		return result, nil //nolint:nilerr // there is no journal that can be read
	case loaded.Status != sdk.Succeeded:
		return nil, sdk.WithHint(sdk.Conflictf("domain %q belongs to a migration that is %s at the stage %q", domain.Name, loaded.Status, loaded.Stage),
			"apply the resource that started it, or create one of the same source and target: it goes on from there")
	}
	return loaded, nil
}
