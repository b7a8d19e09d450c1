package provider

import (
	"os"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// exampleOf reads a resource's example and gives its inventory the simulator's names.
func exampleOf(t *testing.T, kind string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/resources/" + kind + "/resource.tf")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("/DC1/host/C1", "/DC0/host/DC0_C0", "/DC1/datastore/ds1", "/DC0/datastore/LocalDS_0", "/DC1/", "/DC0/").Replace(string(text))
}

// exampleBench has what the examples name.
func exampleBench(t *testing.T) *cloneBench {
	t.Helper()
	windows := guestAt(t, "/DC0/vm/templates/windows-2022")
	windows.GuestID = "windows2019srvNext_64Guest"
	neighbour := guestAt(t, "/DC0/vm/web/neighbour")
	neighbour.NICs = []demo.GuestNIC{{MAC: randomMAC(), Network: "web"}}
	running := guestAt(t, "/DC0/vm/web-01")
	running.PoweredOn = true
	b := newCloneBench(t, guestAt(t, "/DC0/vm/templates/debian-12"), windows, neighbour, running,
		guestAt(t, "/DC0/vm/build/golden"), guestAt(t, "/DC0/vm/build/appliance"))
	b.defineLabels("VirtualMachine", "owner")
	if _, _, err := b.c.CreateSnapshot(t.Context(), vsphere.SnapshotSpec{VM: "/DC0/vm/templates/debian-12", Name: "base"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "prod", Parent: "/DC0/host/DC0_C0"}); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestClone_ExampleApplies(t *testing.T) {
	b := exampleBench(t)
	t.Setenv("TF_VAR_join_password", "correct horse")
	w := newWorkspace(t, b.provider()+exampleOf(t, "hypersdk_clone"))
	w.apply()
	if got := w.terraform(0, "output", "address"); !strings.Contains(got, `"10.0.0.11"`) {
		t.Errorf("the output is %s, want the address that the customization gives", got)
	}
	if state, err := os.ReadFile(w.dir + "/terraform.tfstate"); err != nil || strings.Contains(string(state), "correct horse") {
		t.Errorf("the state holds the write-only password (%v)", err)
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}
