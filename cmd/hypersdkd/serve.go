package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/web"
)

const (
	readHeader = 10 * time.Second
	idle       = 2 * time.Minute
	maxHeader  = 32 << 10
	farewell   = 15 * time.Second // for requests under way at the end
)

// run serves until ctx ends, which is how it is meant to end.
func (o *options) run(cmd *cobra.Command, conn *cli.Connection, version string) (err error) {
	environment, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	talk := environment.Talk
	if talk.LogLevel == "warn" && !cmd.Flags().Changed("log-level") {
		talk.LogLevel = "info" // a daemon's log is what it has to say
	}
	log, err := cli.Logger(cmd, talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	d, err := o.settings()
	if err != nil {
		return err
	}
	if o.demo {
		d.StateDir = filepath.Join(d.StateDir, "demo")
	}
	if err := os.MkdirAll(d.StateDir, 0o700); err != nil {
		return sdk.WithHint(sdk.Kind(sdk.ErrDenied, fmt.Errorf("state directory: %w", err)), "name another with --state-dir")
	}
	auth, tokenPath, err := o.auth(d)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	socket, err := o.open(ctx, d)
	if err != nil {
		return err
	}
	defer socket.Close() //nolint:errcheck // the server closes it too
	audit, err := openAudit(d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, audit.Close()) }()
	source, err := o.dial(ctx, cmd, conn, d, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close(ctx)) }()
	uri := d.Libvirt.URI
	if uri == "" {
		uri = environment.Libvirt.URI
	}
	m := &migrations{client: source.client, log: log, version: version}
	work, err := startJobs(ctx, d.StateDir, source.client, m, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, work.close(ctx)) }()
	dashboard, err := web.Handler()
	if err != nil {
		return err
	}
	server, err := api.New(ctx, api.Config{
		VSphere: source.client, Version: version, Logger: log, Audit: audit,
		Jobs: work.queue, Preview: m.preview, LibvirtURI: uri, Dashboard: dashboard,
		Auth: auth, Loopback: socket.loopback, Hosts: socket.hosts(d), Origins: d.Origins,
		Limits: api.Limits{PerSecond: d.RequestsPerSecond, Burst: d.Burst},
	})
	if err != nil {
		return err
	}
	o.greet(log, socket, source, tokenPath)
	return serve(ctx, socket, server, log)
}

// serve answers requests until ctx ends, and then those under way.
func serve(ctx context.Context, socket net.Listener, server *api.Server, log *slog.Logger) error {
	h := &http.Server{
		Handler: server.Handler(), ReadHeaderTimeout: readHeader, IdleTimeout: idle, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(socket) }()
	select {
	case err := <-ended:
		server.Close()
		return err
	case <-ctx.Done():
	}
	log.Info("ending", "because", context.Cause(ctx).Error())
	server.Close() // sockets first: they are requests without an end
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	err := h.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were still under way: %w", err), h.Close())
	}
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// auth gathers who may come in, and makes the daemon's own token when there is none.
func (o *options) auth(d config.Daemon) (auth api.Auth, path string, err error) {
	if o.noAuth {
		return api.Auth{Disabled: true}, "", nil
	}
	token, path, err := api.OwnToken(d.StateDir)
	if err != nil {
		return auth, path, err
	}
	auth = api.Auth{Credentials: []api.Credential{{Name: "admin", Role: api.Admin, Token: token}}, Clients: map[string]api.Role{}}
	for _, t := range d.Tokens {
		role, err := api.ParseRole(t.Role)
		if err != nil {
			return auth, path, fmt.Errorf("tokens: %q: %w", t.Name, err)
		}
		token, err := api.ReadToken(t.File)
		if err != nil {
			return auth, path, fmt.Errorf("tokens: %q: %w", t.Name, err)
		}
		auth.Credentials = append(auth.Credentials, api.Credential{Name: t.Name, Role: role, Token: token})
	}
	for _, c := range d.Clients {
		if auth.Clients[c.Name], err = api.ParseRole(c.Role); err != nil {
			return auth, path, fmt.Errorf("clients: %q: %w", c.Name, err)
		}
	}
	return auth, path, nil
}

// openAudit opens the audit log to append to, readable for this user alone.
func openAudit(d config.Daemon) (*os.File, error) {
	path := d.AuditFile
	if path == "" {
		path = filepath.Join(d.StateDir, "audit.log")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, sdk.Kind(sdk.ErrDenied, fmt.Errorf("audit log: %w", err))
	}
	return f, nil
}

// greet says where the daemon is and how to get in.
func (o *options) greet(log *slog.Logger, socket *socket, source *source, tokenPath string) {
	vcenter := "real"
	if source.demo != nil {
		vcenter = "simulated"
	}
	args := []any{"url", socket.url(), "docs", socket.url() + "/docs", "vcenter", vcenter}
	if o.noAuth {
		log.Info("ready; everybody on this machine may do everything", args...)
		return
	}
	log.Info("ready", append(args, "token_file", tokenPath)...)
}
