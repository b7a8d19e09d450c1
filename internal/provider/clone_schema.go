package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	unmanaged   = " Left out: taken from the source, shown here and not managed."
	byReference = " An inventory path, managed object id or unique name; another spelling of the same object is no change."
	createOnly  = " Only read when the VM is made; unknown after an import, and then setting it changes nothing."
)

var (
	cloneDiskSlot = regexp.MustCompile(`^(scsi|sata|nvme|ide)[0-9]+:[0-9]+$`)
	cloneNICSlot  = regexp.MustCompile(`^[0-9]$`)
	macAddress    = regexp.MustCompile(`^([0-9a-f]{2}:){5}[0-9a-f]{2}$`)
)

// Schema is the contract with the user; docs/resources/clone.md is generated from it.
func (r *cloneResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := cloneComputedAttributes()
	for _, group := range []map[string]schema.Attribute{
		cloneSourceAttributes(), clonePlacementAttributes(), cloneHardwareAttributes(), cloneGuestAttributes(), cloneLifecycleAttributes(), labelAttributes("the VM"),
	} {
		for name, a := range group {
			attributes[name] = a
		}
	}
	attributes["timeouts"] = cloneTimeouts(ctx)
	resp.Schema = schema.Schema{
		MarkdownDescription: "A VM cloned from a VM or a template, and managed from then on. One vCenter task makes it: placement, hardware, " +
			"customization and power-on included.\n\n" +
			"Only what the configuration names is managed. What is left out is shown and never changed; disks and adapters are told by their " +
			"slot, and those that are not listed are left alone. Nothing but `source`, `linked` and `snapshot` (and, on request, " +
			"`customize`) replaces the VM: every other change is made in place, or refused in the plan with the reason.",
		Attributes: attributes,
	}
}

func cloneSourceAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "Name of the VM in the inventory." + inPlace,
			Validators:          []validator.String{stringvalidator.LengthBetween(1, 80)},
		},
		"source": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The VM or template to clone: its inventory path (`/DC1/vm/templates/ubuntu`), managed object id (`vm-42`), instance UUID " +
				"or unique name. Needed to create. Another text **replaces** the VM; a template that was rebuilt behind the same path does not." + createOnly,
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"linked": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "`true` makes a linked clone: its disks hold only what differs from a snapshot of the source, which has to stay. Default: " +
				"`false`. Another value **replaces** the VM." + createOnly,
		},
		"snapshot": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Snapshot of the source to clone from, by name or by path (`base/patched`). Default: for a linked clone the source's " +
				"current snapshot, otherwise the source as it is now. Another value **replaces** the VM." + createOnly,
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
	}
}

func clonePlacementAttributes() map[string]schema.Attribute {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	return map[string]schema.Attribute{
		"folder": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: keep, Validators: filled,
			MarkdownDescription: "VM folder." + byReference + " Moved in place. Left out: the source's folder; not managed.",
		},
		"resource_pool": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: keep, Validators: filled,
			MarkdownDescription: "Resource pool, or a cluster or host, which means its root pool." + byReference + " Moved in place. Left out: the source's pool, " +
				"which a template does not have; not managed.",
		},
		"host": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: keep, Validators: filled,
			MarkdownDescription: "Host to run on." + byReference + " Moved in place. Left out: vCenter chooses, and may choose anew at any time.",
		},
		"datastore": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: keep,
			MarkdownDescription: "Datastore of the VM's files." + byReference + " Moved in place, with all disks that name no datastore of their own. Left out: the source's; " +
				"not managed. Give at most one of `datastore` and `datastore_cluster`.",
			Validators: append([]validator.String{stringvalidator.ConflictsWith(path.MatchRoot("datastore_cluster"))}, filled...),
		},
		"datastore_cluster": schema.StringAttribute{
			Optional: true, Validators: filled,
			MarkdownDescription: "Datastore cluster; vCenter recommends the datastore, and may move the VM inside the cluster without a difference in the plan." +
				byReference + inPlace,
		},
	}
}

