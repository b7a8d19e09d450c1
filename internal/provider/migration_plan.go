package provider

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// ModifyPlan shows in the plan what apply will meet: pre-flight findings, a resume, a new copy, drift that cannot be cured.
// It asks vCenter only when there is work to do, and asks nobody while the configuration is not known.
func (r *migrationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.conns == nil {
		return
	}
	var state *migrationModel
	if !req.State.Raw.IsNull() {
		state = &migrationModel{}
		resp.Diagnostics.Append(req.State.Get(ctx, state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if !req.Config.Raw.IsFullyKnown() {
		planUnknown(ctx, state, resp)
		return
	}
	var plan migrationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if state == nil {
		r.planCreate(ctx, &plan, &resp.Diagnostics)
	} else {
		r.planUpdate(ctx, state, &plan, resp)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	}
}

// planUnknown leaves open what apply will find out, when arguments come from resources that do not exist yet.
func planUnknown(ctx context.Context, state *migrationModel, resp *resource.ModifyPlanResponse) {
	if state == nil {
		return
	}
	target := path.Root("target")
	for _, a := range []struct {
		path path.Path
		was  types.String
	}{{path.Root("source"), state.Source}, {target.AtName("uri"), state.Target.URI}, {target.AtName("pool"), state.Target.Pool}} {
		if !a.was.IsNull() && isUnknown(ctx, resp, a.path) {
			resp.RequiresReplace = append(resp.RequiresReplace, a.path)
		}
	}
	if state.finished() && state.Condition.ValueString() == conditionOK {
		return
	}
	var open migrationModel
	open.setUnknown()
	for name, value := range map[string]any{
		"job_id": open.JobID, "status": open.Status, "current_stage": open.CurrentStage, "condition": open.Condition,
		"domain_state": open.DomainState, "boot_evidence": open.BootEvidence, "finished_at": open.FinishedAt,
		"manifest_path": open.ManifestPath, "report_path": open.ReportPath, "source_change_version": open.SourceChangeVersion,
		"work_dir": open.WorkDir,
		"progress": open.Progress, "bytes_copied": open.BytesCopied, "downtime_seconds": open.DowntimeSeconds,
		"disks": open.Disks, "findings": open.Findings,
	} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), value)...)
	}
}

// isUnknown says whether the planned argument, or the object that holds it, is not known yet.
func isUnknown(ctx context.Context, resp *resource.ModifyPlanResponse, p path.Path) bool {
	for parent := p; len(parent.Steps()) > 0; parent = parent.ParentPath() {
		var v attr.Value
		if d := resp.Plan.GetAttribute(ctx, parent, &v); !d.HasError() && v != nil && v.IsUnknown() {
			return true
		}
	}
	return false
}

func (r *migrationResource) planCreate(ctx context.Context, plan *migrationModel, diags *diag.Diagnostics) {
	if plan.Source.IsNull() {
		diags.AddAttributeError(path.Root("source"), "Which VM?", "source is needed to create a migration: give the VM's inventory path, "+
			"managed object id, instance UUID or unique name. To manage a domain that was migrated before, import it.")
		return
	}
	settings := r.conns.get()
	if plan.Target.URI.IsUnknown() {
		if settings.libvirtUnknown {
			return
		}
		plan.Target.URI = types.StringValue(settings.libvirtURI)
	}
	if settings.vsphereUnknown {
		return
	}
	preview := r.preview(ctx, plan, diags)
	if preview == nil {
		return
	}
	plan.setPreview(preview)
	findings, d := findingList(ctx, preview.Findings)
	plan.Findings = findings
	diags.Append(d...)
	if preview.Resume != "" {
		diags.AddAttributeWarning(path.Root("source"), "Goes on from an earlier run", fmt.Sprintf(
			"An earlier migration of this VM to this target left its journal in %s; this one goes on at the stage %q.", preview.Dir, preview.Resume))
	}
}

// setPreview takes over what is known before any work.
func (m *migrationModel) setPreview(p *migrate.Plan) {
	m.Target.Name = types.StringValue(p.Name)
	m.DomainUUID = types.StringValue(p.DomainUUID)
	m.ID = types.StringValue(migrationID(m.Target.URI.ValueString(), p.DomainUUID))
	m.SourceUUID = types.StringValue(p.VM.InstanceUUID)
}

