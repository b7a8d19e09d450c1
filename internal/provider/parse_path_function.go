package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type parsePathFunction struct{}

func newParsePathFunction() function.Function { return parsePathFunction{} }

// pathModel is what the function returns; what a path does not tell is null.
type pathModel struct {
	Datacenter types.String `tfsdk:"datacenter"`
	Kind       types.String `tfsdk:"kind"`
	Folder     types.String `tfsdk:"folder"`
	Name       types.String `tfsdk:"name"`
	Parent     types.String `tfsdk:"parent"`
	Parts      []string     `tfsdk:"parts"`
}

// Metadata names the function.
func (parsePathFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_path"
}

// Definition describes the function.
func (parsePathFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Takes a vSphere inventory path apart",
		MarkdownDescription: "Takes an absolute inventory path such as `/DC1/vm/web/app-1` apart; vCenter is not asked. Returns an object:\n\n" +
			"- `datacenter`: path of the datacenter, `/DC1`. Null when the path ends above the datacenter's folders, where it does not " +
			"tell a datacenter from a folder.\n" +
			"- `kind`: the datacenter's folder that the object is below: `vm`, `host`, `datastore` or `network`; null with `datacenter`.\n" +
			"- `folder`: what lies between that folder and the object, `web`; empty directly below it, null with `datacenter`.\n" +
			"- `name`: the object's name as vCenter shows it.\n" +
			"- `parent`: path of what the object is in, `/DC1/vm/web`; null at the top.\n" +
			"- `parts`: all names as vCenter shows them.\n\n" +
			"A `/` inside a name is written `%2f`: names come back with the `/`, paths (`datacenter`, `folder`, `parent`) keep the `%2f`.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "path",
			MarkdownDescription: "Absolute inventory path. It begins with `/`, has no empty name and no `/` at its end.",
		}},
		Return: function.ObjectReturn{AttributeTypes: map[string]attr.Type{
			"datacenter": types.StringType, "kind": types.StringType, "folder": types.StringType,
			"name": types.StringType, "parent": types.StringType, "parts": types.ListType{ElemType: types.StringType},
		}},
	}
}

// Run takes the path apart.
func (parsePathFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	p, err := vsphere.ParseInventoryPath(text)
	if err != nil {
		resp.Error = argumentError(0, err)
		return
	}
	model := pathModel{
		Datacenter: pathPart(p.Datacenter), Kind: pathPart(p.Kind), Folder: types.StringValue(p.Folder),
		Name: types.StringValue(p.Name), Parent: pathPart(p.Parent), Parts: p.Parts,
	}
	if p.Kind == "" {
		model.Folder = types.StringNull()
	}
	resp.Error = resp.Result.Set(ctx, model)
}

// pathPart is null for what the path does not have.
func pathPart(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}
