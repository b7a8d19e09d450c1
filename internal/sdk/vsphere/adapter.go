package vsphere

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// cards lists the adapters by position: the order of their keys, which is that of their slots.
func (h *hardware) cards() []types.BaseVirtualEthernetCard {
	var cards []types.BaseVirtualEthernetCard
	for _, device := range h.devices {
		if card, ok := device.(types.BaseVirtualEthernetCard); ok {
			cards = append(cards, card)
		}
	}
	slices.SortStableFunc(cards, func(a, b types.BaseVirtualEthernetCard) int {
		return cmp.Compare(a.GetVirtualEthernetCard().Key, b.GetVirtualEthernetCard().Key)
	})
	return cards
}

// position reads the key of an adapter's settings.
func position(key string) (int, error) {
	n, err := strconv.Atoi(key)
	if err != nil || n < 0 || n >= maxNICs || strconv.Itoa(n) != key {
		return 0, sdk.Invalidf("network %q: the key is the adapter's position, 0 to %d", key, maxNICs-1)
	}
	return n, nil
}

// setNICs applies the settings of adapters by position and returns how many there are then.
func (h *hardware) setNICs(ctx context.Context, nics map[string]NICSettings) (int, error) {
	cards := h.cards()
	for _, key := range slices.Sorted(maps.Keys(nics)) { // positions have one digit
		at, err := position(key)
		if err != nil {
			return 0, err
		}
		switch {
		case at < len(cards):
			err = h.changeNIC(ctx, cards[at], nics[key])
		case at == len(cards):
			var card types.BaseVirtualEthernetCard
			if card, err = h.addNIC(ctx, nics[key], nil); err == nil {
				cards = append(cards, card)
			}
		default:
			err = sdk.WithHint(sdk.Invalidf("the VM has %d adapters", len(cards)), "the next new one is %q", strconv.Itoa(len(cards)))
		}
		if err != nil {
			return 0, fmt.Errorf("network %s: %w", key, err)
		}
	}
	return len(cards), nil
}

func (h *hardware) changeNIC(ctx context.Context, card types.BaseVirtualEthernetCard, want NICSettings) error {
	device, _ := card.(types.BaseVirtualDevice)
	base := card.GetVirtualEthernetCard()
	if want.Type != "" && want.Type != nicType(card) {
		h.change(types.VirtualDeviceConfigSpecOperationRemove, device)
		_, err := h.addNIC(ctx, want, base)
		return err
	}
	changed := *base
	edit := false
	if want.Network != "" {
		backing, err := h.c.networkBacking(ctx, want.Network)
		if err != nil {
			return err
		}
		if !sameNetwork(backing, base.Backing) {
			changed.Backing, edit = backing, true
		}
	}
	if want.MAC != "" && !strings.EqualFold(want.MAC, base.MacAddress) {
		changed.MacAddress, changed.AddressType, edit = strings.ToLower(want.MAC), string(types.VirtualEthernetCardMacTypeManual), true
	}
	if edit {
		h.edit(withCard(card, changed))
	}
	return nil
}

// addNIC adds an adapter; was, when set, is the one that it replaces, whose slot, network and address it takes over.
func (h *hardware) addNIC(ctx context.Context, want NICSettings, was *types.VirtualEthernetCard) (types.BaseVirtualEthernetCard, error) {
	base := types.VirtualEthernetCard{
		VirtualDevice: types.VirtualDevice{
			Key: h.key(), ControllerKey: pciController,
			Connectable: &types.VirtualDeviceConnectInfo{StartConnected: true, AllowGuestControl: true, Connected: true},
		},
		AddressType: string(types.VirtualEthernetCardMacTypeGenerated), WakeOnLanEnabled: types.NewBool(true),
	}
	if was != nil {
		base.ControllerKey, base.UnitNumber, base.Backing = was.ControllerKey, was.UnitNumber, was.Backing
		if was.AddressType == string(types.VirtualEthernetCardMacTypeManual) {
			base.AddressType, base.MacAddress = was.AddressType, was.MacAddress
		}
	}
	if want.Network != "" {
		backing, err := h.c.networkBacking(ctx, want.Network)
		if err != nil {
			return nil, err
		}
		base.Backing = backing
	}
	if base.Backing == nil {
		return nil, sdk.Invalidf("the VM has no adapter there, and a new one needs its network")
	}
	if want.MAC != "" {
		base.AddressType, base.MacAddress = string(types.VirtualEthernetCardMacTypeManual), strings.ToLower(want.MAC)
	}
	card, err := newCard(cmp.Or(want.Type, "vmxnet3"), base)
	if err != nil {
		return nil, err
	}
	device, _ := card.(types.BaseVirtualDevice)
	h.change(types.VirtualDeviceConfigSpecOperationAdd, device)
	return card, nil
}

// removeNICs takes adapters off the VM; a position that it has not is gone already.
func (h *hardware) removeNICs(keys []string) error {
	cards := h.cards()
	for _, key := range keys {
		at, err := position(key)
		if err != nil {
			return err
		}
		if at < len(cards) {
			device, _ := cards[at].(types.BaseVirtualDevice)
			h.change(types.VirtualDeviceConfigSpecOperationRemove, device)
		}
	}
	return nil
}

