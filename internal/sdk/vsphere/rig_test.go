package vsphere_test

import (
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// config is how to reach a simulated vCenter whose CA is trusted.
func config(v *demo.VCenter) vsphere.Config {
	return vsphere.Config{
		URL: v.URL(), Username: v.Username(), Password: vsphere.Secret(v.Password()), CAFile: v.CAFile(),
	}
}

func dial(t testing.TB, v *demo.VCenter) *vsphere.Client {
	t.Helper()
	c, err := vsphere.Dial(t.Context(), config(v))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// web is a VM with two disks on two controllers, listed against their order on the buses.
func web(t testing.TB, path string) demo.Guest {
	t.Helper()
	return demo.Guest{
		Path: path, Firmware: "uefi", CPUs: 4, MemoryMB: 2048, Hostname: "web-01", IPs: []string{"192.0.2.10"},
		Disks: []demo.GuestDisk{
			{Image: rig.Disk(t, 3<<20+512, rig.Mixed), Address: "sata0:1"},
			{Image: rig.Disk(t, 2<<20, rig.Mixed), Address: "scsi0:1"},
			{Image: rig.Disk(t, 1<<20, rig.Text), Address: "scsi0:0"},
		},
		NICs: []demo.GuestNIC{{MAC: "00:50:56:AA:BB:01", Network: "VM Network", Type: "vmxnet3"}, {MAC: "00:50:56:aa:bb:02", Type: "e1000e"}},
	}
}

// calls is how many SOAP calls were made between two counts.
func calls(before, after map[string]int) int {
	n := 0
	for method, count := range after {
		if method != "GET /nfc" && method != "GET /folder" && !strings.HasPrefix(method, "REST ") {
			n += count - before[method]
		}
	}
	return n
}
