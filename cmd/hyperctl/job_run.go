package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/client"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

const (
	maxJobFile = 1 << 20
	logPage    = 1000
	logPause   = time.Second // between reads of the log of a job that runs
)

func jobSubmit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit",
		Short: "Submit an export, a migration or any job",
		Long: `Submit the request in a file: the body of POST /jobs, as JSON. What is submitted
goes on when this command ends; with -watch it is followed to its end, and the
exit code is that of the job. A job for the very same work that lives already is
not submitted twice: it is the answer then.`,
		Example: "  hyperctl job submit -file migration.json -watch\n  hyperctl job submit -file - < migration.json",
		Args:    cli.NoArgs,
	}
	file := cmd.Flags().String("file", "", "`FILE` with the request as JSON, - for stdin")
	watch := cmd.Flags().Bool("watch", false, "follow the job to its end; an interrupt leaves it running")
	out, daemon := cli.AddOutput(cmd), cli.AddDaemon(cmd)
	cli.AddProgress(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		body, err := readJob(*file, cmd.InOrStdin())
		if err != nil {
			return err
		}
		return withDaemon(cmd, daemon, func(ctx context.Context, c *client.Client) error {
			a, err := c.SubmitRaw(ctx, body)
			if err != nil {
				return err
			}
			for _, warning := range a.Warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", sdk.Printable(warning))
			}
			if a.Existed {
				fmt.Fprintf(cmd.ErrOrStderr(), "job %s for the same work lives already\n", a.ID)
			}
			if !*watch {
				return out.Print(cmd.OutOrStdout(), jobView(&a.Job))
			}
			return followJob(ctx, cmd, c, a.ID, out)
		})
	}
	return cmd
}

// readJob reads a request and checks that it is one JSON object; what is in it is the daemon's to judge.
func readJob(file string, stdin io.Reader) (json.RawMessage, error) {
	in := stdin
	switch file {
	case "":
		return nil, sdk.WithHint(sdk.Invalidf("which job? no file is given"), "name the file with the request: -file migration.json")
	case "-":
	default:
		f, err := os.Open(file)
		if err != nil {
			return nil, sdk.Kind(sdk.ErrInvalid, err)
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxJobFile+1))
	if err != nil {
		return nil, sdk.Kind(sdk.ErrInvalid, err)
	}
	var object map[string]json.RawMessage
	if len(text) > maxJobFile {
		return nil, sdk.Invalidf("%s is no job: it has over %d bytes", file, maxJobFile)
	}
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, sdk.Invalidf("%s holds no JSON object: %w", file, err)
	}
	return text, nil
}

func jobWatch() *cobra.Command {
	cmd := onJob(&cobra.Command{
		Use:     "watch ID",
		Short:   "Follow a job to its end",
		Long:    "Follow a job to its end. An interrupt leaves it running. The exit code is that of\nthe job: 0 when it succeeded, 5 when it did in part.",
		Example: "  hyperctl job watch 0199f3f0-5c1e-7d7e-8f5a-2a0d6a1d2c11",
	}, followJob)
	cli.AddProgress(cmd)
	return cmd
}

// followJob shows a job's progress until it has ended, and then the job. The job's failure is the command's.
func followJob(ctx context.Context, cmd *cobra.Command, c *client.Client, id string, out *cli.Output) error {
	settings, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	progress, err := cli.NewProgress(cmd, settings.Talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	last, err := c.WatchJob(ctx, id, func(j *job.Job) error {
		reportJob(j, progress.Report)
		return nil
	})
	progress.Close()
	if err != nil {
		if ctx.Err() != nil && last != nil {
			return sdk.WithHint(err, "the job goes on; hyperctl job watch %s follows it, hyperctl job cancel %s ends it", id, id)
		}
		return err
	}
	if err := out.Print(cmd.OutOrStdout(), jobView(last)); err != nil {
		return err
	}
	switch {
	case last.Error != nil:
		return last.Error.Err()
	case last.Status == sdk.Canceled:
		return sdk.Conflictf("job %s was canceled", id)
	}
	return nil
}

// reportJob tells how far each stage and its disks are.
func reportJob(j *job.Job, report sdk.ProgressFunc) {
	if j.Status == sdk.Pending {
		report(sdk.Progress{Stage: "waiting", Message: j.Waiting})
		return
	}
	for _, s := range j.Stages {
		for _, item := range s.Items {
			report(sdk.Progress{
				Stage: s.Name, Item: item.Name, Status: item.Status, Done: item.Done, Total: item.Total, Unit: item.Unit, Wire: item.Wire, Message: item.Message,
			})
		}
		p := sdk.Progress{Stage: s.Name, Status: s.Status, Message: s.Message}
		if len(s.Items) == 0 {
			p.Done, p.Total, p.Unit = s.Done, s.Total, s.Unit
		}
		report(p)
	}
}

func jobLogs() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "logs ID",
		Short:   "Print a job's log",
		Example: "  hyperctl job logs 0199f3f0-5c1e-7d7e-8f5a-2a0d6a1d2c11 -follow",
	}
	follow := cmd.Flags().Bool("follow", false, "go on until the job has ended")
	return onJob(cmd, func(ctx context.Context, cmd *cobra.Command, c *client.Client, id string, out *cli.Output) error {
		return printLogs(ctx, cmd, c, id, *follow, out)
	})
}

// printLogs prints the lines there are and, while it follows, those that come, to the last one of a job that has ended.
func printLogs(ctx context.Context, cmd *cobra.Command, c *client.Client, id string, follow bool, out *cli.Output) error {
	var last int64
	rows := cli.Rows{}
	for {
		j, err := c.GetJob(ctx, id) // before its lines: what ended before has written all of them
		if err != nil {
			return err
		}
		lines, err := c.JobLogs(ctx, id, last, logPage)
		if err != nil {
			return err
		}
		for _, l := range lines {
			last = l.Line
			t := cli.Table{Columns: []cli.Column{{Name: "TIME"}, {Name: "LEVEL"}, {Name: "TEXT"}}, Rows: [][]string{{l.Time.Format(time.RFC3339), l.Level, l.Text}}}
			if err := out.PrintNext(cmd.OutOrStdout(), &rows, cli.View{Value: l, Table: t}); err != nil {
				return err
			}
		}
		if len(lines) == logPage {
			continue
		}
		if !follow || !j.Live() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(logPause):
		}
	}
}

func jobCancel() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cancel ID",
		Short:   "Cancel a job",
		Long:    "Cancel a job. One that waits is canceled at once; one that runs when its worker has\nstopped, which hyperctl job watch waits for.",
		Example: "  hyperctl job cancel 0199f3f0-5c1e-7d7e-8f5a-2a0d6a1d2c11 -reason 'wrong target'",
	}
	reason := cmd.Flags().String("reason", "", "`WHY`, for whoever reads the record")
	return shownJob(cmd, func(ctx context.Context, c *client.Client, id string) (*job.Job, error) {
		return c.CancelJob(ctx, id, *reason)
	})
}

func jobRetry() *cobra.Command {
	return shownJob(&cobra.Command{
		Use:     "retry ID",
		Short:   "Run a job again that has ended",
		Long:    "Run a job again that has ended. It goes on where it stopped.",
		Example: "  hyperctl job retry 0199f3f0-5c1e-7d7e-8f5a-2a0d6a1d2c11",
	}, func(ctx context.Context, c *client.Client, id string) (*job.Job, error) { return c.RetryJob(ctx, id) })
}
