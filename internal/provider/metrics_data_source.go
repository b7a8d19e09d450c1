package provider

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var (
	_ datasource.DataSourceWithConfigure      = (*metricsDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*metricsDataSource)(nil)
)

// changesEveryRead warns of what every measurement does to a plan.
const changesEveryRead = "\n\n~> **What it reads changes all the time.** Each plan and each apply reads again, so outputs made from it are " +
	"`changes to outputs` in every plan. Use it in outputs, checks and preconditions; never let it feed the arguments of a resource, which " +
	"would then change with every apply."

func newMetricsDataSource() datasource.DataSource { return new(metricsDataSource) }

// metricsDataSource is hypersdk_metrics: performance samples of a VM, a host or a cluster.
type metricsDataSource struct{ dataBase }

type metricsModel struct {
	Entity          types.String            `tfsdk:"entity"`
	Type            types.String            `tfsdk:"type"`
	Counters        types.List              `tfsdk:"counters"`
	Interval        types.String            `tfsdk:"interval"`
	Start           types.String            `tfsdk:"start"`
	End             types.String            `tfsdk:"end"`
	MaxSamples      types.Int64             `tfsdk:"max_samples"`
	Instance        types.String            `tfsdk:"instance"`
	Ref             types.String            `tfsdk:"id"`
	IntervalSeconds types.Int64             `tfsdk:"interval_seconds"`
	Samples         []metricSampleModel     `tfsdk:"samples"`
	Series          map[string]seriesModel  `tfsdk:"series"`
	Units           map[string]types.String `tfsdk:"units"`
	Missing         map[string]types.String `tfsdk:"missing"`
	Timeouts        timeouts.Value          `tfsdk:"timeouts"`
}

type metricSampleModel struct {
	Time   types.String             `tfsdk:"time"`
	Values map[string]types.Float64 `tfsdk:"values"`
}

type seriesModel struct {
	Unit    types.String  `tfsdk:"unit"`
	Count   types.Int64   `tfsdk:"count"`
	Latest  types.Float64 `tfsdk:"latest"`
	Minimum types.Float64 `tfsdk:"minimum"`
	Average types.Float64 `tfsdk:"average"`
	Maximum types.Float64 `tfsdk:"maximum"`
}

// Metadata names the data source.
func (d *metricsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_metrics"
}

// Schema is the contract with the user; docs/data-sources/metrics.md is generated from it.
func (d *metricsDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Performance samples of a VM, a host or a cluster: CPU, memory, disk and network in units that their names " +
			"say, or any of vSphere's own counters. Times are by vCenter's clock. After the first read of a run, a read is one call." + changesEveryRead,
		Attributes: map[string]schema.Attribute{
			"entity": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Of what: inventory path (`/DC1/vm/web-01`), managed object id (`vm-42`) or unique name.",
				Validators:          filled,
			},
			"type": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "What the entity is: `vm` (default), `host` or `cluster`. A cluster's values are those of its hosts together.",
				Validators:          []validator.String{words{allowed: []string{vsphere.TypeVM, vsphere.TypeHost, vsphere.TypeCluster}}},
			},
			"counters": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "What to read. Default: `cpu_percent`, `cpu_mhz`, `memory_percent`, `memory_mb`, `disk_read_mbps`, " +
					"`disk_write_mbps`, `net_rx_mbps`, `net_tx_mbps` (MB/s of 1024 KB). Others by vSphere's name, `group.name.rollup`: " +
					"`cpu.ready.summation`; their percents are percents, not hundredths.",
				Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(filled...)},
			},
			"interval": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Time between samples: `realtime` (20 seconds, kept for an hour), `5m`, `30m`, `2h`, `1d`, which vCenter " +
					"keeps, or a multiple of one of them (`1h`), which is made from the finest that is kept long enough and holds intervals that have " +
					"ended. Default: `realtime`; with `start`, the finest that is kept since then.",
				Validators: filled,
			},
			"start": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "From when on: RFC 3339, or a span before now (`24h ago`, `24h`, `7d`). Default: `max_samples` intervals " +
					"before the end.",
				Validators: filled,
			},
			"end": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Until when, in the same forms. Default: now.",
				Validators:          filled,
			},
			"max_samples": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Keep so many samples, the newest. Default: 15 without `start`, all with it.",
				Validators:          []validator.Int64{int64validator.Between(1, 10000)},
			},
			"instance": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Read an instance (`scsi0:0`, `vmnic0`, a CPU's number), or `*` for every one beside the aggregate; its " +
					"series is named `metric:instance`. Default: the aggregate. Not for clusters.",
				Validators: filled,
			},
			"id":               schema.StringAttribute{Computed: true, MarkdownDescription: "Managed object id of the entity."},
			"interval_seconds": schema.Int64Attribute{Computed: true, MarkdownDescription: "Time between samples, in seconds."},
			"samples": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The samples, oldest first.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"time":   schema.StringAttribute{Computed: true, MarkdownDescription: "When it was taken, or its interval ended: RFC 3339, UTC."},
					"values": schema.MapAttribute{Computed: true, ElementType: types.Float64Type, MarkdownDescription: "Value by metric, rounded to three decimals; a metric without a sample at that time is left out."},
				}},
			},
			"series": schema.MapNestedAttribute{
				Computed:            true,
				MarkdownDescription: "By metric: what its samples come to. `series[\"cpu_percent\"].average` is the mean over the time read.",
				NestedObject:        schema.NestedAttributeObject{Attributes: seriesAttributes()},
			},
			"units":    schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Unit by metric: `percent`, `MHz`, `MB`, `MB/s` and others."},
			"missing":  schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "By metric that has no value at all: why. A VM that is powered off has no realtime samples; that is no error."},
			"timeouts": readTimeoutAttribute(ctx),
		},
	}
}

