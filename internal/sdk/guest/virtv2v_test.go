package guest

import (
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// virt-v2v takes minutes without hardware acceleration: this is the one test that runs it.
func TestFixWithVirtV2V_PutsVirtioIntoTheInitramfs(t *testing.T) {
	need.Appliance(t)
	need.Tools(t, "virt-v2v-in-place")
	disk := overlay(t, need.Guest(t, "bios"))
	var said []string
	result, err := FixWithVirtV2V(t.Context(), []Disk{disk}, nil, func(p sdk.Progress) { said = append(said, p.Message) })
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Edits) == 0 || !strings.Contains(strings.Join(said, "\n"), "to run on KVM") {
		t.Errorf("edits %v, progress %q; want an edit and virt-v2v's own words", result.Edits, said)
	}
	found, err := open(t, disk).Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range found.Kernels {
		if !k.InInitrd {
			t.Errorf("the initramfs of kernel %s does not find a virtio disk", k.Version)
		}
	}
}
