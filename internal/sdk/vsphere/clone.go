package vsphere

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// CloneSpec asks for one new VM made from an existing VM or template. References are inventory paths, morefs or unique names.
type CloneSpec struct {
	SourceVM         string `json:"source_vm"` // or its instance UUID
	TargetName       string `json:"target_name"`
	Folder           string `json:"folder,omitempty"`            // empty: the source's
	ResourcePool     string `json:"resource_pool,omitempty"`     // or a cluster or a host; empty: the host's root pool, else the source's own. A template has none
	Datastore        string `json:"datastore,omitempty"`         // empty: the source's
	DatastoreCluster string `json:"datastore_cluster,omitempty"` // vCenter chooses the datastore; not with Datastore
	Host             string `json:"host,omitempty"`              // empty: vCenter chooses
	Snapshot         string `json:"snapshot,omitempty"`          // name or path; clones that state. Empty and LinkedClone: the current one
	LinkedClone      bool   `json:"linked_clone,omitempty"`      // disks hold only what differs from the snapshot
	Template         bool   `json:"template,omitempty"`          // the new VM is a template: no customization, no power-on
	PowerOn          bool   `json:"power_on,omitempty"`

	VMSettings
	Customization *Customization `json:"customization,omitempty"` // happens at the first power-on
	CloudInit     *CloudInit     `json:"cloud_init,omitempty"`

	consolidate bool // disks in one piece, whatever chain the source's are
}

// CloneResult is what a clone made.
type CloneResult struct {
	VM                 *VM      `json:"vm"`
	SourceRef          string   `json:"source_ref"` // moref of what the source's name meant
	SourceInstanceUUID string   `json:"source_instance_uuid"`
	Adopted            bool     `json:"adopted"`            // an earlier, interrupted run had begun or made this very clone
	Warnings           []string `json:"warnings,omitempty"` // what a person should know though it worked
}

// Validate checks the form of the spec, without a call.
func (s *CloneSpec) Validate() error {
	switch {
	case strings.TrimSpace(s.SourceVM) == "":
		return sdk.Invalidf("no source_vm named")
	case strings.TrimSpace(s.TargetName) == "":
		return sdk.Invalidf("no target_name given")
	case utf8.RuneCountInString(s.TargetName) > maxName:
		return sdk.Invalidf("target_name %q is longer than vSphere's %d characters", s.TargetName, maxName)
	case s.Datastore != "" && s.DatastoreCluster != "":
		return sdk.Invalidf("name a datastore or a datastore_cluster, not both")
	case s.Template && (s.PowerOn || s.Customization != nil):
		return sdk.Invalidf("a template is neither powered on nor customized")
	}
	if s.LinkedClone {
		for name, disk := range s.Disks {
			if disk.Provisioning != "" && disk.SizeGB == 0 { // with a size it is a new one
				return sdk.Invalidf("disks.%s.provisioning: a linked clone's disks are what vCenter makes of the snapshot's", name)
			}
		}
	}
	if s.Customization != nil {
		if err := s.Customization.Validate(); err != nil {
			return err
		}
	}
	return s.VMSettings.Validate()
}

const maxName = 80 // characters of a name in the inventory

// Clone makes the VM with one task of vCenter's, which also changes its settings, customizes it and powers it on, and waits
// for it. The new VM carries a mark (extraConfig hypersdk.clone) of what was asked; when the answer is lost, or a run before
// this one was, the mark finds it again and it is not made twice. A VM of that name without the mark is sdk.ErrConflict.
//
// When ctx ends, vCenter is asked to cancel the task, and the error says whether the VM may exist. A result beside an error
// (an *sdk.PartialError) says that the VM exists and stays, and what about it is not as asked. Progress is in percent.
func (c *Client) Clone(ctx context.Context, spec CloneSpec, report sdk.ProgressFunc) (*CloneResult, error) {
	result, err := c.clone(ctx, spec, report)
	if err != nil {
		err = fmt.Errorf("clone %q to %q: %w", spec.SourceVM, spec.TargetName, err)
	}
	return result, err
}

func (c *Client) clone(ctx context.Context, spec CloneSpec, report sdk.ProgressFunc) (*CloneResult, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	r, err := c.prepareClone(ctx, spec)
	if err != nil {
		return nil, err
	}
	if err := c.marks.claim(r.mark, spec.TargetName); err != nil {
		return nil, err
	}
	made, err := c.runClone(ctx, r, progress(report, "clone", spec.TargetName))
	if made == nil {
		c.marks.release(r.mark)
		return nil, err
	}
	c.marks.made(r.mark, made.ref.Value)
	return c.cloned(ctx, r, made, err)
}

// prepareClone builds the request. When what it remembers of the source or the places does not fit, it asks once more.
func (c *Client) prepareClone(ctx context.Context, spec CloneSpec) (*cloneRequest, error) {
	remembered := c.sources.knows(strings.TrimSpace(spec.SourceVM))
	r, err := c.cloneRequest(ctx, spec, false)
	if err != nil && remembered && stale(err) {
		r, err = c.cloneRequest(ctx, spec, true)
	}
	return r, err
}

// cloned reads the new VM back. failed is what went wrong after it was made; the VM stays in any case.
func (c *Client) cloned(ctx context.Context, r *cloneRequest, made *madeVM, failed error) (*CloneResult, error) {
	result := &CloneResult{
		SourceRef: r.source.vm.Self.Value, SourceInstanceUUID: r.source.vm.Config.InstanceUuid, Adopted: made.adopted,
	}
	if made.adopted {
		result.Warnings = append(result.Warnings, "the VM was there: an earlier run that was interrupted had asked vCenter for this very clone")
	}
	if ctx.Err() != nil { // a moment for what the caller needs to know
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer stop()
	}
	vm, err := c.readVM(ctx, made.ref)
	if err != nil {
		result.VM = &VM{Ref: made.ref.Value, Name: r.spec.TargetName, CloneMark: r.mark}
		failed = errors.Join(failed, fmt.Errorf("the VM exists as %s and cannot be read: %w", made.ref.Value, err))
	} else {
		result.VM = vm
	}
	if failed != nil {
		return result, &sdk.PartialError{Done: []string{r.spec.TargetName}, Failed: map[string]error{"the rest": failed}}
	}
	return result, nil
}

// progress is a task's report as this package's callers get it.
func progress(report sdk.ProgressFunc, stage, item string) func(percent int) {
	return func(percent int) {
		report.Report(sdk.Progress{Stage: stage, Item: item, Done: int64(percent), Total: 100, Unit: "percent"})
	}
}

// madeVM is a clone that exists.
type madeVM struct {
	ref     types.ManagedObjectReference
	adopted bool
}
