package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// sourceCheckIn bounds the look at the source during a refresh: a vCenter that is away, or retired, must not cost more.
const sourceCheckIn = 5 * time.Second

// Read never waits and never copies. It asks libvirt for the domain, looks whether the disks are there, and asks vCenter
// only whether a source that should be off runs again.
func (r *migrationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state migrationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultRead)
	resp.Diagnostics.Append(diags...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	client, err := r.conns.libvirt(ctx, state.Target.URI.ValueString())
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("target").AtName("uri"), "Cannot reach the target", detail(err))
		return
	}
	domain, err := client.GetDomain(ctx, state.DomainUUID.ValueString())
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		resp.Diagnostics.AddError("Cannot read the domain "+state.DomainUUID.ValueString(), detail(err))
		return
	}
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	}
	switch {
	case state.Status.IsNull():
		r.readImported(ctx, domain, &state, resp)
	case state.finished():
		if readFinished(ctx, domain, &state, &resp.Diagnostics) {
			resp.State.RemoveResource(ctx)
			return
		}
		r.checkSource(ctx, &state, &resp.Diagnostics)
	default:
		readUnfinished(ctx, &state, &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() || resp.State.Raw.IsNull() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// readUnfinished takes the journal's word; a missing journal says nothing about the resource.
func readUnfinished(ctx context.Context, state *migrationModel, diags *diag.Diagnostics) {
	result, err := state.job().load()
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		return
	case err != nil:
		diags.AddWarning("The journal of the migration cannot be read", detail(err))
		return
	}
	if result.Status == sdk.Running {
		result.Status = sdk.Interrupted // someone else drives it just now; apply will say who
	}
	diags.Append(state.setResult(ctx, result, max(state.Progress.ValueInt64(), resultProgress(result)))...)
}

// readFinished compares the target with the state and says whether all of it is gone.
func readFinished(ctx context.Context, domain *libvirt.Domain, state *migrationModel, diags *diag.Diagnostics) (gone bool) {
	var disks []diskModel
	diags.Append(state.Disks.ElementsAs(ctx, &disks, false)...)
	var attached []string
	if domain != nil {
		attached = domain.Disks
	}
	missing, err := observeDisks(disks, attached, fileExists)
	if err != nil {
		diags.AddAttributeError(path.Root("disks"), "Cannot look at a disk", detail(err))
		return false
	}
	if domain == nil && len(missing) == len(disks) {
		diags.AddWarning("The migrated VM is gone", fmt.Sprintf("Neither domain %q nor any of its disks is on %s any more; "+
			"the next apply migrates the VM anew.", state.Target.Name.ValueString(), state.Target.URI.ValueString()))
		return true
	}
	state.setDomain(domain)
	if len(missing) > 0 {
		state.Condition = types.StringValue(conditionDiskMissing)
	}
	list, d := types.ListValueFrom(ctx, objectOf(diskFields), disks)
	diags.Append(d...)
	state.Disks = list
	return false
}

// setDomain follows a domain by its UUID: its name and autostart are what libvirt says.
func (m *migrationModel) setDomain(domain *libvirt.Domain) {
	if domain == nil {
		m.Condition, m.DomainState = types.StringValue(conditionDomainMissing), types.StringNull()
		return
	}
	m.Condition = types.StringValue(conditionOK)
	m.DomainState = types.StringValue(domain.State)
	m.Target.Name = types.StringValue(domain.Name)
	m.Target.Autostart = types.BoolValue(domain.Autostart)
}

// observeDisks returns the paths of recorded disks that are gone. A file that is gone while the domain has one of the same
// name elsewhere was moved, and is followed.
func observeDisks(disks []diskModel, attached []string, exists func(string) (bool, error)) (missing []string, err error) {
	for i := range disks {
		file := disks[i].Path.ValueString()
		there, err := exists(file)
		if err != nil {
			return nil, err
		}
		if there {
			continue
		}
		moved := slices.IndexFunc(attached, func(p string) bool { return p != file && filepath.Base(p) == filepath.Base(file) })
		if moved >= 0 {
			if there, err = exists(attached[moved]); err != nil {
				return nil, err
			}
		}
		if !there {
			missing = append(missing, file)
			continue
		}
		disks[i].Path = types.StringValue(attached[moved])
	}
	return missing, nil
}

func fileExists(file string) (bool, error) {
	_, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func diskMissingText(state *migrationModel) string {
	var gone []string
	for _, d := range stateDisks(state) {
		if there, err := fileExists(d); err == nil && !there {
			gone = append(gone, d)
		}
	}
	return fmt.Sprintf("%s: not there any more. Nothing is overwritten silently: put it back, or make a new copy of the VM with "+
		"terraform apply -replace=ADDRESS of this resource.", strings.Join(gone, ", "))
}

// stateDisks are the recorded paths.
func stateDisks(state *migrationModel) []string {
	var paths []string
	for _, e := range state.Disks.Elements() {
		if o, ok := e.(types.Object); ok {
			if p, ok := o.Attributes()["path"].(types.String); ok {
				paths = append(paths, p.ValueString())
			}
		}
	}
	return paths
}

// checkSource warns when a source that should be off runs beside its copy. Failure to ask is no news.
func (r *migrationResource) checkSource(ctx context.Context, state *migrationModel, diags *diag.Diagnostics) {
	after := state.SourceAfter.ValueString()
	settings := r.conns.get()
	if state.DomainState.ValueString() != "running" || after == "" || after == migrate.AfterRunning ||
		settings.vsphereUnknown || settings.vsphere.URL == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sourceCheckIn)
	defer cancel()
	client, err := r.conns.vsphere(ctx)
	if err != nil {
		tflog.Debug(ctx, "source not looked at", map[string]any{"error": err.Error()})
		return
	}
	vm, err := client.GetVM(ctx, state.SourceUUID.ValueString())
	if err != nil {
		tflog.Debug(ctx, "source not looked at", map[string]any{"error": err.Error()})
		return
	}
	if vm.PowerState == "poweredOn" {
		diags.AddAttributeWarning(path.Root("source_after"), "Finding source.power.running", fmt.Sprintf(
			"The source %s was powered on again while its copy, domain %q, runs with the same addresses. Power one of them off.",
			vm.Path, state.Target.Name.ValueString()))
	}
}

// jobRef finds a job's journal again.
type jobRef struct{ Dir, Key string }

// job is told by work_dir alone: Terraform hands private state over to an update, but not to the destroy half of a
// replacement. Without work_dir it is empty, and its journal is not found.
func (m *migrationModel) job() jobRef {
	workDir := m.WorkDir.ValueString()
	ref := jobRef{Dir: filepath.Dir(filepath.Dir(workDir)), Key: filepath.Base(workDir)}
	if workDir == "" || migrate.JobDir(ref.Dir, ref.Key) != workDir {
		return jobRef{}
	}
	return ref
}

// load reads the job's journal without owning it.
func (ref jobRef) load() (*migrate.Result, error) {
	if err := ref.check(); err != nil {
		return nil, err
	}
	return migrate.Load(ref.Dir, ref.Key)
}

func (ref jobRef) check() error {
	if ref.Key == "" {
		return sdk.NotFoundf("the migration has no journal")
	}
	return nil
}
