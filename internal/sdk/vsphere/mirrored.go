package vsphere

import (
	"iter"
	"maps"
	"slices"

	"github.com/vmware/govmomi/vim25/types"
)

// mirrored is what one collector has told, object by object, and which of it is not in the rows yet. Only the mirror's loop touches it.
type mirrored struct {
	rows    *mirrorRows
	objects map[types.ManagedObjectReference]*types.ObjectContent
	types   map[string]map[types.ManagedObjectReference]bool // the objects, by type
	around  surroundings
	places  places // of the rows
	names   map[string]string

	changed map[types.ManagedObjectReference]bool // came, went or have other properties
	moved   map[types.ManagedObjectReference]bool // of those but VMs, what came, went, or has another name or place
	renamed bool                                  // a network came, went or has another name
}

func newMirrored(rows *mirrorRows) *mirrored {
	k := &mirrored{
		rows: rows, objects: map[types.ManagedObjectReference]*types.ObjectContent{}, types: map[string]map[types.ManagedObjectReference]bool{},
		around: newSurroundings(nil), names: map[string]string{},
		changed: map[types.ManagedObjectReference]bool{}, moved: map[types.ManagedObjectReference]bool{},
	}
	for _, spec := range mirrorProps() {
		for _, name := range spec.PathSet {
			k.names[name] = name
		}
	}
	return k
}

// apply takes one update in.
func (k *mirrored) apply(update types.ObjectUpdate) {
	ref := update.Obj
	object := k.objects[ref]
	switch update.Kind {
	case types.ObjectUpdateKindEnter:
		object = &types.ObjectContent{Obj: ref}
	case types.ObjectUpdateKindLeave:
		k.leave(ref)
		return
	default:
		if object == nil {
			return
		}
	}
	for _, change := range update.ChangeSet {
		k.set(object, change)
	}
	if k.types[ref.Type] == nil {
		k.types[ref.Type] = map[types.ManagedObjectReference]bool{}
	}
	k.objects[ref], k.types[ref.Type][ref], k.changed[ref] = object, true, true
	before, known := k.around.tree[ref]
	now := newNode(*object)
	k.around.tree[ref] = now
	if known && before.name == now.name && sameRef(before.parent, now.parent) {
		return
	}
	k.shift(ref)
}

func (k *mirrored) leave(ref types.ManagedObjectReference) {
	if k.objects[ref] == nil {
		return
	}
	delete(k.objects, ref)
	delete(k.types[ref.Type], ref)
	delete(k.around.tree, ref)
	k.changed[ref] = true
	k.shift(ref)
}

// shift notes that others may have another path, or another network's name.
func (k *mirrored) shift(ref types.ManagedObjectReference) {
	switch ref.Type {
	case "VirtualMachine":
	case "Network", "DistributedVirtualPortgroup", "OpaqueNetwork":
		k.renamed = true
		clear(k.around.networks)
		for _, typ := range []string{"Network", "DistributedVirtualPortgroup", "OpaqueNetwork"} {
			for network := range k.types[typ] {
				addNetwork(k.around.networks, network, properties(*k.objects[network]))
			}
		}
	default:
		k.moved[ref] = true
	}
}

// set changes one property. The collector tells each as a whole.
func (k *mirrored) set(object *types.ObjectContent, change types.PropertyChange) {
	name, asked := k.names[change.Name]
	if !asked {
		return
	}
	at := slices.IndexFunc(object.PropSet, func(p types.DynamicProperty) bool { return p.Name == name })
	switch {
	case change.Val == nil || change.Op == types.PropertyChangeOpRemove || change.Op == types.PropertyChangeOpIndirectRemove:
		if at >= 0 {
			object.PropSet = slices.Delete(object.PropSet, at, at+1)
		}
	case at >= 0:
		object.PropSet[at].Val = slim(change.Val)
	default:
		object.PropSet = append(object.PropSet, types.DynamicProperty{Name: name, Val: slim(change.Val)})
	}
}

// slim leaves out what no row tells, since there are many VMs and each has many devices.
func slim(value any) any {
	hardware, ok := value.(types.VirtualHardware)
	if !ok {
		return value
	}
	var devices []types.BaseVirtualDevice
	for _, device := range hardware.Device {
		switch d := device.(type) {
		case *types.VirtualDisk:
			if flat, ok := d.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
				flat.Parent = nil // the chain below a snapshot
			}
		case types.BaseVirtualController, types.BaseVirtualEthernetCard:
		default:
			continue
		}
		devices = append(devices, device)
	}
	hardware.Device = devices
	return hardware
}

// of are the objects of a type that may be stale: all of them, or those that changed.
func (k *mirrored) of(typ string, all bool) iter.Seq[types.ManagedObjectReference] {
	if all {
		return maps.Keys(k.types[typ])
	}
	return func(yield func(types.ManagedObjectReference) bool) {
		for ref := range k.changed {
			if ref.Type == typ && !yield(ref) {
				return
			}
		}
	}
}

// touched says whether an object's row is told by something that moved.
func (k *mirrored) touched(object types.ObjectContent) bool {
	if k.renamed && object.Obj.Type == "VirtualMachine" {
		return true
	}
	if len(k.moved) == 0 {
		return false
	}
	if k.below(object.Obj) {
		return true
	}
	for _, p := range object.PropSet {
		switch p.Name {
		case "runtime.host", "resourcePool", "parent":
			if ref, ok := p.Val.(types.ManagedObjectReference); ok && k.below(ref) {
				return true
			}
		}
	}
	return false
}

// below says whether something on the way from ref to the root moved.
func (k *mirrored) below(ref types.ManagedObjectReference) bool {
	for range maxDepth {
		if k.moved[ref] {
			return true
		}
		n, ok := k.around.tree[ref]
		if !ok || n.parent == nil {
			break
		}
		ref = *n.parent
	}
	return false
}

func sameRef(a, b *types.ManagedObjectReference) bool {
	return a == b || a != nil && b != nil && *a == *b
}