// preview asks both sides and adds the findings; nil when something stops the plan.
func (r *migrationResource) preview(ctx context.Context, plan *migrationModel, diags *diag.Diagnostics) *migrate.Plan {
	deps, ok := r.deps(ctx, plan.Target.URI.ValueString(), diags)
	if !ok {
		return nil
	}
	preview, err := migrate.Preview(ctx, deps, plan.spec())
	if err != nil {
		diags.AddAttributeError(path.Root("source"), fmt.Sprintf("Cannot plan the migration of %q", plan.Source.ValueString()), detail(err))
		return nil
	}
	blocking := preview.Blocking
	if r.conns.isLeaving(plan.Target.URI.ValueString(), preview.Name) {
		preview.Findings, blocking = withoutOwnConflicts(preview.Findings), withoutOwnConflicts(blocking)
	}
	addFindings(diags, preview.Findings, blocking)
	if len(blocking) > 0 {
		return nil
	}
	return preview
}

// withoutOwnConflicts leaves out the conflicts with the domain that this very plan takes away.
func withoutOwnConflicts(findings []sdk.Finding) []sdk.Finding {
	var kept []sdk.Finding
	for _, f := range findings {
		if !strings.HasPrefix(f.ID, "target.domain.") && !strings.HasPrefix(f.ID, "target.mac.") && !strings.HasPrefix(f.ID, "target.file.") {
			kept = append(kept, f)
		}
	}
	return kept
}

func (r *migrationResource) planUpdate(ctx context.Context, state, plan *migrationModel, resp *resource.ModifyPlanResponse) {
	diags := &resp.Diagnostics
	if why := r.replaces(ctx, state, plan, diags); why != nil {
		resp.RequiresReplace = append(resp.RequiresReplace, why...)
		r.conns.replacing(state.Target.URI.ValueString(), state.Target.Name.ValueString())
		diags.AddAttributeWarning(why[0], "A new copy will be made", fmt.Sprintf(
			"The change of %s replaces the migration: %s, and a new copy is made from the source.", why[0], onDestroyText(state.OnDestroy.ValueString())))
		return
	}
	if state.finished() && plan.Until.ValueString() != migrate.UntilCutover {
		diags.AddAttributeError(path.Root("until"), "Cutover is done", "until goes forward only: the domain is defined already. "+
			"Set it back to cutover, or leave it out.")
		return
	}
	switch {
	case resumes(state, plan):
		r.planResume(ctx, state, plan, diags)
	case state.Condition.ValueString() == conditionDiskMissing:
		plan.Condition = types.StringUnknown()
		diags.AddAttributeWarning(path.Root("disks"), "A disk is gone", diskMissingText(state))
	case state.Condition.ValueString() == conditionDomainMissing:
		plan.Condition, plan.DomainState = types.StringUnknown(), types.StringUnknown()
		diags.AddAttributeWarning(path.Root("target").AtName("name"), "The domain is gone", fmt.Sprintf(
			"Domain %q is not defined any more, its disks are there. Apply defines it again, shut off; nothing is copied.", state.Target.Name.ValueString()))
	}
	warnFrozen(state, plan, diags)
}

// resumes says whether applying the plan continues the job.
func resumes(state, plan *migrationModel) bool {
	return state.Status.ValueString() != string(sdk.Succeeded) || state.Until.ValueString() != plan.Until.ValueString()
}

func (r *migrationResource) planResume(ctx context.Context, state, plan *migrationModel, diags *diag.Diagnostics) {
	uuid := plan.DomainUUID
	plan.setUnknown()
	if r.conns.get().vsphereUnknown {
		return
	}
	preview := r.preview(ctx, plan, diags)
	if preview == nil {
		return
	}
	if preview.DomainUUID != uuid.ValueString() {
		diags.AddAttributeError(path.Root("source"), "Another VM than before", fmt.Sprintf(
			"%q is VM %s now; the interrupted migration is of VM %s. Destroy it, or name that VM.",
			plan.Source.ValueString(), preview.VM.InstanceUUID, state.SourceUUID.ValueString()))
		return
	}
	findings, d := findingList(ctx, preview.Findings)
	plan.Findings = findings
	diags.Append(d...)
	stage := preview.Resume
	if stage == "" {
		stage = state.CurrentStage.ValueString()
	}
	diags.AddAttributeWarning(path.Root("source"), "Will resume", fmt.Sprintf(
		"The migration of %q is %s at the stage %q; apply goes on from there, in place.", plan.Source.ValueString(), state.Status.ValueString(), stage))
}

