package provider

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// poolHalf is CPU or memory, the two things that a pool divides.
type poolHalf struct {
	name, what, unit string
	of               func(*poolModel) allocationModel
	is               func(*vsphere.ResourcePool) vsphere.Allocation
	unreserved       func(*vsphere.ResourcePool) int64
}

func poolHalves(ctx context.Context) []poolHalf {
	return []poolHalf{
		{
			"cpu", "CPU", "MHz",
			func(m *poolModel) allocationModel { a, _ := newAllocationModel(ctx, m.CPU); return a },
			(*vsphere.ResourcePool).CPU, func(p *vsphere.ResourcePool) int64 { return p.CPUUnreservedMHz },
		},
		{
			"memory", "memory", "MB",
			func(m *poolModel) allocationModel { a, _ := newAllocationModel(ctx, m.Memory); return a },
			(*vsphere.ResourcePool).Memory, func(p *vsphere.ResourcePool) int64 { return p.MemoryUnreservedMB },
		},
	}
}

// plannedPools are the plans of the pools whose CPU or memory this run changes, by id: what a parent is going to be counts, not what
// it is.
type plannedPools struct {
	mu    sync.Mutex
	plans map[string]*poolModel
}

func (p *plannedPools) add(plan *poolModel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plans == nil {
		p.plans = map[string]*poolModel{}
	}
	p.plans[plan.ID.ValueString()] = plan
}

func (p *plannedPools) get(id string) *poolModel {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plans[id]
}

// checkCapacity compares the reservations that are new with what the pools above can give, by vSphere's admission control: a pool
// gives of its reservation and, where that is expandable, of its parent's, within its limit. What they can never give is an error, what
// others hold for now is a warning. Nothing is said of values that are not known.
func (r *poolResource) checkCapacity(ctx context.Context, client *vsphere.Client, parent string, plan, state *poolModel, diags *diag.Diagnostics) {
	var above []vsphere.ResourcePool
	for _, half := range poolHalves(ctx) {
		wanted, held := half.of(plan).Reservation, int64(0)
		if state != nil && state.ParentID.ValueString() == parent {
			held = half.of(state).Reservation.ValueInt64()
		}
		if !known(wanted) || wanted.ValueInt64() <= held && r.conns.pools.get(parent) == nil {
			continue
		}
		if above == nil {
			var err error
			if above, err = client.ReadPoolChain(ctx, parent); err != nil {
				return // apply meets it again
			}
		}
		if why := r.cannotGive(half, above, wanted.ValueInt64(), held, diags); why != "" {
			diags.AddAttributeError(path.Root(half.name).AtName("reservation"), "The parent cannot give that", why)
		}
	}
}

// cannotGive says why the pools above can never give so much, or warns that they cannot for now.
func (r *poolResource) cannotGive(half poolHalf, above []vsphere.ResourcePool, wanted, held int64, diags *diag.Diagnostics) string {
	asks := fmt.Sprintf("A reservation of %d %s of %s is asked for", wanted, half.unit, half.what)
	settled := true // nothing above changes in this run
	for i := range above {
		pool := &above[i]
		is, root := half.is(pool), pool.Parent == ""
		if next := r.conns.pools.get(pool.Ref); next != nil {
			planned := half.of(next)
			if !known(planned.Reservation) || !known(planned.Limit) || !known(planned.Expandable) {
				return ""
			}
			settled = false
			is.Reservation, is.Limit, is.Expandable = planned.Reservation.ValueInt64(), planned.Limit.ValueInt64(), planned.Expandable.ValueBool()
		}
		switch {
		case root && wanted > is.Reservation:
			return fmt.Sprintf("%s, and %s has %d %s in all.", asks, pool.Owner, is.Reservation, half.unit)
		case !root && is.Limit != noLimit && wanted > is.Limit:
			return fmt.Sprintf("%s, and the pool %s is limited to %d %s. Ask for less, or raise its limit.", asks, pool.Path, is.Limit, half.unit)
		case !root && !is.Expandable && wanted > is.Reservation:
			return fmt.Sprintf("%s, and the pool %s has %d %s reserved and does not expand. Ask for less, raise its reservation, or let it expand.",
				asks, pool.Path, is.Reservation, half.unit)
		}
		if !root && !is.Expandable {
			break // what lies above it gives no more
		}
	}
	if left := half.unreserved(&above[0]) + held; settled && wanted > left {
		diags.AddAttributeWarning(path.Root(half.name).AtName("reservation"), "Not free for now", fmt.Sprintf(
			"%s, and %s has %d %s left: its other pools and VMs hold the rest. Apply fails unless they let go of it before.", asks, above[0].Path, left, half.unit))
	}
	return ""
}
