package demo_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"go.uber.org/goleak"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestStart_RefusesBadOptions(t *testing.T) {
	disk := rig.Disk(t, 1<<20, rig.Zero)
	one := func(edit func(*demo.Guest)) demo.Options {
		g := demo.Guest{Path: webPath, Disks: []demo.GuestDisk{{Image: disk}}}
		edit(&g)
		return demo.Options{Guests: []demo.Guest{g}}
	}
	for name, opts := range map[string]demo.Options{
		"listen":           {Listen: "nonsense"},
		"hosts":            {Hosts: -1},
		"VMs":              {VMs: 1 << 30},
		"twice":            {Guests: []demo.Guest{{Path: webPath}, {Path: webPath}}},
		"no path":          one(func(g *demo.Guest) { g.Path = "" }),
		"other datacenter": one(func(g *demo.Guest) { g.Path = "/DC9/vm/x" }),
		"empty folder":     one(func(g *demo.Guest) { g.Path = "/DC0/vm//x" }),
		"firmware":         one(func(g *demo.Guest) { g.Firmware = "coreboot" }),
		"guest id":         one(func(g *demo.Guest) { g.GuestID = "templeOSGuest" }),
		"IP":               one(func(g *demo.Guest) { g.IPs = []string{"192.0.2.1/24"} }),
		"CPUs":             one(func(g *demo.Guest) { g.CPUs = -1 }),
		"memory":           one(func(g *demo.Guest) { g.MemoryMB = 1 }),
		"format":           one(func(g *demo.Guest) { g.Disks[0].Format = "vdi" }),
		"address":          one(func(g *demo.Guest) { g.Disks[0].Address = "floppy0:0" }),
		"unit 7":           one(func(g *demo.Guest) { g.Disks[0].Address = "scsi0:7" }),
		"no such unit":     one(func(g *demo.Guest) { g.Disks[0].Address = "ide2:0" }),
		"address taken": one(func(g *demo.Guest) {
			g.Disks = append(g.Disks, demo.GuestDisk{Image: disk, Address: "scsi0:00"}, demo.GuestDisk{Image: disk, Address: "scsi0:0"})
		}),
		"controller":         one(func(g *demo.Guest) { g.Disks[0].Controller = "virtio" }),
		"controller of sata": one(func(g *demo.Guest) { g.Disks[0].Address, g.Disks[0].Controller = "sata0:0", "pvscsi" }),
		"two controllers": one(func(g *demo.Guest) {
			g.Disks = append(g.Disks, demo.GuestDisk{Image: disk, Controller: "lsilogic"})
		}),
		"too many disks": one(func(g *demo.Guest) { g.Disks = make([]demo.GuestDisk, 17) }),
		"adapter":        one(func(g *demo.Guest) { g.NICs = []demo.GuestNIC{{Type: "virtio"}} }),
		"MAC":            one(func(g *demo.Guest) { g.NICs = []demo.GuestNIC{{MAC: "00:50"}} }),
		"many adapters":  one(func(g *demo.Guest) { g.NICs = make([]demo.GuestNIC, 11) }),
	} {
		t.Run(name, func(t *testing.T) {
			opts.CacheDir = t.TempDir()
			v, err := demo.Start(t.Context(), opts)
			if v != nil {
				_ = v.Close()
			}
			if !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want an invalid input", err)
			}
		})
	}
}

func TestStart_AddressInUse(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := demo.Start(t.Context(), demo.Options{Listen: l.Addr().String(), CacheDir: t.TempDir()}); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestStart_Canceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := demo.Start(ctx, demo.Options{CacheDir: t.TempDir(), Guests: []demo.Guest{guest(t, webPath)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestClose_LeavesNothing closes a vCenter in full use: an open lease, a hanging transfer, a pending wait.
func TestClose_LeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	g := guest(t, webPath)
	before := goleak.IgnoreCurrent()
	v := rig.VCenter(t, demo.Options{
		CacheDir: t.TempDir(), Guests: []demo.Guest{g}, Faults: demo.Faults{BytesPerSec: 100}, SessionIdle: time.Hour,
	})
	c := login(t, v)
	_, info := export(t, findVM(t, c, webPath))
	ended := make(chan error, 2)
	go func() {
		_, _, err := get(t, c, "GET", info.DeviceUrl[0].Url, nil)
		ended <- err
	}()
	pc, err := property.DefaultCollector(c.Client).Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- property.Wait(t.Context(), pc, c.ServiceContent.RootFolder, []string{"name"},
			func([]types.PropertyChange) bool { return false })
	}()
	waits := v.Calls()["WaitForUpdatesEx"]
	eventually(t, "transfer and wait", func() bool {
		calls := v.Calls()
		return calls["GET /nfc"] == 1 && calls["WaitForUpdatesEx"] >= waits+2
	})
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a call ended well although the vCenter was closed")
		}
	}
	c.Client.Client.CloseIdleConnections()
	goleak.VerifyNone(t, before)
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("got %v and %v in the temporary directory, want nothing", left, err)
	}
	if err := v.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestTLS_OnlyItsOwnCA(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Listen: "localhost:0"})
	u, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vim25.NewClient(t.Context(), soap.NewClient(u, false)); err == nil {
		t.Error("a client without the CA was served")
	}
	for _, name := range []string{"127.0.0.1", "localhost"} {
		sc := soap.NewClient(&url.URL{Scheme: "https", Host: net.JoinHostPort(name, u.Port()), Path: "/sdk"}, false)
		if err := sc.SetRootCAs(v.CAFile()); err != nil {
			t.Fatal(err)
		}
		if _, err := vim25.NewClient(t.Context(), sc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	leaf := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
	got := soap.ThumbprintSHA256(leaf)
	if want := v.Thumbprint(); !strings.EqualFold(got, want) {
		t.Errorf("got thumbprint %s, want %s", got, want)
	}
	if err := leaf.VerifyHostname("::1"); err != nil {
		t.Error(err)
	}
}

func TestCall_BodyIsBounded(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	err := c.Login(t.Context(), url.UserPassword(strings.Repeat("x", 17<<20), "x"))
	if err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %.200v, want 400 Bad Request", err)
	}
}

func TestLatency_CancelsWithTheCaller(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Latency: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		u, _ := url.Parse(v.URL())
		sc := soap.NewClient(u, true)
		_, err := vim25.NewClient(ctx, sc)
		failed <- err
	}()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
