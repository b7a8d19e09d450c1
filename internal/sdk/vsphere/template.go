package vsphere

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// TemplateMethod is how a template comes to be.
type TemplateMethod string

// The methods.
const (
	TemplateByClone   TemplateMethod = "clone"   // a copy of the source becomes the template
	TemplateByConvert TemplateMethod = "convert" // the source itself does
)

// Template is a VM that is, or was made to be, a template.
type Template struct {
	Ref          string     `json:"ref"`  // moref value: vm-42
	Path         string     `json:"path"` // inventory path
	Name         string     `json:"name"`
	Folder       string     `json:"folder"`     // inventory path
	FolderRef    string     `json:"folder_ref"` // moref value
	InstanceUUID string     `json:"instance_uuid"`
	Annotation   string     `json:"annotation"`
	Template     bool       `json:"template"` // false: somebody turned it back into a VM
	PowerState   string     `json:"power_state"`
	Snapshots    []Snapshot `json:"snapshots"`
}

// TemplateSpec asks for one template.
type TemplateSpec struct {
	Method       TemplateMethod `json:"method"`
	Source       string         `json:"source"` // path, moref, instance UUID or unique name
	Name         string         `json:"name"`
	Folder       string         `json:"folder,omitempty"`        // empty: the source's
	ResourcePool string         `json:"resource_pool,omitempty"` // for a clone; empty: the source VM's own, which a template has not
	Host         string         `json:"host,omitempty"`          // for a clone; empty: vCenter chooses
	Datastore    string         `json:"datastore,omitempty"`     // for a clone; empty: the source's
	Snapshot     string         `json:"snapshot,omitempty"`      // name of a snapshot that linked clones can hang on; empty: none
	Annotation   string         `json:"annotation,omitempty"`    // empty: the source's
}

// Validate refuses what cannot be right whatever vCenter holds.
func (s TemplateSpec) Validate() error {
	switch {
	case s.Method != TemplateByClone && s.Method != TemplateByConvert:
		return sdk.Invalidf("method %q: a template is made by clone or convert", s.Method)
	case s.Source == "":
		return sdk.Invalidf("no source named to make the template of")
	case s.Name == "":
		return sdk.Invalidf("the template has no name")
	case s.Method == TemplateByConvert && s.Datastore != "":
		return sdk.Invalidf("a VM that is converted in place stays on its datastore")
	}
	return nil
}

// TemplateResult says what was made of what.
type TemplateResult struct {
	Template   Template
	SourceUUID string // instance UUID
	SnapshotID string // moref value of the snapshot asked for
}

// CreateTemplate makes the template and waits for vCenter. Marking is the last step, so nobody sees a template half made; what an
// interrupted call leaves is a VM that carries a mark of ours, and the same call finds it again and goes on. So it does, for a
// day, with a template that was finished while nobody heard of it. Progress is in percent. To convert a VM that is not off is sdk.ErrConflict.
func (c *Client) CreateTemplate(ctx context.Context, spec TemplateSpec, report sdk.ProgressFunc) (*TemplateResult, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	create := c.cloneTemplate
	if spec.Method == TemplateByConvert {
		create = c.convertTemplate
	}
	result, err := create(ctx, spec, report)
	if err != nil {
		return nil, fmt.Errorf("make template %q of %q: %w", spec.Name, spec.Source, err)
	}
	return result, nil
}

func (c *Client) cloneTemplate(ctx context.Context, spec TemplateSpec, report sdk.ProgressFunc) (*TemplateResult, error) {
	made, err := c.clone(ctx, spec.clone(), report)
	if made == nil {
		return nil, err
	}
	var result *TemplateResult
	if err == nil {
		result, err = c.finishTemplate(ctx, vmByID(made.VM.Ref), templateGoal{
			name: spec.Name, folder: types.ManagedObjectReference{Type: "Folder", Value: made.VM.FolderRef},
			annotation: spec.Annotation, snapshot: spec.Snapshot, marked: true, // a clone is born with its mark
		}, made.SourceInstanceUUID, report)
	} else {
		err = leftBehind(err, &head{path: cmp.Or(made.VM.Path, made.VM.Name)})
	}
	if err != nil {
		c.marks.releaseVM(made.VM.Ref) // the same call finds it again
	}
	return result, err
}

