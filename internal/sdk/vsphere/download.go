package vsphere

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	readBuffer     = 256 << 10
	headerTimeout  = time.Minute
	stalledTimeout = 2 * time.Minute
)

// download opens the transfer of one file of a lease: HTTP/1.1, no compression, a connection of its own. The host is
// trusted as vCenter is, or by the thumbprint that vCenter gave for it.
func (c *Client) download(ctx context.Context, f file) (io.ReadCloser, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	tuneTransport(transport, c.trust, f.url.Hostname(), 1)
	if f.pin != "" {
		transport.TLSClientConfig = c.trust.config(f.url.Hostname(), f.pin)
	}
	transport.DisableCompression = true
	transport.DisableKeepAlives = true
	transport.ReadBufferSize = readBuffer
	transport.ResponseHeaderTimeout = headerTimeout

	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	client := http.Client{Transport: transport, Jar: c.vim.Jar, CheckRedirect: noRedirect}
	res, err := client.Do(req)
	if err != nil {
		cancel(nil)
		return nil, classify(err)
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		cancel(nil)
		return nil, sdk.Unavailablef("%s answers %s", f.url.Host, res.Status)
	}
	return newTransfer(ctx, cancel, res.Body), nil
}

// noRedirect keeps the session's cookie and our trust with the host that the lease named.
func noRedirect(req *http.Request, _ []*http.Request) error {
	return sdk.Unavailablef("the server sends the download on to %s", req.URL.Host)
}

// transfer is a body that gives up when nothing comes for a while.
type transfer struct {
	ctx    context.Context //nolint:containedctx // the lifetime of one request
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	timer  *time.Timer
}

func newTransfer(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser) *transfer {
	stalled := sdk.Unavailablef("nothing came for %s", stalledTimeout)
	return &transfer{ctx: ctx, cancel: cancel, body: body,
		timer: time.AfterFunc(stalledTimeout, func() { cancel(stalled) })}
}

// Read implements io.Reader. An end before the transfer's own is io.ErrUnexpectedEOF or of kind sdk.ErrUnavailable.
func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if n > 0 {
		t.timer.Reset(stalledTimeout)
	}
	if err == nil || err == io.EOF { //nolint:errorlint // a reader's end is returned bare
		return n, err
	}
	if cause := context.Cause(t.ctx); cause != nil {
		return n, fmt.Errorf("read: %w", cause)
	}
	return n, classify(err)
}

// Close implements io.Closer.
func (t *transfer) Close() error {
	t.timer.Stop()
	t.cancel(nil)
	return t.body.Close()
}
