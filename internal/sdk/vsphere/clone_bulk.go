package vsphere

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// CloneBulkSpec asks for several clones.
type CloneBulkSpec struct {
	Clones        []CloneItem `json:"clones"`
	MaxConcurrent int         `json:"max_concurrent,omitempty"` // at once; 0: sdk.DefaultConcurrent
}

// CloneBulkResult says what became of each clone, in the order they were given.
type CloneBulkResult struct {
	Total     int            `json:"total"`
	Succeeded int            `json:"succeeded"`
	Skipped   int            `json:"skipped"` // there already
	Failed    int            `json:"failed"`
	Canceled  int            `json:"canceled"`
	Items     []CloneOutcome `json:"items"`
}

// CloneOutcome is what became of one clone.
type CloneOutcome struct {
	sdk.BulkOutcome
	Begun      bool     `json:"begun"` // vCenter was asked for it
	SourceVM   string   `json:"source_vm"`
	Path       string   `json:"path"`                  // the VM's inventory path, whether it came to be or not
	Ref        string   `json:"ref,omitempty"`         // of a VM that this run made
	PowerState string   `json:"power_state,omitempty"` // of a VM that exists
	IPAddress  string   `json:"ip_address,omitempty"`  // when it was waited for
	Warnings   []string `json:"warnings,omitempty"`
}

// CloneBulk checks all clones, makes those that are not there, MaxConcurrent at once, and waits for all. Nothing begins when
// one of them cannot be right: see PlanClones. A VM of the target's path is left as it is and its clone skipped, so that a run that was
// interrupted is finished by asking for it again.
//
// One that fails stops no other. When ctx ends, vCenter is asked to cancel those that run, and the rest is not begun. The result is
// whole whenever it is not nil; the error is that of sdk.RunBulk.
func (c *Client) CloneBulk(ctx context.Context, spec CloneBulkSpec, report sdk.ProgressFunc) (*CloneBulkResult, error) {
	plans, err := c.PlanClones(ctx, spec.Clones)
	if err != nil {
		return nil, err
	}
	outcomes := make([]CloneOutcome, len(plans))
	items := make([]sdk.BulkItem, len(plans))
	of := map[string]*CloneOutcome{}
	for i, p := range plans {
		of[p.Name] = &outcomes[i]
		outcomes[i] = CloneOutcome{SourceVM: p.Item.SourceVM, Path: p.Path, PowerState: p.PowerState}
		items[i] = sdk.BulkItem{Name: p.Name, Do: func(ctx context.Context, report sdk.ProgressFunc) error {
			return c.cloneOne(ctx, p, &outcomes[i], report)
		}}
	}
	done, err := sdk.RunBulk(ctx, "clone", spec.MaxConcurrent, items, func(p sdk.Progress) {
		p.Message = of[p.Item].words(p.Status, p.Message) // an item's reports come one after the other
		report.Report(p)
	})
	for i := range outcomes {
		outcomes[i].BulkOutcome = done.Items[i]
		if outcomes[i].Status == sdk.Canceled {
			outcomes[i].Message = outcomes[i].words(sdk.Canceled, done.Items[i].Message)
		}
	}
	return &CloneBulkResult{
		Total: done.Total, Succeeded: done.Succeeded, Skipped: done.Skipped, Failed: done.Failed, Canceled: done.Canceled, Items: outcomes,
	}, err
}

// words are the message of a report for a person.
func (o *CloneOutcome) words(status sdk.Status, message string) string {
	switch {
	case status == sdk.Succeeded && message == "":
		return "made, " + o.PowerState
	case status == sdk.Canceled && !o.Begun:
		return "not begun"
	case status == sdk.Canceled:
		return strings.TrimPrefix(message, context.Canceled.Error()+"; ")
	}
	return message
}

// cloneOne makes one clone of several.
func (c *Client) cloneOne(ctx context.Context, p ClonePlan, o *CloneOutcome, report sdk.ProgressFunc) error {
	if p.Exists {
		return sdk.Skip("%s", p.existing())
	}
	o.Begun = true
	result, err := c.clone(ctx, p.spec, report)
	if result == nil {
		return err
	}
	if err == nil {
		err = c.awaitItem(ctx, p.Item, result, report)
	}
	o.Ref, o.PowerState, o.IPAddress, o.Warnings = result.VM.Ref, result.VM.PowerState, result.VM.IPAddress, result.Warnings
	return err
}

// existing says what is there already.
func (p *ClonePlan) existing() string {
	text := p.Path + " exists"
	if !p.Ours {
		text += " and was not made by these words"
	}
	if p.Item.PowerOn && p.PowerState == "poweredOff" {
		text += "; it is off"
	}
	return text
}

// awaitItem waits for the new VM's address when that is asked, and takes the VM as it is then.
func (c *Client) awaitItem(ctx context.Context, item CloneItem, result *CloneResult, report sdk.ProgressFunc) error {
	if !item.WaitForIP {
		return nil
	}
	within, stop := context.WithTimeout(ctx, item.readyWait())
	defer stop()
	vm, err := c.WaitReady(within, result.VM, WaitFor{IP: true}, report)
	result.VM = vm
	if err == nil {
		return nil
	}
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = sdk.WithHint(sdk.Unavailablef("the guest told no address within %s", item.readyWait()), "see its console, and whether VMware Tools run in it")
	}
	return fmt.Errorf("the VM was made and stays: %w", err)
}

// CloneOne is Clone for an item: what its words mean is checked first, and a VM that has the target's path, also one that this very
// clone made before, is sdk.ErrConflict. A result beside an error says that the VM exists and stays.
func (c *Client) CloneOne(ctx context.Context, item CloneItem, report sdk.ProgressFunc) (*CloneResult, error) {
	plans, err := c.PlanClones(ctx, []CloneItem{item})
	if err != nil {
		return nil, item.failed(err)
	}
	return c.ClonePlanned(ctx, plans[0], report)
}

// ClonePlanned makes the one clone of a plan, as CloneOne does.
func (c *Client) ClonePlanned(ctx context.Context, p ClonePlan, report sdk.ProgressFunc) (*CloneResult, error) {
	if err := p.Conflict(); err != nil {
		return nil, p.Item.failed(err)
	}
	result, err := c.clone(ctx, p.spec, report)
	if err != nil {
		return result, p.Item.failed(err)
	}
	if err := c.awaitItem(ctx, p.Item, result, report); err != nil {
		return result, p.Item.failed(&sdk.PartialError{Done: []string{p.Name}, Failed: map[string]error{"its address": err}})
	}
	return result, nil
}

func (i *CloneItem) failed(err error) error {
	return fmt.Errorf("clone %q to %q: %w", i.SourceVM, i.TargetName, err)
}

// Conflict is sdk.ErrConflict when a VM of the clone's path exists, else nil.
func (p *ClonePlan) Conflict() error {
	switch {
	case !p.Exists:
		return nil
	case p.Ours:
		return sdk.WithHint(sdk.Conflictf("%s exists", p.Path), "it was made by this very clone; nothing is left to do, or choose another name")
	}
	return sdk.WithHint(sdk.Conflictf("%s exists", p.Path), "choose another name or folder")
}
