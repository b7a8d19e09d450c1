package vsphere_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// answers is the status of a read of a file on the datastore with a cookie, as any HTTP client makes it.
func answers(t *testing.T, v *demo.VCenter, cookie vsphere.Secret) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.URL()[:len(v.URL())-len("/sdk")]+"/folder/DC0_C0_RP0_VM0/DC0_C0_RP0_VM0.vmx?dcPath=DC0&dsName=LocalDS_0", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", string(cookie))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the simulator's
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	client.CloseIdleConnections()
	return res.StatusCode
}

func TestLentSession_ServesAnotherToolUntilClosed(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	lent, err := c.OpenSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if lent.URL != v.URL() || lent.Username != v.Username() || lent.Thumbprint != v.Thumbprint() {
		t.Errorf("got %+v, want the address, user and thumbprint of the vCenter", lent)
	}
	if got := answers(t, v, lent.Cookie); got != http.StatusOK {
		t.Errorf("another tool is answered %d, want 200", got)
	}
	if err := c.RenewSession(t.Context(), lent.ID); err != nil {
		t.Errorf("renew: %v", err)
	}
	for range 2 {
		if err := c.CloseSession(t.Context(), lent.ID); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if got := answers(t, v, lent.Cookie); got != http.StatusUnauthorized {
		t.Errorf("after the close another tool is answered %d, want 401", got)
	}
	if err := c.RenewSession(t.Context(), lent.ID); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("renew after the close: %v, want not found", err)
	}
	if _, err := c.Resolve(t.Context(), vsphere.KindDatacenter, "/DC0"); err != nil {
		t.Errorf("the client's own session suffered: %v", err)
	}
	if got := v.Sessions(); got != 1 {
		t.Errorf("%d sessions, want the client's own", got)
	}
}

func TestLentSession_EndsWithTheClient(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	if _, err := c.OpenSession(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("%d sessions left, want 0", got)
	}
}
