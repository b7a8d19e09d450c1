package demo_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/nfc"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// dial makes a client that trusts the vCenter's CA and nothing else, not logged in.
func dial(t *testing.T, v *demo.VCenter) *govmomi.Client {
	t.Helper()
	u, err := soap.ParseURL(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	sc := soap.NewClient(u, false)
	if err := sc.SetRootCAs(v.CAFile()); err != nil {
		t.Fatal(err)
	}
	vc, err := vim25.NewClient(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sc.CloseIdleConnections)
	return &govmomi.Client{Client: vc, SessionManager: session.NewManager(vc)}
}

// login makes a client that is logged in.
func login(t *testing.T, v *demo.VCenter) *govmomi.Client {
	t.Helper()
	c := dial(t, v)
	if err := c.Login(t.Context(), url.UserPassword(v.Username(), v.Password())); err != nil {
		t.Fatal(err)
	}
	return c
}

// findVM finds a VM by its inventory path.
func findVM(t *testing.T, c *govmomi.Client, path string) *object.VirtualMachine {
	t.Helper()
	ref, err := object.NewSearchIndex(c.Client).FindByInventoryPath(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	vm, ok := ref.(*object.VirtualMachine)
	if !ok {
		t.Fatalf("%s is %v, want a VM", path, ref)
	}
	return vm
}

// guest is a VM with one small disk.
func guest(t *testing.T, path string) demo.Guest {
	t.Helper()
	return demo.Guest{Path: path, Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Mixed)}}}
}

// export opens a lease and waits until it is ready.
func export(t *testing.T, vm *object.VirtualMachine) (*nfc.Lease, *nfc.LeaseInfo) {
	t.Helper()
	lease, err := vm.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := lease.Wait(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return lease, info
}

// get reads a URL with the client's own trust, and its session cookie unless anonymous.
func get(t *testing.T, c *govmomi.Client, method, u string, edit func(*http.Request)) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(req)
	}
	res, err := (&http.Client{Transport: c.Client.Client.DefaultTransport()}).Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

func wantFault[T any](t *testing.T, err error) {
	t.Helper()
	var want T
	if _, ok := fault.As(err, &want); !ok {
		t.Errorf("got error %v (%T), want fault %T", err, err, want)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func properties(t *testing.T, c *govmomi.Client, ref types.ManagedObjectReference, names ...string) mo.VirtualMachine {
	t.Helper()
	var vm mo.VirtualMachine
	if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), ref, names, &vm); err != nil {
		t.Fatal(err)
	}
	return vm
}

// datacenter is the reference of DC0.
func datacenter(t *testing.T, c *govmomi.Client) types.ManagedObjectReference {
	t.Helper()
	dc, err := find.NewFinder(c.Client).Datacenter(t.Context(), "/DC0")
	if err != nil {
		t.Fatal(err)
	}
	return dc.Reference()
}

func sumFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sum(data)
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func itoa(n uint) string { return strconv.FormatUint(uint64(n), 10) }
