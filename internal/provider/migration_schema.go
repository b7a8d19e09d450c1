package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	afterCutover = " After cutover a change has no effect and the plan says so."
	inPlace      = " Changed in place."
)

var (
	diskAddress = regexp.MustCompile(`^(\*|(scsi|sata|ide|nvme)[0-9]+:[0-9]+)$`)
	bootCheck   = regexp.MustCompile(`^(none|power|console|agent|address|tcp:[0-9]{1,5})$`)
	fileName    = regexp.MustCompile(`^[^/\x00-\x1f]+$`)
)

// Schema is the contract with the user; docs/resources/migration.md is generated from it.
func (r *migrationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := computedAttributes()
	attributes["source"] = schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "The VM to move: its inventory path (`/DC1/vm/web-01`), managed object id (`vm-42`), instance UUID or unique " +
			"name. Needed to create; may be left out for an imported migration. Another spelling of the same VM changes nothing; another VM " +
			"**replaces**: the target is destroyed by `on_destroy` and a new copy is made. The source is never changed beyond `source_after`, " +
			"and never deleted.",
		Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
	}
	attributes["target"] = schema.SingleNestedAttribute{
		Required:            true,
		MarkdownDescription: "Where the VM goes, and what it is there.",
		Attributes:          targetAttributes(),
	}
	attributes["until"] = schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString("cutover"),
		MarkdownDescription: "How far to go: `validated` (disks are copied, fixed and checked, no domain yet) or `cutover` (default: the domain is " +
			"defined, boot-checked and started). Forward only: `validated` and, in a later apply, `cutover` makes a reviewed two-step " +
			"migration. `replicated` comes with warm migrations in a later release." + inPlace,
		Validators: []validator.String{words{
			allowed: []string{"validated", "cutover"},
			later:   map[string]string{"replicated": "it belongs to warm migrations, which come in a later release; use validated or cutover"},
		}},
	}
	attributes["mode"] = schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString("cold"),
		MarkdownDescription: "`cold` (default): the VM is off while its disks are copied. `warm` comes in a later release." + afterCutover,
		Validators: []validator.String{words{
			allowed: []string{"cold"},
			later:   map[string]string{"warm": "warm migrations come in a later release; use cold, or leave mode out"},
		}},
	}
	attributes["source_after"] = schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "What becomes of the source: `powered_off` (shut down through VMware Tools before the copy and left off), or " +
			"`nics_disconnected` (the same, and its adapters start disconnected, so that a power-on by mistake meets no network). `running` comes with " +
			"warm migrations. Left out: nothing is touched, and a VM that runs is a critical finding." + afterCutover,
		Validators: []validator.String{words{
			allowed: []string{"powered_off", "nics_disconnected"},
			later:   map[string]string{"running": "a source that goes on running belongs to warm migrations, which come in a later release; use powered_off or nics_disconnected"},
		}},
	}
	attributes["executor"] = schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString("local"),
		MarkdownDescription: "Who does the work: `local` (default) is this provider's process, on the host that runs Terraform. `daemon` comes in a later release." + inPlace,
		Validators: []validator.String{words{
			allowed: []string{"local"},
			later:   map[string]string{"daemon": "the daemon comes in a later release; use local, or leave executor out"},
		}},
	}
	attributes["on_destroy"] = schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString("undefine"),
		MarkdownDescription: "What `terraform destroy` takes away from the target: `keep` (nothing: the migration is only forgotten), `undefine` (default: the " +
			"domain is shut down and undefined, the disks stay and are listed), or `delete` (also the disks, and only those that are still " +
			"the files this migration made). No value touches the source. A migration that is not finished always keeps what it copied, so " +
			"that the same migration can go on from there." + inPlace,
		Validators: []validator.String{stringvalidator.OneOf("keep", "undefine", "delete")},
	}
	attributes["convert"] = convertAttribute()
	attributes["verify"] = verifyAttribute()
	attributes["preflight"] = preflightAttribute()
	attributes["timeouts"] = timeoutsAttribute(ctx)

	resp.Schema = schema.Schema{
		MarkdownDescription: "Moves one VM from vSphere to libvirt/KVM: reads its disks over an export lease, converts them on the way, fixes the guest " +
			"so that it boots on virtio hardware, defines the domain and, when asked, proves that it boots before anything is final.\n\n" +
			"The source VM is never altered or deleted beyond what `source_after` asks. Pre-flight findings show in the plan; critical ones " +
			"stop it. An interrupted apply (Ctrl-C, a lost runner, a killed process) goes on where it stopped when it is applied again.",
		Attributes: attributes,
	}
}

