package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// snapshot takes a snapshot of golden.
func (b *cloneBench) snapshot(name string) {
	b.t.Helper()
	_, _, err := b.c.CreateSnapshot(b.t.Context(), vsphere.SnapshotSpec{VM: goldenPath, Name: name}, nil)
	b.must(err)
}

func TestClone_LinkedHoldsTheDifferencesToASnapshot(t *testing.T) {
	b := newCloneBench(t)
	b.snapshot("base")
	linked := func(lines ...string) string {
		return b.config(append([]string{`linked = true`, `snapshot = "base"`}, lines...)...)
	}
	b.run(
		fails(linked(`disks = { "scsi0:0" = { size = 2 } }`), "A linked disk keeps its size"),
		resource.TestStep{
			Config: linked(`disks = { "scsi0:1" = { size = 1 } }`), // a disk of its own may have any size
			Check: func(*terraform.State) error {
				if disk := diskAt(b.vm(clonePath), "scsi0:0"); disk == nil || !disk.HasParent {
					return fmt.Errorf("disk at scsi0:0 is %+v, want one with a parent", disk)
				}
				return nil
			},
		},
		fails(linked(`disks = { "scsi0:0" = { size = 2 } }`), "A linked disk keeps its size"),
		resource.TestStep{Config: b.config(), ConfigPlanChecks: plans(plancheck.ResourceActionDestroyBeforeCreate)},
	)
}

func TestClone_OfATemplateNeedsAPool(t *testing.T) {
	b := newCloneBench(t)
	b.must(b.c.MarkAsTemplate(t.Context(), b.vm(goldenPath).Ref))
	b.run(
		fails(b.config(), "Which resource pool?"),
		resource.TestStep{Config: b.config(`resource_pool = "/DC0/host/DC0_C0"`)},
	)
}
