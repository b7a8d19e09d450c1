package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/client"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const jobIDUsage = "the job's `ID`, as a flag"

func jobCommand() *cobra.Command {
	return cli.Noun("job", "Durable jobs of a hypersdkd", jobList(), jobInfo(), jobSubmit(), jobWatch(), jobLogs(), jobCancel(), jobRetry())
}

// withDaemon runs do with the daemon that the flags and the environment describe.
func withDaemon(cmd *cobra.Command, daemon *cli.Daemon, do func(context.Context, *client.Client) error) error {
	settings, err := daemon.Settings()
	if err != nil {
		return err
	}
	return onDaemon(cmd, settings, do)
}

func onDaemon(cmd *cobra.Command, settings config.Settings, do func(context.Context, *client.Client) error) error {
	log, err := cli.Logger(cmd, settings.Talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	r := settings.Remote
	c, err := client.New(client.Config{URL: r.URL, Token: vsphere.Secret(r.Token), CAFile: r.CAFile, Logger: log})
	if err != nil {
		return err
	}
	return do(cmd.Context(), c)
}

func jobList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List jobs, the newest first",
		Example: "  hyperctl job list\n  hyperctl job list -state running,pending -o wide\n  hyperctl job -op list -name 'web-*' -json",
		Args:    cli.NoArgs,
	}
	var f job.Filter
	var status []string
	cmd.Flags().StringSliceVar(&status, "state", nil, "only in these `STATES`, with commas: pending, running, succeeded, failed, canceled")
	cmd.Flags().StringSliceVar(&f.Kind, "kind", nil, "only of these `KINDS`, with commas: migration, clone, clone_bulk, template_create, template_deploy")
	cmd.Flags().StringVar(&f.Name, "name", "", "only jobs whose name matches the `GLOB`")
	cmd.Flags().IntVar(&f.Limit, "limit", 100, "at most `N`, the newest, 1 to 1000")
	out, daemon := cli.AddOutput(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		for _, s := range status {
			f.Status = append(f.Status, sdk.Status(s))
		}
		if err := f.Validate(); err != nil {
			return err
		}
		return withDaemon(cmd, daemon, func(ctx context.Context, c *client.Client) error {
			page, err := c.ListJobs(ctx, f)
			if err != nil {
				return err
			}
			if rest := page.Total - len(page.Jobs); rest > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "there are %d older jobs; -limit above %d shows more\n", rest, len(page.Jobs))
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: page.Jobs, Table: jobsTable(page.Jobs)})
		})
	}
	return cmd
}

func jobsTable(jobs []*job.Job) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "ID"}, {Name: "NAME"}, {Name: "KIND"}, {Name: "STATUS"}, {Name: "DONE", Right: true}, {Name: "STAGE"}, {Name: "TOOK", Right: true},
		{Name: "CREATED", Wide: true}, {Name: "BY", Wide: true}, {Name: "WORKER", Wide: true}, {Name: "ATTEMPTS", Right: true, Wide: true},
	}}
	for _, j := range jobs {
		t.Rows = append(t.Rows, []string{
			j.ID, j.Name, j.Kind, string(j.Status), fmt.Sprintf("%.0f%%", j.Percent), stageOf(j), tookOf(j),
			j.Created.Format(time.RFC3339), j.SubmittedBy, j.Worker, fmt.Sprint(j.Attempts),
		})
	}
	return t
}

// stageOf is what a job is at, or why it does not run.
func stageOf(j *job.Job) string {
	if j.Status == sdk.Pending {
		return j.Waiting
	}
	at := ""
	for _, s := range j.Stages {
		if at = s.Name; s.Status == sdk.Running {
			break
		}
	}
	return at
}

func tookOf(j *job.Job) string {
	switch {
	case j.Started.IsZero():
		return ""
	case j.Ended.IsZero():
		return cli.Took(time.Since(j.Started))
	}
	return cli.Took(j.Ended.Sub(j.Started))
}

func jobInfo() *cobra.Command {
	return shownJob(&cobra.Command{
		Use:     "info ID",
		Short:   "Show one job",
		Example: "  hyperctl job info 0199f3f0-5c1e-7d7e-8f5a-2a0d6a1d2c11",
	}, func(ctx context.Context, c *client.Client, id string) (*job.Job, error) { return c.GetJob(ctx, id) })
}

// shownJob completes a verb that does one thing to a named job and shows what the job is then.
func shownJob(cmd *cobra.Command, do func(context.Context, *client.Client, string) (*job.Job, error)) *cobra.Command {
	return onJob(cmd, func(ctx context.Context, cmd *cobra.Command, c *client.Client, id string, out *cli.Output) error {
		j, err := do(ctx, c, id)
		if err != nil {
			return err
		}
		return out.Print(cmd.OutOrStdout(), jobView(j))
	})
}

// onJob completes a verb on a named job.
func onJob(cmd *cobra.Command, run func(context.Context, *cobra.Command, *client.Client, string, *cli.Output) error) *cobra.Command {
	cmd.Args = cli.MaxArgs(1)
	flag := cmd.Flags().String("id", "", jobIDUsage)
	out, daemon := cli.AddOutput(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		id, err := cli.Operand("job", *flag, args)
		if err != nil {
			return err
		}
		return withDaemon(cmd, daemon, func(ctx context.Context, c *client.Client) error { return run(ctx, cmd, c, id, out) })
	}
	return cmd
}

func jobView(j *job.Job) cli.View {
	var failure string
	if j.Error != nil {
		failure = j.Error.Text
	}
	v := cli.View{Value: j, Table: cli.Details(
		"ID", j.ID, "Name", j.Name, "Kind", j.Kind, "Status", string(j.Status), "Done", fmt.Sprintf("%.0f%%", j.Percent), "Stage", stageOf(j),
		"Took", tookOf(j), "Created", j.Created.Format(time.RFC3339), "By", j.SubmittedBy, "Worker", j.Worker, "Error", failure,
	)}
	if len(j.Stages) == 0 {
		return v
	}
	stages := cli.Table{Columns: []cli.Column{{Name: "STAGE"}, {Name: "STATUS"}, {Name: "DONE", Right: true}, {Name: "MESSAGE"}}}
	for _, s := range j.Stages {
		stages.Rows = append(stages.Rows, []string{s.Name, string(s.Status), doneOf(s.Measure), strings.TrimSpace(s.Message)})
	}
	v.More = []cli.Section{{Title: "Stages", Table: stages}}
	return v
}

func doneOf(m job.Measure) string {
	switch {
	case m.Total == 0:
		return ""
	case m.Unit == "bytes":
		return sdk.FormatBytes(m.Done) + " of " + sdk.FormatBytes(m.Total)
	}
	return fmt.Sprintf("%d of %d", m.Done, m.Total)
}
