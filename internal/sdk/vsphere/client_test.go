package vsphere_test

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestDial_Trust(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	other := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	for _, c := range []struct {
		name string
		cfg  vsphere.Config
		want error
	}{
		{"CA file", vsphere.Config{CAFile: v.CAFile()}, nil},
		{"SHA-256", vsphere.Config{Thumbprint: v.Thumbprint()}, nil},
		{"SHA-256, plain lower case", vsphere.Config{Thumbprint: strings.ToLower(strings.ReplaceAll(v.Thumbprint(), ":", ""))}, nil},
		{"SHA-1", vsphere.Config{Thumbprint: sha1Thumbprint(t, v)}, nil},
		{"insecure", vsphere.Config{Insecure: true}, nil},
		{"system roots", vsphere.Config{}, sdk.ErrDenied},
		{"another CA", vsphere.Config{CAFile: other.CAFile()}, sdk.ErrDenied},
		{"another thumbprint", vsphere.Config{Thumbprint: other.Thumbprint()}, sdk.ErrDenied},
		{"thumbprint of another length", vsphere.Config{Thumbprint: "AB:CD"}, sdk.ErrInvalid},
		{"no such CA file", vsphere.Config{CAFile: "/nonexistent/ca.pem"}, sdk.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.URL, c.cfg.Username, c.cfg.Password = v.URL(), v.Username(), vsphere.Secret(v.Password())
			client, err := vsphere.Dial(t.Context(), c.cfg)
			if err == nil {
				err = client.Close(t.Context())
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want == sdk.ErrDenied && !strings.Contains(strings.Join(sdk.Hints(err), "\n"), v.Thumbprint()) { //nolint:errorlint // the table's value
				t.Errorf("got hints %q, want the thumbprint %s", sdk.Hints(err), v.Thumbprint())
			}
		})
	}
}

func sha1Thumbprint(t *testing.T, v *demo.VCenter) string {
	t.Helper()
	u, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // reads the certificate
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // read only
	sum := sha1.Sum(conn.ConnectionState().PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}

func TestDial_WrongPassword(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	cfg := config(v)
	cfg.Password = "hunter2-wrong"
	_, err := vsphere.Dial(t.Context(), cfg)
	if !errors.Is(err, sdk.ErrDenied) {
		t.Fatalf("got %v, want ErrDenied", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v %v", err, err, cfg, sdk.Hints(err)), "hunter2") {
		t.Errorf("the password shows in %v", err)
	}
}

func TestDial_Unreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, err = vsphere.Dial(t.Context(), vsphere.Config{URL: addr, Username: "u"})
	if !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestDial_HeedsItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // end of the test
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = vsphere.Dial(ctx, vsphere.Config{URL: l.Addr().String(), Username: "u"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

func TestGetVCenter_MakesNoCall(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c := dial(t, v)
	before := v.Calls()
	got, err := c.GetVCenter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != v.URL() || got.APIType != "VirtualCenter" || got.InstanceUUID == "" {
		t.Errorf("got %+v", got)
	}
	if n := calls(before, v.Calls()); n != 0 {
		t.Errorf("got %d calls, want none", n)
	}
}

func TestClient_LogsInAgainOnceForAllCalls(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c := dial(t, v)
	v.EndSessions()
	before := v.Calls()["Login"]
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			if _, err := c.ListHosts(t.Context(), vsphere.Filter{}); err != nil {
				t.Errorf("after the session ended: %v", err)
			}
		})
	}
	work.Wait()
	if got := v.Calls()["Login"] - before; got != 1 {
		t.Errorf("got %d logins, want 1", got)
	}
}

func TestClient_KeepAliveRenewsTheSession(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	cfg := config(v)
	cfg.KeepAlive = 10 * time.Millisecond
	c, err := vsphere.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context()) //nolint:errcheck // end of the test
	v.EndSessions()
	for deadline := time.Now().Add(20 * time.Second); v.Sessions() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no session again")
		}
	}
}

func TestClose_LeavesNoSession(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c, err := vsphere.Dial(t.Context(), config(v))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as after an interrupt
	for range 2 {
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("got %d sessions, want 0", got)
	}
	if _, err := c.ListHosts(t.Context(), vsphere.Filter{}); err == nil {
		t.Error("a closed client works")
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("got %d sessions after a call on a closed client, want 0", got)
	}
}

func TestClose_SessionThatEndedAlready(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c, err := vsphere.Dial(t.Context(), config(v))
	if err != nil {
		t.Fatal(err)
	}
	v.EndSessions()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDial_OutlastsABusyVCenter(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Faults: demo.Faults{Unavailable: 3}})
	c := dial(t, v)
	if _, err := c.ListHosts(t.Context(), vsphere.Filter{}); err != nil {
		t.Error(err)
	}
}

func TestDial_GivesUpOnAVCenterThatStaysBusy(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Faults: demo.Faults{Unavailable: 1000}})
	if _, err := vsphere.Dial(t.Context(), config(v)); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("Dial() = %v, want unavailable", err)
	}
}
