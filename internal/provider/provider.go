package provider

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ provider.Provider = (*Provider)(nil)

// Provider is the hypersdk provider. One value serves one process: its resources share one vCenter session and one
// connection for each libvirt URI, made when first needed.
type Provider struct {
	version string
	conns   *connections
}

// New makes a provider of the given version. The caller calls Close when it served.
func New(version string) *Provider {
	return &Provider{version: version, conns: newConnections(version)}
}

// Close logs out of vCenter and closes every libvirt connection. It waits as long as ctx allows.
func (p *Provider) Close(ctx context.Context) { p.conns.close(ctx) }

type providerModel struct {
	VSphere types.Object `tfsdk:"vsphere"`
	Libvirt types.Object `tfsdk:"libvirt"`
}

type vsphereModel struct {
	Server     types.String `tfsdk:"server"`
	Username   types.String `tfsdk:"username"`
	Password   types.String `tfsdk:"password"`
	CAFile     types.String `tfsdk:"ca_file"`
	Thumbprint types.String `tfsdk:"thumbprint"`
	Insecure   types.Bool   `tfsdk:"insecure"`
	MaxCalls   types.Int64  `tfsdk:"max_calls"`

	SessionCache types.Bool `tfsdk:"session_cache"`
}

type libvirtModel struct {
	URI types.String `tfsdk:"uri"`
}

// Metadata names the provider.
func (p *Provider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "hypersdk"
	resp.Version = p.version
}

// Schema is the provider block.
func (p *Provider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Clones, templates, snapshots and resource pools of VMware vSphere, and the move of its virtual machines to libvirt/KVM.",
		Attributes: map[string]schema.Attribute{
			"vsphere": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "The vCenter that VMs come from. Every value left out is taken from the environment. The " +
					"provider logs in when a resource first needs vCenter, keeps one session for all of them, and logs out at the end.",
				Attributes: vsphereAttributes(),
			},
			"libvirt": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "The libvirt host that VMs go to, for resources that name none.",
				Attributes: map[string]schema.Attribute{
					"uri": schema.StringAttribute{
						Optional: true,
						MarkdownDescription: "Connection URI of the default target. Terraform has to run on that host: disks are written " +
							"where libvirtd runs. Environment: `HYPERSDK_LIBVIRT_URI`, then `LIBVIRT_DEFAULT_URI`. Default: `qemu:///system`.",
						Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
					},
				},
			},
		},
	}
}

func vsphereAttributes() map[string]schema.Attribute {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	return map[string]schema.Attribute{
		"server": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Host name, `host:port` or URL of the vCenter. Environment: `HYPERSDK_VSPHERE_SERVER`, then `GOVC_URL`.",
			Validators:          filled,
		},
		"username": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "User to log in as. Environment: `HYPERSDK_VSPHERE_USERNAME`, then `GOVC_USERNAME`.",
			Validators:          filled,
		},
		"password": schema.StringAttribute{
			Optional:  true,
			Sensitive: true,
			MarkdownDescription: "The user's password; an ephemeral value is accepted. It is never stored in state and never logged. " +
				"Environment: `HYPERSDK_VSPHERE_PASSWORD`, then `GOVC_PASSWORD`.",
		},
		"ca_file": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "PEM file with the certificates to trust instead of the system's. " +
				"Environment: `HYPERSDK_VSPHERE_CA_FILE`, then `GOVC_TLS_CA_CERTS`.",
			Validators: filled,
		},
		"thumbprint": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "SHA-256 or SHA-1 of the vCenter's certificate in hexadecimal, colons optional: exactly this one is " +
				"trusted. Environment: `HYPERSDK_VSPHERE_THUMBPRINT`.",
			Validators: filled,
		},
		"insecure": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "`true` accepts any certificate; prefer `ca_file` or `thumbprint`. " +
				"Environment: `HYPERSDK_VSPHERE_INSECURE`, then `GOVC_INSECURE`. Default: `false`.",
		},
		"max_calls": schema.Int64Attribute{
			Optional:            true,
			MarkdownDescription: "Calls to vCenter in flight at once. Default: 16.",
			Validators:          []validator.Int64{int64validator.Between(1, 256)},
		},
		"session_cache": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "`false` logs out at the end of each run. `true` keeps the session in a file of the user alone (mode 0600) " +
				"below the user's cache directory, one for each server and user, and goes on with it in the next run; when vCenter ended " +
				"it, the provider logs in again. Nothing of it is in state. Default: `false`.",
		},
	}
}

