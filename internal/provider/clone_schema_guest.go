package provider

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	recustomized = " A change follows `recustomize`."
	writeOnly    = " Never stored in plan or state; raise the version beside it to say that it changed."
	secretCount  = "Any number; another one says that the secret beside it changed." + recustomized
)

func cloneGuestAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"customize": schema.SingleNestedAttribute{
			Optional: true, Attributes: cloneCustomizeAttributes(),
			MarkdownDescription: "What vCenter does to the guest when it first starts: give exactly one of `spec`, `linux` and `windows`. The guest needs VMware Tools." + recustomized,
		},
		"recustomize": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(recustomizeWarn),
			Validators: []validator.String{stringvalidator.OneOf(recustomizeWarn, recustomizeReplace)},
			MarkdownDescription: "What a change of `customize` means, since a guest is customized once: `warn` (default: the plan says that it has no effect on this VM) or `replace` " +
				"(**replaces** the VM)." + inPlace,
		},
		"cloud_init": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "Data for cloud-init's VMware data source, handed over as `guestinfo` settings. Changed in place; the guest reads it at its next start, and acts on it " +
				"when the metadata's `instance-id` is another. What somebody else puts there is seen and handed over anew, but for what the guest itself redacts (`cleanup-guestinfo`).",
			Attributes: map[string]schema.Attribute{
				"metadata": schema.StringAttribute{
					Optional:            true,
					MarkdownDescription: "Metadata, YAML or JSON: `instance-id`, `local-hostname`, `network`." + inPlace,
				},
				"userdata_wo": schema.StringAttribute{
					Optional: true, WriteOnly: true, Sensitive: true,
					MarkdownDescription: "User data, such as a `#cloud-config` document. Never stored in plan or state; raise `version` to say that it changed.",
				},
				"version": schema.Int64Attribute{
					Optional:            true,
					MarkdownDescription: "Any number; another one hands the user data over again." + inPlace,
				},
			},
		},
		"wait_for": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "What create and update wait for, within `timeouts`, while `power` is not off. When it does not come in time, the VM stays and is not tainted: a warning " +
				"says what was seen last, `ready` is `false`, and the next apply waits again. A refresh never waits." + inPlace,
			Attributes: map[string]schema.Attribute{
				"ip": schema.BoolAttribute{
					Optional:            true,
					MarkdownDescription: "`true` waits until VMware Tools report an address that is neither loopback nor link-local." + inPlace,
				},
				"customization": schema.BoolAttribute{
					Optional:            true,
					MarkdownDescription: "`true` waits until vCenter says that the customization succeeded. Needs `customize`." + inPlace,
				},
				"ignore_cidrs": schema.SetAttribute{
					Optional: true, ElementType: types.StringType,
					MarkdownDescription: "Networks whose addresses do not count, such as `172.17.0.0/16`; `ip_address` and `ip_addresses` leave them out too." + inPlace,
					Validators:          []validator.Set{setvalidator.ValueStringsAre(cidr{})},
				},
			},
		},
	}
}

func cloneCustomizeAttributes() map[string]schema.Attribute {
	name := func(n string) path.Expression { return path.MatchRelative().AtParent().AtName(n) }
	return map[string]schema.Attribute{
		"spec": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Name of a customization specification saved in vCenter. `interfaces`, `gateway` and `dns` override what it says." + recustomized,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1), stringvalidator.ExactlyOneOf(name("linux"), name("windows"))},
		},
		"linux": schema.SingleNestedAttribute{
			Optional: true, Attributes: cloneLinuxAttributes(),
			MarkdownDescription: "A Linux guest." + recustomized,
		},
		"windows": schema.SingleNestedAttribute{
			Optional: true, Attributes: cloneWindowsAttributes(),
			MarkdownDescription: "A Windows guest, through Sysprep." + recustomized,
		},
		"interfaces": schema.MapNestedAttribute{
			Optional:            true,
			MarkdownDescription: "Addresses by the number of the adapter; `0` is the first. Adapters that are not listed use DHCP." + recustomized,
			Validators:          []validator.Map{mapvalidator.KeysAre(stringvalidator.RegexMatches(cloneNICSlot, "must be the number of an adapter, 0 to 9"))},
			NestedObject:        schema.NestedAttributeObject{Attributes: cloneInterfaceAttributes()},
		},
		"gateway": schema.StringAttribute{
			Optional: true, Validators: []validator.String{ipAddress{}},
			MarkdownDescription: "IPv4 gateway of the adapters that hold a static address and name none." + recustomized,
		},
		"gateway_ipv6": schema.StringAttribute{
			Optional: true, Validators: []validator.String{ipAddress{}},
			MarkdownDescription: "IPv6 gateway of the same." + recustomized,
		},
		"dns": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.ValueStringsAre(ipAddress{})},
			MarkdownDescription: "Name servers, in order." + recustomized,
		},
		"dns_search": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Domains that names are searched in, in order." + recustomized,
		},
	}
}

func cloneLinuxAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"hostname": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.LengthBetween(1, 63)},
			MarkdownDescription: "Host name without its domain. Default: the VM's name." + recustomized,
		},
		"domain": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "DNS domain of the host. Default: `localdomain`." + recustomized,
		},
		"time_zone": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Time zone, such as `Europe/Berlin`. Left out: the source's." + recustomized,
		},
		"hw_clock_utc": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: "Whether the hardware clock runs in UTC. Left out: vCenter's default." + recustomized,
		},
		"script_wo": schema.StringAttribute{
			Optional: true, WriteOnly: true, Sensitive: true,
			MarkdownDescription: "Script that runs in the guest before and after the customization; VMware Tools have to allow it." + writeOnly,
		},
		"script_wo_version": schema.Int64Attribute{Optional: true, MarkdownDescription: secretCount},
	}
}

func cloneWindowsAttributes() map[string]schema.Attribute {
	text := func(description string, checks ...validator.String) schema.Attribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description + recustomized, Validators: checks}
	}
	secret := func(description string) schema.Attribute {
		return schema.StringAttribute{Optional: true, WriteOnly: true, Sensitive: true, MarkdownDescription: description + writeOnly}
	}
	version := schema.Int64Attribute{Optional: true, MarkdownDescription: secretCount}
	return map[string]schema.Attribute{
		"computer_name":                    text("Computer name, at most 15 characters. Default: the VM's name.", stringvalidator.LengthBetween(1, 15)),
		"full_name":                        text("Name of the registered owner."),
		"organization":                     text("Organization of the registered owner."),
		"product_key_wo":                   secret("Product key."),
		"product_key_wo_version":           version,
		"admin_password_wo":                secret("Password of the local administrator."),
		"admin_password_wo_version":        version,
		"domain_admin_password_wo":         secret("Password of `domain_admin`."),
		"domain_admin_password_wo_version": version,
		"time_zone": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.Between(0, 999)},
			MarkdownDescription: "Microsoft's index of the time zone; `85` (default) is GMT, `110` Central European Time." + recustomized,
		},
		"auto_logon_count": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0)},
			MarkdownDescription: "How often the administrator is logged on by itself." + recustomized,
		},
		"run_once": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Commands for the first logon, in order." + recustomized,
		},
		"workgroup":    text("Workgroup to join; give this or `join_domain`.", stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("join_domain"))),
		"join_domain":  text("Domain to join; needs `domain_admin`.", stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("domain_admin"))),
		"domain_ou":    text("Organizational unit of the computer in the domain."),
		"domain_admin": text("User that may join computers to the domain."),
	}
}

func cloneInterfaceAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"ipv4": schema.StringAttribute{
			Optional: true, Validators: []validator.String{cidr{}},
			MarkdownDescription: "Static address with the length of its network, such as `10.0.0.11/24`. Left out: DHCP." + recustomized,
		},
		"ipv6": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.ValueStringsAre(cidr{})},
			MarkdownDescription: "Static IPv6 addresses with the length of their network, such as `2001:db8::11/64`." + recustomized,
		},
		"gateways": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.ValueStringsAre(ipAddress{})},
			MarkdownDescription: "Gateways of this adapter. Default: `gateway` and `gateway_ipv6` of `customize`." + recustomized,
		},
		"dns": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.ValueStringsAre(ipAddress{})},
			MarkdownDescription: "Name servers of this adapter; Windows only." + recustomized,
		},
		"dns_domain": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "DNS domain of this adapter; Windows only." + recustomized,
		},
	}
}

// cidr allows an address with the length of its network.
type cidr struct{}

// Description says what is allowed.
func (cidr) Description(context.Context) string {
	return "value must be an address with the length of its network, such as 10.0.0.11/24"
}

// MarkdownDescription says what is allowed.
func (c cidr) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

// ValidateString refuses what is no prefix.
func (c cidr) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := netip.ParsePrefix(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a network address", fmt.Sprintf("%s; got %q.", sentence(c.Description(ctx)), req.ConfigValue.ValueString()))
	}
}

// ipAddress allows an IPv4 or IPv6 address.
type ipAddress struct{}

// Description says what is allowed.
func (ipAddress) Description(context.Context) string { return "value must be an IP address" }

// MarkdownDescription says what is allowed.
func (a ipAddress) MarkdownDescription(ctx context.Context) string { return a.Description(ctx) }

// ValidateString refuses what is no address.
func (a ipAddress) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := netip.ParseAddr(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not an address", fmt.Sprintf("%s; got %q.", sentence(a.Description(ctx)), req.ConfigValue.ValueString()))
	}
}

// multipleOf4 is what vSphere asks of an amount of memory.
type multipleOf4 struct{}

// Description says what is allowed.
func (multipleOf4) Description(context.Context) string { return "value must be a multiple of 4" }

// MarkdownDescription says what is allowed.
func (m multipleOf4) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// ValidateInt64 refuses other amounts.
func (m multipleOf4) ValidateInt64(ctx context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if v := req.ConfigValue; !v.IsNull() && !v.IsUnknown() && v.ValueInt64()%4 != 0 {
		resp.Diagnostics.AddAttributeError(req.Path, "Not an amount of memory", fmt.Sprintf("%s; got %d.", sentence(m.Description(ctx)), v.ValueInt64()))
	}
}
