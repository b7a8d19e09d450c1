package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// setDefaults fills in what the plan could not know.
func (m *templateModel) setDefaults() {
	if m.Method.IsNull() || m.Method.IsUnknown() {
		m.Method = types.StringValue(string(vsphere.TemplateByClone))
	}
	if m.OnDestroy.IsNull() || m.OnDestroy.IsUnknown() {
		m.OnDestroy = types.StringValue(defaultOnDestroy(m.Method))
	}
}

// spec asks the SDK for what the configuration says.
func (m *templateModel) spec() vsphere.TemplateSpec {
	return vsphere.TemplateSpec{
		Method: vsphere.TemplateMethod(m.Method.ValueString()), Source: m.Source.ValueString(), Name: m.Name.ValueString(),
		Folder: m.Folder.ValueString(), ResourcePool: m.ResourcePool.ValueString(), Host: m.Host.ValueString(),
		Datastore: m.Datastore.ValueString(), Snapshot: m.Snapshot.ValueString(), Annotation: m.Annotation.ValueString(),
	}
}

// set takes over what vCenter says. The words for the folder are the caller's to keep or replace.
func (m *templateModel) set(t *vsphere.Template) {
	m.ID, m.Moid, m.Path = types.StringValue(t.InstanceUUID), types.StringValue(t.Ref), types.StringValue(t.Path)
	m.Name, m.Annotation, m.Template = types.StringValue(t.Name), types.StringValue(t.Annotation), types.BoolValue(t.Template)
}

// change is what differs between state and plan.
func (m *templateModel) change(state *templateModel) vsphere.TemplateUpdate {
	var update vsphere.TemplateUpdate
	if !m.Name.Equal(state.Name) {
		update.Name = m.Name.ValueStringPointer()
	}
	if !m.Folder.Equal(state.Folder) {
		update.Folder = m.Folder.ValueStringPointer()
	}
	if !m.Annotation.Equal(state.Annotation) {
		update.Annotation = m.Annotation.ValueStringPointer()
	}
	return update
}
