package migration

import (
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Options is what a command line says about an export or a migration. Flags binds it, Spec reads it.
type Options struct {
	VM, Name, Dir, Format string
	Manifest              bool
	SkipDisks             []string
	Parallel              int
	NoVerify              bool

	Pipeline                                  bool
	Inspect, Fix, Convert, Validate, Compress bool
	Level                                     int
	Zstd                                      bool
	Engine, Fstab, Hyper2kvm                  string

	Libvirt, Autostart, Start bool
	URI, Bridge, Pool         string
	Networks, Hardware        []string
	Until, Boot, BootMarker   string
	BootTimeout               time.Duration

	PowerOffSource, DisconnectSource bool
	ShutdownTimeout                  time.Duration
	FailOn                           string
	Ignore                           []string

	flags *pflag.FlagSet
	names Names
}

// Names says what a command calls a flag, by hyperexport's name, where it calls it otherwise. An empty one is no flag there: the
// command sets the option itself.
type Names map[string]string

// Flags gives flags the options, under the command's own names.
func (o *Options) Flags(flags *pflag.FlagSet, names Names) {
	o.flags, o.names = flags, names
	o.bindWhat()
	o.bindPipeline()
	o.bindLibvirt()
	o.bindSource()
}

// flag is what this command calls a flag; empty: it has none.
func (o *Options) flag(name string) string {
	if own, renamed := o.names[name]; renamed {
		return own
	}
	return name
}

// given says whether the flag was on the command line.
func (o *Options) given(name string) bool { return o.flag(name) != "" && o.flags.Changed(o.flag(name)) }

func (o *Options) bindWhat() {
	add(o, "vm", &o.VM, o.flags.StringVar, "", "the `VM`: inventory path, moref, instance UUID or a name that only one VM has")
	add(o, "output", &o.Dir, o.flags.StringVar, "", "the `DIR` for everything that is made")
	format := "`FORMAT` to make: ova, ovf or vmdk as the server gives it, qcow2 or raw images. With --pipeline or --libvirt, ova, ovf and vmdk are kept beside qcow2 images (default qcow2 with them, ova without)"
	if o.flag("libvirt") == "" {
		format = "`FORMAT` besides: ova, ovf or vmdk as the server gives it, kept beside qcow2 images; or raw images instead (default qcow2 alone)"
	}
	add(o, "format", &o.Format, o.flags.StringVar, "", format)
	add(o, "manifest", &o.Manifest, o.flags.BoolVar, false, "write an Artifact Manifest v1.0")
	add(o, "name", &o.Name, o.flags.StringVar, "", "the `NAME` of files and domain (default the VM's)")
	add(o, "skip-disk", &o.SkipDisks, o.flags.StringSliceVar, nil, "leave this disk out, by `ADDRESS`: scsi0:1 (repeatable)")
	add(o, "parallel", &o.Parallel, o.flags.IntVar, 0, "`N` disks at once (default 4)")
	add(o, "no-verify", &o.NoVerify, o.flags.BoolVar, false, "check no checksum of what the server sends and make none of what is written")
}

func (o *Options) bindPipeline() {
	add(o, "pipeline", &o.Pipeline, o.flags.BoolVar, false, "convert the disks and make the guest fit for KVM; every stage is on unless it is turned off: --pipeline-fix=false")
	add(o, "pipeline-inspect", &o.Inspect, o.flags.BoolVar, true, "INSPECT: find out what the guest is")
	add(o, "pipeline-fix", &o.Fix, o.flags.BoolVar, true, "FIX: drivers, fstab, bootloader, network")
	add(o, "pipeline-convert", &o.Convert, o.flags.BoolVar, true, "CONVERT: disks to images")
	add(o, "pipeline-validate", &o.Validate, o.flags.BoolVar, true, "VALIDATE: read back what FIX wrote")
	add(o, "pipeline-compress", &o.Compress, o.flags.BoolVar, true, "compress images; without a level the compressed data of the server is kept as it is")
	add(o, "compress-level", &o.Level, o.flags.IntVar, 0, "compress anew at this `LEVEL`: 1 to 9 (1 to 19 with --zstd)")
	add(o, "zstd", &o.Zstd, o.flags.BoolVar, false, "compress anew with zstd instead of deflate")
	add(o, "engine", &o.Engine, o.flags.StringVar, "", "the `ENGINE` that fixes the guest: builtin or virt-v2v (default builtin)")
	add(o, "fstab-mode", &o.Fstab, o.flags.StringVar, "", "the `MODE` of naming filesystems: stabilize-all, bypath-only or noop (default stabilize-all)")
	add(o, "hyper2kvm-path", &o.Hyper2kvm, o.flags.StringVar, "", "the `PATH` of hyper2kvm as the engine (comes with a later release)")
	o.group("Pipeline", "pipeline", "pipeline-inspect", "pipeline-fix", "pipeline-convert", "pipeline-validate",
		"pipeline-compress", "compress-level", "zstd", "engine", "fstab-mode", "hyper2kvm-path")
}

func (o *Options) bindLibvirt() {
	add(o, "libvirt", &o.Libvirt, o.flags.BoolVar, false, "define the VM in libvirt")
	add(o, "libvirt-uri", &o.URI, o.flags.StringVar, "", "`URI` of libvirt (HYPERSDK_LIBVIRT_URI, LIBVIRT_DEFAULT_URI; default qemu:///system)")
	add(o, "libvirt-pool", &o.Pool, o.flags.StringVar, "", "storage `POOL` for the disks (default: they stay in --output)")
	add(o, "libvirt-bridge", &o.Bridge, o.flags.StringVar, "", "host `BRIDGE` for every network that --network does not map (default: libvirt's network \"default\")")
	add(o, "network", &o.Networks, o.flags.StringArrayVar, nil, "map a vSphere network (repeatable, * for all others), `SOURCE=TARGET`: SOURCE=network:NAME or SOURCE=bridge:NAME")
	add(o, "libvirt-autostart", &o.Autostart, o.flags.BoolVar, false, "start the domain when the host starts")
	add(o, "start", &o.Start, o.flags.BoolVar, false, "start the domain at the end")
	add(o, "hardware", &o.Hardware, o.flags.StringSliceVar, nil, "`FAMILIES` of devices to try in turn: virtio, sata, vmware (default virtio)")
	add(o, "boot", &o.Boot, o.flags.StringVar, "", "`CHECK` that proves, on a throw-away copy, that the guest boots: none, power, console, agent, address or tcp:PORT (default none)")
	add(o, "boot-marker", &o.BootMarker, o.flags.StringVar, "", "`REGEXP` on the console that proves it (default login prompts and the like)")
	add(o, "boot-timeout", &o.BootTimeout, o.flags.DurationVar, 0, "the `TIME` to wait for it (default 5m with KVM, 15m without)")
	add(o, "until", &o.Until, o.flags.StringVar, "", "last `STAGE`: validated or cutover (default cutover)")
	o.group("libvirt", "libvirt", "libvirt-uri", "libvirt-pool", "libvirt-bridge", "network", "libvirt-autostart", "start",
		"hardware", "boot", "boot-marker", "boot-timeout", "until")
}

func (o *Options) bindSource() {
	add(o, "power-off-source", &o.PowerOffSource, o.flags.BoolVar, false, "shut the source's guest down first, by VMware Tools; it stays off")
	add(o, "disconnect-source", &o.DisconnectSource, o.flags.BoolVar, false, "the same, and its adapters start disconnected")
	add(o, "shutdown-timeout", &o.ShutdownTimeout, o.flags.DurationVar, 0, "the `TIME` that the guest may take (default 5m)")
	add(o, "fail-on", &o.FailOn, o.flags.StringVar, "", "the least `SEVERITY` of findings that stop it: critical, warning or none (default critical)")
	add(o, "ignore", &o.Ignore, o.flags.StringSliceVar, nil, "`ID` of a finding that shall not stop it (repeatable)")
	o.group("Source and pre-flight", "power-off-source", "disconnect-source", "shutdown-timeout", "fail-on", "ignore")
}

// add binds one option where the command has a flag for it, and gives it its default in any case.
func add[T any](o *Options, name string, p *T, bind func(p *T, name string, value T, usage string), value T, usage string) {
	if o.flag(name) == "" {
		*p = value
		return
	}
	bind(p, o.flag(name), value, o.words(usage))
}

var longFlag = regexp.MustCompile(`--[a-z][a-z0-9-]* ?`)

// words renames the flags in a text of hyperexport's, and leaves out those that the command has not.
func (o *Options) words(text string) string {
	return longFlag.ReplaceAllStringFunc(text, func(flag string) string {
		name := strings.TrimSuffix(flag[2:], " ")
		if o.flag(name) == "" {
			return ""
		}
		return "--" + o.flag(name) + flag[2+len(name):]
	})
}

// refuse is sdk.Invalidf in the command's own words.
func (o *Options) refuse(format string, args ...any) error {
	return sdk.Invalidf(o.words(format), args...)
}

func (o *Options) group(title string, names ...string) {
	var own []string
	for _, name := range names {
		if o.flag(name) != "" {
			own = append(own, o.flag(name))
		}
	}
	cli.Group(o.flags, title, own...)
}
