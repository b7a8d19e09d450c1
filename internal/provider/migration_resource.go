package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

var (
	_ resource.ResourceWithConfigure   = (*migrationResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*migrationResource)(nil)
	_ resource.ResourceWithImportState = (*migrationResource)(nil)
	_ resource.ResourceWithIdentity    = (*migrationResource)(nil)
)

// The bounds of the verbs when timeouts names none.
const (
	defaultCreate = 24 * time.Hour
	defaultRead   = time.Minute
	defaultDelete = 10 * time.Minute

	// shutdownIn is how long a guest may take to shut down before its domain is undefined.
	shutdownIn = 5 * time.Minute
)

func newMigrationResource() resource.Resource { return &migrationResource{} }

// migrationResource moves one VM.
type migrationResource struct{ conns *connections }

// Metadata names the resource.
func (r *migrationResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_migration"
}

// Configure takes the process's connections over.
func (r *migrationResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if conns, ok := req.ProviderData.(*connections); ok {
		r.conns = conns
	}
}

// Create migrates, or adopts the journal of a run whose state was lost.
func (r *migrationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan migrationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Create(ctx, defaultCreate)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.Target.URI.IsUnknown() {
		plan.Target.URI = types.StringValue(r.conns.get().libvirtURI)
	}
	if !r.run(ctx, &plan, timeout, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
	}
}

// Update goes on with an unfinished migration, or changes what may change of a finished one.
func (r *migrationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var state, plan migrationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Update(ctx, defaultCreate)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	var done bool
	if resumes(&state, &plan) {
		done = r.run(ctx, &plan, timeout, &resp.Diagnostics)
	} else {
		done = r.adjust(ctx, &state, &plan, &resp.Diagnostics)
	}
	if !done {
		return // the state stays as it was
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
	}
}

// run drives the migration and writes what came of it into model. It returns false when nothing was begun.
func (r *migrationResource) run(ctx context.Context, model *migrationModel, timeout time.Duration, diags *diag.Diagnostics) bool {
	what := fmt.Sprintf("Migration of %q", model.Source.ValueString())
	release, err := r.conns.place(ctx, func() { tflog.Info(ctx, "queued: other migrations run in this process") })
	if err != nil {
		diags.AddError(what+" was interrupted before it began", "Nothing was made. Apply again.")
		return false
	}
	defer release()
	runCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	deps, ok := r.deps(runCtx, model.Target.URI.ValueString(), diags)
	if !ok {
		return false
	}
	progress := newProgress(logContext(ctx))
	result, err := migrate.Run(runCtx, deps, model.spec(), progress.report)
	if result == nil {
		r.explain(ctx, what, nil, err, diags)
		return false
	}
	percent := resultProgress(result)
	if percent == 0 {
		percent = progress.percent()
	}
	diags.Append(model.setResult(ctx, result, percent)...)
	if err == nil {
		r.readBack(ctx, deps.Libvirt, model, diags)
	} else {
		r.explain(ctx, what, result, err, diags)
	}
	return true
}

// explain turns a run's error into a diagnostic. An interruption is a warning: Terraform itself ends with an error, and a
// resource that is not tainted goes on in place.
func (r *migrationResource) explain(ctx context.Context, what string, result *migrate.Result, err error, diags *diag.Diagnostics) {
	switch {
	case result == nil && ctx.Err() != nil:
		diags.AddError(what+" was interrupted before it began", "Nothing was made. Apply again.")
	case result == nil:
		diags.AddAttributeError(path.Root("source"), what+" cannot begin", detail(err))
	case ctx.Err() != nil:
		diags.AddWarning(what+" was interrupted", fmt.Sprintf(
			"It stopped at the stage %q. What was copied stays in %s; apply again and it goes on from there, in place.", result.Stage, result.Dir))
	case errors.Is(err, context.DeadlineExceeded):
		diags.AddError(what+" ran out of time", fmt.Sprintf(
			"It stopped at the stage %q when timeouts.create (or update) was over. What was copied stays in %s; apply again and it goes on "+
				"from there, with a longer timeout if need be.", result.Stage, result.Dir))
	case result.Status == sdk.Succeeded:
		diags.AddError(what+" cannot be repeated", detail(err))
	default:
		diags.AddError(fmt.Sprintf("%s failed at the stage %q", what, result.Stage), failureText(result, err))
	}
}

