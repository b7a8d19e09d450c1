package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// maxPassword bounds what is read of a password file.
const maxPassword = 4 << 10

// Connection is the flags that say how to reach a vCenter. A password is read from a file or the environment, never from an
// argument, which every user of the machine can see.
type Connection struct {
	cmd          *cobra.Command
	server       string
	username     string
	passwordFile string
	caFile       string
	thumbprint   string
	insecure     bool
}

// AddConnection gives cmd the connection flags.
func AddConnection(cmd *cobra.Command) *Connection {
	c := &Connection{cmd: cmd}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&c.server, "server", "", "vCenter's host name, host:port or `URL` (HYPERSDK_VSPHERE_SERVER, GOVC_URL)")
	f.StringVar(&c.username, "username", "", "`USER` to log in as (HYPERSDK_VSPHERE_USERNAME, GOVC_USERNAME)")
	f.StringVar(&c.passwordFile, "password-file", "", "`FILE` with the password, - for stdin (or set HYPERSDK_VSPHERE_PASSWORD or GOVC_PASSWORD)")
	f.StringVar(&c.caFile, "ca-file", "", "PEM `FILE` of the authorities to trust (HYPERSDK_VSPHERE_CA_FILE, GOVC_TLS_CA_CERTS)")
	f.StringVar(&c.thumbprint, "thumbprint", "", "trust exactly the certificate with this SHA-1 or SHA-256 `SUM` (HYPERSDK_VSPHERE_THUMBPRINT)")
	f.BoolVar(&c.insecure, "insecure", false, "trust any certificate (HYPERSDK_VSPHERE_INSECURE, GOVC_INSECURE)")
	Group(f, "vCenter", "server", "username", "password-file", "ca-file", "thumbprint", "insecure")
	return c
}

// Settings lays the flags over the environment. It reads the password file, and asks nobody. What is missing or cannot be
// right is sdk.ErrInvalid with a hint.
func (c *Connection) Settings() (config.Settings, error) {
	s, err := config.FromEnvironment()
	if err != nil {
		return config.Settings{}, err
	}
	if err := c.overlay(&s.VSphere); err != nil {
		return config.Settings{}, err
	}
	return s, complete(s.VSphere)
}

func (c *Connection) overlay(v *config.VSphere) error {
	changed := c.cmd.Flags().Changed
	if changed("server") {
		at, err := config.ParseServer(c.server)
		if err != nil {
			return fmt.Errorf("--server: %w", err)
		}
		if at.Password != "" {
			return sdk.WithHint(sdk.Invalidf("--server: a password in an argument can be seen by every user of this machine"),
				"set HYPERSDK_VSPHERE_PASSWORD or use --password-file")
		}
		v.URL = at.URL
		if at.Username != "" {
			v.Username = at.Username
		}
	}
	if changed("username") {
		v.Username = c.username
	}
	if changed("ca-file") || changed("thumbprint") {
		// Whoever names what to trust wants nothing else trusted, whatever the environment says.
		v.CAFile, v.Thumbprint, v.Insecure = c.caFile, c.thumbprint, false
	}
	if changed("insecure") {
		v.Insecure = c.insecure
	}
	if changed("password-file") {
		password, err := ReadPassword(c.passwordFile, c.cmd.InOrStdin())
		if err != nil {
			return fmt.Errorf("--password-file: %w", err)
		}
		v.Password = password
	}
	return nil
}

func complete(v config.VSphere) error {
	switch {
	case v.URL == "":
		return sdk.WithHint(sdk.Invalidf("no vCenter is given"),
			`set HYPERSDK_VSPHERE_SERVER or use --server; to try things out: eval "$(hyperctl vcsim -detach)"`)
	case v.Username == "":
		return sdk.WithHint(sdk.Invalidf("no user is given for %s", v.URL), "set HYPERSDK_VSPHERE_USERNAME or use --username")
	case v.Password == "":
		return sdk.WithHint(sdk.Invalidf("no password is given for %s at %s", v.Username, v.URL),
			"set HYPERSDK_VSPHERE_PASSWORD or use --password-file")
	}
	return nil
}

// ReadPassword reads a password from a file, or from stdin when the file is "-". One line end after it is not part of it.
func ReadPassword(file string, stdin io.Reader) (string, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, os.ErrNotExist) {
			return "", sdk.Kind(sdk.ErrNotFound, err)
		}
		if err != nil {
			return "", sdk.Kind(sdk.ErrInvalid, err)
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPassword+1))
	if err != nil {
		return "", sdk.Kind(sdk.ErrInvalid, err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case password == "":
		return "", sdk.Invalidf("%s holds no password", file)
	case len(data) > maxPassword:
		return "", sdk.Invalidf("%s holds more than a password: over %d bytes", file, maxPassword)
	}
	return password, nil
}