func cloneHardwareAttributes() map[string]schema.Attribute {
	number := func(description string, checks ...validator.Int64) schema.Attribute {
		return schema.Int64Attribute{
			Optional: true, Computed: true, MarkdownDescription: description, Validators: checks,
			PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
		}
	}
	const restart = " Changed in place; while the VM runs only upwards and with hot-add, anything else needs `allow_restart`."
	return map[string]schema.Attribute{
		"cpus":              number("Number of virtual CPUs."+unmanaged+restart, int64validator.Between(1, 768)),
		"cores_per_socket":  number("Virtual CPUs in one socket; `cpus` has to be a multiple."+unmanaged+" Changed in place, which needs `allow_restart` while the VM runs.", int64validator.Between(1, 768)),
		"memory":            number("Memory in MB, a multiple of 4."+unmanaged+restart, int64validator.Between(4, 25165824), multipleOf4{}),
		"cpu_allocation":    cloneAllocationAttribute("CPU", "MHz"),
		"memory_allocation": cloneAllocationAttribute("Memory", "MB"),
		"disks": schema.MapNestedAttribute{
			Optional: true,
			MarkdownDescription: "Disks to manage, by slot: `scsi0:1`, `sata0:0`, `nvme0:1` or `ide1:0` (controller, bus, unit). A slot the source fills is changed, another " +
				"one gets a new disk. Disks that are not listed are left alone." + inPlace,
			Validators:   []validator.Map{mapvalidator.KeysAre(stringvalidator.RegexMatches(cloneDiskSlot, "must be a slot such as scsi0:1"))},
			NestedObject: schema.NestedAttributeObject{Attributes: cloneDiskAttributes()},
		},
		"networks": schema.MapNestedAttribute{
			Optional: true,
			MarkdownDescription: "Network adapters to manage, by number in the order of the VM: `0` is the first. An adapter the source has is changed, another one is " +
				"added. Adapters that are not listed are left alone; one that is taken off the list is removed." + inPlace,
			Validators:   []validator.Map{mapvalidator.KeysAre(stringvalidator.RegexMatches(cloneNICSlot, "must be the number of an adapter, 0 to 9"))},
			NestedObject: schema.NestedAttributeObject{Attributes: cloneNetworkAttributes()},
		},
		"cdrom": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "The first CD-ROM drive. Left out: not managed." + inPlace,
			Attributes: map[string]schema.Attribute{
				"iso": schema.StringAttribute{
					Optional:            true,
					MarkdownDescription: "Image file on a datastore: `[ds1] iso/debian.iso`. Give exactly one of `iso` and `client`." + inPlace,
					Validators:          []validator.String{stringvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("client"))},
				},
				"client": schema.BoolAttribute{
					Optional:            true,
					MarkdownDescription: "`true` connects the drive to the remote console's own, so that it holds no file." + inPlace,
				},
			},
		},
		"extra_config": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Advanced settings of the VM (VMX keys), as strings. Only listed keys are managed; one that is taken off the list is set to empty, which removes " +
				"it. Written while the VM runs too; some take effect only at its next start." + inPlace,
		},
		"vapp_properties": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "vApp (OVF) properties by id, for guests that read them. Only listed ones are managed; the source has to define them." + inPlace,
		},
	}
}

func cloneDiskAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"size": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.Between(1, 63488)},
			MarkdownDescription: "Size in GB (GiB). Grows in place; a smaller size is refused in the plan. Needed for a new disk; left out: the source's, not managed.",
		},
		"provisioning": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("thin", "lazy", "eager")},
			MarkdownDescription: "How space is taken: `thin`, `lazy` (zeroed when first written) or `eager` (zeroed at once). Only for a disk that is made: later changes are " +
				"refused in the plan. Left out: the source's, or the datastore's default.",
		},
		"datastore": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			MarkdownDescription: "Datastore of this disk, where it differs from the VM's." + byReference + inPlace,
		},
		"mode": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("persistent", "independent_persistent", "independent_nonpersistent")},
			MarkdownDescription: "`persistent` (snapshots hold it), `independent_persistent` or `independent_nonpersistent` (changes are lost at power-off). Left out: not managed. " +
				"Changed in place, which needs `allow_restart` while the VM runs.",
		},
		"on_remove": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("keep", "delete")},
			MarkdownDescription: "What happens when the disk is taken off the list: `keep` (default: it is detached and its file stays) or `delete` (the file goes too)." + inPlace,
		},
	}
}

func cloneNetworkAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"network": schema.StringAttribute{
			Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			MarkdownDescription: "Network or distributed port group." + byReference + inPlace,
		},
		"type": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("vmxnet3", "e1000", "e1000e")},
			MarkdownDescription: "Adapter type: `vmxnet3` (default for a new one), `e1000e` or `e1000`. Left out: not managed. Another type makes a new adapter with a new address, " +
				"in place.",
		},
		"mac": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.RegexMatches(macAddress, "must be six pairs of lower-case hexadecimal digits with colons, such as 00:50:56:00:00:01")},
			MarkdownDescription: "MAC address, lower case with colons. Left out: vCenter's choice, not managed. Changed in place, which needs `allow_restart` while the VM runs.",
		},
	}
}

