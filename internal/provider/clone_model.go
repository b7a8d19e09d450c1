package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// The words of power, on_destroy, recustomize and status.
const (
	powerOn        = "on"
	powerOff       = "off"
	powerUnmanaged = "unmanaged"

	onDestroyDelete     = "delete"
	onDestroyPowerOff   = "power_off"
	onDestroyUnregister = "unregister"

	recustomizeWarn    = "warn"
	recustomizeReplace = "replace"

	cloneSucceeded   = "succeeded"
	cloneInterrupted = "interrupted" // stopped on its way: the next apply goes on
	cloneIncomplete  = "incomplete"  // the VM is there and a later step failed
)

// cloneModel is the resource's configuration, plan and state. Nested values are framework types, since a plan may not know
// them yet.
type cloneModel struct {
	Name     types.String `tfsdk:"name"`
	Source   types.String `tfsdk:"source"`
	Linked   types.Bool   `tfsdk:"linked"`
	Snapshot types.String `tfsdk:"snapshot"`

	Folder           types.String `tfsdk:"folder"`
	ResourcePool     types.String `tfsdk:"resource_pool"`
	Host             types.String `tfsdk:"host"`
	Datastore        types.String `tfsdk:"datastore"`
	DatastoreCluster types.String `tfsdk:"datastore_cluster"`

	CPUs             types.Int64  `tfsdk:"cpus"`
	CoresPerSocket   types.Int64  `tfsdk:"cores_per_socket"`
	Memory           types.Int64  `tfsdk:"memory"`
	CPUAllocation    types.Object `tfsdk:"cpu_allocation"`
	MemoryAllocation types.Object `tfsdk:"memory_allocation"`
	Disks            types.Map    `tfsdk:"disks"`
	Networks         types.Map    `tfsdk:"networks"`
	CDROM            types.Object `tfsdk:"cdrom"`
	ExtraConfig      types.Map    `tfsdk:"extra_config"`
	VAppProperties   types.Map    `tfsdk:"vapp_properties"`

	Customize   types.Object `tfsdk:"customize"`
	Recustomize types.String `tfsdk:"recustomize"`
	CloudInit   types.Object `tfsdk:"cloud_init"`
	WaitFor     types.Object `tfsdk:"wait_for"`

	Power            types.String   `tfsdk:"power"`
	AllowRestart     types.Bool     `tfsdk:"allow_restart"`
	Annotation       types.String   `tfsdk:"annotation"`
	Tags             types.Set      `tfsdk:"tags"`
	CustomAttributes types.Map      `tfsdk:"custom_attributes"`
	OnDestroy        types.String   `tfsdk:"on_destroy"`
	Timeouts         timeouts.Value `tfsdk:"timeouts"`

	ID           types.String `tfsdk:"id"`
	MOID         types.String `tfsdk:"moid"`
	InstanceUUID types.String `tfsdk:"instance_uuid"`
	BIOSUUID     types.String `tfsdk:"bios_uuid"`
	Path         types.String `tfsdk:"path"`
	SourceID     types.String `tfsdk:"source_id"`
	GuestID      types.String `tfsdk:"guest_id"`
	IPAddress    types.String `tfsdk:"ip_address"`
	IPAddresses  types.List   `tfsdk:"ip_addresses"`
	Ready        types.Bool   `tfsdk:"ready"`
	Status       types.String `tfsdk:"status"`

	UserDataDigest types.String `tfsdk:"userdata_digest"`
}

type cloneIdentity struct {
	VCenter      types.String `tfsdk:"vcenter"`
	InstanceUUID types.String `tfsdk:"instance_uuid"`
}

type cloneAllocation struct {
	Reservation types.Int64  `tfsdk:"reservation"`
	Limit       types.Int64  `tfsdk:"limit"`
	Shares      types.String `tfsdk:"shares"`
	ShareCount  types.Int64  `tfsdk:"share_count"`
}

type cloneDisk struct {
	Size         types.Int64  `tfsdk:"size"`
	Provisioning types.String `tfsdk:"provisioning"`
	Datastore    types.String `tfsdk:"datastore"`
	Mode         types.String `tfsdk:"mode"`
	OnRemove     types.String `tfsdk:"on_remove"`
}

type cloneNetwork struct {
	Network types.String `tfsdk:"network"`
	Type    types.String `tfsdk:"type"`
	MAC     types.String `tfsdk:"mac"`
}

type cloneCDROM struct {
	ISO    types.String `tfsdk:"iso"`
	Client types.Bool   `tfsdk:"client"`
}

