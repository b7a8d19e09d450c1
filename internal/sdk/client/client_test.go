package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/client"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestNew_Refuses(t *testing.T) {
	for _, cfg := range []client.Config{
		{URL: ""},
		{URL: "127.0.0.1:8080"},
		{URL: "ftp://host"},
		{URL: "http://user:hunter2@127.0.0.1:8080"},
		{URL: "http://daemon.example.com:8080", Token: "secret"}, // in clear over a network
		{URL: "https://host", CAFile: "/nowhere"},
	} {
		_, err := client.New(cfg)
		if !errors.Is(err, sdk.ErrInvalid) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", cfg.URL, err)
		}
	}
}

// answer serves one answer for every request.
func answer(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URL: server.URL, Token: "the-token"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRefusals_AreTheKindsOfTheSDK(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   error
		text   string
	}{
		{404, `{"type":"urn:hypersdk:problem:not-found","detail":"no host \"x\"","hint":"there is y"}`, sdk.ErrNotFound, `no host "x"`},
		{422, `{"type":"urn:hypersdk:problem:invalid","detail":"query.limit: too many"}`, sdk.ErrInvalid, "query.limit: too many"},
		{409, `{"type":"urn:hypersdk:problem:conflict","detail":"it runs"}`, sdk.ErrConflict, "it runs"},
		{401, `{"type":"urn:hypersdk:problem:unauthorized","detail":"the token is not valid"}`, sdk.ErrDenied, "the token is not valid"},
		{403, `{"type":"urn:hypersdk:problem:forbidden","title":"Forbidden"}`, sdk.ErrDenied, "Forbidden"},
		{503, `{"type":"urn:hypersdk:problem:unavailable","detail":"vCenter is away"}`, sdk.ErrUnavailable, "vCenter is away"},
		{504, `{"type":"urn:hypersdk:problem:deadline","detail":"too slow"}`, context.DeadlineExceeded, "too slow"},
		{415, `{"type":"urn:hypersdk:problem:unsupported-media-type","detail":"no JSON"}`, sdk.ErrInvalid, "no JSON"},
		{502, `<html>a proxy</html>`, sdk.ErrUnavailable, "not as hypersdkd does"},
		{302, ``, sdk.ErrUnavailable, "not as hypersdkd does"}, // a redirect is not followed
	}
	for _, tt := range tests {
		c := answer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		})
		_, err := c.GetHost(t.Context(), "x")
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%d: %v, want %v", tt.status, err, tt.want)
		}
		if strings.Contains(tt.body, "hint") && !slices.Contains(sdk.Hints(err), "there is y") {
			t.Errorf("%d: hints = %q", tt.status, sdk.Hints(err))
		}
	}
}

func TestPartial_NamesWhatIsDoneAndWhatIsNot(t *testing.T) {
	c := answer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"type":"urn:hypersdk:problem:partial","done":["a"],"failed":{"b":"no room"}}`))
	})
	_, err := c.GetHost(t.Context(), "x")
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || !slices.Equal(partial.Done, []string{"a"}) || partial.Failed["b"].Error() != "no room" {
		t.Errorf("error = %#v", err)
	}
}

func TestRequests_EscapeNamesAndCarryTheToken(t *testing.T) {
	var path, query, token atomic.Value
	c := answer(t, func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.EscapedPath())
		query.Store(r.URL.RawQuery)
		token.Store(r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(`{}`))
	})
	if _, err := c.GetHost(t.Context(), "/DC0/host/a b/ü?x"); err != nil {
		t.Fatal(err)
	}
	if path.Load() != "/vsphere/hosts/%2FDC0%2Fhost%2Fa%20b%2F%C3%BC%3Fx" || query.Load() != "" || token.Load() != "Bearer the-token" {
		t.Errorf("asked %v ? %v with %v", path.Load(), query.Load(), token.Load())
	}
}

func TestStream_GivesUpWhatNeverStood(t *testing.T) {
	var asked atomic.Int32
	c := answer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"type":"urn:hypersdk:problem:unavailable","detail":"not now"}`))
	})
	err := c.StreamEvents(t.Context(), vsphere.EventsSpec{}, func(vsphere.Event) error { return nil })
	if !errors.Is(err, sdk.ErrUnavailable) || asked.Load() != 3 {
		t.Errorf("after %d attempts: %v", asked.Load(), err)
	}
}

func TestStream_ARefusalIsFinal(t *testing.T) {
	var asked atomic.Int32
	c := answer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"type":"urn:hypersdk:problem:not-found","detail":"no such VM"}`))
	})
	err := c.StreamEvents(t.Context(), vsphere.EventsSpec{Entity: "x"}, func(vsphere.Event) error { return nil })
	if !errors.Is(err, sdk.ErrNotFound) || asked.Load() != 1 {
		t.Errorf("after %d attempts: %v", asked.Load(), err)
	}
}

func TestUnreachable_NamesTheDaemon(t *testing.T) {
	c, err := client.New(client.Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ListHosts(t.Context(), vsphere.Filter{})
	if !errors.Is(err, sdk.ErrUnavailable) || !strings.Contains(err.Error(), "hypersdkd at 127.0.0.1:1") || len(sdk.Hints(err)) == 0 {
		t.Errorf("error = %v, hints %q", err, sdk.Hints(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.ListHosts(ctx, vsphere.Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
