package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type morefFunction struct{}

func newMorefFunction() function.Function { return morefFunction{} }

type morefModel struct {
	Type  string `tfsdk:"type"`
	Value string `tfsdk:"value"`
}

// Metadata names the function.
func (morefFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "moref"
}

// Definition describes the function.
func (morefFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Reads a vSphere managed object reference",
		MarkdownDescription: "Reads a managed object reference in any of its spellings; vCenter is not asked whether the object exists. " +
			"Returns an object with `type` (`VirtualMachine`) and `value` (`vm-42`).\n\n" +
			"An id alone is enough where vCenter's naming tells the type: `vm-`, `host-`, `domain-c` (cluster), `domain-s` (host alone), " +
			"`resgroup-` (resource pool), `resgroup-v` (vApp), `group-` (folder), `group-p` (datastore cluster), `datacenter-`, " +
			"`datastore-`, `network-`, `dvportgroup-`, `dvs-`, `snapshot-`, `task-`. Other ids need their type. A type that contradicts " +
			"the id is an error.",
		Parameters: []function.Parameter{function.StringParameter{
			Name: "reference",
			MarkdownDescription: "`vm-42`, `VirtualMachine:vm-42`, or the form in the vSphere Client's address, " +
				"`urn:vmomi:VirtualMachine:vm-42:UUID`.",
		}},
		Return: function.ObjectReturn{AttributeTypes: map[string]attr.Type{"type": types.StringType, "value": types.StringType}},
	}
}

// Run reads the reference.
func (morefFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	ref, err := vsphere.ParseMoref(text)
	if err != nil {
		resp.Error = argumentError(0, err)
		return
	}
	resp.Error = resp.Result.Set(ctx, morefModel{Type: ref.Type, Value: ref.Value})
}
