package vsphere

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
	"golang.org/x/sync/errgroup"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Tag is a tag of vCenter's.
type Tag struct {
	ID       string `json:"id"` // urn:vmomi:InventoryServiceTag:…
	Name     string `json:"name"`
	Category string `json:"category"` // its name
}

// String is the tag as people write it: category/name.
func (t Tag) String() string { return t.Category + "/" + t.Name }

const urn = "urn:"

// ResolveTags finds the tags that are named: each by its id (urn:…), by category/name or by a name that only one tag has.
// The answers come in the order of the names and are remembered for the life of the client. What does not exist is
// sdk.ErrNotFound, a name in several categories sdk.ErrInvalid. No name, no call.
func (c *Client) ResolveTags(ctx context.Context, names []string) ([]Tag, error) {
	tags := make([]Tag, len(names))
	for i, name := range names {
		tag, err := c.resolveTag(ctx, strings.TrimSpace(name))
		if err != nil {
			return nil, fmt.Errorf("find tag %q: %w", name, err)
		}
		tags[i] = tag
	}
	return tags, nil
}

func (c *Client) resolveTag(ctx context.Context, name string) (Tag, error) {
	switch {
	case name == "":
		return Tag{}, sdk.WithHint(sdk.Invalidf("no tag named"), "write it category/name")
	case strings.HasPrefix(name, urn):
		return c.tags.tag(ctx, name)
	}
	remembered := c.tags.listed.Load()
	tag, err := c.tagByName(ctx, name)
	if remembered && errors.Is(err, sdk.ErrNotFound) { // it may have been made since the lists were read
		c.tags.forgetLists()
		return c.tagByName(ctx, name)
	}
	return tag, err
}

func (c *Client) tagByName(ctx context.Context, name string) (Tag, error) {
	categories, err := c.tags.categories(ctx)
	if err != nil {
		return Tag{}, err
	}
	var known []Tag
	for _, category := range categories {
		if rest, ok := strings.CutPrefix(name, category.Name+"/"); ok {
			tags, err := c.tags.inCategory(ctx, category)
			if err != nil {
				return Tag{}, err
			}
			if i := slices.IndexFunc(tags, func(t Tag) bool { return t.Name == rest }); i >= 0 {
				return tags[i], nil
			}
			known = append(known, tags...)
		}
	}
	if len(known) == 0 {
		if known, err = c.tags.all(ctx, categories); err != nil {
			return Tag{}, err
		}
	}
	return pickTag(known, name)
}

// pickTag is the one tag of that bare name.
func pickTag(known []Tag, name string) (Tag, error) {
	var found []Tag
	var all, paths []string
	for _, t := range known {
		all = append(all, t.String())
		if !strings.Contains(name, "/") {
			all = append(all, t.Name)
		}
		if t.Name == name {
			found, paths = append(found, t), append(paths, t.String())
		}
	}
	switch len(found) {
	case 0:
		return Tag{}, didYouMean(sdk.NotFoundf("no tag has that name"), name, all)
	case 1:
		return found[0], nil
	}
	return Tag{}, ambiguous("tag", name, paths)
}

// AttachedTags reads which tags the objects have, sorted by category and name. Reads that come together share a call. An
// object without tags, and one that does not exist, has an empty list.
func (c *Client) AttachedTags(ctx context.Context, refs ...types.ManagedObjectReference) (map[types.ManagedObjectReference][]Tag, error) {
	attached := make(map[types.ManagedObjectReference][]Tag, len(refs))
	ids, err := c.tags.attached(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("read attached tags: %w", err)
	}
	for _, ref := range refs {
		attached[ref] = []Tag{}
		for _, id := range ids[ref] {
			tag, err := c.tags.tag(ctx, id)
			if errors.Is(err, sdk.ErrNotFound) {
				continue // deleted meanwhile
			}
			if err != nil {
				return nil, fmt.Errorf("read tag %s: %w", id, err)
			}
			attached[ref] = append(attached[ref], tag)
		}
		slices.SortFunc(attached[ref], func(a, b Tag) int { return strings.Compare(a.String(), b.String()) })
	}
	return attached, nil
}

// SetTags makes the object have the tags in want, and takes away those of managedBefore that are not wanted any more; tags
// that others attached stay. It sends only the difference, and takes away first, since a category may allow one tag only.
func (c *Client) SetTags(ctx context.Context, ref types.ManagedObjectReference, want, managedBefore []string) error {
	if len(want) == 0 && len(managedBefore) == 0 {
		return nil
	}
	wanted, err := c.ResolveTags(ctx, want)
	if err != nil {
		return err
	}
	before, err := c.existingTags(ctx, managedBefore)
	if err != nil {
		return err
	}
	has, err := c.tags.attached(ctx, []types.ManagedObjectReference{ref})
	if err != nil {
		return fmt.Errorf("read attached tags: %w", err)
	}
	var attach, detach []string
	for _, t := range wanted {
		if !slices.Contains(has[ref], t.ID) && !slices.Contains(attach, t.ID) {
			attach = append(attach, t.ID)
		}
	}
	for _, t := range before {
		if slices.Contains(has[ref], t.ID) && !slices.Contains(wanted, t) {
			detach = append(detach, t.ID)
		}
	}
	if err := c.tags.change(ctx, "detach-multiple-tags-from-object", ref, detach); err != nil {
		return fmt.Errorf("detach tags: %w", err)
	}
	if err := c.tags.change(ctx, "attach-multiple-tags-to-object", ref, attach); err != nil {
		return fmt.Errorf("attach tags: %w", err)
	}
	return nil
}

