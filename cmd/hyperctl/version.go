package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// build says which program this is.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand(version string) *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Show the version of hyperctl", Args: cli.NoArgs}
	out := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		b := build{Version: version, Commit: commit(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
		return out.Print(cmd.OutOrStdout(), cli.View{Value: b, Table: cli.Details(
			"Version", b.Version, "Commit", b.Commit, "Go", b.Go, "Platform", b.Platform)})
	}
	return cmd
}

func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
