package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Daemon is the flags that say which hypersdkd is meant.
type Daemon struct {
	cmd                    *cobra.Command
	url, tokenFile, caFile string
}

// AddDaemon gives cmd the flags of a daemon.
func AddDaemon(cmd *cobra.Command) *Daemon {
	d := &Daemon{cmd: cmd}
	f := cmd.Flags()
	f.StringVar(&d.url, "daemon", "", "`URL` of the hypersdkd to ask (HYPERSDK_DAEMON)")
	f.StringVar(&d.tokenFile, "daemon-token-file", "", "`FILE` with its token, - for stdin (or set HYPERSDK_DAEMON_TOKEN)")
	f.StringVar(&d.caFile, "daemon-ca-file", "", "PEM `FILE` of the authorities to trust with https (HYPERSDK_DAEMON_CA_FILE)")
	Group(f, "Daemon", "daemon", "daemon-token-file", "daemon-ca-file")
	return d
}

// Settings lays the flags over the environment. Without a URL it is sdk.ErrInvalid with a hint.
func (d *Daemon) Settings() (config.Settings, error) {
	s, err := d.Given()
	if err == nil && s.Remote.URL == "" {
		err = sdk.WithHint(sdk.Invalidf("no daemon is given"), "set HYPERSDK_DAEMON or use --daemon; to try things out: hypersdkd --demo --no-auth")
	}
	return s, err
}

// Given is Settings for a command that can do without a daemon: then the URL is empty. A daemon of the environment gives way to a vCenter
// in a flag; both in flags are sdk.ErrInvalid.
func (d *Daemon) Given() (config.Settings, error) {
	s, err := config.FromEnvironment()
	if err != nil {
		return s, err
	}
	if d.namesVCenter() {
		if d.cmd.Flags().Changed("daemon") {
			return s, sdk.Invalidf("--daemon and a vCenter in a flag both say whom to ask; choose one")
		}
		s.Remote = config.Remote{}
	}
	changed := d.cmd.Flags().Changed
	if changed("daemon") {
		if s.Remote.URL != "" && d.url != s.Remote.URL {
			s.Remote.Token = "" // it is the other daemon's
		}
		s.Remote.URL = d.url
	}
	if changed("daemon-ca-file") {
		s.Remote.CAFile = d.caFile
	}
	if changed("daemon-token-file") {
		if s.Remote.Token, err = ReadPassword(d.tokenFile, d.cmd.InOrStdin()); err != nil {
			return s, fmt.Errorf("--daemon-token-file: %w", err)
		}
	}
	return s, nil
}

func (d *Daemon) namesVCenter() bool {
	changed := d.cmd.Flags().Changed
	return changed("server") || changed("context")
}
