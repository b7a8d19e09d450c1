package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	// gather is how long a read waits for company. Terraform starts ten reads at once; one call answers them all.
	gather = 5 * time.Millisecond
	// gatherOn is how long it waits on for each that came meanwhile: Terraform works for so long on a resource between two reads.
	gatherOn = 25 * time.Millisecond
	// gathers is how often it waits on when somebody came meanwhile.
	gathers = 8
	// maxBatch bounds the objects of one batched read.
	maxBatch = 200
)

// shape is what a kind of read asks of every object, so that reads of one shape share a call.
type shape struct {
	around  []types.BaseSelectionSpec        // what else to read, by traversal from the object
	company func() []types.BaseSelectionSpec // what else besides, when a call answers more than one read; may be nil
	props   []types.PropertySpec
	came    func(began time.Time, asked []types.ManagedObjectReference, content []types.ObjectContent) // told of every answer; may be nil
}

// batcher joins single reads of one shape into calls: reads that come while a call is in flight, and within a moment before
// it, go out together. Each read gets the whole answer, which holds its own object and what lies around all of them.
type batcher struct {
	c     *Client
	shape shape

	mu      sync.Mutex
	waiting []*batchRead
	company bool          // the last call answered more than one read; only the loop touches it
	wake    chan struct{} // buffered; says that somebody waits
}

func newBatcher(c *Client, s shape) *batcher {
	return &batcher{c: c, shape: s, wake: make(chan struct{}, 1)}
}

type batchRead struct {
	ref  types.ManagedObjectReference
	done chan batchAnswer // buffered
}

type batchAnswer struct {
	content []types.ObjectContent
	err     error
}

// get reads one object. What does not exist is sdk.ErrNotFound. The content is shared: do not change it.
func (b *batcher) get(ctx context.Context, ref types.ManagedObjectReference) ([]types.ObjectContent, error) {
	read := &batchRead{ref: ref, done: make(chan batchAnswer, 1)}
	b.mu.Lock()
	b.waiting = append(b.waiting, read)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
	select {
	case answer := <-read.done:
		return answer.content, answer.err
	case <-b.c.ended:
		return nil, sdk.Conflictf("the vCenter session is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run is the batcher's one loop; it ends with the client.
func (b *batcher) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
		for reads := b.next(ctx); len(reads) > 0 && ctx.Err() == nil; reads = b.next(ctx) {
			b.serve(ctx, reads)
		}
	}
}

func (b *batcher) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

// next waits a moment for company, and on while more keeps coming, and takes what came.
func (b *batcher) next(ctx context.Context) []*batchRead {
	wait := gather
	for before, rounds := -1, 0; b.count() > before && rounds < gathers; rounds++ {
		before = b.count()
		if before > 1 || before == 1 && b.company {
			wait = gatherOn
		}
		pause(ctx, wait)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), maxBatch)
	b.company = n > 1
	reads := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	return reads
}

// serve makes the call. One object that is gone makes vCenter refuse the whole call, so it leaves and the others ask again.
func (b *batcher) serve(parent context.Context, reads []*batchRead) {
	ctx, cancel := context.WithTimeout(parent, batchTimeout)
	defer cancel()
	for len(reads) > 0 {
		objects, began := b.objects(reads), time.Now()
		content, err := b.c.retrieve(ctx, objects, b.shape.props)
		if gone, ok := faultOf(err).(*types.ManagedObjectNotFound); ok {
			rest := slices.DeleteFunc(slices.Clone(reads), func(r *batchRead) bool { return r.ref == gone.Obj })
			if len(rest) < len(reads) {
				answer(reads, batchAnswer{err: err}, gone.Obj)
				reads = rest
				continue
			}
			err = sdk.Unavailablef("%s %s went while it was read", gone.Obj.Type, gone.Obj.Value) // it is none that was asked for
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = sdk.Unavailablef("no answer within %s", batchTimeout)
		}
		if err == nil && b.shape.came != nil {
			b.shape.came(began, refsOf(objects), content)
		}
		for _, r := range reads {
			r.done <- batchAnswer{content, err}
		}
		return
	}
}

// batchTimeout bounds one batched read; the caller's own deadline ends its waiting, not the call that others share.
const batchTimeout = 2 * time.Minute

func answer(reads []*batchRead, a batchAnswer, to types.ManagedObjectReference) {
	for _, r := range reads {
		if r.ref == to {
			r.done <- a
		}
	}
}

func (b *batcher) objects(reads []*batchRead) []types.ObjectSpec {
	var objects []types.ObjectSpec
	seen := map[types.ManagedObjectReference]bool{}
	around := b.shape.around
	if len(reads) > 1 && b.shape.company != nil {
		around = slices.Concat(around, b.shape.company())
	}
	for _, r := range reads {
		if !seen[r.ref] {
			seen[r.ref] = true
			objects = append(objects, types.ObjectSpec{Obj: r.ref, SelectSet: around})
		}
	}
	return objects
}

func refsOf(objects []types.ObjectSpec) []types.ManagedObjectReference {
	refs := make([]types.ManagedObjectReference, len(objects))
	for i, object := range objects {
		refs[i] = object.Obj
	}
	return refs
}

// find is the object itself in an answer.
func find(content []types.ObjectContent, ref types.ManagedObjectReference) (types.ObjectContent, error) {
	for _, object := range content {
		if object.Obj == ref {
			return object, nil
		}
	}
	return types.ObjectContent{}, fmt.Errorf("read %s %s: %w", ref.Type, ref.Value, classify(notFound(ref)))
}