// newCard makes an adapter of a type.
func newCard(kind string, base types.VirtualEthernetCard) (types.BaseVirtualEthernetCard, error) {
	switch kind {
	case "vmxnet3":
		return &types.VirtualVmxnet3{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: base}}, nil
	case "e1000e":
		return &types.VirtualE1000e{VirtualEthernetCard: base}, nil
	case "e1000":
		return &types.VirtualE1000{VirtualEthernetCard: base}, nil
	}
	return nil, sdk.Invalidf("adapter type %q: write vmxnet3, e1000e or e1000", kind)
}

// withCard copies an adapter of any type with another base.
func withCard(card types.BaseVirtualEthernetCard, base types.VirtualEthernetCard) types.BaseVirtualDevice {
	switch c := card.(type) {
	case *types.VirtualVmxnet3Vrdma:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	case *types.VirtualVmxnet3:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	case *types.VirtualVmxnet2:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	case *types.VirtualE1000e:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	case *types.VirtualE1000:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	case *types.VirtualSriovEthernetCard:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	case *types.VirtualPCNet32:
		changed := *c
		changed.VirtualEthernetCard = base
		return &changed
	}
	return &base
}

// networkBacking finds a network and makes what an adapter on it is backed by. It is remembered like Resolve's answers.
func (c *Client) networkBacking(ctx context.Context, network string) (types.BaseVirtualDeviceBackingInfo, error) {
	ref, err := c.Resolve(ctx, KindNetwork, network)
	if err != nil {
		return nil, err
	}
	return c.networks.get(ctx, ref.Value, func() (types.BaseVirtualDeviceBackingInfo, error) { return c.readNetwork(ctx, ref) })
}

func (c *Client) readNetwork(ctx context.Context, ref types.ManagedObjectReference) (types.BaseVirtualDeviceBackingInfo, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref, SelectSet: []types.BaseSelectionSpec{
		traversal("switch", "DistributedVirtualPortgroup", "config.distributedVirtualSwitch"),
	}}}, []types.PropertySpec{
		{Type: "Network", PathSet: []string{"name"}},
		{Type: "DistributedVirtualPortgroup", PathSet: []string{"name", "key"}},
		{Type: "OpaqueNetwork", PathSet: []string{"name", "summary"}},
		{Type: "DistributedVirtualSwitch", PathSet: []string{"uuid"}},
	})
	if err != nil {
		return nil, fmt.Errorf("read network %s: %w", ref.Value, err)
	}
	own, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	props := properties(own)
	switch ref.Type {
	case "DistributedVirtualPortgroup":
		return portgroupBacking(content, props)
	case "OpaqueNetwork":
		opaque, err := decode[mo.OpaqueNetwork](own)
		if err != nil {
			return nil, err
		}
		summary, ok := opaque.Summary.(*types.OpaqueNetworkSummary)
		if !ok {
			return nil, sdk.Conflictf("vCenter says nothing of the opaque network %s", ref.Value)
		}
		return &types.VirtualEthernetCardOpaqueNetworkBackingInfo{
			OpaqueNetworkId: summary.OpaqueNetworkId, OpaqueNetworkType: summary.OpaqueNetworkType,
		}, nil
	}
	name, _ := props["name"].(string)
	return &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: unescapeName(name)}, Network: &ref,
	}, nil
}

func portgroupBacking(content []types.ObjectContent, group map[string]any) (types.BaseVirtualDeviceBackingInfo, error) {
	key, _ := group["key"].(string)
	for _, object := range content {
		if uuid, ok := properties(object)["uuid"].(string); ok {
			return &types.VirtualEthernetCardDistributedVirtualPortBackingInfo{
				Port: types.DistributedVirtualSwitchPortConnection{SwitchUuid: uuid, PortgroupKey: key},
			}, nil
		}
	}
	return nil, sdk.WithHint(sdk.Conflictf("the switch of distributed port group %s may not be read", key), "grant the user read access to the switch")
}

// sameNetwork says whether two backings are on one network, whatever port they have there.
func sameNetwork(a, b types.BaseVirtualDeviceBackingInfo) bool {
	switch a := a.(type) {
	case *types.VirtualEthernetCardNetworkBackingInfo:
		b, ok := b.(*types.VirtualEthernetCardNetworkBackingInfo)
		if ok && a.Network != nil && b.Network != nil {
			return *a.Network == *b.Network
		}
		return ok && a.DeviceName == b.DeviceName
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		b, ok := b.(*types.VirtualEthernetCardDistributedVirtualPortBackingInfo)
		return ok && a.Port.PortgroupKey == b.Port.PortgroupKey && a.Port.SwitchUuid == b.Port.SwitchUuid
	case *types.VirtualEthernetCardOpaqueNetworkBackingInfo:
		b, ok := b.(*types.VirtualEthernetCardOpaqueNetworkBackingInfo)
		return ok && a.OpaqueNetworkId == b.OpaqueNetworkId
	}
	return false
}
