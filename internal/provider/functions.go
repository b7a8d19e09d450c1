package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
)

var _ provider.ProviderWithFunctions = (*Provider)(nil)

// Functions lists the functions.
func (p *Provider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newParsePathFunction, newMorefFunction, newSizeFunction}
}

// argumentError is an SDK's refusal of the argument at a position.
func argumentError(position int64, err error) *function.FuncError {
	return function.NewArgumentFuncError(position, sentence(detail(err)))
}
