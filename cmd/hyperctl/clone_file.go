package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	maxCloneFile = 4 << 20
	clonesKey    = "clones"
)

// fileItem is a clone as the file of -bulk writes it: an item of the SDK, and what only a file can name.
type fileItem struct {
	vsphere.CloneItem `yaml:",inline"`

	CloudInitFile     string `yaml:"cloud_init_file"`      // user data; relative to the file that names it
	CloudInitMetaFile string `yaml:"cloud_init_meta_file"` // metadata, likewise
}

// readClones reads the file of -bulk, or stdin for "-". Every error names the line.
func readClones(file string, stdin io.Reader) ([]vsphere.CloneItem, error) {
	name, dir := file, filepath.Dir(file)
	var text string
	var err error
	if file == "-" {
		name, dir = "stdin", "."
		text, err = readStdin(stdin)
	} else {
		text, err = readBounded(file, maxCloneFile)
	}
	if err != nil {
		return nil, err
	}
	return parseClones(name, dir, text)
}

func readStdin(stdin io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(stdin, maxCloneFile+1))
	if err == nil && len(text) > maxCloneFile {
		err = sdk.Invalidf("stdin has more than %s", sdk.FormatBytes(maxCloneFile))
	}
	return string(text), err
}

// parseClones reads the text of a file. What is named relatively is below dir.
func parseClones(name, dir, text string) ([]vsphere.CloneItem, error) {
	f := cloneFile{name: name, dir: dir}
	root, err := f.document(text)
	if err != nil {
		return nil, err
	}
	list, err := f.list(root)
	if err != nil {
		return nil, err
	}
	var items []vsphere.CloneItem
	var failed []error
	for i, node := range list.Content {
		item, err := f.item(node, i+1)
		items, failed = append(items, item), append(failed, err)
	}
	return items, errors.Join(failed...)
}

// cloneFile is the file that is read, for its errors.
type cloneFile struct{ name, dir string }

// refuse is an error at a node: file:line: text.
func (f cloneFile) refuse(at *yaml.Node, format string, args ...any) error {
	return sdk.Invalidf("%s:%d: %s", f.name, at.Line, fmt.Sprintf(format, args...))
}

// document is the one document of the text.
func (f cloneFile) document(text string) (*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, sdk.WithHint(sdk.Invalidf("%s is empty", f.name), "%s", cloneFileShape)
	case err != nil:
		return nil, sdk.Invalidf("%s: %s", f.name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, f.refuse(&more, "a second document begins; a file has one list of clones")
	}
	return doc.Content[0], nil
}

const cloneFileShape = "write clones: and below it a list, of which each item has source_vm and target_name"

// list is the sequence under "clones".
func (f cloneFile) list(root *yaml.Node) (*yaml.Node, error) {
	if root.Kind != yaml.MappingNode {
		return nil, sdk.WithHint(f.refuse(root, "no %s: begins this file", clonesKey), "%s", cloneFileShape)
	}
	var list *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		key := root.Content[i]
		if key.Value != clonesKey {
			return nil, cli.Suggest(f.refuse(key, "unknown key %q", key.Value), key.Value, []string{clonesKey})
		}
		if list != nil {
			return nil, f.refuse(key, "%s: stands here for the second time", clonesKey)
		}
		list = aliased(root.Content[i+1])
	}
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, sdk.WithHint(f.refuse(root, "there are no clones in it"), "%s", cloneFileShape)
	}
	return list, nil
}

// item reads the number-th item.
func (f cloneFile) item(node *yaml.Node, number int) (vsphere.CloneItem, error) {
	var item fileItem
	at := node
	node = aliased(node)
	if node.Kind != yaml.MappingNode {
		return item.CloneItem, sdk.WithHint(f.refuse(at, "item %d is no mapping of keys to values", number), "%s", cloneFileShape)
	}
	var mistakes *yaml.TypeError
	if err := node.Decode(new(any)); err != nil && !errors.As(err, &mistakes) { // as an alias of what it is in
		return item.CloneItem, f.mistyped(err, node, number)
	}
	if err := f.known(node, number); err != nil {
		return item.CloneItem, err
	}
	if err := node.Decode(&item); err != nil {
		return item.CloneItem, f.mistyped(err, node, number)
	}
	item.Where = fmt.Sprintf("%s:%d", f.name, at.Line)
	if item.CloudInitFile != "" || item.CloudInitMetaFile != "" {
		if item.CloudInit != nil {
			return item.CloneItem, f.refuse(at, "item %d has cloud_init and a file of it; write one of the two", number)
		}
		var err error
		if item.CloudInit, err = cloudInit(f.below(item.CloudInitFile), f.below(item.CloudInitMetaFile)); err != nil {
			return item.CloneItem, fmt.Errorf("%s: item %d: %w", item.Where, number, err)
		}
	}
	return item.CloneItem, nil
}