// clone asks for a whole copy, off and not yet a template: a template takes no snapshot. It has none of the source's own.
func (s TemplateSpec) clone() CloneSpec {
	spec := CloneSpec{
		SourceVM: s.Source, TargetName: s.Name, Folder: s.Folder, ResourcePool: s.ResourcePool, Host: s.Host, Datastore: s.Datastore, consolidate: true,
	}
	spec.ExtraConfig = map[string]string{markOption: templateMark{Key: templateKey(s)}.text()}
	if s.Annotation != "" {
		spec.Annotation = &s.Annotation
	}
	return spec
}

// ErrNameTaken marks the sdk.ErrConflict of a name that something else has.
var ErrNameTaken = errors.New("name taken")

// inTheWay is the error for a name that is taken by something that no interrupted call of ours left.
func inTheWay(err error, mark *readTemplateMark) error {
	err = sdk.Kind(ErrNameTaken, err)
	if mark.template {
		return sdk.WithHint(err, "%s is a template already: import it, remove it, or use another name", mark.path)
	}
	return sdk.WithHint(err, "%s is there already: remove it, or use another name", mark.path)
}

func (c *Client) convertTemplate(ctx context.Context, spec TemplateSpec, report sdk.ProgressFunc) (*TemplateResult, error) {
	key := templateKey(spec)
	source, err := c.findHead(ctx, spec.Source)
	if errors.Is(err, sdk.ErrNotFound) { // an interrupted call may have moved it
		source, err = c.findConverted(ctx, spec, key, err)
	}
	if err != nil {
		return nil, err
	}
	mark, err := c.readMark(ctx, source.ref)
	if err != nil {
		return nil, err
	}
	if source.template {
		if err := c.convertedByUs(ctx, source, mark, key); err != nil {
			return nil, err
		}
	}
	if source.powerState != types.VirtualMachinePowerStatePoweredOff {
		return nil, sdk.WithHint(sdk.Conflictf("%s is %s, and a template is always off", source.path, source.powerState),
			"shut it down first, or make the template by clone")
	}
	goal, err := c.templateGoal(ctx, spec, source)
	if err != nil {
		return nil, err
	}
	if err := c.nameIsFree(ctx, source, goal); err != nil {
		return nil, err
	}
	if mark.Key == key { // where it was is known from the first call
		goal.mark, goal.marked = mark.templateMark, true
		return c.finishTemplate(ctx, source.ref, goal, source.instanceUUID, report)
	}
	now, err := c.Now(ctx)
	if err != nil {
		return nil, err
	}
	goal.mark = templateMark{Key: key, Name: source.name, Folder: source.folder.Value, At: now}
	if source.pool != nil {
		goal.mark.Pool = source.pool.String()
	}
	return c.finishTemplate(ctx, source.ref, goal, source.instanceUUID, report)
}

// convertedByUs refuses a template, unless it is what this very call has made before its caller was told, and not long ago.
func (c *Client) convertedByUs(ctx context.Context, source *head, mark *readTemplateMark, key string) error {
	taken := sdk.Conflictf("%s is a template already", source.path)
	if mark.Key != key {
		return sdk.WithHint(taken, "import it, or name a VM")
	}
	return c.fresh(ctx, &mark.At, taken)
}

// findConverted looks for the VM where an interrupted call may have put it: moved, and then renamed.
func (c *Client) findConverted(ctx context.Context, spec TemplateSpec, key string, missing error) (*head, error) {
	folder := spec.Folder
	at := strings.LastIndex(spec.Source, "/")
	if folder == "" && at > 0 {
		folder = spec.Source[:at]
	}
	in, err := c.Resolve(ctx, KindFolder, folder)
	if err != nil {
		return nil, missing
	}
	for _, name := range []string{storedName(spec.Name), escapeName(spec.Source[at+1:])} {
		vm, err := c.childVM(ctx, in, name)
		if err != nil {
			return nil, err
		}
		if vm == nil {
			continue
		}
		if mark, err := c.readMark(ctx, *vm); err == nil && mark.Key == key {
			return c.readHead(ctx, *vm)
		}
	}
	return nil, missing
}

