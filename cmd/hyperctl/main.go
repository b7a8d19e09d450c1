// Command hyperctl asks a vCenter and works on it, in the terminal and in scripts.
//
// commands.go is the table of what there is; each noun has its file. A verb parses its flags into a struct, calls one
// function of the SDK and prints the answer.
package main

import (
	"os"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// version is set by the linker.
var version string

func main() { os.Exit(run()) }

func run() int { return cli.Main(commands(cli.Version(version))) }
