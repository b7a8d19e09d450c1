package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Daemon is what hypersdkd's file and the environment say. Flags stand above it.
type Daemon struct {
	Listen   string `yaml:"listen"`    // HYPERSDK_LISTEN: host:port; default 127.0.0.1:8080
	StateDir string `yaml:"state_dir"` // HYPERSDK_STATE_DIR: token, audit log and jobs; default the system's or the user's directory for state

	VSphere DaemonVSphere `yaml:"vsphere"`
	Libvirt struct {
		URI string `yaml:"uri"` // default as for the other commands
	} `yaml:"libvirt"`

	TLS struct {
		CertFile     string `yaml:"cert_file"`      // PEM; both or none
		KeyFile      string `yaml:"key_file"`       // PEM
		ClientCAFile string `yaml:"client_ca_file"` // PEM: clients may show a certificate of these authorities
	} `yaml:"tls"`
	PlainHTTP bool     `yaml:"plain_http"` // listen off the loopback interface without TLS: behind a proxy that has it
	Hosts     []string `yaml:"hosts"`      // names that it answers for, besides addresses and localhost
	Origins   []string `yaml:"origins"`    // of pages from elsewhere that may talk to it

	Tokens  []DaemonToken  `yaml:"tokens"`  // besides the one that it makes itself
	Clients []DaemonClient `yaml:"clients"` // by TLS certificate

	AuditFile         string  `yaml:"audit_file"` // default audit.log in the state directory
	RequestsPerSecond float64 `yaml:"requests_per_second"`
	Burst             int     `yaml:"burst"`
}

// DaemonVSphere is how the daemon reaches vCenter. Without a server it is what the environment or a context says.
type DaemonVSphere struct {
	Context `yaml:",inline"`
	Name    string `yaml:"context"` // of a saved one, instead of a server
}

// DaemonToken is a token for somebody else than the daemon's own user.
type DaemonToken struct {
	Name string `yaml:"name"`
	Role string `yaml:"role"` // viewer, operator or admin
	File string `yaml:"file"` // holds the token, readable for the daemon's user alone
}

// DaemonClient is a TLS client certificate that is let in.
type DaemonClient struct {
	Name string `yaml:"name"` // the certificate's common name
	Role string `yaml:"role"`
}

// LoadDaemon reads the daemon's file and lays the environment over it. file is what the flag says; without it
// HYPERSDK_DAEMON_CONFIG names one, and without that none is read. A key that there is not, and a file that others can read
// while it holds a password, are refused.
func LoadDaemon(file string) (Daemon, error) {
	d := Daemon{Listen: "127.0.0.1:8080"}
	if file == "" {
		file = first("", "HYPERSDK_DAEMON_CONFIG")
	}
	if file != "" {
		if err := d.read(file); err != nil {
			return d, err
		}
	}
	d.Listen = first(d.Listen, "HYPERSDK_LISTEN")
	d.StateDir = first(d.StateDir, "HYPERSDK_STATE_DIR")
	if d.StateDir == "" {
		dir, err := stateDir()
		if err != nil {
			return d, err
		}
		d.StateDir = dir
	}
	return d, nil
}

func (d *Daemon) read(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return sdk.Kind(sdk.ErrNotFound, fmt.Errorf("configuration: %w", err))
	}
	if err != nil {
		return sdk.Kind(sdk.ErrDenied, err)
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxContexts+1))
	if err != nil {
		return sdk.Kind(sdk.ErrUnavailable, err)
	}
	if len(text) > maxContexts {
		return sdk.Invalidf("%s is no configuration: it has over %d bytes", file, maxContexts)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(d); err != nil && !errors.Is(err, io.EOF) {
		return sdk.WithHint(sdk.Invalidf("%s is no configuration of hypersdkd%s", file, lineOf(err)), "docs/features/DAEMON.md lists every key")
	}
	if d.VSphere.Password != "" {
		if err := checkMode(f); err != nil {
			return err
		}
	}
	return d.VSphere.check(file)
}

func (v DaemonVSphere) check(file string) error {
	switch {
	case v.Name != "" && v.Server != "":
		return sdk.Invalidf("%s: vsphere names a context and a server; it needs one", file)
	case v.Server != "":
		if err := v.Context.check("vsphere"); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// Settings are the connection that the file names: whether it names one, and which.
func (v DaemonVSphere) Settings() (VSphere, bool) {
	if v.Server == "" {
		return VSphere{}, false
	}
	return VSphere{
		URL: v.url(), Username: v.Username, Password: v.Password, CAFile: v.CAFile, Thumbprint: v.Thumbprint, Insecure: v.Insecure,
	}, true
}

// stateDir is /var/lib/hypersdk for root, as systemd makes it, and else hypersdk in the user's directory for state.
func stateDir() (string, error) {
	if dir := first("", "STATE_DIRECTORY"); dir != "" { // systemd's
		return dir, nil
	}
	if dir := first("", "XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hypersdk"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/hypersdk", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", sdk.WithHint(sdk.Invalidf("this user has no directory for state"), "set HYPERSDK_STATE_DIR or use --state-dir")
	}
	return filepath.Join(home, ".local", "state", "hypersdk"), nil
}