// childVM is the VM of that stored name in the folder; nil: there is none.
func (c *Client) childVM(ctx context.Context, folder types.ManagedObjectReference, name string) (*types.ManagedObjectReference, error) {
	res, err := methods.FindChild(ctx, c.vim, &types.FindChild{This: *c.vim.ServiceContent.SearchIndex, Entity: folder, Name: name})
	if err != nil || res.Returnval == nil || res.Returnval.Type != "VirtualMachine" {
		return nil, err
	}
	return res.Returnval, nil
}

// nameIsFree refuses a name that another VM has in the folder, before anything is changed.
func (c *Client) nameIsFree(ctx context.Context, source *head, goal templateGoal) error {
	if goal.folder == source.folder && goal.name == source.name {
		return nil
	}
	there, err := c.childVM(ctx, goal.folder, storedName(goal.name))
	if err != nil || there == nil || *there == source.ref {
		return err
	}
	mark, err := c.readMark(ctx, *there)
	if err != nil {
		return err
	}
	return inTheWay(sdk.Conflictf("the folder has a VM or template %q", goal.name), mark)
}

// finishTemplate brings a VM to its goal and marks it. It may begin anywhere: what is done already is not repeated.
func (c *Client) finishTemplate(ctx context.Context, vm types.ManagedObjectReference, goal templateGoal, sourceUUID string, report sdk.ProgressFunc) (*TemplateResult, error) {
	now, err := c.readHead(ctx, vm)
	if err != nil {
		return nil, err
	}
	if err := c.reconcile(ctx, now, goal); err != nil {
		return nil, leftBehind(err, now)
	}
	snapshot, err := c.baseSnapshot(ctx, now, goal.snapshot, report)
	if err != nil {
		return nil, leftBehind(err, now)
	}
	if ctx.Err() != nil {
		return nil, leftBehind(ctx.Err(), now)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout) // once it is marked the caller has to know
	defer cancel()
	if !now.template {
		if _, err := methods.MarkAsTemplate(ctx, c.vim, &types.MarkAsTemplate{This: vm}); err != nil {
			return nil, leftBehind(markError(err, now.path), now)
		}
	}
	made, err := c.readHead(ctx, vm)
	if err != nil {
		return nil, err
	}
	return &TemplateResult{Template: made.asTemplate(), SourceUUID: sourceUUID, SnapshotID: snapshot}, nil
}

// baseSnapshot makes the snapshot that linked clones hang on. One of that name is used when the VM runs on top of it: that is
// what an interrupted call, or an earlier conversion, left.
func (c *Client) baseSnapshot(ctx context.Context, vm *head, name string, report sdk.ProgressFunc) (string, error) {
	if name == "" {
		return "", nil
	}
	for _, s := range vm.snapshots {
		switch {
		case s.Name == name && s.Current:
			return s.Ref, nil
		case s.Name == name:
			return "", sdk.WithHint(sdk.Conflictf("%s has a snapshot %q already, and others on top of it", vm.path, name),
				"use another name, or remove that one (%s)", s.Ref)
		}
	}
	made, _, err := c.takeSnapshot(ctx, vm.ref, SnapshotSpec{Name: name, Description: "base of linked clones"}, report)
	if err != nil {
		return "", fmt.Errorf("take snapshot %q: %w", name, err)
	}
	return made.Ref, nil
}

// leftBehind says what stays of a template that could not be finished.
func leftBehind(err error, vm *head) error {
	return sdk.WithHint(err, "%s stays as far as it came, and asking for the same again goes on from there", vm.path)
}

func markError(err error, path string) error {
	if isFault[*types.InvalidPowerState](err) {
		return sdk.WithHint(fmt.Errorf("mark %s as a template: %w", path, err), "shut it down first: a template is always off")
	}
	return fmt.Errorf("mark %s as a template: %w", path, err)
}

func (h *head) asTemplate() Template {
	return Template{
		Ref: h.ref.Value, Path: h.path, Name: h.name, Folder: h.folderPath, FolderRef: h.folder.Value, InstanceUUID: h.instanceUUID,
		Annotation: h.annotation, Template: h.template, PowerState: string(h.powerState), Snapshots: h.snapshots,
	}
}