func timeoutsAttribute(ctx context.Context) schema.Attribute {
	a := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long a migration may take, such as `6h`; default `24h`. When it is over, what was copied stays and the next apply goes on from there.",
		ReadDescription:   "How long a refresh may ask the target; default `1m`.",
		UpdateDescription: "As `create`, for a migration that goes on; default `24h`.",
		DeleteDescription: "How long the graceful shutdown and the removal may take together; default `10m`.",
	})
	if nested, ok := a.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long each verb may take, as durations such as `90m`. Changed in place."
		return nested
	}
	return a
}

func targetAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"uri": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "libvirt connection URI, such as `qemu:///system`. It has to be local: disks are written where libvirtd runs. Default: the " +
				"provider's `libvirt.uri`. Another value **replaces**: a new copy is made there.",
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			Validators:    []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"name": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Name of the domain and base name of its disk files. Default: the VM's name. After cutover another value renames the domain " +
				"in place, which libvirt allows only while it is shut off; the files keep their names. Before that it **replaces**.",
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			Validators:    []validator.String{stringvalidator.RegexMatches(fileName, "must not be empty and must not hold a slash or a control character")},
		},
		"pool": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString("default"),
			MarkdownDescription: "Storage pool (a directory) that the disks go to. Default: `default`. Another value **replaces**: a new copy is made there.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"autostart": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Whether libvirt starts the domain with the host. Default: `false`." + inPlace,
			PlanModifiers:       []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
		},
		"power": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "State of the domain at the end of the migration: `on` (default) or `off`. Not managed afterwards." + afterCutover,
			Validators:          []validator.String{stringvalidator.OneOf("on", "off")},
		},
		"hardware": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Device families to try, in order, until the boot check is met: `virtio`, `sata` (AHCI and e1000e), `vmware` (pvscsi and vmxnet3, " +
				"which QEMU emulates). Default: `[\"virtio\"]`." + afterCutover,
			Validators: []validator.List{
				listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(),
				listvalidator.ValueStringsAre(stringvalidator.OneOf("virtio", "sata", "vmware")),
			},
		},
		"networks": schema.MapNestedAttribute{
			Optional: true,
			MarkdownDescription: "Where each adapter is plugged in, by the name of its network in vSphere; `*` stands for all others. Adapters keep their MAC " +
				"addresses. An adapter whose network is not listed is a critical finding." + afterCutover,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"bridge": schema.StringAttribute{
					Optional:            true,
					MarkdownDescription: "A bridge of the host, such as `br0`. Give exactly one of `bridge` and `network`.",
					Validators: []validator.String{
						stringvalidator.LengthAtLeast(1),
						stringvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("network")),
					},
				},
				"network": schema.StringAttribute{
					Optional:            true,
					MarkdownDescription: "A libvirt network, such as `default`.",
					Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
				},
			}},
		},
		"disks": schema.MapNestedAttribute{
			Optional: true,
			MarkdownDescription: "What happens to a disk, by its address on the source (`scsi0:1`, `sata0:0`, `ide1:0`, `nvme0:2`); `*` stands for all " +
				"others. Disks that are not listed are moved as qcow2." + afterCutover,
			Validators: []validator.Map{mapvalidator.KeysAre(stringvalidator.RegexMatches(diskAddress, "must be an address such as scsi0:1, or *"))},
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"format": schema.StringAttribute{
					Optional:            true,
					MarkdownDescription: "`qcow2` (default) or `raw`.",
					Validators:          []validator.String{stringvalidator.OneOf("qcow2", "raw")},
				},
				"skip": schema.BoolAttribute{
					Optional:            true,
					MarkdownDescription: "`true` leaves the disk behind. Default: `false`.",
				},
			}},
		},
	}
}

func convertAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How disks are converted and the guest is fixed." + afterCutover,
		Attributes: map[string]schema.Attribute{
			"fstab": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "What becomes of device names in the guest's fstab: `stabilize-all` (default: UUIDs), `bypath-only` (only `/dev/disk/by-path` entries) or `noop`.",
				Validators:          []validator.String{stringvalidator.OneOf("stabilize-all", "bypath-only", "noop")},
			},
			"compress_level": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "1 to 9: recompress the disks at this level. Left out: they stay compressed as vSphere sent them, which costs almost no CPU time.",
				Validators:          []validator.Int64{int64validator.Between(1, 9)},
			},
			"engine": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Who fixes the guest: `builtin` (default), `virt-v2v` (for guests that the built-in engine does not know), or `none`: the disks " +
					"are moved as they are, for data disks and appliances that already boot on virtio.",
				Validators: []validator.String{stringvalidator.OneOf("builtin", "virt-v2v", engineNone)},
			},
		},
	}
}

func verifyAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How sure to be before the migration is final." + afterCutover,
		Attributes: map[string]schema.Attribute{
			"checksum": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Check the checksum of every block received and compute the SHA-256 of every disk. Default: `true`.",
			},
			"boot": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Proof that the guest boots, taken on a throw-away copy-on-write layer and an isolated network before the domain is final: `none` " +
					"(default), `power` (it starts and stays up), `console` (it says so on its serial console), `agent` (the QEMU guest agent " +
					"answers), `address` (it asks for an address) or `tcp:PORT` (it answers there). A guest that fails leaves the converted disks for a retry.",
				Validators: []validator.String{stringvalidator.RegexMatches(bootCheck, "must be none, power, console, agent, address or tcp:PORT")},
			},
			"boot_marker": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Regular expression (RE2) that proves the boot when it appears on the console. Left out: a login prompt or a systemd target. Only with `boot = \"console\"`.",
				Validators:          []validator.String{regularExpression{}},
			},
			"boot_timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How long the guest may take to boot, such as `10m`. Default: 5 minutes with hardware acceleration, 15 without.",
				Validators:          []validator.String{duration{}},
			},
		},
	}
}

func preflightAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Which pre-flight findings stop the migration." + afterCutover,
		Attributes: map[string]schema.Attribute{
			"fail_on": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Least severity that stops: `critical` (default), `warning` or `none`.",
				Validators:          []validator.String{stringvalidator.OneOf("critical", "warning", "none")},
			},
			"ignore": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Ids of findings that do not stop it, such as `source.snapshot.present`. They are still listed in `findings`.",
				Validators:          []validator.List{listvalidator.UniqueValues()},
			},
		},
	}
}

func computedAttributes() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{
			Computed: true, MarkdownDescription: description,
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		}
	}
	number := func(description string) schema.Attribute {
		return schema.Int64Attribute{
			Computed: true, MarkdownDescription: description,
			PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
		}
	}
	list := func(description string, fields map[string]schema.Attribute) schema.Attribute {
		return schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: description,
			NestedObject:  schema.NestedAttributeObject{Attributes: fields},
			PlanModifiers: []planmodifier.List{listplanmodifier.UseStateForUnknown()},
		}
	}
	field := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"id":                    text("`URI#UUID` of the domain; what `terraform import` takes."),
		"job_id":                text("Key of the job while it has work left; null once cutover is done."),
		"status":                text("`succeeded`, `interrupted` (the next apply goes on) or `failed` (the next apply tries again)."),
		"current_stage":         text("Stage that ran last."),
		"progress":              number("Percent of the disks that was copied, 0 to 100."),
		"condition":             text("What a refresh found on the target: `ok`, `domain_missing` (the next apply defines it again, without a copy) or `disk_missing`."),
		"source_uuid":           text("Instance UUID of the source VM."),
		"source_change_version": text("vSphere's change version of the VM that was copied."),
		"domain_uuid":           text("UUID of the domain. It is derived from source and target, and known in the plan."),
		"domain_state":          text("State of the domain when it was last read: `running`, `shutoff`, …; null while there is none."),
		"boot_evidence":         text("What proved the boot: a console line, the agent's answer or an address. Null without a boot check."),
		"manifest_path":         text("Artifact manifest of the migration, a file on the target."),
		"report_path":           text("Report with every stage, its times and every edit made to the guest, a file on the target."),
		"work_dir":              text("Directory beside the disks with the journal, the report and the boot check's console log."),
		"bytes_copied":          number("Bytes received from vSphere."),
		"downtime_seconds": schema.Float64Attribute{
			Computed: true, MarkdownDescription: "Seconds from the source's shutdown to the domain's start; 0 when the source was off already.",
			PlanModifiers: []planmodifier.Float64{float64planmodifier.UseStateForUnknown()},
		},
		"finished_at": text("When the migration ended, in UTC (RFC 3339); null before."),
		"disks": list("The disks made, in boot order.", map[string]schema.Attribute{
			"address": field("Address on the source; null when an imported domain has no journal."),
			"path":    field("File on the target; followed when the domain's disk moves."),
			"format":  field("`qcow2` or `raw`."),
			"bytes":   schema.Int64Attribute{Computed: true, MarkdownDescription: "Size of the file at cutover, in bytes."},
			"sha256":  field("SHA-256 of the file at cutover, in hexadecimal; null without `verify.checksum`. The running guest changes the file later."),
		}),
		"findings": list("Pre-flight findings of the last plan that did work, worst first.", map[string]schema.Attribute{
			"id":       field("Dotted id, such as `source.snapshot.present`."),
			"severity": field("`critical`, `warning` or `info`."),
			"text":     field("What is so."),
			"action":   field("What to do about it."),
		}),
	}
}

// IdentitySchema tells a domain from all others.
func (r *migrationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"uri":         identityschema.StringAttribute{RequiredForImport: true, Description: "libvirt connection URI of the target."},
		"domain_uuid": identityschema.StringAttribute{RequiredForImport: true, Description: "UUID of the domain."},
	}}
}
