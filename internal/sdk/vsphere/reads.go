package vsphere

import (
	"context"
	"sync"

	"github.com/vmware/govmomi/vim25/types"
)

// reads are the ways to read one object; reads of one kind that come together share a call.
type reads struct {
	vms          *batcher
	heads        *batcher // VMs and templates as snapshots and templates need them
	customs      *batcher // custom attributes
	pools        *batcher
	poolContents *batcher
	ahead        *poolsAhead // pools that came along with others
	tags         *tagReader
}

func newReads(c *Client) reads {
	ahead := &poolsAhead{}
	return reads{
		vms: newBatcher(c, c.vmShape()), heads: newBatcher(c, headShape()), customs: newBatcher(c, customShape()),
		pools: newBatcher(c, poolShape(ahead)), poolContents: newBatcher(c, poolContentsShape()), ahead: ahead,
		tags: newTagReader(c),
	}
}

// start runs a loop for each; they end with ctx.
func (r *reads) start(ctx context.Context, work *sync.WaitGroup) {
	for _, b := range []*batcher{r.vms, r.heads, r.customs, r.pools, r.poolContents} {
		work.Go(func() { b.run(ctx) })
	}
	work.Go(func() { r.tags.run(ctx) })
}

// memory is what a session asks once: inventory changes under it, so who uses an answer that does not fit any more forgets it.
type memory struct {
	refs           once[types.ManagedObjectReference]       // what Resolve found
	fields         once[[]types.CustomFieldDef]             // custom attributes
	counters       once[*counterTable]                      // of performance
	known          once[*eventTypes]                        // types of events
	sources        once[*cloneSource]                       // what is cloned, by the name it was asked by
	networks       once[types.BaseVirtualDeviceBackingInfo] // by moref
	customizations once[*types.CustomizationSpec]           // saved at vCenter, by name
	marks          marks                                    // of the clones of this run
	clock          clock
}
