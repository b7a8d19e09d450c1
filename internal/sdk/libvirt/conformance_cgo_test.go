//go:build cgo && libvirt_dlopen

package libvirt

import "testing"

func TestConformance_Cgo(t *testing.T) {
	t.Run("qemu:///system", func(t *testing.T) {
		systemClient(t) // asks for what is needed
		conn, err := dialCgo(mustParse(t, "qemu:///system"))
		if err != nil {
			t.Fatal(err)
		}
		conformance(t, conn, "qemu")
	})
	t.Run("test:///default", func(t *testing.T) {
		conn, err := dialCgo(mustParse(t, "test:///default"))
		if err != nil {
			t.Fatal(err)
		}
		conformance(t, conn, "test")
	})
}
