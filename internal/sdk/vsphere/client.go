package vsphere

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	govsession "github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	connectTimeout   = 15 * time.Second
	dialTimeout      = 45 * time.Second // connect, read the service content, log in
	logoutTimeout    = 2 * time.Second
	defaultCalls     = 16
	defaultKeepAlive = 5 * time.Minute // vCenter ends an idle session after 30 minutes by default
)

// Config says how to reach and trust one vCenter. URL and Username are required.
type Config struct {
	URL        string // https://host[:port][/sdk]; user info in it is refused
	Username   string
	Password   Secret
	CAFile     string        // PEM file with the certificates to trust; empty: the system's
	Thumbprint string        // SHA-1 or SHA-256 of the server's certificate, colons optional; trusts exactly that one
	Insecure   bool          // true: any certificate
	MaxCalls   int           // calls in flight; 0: 16
	KeepAlive  time.Duration // between signs of life; 0: 5 minutes
	Logger     *slog.Logger  // nil: silent
}

// Client is one session at one vCenter. It is safe for concurrent use.
type Client struct {
	vim     *vim25.Client
	session *session
	manager *govsession.Manager
	trust   trust
	log     *slog.Logger
	tasks   *taskWatcher

	stop    context.CancelFunc // ends the background work
	work    sync.WaitGroup
	closed  sync.Once
	closing atomic.Bool // what lives in the session goes with it and is not cleaned up one by one
}

// Dial connects, checks the certificate and logs in. A certificate that is not trusted and a wrong password are
// sdk.ErrDenied, an unreachable server is sdk.ErrUnavailable. The caller closes the client.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	u, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Username == "" {
		return nil, sdk.Invalidf("no user name for vCenter %s", u.Host)
	}
	trust, err := newTrust(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{trust: trust, log: cfg.Logger}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := c.connect(ctx, u, cfg); err != nil {
		return nil, fmt.Errorf("connect to vCenter %s: %w", u.Host, err)
	}
	return c, nil
}

func (c *Client) connect(parent context.Context, u *url.URL, cfg Config) error {
	ctx, cancel := context.WithTimeout(parent, dialTimeout)
	defer cancel()

	calls := cfg.MaxCalls
	if calls <= 0 {
		calls = defaultCalls
	}
	soapClient := soap.NewClient(u, false)
	soapClient.UserAgent = "hypersdk"
	tuneTransport(soapClient.DefaultTransport(), c.trust, u.Hostname(), calls)

	vim, err := vim25.NewClient(ctx, soapClient)
	if err != nil {
		soapClient.CloseIdleConnections()
		return dialError(parent, err)
	}
	c.vim = vim
	direct := &vim25.Client{Client: soapClient, ServiceContent: vim.ServiceContent, RoundTripper: soapClient}
	c.manager = govsession.NewManager(direct)
	user := url.UserPassword(cfg.Username, string(cfg.Password))
	login := func(ctx context.Context) error { return c.manager.Login(ctx, user) }
	if err := login(ctx); err != nil {
		soapClient.CloseIdleConnections()
		err = dialError(parent, err)
		if errors.Is(err, sdk.ErrDenied) {
			err = sdk.WithHint(fmt.Errorf("log in as %s: %w", cfg.Username, err), "check the user name and the password")
		}
		return err
	}
	c.session = newSession(soapClient, calls, login)
	vim.RoundTripper = c.session
	c.tasks = newTaskWatcher(c)

	keepAlive := cfg.KeepAlive
	if keepAlive <= 0 {
		keepAlive = defaultKeepAlive
	}
	background, stop := context.WithCancel(context.WithoutCancel(parent))
	c.stop = stop
	c.work.Go(func() { c.keepAlive(background, keepAlive) })
	c.work.Go(func() { c.tasks.run(background) })
	return nil
}

// tuneTransport makes a transport verify as the user said, heed the context while it dials, and keep enough connections.
func tuneTransport(t *http.Transport, trust trust, host string, calls int) {
	t.TLSClientConfig = trust.config(host)
	t.DialTLSContext = nil // govmomi's own ignores the context and knows no pinned leaf
	t.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connectTimeout
	t.MaxIdleConnsPerHost = calls
}

// dialError classifies an error of the first calls. A time-out of ours is not the caller's.
func dialError(parent context.Context, err error) error {
	if parent.Err() != nil {
		return err
	}
	err = classify(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return sdk.Unavailablef("no answer within %s: %v", dialTimeout, err)
	case errors.Is(err, sdk.ErrUnavailable):
		return sdk.WithHint(err, "check the address, and that this machine may reach it")
	case errors.Is(err, sdk.ErrDenied) || faultOf(err) != nil:
		return err
	}
	return sdk.WithHint(sdk.Kind(sdk.ErrUnavailable, err), "the answer is not a vCenter's; check the address")
}

// keepAlive reads a property of the session now and then: it keeps the session from going idle, and finds out early when
// it ended.
func (c *Client) keepAlive(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		seen := c.session.generation.Load()
		user, err := c.manager.UserSession(ctx)
		if err == nil && user == nil {
			err = c.session.renew(ctx, seen)
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("vCenter session keepalive", "error", err)
		}
	}
}

// Close logs out, within two seconds. It is safe to call twice.
func (c *Client) Close(ctx context.Context) error {
	var err error
	c.closed.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
		defer cancel()
		c.closing.Store(true)
		c.stop()
		c.session.close(ctx)
		c.work.Wait()
		err = classify(c.manager.Logout(ctx))
		if errors.Is(err, sdk.ErrDenied) { // the session had ended already
			err = nil
		}
		c.vim.CloseIdleConnections()
	})
	if err != nil {
		return fmt.Errorf("log out of vCenter: %w", err)
	}
	return nil
}

// VCenter describes the server.
type VCenter struct {
	Name         string `json:"name"`
	FullName     string `json:"full_name"`
	Version      string `json:"version"`
	Build        string `json:"build"`
	APIVersion   string `json:"api_version"`
	APIType      string `json:"api_type"`
	OSType       string `json:"os_type"`
	InstanceUUID string `json:"instance_uuid"`
	URL          string `json:"url"`
}

// GetVCenter answers from the session's own service content, without a call.
func (c *Client) GetVCenter(context.Context) (*VCenter, error) {
	about := c.vim.ServiceContent.About
	return &VCenter{
		Name: about.Name, FullName: about.FullName, Version: about.Version, Build: about.Build,
		APIVersion: about.ApiVersion, APIType: about.ApiType, OSType: about.OsType,
		InstanceUUID: about.InstanceUuid, URL: c.vim.URL().String(),
	}, nil
}
