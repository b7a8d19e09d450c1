package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func (m *cloneModel) labels() labels {
	return labels{Tags: m.Tags, CustomAttributes: m.CustomAttributes}
}

func machineReference(moref string) vsphere.Reference {
	return vsphere.Reference{Type: "VirtualMachine", Value: moref}
}

// readTags follows the tags and custom attributes that are managed; without any it asks nobody.
func (m *cloneModel) readTags(ctx context.Context, client *vsphere.Client, diags *diag.Diagnostics) {
	l := m.labels()
	l.read(ctx, client, machineReference(m.MOID.ValueString()), diags)
	m.Tags, m.CustomAttributes = l.Tags, l.CustomAttributes
}

// writeTags sets what the configuration asks for; before is what this resource had set.
func (m *cloneModel) writeTags(ctx context.Context, client *vsphere.Client, vm *vsphere.VM, before labels) error {
	var diags diag.Diagnostics
	m.labels().write(ctx, client, machineReference(vm.Ref), vsphere.KindVM, before, &diags)
	var failed []error
	for _, d := range diags.Errors() {
		failed = append(failed, errors.New(d.Summary()+": "+d.Detail()))
	}
	return errors.Join(failed...)
}
