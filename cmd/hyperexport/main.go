// Command hyperexport takes one VM out of vSphere: to files, through the pipeline, into libvirt.
//
// flags.go is what can be said, spec.go turns it into a migrate.Spec, run.go runs that, and plan.go and summary.go print what
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
