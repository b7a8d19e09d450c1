package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

type sizeFunction struct{}

func newSizeFunction() function.Function { return sizeFunction{} }

// Metadata names the function.
func (sizeFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "size"
}

// Definition describes the function.
func (sizeFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Turns a size such as 40GiB into a number",
		MarkdownDescription: "Turns a size such as `40GiB` or `1.5TB` into a whole number of bytes, or of the unit that is asked for.\n\n" +
			"Units with an `i` are binary (`1GiB` = 1024 `MiB`), those without are decimal (`1GB` = 1000 `MB`); upper and lower case are " +
			"one, and a number without unit is bytes. What vSphere, and arguments of this provider, call MB and GB are binary: " +
			"`memory = provider::hypersdk::size(\"8GiB\", \"MiB\")` is 8192. A result that is not whole is an error, never rounded.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "size",
			MarkdownDescription: "A number, with at most one decimal point, and a unit: " + strings.Join(sdk.SizeUnits(), ", ") + ".",
		}},
		VariadicParameter: function.StringParameter{
			Name:                "unit",
			MarkdownDescription: "At most one unit for the result, from the same list. Default: `B`.",
		},
		Return: function.Int64Return{},
	}
}

// Run converts the size.
func (sizeFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	var units []string
	if resp.Error = req.Arguments.Get(ctx, &text, &units); resp.Error != nil {
		return
	}
	unit := "B"
	switch len(units) {
	case 0:
	case 1:
		unit = units[0]
		if _, err := sdk.ParseSize("0", unit); err != nil {
			resp.Error = argumentError(1, err)
			return
		}
	default:
		resp.Error = function.NewArgumentFuncError(2, "One unit at most can be asked for.")
		return
	}
	n, err := sdk.ParseSize(text, unit)
	if err != nil {
		resp.Error = argumentError(0, err)
		return
	}
	resp.Error = resp.Result.Set(ctx, n)
}