func seriesAttributes() map[string]schema.Attribute {
	number := func(what string) schema.Attribute {
		return schema.Float64Attribute{Computed: true, MarkdownDescription: what}
	}
	return map[string]schema.Attribute{
		"unit":    schema.StringAttribute{Computed: true, MarkdownDescription: "Unit of the values."},
		"count":   schema.Int64Attribute{Computed: true, MarkdownDescription: "How many samples have a value."},
		"latest":  number("The newest value."),
		"minimum": number("The smallest value."),
		"average": number("The mean of the values, rounded to three decimals."),
		"maximum": number("The greatest value."),
	}
}

// ValidateConfig refuses times and intervals that cannot be read, before anyone is asked.
func (d *metricsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var model metricsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	spec := model.spec(ctx, &resp.Diagnostics)
	if model.Entity.IsUnknown() {
		spec.Entity = "later"
	}
	addFieldError(&resp.Diagnostics, metricsFields, "The samples cannot be asked for", spec.Validate())
}

// Read reads the samples.
func (d *metricsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model metricsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := withReadTimeout(ctx, req.Config, &resp.Diagnostics)
	defer cancel()
	spec := model.spec(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || !d.known(&resp.Diagnostics) {
		return
	}
	client, ok := d.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	metrics, err := client.GetMetrics(ctx, spec)
	if err != nil {
		addFieldError(&resp.Diagnostics, metricsFields, "Cannot read metrics", err)
		return
	}
	model.set(metrics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// metricsFields are the arguments behind the spec's fields, where the names differ or an error is worth its place.
var metricsFields = []string{"entity", "type", "counters", "interval", "start", "end", "max_samples", "instance"}

// addFieldError adds an error to the argument that it is about, when that is one of the fields.
func addFieldError(diags *diag.Diagnostics, fields []string, summary string, err error) {
	if err == nil {
		return
	}
	if field := vsphere.Field(err); slices.Contains(fields, field) {
		diags.AddAttributeError(path.Root(field), summary, detail(err))
		return
	}
	diags.AddError(summary, detail(err))
}

// spec is what to ask the SDK for; unknown values are left out.
func (m *metricsModel) spec(ctx context.Context, diags *diag.Diagnostics) vsphere.MetricsSpec {
	return vsphere.MetricsSpec{
		Entity: m.Entity.ValueString(), Type: m.Type.ValueString(), Counters: knownStrings(ctx, m.Counters, diags),
		Interval: m.Interval.ValueString(), Start: m.Start.ValueString(), End: m.End.ValueString(),
		MaxSamples: int(m.MaxSamples.ValueInt64()), Instance: m.Instance.ValueString(),
	}
}

// knownStrings are the known elements of a list of strings.
func knownStrings(ctx context.Context, list types.List, diags *diag.Diagnostics) []string {
	var values []types.String
	if list.IsNull() || list.IsUnknown() {
		return nil
	}
	diags.Append(list.ElementsAs(ctx, &values, false)...)
	var known []string
	for _, v := range values {
		if !v.IsNull() && !v.IsUnknown() {
			known = append(known, v.ValueString())
		}
	}
	return known
}

func (m *metricsModel) set(metrics *vsphere.Metrics) {
	m.Ref = types.StringValue(metrics.Ref)
	m.IntervalSeconds = types.Int64Value(int64(metrics.IntervalSeconds))
	m.Samples = []metricSampleModel{}
	for _, s := range metrics.Samples {
		sample := metricSampleModel{Time: types.StringValue(s.Time.Format(time.RFC3339)), Values: map[string]types.Float64{}}
		for name, value := range s.Values {
			sample.Values[name] = types.Float64Value(value)
		}
		m.Samples = append(m.Samples, sample)
	}
	m.Series = map[string]seriesModel{}
	for name, s := range metrics.Summary() {
		m.Series[name] = seriesModel{
			Unit: types.StringValue(metrics.Units[name]), Count: types.Int64Value(int64(s.Count)),
			Latest: types.Float64Value(s.Latest), Minimum: types.Float64Value(s.Minimum),
			Average: types.Float64Value(s.Average), Maximum: types.Float64Value(s.Maximum),
		}
	}
	m.Units, m.Missing = stringMap(metrics.Units), stringMap(metrics.Missing)
}

func stringMap(values map[string]string) map[string]types.String {
	out := make(map[string]types.String, len(values))
	for key, value := range values {
		out[key] = types.StringValue(value)
	}
	return out
}