// replaces says which arguments make this another migration. Another spelling of the same VM does not.
func (r *migrationResource) replaces(ctx context.Context, state, plan *migrationModel, diags *diag.Diagnostics) path.Paths {
	target := path.Root("target")
	var why path.Paths
	if changed(state.Target.URI, plan.Target.URI) {
		why = append(why, target.AtName("uri"))
	}
	if changed(state.Target.Pool, plan.Target.Pool) {
		why = append(why, target.AtName("pool"))
	}
	if changed(state.Target.Name, plan.Target.Name) && !state.finished() {
		why = append(why, target.AtName("name"))
	}
	if changed(state.Source, plan.Source) && !r.sameVM(ctx, state, plan, diags) {
		why = append(why, path.Root("source"))
	}
	return why
}

// changed compares an argument that matters at creation; one that an import could not know, or that is not set any more,
// changes nothing.
func changed(was, is types.String) bool {
	return !was.IsNull() && !is.IsNull() && !is.Equal(was)
}

func (r *migrationResource) sameVM(ctx context.Context, state, plan *migrationModel, diags *diag.Diagnostics) bool {
	if r.conns.get().vsphereUnknown {
		return false
	}
	client, err := r.conns.vsphere(ctx)
	if err == nil {
		vm, verr := client.GetVM(ctx, plan.Source.ValueString())
		if verr == nil {
			return vm.InstanceUUID == state.SourceUUID.ValueString()
		}
		err = verr
	}
	diags.AddAttributeError(path.Root("source"), fmt.Sprintf("Cannot tell whether %q is another VM", plan.Source.ValueString()), detail(err))
	return true
}

// warnFrozen says which changes come too late.
func warnFrozen(state, plan *migrationModel, diags *diag.Diagnostics) {
	if state.Status.ValueString() != string(sdk.Succeeded) || state.Source.IsNull() {
		return // still to be done, or imported: nothing is known to have changed
	}
	target := path.Root("target")
	for _, f := range []struct {
		path    path.Path
		was, is any
	}{
		{path.Root("mode"), state.Mode, plan.Mode},
		{path.Root("convert"), state.Convert, plan.Convert},
		{path.Root("verify"), state.Verify, plan.Verify},
		{path.Root("source_after"), state.SourceAfter, plan.SourceAfter},
		{path.Root("preflight"), state.Preflight, plan.Preflight},
		{target.AtName("power"), state.Target.Power, plan.Target.Power},
		{target.AtName("hardware"), state.Target.Hardware, plan.Target.Hardware},
		{target.AtName("networks"), state.Target.Networks, plan.Target.Networks},
		{target.AtName("disks"), state.Target.Disks, plan.Target.Disks},
	} {
		if reflect.DeepEqual(f.was, f.is) {
			continue
		}
		if state.finished() {
			diags.AddAttributeWarning(f.path, "No effect", fmt.Sprintf(
				"The migration is over: the change of %s is recorded and changes nothing. To migrate anew with it, use terraform apply -replace.", f.path))
		} else if !resumes(state, plan) {
			diags.AddAttributeWarning(f.path, "No effect yet", fmt.Sprintf(
				"The change of %s takes effect when the migration goes on to cutover.", f.path))
		}
	}
}

func onDestroyText(policy string) string {
	switch migrate.Removal(policy) {
	case migrate.RemoveNothing:
		return "the old domain and its disks stay and are forgotten"
	case migrate.RemoveAllOfIt:
		return "the old domain and its disks are deleted"
	case migrate.RemoveDomain:
	}
	return "the old domain is undefined and its disks stay"
}
