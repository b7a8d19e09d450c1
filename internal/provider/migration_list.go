package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

var _ list.ListResourceWithConfigure = (*migrationList)(nil)

// migrationList lists the domains that migrations made.
type migrationList struct{ resourceBase }

func newMigrationList() list.ListResource { return &migrationList{} }

type migrationListModel struct {
	URI  types.String `tfsdk:"uri"`
	Name types.String `tfsdk:"name"`
}

// Metadata names the managed resource that is listed.
func (l *migrationList) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_migration"
}

// ListResourceConfigSchema describes the list block.
func (l *migrationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the domains on a libvirt host that migrations made: those of this provider and of its commands, " +
			"known by what they wrote into the domain. Migrations that are not finished are left out. Needs Terraform 1.14.",
		Attributes: map[string]schema.Attribute{
			"uri": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Connection URI of the host. Default: the provider's `libvirt.uri`.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Only domains whose name fits the pattern, with `*`, `?` and `[…]`. Default: all.",
				Validators:          []validator.String{listPattern{}},
			},
		},
	}
}

// List asks libvirt once and tells of each domain that is a migration's.
func (l *migrationList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var model migrationListModel
	diags := req.Config.Get(ctx, &model)
	if diags.HasError() {
		listFailed(stream, diags)
		return
	}
	uri := stringOr(model.URI, l.conns.get().libvirtURI)
	domains, err := l.domains(ctx, uri)
	if err != nil {
		diags.AddAttributeError(path.Root("uri"), "Cannot list domains", detail(err))
		listFailed(stream, diags)
		return
	}
	listed(req, stream, domains, func(domain libvirt.Domain) (list.ListResult, bool) {
		if domain.Metadata == nil || !fitsPattern(model.Name.ValueString(), domain.Name) {
			return list.ListResult{}, false
		}
		return migrationListResult(ctx, req, uri, &domain)
	})
}

func (l *migrationList) domains(ctx context.Context, uri string) ([]libvirt.Domain, error) {
	client, err := l.conns.libvirt(ctx, uri)
	if err != nil {
		return nil, err
	}
	return client.ListDomains(ctx)
}

func migrationListResult(ctx context.Context, req list.ListRequest, uri string, domain *libvirt.Domain) (list.ListResult, bool) {
	imported, err := importedResult(domain)
	if err != nil {
		return list.ListResult{}, false
	}
	who := identityModel{URI: types.StringValue(uri), DomainUUID: types.StringValue(domain.UUID)}
	result := req.NewListResult(ctx)
	result.DisplayName = domain.Name
	if domain.Metadata.SourceVM != "" {
		result.DisplayName += ", from " + domain.Metadata.SourceVM
	}
	result.Diagnostics.Append(result.Identity.Set(ctx, who)...)
	if req.IncludeResource {
		var state migrationModel
		result.Diagnostics.Append(seeded(ctx, result.Resource, who, &state)...)
		if !result.Diagnostics.HasError() {
			result.Diagnostics.Append(state.setImported(ctx, domain, imported)...)
			result.Diagnostics.Append(result.Resource.Set(ctx, &state)...)
		}
	}
	return result, true
}

// seeded reads the model of a migration of which only the identity is known.
func seeded(ctx context.Context, to *tfsdk.Resource, who identityModel, state *migrationModel) diag.Diagnostics {
	diags := who.seed(ctx, to.SetAttribute)
	diags.Append(to.Get(ctx, state)...)
	return diags
}
