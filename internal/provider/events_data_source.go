package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var (
	_ datasource.DataSourceWithConfigure      = (*eventsDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*eventsDataSource)(nil)
)

func newEventsDataSource() datasource.DataSource { return new(eventsDataSource) }

// eventsDataSource is hypersdk_events: what vCenter recorded.
type eventsDataSource struct{ dataBase }

type eventsModel struct {
	Entity    types.String   `tfsdk:"entity"`
	Types     types.List     `tfsdk:"types"`
	Since     types.String   `tfsdk:"since"`
	Until     types.String   `tfsdk:"until"`
	Limit     types.Int64    `tfsdk:"limit"`
	Recursion types.String   `tfsdk:"recursion"`
	User      types.String   `tfsdk:"user"`
	Severity  types.List     `tfsdk:"severity"`
	Events    []eventModel   `tfsdk:"events"`
	Truncated types.Bool     `tfsdk:"truncated"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

type eventModel struct {
	Key        types.Int64  `tfsdk:"key"`
	CreatedAt  types.String `tfsdk:"created_at"`
	EventType  types.String `tfsdk:"event_type"`
	Severity   types.String `tfsdk:"severity"`
	Category   types.String `tfsdk:"category"`
	Message    types.String `tfsdk:"message"`
	User       types.String `tfsdk:"user"`
	Entity     types.String `tfsdk:"entity"`
	EntityType types.String `tfsdk:"entity_type"`
	Datacenter types.String `tfsdk:"datacenter"`
	Host       types.String `tfsdk:"host"`
	VM         types.String `tfsdk:"vm"`
	ChainID    types.Int64  `tfsdk:"chain_id"`
}

// Metadata names the data source.
func (d *eventsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_events"
}

// Schema is the contract with the user; docs/data-sources/events.md is generated from it.
func (d *eventsDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Events that vCenter recorded, the newest first: who did what to which object and when. Times are by vCenter's " +
			"clock. After the first read of a run, a read of up to a thousand events is three calls." + changesEveryRead,
		Attributes: map[string]schema.Attribute{
			"entity": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Events of what: inventory path (`/DC1`, `/DC1/vm/web-01`), managed object id or unique name of anything in the " +
					"inventory. Default: everything.",
				Validators: filled,
			},
			"types": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Only these types, by vSphere's name (`VmPoweredOnEvent`), by the id of an extension's event, or by a base type " +
					"(`VmEvent`, `AlarmEvent`), which means all that derive from it. Default: all.",
				Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(filled...)},
			},
			"since": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "From when on: RFC 3339, or a span before the read (`24h`, `24h ago`, `7d`). Default: as far back as vCenter keeps events.",
				Validators:          filled,
			},
			"until": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Until when, in the same forms. Default: now.",
				Validators:          filled,
			},
			"limit": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "At most so many, the newest. Default: 1000; at most 100000.",
				Validators:          []validator.Int64{int64validator.Between(1, 100000)},
			},
			"recursion": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "With `entity`: `all` (default: its own and those of what is below it), `self` or `children`.",
				Validators:          []validator.String{words{allowed: []string{"all", "self", "children"}}},
			},
			"user": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Only what this user caused, as vCenter writes it: `VSPHERE.LOCAL\\\\Administrator`. Default: anyone.",
				Validators:          filled,
			},
			"severity": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Only these severities: `info`, `user` (written by a person), `warning`, `error`. Default: all.",
				Validators: []validator.List{
					listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(words{allowed: vsphere.Severities()}),
				},
			},
			"events": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The events, the newest first.",
				NestedObject:        schema.NestedAttributeObject{Attributes: eventAttributes()},
			},
			"truncated": schema.BoolAttribute{Computed: true, MarkdownDescription: "There are older events that `limit` left out."},
			"timeouts":  readTimeoutAttribute(ctx),
		},
	}
}

func eventAttributes() map[string]schema.Attribute {
	text := func(what string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: what}
	}
	return map[string]schema.Attribute{
		"key":         schema.Int64Attribute{Computed: true, MarkdownDescription: "Number of the event: unique in this vCenter, and rising."},
		"created_at":  text("When it happened: RFC 3339, UTC."),
		"event_type":  text("Its type: `VmPoweredOnEvent`, or the id of an extension's event."),
		"severity":    text("`info`, `user`, `warning` or `error`: vCenter's category of the type."),
		"category":    text("What it is about: `vm`, `host`, `datastore`, `alarm`, `cluster`, `resource_pool`, `network`, `datacenter`, `session`, `task`, `license`, `permission`, `custom_field` or `other`."),
		"message":     text("What happened, in vCenter's words."),
		"user":        text("Who caused it; empty when vCenter did."),
		"entity":      text("Name of what it is about; empty when it is about nothing in particular."),
		"entity_type": text("Type of that object: `VirtualMachine`, `HostSystem` and others."),
		"datacenter":  text("Datacenter in which it happened; empty when in none."),
		"host":        text("Host on which it happened; empty when on none."),
		"vm":          text("VM to which it happened; empty when to none."),
		"chain_id":    schema.Int64Attribute{Computed: true, MarkdownDescription: "Key of the event that it follows from, or its own."},
	}
}

// eventsFields are the arguments that an error may be about.
var eventsFields = []string{"entity", "types", "since", "until", "limit", "recursion", "user", "severity"}

// ValidateConfig refuses times that cannot be read, before anyone is asked.
func (d *eventsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var model eventsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	addFieldError(&resp.Diagnostics, eventsFields, "The events cannot be asked for", model.spec(ctx, &resp.Diagnostics).Validate())
}

// Read reads the events.
func (d *eventsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model eventsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := withReadTimeout(ctx, req.Config, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !d.known(&resp.Diagnostics) {
		return
	}
	client, ok := d.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	result, err := client.ListEvents(ctx, model.spec(ctx, &resp.Diagnostics))
	if err != nil {
		addFieldError(&resp.Diagnostics, eventsFields, "Cannot read events", err)
		return
	}
	model.set(result)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// spec is what to ask the SDK for; unknown values are left out.
func (m *eventsModel) spec(ctx context.Context, diags *diag.Diagnostics) vsphere.EventsSpec {
	return vsphere.EventsSpec{
		Entity: m.Entity.ValueString(), Types: knownStrings(ctx, m.Types, diags), Since: m.Since.ValueString(), Until: m.Until.ValueString(),
		Limit: int(m.Limit.ValueInt64()), Recursion: m.Recursion.ValueString(), User: m.User.ValueString(),
		Severity: knownStrings(ctx, m.Severity, diags),
	}
}

func (m *eventsModel) set(result *vsphere.EventsResult) {
	m.Truncated = types.BoolValue(result.Truncated)
	m.Events = []eventModel{}
	for _, e := range result.Events {
		m.Events = append(m.Events, eventModel{
			Key: types.Int64Value(int64(e.Key)), CreatedAt: types.StringValue(e.CreatedAt.Format(time.RFC3339Nano)),
			EventType: types.StringValue(e.EventType), Severity: types.StringValue(e.Severity), Category: types.StringValue(e.Category),
			Message: types.StringValue(e.Message), User: types.StringValue(e.User),
			Entity: types.StringValue(e.Entity), EntityType: types.StringValue(e.EntityType), Datacenter: types.StringValue(e.Datacenter),
			Host: types.StringValue(e.Host), VM: types.StringValue(e.VM), ChainID: types.Int64Value(int64(e.ChainID)),
		})
	}
}