// Configure takes the settings over. It dials nobody: a value that is not known yet, or a vCenter that is away, matters only
// to a resource that needs it.
func (p *Provider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	env, err := config.FromEnvironment()
	if err != nil {
		resp.Diagnostics.AddError("An environment variable cannot be read", detail(err))
		return
	}
	empty := basetypes.ObjectAsOptions{UnhandledNullAsEmpty: true, UnhandledUnknownAsEmpty: true}
	var vs vsphereModel
	var lv libvirtModel
	resp.Diagnostics.Append(model.VSphere.As(ctx, &vs, empty)...)
	resp.Diagnostics.Append(model.Libvirt.As(ctx, &lv, empty)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if thumb, insecure := vs.Thumbprint.ValueString() != "", vs.Insecure.ValueBool(); thumb && insecure {
		resp.Diagnostics.AddAttributeError(path.Root("vsphere").AtName("insecure"), "Contradicting trust",
			"thumbprint trusts exactly one certificate and insecure trusts any; keep one of them.")
		return
	}
	from, err := vs.config(env.VSphere)
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("vsphere").AtName("server"), "The server cannot be read", detail(err))
		return
	}
	if vs.SessionCache.ValueBool() {
		if from.SessionDir, err = sessionDir(); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("vsphere").AtName("session_cache"), "No place for the session", detail(err))
			return
		}
	}
	p.conns.configure(settings{
		vsphere:        from,
		vsphereUnknown: model.VSphere.IsUnknown() || vs.unknown(),
		libvirtURI:     stringOr(lv.URI, env.Libvirt.URI),
		libvirtUnknown: model.Libvirt.IsUnknown() || lv.URI.IsUnknown(),
		log:            newLogger(ctx, string(from.Password)),
	})
	resp.ResourceData = p.conns
	resp.DataSourceData = p.conns
	resp.EphemeralResourceData = p.conns
	resp.ActionData = p.conns
	resp.ListResourceData = p.conns
}

// sessionDir is where kept sessions are.
func sessionDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", sdk.WithHint(sdk.Kind(sdk.ErrInvalid, err), "set XDG_CACHE_HOME or HOME, or session_cache = false")
	}
	return filepath.Join(dir, "hypersdk", "sessions"), nil
}

func (m vsphereModel) unknown() bool {
	return m.Server.IsUnknown() || m.Username.IsUnknown() || m.Password.IsUnknown() || m.CAFile.IsUnknown() ||
		m.Thumbprint.IsUnknown() || m.Insecure.IsUnknown() || m.MaxCalls.IsUnknown() || m.SessionCache.IsUnknown()
}

// config fills what the block leaves out from the environment. How to trust the server is one decision: a block that
// makes it is not mixed with the environment's.
func (m vsphereModel) config(env config.VSphere) (vsphere.Config, error) {
	server, err := config.ParseServer(stringOr(m.Server, env.URL))
	if err != nil {
		return vsphere.Config{}, err
	}
	if server.Username != "" || server.Password != "" {
		return vsphere.Config{}, sdk.Invalidf("the server holds a user name; write it to username and password instead")
	}
	cfg := vsphere.Config{
		URL:        server.URL,
		Username:   stringOr(m.Username, env.Username),
		Password:   vsphere.Secret(stringOr(m.Password, env.Password)),
		CAFile:     m.CAFile.ValueString(),
		Thumbprint: m.Thumbprint.ValueString(),
		Insecure:   m.Insecure.ValueBool(),
		MaxCalls:   int(m.MaxCalls.ValueInt64()),
	}
	if m.CAFile.IsNull() && m.Thumbprint.IsNull() && m.Insecure.IsNull() {
		cfg.CAFile, cfg.Thumbprint, cfg.Insecure = env.CAFile, env.Thumbprint, env.Insecure
	}
	return cfg, nil
}

func stringOr(v types.String, fallback string) string {
	if v.IsNull() || v.IsUnknown() {
		return fallback
	}
	return v.ValueString()
}

// Resources lists the resources.
func (p *Provider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newCloneResource,
		newMigrationResource,
		newPoolResource,
		newSnapshotResource,
		newTemplateResource,
	}
}

// DataSources lists the data sources.
func (p *Provider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newClustersDataSource,
		newDatacentersDataSource,
		newEventsDataSource,
		newHostsDataSource,
		newMetricsDataSource,
		newPreflightDataSource,
		newVCenterDataSource,
		newVMsDataSource,
	}
}
