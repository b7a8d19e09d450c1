package main

import (
	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// commands is the table of nouns.
func commands(version string) *cobra.Command {
	root := cli.Root("hyperctl", "Ask a vCenter and work on it", version)
	root.AddCommand(
		cloneCommand(),
		clusterCommand(),
		configCommand(),
		datacenterCommand(),
		eventsCommand(),
		hostCommand(),
		jobCommand(),
		metricsCommand(),
		migrateCommand(version),
		poolCommand(),
		preflightCommand(version),
		templateCommand(),
		vcenterCommand(),
		vcsimCommand(),
		versionCommand(version),
		vmCommand(),
	)
	cli.AddReference(root)
	return root
}
