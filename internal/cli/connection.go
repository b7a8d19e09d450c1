package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// maxPassword bounds what is read of a password file.
const maxPassword = 4 << 10

// Connection is the flags that say how to reach a vCenter. A password is read from a file or the environment, never from an
// argument, which every user of the machine can see.
type Connection struct {
	cmd          *cobra.Command
	context      string
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
	f.StringVar(&c.context, "context", "", "the vCenter that config set saved under this `NAME` (HYPERSDK_CONTEXT; default what config use chose)")
	c.bindAddress(f)
	f.StringVar(&c.passwordFile, "password-file", "", "`FILE` with the password, - for stdin (or set HYPERSDK_VSPHERE_PASSWORD or GOVC_PASSWORD)")
	c.bindTrust(f)
	Group(f, "vCenter", "context", "server", "username", "password-file", "ca-file", "thumbprint", "insecure")
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("context", CompleteContexts)
	return c
}

func (c *Connection) bindAddress(f *pflag.FlagSet) {
	f.StringVar(&c.server, "server", "", "vCenter's host name, host:port or `URL` (HYPERSDK_VSPHERE_SERVER, GOVC_URL)")
	f.StringVar(&c.username, "username", "", "`USER` to log in as (HYPERSDK_VSPHERE_USERNAME, GOVC_USERNAME)")
}

func (c *Connection) bindTrust(f *pflag.FlagSet) {
	f.StringVar(&c.caFile, "ca-file", "", "PEM `FILE` of the authorities to trust (HYPERSDK_VSPHERE_CA_FILE, GOVC_TLS_CA_CERTS)")
	f.StringVar(&c.thumbprint, "thumbprint", "", "trust exactly the certificate with this SHA-1 or SHA-256 `SUM` (HYPERSDK_VSPHERE_THUMBPRINT)")
	f.BoolVar(&c.insecure, "insecure", false, "trust any certificate (HYPERSDK_VSPHERE_INSECURE, GOVC_INSECURE)")
}

// Settings lays the flags over the environment, and that over the context. It reads the password file, and asks nobody. What
// is missing or cannot be right is sdk.ErrInvalid with a hint.
func (c *Connection) Settings() (config.Settings, error) {
	s, chosen, err := c.base()
	if err != nil {
		return config.Settings{}, err
	}
	if err := c.overlay(&s.VSphere); err != nil {
		return config.Settings{}, err
	}
	if err := c.storedPassword(&s.VSphere, chosen); err != nil {
		return config.Settings{}, err
	}
	return s, complete(s.VSphere)
}

// base is what the environment and the context say. A server in a flag is another one than the context's.
func (c *Connection) base() (config.Settings, config.Chosen, error) {
	server, context := c.cmd.Flags().Changed("server"), c.cmd.Flags().Changed("context")
	switch {
	case server && context:
		return config.Settings{}, config.Chosen{}, sdk.Invalidf("--context and --server both say which vCenter; choose one")
	case server:
		s, err := config.FromEnvironment()
		return s, config.Chosen{}, err
	case context && c.context == "":
		return config.Settings{}, config.Chosen{}, sdk.Invalidf("--context names none")
	}
	s, chosen, err := config.Load(c.context)
	var unknown *config.UnknownContextError
	if errors.As(err, &unknown) {
		err = Suggest(err, unknown.Name, unknown.Known)
	}
	return s, chosen, err
}

// storedPassword takes the context's password where none is given, for its own user alone.
func (c *Connection) storedPassword(v *config.VSphere, chosen config.Chosen) error {
	if v.Password != "" || chosen.Name == "" || v.Username != chosen.Username {
		return nil
	}
	v.Password = chosen.Password
	if chosen.PasswordFile == "" {
		return nil
	}
	password, err := ReadPassword(chosen.PasswordFile, c.cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("the password of context %q: %w", chosen.Name, err)
	}
	v.Password = password
	return nil
}

// CompleteContexts offers the names of contexts to the shell.
func CompleteContexts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	file, err := config.OpenContexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return file.Names(), cobra.ShellCompDirectiveNoFileComp
}

// overlayAddress lays the flags that say where and who.
func (c *Connection) overlayAddress(v *config.VSphere) error {
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
	return nil
}

func (c *Connection) overlay(v *config.VSphere) error {
	if err := c.overlayAddress(v); err != nil {
		return err
	}
	changed := c.cmd.Flags().Changed
	if changed("ca-file") || changed("thumbprint") {
		// Whoever names what to trust wants nothing else trusted, whatever the environment says.
		v.CAFile, v.Thumbprint, v.Insecure = c.caFile, c.thumbprint, false
	}
	if changed("insecure") {
		v.Insecure = c.insecure
	}
	if changed("password-file") {
		password, err := password(c.cmd, c.passwordFile)
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
			`set HYPERSDK_VSPHERE_SERVER, use --server, or save one with hyperctl config set; to try things out: eval "$(hyperctl vcsim -detach)"`)
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