type cloneCustomize struct {
	Spec        types.String `tfsdk:"spec"`
	Linux       types.Object `tfsdk:"linux"`
	Windows     types.Object `tfsdk:"windows"`
	Interfaces  types.Map    `tfsdk:"interfaces"`
	Gateway     types.String `tfsdk:"gateway"`
	GatewayIPv6 types.String `tfsdk:"gateway_ipv6"`
	DNS         types.List   `tfsdk:"dns"`
	DNSSearch   types.List   `tfsdk:"dns_search"`
}

type cloneLinux struct {
	Hostname      types.String `tfsdk:"hostname"`
	Domain        types.String `tfsdk:"domain"`
	TimeZone      types.String `tfsdk:"time_zone"`
	HWClockUTC    types.Bool   `tfsdk:"hw_clock_utc"`
	Script        types.String `tfsdk:"script_wo"`
	ScriptVersion types.Int64  `tfsdk:"script_wo_version"`
}

type cloneWindows struct {
	ComputerName               types.String `tfsdk:"computer_name"`
	FullName                   types.String `tfsdk:"full_name"`
	Organization               types.String `tfsdk:"organization"`
	ProductKey                 types.String `tfsdk:"product_key_wo"`
	ProductKeyVersion          types.Int64  `tfsdk:"product_key_wo_version"`
	AdminPassword              types.String `tfsdk:"admin_password_wo"`
	AdminPasswordVersion       types.Int64  `tfsdk:"admin_password_wo_version"`
	DomainAdminPassword        types.String `tfsdk:"domain_admin_password_wo"`
	DomainAdminPasswordVersion types.Int64  `tfsdk:"domain_admin_password_wo_version"`
	TimeZone                   types.Int64  `tfsdk:"time_zone"`
	AutoLogonCount             types.Int64  `tfsdk:"auto_logon_count"`
	RunOnce                    types.List   `tfsdk:"run_once"`
	Workgroup                  types.String `tfsdk:"workgroup"`
	JoinDomain                 types.String `tfsdk:"join_domain"`
	DomainOU                   types.String `tfsdk:"domain_ou"`
	DomainAdmin                types.String `tfsdk:"domain_admin"`
}

type cloneInterface struct {
	IPv4      types.String `tfsdk:"ipv4"`
	IPv6      types.List   `tfsdk:"ipv6"`
	Gateways  types.List   `tfsdk:"gateways"`
	DNS       types.List   `tfsdk:"dns"`
	DNSDomain types.String `tfsdk:"dns_domain"`
}

type cloneCloudInit struct {
	Metadata types.String `tfsdk:"metadata"`
	UserData types.String `tfsdk:"userdata_wo"`
	Version  types.Int64  `tfsdk:"version"`
}

type cloneWaitFor struct {
	IP            types.Bool `tfsdk:"ip"`
	Customization types.Bool `tfsdk:"customization"`
	IgnoreCIDRs   types.Set  `tfsdk:"ignore_cidrs"`
}

var (
	cloneDiskFields = map[string]attr.Type{
		"size": types.Int64Type, "provisioning": types.StringType, "datastore": types.StringType, "mode": types.StringType, "on_remove": types.StringType,
	}
	cloneNetworkFields    = map[string]attr.Type{"network": types.StringType, "type": types.StringType, "mac": types.StringType}
	cloneCDROMFields      = map[string]attr.Type{"iso": types.StringType, "client": types.BoolType}
	cloneAllocationFields = map[string]attr.Type{
		"reservation": types.Int64Type, "limit": types.Int64Type, "shares": types.StringType, "share_count": types.Int64Type,
	}
)

// object decodes a nested value; nil when it is null or not known yet.
func object[T any](ctx context.Context, v types.Object, diags *diag.Diagnostics) *T {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	var into T
	diags.Append(v.As(ctx, &into, basetypes.ObjectAsOptions{UnhandledNullAsEmpty: true, UnhandledUnknownAsEmpty: true})...)
	return &into
}

// objects decodes a map of nested values, without those that are not known yet.
func objects[T any](ctx context.Context, v types.Map, diags *diag.Diagnostics) map[string]T {
	all := map[string]T{}
	for key, element := range v.Elements() {
		if o, ok := element.(types.Object); ok {
			if one := object[T](ctx, o, diags); one != nil {
				all[key] = *one
			}
		}
	}
	return all
}

// texts are the known strings of a map.
func texts(v types.Map) map[string]string {
	all := map[string]string{}
	for key, element := range v.Elements() {
		if s, ok := element.(types.String); ok && !s.IsNull() && !s.IsUnknown() {
			all[key] = s.ValueString()
		}
	}
	return all
}

// list is the known strings of a list or a set.
func listOf(v interface{ Elements() []attr.Value }) []string {
	var all []string
	for _, element := range v.Elements() {
		if s, ok := element.(types.String); ok && !s.IsNull() && !s.IsUnknown() {
			all = append(all, s.ValueString())
		}
	}
	return all
}
