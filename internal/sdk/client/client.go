// Package client asks hypersdkd what the other packages of the SDK ask vCenter: the same verbs, specs, results and kinds of error, over
// the daemon's API. It sends its token to the daemon's own address only, follows no redirect, and repeats nothing that changes
// something.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	maxAnswer   = 256 << 20 // bytes: a list of a hundred thousand VMs
	maxRefusal  = 1 << 20
	dialTimeout = 10 * time.Second
)

// Config says where the daemon is. Only URL is required.
type Config struct {
	URL    string         // http://127.0.0.1:8080, or with https
	Token  vsphere.Secret // empty: the daemon asks for none
	CAFile string         // PEM file of the authorities to trust with https; empty: the system's
	Logger *slog.Logger   // nil: silent
}

// Client is a daemon, as this process sees it. It is safe for concurrent use and holds nothing that has to be closed.
type Client struct {
	base   *url.URL
	token  vsphere.Secret
	http   *http.Client
	dialer *websocket.Dialer
	log    *slog.Logger
}

// New checks the configuration. It makes no call.
func New(cfg Config) (*Client, error) {
	base, err := parseURL(cfg)
	if err != nil {
		return nil, err
	}
	trust, err := trust(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	dial := (&net.Dialer{Timeout: dialTimeout}).DialContext
	return &Client{
		base: base, token: cfg.Token, log: log,
		http: &http.Client{
			Transport:     &http.Transport{DialContext: dial, TLSClientConfig: trust, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token stays with this address
		},
		dialer: &websocket.Dialer{NetDialContext: dial, TLSClientConfig: trust, HandshakeTimeout: dialTimeout, EnableCompression: true},
	}, nil
}

func parseURL(cfg Config) (*url.URL, error) {
	base, err := url.Parse(cfg.URL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, sdk.WithHint(sdk.Invalidf("%q is no address of a daemon", redactURL(cfg.URL)), "give it as http://127.0.0.1:8080")
	case base.User != nil:
		return nil, sdk.Invalidf("the daemon's address has user info; give the token apart")
	case base.Scheme == "http" && cfg.Token != "" && !loopback(base.Hostname()):
		return nil, sdk.WithHint(sdk.Invalidf("a token is not sent to %s without TLS", base.Host), "use https")
	}
	base.Path, base.RawQuery, base.Fragment = strings.TrimSuffix(base.Path, "/"), "", ""
	return base, nil
}

// redactURL leaves out what may be a password.
func redactURL(text string) string {
	if at := strings.LastIndex(text, "@"); at >= 0 {
		return "…" + text[at:]
	}
	return text
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func trust(caFile string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, sdk.Kind(sdk.ErrInvalid, fmt.Errorf("read CA file: %w", err))
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, sdk.Invalidf("CA file %s has no PEM certificate", caFile)
	}
	return cfg, nil
}

// URL is the daemon's address.
func (c *Client) URL() string { return c.base.String() }

// target is the address of a path, whose elements are escaped, and a query.
func (c *Client) target(elements []string, query url.Values) string {
	escaped := make([]string, len(elements))
	for i, element := range elements {
		escaped[i] = url.PathEscape(element)
	}
	address := c.base.String() + "/" + strings.Join(escaped, "/")
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// call asks for a path and decodes the answer into out, when there is one. It returns the answer's header.
func (c *Client) call(ctx context.Context, method string, path []string, query url.Values, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.target(path, query), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	c.authorize(req.Header)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	if res.StatusCode < 200 || res.StatusCode >= 300 {
		return nil, refusal(res)
	}
	if out == nil || res.StatusCode == http.StatusNoContent {
		return res.Header, nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return nil, c.unreachable(ctx, fmt.Errorf("read its answer: %w", err))
	}
	return res.Header, nil
}

func (c *Client) authorize(h http.Header) {
	if c.token != "" {
		h.Set("Authorization", "Bearer "+string(c.token))
	}
}

// unreachable is the error for a daemon that cannot be talked to. What the caller's own context says stays itself.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return sdk.WithHint(sdk.Kind(sdk.ErrDenied, fmt.Errorf("hypersdkd at %s: %w", c.base.Host, certificate)), "name the authority that signed its certificate")
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return sdk.WithHint(sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("hypersdkd at %s: %w", c.base.Host, err)), "is it running, and is this its address?")
}
