package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// runCloneBulk makes the clones of a file.
func runCloneBulk(cmd *cobra.Command, conn *cli.Connection, out *cli.Output, f *cloneFlags, args []string, concurrent int, dry bool) error {
	given := f.want.given(cmd)
	if f.source != "" {
		given = append(given, "-source")
	}
	if f.target != "" {
		given = append(given, "-target")
	}
	switch {
	case len(args) > 0:
		return sdk.WithHint(sdk.Invalidf("-bulk and %q: the file says what to clone", args[0]), "leave out one of the two")
	case len(given) > 0:
		return sdk.WithHint(sdk.Invalidf("-bulk and %s: the file says it for each clone", strings.Join(given, ", ")), "write it into the file: resource_pool, folder, power_on, …")
	}
	items, err := readClones(f.bulk, cmd.InOrStdin())
	if err != nil {
		return err
	}
	spec := vsphere.CloneBulkSpec{Clones: items, MaxConcurrent: concurrent}
	return withProgress(cmd, conn, func(ctx context.Context, client *vsphere.Client, report sdk.ProgressFunc, done func()) error {
		if dry {
			plans, err := client.PlanClones(ctx, items)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.PlannedView(spec, wouldCloneAll(plans)...))
		}
		result, err := client.CloneBulk(ctx, spec, report)
		done()
		if result == nil {
			return err
		}
		if shown := out.Print(cmd.OutOrStdout(), bulkView(result)); shown != nil && err == nil {
			return shown
		}
		return summary(result, err)
	})
}

func wouldCloneAll(plans []vsphere.ClonePlan) []string {
	var would []string
	for _, p := range plans {
		if p.Exists {
			would = append(would, "skip "+p.Name+": "+p.Path+" exists")
		} else {
			would = append(would, wouldClone(p))
		}
	}
	return would
}

func bulkView(r *vsphere.CloneBulkResult) cli.View {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"}, {Name: "STATUS"}, {Name: "POWER"}, {Name: "ADDRESS", Wide: true}, {Name: "TOOK", Right: true},
		{Name: "REF", Wide: true}, {Name: "PATH", Wide: true}, {Name: "MESSAGE"},
	}}
	for _, o := range r.Items {
		took := ""
		if o.Begun {
			took = cli.Took(time.Duration(o.TookSeconds * float64(time.Second)))
		}
		message := strings.Join(append([]string{o.Message}, o.Warnings...), "; ")
		t.Rows = append(t.Rows, []string{
			o.Name, string(o.Status), o.PowerState, o.IPAddress, took, o.Ref, o.Path, strings.TrimPrefix(message, "; "),
		})
	}
	return cli.View{Value: r, Table: t, Rows: r.Items}
}

// bulkError is an error about a bulk run whose table has said the rest.
type bulkError struct {
	text string
	err  error
}

func (e *bulkError) Error() string { return e.text }
func (e *bulkError) Unwrap() error { return e.err }

// summary says shortly what the run did and did not do; nil when all is done.
func summary(r *vsphere.CloneBulkResult, err error) error {
	if err == nil {
		return nil
	}
	text := fmt.Sprintf("clones done: %d of %d", r.Succeeded+r.Skipped, r.Total)
	lists := map[string][]string{}
	for _, o := range r.Items {
		switch {
		case o.Status == sdk.Failed:
			lists["failed"] = append(lists["failed"], o.Name)
		case o.Status == sdk.Canceled && o.Begun:
			lists["canceled"] = append(lists["canceled"], o.Name)
		case o.Status == sdk.Canceled:
			lists["not begun"] = append(lists["not begun"], o.Name)
		}
	}
	for _, why := range []string{"failed", "canceled", "not begun"} {
		if names := lists[why]; len(names) > 0 {
			text += fmt.Sprintf("\n  %s: %s", why, few(names))
		}
	}
	return sdk.WithHint(&bulkError{text, err}, "the same command goes on: it skips what exists")
}

// few lists names, the first ten by name.
func few(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
