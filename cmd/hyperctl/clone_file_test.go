package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestParseClones_TheSpecsFile(t *testing.T) {
	got, err := parseClones("clones.yaml", ".", `clones:
  - source_vm: "template-ubuntu"
    target_name: "web-server-01"
    power_on: true
    resource_pool: "production"

  - source_vm: "template-ubuntu"
    target_name: "web-server-02"
    power_on: true
    resource_pool: "production"
`)
	if err != nil {
		t.Fatal(err)
	}
	item := vsphere.CloneItem{SourceVM: "template-ubuntu", TargetName: "web-server-01", PowerOn: true, ResourcePool: "production", Where: "clones.yaml:2"}
	second := item
	second.TargetName, second.Where = "web-server-02", "clones.yaml:7"
	if want := []vsphere.CloneItem{item, second}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestParseClones_EveryKey(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"user.yaml": "#cloud-config", "meta.yaml": "instance-id: x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := parseClones("c.yaml", dir, `clones:
- &base
  source_vm: s
  target_name: 1234
  power_on: yes
  resource_pool: p
  cluster: c
  host: h
  folder: /DC0/vm/f
  datastore: d
  linked_clone: true
  snapshot: base
  cpus: 4
  memory_mb: 8192
  networks: [one, two]
  annotation: ""
  customization_spec: linux
  cloud_init_file: user.yaml
  cloud_init_meta_file: meta.yaml
  wait_for_ip: true
  wait_seconds: 90
- {<<: *base, target_name: second, datastore: "", datastore_cluster: pod, cpus: 2}
`)
	if err != nil {
		t.Fatal(err)
	}
	empty := ""
	want := vsphere.CloneItem{
		SourceVM: "s", TargetName: "1234", PowerOn: true, ResourcePool: "p", Cluster: "c", Host: "h", Folder: "/DC0/vm/f", Datastore: "d",
		LinkedClone: true, Snapshot: "base", CPUs: 4, MemoryMB: 8192, Networks: []string{"one", "two"}, Annotation: &empty, CustomizationSpec: "linux",
		CloudInit: &vsphere.CloudInit{UserData: "#cloud-config", Metadata: "instance-id: x"}, WaitForIP: true, WaitSeconds: 90, Where: "c.yaml:2",
	}
	second := want
	second.TargetName, second.Datastore, second.DatastoreCluster, second.CPUs, second.Where = "second", "", "pod", 2, "c.yaml:22"
	if !reflect.DeepEqual(got, []vsphere.CloneItem{want, second}) {
		t.Errorf("got %+v\nwant %+v\nand %+v", got, want, second)
	}
}

func TestParseClones_CloudInitInTheFile(t *testing.T) {
	got, err := parseClones("c.yaml", ".", "clones:\n- cloud_init: {userdata: '#cloud-config', metadata: 'instance-id: x'}\n")
	if err != nil || got[0].CloudInit.UserData != "#cloud-config" || got[0].CloudInit.Metadata != "instance-id: x" {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestParseClones_Refusals(t *testing.T) {
	for name, tt := range map[string]struct{ text, want, hint string }{
		"empty":             {"", "c.yaml is empty", "write clones:"},
		"only a comment":    {"# nothing", "c.yaml is empty", "write clones:"},
		"no mapping":        {"- source_vm: a", "c.yaml:1: no clones: begins this file", "write clones:"},
		"no clones":         {"clones: []", "c.yaml:1: there are no clones in it", "write clones:"},
		"nothing in it":     {"clones:", "c.yaml:1: there are no clones in it", "write clones:"},
		"other root":        {"clone:\n- source_vm: a", `c.yaml:1: unknown key "clone"`, "did you mean clones?"},
		"twice":             {"clones: [{source_vm: a}]\nclones: [{source_vm: a}]", "c.yaml:2: clones: stands here for the second time", ""},
		"item is text":      {"clones:\n- web-01", "c.yaml:2: item 1 is no mapping of keys to values", "write clones:"},
		"unknown key":       {"clones:\n- source_vm: a\n  target: b", `c.yaml:3: item 1 has the unknown key "target"`, "did you mean target_name?"},
		"unknown in merge":  {"clones:\n- &a\n  sorce_vm: a\n- <<: *a\n", `c.yaml:3: item 1 has the unknown key "sorce_vm"`, "did you mean source_vm?"},
		"key twice":         {"clones:\n- source_vm: a\n  source_vm: b", `c.yaml:3: item 1: source_vm: key "source_vm" already defined at line 2`, ""},
		"wrong type":        {"clones:\n- source_vm: a\n  cpus: many", "c.yaml:3: item 1: cpus: cannot take `many` for a whole number", ""},
		"text for a list":   {"clones:\n- networks: one", "c.yaml:2: item 1: networks: cannot take `one` for a list of names", ""},
		"list for a text":   {"clones:\n- source_vm: [a]", "c.yaml:2: item 1: source_vm: cannot take a list for a text", ""},
		"two faults":        {"clones:\n- power_on: maybe\n- cpus: x", "c.yaml:2: item 1: power_on: cannot take `maybe` for true or false\nc.yaml:3: item 2: cpus: cannot take `x` for a whole number", ""},
		"cloud-init":        {"clones:\n- cloud_init: {user_data: x}", `c.yaml:2: item 1 has the unknown key "user_data" in cloud_init`, "did you mean userdata?"},
		"cloud-init twice":  {"clones:\n- cloud_init: {userdata: x}\n  cloud_init_file: y", "c.yaml:2: item 1 has cloud_init and a file of it", ""},
		"cloud-init's file": {"clones:\n- cloud_init_file: none.yaml", "c.yaml:2: item 1: stat none.yaml: no such file", ""},
		"second document":   {"clones:\n- source_vm: a\n---\nclones: []", "a second document begins", ""},
		"no YAML":           {"clones:\n\t- source_vm", "c.yaml: line 2: found character that cannot start any token", ""},
		"holds itself":      {"clones:\n- &a {<<: *a}", "c.yaml: item 1: anchor 'a' value contains itself", ""},
		"merge of a list":   {"clones:\n- &a {source_vm: a}\n- &b {cpu: 1}\n- <<: [*a, *b]", `c.yaml:3: item 2 has the unknown key "cpu"`, "did you mean cpus?"},
		"an unknown anchor": {"clones:\n- *none", "c.yaml: unknown anchor 'none' referenced", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseClones("c.yaml", ".", tt.text)
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want ErrInvalid with %q", err, tt.want)
			}
			if hints := strings.Join(sdk.Hints(err), "; "); tt.hint != "" && !strings.Contains(hints, tt.hint) {
				t.Errorf("got hints %q, want %q", hints, tt.hint)
			}
		})
	}
}

// TestParseClones_KnowsEveryFieldOfAnItem: a field of the SDK's that the file cannot write would be forgotten silently.
func TestParseClones_KnowsEveryFieldOfAnItem(t *testing.T) {
	keys := strings.Join(yamlKeys(reflect.TypeFor[fileItem]()), " ") + " "
	for i := range reflect.TypeFor[vsphere.CloneItem]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[vsphere.CloneItem]().Field(i).Tag.Get("json"), ",")
		if name != "-" && !strings.Contains(keys, name+" ") {
			t.Errorf("the file has no key %q", name)
		}
	}
}

func FuzzParseClones(f *testing.F) {
	f.Add("clones:\n- {source_vm: a, target_name: b}")
	f.Add("clones:\n- &a {source_vm: a}\n- {<<: *a, target_name: c}")
	f.Add("a: &a [*a]")
	f.Add("clones:\n- &a {<<: *a}")
	f.Add("clones:\n- &a {<<: [*a, *a]}")
	f.Add("clones:\n- cloud_init: &c {<<: *c}")
	f.Add("clones: &l [*l]")
	f.Fuzz(func(t *testing.T, text string) {
		items, err := parseClones("f", t.TempDir(), text)
		if err == nil && len(items) == 0 {
			t.Errorf("%q: neither clones nor an error", text)
		}
	})
}
