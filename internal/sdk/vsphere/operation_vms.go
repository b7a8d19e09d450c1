package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// VMRef is a VM as an operation is told of it.
type VMRef struct {
	Ref        string `json:"ref"` // moref value; it alone says which VM
	Name       string `json:"name"`
	Path       string `json:"path"`
	PowerState string `json:"power_state"` // when it was read
	Template   bool   `json:"template"`
}

func (r VMRef) moref() types.ManagedObjectReference { return vmByID(r.Ref) }

// VM is the VM of a list as operations take it.
func (s VMSummary) VM() VMRef {
	return VMRef{Ref: s.Ref, Name: s.Name, Path: s.Path, PowerState: s.PowerState, Template: s.Template}
}

// FindVMs finds the VMs that are named: each name is a path, moref, instance UUID, unique name, or a glob (*, ?, [a-z]) over the
// names or whole paths. A glob chooses no templates; one that chooses nothing is sdk.ErrNotFound. Each VM comes once, in the
// order of the names, those of a glob sorted by path. It makes one view and one thin paged retrieve however many there are.
func (c *Client) FindVMs(ctx context.Context, names []string) ([]VMRef, error) {
	if len(names) == 0 {
		return nil, sdk.Invalidf("no VM named")
	}
	for _, name := range names {
		if err := CheckGlob(name); err != nil && isGlob(name) {
			return nil, err
		}
	}
	if len(names) == 1 && !isGlob(names[0]) {
		vm, err := c.findOneVM(ctx, names[0])
		if err == nil {
			return []VMRef{vm}, nil
		}
		if !errors.Is(err, sdk.ErrNotFound) {
			return nil, err
		}
	}
	all, err := c.listRefs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list VMs: %w", err)
	}
	var found []VMRef
	seen := map[string]bool{}
	for _, name := range names {
		chosen, err := choose(all, name)
		if err != nil {
			return nil, err
		}
		for _, vm := range chosen {
			if !seen[vm.Ref] {
				seen[vm.Ref] = true
				found = append(found, vm)
			}
		}
	}
	return found, nil
}

func isGlob(name string) bool { return strings.ContainsAny(name, "*?[") }

func (c *Client) findOneVM(ctx context.Context, name string) (VMRef, error) {
	h, err := c.findHead(ctx, name)
	if err != nil {
		return VMRef{}, err
	}
	return VMRef{Ref: h.ref.Value, Name: h.name, Path: h.path, PowerState: string(h.powerState), Template: h.template}, nil
}

// choose picks the VMs that one name means from the sorted list of all.
func choose(all []listedVM, name string) ([]VMRef, error) {
	if isGlob(name) {
		return chooseByGlob(all, name)
	}
	name = strings.TrimSpace(strings.TrimPrefix(name, "VirtualMachine:"))
	found, err := one("VM", name, all, func(vm listedVM) (string, string, string) { return vm.Ref, vm.Name, vm.Path })
	if err == nil {
		return []VMRef{found.VMRef}, nil
	}
	if !errors.Is(err, sdk.ErrNotFound) || name == "" {
		return nil, err
	}
	var ends []VMRef
	for _, vm := range all {
		if strings.EqualFold(vm.uuid, name) {
			return []VMRef{vm.VMRef}, nil
		}
		if strings.HasSuffix(vm.Path, "/"+escapePath(name)) {
			ends = append(ends, vm.VMRef)
		}
	}
	if len(ends) > 1 {
		paths := make([]string, len(ends))
		for i, vm := range ends {
			paths[i] = vm.Path
		}
		return nil, ambiguous("VM", name, paths)
	}
	if len(ends) == 1 {
		return ends, nil
	}
	return nil, err
}

func chooseByGlob(all []listedVM, pattern string) ([]VMRef, error) {
	var found []VMRef
	templates := 0
	for _, vm := range all {
		switch {
		case !matches(pattern, vm.Name, vm.Path):
		case vm.Template:
			templates++
		default:
			found = append(found, vm.VMRef)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	err := sdk.NotFoundf("no VM matches %q", pattern)
	if templates > 0 {
		return nil, sdk.WithHint(err, "%d templates do, which no pattern chooses", templates)
	}
	return nil, sdk.WithHint(err, "a * does not cross the slashes of a path; quote the pattern, so that the shell leaves it alone")
}

// listedVM is a VM in the thin list.
type listedVM struct {
	VMRef
	uuid string
}

// listRefs reads the names of all VMs and templates, sorted by path.
func (c *Client) listRefs(ctx context.Context) ([]listedVM, error) {
	everywhere := &scope{container: c.vim.ServiceContent.RootFolder}
	content, err := c.list(ctx, everywhere, pageObjects, []string{"VirtualMachine"}, towardsRoot(), append(treeProps(),
		types.PropertySpec{Type: "VirtualMachine", PathSet: []string{
			"name", "parent", "parentVApp", "config.template", "config.instanceUuid", "runtime.powerState",
		}}))
	if err != nil {
		return nil, err
	}
	tree := newTree(content)
	var all []listedVM
	for _, object := range content {
		if object.Obj.Type != "VirtualMachine" {
			continue
		}
		m, err := decode[mo.VirtualMachine](object)
		if err != nil {
			return nil, err
		}
		vm := listedVM{VMRef: VMRef{
			Ref: m.Self.Value, Name: unescapeName(m.Name), Path: tree.path(m.Self), PowerState: string(m.Runtime.PowerState),
		}}
		if m.Config != nil {
			vm.Template, vm.uuid = m.Config.Template, m.Config.InstanceUuid
		}
		all = append(all, vm)
	}
	slices.SortFunc(all, func(a, b listedVM) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}
