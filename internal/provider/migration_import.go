package provider

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
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
	for attribute, value := range map[string]any{
		"id": migrationID(who.URI.ValueString(), who.DomainUUID.ValueString()), "domain_uuid": who.DomainUUID,
		"until": migrate.UntilCutover, "mode": "cold", "executor": "local", "on_destroy": string(migrate.RemoveDomain),
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("target").AtName("uri"), who.URI)...)
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, who)...)
	}
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
	result := importedResult(domain)
	if len(domain.Disks) > 0 {
		job := jobRef{Dir: filepath.Dir(domain.Disks[0]), Key: domain.Metadata.JobKey}
		if loaded, err := job.load(); err == nil {
			if loaded.Status != sdk.Succeeded {
				resp.Diagnostics.AddError("The migration is not finished", fmt.Sprintf("Domain %q belongs to a migration that is %s at the stage %q. "+
					"Apply the resource that started it, or create one of the same source and target: it goes on from there.", domain.Name, loaded.Status, loaded.Stage))
				return
			}
			result = loaded
		}
	}
	uri, domainUUID := state.Target.URI, state.DomainUUID
	findings, d := findingList(ctx, nil)
	resp.Diagnostics.Append(d...)
	state.Findings = findings
	resp.Diagnostics.Append(state.setResult(ctx, result, 100)...)
	state.Target.URI, state.DomainUUID = uri, domainUUID
	state.ID = types.StringValue(migrationID(uri.ValueString(), domainUUID.ValueString()))
	state.setDomain(domain)
	if result.Dir == "" {
		state.WorkDir = types.StringNull() // no journal beside the disks
	}
}

func importedResult(domain *libvirt.Domain) *migrate.Result {
	result := &migrate.Result{
		JobKey: domain.Metadata.JobKey, InstanceUUID: domain.Metadata.InstanceUUID, Name: domain.Name, Status: sdk.Succeeded,
	}
	for _, file := range domain.Disks {
		result.Disks = append(result.Disks, export.Disk{Path: file})
	}
	return result
}
