package vsphere

import (
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// InventoryPath is the path of an inventory object, taken apart. Paths in it stay escaped, so that they are paths again;
// names are as people see them.
type InventoryPath struct {
	Datacenter string   // its path; empty above the roots below a datacenter, where a path does not tell it from a folder
	Kind       string   // the root that the object is below: vm, host, datastore or network; empty with Datacenter
	Folder     string   // what lies between that root and the object, such as web/prod; empty directly below the root
	Name       string   // the object's own
	Parent     string   // path of what the object is in; empty at the top
	Parts      []string // all names
}

// roots are the folders that each datacenter has.
var roots = []string{"vm", "host", "datastore", "network"}

// ParseInventoryPath takes an absolute inventory path apart, without a call. A slash inside a name is written %2f.
func ParseInventoryPath(path string) (InventoryPath, error) {
	if !strings.HasPrefix(path, "/") {
		return InventoryPath{}, sdk.WithHint(sdk.Invalidf("%q is not an inventory path", path), "a path begins with /, such as /DC1/vm/web-01")
	}
	written := strings.Split(path[1:], "/")
	if slices.Contains(written, "") {
		return InventoryPath{}, sdk.WithHint(sdk.Invalidf("%q has an empty name in it", path), "write a / inside a name as %%2f, and none at the end")
	}
	last := len(written) - 1
	p := InventoryPath{Name: unescapeName(written[last])}
	for _, name := range written {
		p.Parts = append(p.Parts, unescapeName(name))
	}
	if last > 0 {
		p.Parent = "/" + strings.Join(written[:last], "/")
	}
	for i := 1; i <= last; i++ { // a datacenter comes before its roots
		if slices.Contains(roots, written[i]) {
			p.Kind, p.Datacenter = written[i], "/"+strings.Join(written[:i], "/")
			if i < last {
				p.Folder = strings.Join(written[i+1:last], "/")
			}
			break
		}
	}
	return p, nil
}
