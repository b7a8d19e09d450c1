package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Saved is the flags of Connection for what is kept: they change a context and read no environment.
type Saved struct{ conn *Connection }

// AddSaved gives cmd the flags.
func AddSaved(cmd *cobra.Command) *Saved {
	c := &Connection{cmd: cmd}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&c.server, "server", "", "vCenter's host name, host:port or `URL`")
	f.StringVar(&c.username, "username", "", "`USER` to log in as")
	f.StringVar(&c.passwordFile, "password-file", "", "remember the `FILE` with the password; - stores the password that stdin gives; empty forgets it")
	f.StringVar(&c.caFile, "ca-file", "", "PEM `FILE` of the authorities to trust")
	f.StringVar(&c.thumbprint, "thumbprint", "", "trust exactly the certificate with this SHA-1 or SHA-256 `SUM`")
	f.BoolVar(&c.insecure, "insecure", false, "trust any certificate")
	Group(f, "vCenter", "server", "username", "password-file", "ca-file", "thumbprint", "insecure")
	return &Saved{conn: c}
}

// Change lays the flags over the context. Another server forgets the password and what was trusted: they belong to the server.
// So does another user the password.
func (s *Saved) Change(c config.Context) (config.Context, error) {
	f, changed := s.conn, s.conn.cmd.Flags().Changed
	if changed("server") {
		at, err := config.ParseServer(f.server)
		if err != nil {
			return c, fmt.Errorf("--server: %w", err)
		}
		if at.Password != "" {
			return c, sdk.WithHint(sdk.Invalidf("--server: a password in an argument can be seen by every user of this machine"), "use --password-file")
		}
		if at.URL != c.Server {
			c = config.Context{Server: at.URL, Username: c.Username}
		}
		if at.Username != "" {
			c = forUser(c, at.Username)
		}
	}
	if changed("username") {
		c = forUser(c, f.username)
	}
	var err error
	if changed("ca-file") || changed("thumbprint") || changed("insecure") {
		c.CAFile, c.Thumbprint, c.Insecure = "", f.thumbprint, f.insecure
		if c.CAFile, err = absolute(f.caFile); err != nil {
			return c, fmt.Errorf("--ca-file: %w", err)
		}
	}
	if changed("password-file") {
		return s.password(c)
	}
	return c, nil
}

func (s *Saved) password(c config.Context) (config.Context, error) {
	c.Password, c.PasswordFile = "", ""
	var err error
	if s.conn.passwordFile == "-" {
		c.Password, err = password(s.conn.cmd, "-")
	} else {
		c.PasswordFile, err = absolute(s.conn.passwordFile)
	}
	if err != nil {
		return c, fmt.Errorf("--password-file: %w", err)
	}
	return c, nil
}

// forUser names the user; the password of another one is forgotten.
func forUser(c config.Context, name string) config.Context {
	if c.Username != name {
		c.Username, c.Password, c.PasswordFile = name, "", ""
	}
	return c
}

// absolute makes the path independent of the working directory; an empty one stays empty.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}
