package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// options is what the command line says.
type options struct {
	migration.Options
	dryRun, asJSON bool
}

func command(version string) *cobra.Command {
	cmd := cli.Root("hyperexport", "Take a VM out of vSphere: to files, through the pipeline, into libvirt", version)
	cmd.Long = `Take a VM out of vSphere: to files, through the pipeline, into libvirt.

The source VM is never altered or deleted. A run that was interrupted goes on
where it stopped when the same command is given again. If the export is whole
and a later stage fails, the export stays and the exit code is 5.`
	cmd.Example = `  hyperexport --vm /DC0/vm/web-01 --output /srv/export --format ova
  hyperexport --vm web-01 --output /srv/kvm/web-01 --pipeline --libvirt --dry-run
  hyperexport --vm web-01 --libvirt-pool default --pipeline --libvirt --boot console`
	cmd.Use = "hyperexport --vm VM [flags]"
	cmd.Args = cli.NoArgs
	cmd.Flags().SortFlags = false
	o := &options{}
	o.bind(cmd.Flags())
	cli.AddProgress(cmd)
	conn := cli.AddConnection(cmd)
	cmd.CompletionOptions.DisableDefaultCmd = true // one command has none to complete
	cli.AddReference(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return o.run(cmd, conn, version) }
	return cmd
}

func (o *options) bind(f *pflag.FlagSet) {
	o.Flags(f, nil)
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done, write nothing; exit code 1 when a finding stops it")
	f.BoolVar(&o.asJSON, "json", false, "print the result, or the plan, as JSON")
}
