package vsphere

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// tagReader asks the REST service about tags. It remembers tags and categories, and joins reads of attached tags that come
// together into one call, as batcher does for properties.
type tagReader struct {
	c *Client

	known           once[Tag]           // by id
	knownCategories once[tagCategory]   // by id
	lists           once[[]tagCategory] // all of them, under ""
	members         once[[]Tag]         // by the category's id
	listed          atomic.Bool         // some list was read before

	mu      sync.Mutex
	waiting []*tagRead
	wake    chan struct{} // buffered; says that somebody waits
}

func newTagReader(c *Client) *tagReader { return &tagReader{c: c, wake: make(chan struct{}, 1)} }

type tagRead struct {
	refs []types.ManagedObjectReference
	done chan tagAnswer // buffered
}

// tagAnswer has the ids of tags by object; it is shared.
type tagAnswer struct {
	ids map[types.ManagedObjectReference][]string
	err error
}

// associated is an object as the REST service names it.
type associated struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func (a associated) ref() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: a.Type, Value: a.ID}
}

// attached reads the ids of the tags of the objects, and perhaps of others.
func (r *tagReader) attached(ctx context.Context, refs []types.ManagedObjectReference) (map[types.ManagedObjectReference][]string, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	read := &tagRead{refs: refs, done: make(chan tagAnswer, 1)}
	r.mu.Lock()
	r.waiting = append(r.waiting, read)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
	select {
	case answer := <-read.done:
		return answer.ids, answer.err
	case <-r.c.ended:
		return nil, sdk.Conflictf("the vCenter session is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run is the reader's one loop; it ends with the client.
func (r *tagReader) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		pause(ctx, gather)
		r.mu.Lock()
		reads := r.waiting
		r.waiting = nil
		r.mu.Unlock()
		if len(reads) > 0 && ctx.Err() == nil {
			r.serve(ctx, reads)
		}
	}
}

// maxTagged bounds the objects of one call.
const maxTagged = 1000

func (r *tagReader) serve(parent context.Context, reads []*tagRead) {
	ctx, cancel := context.WithTimeout(parent, batchTimeout)
	defer cancel()
	var objects []associated
	seen := map[types.ManagedObjectReference]bool{}
	for _, read := range reads {
		for _, ref := range read.refs {
			if !seen[ref] {
				seen[ref] = true
				objects = append(objects, associated{ref.Type, ref.Value})
			}
		}
	}
	answer := tagAnswer{ids: map[types.ManagedObjectReference][]string{}}
	for chunk := range slices.Chunk(objects, maxTagged) {
		if answer.err = r.list(ctx, chunk, answer.ids); answer.err != nil {
			break
		}
	}
	if errors.Is(answer.err, context.DeadlineExceeded) {
		answer.err = sdk.Unavailablef("no answer within %s", batchTimeout)
	}
	for _, read := range reads {
		read.done <- answer
	}
}

func (r *tagReader) list(ctx context.Context, objects []associated, ids map[types.ManagedObjectReference][]string) error {
	var lists []struct {
		Object associated `json:"object_id"`
		IDs    []string   `json:"tag_ids"`
	}
	err := r.c.rest.call(ctx, http.MethodPost, "tagging/tag-association", "list-attached-tags-on-objects",
		map[string]any{"object_ids": objects}, &lists)
	for _, l := range lists {
		ids[l.Object.ref()] = l.IDs
	}
	return err
}

// objects counts, for every object that has one of the tags, how many of them it has.
func (r *tagReader) objects(ctx context.Context, ids []string) (map[types.ManagedObjectReference]int, error) {
	var lists []struct {
		Objects []associated `json:"object_ids"`
	}
	err := r.c.rest.call(ctx, http.MethodPost, "tagging/tag-association", "list-attached-objects-on-tags",
		map[string]any{"tag_ids": ids}, &lists)
	if err != nil {
		return nil, err
	}
	holders := map[types.ManagedObjectReference]int{}
	for _, l := range lists {
		for _, o := range l.Objects {
			holders[o.ref()]++
		}
	}
	return holders, nil
}

// change attaches tags to an object or detaches them from it; no tag, no call. The service may do a part and refuse the
// rest with success in the status.
func (r *tagReader) change(ctx context.Context, action string, ref types.ManagedObjectReference, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var result struct {
		Success bool
		Errors  []struct {
			Text string `json:"default_message"`
		} `json:"error_messages"`
	}
	err := r.c.rest.call(ctx, http.MethodPost, "tagging/tag-association", action,
		map[string]any{"object_id": associated{ref.Type, ref.Value}, "tag_ids": ids}, &result)
	if err != nil || result.Success {
		return err
	}
	var said []string
	for _, e := range result.Errors {
		said = append(said, strings.TrimSuffix(e.Text, "."))
	}
	return sdk.Invalidf("vCenter refuses: %s", strings.Join(said, "; "))
}
