package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// metricsCommand has no verbs: what it does follows from its flags.
func metricsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "metrics [NAME]",
		Short: "Show CPU, memory, disk and network of a VM, a host or a cluster",
		Long: "Show CPU, memory, disk and network of a VM, a host or a cluster, by vCenter's clock.\n\n" +
			"vCenter keeps samples of 20 seconds for an hour, of 5m for a day, 30m for a week, 2h for a month and 1d for a year; a multiple of\n" +
			"one of them is made from the finest that is kept long enough. Disk and network of the past need statistics level 2.",
		Example: "  hyperctl metrics -entity web-01 -type vm -realtime\n" +
			"  hyperctl metrics -entity Cluster1 -type cluster -start \"24h ago\" -interval 1h\n" +
			"  hyperctl metrics -entity web-01 -watch\n" +
			"  hyperctl metrics -entity web-01 -plot -watch\n" +
			"  hyperctl metrics -entity esxi-01 -type host -counters cpu_percent,cpu.ready.summation -json",
		Args: cli.MaxArgs(1),
	}
	var spec vsphere.MetricsSpec
	flags := cmd.Flags()
	entity := flags.String("entity", "", "the `NAME`, inventory path or moref of what to look at, as a flag")
	flags.StringVar(&spec.Type, "type", vsphere.TypeVM, "what it is: vm, host or cluster (default vm)")
	realtime := flags.Bool("realtime", false, "samples of 20 seconds, the last five minutes unless -start says more")
	watch := flags.Bool("watch", false, "go on with every new sample, until interrupted")
	plots := flags.Bool("plot", false, "draw a plot of each metric, of the last hour unless -samples or -start says else")
	flags.StringVar(&spec.Interval, "interval", "", "`TIME` between samples: realtime, 5min, 30m, 1h, 1d")
	flags.StringVar(&spec.Start, "start", "", "from when on: `TIME` as RFC 3339 or \"24h ago\"")
	flags.StringVar(&spec.End, "end", "", "until when: `TIME` as RFC 3339 or \"1h ago\" (default now)")
	flags.IntVar(&spec.MaxSamples, "samples", 0, "at most `N` samples, the newest (default 15 without -start)")
	flags.StringSliceVar(&spec.Counters, "counters", nil, "`NAMES` with commas: "+strings.Join(vsphere.NamedMetrics(), ", ")+", or vSphere's own, cpu.ready.summation")
	flags.StringVar(&spec.Instance, "instance", "", "`NAME` of a disk, NIC or CPU (scsi0:0, vmnic0), or * for each")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions([]string{vsphere.TypeVM, vsphere.TypeHost, vsphere.TypeCluster}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		var err error
		if spec.Entity, err = namedEntity(*entity, args); err != nil {
			return err
		}
		if err := metricsMode(&spec, *realtime, *watch); err != nil {
			return err
		}
		if *plots {
			if err := plotMode(&spec, out, *watch, cmd.OutOrStdout()); err != nil {
				return err
			}
		}
		if err := spec.Validate(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			if *watch && *plots {
				return watchPlots(ctx, cmd, client, spec)
			}
			if *watch {
				return watchMetrics(ctx, cmd, client, spec, out)
			}
			m, err := client.GetMetrics(ctx, spec)
			if err != nil {
				return err
			}
			explainMissing(cmd.ErrOrStderr(), m)
			if *plots {
				return plotOnce(cmd.OutOrStdout(), m)
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: m, Table: metricsTable(m)})
		})
	}
	return cmd
}

func namedEntity(flag string, args []string) (string, error) {
	name := flag
	if len(args) > 0 {
		name = args[0]
	}
	switch {
	case name == "":
		return "", sdk.WithHint(sdk.Invalidf("metrics of what?"), "name a VM, a host or a cluster with -entity, and say which it is with -type")
	case flag != "" && flag != name:
		return "", sdk.Invalidf("two things are named, %q and %q", name, flag)
	}
	return name, nil
}

// metricsMode brings -realtime and -watch into the spec.
func metricsMode(spec *vsphere.MetricsSpec, realtime, watch bool) error {
	if !realtime && !watch {
		return nil
	}
	flag := map[bool]string{false: "-realtime", true: "-watch"}[watch]
	if spec.Interval != "" {
		if d, err := vsphere.ParseInterval(spec.Interval); err == nil && d != 20*time.Second {
			return sdk.WithHint(sdk.Invalidf("%s and -interval %s contradict each other", flag, spec.Interval), "%s is an interval of 20 seconds", flag)
		}
	}
	if watch && (spec.Start != "" || spec.End != "") {
		return sdk.WithHint(sdk.Invalidf("-watch goes on from now"), "leave -start and -end out")
	}
	spec.Interval = "realtime"
	return nil
}

// watchMetrics prints each new sample: a row of one table, or a line of JSON.
func watchMetrics(ctx context.Context, cmd *cobra.Command, client inventory, spec vsphere.MetricsSpec, out *cli.Output) error {
	rows := cli.Rows{Every: 20}
	return client.StreamMetrics(ctx, spec, func(m *vsphere.Metrics) error {
		explainMissing(cmd.ErrOrStderr(), m)
		for _, sample := range m.Samples {
			one := *m
			one.Samples = []vsphere.MetricSample{sample}
			if err := out.PrintNext(cmd.OutOrStdout(), &rows, cli.View{Value: sample, Table: metricsTable(&one)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// explainMissing tells why metrics have no value, each reason once.
func explainMissing(w io.Writer, m *vsphere.Metrics) {
	byReason := map[string][]string{}
	for name, reason := range m.Missing {
		byReason[reason] = append(byReason[reason], name)
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		names := byReason[reason]
		slices.Sort(names)
		fmt.Fprintf(w, "no %s: %s\n", strings.Join(names, ", "), sdk.Printable(reason))
	}
}

// metricColumns are the heads of the usual metrics, in their order.
var metricColumns = map[string]string{
	"cpu_percent": "CPU%", "cpu_mhz": "MHZ", "memory_percent": "MEM%", "memory_mb": "MEM MB",
	"disk_read_mbps": "READ MB/S", "disk_write_mbps": "WRITE MB/S", "net_rx_mbps": "RX MB/S", "net_tx_mbps": "TX MB/S",
}

func metricsTable(m *vsphere.Metrics) cli.Table {
	names := metricNames(m)
	t := cli.Table{Columns: []cli.Column{{Name: "TIME"}}}
	for _, name := range names {
		head := metricColumns[name]
		if head == "" {
			head = fmt.Sprintf("%s (%s)", name, m.Units[name])
		}
		t.Columns = append(t.Columns, cli.Column{Name: head, Right: true})
	}
	for _, s := range m.Samples {
		row := []string{s.Time.Format(time.RFC3339)}
		for _, name := range names {
			cell := ""
			if value, ok := s.Values[name]; ok {
				cell = metricCell(name, value)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// metricNames are the columns: the usual metrics in their order, then the others by name.
func metricNames(m *vsphere.Metrics) []string {
	var names []string
	for _, name := range vsphere.NamedMetrics() {
		if _, ok := m.Units[name]; ok {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Units)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func metricCell(name string, value float64) string {
	switch {
	case strings.Contains(name, "_mbps"):
		return strconv.FormatFloat(value, 'f', 3, 64)
	case strings.Contains(name, "_percent"):
		return strconv.FormatFloat(value, 'f', 1, 64)
	case strings.Contains(name, "_mhz"), strings.Contains(name, "_mb"):
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}
