package vsphere

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Filter chooses from a list of inventory objects. Its zero value chooses all; what is given has to hold together. Places
// are inventory paths, managed object ids or unique names.
type Filter struct {
	Name       string   `json:"name,omitempty"`       // glob (*, ?, [a-z]) over the name, or over the whole inventory path
	Datacenter string   `json:"datacenter,omitempty"` // below it, however deep
	Cluster    string   `json:"cluster,omitempty"`    // on its hosts
	Folder     string   `json:"folder,omitempty"`     // below it, however deep
	States     []string `json:"states,omitempty"`     // any of them; each list says which there are
	Guest      string   `json:"guest,omitempty"`      // VMs: glob over the guest id or the guest's full name
	Templates  *bool    `json:"templates,omitempty"`  // VMs: only templates, or none of them; nil: both
	Tags       []string `json:"tags,omitempty"`       // ids or category/name: objects that have all of them
}

// FilterError says which field of a Filter, by its JSON name, cannot be used. Its text and kind are those of the cause.
type FilterError struct {
	Field string
	Err   error
}

func (e *FilterError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *FilterError) Unwrap() error { return e.Err }

// The fields that not every list knows.
const (
	byDatacenter = "datacenter"
	byCluster    = "cluster"
	byFolder     = "folder"
	byStates     = "states"
	byGuest      = "guest"
	byTemplates  = "templates"
)

// scope is a filter whose places are found.
type scope struct {
	filter    Filter
	container types.ManagedObjectReference // what holds everything that is wanted
	within    []types.ManagedObjectReference
	tagged    map[types.ManagedObjectReference]bool // nil: without tags
}

// scope checks a filter against the fields and states that the list of a kind knows, and finds its places and tags. Without
// tags the REST service is not asked.
func (c *Client) scope(ctx context.Context, kind Kind, f Filter, states []string, fields ...string) (*scope, error) {
	if err := f.check(kind, states, fields); err != nil {
		return nil, err
	}
	s := &scope{filter: f, container: c.vim.ServiceContent.RootFolder}
	for _, place := range []struct { // the narrowest comes last
		field string
		kind  Kind
		name  string
	}{{byDatacenter, KindDatacenter, f.Datacenter}, {byFolder, KindFolder, f.Folder}, {byCluster, KindCluster, f.Cluster}} {
		if place.name == "" {
			continue
		}
		found, err := c.Resolve(ctx, place.kind, place.name)
		if err != nil {
			return nil, &FilterError{Field: place.field, Err: hint(err, "name the "+string(place.kind)+" by its inventory path, by its managed object "+
				"id, or by its name when no other has it")}
		}
		s.container, s.within = found, append(s.within, found)
	}
	var err error
	s.tagged, err = c.tagged(ctx, kind, f.Tags)
	return s, err
}

// tagged are the objects of a kind that have all of the tags; nil without tags.
func (c *Client) tagged(ctx context.Context, kind Kind, tags []string) (map[types.ManagedObjectReference]bool, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	refs, err := c.ObjectsWithTags(ctx, tags, kind)
	if err != nil {
		return nil, &FilterError{Field: "tags", Err: hint(err, "name a tag by its id, or as category/name")}
	}
	tagged := map[types.ManagedObjectReference]bool{}
	for _, ref := range refs {
		tagged[ref] = true
	}
	return tagged, nil
}

// hint says what to do about a reference that names nothing, when nothing better is known.
func hint(err error, text string) error {
	if len(sdk.Hints(err)) > 0 || !errors.Is(err, sdk.ErrNotFound) && !errors.Is(err, sdk.ErrInvalid) {
		return err
	}
	return sdk.WithHint(err, "%s", text)
}

func (f Filter) check(kind Kind, states, fields []string) error {
	for _, g := range []struct {
		field string
		given bool
	}{
		{byDatacenter, f.Datacenter != ""}, {byCluster, f.Cluster != ""}, {byFolder, f.Folder != ""},
		{byStates, len(f.States) > 0}, {byGuest, f.Guest != ""}, {byTemplates, f.Templates != nil},
	} {
		if g.given && !slices.Contains(fields, g.field) {
			return &FilterError{Field: g.field, Err: sdk.WithHint(
				sdk.Invalidf("%ss are not chosen by %s", kind, g.field), "use name, tags or %s", strings.Join(fields, ", "))}
		}
	}
	for _, state := range f.States {
		if !slices.Contains(states, state) {
			return &FilterError{Field: byStates, Err: sdk.WithHint(
				sdk.Invalidf("%q is no state of a %s", state, kind), "there is %s", strings.Join(states, ", "))}
		}
	}
	if err := CheckGlob(f.Name); err != nil {
		return &FilterError{Field: "name", Err: err}
	}
	if err := CheckGlob(f.Guest); err != nil {
		return &FilterError{Field: byGuest, Err: err}
	}
	return nil
}

// CheckGlob refuses what is no glob with sdk.ErrInvalid.
func CheckGlob(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return sdk.WithHint(sdk.Invalidf("pattern %q is not a glob", pattern), "use * and ?, close every [, and write a \\ before a [ that is meant")
	}
	return nil
}

// holds says whether an object is one that the filter wants by name, tags and place. also is what else tells its place, such as
// the host that a VM runs on.
func (s *scope) holds(t tree, ref types.ManagedObjectReference, also ...types.ManagedObjectReference) bool {
	if !matches(s.filter.Name, t[ref].name, unescapeName(t[ref].name), t.path(ref)) {
		return false
	}
	if s.tagged != nil && !s.tagged[ref] {
		return false
	}
	around := t.chain(ref)
	for _, other := range also {
		around = append(around, t.chain(other)...)
	}
	for _, place := range s.within {
		if !slices.Contains(around, place) {
			return false
		}
	}
	return true
}

// inState says whether one of the states that are wanted is this one.
func (s *scope) inState(state string) bool {
	return len(s.filter.States) == 0 || slices.Contains(s.filter.States, state)
}

// matches says whether one of the names matches the glob, which was checked; an empty one matches everything. A * does not
// cross the slashes of a path.
func matches(pattern string, names ...string) bool {
	return pattern == "" || slices.ContainsFunc(names, func(name string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

// one is the item that ref names by managed object id, inventory path or name. A name that several carry is sdk.ErrInvalid
// and lists their paths.
func one[T any](kind, ref string, items []T, id func(T) (ref, name, path string)) (*T, error) {
	var found []T
	var names, paths []string
	for _, item := range items {
		r, name, path := id(item)
		if r == ref || path == ref || path == escapePath(ref) {
			return &item, nil
		}
		names = append(names, name)
		if name == ref {
			found, paths = append(found, item), append(paths, path)
		}
	}
	switch len(found) {
	case 0:
		return nil, didYouMean(sdk.NotFoundf("%s %q does not exist", kind, ref), ref, names)
	case 1:
		return &found[0], nil
	}
	return nil, ambiguous(kind, ref, paths)
}
