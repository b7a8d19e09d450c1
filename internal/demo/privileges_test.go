package demo_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// The role files of the documentation name privileges that a vCenter has, each once and in order.
func TestRoleFiles_NamePrivilegesThatExist(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	var manager mo.AuthorizationManager
	err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), *c.ServiceContent.AuthorizationManager, []string{"roleList"}, &manager)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, role := range manager.RoleList {
		for _, id := range role.Privilege { // the administrator has them all
			known[id] = true
		}
	}
	files, err := filepath.Glob("../../examples/permissions/*.privileges")
	if err != nil || len(files) != 3 {
		t.Fatalf("role files: %v, %v; want three", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := strings.Fields(string(text))
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s: not sorted, or a privilege twice", filepath.Base(file))
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("%s: vCenter has no privilege %s", filepath.Base(file), name)
			}
		}
	}
}