// known refuses keys that there are not, also those of what an item merges (<<: *base). The node decodes: no alias holds itself.
func (f cloneFile) known(node *yaml.Node, number int) error {
	keys := yamlKeys(reflect.TypeFor[fileItem]())
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], aliased(node.Content[i+1])
		switch {
		case key.Tag == "!!merge":
			for _, merged := range merges(value) {
				if err := f.known(merged, number); err != nil {
					return err
				}
			}
		case !slices.Contains(keys, key.Value):
			return cli.Suggest(f.refuse(key, "item %d has the unknown key %q", number, key.Value), key.Value, keys)
		}
		if key.Value == "cloud_init" && value.Kind == yaml.MappingNode {
			if err := f.knownCloudInit(value, number); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f cloneFile) knownCloudInit(node *yaml.Node, number int) error {
	keys := yamlKeys(reflect.TypeFor[vsphere.CloudInit]())
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(keys, key.Value) {
			return cli.Suggest(f.refuse(key, "item %d has the unknown key %q in cloud_init", number, key.Value), key.Value, keys)
		}
	}
	return nil
}

// mistyped is the error for values of a wrong type. The library's own names Go's types and no key.
func (f cloneFile) mistyped(err error, item *yaml.Node, number int) error {
	var mistakes *yaml.TypeError
	if !errors.As(err, &mistakes) {
		return sdk.Invalidf("%s: item %d: %s", f.name, number, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	words := strings.NewReplacer("cannot unmarshal", "cannot take", "!!str ", "", "!!seq", "a list", "!!map", "a mapping", "!!", "",
		"into bool", "for true or false", "into int64", "for a whole number", "into int", "for a whole number",
		"into []string", "for a list of names", "into string", "for a text", "into vsphere.CloudInit", "for metadata and userdata",
		"mapping key", "key")
	var all []error
	for _, mistake := range mistakes.Errors {
		var line int
		text := mistake
		if _, err := fmt.Sscanf(mistake, "line %d:", &line); err == nil {
			_, text, _ = strings.Cut(mistake, ": ")
		}
		key := keyAt(item, line)
		if key != "" {
			key += ": "
		}
		all = append(all, sdk.Invalidf("%s:%d: item %d: %s%s", f.name, line, number, key, words.Replace(text)))
	}
	return errors.Join(all...)
}

// keyAt is the key whose value begins at the line; empty: none does.
func keyAt(mapping *yaml.Node, line int) string {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if key.Tag != "!!merge" {
			if value.Line == line {
				return key.Value
			}
			continue
		}
		for _, merged := range merges(aliased(value)) {
			if found := keyAt(merged, line); found != "" {
				return found
			}
		}
	}
	return ""
}

// merges are the mappings that a merge key takes over: one, or those of a list.
func merges(value *yaml.Node) []*yaml.Node {
	list := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		list = value.Content
	}
	var mappings []*yaml.Node
	for _, one := range list {
		if one = aliased(one); one.Kind == yaml.MappingNode {
			mappings = append(mappings, one)
		}
	}
	return mappings
}

func (f cloneFile) below(file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(f.dir, file)
}

// aliased follows an alias (*base) to what it stands for.
func aliased(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// yamlKeys are the keys that a struct reads, in order.
func yamlKeys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		key, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			keys = append(keys, yamlKeys(field.Type)...)
		case key == "":
			keys = append(keys, strings.ToLower(field.Name))
		case key != "-":
			keys = append(keys, key)
		}
	}
	return keys
}
