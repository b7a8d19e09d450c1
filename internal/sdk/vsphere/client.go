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
	SessionDir string        // keeps the session in a file there, of the user alone, for the next client; empty: Close logs out
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
	rest    *restSession
	reads
	memory

	kept   *sessionFile // nil: Close logs out
	lentMu sync.Mutex
	lent   []Secret // sessions of OpenSession that are open

	ended   <-chan struct{}    // closed when the client is
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
	if c.kept, err = newSessionFile(cfg.SessionDir, u, cfg.Username); err != nil {
		return nil, err
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

	var vim *vim25.Client
	err := whileBusy(ctx, func() (err error) {
		vim, err = vim25.NewClient(ctx, soapClient)
		return err
	})
	if err != nil {
		soapClient.CloseIdleConnections()
		return dialError(parent, err)
	}
	c.vim = vim
	direct := &vim25.Client{Client: soapClient, ServiceContent: vim.ServiceContent, RoundTripper: soapClient}
	c.manager = govsession.NewManager(direct)
	user := url.UserPassword(cfg.Username, string(cfg.Password))
	login := func(ctx context.Context) error {
		if err := whileBusy(ctx, func() error { return c.manager.Login(ctx, user) }); err != nil {
			return err
		}
		c.keep(soapClient, cfg.Username)
		return nil
	}
	if !c.resume(ctx, soapClient, cfg.Username) {
		err = login(ctx)
	}
	if err != nil {
		soapClient.CloseIdleConnections()
		err = dialError(parent, err)
		if errors.Is(err, sdk.ErrDenied) {
			err = sdk.WithHint(fmt.Errorf("log in as %s: %w", cfg.Username, err), "check the user name and the password")
		}
		return err
	}
	c.session = newSession(soapClient, calls, login, c.log)
	vim.RoundTripper = c.session
	c.tasks, c.rest = newTaskWatcher(c), newRESTSession(c, cfg.Username, cfg.Password)
	c.reads = newReads(c)

	keepAlive := cfg.KeepAlive
	if keepAlive <= 0 {
		keepAlive = defaultKeepAlive
	}
	background, stop := context.WithCancel(context.WithoutCancel(parent))
	c.stop, c.ended = stop, background.Done()
	c.work.Go(func() { c.keepAlive(background, keepAlive) })
	c.work.Go(func() { c.tasks.run(background) })
	c.start(background, &c.work)
	return nil
}

// resume goes on with the kept session, when there is one that vCenter still knows.
func (c *Client) resume(ctx context.Context, client *soap.Client, username string) bool {
	if c.kept == nil {
		return false
	}
	there, err := c.kept.load(client.Jar, client.URL(), username)
	if err != nil {
		c.log.Warn("the kept vCenter session is not used", "error", err)
	}
	if !there {
		return false
	}
	user, err := c.manager.UserSession(ctx)
	return err == nil && user != nil
}

// keep saves the session for the next client. Without it the next one logs in.
func (c *Client) keep(client *soap.Client, username string) {
	if c.kept == nil {
		return
	}
	if err := c.kept.save(client, username); err != nil {
		c.log.Warn("keep the vCenter session", "error", err)
	}
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

// Close logs out, within two seconds, unless the session is kept for the next client. It is safe to call twice.
func (c *Client) Close(ctx context.Context) error {
	var err error
	c.closed.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
		defer cancel()
		c.closing.Store(c.kept == nil)
		c.stop()
		c.session.close(ctx)
		c.work.Wait()
		c.closeLent(ctx)
		if rerr := c.rest.close(ctx); rerr != nil {
			c.log.Debug("log out of the REST service", "error", rerr) // an idle session ends by itself
		}
		if c.kept == nil {
			err = classify(c.manager.Logout(ctx))
		}
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
