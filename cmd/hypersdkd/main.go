// Command hypersdkd is the daemon: vSphere by REST and WebSocket, and durable jobs.
//
// flags.go is what can be said, serve.go wires the parts and ends them in order, vcenter.go is the connection or the simulated
// vCenter of --demo, and listen.go the socket with its TLS.
package main

import (
	"os"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// version is set by the linker.
var version string

func main() { os.Exit(run()) }

func run() int { return cli.Main(command(cli.Version(version))) }

// abort ends the process at once: what it still does is not its right any more.
func abort() { os.Exit(cli.ExitFailure) }
