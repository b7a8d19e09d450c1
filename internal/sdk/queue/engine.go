package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
)

// embedded is a NATS server in this process.
type embedded struct {
	server *server.Server
	lock   *journal.NameLock
}

// startEmbedded starts the server over o.Dir, which this process alone may use.
func startEmbedded(o *Options) (*embedded, error) {
	opts, err := serverOptions(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the queue's directory: %w", err)
	}
	lock, err := journal.LockName(o.Dir, "queue")
	if errors.Is(err, sdk.ErrConflict) {
		return nil, sdk.WithHint(sdk.Conflictf("another process keeps its queue in %s", o.Dir), "stop it, or choose another directory")
	}
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		lock.Release()
		return nil, fmt.Errorf("start the queue's server: %w", err)
	}
	s.SetLoggerV2(&serverLog{o.Logger}, false, false, false)
	s.Start()
	e := &embedded{server: s, lock: lock}
	if !s.ReadyForConnections(30 * time.Second) {
		e.stop()
		return nil, sdk.Unavailablef("the queue's server in %s did not become ready", o.Dir)
	}
	return e, nil
}

func serverOptions(o *Options) (*server.Options, error) {
	opts := &server.Options{
		ServerName: "hypersdk", DontListen: true, NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: o.Dir, SyncAlways: true, JetStreamMaxMemory: 16 << 20, JetStreamMaxStore: o.StateBytes + o.LogBytes + 64<<20,
		MaxPayload: maxRecordBytes + 64<<10,
	}
	if o.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	number, numberErr := strconv.Atoi(port)
	if err != nil || numberErr != nil {
		return nil, sdk.Invalidf("address %q of the queue: want host:port", o.Listen)
	}
	ip := net.ParseIP(host)
	if local := host == "localhost" || ip != nil && ip.IsLoopback(); !local && o.ListenTLS == nil {
		return nil, sdk.WithHint(sdk.Invalidf("the queue would listen on %s without TLS", o.Listen), "give a certificate, or listen on 127.0.0.1")
	}
	if len(o.ListenToken) < 16 {
		return nil, sdk.Invalidf("the queue listens on %s: its token needs at least 16 characters", o.Listen)
	}
	opts.DontListen, opts.Host, opts.Port = false, host, number
	if number == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.Authorization, opts.TLSConfig, opts.TLS = o.ListenToken, o.ListenTLS, o.ListenTLS != nil
	return opts, nil
}

func (e *embedded) stop() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	e.lock.Release()
}

// connect connects to the embedded server, or to the cluster when e is nil.
func connect(ctx context.Context, o *Options, e *embedded) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("hypersdk"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(5 * time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { o.Logger.Warn("queue connection", "error", err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Logger.Warn("queue disconnected", "error", err)
			}
		}),
	}
	if deadline, ok := ctx.Deadline(); ok {
		opts = append(opts, nats.Timeout(min(5*time.Second, time.Until(deadline))))
	}
	if e != nil {
		opts = append(opts, nats.InProcessServer(e.server), nats.Token(o.ListenToken))
		nc, err := nats.Connect("", opts...)
		return nc, engineErr("connect to the embedded queue", err)
	}
	more, err := o.External.options()
	if err != nil {
		return nil, err
	}
	nc, err := nats.Connect(o.URL, append(opts, more...)...)
	return nc, engineErr("connect to the queue at "+o.URL, err)
}

func (x *External) options() ([]nats.Option, error) {
	for one := range strings.SplitSeq(x.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		switch {
		case err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls":
			return nil, sdk.Invalidf("the queue's URL is not of the form nats://HOST:PORT or tls://HOST:PORT")
		case u.User != nil:
			return nil, sdk.WithHint(sdk.Invalidf("the queue's URL for %s holds user information", u.Host), "put it into a credentials file")
		}
	}
	var opts []nats.Option
	if x.Credentials != "" {
		opts = append(opts, nats.UserCredentials(x.Credentials))
	}
	if x.NKey != "" {
		opt, err := nats.NkeyOptionFromSeed(x.NKey)
		if err != nil {
			return nil, sdk.Invalidf("read the queue's nkey: %w", err)
		}
		opts = append(opts, opt)
	}
	if x.Token != "" {
		opts = append(opts, nats.Token(x.Token))
	}
	if x.TLS != nil {
		opts = append(opts, nats.Secure(x.TLS))
	}
	return opts, nil
}

// serverLog passes the embedded server's log on.
type serverLog struct{ log *slog.Logger }

func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("queue: " + fmt.Sprintf(format, v...))
}
func (l *serverLog) Warnf(format string, v ...any) { l.log.Warn("queue: " + fmt.Sprintf(format, v...)) }
func (l *serverLog) Fatalf(format string, v ...any) {
	l.log.Error("queue: " + fmt.Sprintf(format, v...))
}
func (l *serverLog) Errorf(format string, v ...any) {
	l.log.Error("queue: " + fmt.Sprintf(format, v...))
}
func (l *serverLog) Debugf(format string, v ...any) {
	l.log.Debug("queue: " + fmt.Sprintf(format, v...))
}
func (l *serverLog) Tracef(string, ...any) {}
