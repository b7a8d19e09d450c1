package libvirt

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Network is a libvirt virtual network.
type Network struct {
	Name   string `json:"name"`
	Bridge string `json:"bridge"` // empty: it has none (macvtap, hostdev)
	Active bool   `json:"active"`
}

// ListNetworks returns all of them, sorted by name.
func (c *Client) ListNetworks(ctx context.Context) ([]Network, error) {
	records, err := call(ctx, c, connection.networks)
	if err != nil {
		return nil, fmt.Errorf("list networks of %s: %w", c.target.uri, err)
	}
	list := make([]Network, 0, len(records))
	for _, r := range records {
		list = append(list, Network{Name: r.name, Bridge: r.bridge, Active: r.active})
	}
	slices.SortFunc(list, func(a, b Network) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// BridgeExists says whether a bridge of this name is there: an active libvirt network's own, or one in the kernel where the
// daemon runs, which may be another network namespace than ours. known is false when it cannot be told from here: without the
// right to look at the daemon's process, or on an operating system without bridges.
func (c *Client) BridgeExists(ctx context.Context, name string) (exists, known bool, err error) {
	networks, err := c.ListNetworks(ctx)
	if err != nil {
		return false, false, err
	}
	for _, n := range networks {
		if n.Active && n.Bridge == name {
			return true, true, nil
		}
	}
	return daemonHasBridge(c.target, name)
}
