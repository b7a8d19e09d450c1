package vsphere

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// markOption is the extraConfig key under which a template, and what is to become one, carries our mark.
const markOption = "hypersdk.template"

// templateMark is what CreateTemplate writes into the VM before anything else: whose work it is, and, for a VM that is
// converted, where it was before.
type templateMark struct {
	Key    string `json:"key"`
	Name   string `json:"name,omitempty"`
	Folder string `json:"folder,omitempty"` // moref value
	Pool   string `json:"pool,omitempty"`   // Type:value

	At time.Time `json:"at,omitzero"` // when, by vCenter's clock
}

// templateKey is the same for the same call.
func templateKey(spec TemplateSpec) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		string(spec.Method), spec.Source, spec.Name, spec.Folder, spec.Snapshot, spec.Datastore,
	}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func (m templateMark) text() string {
	text, _ := json.Marshal(m) // strings and a time always marshal
	return string(text)
}

func (m templateMark) extraConfig() []types.BaseOptionValue {
	return []types.BaseOptionValue{&types.OptionValue{Key: markOption, Value: m.text()}}
}

// noMark takes the mark away: an empty value removes an option.
func noMark() []types.BaseOptionValue {
	return []types.BaseOptionValue{&types.OptionValue{Key: markOption, Value: ""}}
}

// readTemplateMark is a VM's mark, empty when it has none, and what it is besides.
type readTemplateMark struct {
	templateMark
	template bool
	path     string
}

func (c *Client) readMark(ctx context.Context, ref types.ManagedObjectReference) (*readTemplateMark, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref, SelectSet: towardsRoot()}}, append(treeProps(),
		types.PropertySpec{Type: "VirtualMachine", PathSet: []string{"name", "parent", "parentVApp", "config.template", "config.extraConfig"}}))
	if err != nil {
		return nil, err
	}
	object, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	vm, err := decode[mo.VirtualMachine](object)
	if err != nil {
		return nil, err
	}
	mark := &readTemplateMark{path: newTree(content).path(ref)}
	if vm.Config == nil {
		return nil, sdk.Conflictf("%s is being made", mark.path)
	}
	mark.template = vm.Config.Template
	for _, option := range vm.Config.ExtraConfig {
		if o := option.GetOptionValue(); o.Key == markOption {
			text, _ := o.Value.(string)
			if json.Unmarshal([]byte(text), &mark.templateMark) != nil {
				mark.templateMark = templateMark{} // somebody else's
			}
		}
	}
	return mark, nil
}
