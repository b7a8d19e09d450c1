package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var cloneCloudInitFields = map[string]attr.Type{"metadata": types.StringType, "userdata_wo": types.StringType, "version": types.Int64Type}

// userDataDigest is what the state keeps of user data, which may hold secrets: enough to see that it changed.
func userDataDigest(vm *vsphere.VM, text vsphere.Secret) string {
	h := hmac.New(sha256.New, []byte(vm.InstanceUUID))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// observeCloudInit follows what the VM's guestinfo holds. Metadata is shown as it is; of the user data it is only known whether it
// is still what was handed over: when not, its digest leaves the state. What the guest redacted after reading is no difference.
func (m *cloneModel) observeCloudInit(ctx context.Context, vm *vsphere.VM, diags *diag.Diagnostics) {
	c := object[cloneCloudInit](ctx, m.CloudInit, diags)
	if c == nil {
		return
	}
	if held, told := vm.HeldMetadata(); told && known(c.Metadata) {
		c.Metadata = types.StringValue(held)
		m.CloudInit = objectFrom(ctx, cloneCloudInitFields, c, diags)
	}
	if held, told := vm.HeldUserData(); told && known(m.UserDataDigest) && m.UserDataDigest.ValueString() != userDataDigest(vm, held) {
		m.UserDataDigest = types.StringNull()
	}
}

// handedOver is the digest of the user data that the configuration has just given to the VM.
func (m *cloneModel) handedOver(ctx context.Context, vm *vsphere.VM, diags *diag.Diagnostics) types.String {
	c := object[cloneCloudInit](ctx, m.CloudInit, diags)
	if c == nil || c.UserData.IsNull() {
		return types.StringNull()
	}
	return types.StringValue(userDataDigest(vm, vsphere.Secret(c.UserData.ValueString())))
}

// handsOver says whether an apply gives the VM its metadata and user data: they are new, the version is another, or the VM does not
// hold what it was given. Of the user data only its version, and that digest, are ever known twice.
func handsOver(ctx context.Context, prior, config *cloneModel, diags *diag.Diagnostics) bool {
	was, is := object[cloneCloudInit](ctx, prior.CloudInit, diags), object[cloneCloudInit](ctx, config.CloudInit, diags)
	switch {
	case is == nil:
		return false
	case was == nil:
		return true
	}
	return !was.Metadata.Equal(is.Metadata) || !was.Version.Equal(is.Version) || prior.UserDataDigest.IsNull() && !is.UserData.IsNull()
}

// planCloudInit plans the digest.
func (p *clonePlan) planCloudInit(ctx context.Context) {
	p.plan.UserDataDigest = p.state.UserDataDigest
	is := object[cloneCloudInit](ctx, p.config.CloudInit, p.diags)
	switch {
	case p.config.CloudInit.IsUnknown():
		p.plan.UserDataDigest = types.StringUnknown()
	case is == nil:
		p.plan.UserDataDigest = types.StringNull()
	case is.UserData.IsNull() || !handsOver(ctx, &p.state, &p.config, p.diags):
	default:
		p.plan.UserDataDigest = types.StringUnknown()
		if was := object[cloneCloudInit](ctx, p.state.CloudInit, p.diags); was != nil && p.state.UserDataDigest.IsNull() {
			p.diags.AddAttributeWarning(path.Root("cloud_init").AtName("userdata_wo"), "Hands the user data over", fmt.Sprintf(
				"VM %q holds no user data, or other than it was given. Apply gives it this configuration's, and the guest reads it at its next start.", p.state.Name.ValueString()))
		}
	}
}
