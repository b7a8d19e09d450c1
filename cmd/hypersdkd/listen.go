package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// socket is where the daemon listens.
type socket struct {
	net.Listener
	loopback bool
	scheme   string
	names    []string // of the certificate
}

// open opens the socket. Off the loopback interface it wants authentication, and TLS unless that is somebody else's work.
func (o *options) open(ctx context.Context, d config.Daemon) (*socket, error) {
	addr, err := net.ResolveTCPAddr("tcp", d.Listen)
	if err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("listen address %q: %v", d.Listen, err), "give host:port, for example 127.0.0.1:8080")
	}
	s := &socket{loopback: addr.IP.IsLoopback(), scheme: "http"}
	tlsConfig, err := s.tls(d)
	switch {
	case err != nil:
		return nil, err
	case !s.loopback && o.noAuth:
		return nil, sdk.WithHint(sdk.Invalidf("--no-auth works on the loopback interface only, and %s is not there", d.Listen),
			"leave --no-auth out, or listen on 127.0.0.1 or [::1]")
	case !s.loopback && tlsConfig == nil && !d.PlainHTTP:
		return nil, sdk.WithHint(sdk.Invalidf("%s can be reached from elsewhere, and without TLS everybody on the way could read the token", d.Listen),
			"give --tls-cert and --tls-key, or --plain-http behind a proxy that has TLS")
	}
	s.Listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr.String())
	if err != nil {
		return nil, sdk.WithHint(sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("listen on %s: %w", d.Listen, err)), "choose another address with --listen, for example 127.0.0.1:0 for any free port")
	}
	if tlsConfig != nil {
		s.Listener, s.scheme = tls.NewListener(s.Listener, tlsConfig), "https"
	}
	return s, nil
}

// tls is the configuration that the settings ask for; nil: none.
func (s *socket) tls(d config.Daemon) (*tls.Config, error) {
	switch {
	case d.TLS.CertFile == "" && d.TLS.KeyFile == "" && d.TLS.ClientCAFile == "":
		return nil, nil
	case d.TLS.CertFile == "" || d.TLS.KeyFile == "":
		return nil, sdk.Invalidf("TLS needs a certificate and a key; give --tls-cert and --tls-key")
	}
	cert, err := tls.LoadX509KeyPair(d.TLS.CertFile, d.TLS.KeyFile)
	if err != nil {
		return nil, sdk.Kind(sdk.ErrInvalid, fmt.Errorf("TLS: %w", err))
	}
	if cert.Leaf != nil {
		s.names = cert.Leaf.DNSNames
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if d.TLS.ClientCAFile == "" {
		return c, nil
	}
	text, err := os.ReadFile(d.TLS.ClientCAFile)
	if err != nil {
		return nil, sdk.Kind(sdk.ErrInvalid, fmt.Errorf("TLS: %w", err))
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(text) {
		return nil, sdk.Invalidf("TLS: %s holds no certificate in PEM form", d.TLS.ClientCAFile)
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven
	return c, nil
}

// hosts are the names that the daemon answers for.
func (s *socket) hosts(d config.Daemon) []string {
	names := append([]string{}, d.Hosts...)
	for _, name := range s.names {
		if !strings.HasPrefix(name, "*") {
			names = append(names, name)
		}
	}
	host, _, err := net.SplitHostPort(d.Listen)
	if _, isAddress := netip.ParseAddr(host); err == nil && isAddress != nil && host != "" {
		names = append(names, host)
	}
	return names
}

// url is where a person on this machine finds it.
func (s *socket) url() string {
	host, port, _ := net.SplitHostPort(s.Addr().String()) // a listener's address can be split
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return s.scheme + "://" + net.JoinHostPort(host, port)
}
