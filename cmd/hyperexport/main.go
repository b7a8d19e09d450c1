// Command hyperexport takes one VM out of vSphere: to files, through the pipeline, into libvirt.
//
// flags.go is what can be said and run.go runs it; cmd/internal/migration, which hyperctl shares, turns it into a migrate.Spec and prints what
// would be and what was done.
package main

import (
	"os"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// version is set by the linker.
var version string

func main() { os.Exit(run()) }

func run() int { return cli.Main(command(cli.Version(version))) }
