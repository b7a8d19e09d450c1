package provider

import (
	"context"
	"path"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var _ provider.ProviderWithListResources = (*Provider)(nil)

// ListResources lists the list resources, which `terraform query` of Terraform 1.14 and newer knows.
func (p *Provider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newCloneList, newMigrationList, newPoolList, newTemplateList}
}

// listed pushes the results that the items give, and stops at Terraform's limit or when nobody listens any more. An item
// that gives none is left out.
func listed[T any](req list.ListRequest, stream *list.ListResultsStream, items []T, result func(T) (list.ListResult, bool)) {
	stream.Results = func(push func(list.ListResult) bool) {
		var pushed int64
		for _, item := range items {
			if req.Limit > 0 && pushed >= req.Limit {
				return
			}
			r, ok := result(item)
			if !ok {
				continue
			}
			if !push(r) {
				return
			}
			pushed++
		}
	}
}

// listFailed makes diagnostics the whole answer.
func listFailed(stream *list.ListResultsStream, diags diag.Diagnostics) {
	stream.Results = list.ListResultsStreamDiagnostics(diags)
}

// listPattern allows what path.Match reads.
type listPattern struct{}

// Description says what is allowed.
func (listPattern) Description(context.Context) string {
	return "value must be a pattern such as web-*"
}

// MarkdownDescription says what is allowed.
func (p listPattern) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

// ValidateString refuses what is no pattern.
func (p listPattern) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := path.Match(req.ConfigValue.ValueString(), ""); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a pattern", sentence(p.Description(ctx)+"; "+err.Error()))
	}
}

// fitsPattern says whether a name fits a pattern that listPattern let through; no pattern fits all.
func fitsPattern(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return pattern == "" || err == nil && ok
}
