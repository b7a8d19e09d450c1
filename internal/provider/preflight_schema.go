package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// noPart marks arguments that are there so that one value serves the data source and the resource.
const noPart = " It has no part in the checks."

// Schema is the contract with the user.
func (d *preflightDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a `hypersdk_migration` with the same arguments would meet: the pre-flight findings of one VM and one target. Nothing is made, " +
			"copied or changed.\n\nFindings are a result and no error, so that `for_each` over `hypersdk_vms` plans a fleet: migrate what is `ok`, list the rest. " +
			"`fail_on` turns them into errors.",
		Attributes: map[string]schema.Attribute{
			"source": schema.StringAttribute{
				Required: true, Validators: filled,
				MarkdownDescription: "The VM: its managed object id (`vm-42`, the fewest calls), inventory path, instance UUID or unique name.",
			},
			"target": schema.SingleNestedAttribute{
				Required: true, Attributes: preflightTarget(),
				MarkdownDescription: "Where the VM would go: the same object as the `target` of `hypersdk_migration`.",
			},
			"convert": schema.SingleNestedAttribute{
				Optional: true, Attributes: preflightConvert(),
				MarkdownDescription: "How the guest would be fixed: the same object as the `convert` of `hypersdk_migration`.",
			},
			"source_after": schema.StringAttribute{
				Optional: true, Validators: []validator.String{words{allowed: []string{"powered_off", "nics_disconnected"}}},
				MarkdownDescription: "What would become of the source: `powered_off` or `nics_disconnected`. Left out: nothing, and a VM that runs is a critical finding.",
			},
			"fail_on": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.OneOf(failOnNothing, "warning", "critical")},
				MarkdownDescription: "Findings that are errors: `critical`, `warning` (and worse), or `none` (default: findings are only shown).",
			},
			"ignore": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Ids of findings that neither fail nor count for `ok`. They still show.",
				Validators:          []validator.List{listvalidator.ValueStringsAre(filled...)},
			},
			"timeouts": readTimeoutAttribute(ctx),

			"id": textField("Id of the migration that this would become: target URI and domain UUID."),
			"ok": flagField("Whether a migration would begin: no finding is critical (with `fail_on = \"warning\"`: or a warning), but for those in `ignore`."),
			"counts": schema.SingleNestedAttribute{
				Computed: true, MarkdownDescription: "How many findings there are of each severity, ignored ones included.",
				Attributes: map[string]schema.Attribute{
					"critical": numberField("They stop a migration."),
					"warning":  numberField("They deserve a look."),
					"info":     numberField("They are good to know."),
				},
			},
			"findings": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "All findings, worst first.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":       textField("Dotted id, such as `source.snapshot.present`."),
					"severity": textField("`critical`, `warning` or `info`."),
					"text":     textField("What is so."),
					"action":   textField("What to do about it."),
				}},
			},
			"name":        textField("Name that the domain would have."),
			"source_uuid": textField("Instance UUID of the VM."),
			"domain_uuid": textField("UUID that the domain would have."),
			"need_bytes":  numberField("Upper bound of what the migration writes on the target, in bytes."),
			"free_bytes":  numberField("Room where the disks would go, in bytes; null when it is not known. It changes from read to read."),
		},
	}
}

func preflightTarget() map[string]schema.Attribute {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	return map[string]schema.Attribute{
		"uri": schema.StringAttribute{
			Optional: true, Validators: filled,
			MarkdownDescription: "libvirt connection URI, such as `qemu:///system`. It has to be local. Default: the provider's `libvirt.uri`.",
		},
		"name": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{stringvalidator.RegexMatches(fileName, "must not be empty and must not hold a slash or a control character")},
			MarkdownDescription: "Name of the domain and base name of its disk files. Default: the VM's name.",
		},
		"pool": schema.StringAttribute{
			Optional: true, Validators: filled,
			MarkdownDescription: "Storage pool (a directory) that the disks would go to. Default: `default`.",
		},
		"autostart": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: "Whether libvirt would start the domain with the host." + noPart,
		},
		"power": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("on", "off")},
			MarkdownDescription: "State of the domain at the end: `on` or `off`." + noPart,
		},
		"hardware": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Device families to try, in order: `virtio`, `sata`, `vmware`. Default: `[\"virtio\"]`.",
			Validators: []validator.List{
				listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(),
				listvalidator.ValueStringsAre(stringvalidator.OneOf("virtio", "sata", "vmware")),
			},
		},
		"networks": schema.MapNestedAttribute{
			Optional: true,
			MarkdownDescription: "Where each adapter would be plugged in, by the name of its network in vSphere; `*` stands for all others. An adapter whose network is " +
				"not listed is a critical finding.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"bridge": schema.StringAttribute{
					Optional:            true,
					MarkdownDescription: "A bridge of the host, such as `br0`. Give exactly one of `bridge` and `network`.",
					Validators: []validator.String{
						stringvalidator.LengthAtLeast(1), stringvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("network")),
					},
				},
				"network": schema.StringAttribute{Optional: true, Validators: filled, MarkdownDescription: "A libvirt network, such as `default`."},
			}},
		},
		"disks": schema.MapNestedAttribute{
			Optional:            true,
			MarkdownDescription: "What would happen to a disk, by its address on the source (`scsi0:1`); `*` stands for all others.",
			Validators:          []validator.Map{mapvalidator.KeysAre(stringvalidator.RegexMatches(diskAddress, "must be an address such as scsi0:1, or *"))},
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"format": schema.StringAttribute{
					Optional: true, Validators: []validator.String{stringvalidator.OneOf("qcow2", "raw")},
					MarkdownDescription: "`qcow2` (default) or `raw`.",
				},
				"skip": schema.BoolAttribute{Optional: true, MarkdownDescription: "`true` leaves the disk behind. Default: `false`."},
			}},
		},
	}
}

func preflightConvert() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"fstab": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("stabilize-all", "bypath-only", "noop")},
			MarkdownDescription: "What would become of device names in the guest's fstab: `stabilize-all`, `bypath-only` or `noop`." + noPart,
		},
		"compress_level": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.Between(1, 9)},
			MarkdownDescription: "1 to 9: the disks would be recompressed at this level." + noPart,
		},
		"engine": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf("builtin", "virt-v2v", engineNone)},
			MarkdownDescription: "Who would fix the guest: `builtin` (default), `virt-v2v`, or `none`.",
		},
	}
}