func cloneAllocationAttribute(what, unit string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: what + " that the host keeps and grants, in " + unit + ". Each value left out is not managed. Changed in place, while the VM runs too.",
		Attributes: map[string]schema.Attribute{
			"reservation": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0)},
				MarkdownDescription: "Guaranteed share in " + unit + "." + inPlace,
			},
			"limit": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.AtLeast(-1)},
				MarkdownDescription: "Upper bound in " + unit + "; `-1` is none. At least `reservation`." + inPlace,
			},
			"shares": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.OneOf("low", "normal", "high", "custom")},
				MarkdownDescription: "Weight when the host is short: `low`, `normal`, `high`, or `custom` with `share_count`." + inPlace,
			},
			"share_count": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.Between(1, 1000000)},
				MarkdownDescription: "Number of shares; only with `shares = \"custom\"`, and needed there." + inPlace,
			},
		},
	}
}

func cloneLifecycleAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"power": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			Validators: []validator.String{stringvalidator.OneOf(powerOn, powerOff, powerUnmanaged)},
			MarkdownDescription: "`on`, `off` or `unmanaged` (never touched; a new VM stays off). Left out: a new VM is powered on, and from then on it is only shown. " +
				"Changed in place: `off` shuts the guest down through VMware Tools and, with `allow_restart`, powers it off when it has none or does not heed.",
		},
		"allow_restart": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Whether a change that a running VM does not take may shut it down and start it again. Default: `false`: such a change is refused in the plan, on the " +
				"attribute that needs it." + inPlace,
		},
		"annotation": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			MarkdownDescription: "Notes on the VM." + unmanaged + inPlace,
		},
		"on_destroy": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(onDestroyDelete),
			Validators: []validator.String{stringvalidator.OneOf(onDestroyDelete, onDestroyPowerOff, onDestroyUnregister)},
			MarkdownDescription: "What `terraform destroy` does: `delete` (default: powers the VM off and deletes it with its disks), `power_off` (the VM stays, off, and is forgotten) or " +
				"`unregister` (off and out of the inventory; its files stay)." + inPlace,
		},
	}
}

func cloneComputedAttributes() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{
			Computed: true, MarkdownDescription: description,
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		}
	}
	return map[string]schema.Attribute{
		"id":            text("Instance UUID of the VM, unique in its vCenter."),
		"moid":          text("Managed object id, such as `vm-42`."),
		"instance_uuid": text("Instance UUID of the VM; the same as `id`."),
		"bios_uuid":     text("BIOS UUID, which the guest sees; not unique in a vCenter."),
		"path":          text("Inventory path."),
		"source_id":     text("Instance UUID of the source that was cloned; null after an import."),
		"guest_id":      text("Guest operating system as vSphere calls it, such as `debian12_64Guest`."),
		"ip_address":    text("First address of the guest that VMware Tools reported, IPv4 before IPv6; null while there is none. Never waited for without `wait_for`."),
		"userdata_digest": text("Fingerprint of the `cloud_init.userdata_wo` that was handed over last, keyed with the VM's instance UUID. The text cannot be read from it, though whoever " +
			"holds the state could test guesses. Null when the VM holds other user data by now: the next apply hands it over again."),
		"ip_addresses": schema.ListAttribute{
			Computed: true, ElementType: types.StringType, PlanModifiers: []planmodifier.List{listplanmodifier.UseStateForUnknown()},
			MarkdownDescription: "All addresses that VMware Tools reported, but loopback and link-local ones and those of `wait_for.ignore_cidrs`.",
		},
		"ready": schema.BoolAttribute{
			Computed: true, PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
			MarkdownDescription: "Whether everything that `wait_for` names has come. While it is `false`, the next apply waits again, in place.",
		},
		"status": text("`succeeded`, `interrupted` (the clone was stopped on its way) or `incomplete` (the VM is there, a later step failed). The next apply goes on, in place."),
	}
}

func cloneTimeouts(ctx context.Context) schema.Attribute {
	a := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long the clone and what `wait_for` names may take together, such as `45m`; default `1h`.",
		ReadDescription:   "How long a refresh may ask vCenter; default `2m`.",
		UpdateDescription: "How long a change and what `wait_for` names may take together; default `30m`.",
		DeleteDescription: "How long power-off and deletion may take together; default `10m`.",
	})
	if nested, ok := a.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long each verb may take, as durations such as `90m`. Changed in place."
		return nested
	}
	return a
}

// IdentitySchema tells a VM from all others.
func (r *cloneResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"vcenter":       identityschema.StringAttribute{OptionalForImport: true, Description: "Instance UUID of the vCenter; left out: the provider's."},
		"instance_uuid": identityschema.StringAttribute{RequiredForImport: true, Description: "Instance UUID of the VM."},
	}}
}
