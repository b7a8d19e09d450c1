package vsphere

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	govsession "github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// LentSession is a session at vCenter for another tool. It is a login of its own: ending it ends no work of the client's, and
// whoever has it can do what its user can, until it ends.
type LentSession struct {
	ID         Secret // value of the cookie
	Cookie     Secret // name=value, as an HTTP client sends it
	URL        string // of the SDK
	Username   string
	Thumbprint string // SHA-256 of the server's certificate, upper case, colons
}

// OpenSession logs in once more, for another tool. The caller ends the session with CloseSession; Close ends those that are
// still open.
func (c *Client) OpenSession(ctx context.Context) (*LentSession, error) {
	vim := c.lentClient("")
	defer vim.CloseIdleConnections()
	var leaf string
	config := vim.DefaultTransport().TLSClientConfig
	verify := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) > 0 {
			leaf = thumbprint(state.PeerCertificates[0])
		}
		return verify(state)
	}
	if err := govsession.NewManager(vim).Login(ctx, url.UserPassword(c.rest.user, string(c.rest.pass))); err != nil {
		return nil, fmt.Errorf("open a session at vCenter %s: %w", c.vim.URL().Host, classify(err))
	}
	cookie := vim.SessionCookie()
	if cookie == nil {
		return nil, sdk.Unavailablef("open a session at vCenter %s: it gave no session cookie", c.vim.URL().Host)
	}
	id := Secret(cookie.Value)
	c.lentMu.Lock()
	c.lent = append(c.lent, id)
	c.lentMu.Unlock()
	return &LentSession{
		ID: id, Cookie: Secret(soap.SessionCookieName+"=") + id, URL: c.vim.URL().String(),
		Username: c.rest.user, Thumbprint: leaf,
	}, nil
}

// RenewSession is a sign of life in a lent session. One that ended is sdk.ErrNotFound.
func (c *Client) RenewSession(ctx context.Context, id Secret) error {
	vim := c.lentClient(id)
	defer vim.CloseIdleConnections()
	user, err := govsession.NewManager(vim).UserSession(ctx)
	if err != nil {
		return fmt.Errorf("renew the session: %w", classify(err))
	}
	if user == nil {
		return sdk.NotFoundf("the session has ended at vCenter %s", c.vim.URL().Host)
	}
	return nil
}

// CloseSession logs a lent session out. One that ended already is fine.
func (c *Client) CloseSession(ctx context.Context, id Secret) error {
	c.lentMu.Lock()
	c.lent = slices.DeleteFunc(c.lent, func(open Secret) bool { return open == id })
	c.lentMu.Unlock()
	vim := c.lentClient(id)
	defer vim.CloseIdleConnections()
	manager := govsession.NewManager(vim)
	user, err := manager.UserSession(ctx)
	if err == nil && user != nil {
		err = manager.Logout(ctx)
	}
	if err != nil {
		return fmt.Errorf("close the session: %w", classify(err))
	}
	return nil
}

// closeLent ends what OpenSession opened and nobody closed.
func (c *Client) closeLent(ctx context.Context) {
	c.lentMu.Lock()
	open := slices.Clone(c.lent)
	c.lentMu.Unlock()
	for _, id := range open {
		if err := c.CloseSession(ctx, id); err != nil {
			c.log.Debug("log out of a lent session", "error", err) // an idle one ends by itself
		}
	}
}

// lentClient speaks in the session with that id, or in none; over connections of its own.
func (c *Client) lentClient(id Secret) *vim25.Client {
	u := c.vim.URL()
	next := soap.NewClient(u, false)
	next.UserAgent = c.vim.UserAgent
	tuneTransport(next.DefaultTransport(), c.trust, u.Hostname(), 1)
	if id != "" {
		next.Jar.SetCookies(u, []*http.Cookie{{Name: soap.SessionCookieName, Value: string(id), Path: "/", Secure: true}})
	}
	return &vim25.Client{Client: next, ServiceContent: c.vim.ServiceContent, RoundTripper: next}
}
