package libvirt

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// conformance is what every connection must do, whatever is behind it. Drivers differ in what they can: domainType is the
// type of the domains that this one defines.
func conformance(t *testing.T, conn connection, domainType string) {
	domainXML := func(name, id string) string {
		return `<domain type='` + domainType + `'><name>` + name + `</name><uuid>` + id + `</uuid>
			<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os></domain>`
	}
	id := uuid.NewString()
	name := "hypersdk-test-" + id[:8]
	t.Cleanup(func() {
		_ = conn.destroyDomain(id)
		_ = conn.undefineDomain(id)
	})

	t.Run("host", func(t *testing.T) {
		if host, err := conn.hostname(); err != nil || host == "" {
			t.Errorf("hostname: %q, %v", host, err)
		}
		n, err := conn.node()
		if err != nil || n.cpus < 1 || n.memory < 64<<20 || n.free > n.memory {
			t.Errorf("node: %+v, %v", n, err)
		}
		if !conn.alive() {
			t.Error("the connection says it is dead")
		}
	})
	t.Run("missing things", func(t *testing.T) {
		missing := uuid.NewString()
		for what, err := range map[string]error{
			"domainByUUID":   second(conn.domainByUUID(missing)),
			"domainByName":   second(conn.domainByName(missing)),
			"domainRecord":   second(conn.domainRecord(missing)),
			"domainState":    second(conn.domainState(missing)),
			"startDomain":    conn.startDomain(missing),
			"shutdownDomain": conn.shutdownDomain(missing),
			"destroyDomain":  conn.destroyDomain(missing),
			"undefineDomain": conn.undefineDomain(missing),
			"setAutostart":   conn.setAutostart(missing, true),
			"renameDomain":   conn.renameDomain(missing, "x"),
			"bytesRead":      second(conn.bytesRead(missing, "vda")),
			"agentCommand":   second(conn.agentCommand(missing, "{}", 1)),
			"destroyNetwork": conn.destroyNetwork(missing),
			"leases":         second(conn.leases(missing)),
			"pool":           second(conn.pool(missing)),
			"refreshPool":    conn.refreshPool(missing),
		} {
			if !errors.Is(err, sdk.ErrNotFound) {
				t.Errorf("%s: %v, want sdk.ErrNotFound", what, err)
			}
		}
	})
	t.Run("bad XML", func(t *testing.T) {
		if _, err := conn.defineDomain("<domain"); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("got %v, want sdk.ErrInvalid", err)
		}
	})
	t.Run("life of a domain", func(t *testing.T) {
		key, err := conn.defineDomain(domainXML(name, id))
		if err != nil || key != (domainKey{uuid: id, name: name}) {
			t.Fatalf("define: %+v, %v", key, err)
		}
		if again, err := conn.defineDomain(domainXML(name, id)); err != nil || again != key {
			t.Errorf("redefine: %+v, %v", again, err)
		}
		if byName, err := conn.domainByName(name); err != nil || byName != key {
			t.Errorf("by name: %+v, %v", byName, err)
		}
		if all, err := conn.domains(); err != nil || !slices.Contains(all, key) {
			t.Errorf("domains: %+v, %v; want %+v among them", all, err, key)
		}
		if err := conn.destroyDomain(id); !errors.Is(err, sdk.ErrConflict) {
			t.Errorf("destroy a domain that is off: %v, want sdk.ErrConflict", err)
		}
		wantState(t, conn, id, "shutoff")
		if err := conn.startDomain(id); err != nil {
			t.Fatalf("start: %v", err)
		}
		wantState(t, conn, id, "running")
		// libvirt's test driver calls this an internal error.
		if err := conn.startDomain(id); err == nil || (domainType == "qemu" && !errors.Is(err, sdk.ErrConflict)) {
			t.Errorf("start a domain that runs: %v, want sdk.ErrConflict", err)
		}
		if err := conn.destroyDomain(id); err != nil {
			t.Errorf("destroy: %v", err)
		}
		wantState(t, conn, id, "shutoff")
		for _, on := range []bool{true, false} {
			if err := conn.setAutostart(id, on); err != nil {
				t.Errorf("autostart: %v", err)
			}
			r, err := conn.domainRecord(id)
			if err != nil || r.autostart != on || !strings.Contains(r.xml, id) {
				t.Errorf("record: %+v, %v; want autostart %t", r, err, on)
			}
		}
		if err := conn.renameDomain(id, name+"-b"); err != nil {
			t.Errorf("rename: %v", err)
		}
		if renamed, err := conn.domainByUUID(id); err != nil || renamed.name != name+"-b" {
			t.Errorf("after rename: %+v, %v", renamed, err)
		}
		if err := conn.undefineDomain(id); err != nil {
			t.Errorf("undefine: %v", err)
		}
		if _, err := conn.domainByUUID(id); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("after undefine: %v, want sdk.ErrNotFound", err)
		}
	})
	t.Run("life of a transient domain", func(t *testing.T) {
		key, err := conn.createDomain(domainXML(name, id))
		if err != nil || key.uuid != id {
			t.Fatalf("create: %+v, %v", key, err)
		}
		wantState(t, conn, id, "running")
		if err := conn.destroyDomain(id); err != nil {
			t.Errorf("destroy: %v", err)
		}
		if _, err := conn.domainState(id); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("after destroy: %v, want sdk.ErrNotFound", err)
		}
	})
	t.Run("life of a network", func(t *testing.T) {
		network := isolatedName(strings.Repeat("0", 16), self().String(), id[:4])
		text, err := isolatedNetworkXML(network, randomSubnet())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.createNetwork(text); err != nil {
			t.Fatal(err)
		}
		list, err := conn.networks()
		want := networkRecord{name: network, bridge: "hsbc-" + id[:4], active: true}
		if err != nil || !slices.Contains(list, want) {
			t.Errorf("networks: %+v, %v; want %+v among them", list, err, want)
		}
		if domainType == "qemu" { // the test driver has no DHCP server
			if leases, err := conn.leases(network); err != nil || len(leases) != 0 {
				t.Errorf("leases: %+v, %v", leases, err)
			}
		}
		if err := conn.destroyNetwork(network); err != nil {
			t.Error(err)
		}
	})
	t.Run("pools", func(t *testing.T) {
		names, err := conn.pools()
		if err != nil || len(names) == 0 {
			t.Fatalf("pools: %q, %v", names, err)
		}
		for _, name := range names {
			if r, err := conn.pool(name); err != nil || !strings.Contains(r.xml, name) {
				t.Errorf("pool %q: %+v, %v", name, r, err)
			}
			if err := conn.refreshPool(name); err != nil {
				t.Errorf("refresh %q: %v", name, err)
			}
		}
	})
	t.Run("close", func(t *testing.T) {
		if err := conn.close(); err != nil {
			t.Error(err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func wantState(t *testing.T, conn connection, id, want string) {
	t.Helper()
	if got, err := conn.domainState(id); err != nil || got.String() != want {
		t.Errorf("state %s, %v; want %s", got, err, want)
	}
}

func mustParse(t *testing.T, uri string) target {
	t.Helper()
	parsed, err := parseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestConformance_RPC(t *testing.T) {
	systemClient(t) // asks for what is needed
	for uri, domainType := range map[string]string{"qemu:///system": "qemu", "test:///default": "test"} {
		t.Run(uri, func(t *testing.T) {
			conn, err := dialRPC(mustParse(t, uri))
			if err != nil {
				t.Fatal(err)
			}
			conformance(t, conn, domainType)
		})
	}
}
