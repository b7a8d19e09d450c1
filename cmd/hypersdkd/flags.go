package main

import (
	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
)

// options is what the command line says.
type options struct {
	demo, noAuth, plainHTTP     bool
	config, listen, stateDir    string
	certFile, keyFile, clientCA string

	given func(flag string) bool
}

func command(version string) *cobra.Command {
	cmd := cli.Root("hypersdkd", "Serve vSphere by REST and WebSocket, and run jobs", version)
	cmd.Use = "hypersdkd [flags]"
	cmd.Long = `Serve vSphere by REST and WebSocket, and run jobs.

It listens on the loopback interface and asks for a token, which it makes at its
first start and keeps in its state directory. It runs until it is interrupted or
gets SIGTERM, and then ends what it does in good order.`
	cmd.Example = `  hypersdkd --demo --no-auth
  hypersdkd --context prod
  hypersdkd --config /etc/hypersdk/hypersdkd.yaml
  hypersdkd --listen 0.0.0.0:8443 --tls-cert server.pem --tls-key server.key`
	cmd.Args = cli.NoArgs
	o := &options{given: cmd.Flags().Changed}
	o.bind(cmd)
	conn := cli.AddConnection(cmd)
	cmd.CompletionOptions.DisableDefaultCmd = true // one command has none to complete
	cli.AddReference(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return o.run(cmd, conn, version) }
	return cmd
}

func (o *options) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.config, "config", "", "read the settings of this `FILE` (HYPERSDK_DAEMON_CONFIG)")
	f.BoolVar(&o.demo, "demo", false, "work on a simulated vCenter of its own")
	f.StringVar(&o.listen, "listen", "", "`ADDRESS` to listen on: host:port (HYPERSDK_LISTEN; default 127.0.0.1:8080)")
	f.StringVar(&o.stateDir, "state-dir", "", "`DIR` for token, audit log and jobs (HYPERSDK_STATE_DIR; default /var/lib/hypersdk for root, else hypersdk in the user's directory for state)")
	f.BoolVar(&o.noAuth, "no-auth", false, "ask nobody for a token; on the loopback interface only")
	f.StringVar(&o.certFile, "tls-cert", "", "serve TLS with the certificate in this PEM `FILE` …")
	f.StringVar(&o.keyFile, "tls-key", "", "… and the key in this `FILE`")
	f.StringVar(&o.clientCA, "tls-client-ca", "", "let in who shows a certificate of the authorities in this PEM `FILE`, as the setting clients says")
	f.BoolVar(&o.plainHTTP, "plain-http", false, "listen without TLS also off the loopback interface: behind a proxy that has it")
}

// settings lays the flags over the file and the environment.
func (o *options) settings() (config.Daemon, error) {
	d, err := config.LoadDaemon(o.config)
	if err != nil {
		return d, err
	}
	for flag, set := range map[string]func(){
		"listen":        func() { d.Listen = o.listen },
		"state-dir":     func() { d.StateDir = o.stateDir },
		"tls-cert":      func() { d.TLS.CertFile = o.certFile },
		"tls-key":       func() { d.TLS.KeyFile = o.keyFile },
		"tls-client-ca": func() { d.TLS.ClientCAFile = o.clientCA },
		"plain-http":    func() { d.PlainHTTP = o.plainHTTP },
	} {
		if o.given(flag) {
			set()
		}
	}
	return d, nil
}
