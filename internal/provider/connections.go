package provider

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// maxMigrations is how many migrations one process drives at once; Terraform itself starts ten.
const maxMigrations = 4

// settings are what the provider block and the environment say.
type settings struct {
	vsphere        vsphere.Config
	vsphereUnknown bool // some value is not known before apply
	libvirtURI     string
	libvirtUnknown bool
	log            *slog.Logger
}

// connections are what all resources of a process share: one vCenter session, one connection for each libvirt URI, and
// the places for migrations.
type connections struct {
	version string
	slots   chan struct{}
	clones  queue // as many at once as calls may be in flight

	cloneSources memo[*vsphere.VM] // what plans of clones looked at, by the words of the configuration
	pools        plannedPools      // what this run's pools are going to be

	// dialing lets one caller at a time connect, so that ten resources make one session. A channel, because waiting for
	// it ends with the waiter's context.
	dialing chan struct{}

	mu       sync.Mutex
	settings settings
	vc       *vsphere.Client
	denied   error // vCenter refused the login: asking again would lock the account
	hosts    map[string]*libvirt.Client
	closed   bool
	leaving  map[replacement]bool
}

func newConnections(version string) *connections {
	return &connections{
		version:  version,
		settings: settings{log: slog.New(slog.DiscardHandler)},
		slots:    make(chan struct{}, maxMigrations),
		dialing:  make(chan struct{}, 1),
		hosts:    map[string]*libvirt.Client{},
		leaving:  map[replacement]bool{},
	}
}

func (c *connections) configure(s settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.vsphere.Logger = s.log.With(subsystemKey, logVIM)
	c.settings, c.denied = s, nil
	c.clones.limit(s.vsphere.MaxCalls)
}

func (c *connections) get() settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings
}

// logger writes to Terraform's log of the request that ctx is of, without the password.
func (c *connections) logger(ctx context.Context, subsystem string) *slog.Logger {
	return newLogger(ctx, string(c.get().vsphere.Password)).With(subsystemKey, subsystem)
}

// vsphere returns the process's session, and logs in when there is none. A failure is not remembered, unless vCenter
// refused the credentials or the certificate.
func (c *connections) vsphere(ctx context.Context) (*vsphere.Client, error) {
	unlock, err := c.lockDialing(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c.mu.Lock()
	client, denied, cfg := c.vc, c.denied, c.settings.vsphere
	c.mu.Unlock()
	switch {
	case client != nil:
		return client, nil
	case denied != nil:
		return nil, denied
	case cfg.URL == "":
		return nil, sdk.WithHint(sdk.Invalidf("which vCenter? the provider block names none"),
			"set vsphere.server in the provider block, or HYPERSDK_VSPHERE_SERVER")
	case cfg.Username == "":
		return nil, sdk.WithHint(sdk.Invalidf("no user name for %s", cfg.URL),
			"set vsphere.username in the provider block, or HYPERSDK_VSPHERE_USERNAME")
	}
	client, err = vsphere.Dial(ctx, cfg)
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, sdk.ErrDenied) {
		c.denied = err
	}
	if err != nil {
		return nil, err
	}
	c.vc = client
	return client, nil
}

// libvirt returns the process's connection to the URI.
func (c *connections) libvirt(ctx context.Context, uri string) (*libvirt.Client, error) {
	unlock, err := c.lockDialing(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c.mu.Lock()
	client, log := c.hosts[uri], c.settings.log
	c.mu.Unlock()
	if client != nil {
		return client, nil
	}
	client, err = libvirt.Open(ctx, uri, log.With(subsystemKey, logLibvirt))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts[uri] = client
	return client, nil
}

func (c *connections) lockDialing(ctx context.Context) (unlock func(), err error) {
	select {
	case c.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		<-c.dialing
		return nil, sdk.Unavailablef("the provider is shutting down")
	}
	return func() { <-c.dialing }, nil
}

// place waits for one of the places for migrations; queued is called once when there is none free.
func (c *connections) place(ctx context.Context, queued func()) (release func(), err error) {
	release = func() { <-c.slots }
	select {
	case c.slots <- struct{}{}:
		return release, nil
	default:
		queued()
	}
	select {
	case c.slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close ends the session and the connections; nobody can connect afterwards. The session comes first: a stuck libvirtd
// must not cost the logout.
func (c *connections) close(ctx context.Context) {
	c.mu.Lock()
	c.closed = true
	vc, hosts := c.vc, c.hosts
	c.vc, c.hosts = nil, map[string]*libvirt.Client{}
	c.mu.Unlock()
	if vc != nil {
		_ = vc.Close(ctx) // the process ends; vCenter ends an idle session by itself
	}
	done := make(chan struct{})
	go func() { //nolint:contextcheck // libvirt's close knows no context; the select below bounds it
		defer close(done)
		for _, host := range hosts {
			_ = host.Close()
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// replacement is a domain that this run's plan takes away before it makes a new one of the same name.
type replacement struct{ uri, name string }

// replacing remembers that the named domain leaves, for the second half of the same plan: Terraform plans a replacement
// as a creation of its own and does not say what for.
func (c *connections) replacing(uri, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving[replacement{uri, name}] = true
}

func (c *connections) isLeaving(uri, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving[replacement{uri, name}]
}