// existingTags are those of the named tags that still exist.
func (c *Client) existingTags(ctx context.Context, names []string) ([]Tag, error) {
	var tags []Tag
	for _, name := range names {
		found, err := c.ResolveTags(ctx, []string{name})
		if errors.Is(err, sdk.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		tags = append(tags, found...)
	}
	return tags, nil
}

// ObjectsWithTags lists the objects of a kind that have all of the tags, sorted by reference. At least one tag is needed.
func (c *Client) ObjectsWithTags(ctx context.Context, names []string, kind Kind) ([]types.ManagedObjectReference, error) {
	if len(names) == 0 {
		return nil, sdk.Invalidf("no tag named")
	}
	tags, err := c.ResolveTags(ctx, names)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(tags))
	for i, t := range tags {
		ids[i] = t.ID
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	holders, err := c.tags.objects(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("list objects with tags: %w", err)
	}
	var refs []types.ManagedObjectReference
	for ref, n := range holders {
		if n == len(ids) && slices.Contains(kinds[kind], ref.Type) {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b types.ManagedObjectReference) int { return strings.Compare(a.Value, b.Value) })
	return refs, nil
}

// tagCategory is a category of tags.
type tagCategory struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// tag reads one tag by id.
func (r *tagReader) tag(ctx context.Context, id string) (Tag, error) {
	return r.known.get(ctx, id, func() (Tag, error) {
		var tag struct {
			Name       string
			CategoryID string `json:"category_id"`
		}
		if err := r.c.rest.call(ctx, http.MethodGet, "tagging/tag/id:"+id, "", nil, &tag); err != nil {
			return Tag{}, err
		}
		category, err := r.category(ctx, tag.CategoryID)
		return Tag{ID: id, Name: tag.Name, Category: category.Name}, err
	})
}

func (r *tagReader) category(ctx context.Context, id string) (tagCategory, error) {
	return r.knownCategories.get(ctx, id, func() (tagCategory, error) {
		var category tagCategory
		err := r.c.rest.call(ctx, http.MethodGet, "tagging/category/id:"+id, "", nil, &category)
		return category, err
	})
}

// categories lists all categories. The service lists ids only and tells of one at a time, so they are asked side by side.
func (r *tagReader) categories(ctx context.Context) ([]tagCategory, error) {
	return r.lists.get(ctx, "", func() ([]tagCategory, error) {
		var ids []string
		if err := r.c.rest.call(ctx, http.MethodGet, "tagging/category", "", nil, &ids); err != nil {
			return nil, err
		}
		r.listed.Store(true)
		return sideBySide(ctx, ids, r.category)
	})
}

func (r *tagReader) forgetLists() {
	r.lists.forget(func(string, []tagCategory) bool { return true })
	r.members.forget(func(string, []Tag) bool { return true })
}

func (r *tagReader) inCategory(ctx context.Context, category tagCategory) ([]Tag, error) {
	return r.members.get(ctx, category.ID, func() ([]Tag, error) {
		var ids []string
		err := r.c.rest.call(ctx, http.MethodPost, "tagging/tag/id:"+category.ID, "list-tags-for-category",
			map[string]string{"category_id": category.ID}, &ids)
		if err != nil {
			return nil, err
		}
		return sideBySide(ctx, ids, r.tag)
	})
}

func (r *tagReader) all(ctx context.Context, categories []tagCategory) ([]Tag, error) {
	lists, err := sideBySide(ctx, categories, r.inCategory)
	return slices.Concat(lists...), err
}

// sideBySide asks for each of the things at once; the session bounds the calls in flight. What is gone when it is its turn
// is left out.
func sideBySide[K, V any](ctx context.Context, things []K, ask func(context.Context, K) (V, error)) ([]V, error) {
	answers, there := make([]V, len(things)), make([]bool, len(things))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(defaultCalls)
	for i, thing := range things {
		group.Go(func() error {
			answer, err := ask(ctx, thing)
			if errors.Is(err, sdk.ErrNotFound) {
				return nil
			}
			answers[i], there[i] = answer, err == nil
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var found []V
	for i := range answers {
		if there[i] {
			found = append(found, answers[i])
		}
	}
	return found, nil
}
