package libvirt

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestParseURI(t *testing.T) {
	cases := map[string]struct {
		err  string // part of it; empty: accepted
		hint string // part of a hint
	}{
		"qemu:///system":                     {},
		"qemu:///session":                    {},
		"qemu+unix:///system":                {},
		"qemu:///system?socket=/tmp/s":       {},
		"test:///default":                    {},
		"":                                   {"empty", "qemu:///system"},
		"qemu+ssh://root@kvm1/system":        {"remote host", "daemon executor"},
		"qemu+ssh:///system":                 {"remote host", "daemon executor"},
		"qemu+tls://kvm1.example.org/system": {"remote host", "daemon executor"},
		"qemu://kvm1/system":                 {"remote host", "daemon executor"},
		"qemu+libssh2://kvm1/system":         {"remote host", "daemon executor"},
		"xen:///system":                      {`driver "xen"`, "qemu:///system"},
		"lxc:///":                            {`driver "lxc"`, "qemu:///system"},
		"system":                             {`driver ""`, "qemu:///system"},
		"qemu:///embed":                      {"neither /system nor /session", ""},
		"qemu:///":                           {"neither /system nor /session", ""},
		"://":                                {"cannot be read", ""},
		"qemu:///system\x00":                 {"cannot be read", ""},
	}
	for uri, c := range cases {
		t.Run(uri, func(t *testing.T) {
			_, err := parseURI(uri)
			if c.err == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want an sdk.ErrInvalid with %q", err, c.err)
			}
			if hints := strings.Join(sdk.Hints(err), "\n"); !strings.Contains(hints, c.hint) {
				t.Errorf("hints %q, want %q", hints, c.hint)
			}
		})
	}
}

// TestErrorCodes holds our numbers against the binding's, which come from libvirt's headers.
func TestErrorCodes(t *testing.T) {
	cases := []struct {
		code errorCode
		same golibvirt.ErrorNumber
		kind error
	}{
		{codeNoDomain, golibvirt.ErrNoDomain, sdk.ErrNotFound},
		{codeNoNetwork, golibvirt.ErrNoNetwork, sdk.ErrNotFound},
		{codeNoStoragePool, golibvirt.ErrNoStoragePool, sdk.ErrNotFound},
		{codeNoStorageVolume, golibvirt.ErrNoStorageVol, sdk.ErrNotFound},
		{codeOperationInvalid, golibvirt.ErrOperationInvalid, sdk.ErrConflict},
		{codeDomainExists, golibvirt.ErrDomExist, sdk.ErrConflict},
		{codeVolumeExists, golibvirt.ErrStorageVolExist, sdk.ErrConflict},
		{codeResourceBusy, golibvirt.ErrResourceBusy, sdk.ErrConflict},
		{codeAuthFailed, golibvirt.ErrAuthFailed, sdk.ErrDenied},
		{codeAuthCancelled, golibvirt.ErrAuthCancelled, sdk.ErrDenied},
		{codeAuthUnavailable, golibvirt.ErrAuthUnavailable, sdk.ErrDenied},
		{codeAccessDenied, golibvirt.ErrAccessDenied, sdk.ErrDenied},
		{codeOperationDenied, golibvirt.ErrOperationDenied, sdk.ErrDenied},
		{codeNoConnect, golibvirt.ErrNoConnect, sdk.ErrUnavailable},
		{codeInvalidConn, golibvirt.ErrInvalidConn, sdk.ErrUnavailable},
		{codeRPC, golibvirt.ErrRPC, sdk.ErrUnavailable},
		{codeOperationTimeout, golibvirt.ErrOperationTimeout, sdk.ErrUnavailable},
		{codeAgentUnresponsive, golibvirt.ErrAgentUnresponsive, sdk.ErrUnavailable},
		{codeInvalidArg, golibvirt.ErrInvalidArg, sdk.ErrInvalid},
		{codeXMLError, golibvirt.ErrXMLError, sdk.ErrInvalid},
		{codeXMLDetail, golibvirt.ErrXMLDetail, sdk.ErrInvalid},
		{codeXMLInvalidSchema, golibvirt.ErrXMLInvalidSchema, sdk.ErrInvalid},
		{codeConfigUnsupported, golibvirt.ErrConfigUnsupported, sdk.ErrInvalid},
	}
	if len(cases) != len(kindOfCode) {
		t.Errorf("%d codes here, %d in the table", len(cases), len(kindOfCode))
	}
	for _, c := range cases {
		if int(c.code) != int(c.same) {
			t.Errorf("our code %d is libvirt's %d", c.code, c.same)
		}
		if err := fromCode(c.code, "text"); !errors.Is(err, c.kind) || err.Error() != "text" {
			t.Errorf("code %d: %v, want kind %v", c.code, err, c.kind)
		}
	}
	for code, same := range map[errorCode]golibvirt.ErrorNumber{
		codeNoSupport: golibvirt.ErrNoSupport, codeOperationFailed: golibvirt.ErrOperationFailed, codeSystemError: golibvirt.ErrSystemError,
	} {
		if int(code) != int(same) {
			t.Errorf("our code %d is libvirt's %d", code, same)
		}
		err := fromCode(code, "text")
		for _, kind := range []error{sdk.ErrInvalid, sdk.ErrNotFound, sdk.ErrConflict, sdk.ErrDenied, sdk.ErrUnavailable} {
			if errors.Is(err, kind) {
				t.Errorf("code %d has the kind %v, want none", code, kind)
			}
		}
	}
}

func TestOpen_NoDaemon(t *testing.T) {
	_, err := Open(t.Context(), "qemu:///system?socket="+filepath.Join(t.TempDir(), "no-such-socket"), nil)
	if !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("got %v, want sdk.ErrUnavailable", err)
	}
	if hints := strings.Join(sdk.Hints(err), "\n"); !strings.Contains(hints, "setup-kvm-host.sh") {
		t.Errorf("hints %q do not say how to set the host up", hints)
	}
}

// TestOpen_HungDaemon connects to a socket where somebody listens and never answers.
func TestOpen_HungDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 1)) // the client asks
		cancel()
		<-t.Context().Done()
		conn.Close()
	}()
	if _, err := Open(ctx, "qemu:///system?socket="+path, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestClient_UseAfterClose(t *testing.T) {
	c, err := Open(t.Context(), "test:///default", nil)
	if errors.Is(err, sdk.ErrUnavailable) {
		c = systemClient(t)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, err := c.ListDomains(t.Context()); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want sdk.ErrInvalid", err)
	}
}

// TestClient_ConnectsAgain breaks the connection below the client, as a restart of the daemon does.
func TestClient_ConnectsAgain(t *testing.T) {
	c := systemClient(t)
	c.mu.Lock()
	broken := c.conn
	c.mu.Unlock()
	if err := broken.close(); err != nil {
		t.Fatal(err)
	}
	// The C library notices at the first call, which fails; the one after it connects again.
	_ = poll(t.Context(), 10*time.Millisecond, func() (bool, error) {
		_, err := c.ListNetworks(t.Context())
		return err == nil, nil
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == broken {
		t.Error("the client still uses the broken connection")
	}
}