func failureText(result *migrate.Result, err error) string {
	text := []string{failureCause(err)}
	if result.Boot != nil && !result.Boot.OK && result.Boot.Tail != "" {
		text = append(text, "The console's last lines:\n"+result.Boot.Tail)
	}
	text = append(text, sdk.Hints(err)...)
	if result.ReportPath != "" {
		text = append(text, "Report: "+result.ReportPath)
	}
	text = append(text, "The source is as it was; when this run had shut it down, it was started again. Apply again to retry: what still stands is not repeated.")
	return strings.Join(text, "\n\n")
}

// failureCause is the stage's own error: the diagnostic's title names the stage already.
func failureCause(err error) string {
	var partial *sdk.PartialError
	if !errors.As(err, &partial) {
		return err.Error()
	}
	var causes []string
	for _, cause := range partial.Failed {
		causes = append(causes, cause.Error())
	}
	return strings.Join(causes, "; ")
}

// readBack completes the state after success with what libvirt says of the domain.
func (r *migrationResource) readBack(ctx context.Context, client *libvirt.Client, model *migrationModel, diags *diag.Diagnostics) {
	if !model.finished() {
		return
	}
	domain, err := client.GetDomain(ctx, model.DomainUUID.ValueString())
	if err != nil {
		diags.AddWarning("The migration is done, but its domain cannot be read back", detail(err))
		return
	}
	model.DomainState = types.StringValue(domain.State)
}

// adjust brings a finished migration to what the plan says, without copying.
func (r *migrationResource) adjust(ctx context.Context, state, plan *migrationModel, diags *diag.Diagnostics) bool {
	if state.Condition.ValueString() == conditionDiskMissing {
		diags.AddAttributeError(path.Root("disks"), "A disk is gone", diskMissingText(state))
		return false
	}
	if !state.finished() {
		return true
	}
	client, err := r.conns.libvirt(ctx, state.Target.URI.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("target").AtName("uri"), "Cannot reach the target", detail(err))
		return false
	}
	if state.Condition.ValueString() == conditionDomainMissing {
		domain, err := r.redefine(ctx, client, state.job())
		if err != nil {
			diags.AddError("Cannot define the domain again", detail(err))
			return false
		}
		plan.Condition, plan.DomainState = types.StringValue(conditionOK), types.StringValue(domain.State)
		state.Target.Name, state.Target.Autostart = types.StringValue(domain.Name), types.BoolValue(domain.Autostart)
	}
	domainUUID := state.DomainUUID.ValueString()
	if name := plan.Target.Name; !name.Equal(state.Target.Name) {
		if err := client.Rename(ctx, domainUUID, name.ValueString()); err != nil {
			diags.AddAttributeError(path.Root("target").AtName("name"), "Cannot rename the domain", detail(err))
			return false
		}
	}
	if on := plan.Target.Autostart; !on.Equal(state.Target.Autostart) {
		if err := client.SetAutostart(ctx, domainUUID, on.ValueBool()); err != nil {
			diags.AddAttributeError(path.Root("target").AtName("autostart"), "Cannot switch autostart", detail(err))
			return false
		}
	}
	return true
}

func (r *migrationResource) redefine(ctx context.Context, client *libvirt.Client, job jobRef) (*libvirt.Domain, error) {
	if err := job.check(); err != nil {
		return nil, sdk.WithHint(err, "without it nobody knows the domain's definition; define it yourself under the same UUID")
	}
	return migrate.Redefine(ctx, migrate.Deps{Libvirt: client, Logger: r.conns.logger(ctx, logJob), Version: r.conns.version}, job.Dir, job.Key)
}

