package vsphere

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// VMPoolSpec moves each VM into a resource pool. One that is there is skipped.
type VMPoolSpec struct {
	ResourcePool string `json:"resource_pool"` // path, moref or name; a cluster or a host means its root pool
}

// Stage is what its progress is called.
func (s VMPoolSpec) Stage() string { return "change pool" }

// Validate checks the form of the spec, without a call.
func (s VMPoolSpec) Validate() error {
	if s.ResourcePool == "" {
		return sdk.Invalidf("no resource pool named")
	}
	return nil
}

func (s VMPoolSpec) plan(ctx context.Context, c *Client, ref VMRef) (*vmStep, error) {
	vm, err := c.readForOperation(ctx, ref)
	if err != nil {
		return nil, err
	}
	pool, err := c.Resolve(ctx, KindResourcePool, s.ResourcePool)
	if err != nil {
		return nil, err
	}
	if pool.Value == vm.ResourcePoolRef {
		return nil, sdk.Skip("it is in %s already", vm.ResourcePool)
	}
	owner, err := c.poolOwner(ctx, pool)
	if err != nil {
		return nil, err
	}
	would := fmt.Sprintf("move it from %s to resource pool %s", vm.ResourcePool, s.ResourcePool)
	if owner != vm.owner {
		would += ", in another cluster: it is relocated to a host there"
	}
	return &vmStep{would: would, do: func(ctx context.Context, report sdk.ProgressFunc) error {
		u := &vmUpdate{c: c, ref: vmRef(vm), spec: UpdateVMSpec{ResourcePool: s.ResourcePool}, report: progress(report, s.Stage(), vm.Name)}
		_, err := u.run(ctx)
		return err
	}}, nil
}

// AllNICs is VMNetworkSpec's word for every adapter.
const AllNICs = "all"

// VMNetworkSpec connects adapters of each VM to another network: a standard or distributed port group or an opaque network. One
// whose adapters are there is skipped. The guest sees the same adapter with the same address.
type VMNetworkSpec struct {
	Network string `json:"network"` // path, moref or name
	// NIC says which adapters: a position from 0, a label ("Network adapter 1"), a MAC address or AllNICs. Empty: those on From,
	// and without From the only one; a VM with several is sdk.ErrInvalid then.
	NIC  string `json:"nic,omitempty"`
	From string `json:"from,omitempty"` // only adapters on this network: path, moref or name. A VM that has none there is skipped
}

// Stage is what its progress is called.
func (s VMNetworkSpec) Stage() string { return "change network" }

// Validate checks the form of the spec, without a call.
func (s VMNetworkSpec) Validate() error {
	if s.Network == "" {
		return sdk.Invalidf("no network named")
	}
	return nil
}

func (s VMNetworkSpec) plan(ctx context.Context, c *Client, ref VMRef) (*vmStep, error) {
	vm, whole, err := c.readVMWhole(ctx, ref.moref())
	if err != nil {
		return nil, err
	}
	if err := notTemplate(vm.Template); err != nil {
		return nil, err
	}
	h := newHardware(c, whole.Config.Hardware.Device)
	chosen, err := s.choose(ctx, c, h.cards())
	if err != nil {
		return nil, err
	}
	var labels []string
	for _, card := range chosen {
		before := len(h.changes)
		if err := h.changeNIC(ctx, card, NICSettings{Network: s.Network}); err != nil {
			return nil, err
		}
		if len(h.changes) > before {
			labels = append(labels, nicLabel(card))
		}
	}
	if len(labels) == 0 {
		return nil, sdk.Skip("it is on %s already", s.Network)
	}
	return &vmStep{would: fmt.Sprintf("connect %s to %s", strings.Join(labels, ", "), s.Network), do: func(ctx context.Context, report sdk.ProgressFunc) error {
		return c.reconfigure(ctx, vmRef(vm), types.VirtualMachineConfigSpec{DeviceChange: h.changes}, percent(report, s.Stage()))
	}}, nil
}

// choose picks the adapters that the spec means.
func (s VMNetworkSpec) choose(ctx context.Context, c *Client, cards []types.BaseVirtualEthernetCard) ([]types.BaseVirtualEthernetCard, error) {
	chosen, err := s.named(cards)
	if err != nil || s.From == "" {
		return chosen, err
	}
	from, err := c.networkBacking(ctx, s.From)
	if err != nil {
		return nil, err
	}
	var on []types.BaseVirtualEthernetCard
	for _, card := range chosen {
		if sameNetwork(from, card.GetVirtualEthernetCard().Backing) {
			on = append(on, card)
		}
	}
	if len(on) == 0 {
		return nil, sdk.Skip("it has no such adapter on %s", s.From)
	}
	return on, nil
}

func (s VMNetworkSpec) named(cards []types.BaseVirtualEthernetCard) ([]types.BaseVirtualEthernetCard, error) {
	switch {
	case len(cards) == 0:
		return nil, sdk.Conflictf("it has no network adapter")
	case s.NIC == AllNICs, s.NIC == "" && (s.From != "" || len(cards) == 1):
		return cards, nil
	case s.NIC == "":
		return nil, sdk.WithHint(sdk.Invalidf("it has %d network adapters", len(cards)), "say which one: %s, or %s", nicNames(cards), AllNICs)
	}
	for i, card := range cards {
		if s.NIC == strconv.Itoa(i) || s.NIC == nicLabel(card) || strings.EqualFold(s.NIC, card.GetVirtualEthernetCard().MacAddress) {
			return cards[i : i+1], nil
		}
	}
	return nil, sdk.WithHint(sdk.NotFoundf("it has no network adapter %q", s.NIC), "it has %s", nicNames(cards))
}

func nicLabel(card types.BaseVirtualEthernetCard) string {
	if info := card.GetVirtualEthernetCard().DeviceInfo; info != nil {
		return info.GetDescription().Label
	}
	return ""
}

// nicNames lists the adapters by position and label.
func nicNames(cards []types.BaseVirtualEthernetCard) string {
	var names []string
	for i, card := range cards {
		names = append(names, fmt.Sprintf("%d (%s)", i, nicLabel(card)))
	}
	return strings.Join(names, ", ")
}