// Delete takes from the target what on_destroy says. It does not talk to vCenter.
func (r *migrationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state migrationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, d := state.Timeouts.Delete(ctx, defaultDelete)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, err := r.conns.libvirt(ctx, state.Target.URI.ValueString())
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("target").AtName("uri"), "Cannot reach the target", detail(err))
		return
	}
	policy, within := migrate.Removal(state.OnDestroy.ValueString()), min(shutdownIn, timeout/2)
	removed, err := r.remove(ctx, client, state.job(), policy, within)
	if errors.Is(err, sdk.ErrNotFound) {
		removed, err = removeWithoutJournal(ctx, client, &state, policy, within)
	}
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot remove domain %q", state.Target.Name.ValueString()), detail(err))
		return
	}
	warnKept(removed, policy, &resp.Diagnostics)
}

func (r *migrationResource) remove(ctx context.Context, client *libvirt.Client, job jobRef, policy migrate.Removal, within time.Duration) (*migrate.Removed, error) {
	if err := job.check(); err != nil {
		return nil, err
	}
	deps := migrate.Deps{Libvirt: client, Logger: r.conns.logger(ctx, logJob), Version: r.conns.version}
	return migrate.Remove(ctx, deps, job.Dir, job.Key, policy, within)
}

// removeWithoutJournal removes the domain alone: without the journal nobody knows which files are this migration's.
func removeWithoutJournal(ctx context.Context, client *libvirt.Client, state *migrationModel, policy migrate.Removal, within time.Duration) (*migrate.Removed, error) {
	removed := &migrate.Removed{Kept: stateDisks(state)}
	if policy == migrate.RemoveNothing || !state.finished() {
		return removed, nil
	}
	uuid := state.DomainUUID.ValueString()
	_, err := client.GetDomain(ctx, uuid)
	if errors.Is(err, sdk.ErrNotFound) {
		return removed, nil
	}
	if err == nil {
		err = client.Stop(ctx, uuid, within, true)
	}
	if err == nil {
		err = client.Undefine(ctx, uuid)
	}
	return removed, err
}

// warnKept lists what stays on the target.
func warnKept(removed *migrate.Removed, policy migrate.Removal, diags *diag.Diagnostics) {
	if removed == nil || len(removed.Kept) == 0 {
		return
	}
	files := strings.Join(removed.Kept, "\n")
	switch {
	case removed.Resumes:
		diags.AddWarning("What was copied stays", "The migration was not finished. Creating it again goes on from there; to start afresh, remove these files:\n\n"+files)
	case policy == migrate.RemoveNothing:
		diags.AddWarning("The domain and its disks stay", "on_destroy is keep: the migration is only forgotten.\n\n"+files)
	case policy == migrate.RemoveAllOfIt:
		diags.AddWarning("Some disks stay", "They are not, or cannot be shown to be, the files this migration made:\n\n"+files)
	default:
		diags.AddWarning("Disks stay", "on_destroy is undefine: the domain is gone, its disks are not.\n\n"+files)
	}
}

// deps connects to both sides.
func (r *migrationResource) deps(ctx context.Context, uri string, diags *diag.Diagnostics) (migrate.Deps, bool) {
	host, err := r.conns.libvirt(ctx, uri)
	if err != nil {
		diags.AddAttributeError(path.Root("target").AtName("uri"), "Cannot reach the target", detail(err))
		return migrate.Deps{}, false
	}
	vcenter, err := r.conns.vsphere(ctx)
	if err != nil {
		diags.AddError("Cannot reach vCenter", detail(err))
		return migrate.Deps{}, false
	}
	return migrate.Deps{VSphere: vcenter, Libvirt: host, Logger: r.conns.logger(ctx, logJob), Version: r.conns.version}, true
}

// resultProgress is 100 once the export is over, and 0 before: how far it is between only a running export knows.
func resultProgress(result *migrate.Result) int64 {
	if result.Status == sdk.Succeeded || len(result.Disks) > 0 {
		return 100
	}
	return 0
}
