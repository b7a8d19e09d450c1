package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// options is what the command line says.
type options struct {
	vm, name, output, format string
	manifest                 bool
	skipDisks                []string
	parallel                 int
	noVerify                 bool

	pipeline                                         bool
	inspect, fix, convert, validate, compress        bool
	level                                            int
	zstd                                             bool
	engine, fstab, hyper2kvm                         string
	libvirt, autostart, start                        bool
	uri, bridge, pool                                string
	networks, hardware                               []string
	until, boot, bootMarker                          string
	bootTimeout                                      time.Duration
	powerOffSource, disconnectSource, dryRun, asJSON bool
	shutdownTimeout                                  time.Duration
	failOn                                           string
	ignore                                           []string

	given func(flag string) bool // whether the flag was on the command line
}

func command(version string) *cobra.Command {
	cmd := cli.Root("hyperexport", "Take a VM out of vSphere: to files, through the pipeline, into libvirt", version)
	cmd.Long = `Take a VM out of vSphere: to files, through the pipeline, into libvirt.

The source VM is never altered or deleted. A run that was interrupted goes on
where it stopped when the same command is given again. If the export is whole
and a later stage fails, the export stays and the exit code is 5.`
	cmd.Example = `  hyperexport --vm /DC0/vm/web-01 --output /srv/export --format ova
  hyperexport --vm web-01 --output /srv/kvm/web-01 --pipeline --libvirt --dry-run
  hyperexport --vm web-01 --libvirt-pool default --pipeline --libvirt --boot console`
	cmd.Use = "hyperexport --vm VM [flags]"
	cmd.Args = cli.NoArgs
	cmd.Flags().SortFlags = false
	o := &options{given: cmd.Flags().Changed}
	o.bind(cmd.Flags())
	cli.AddProgress(cmd)
	conn := cli.AddConnection(cmd)
	cmd.CompletionOptions.DisableDefaultCmd = true // one command has none to complete
	cli.AddReference(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return o.run(cmd, conn, version) }
	return cmd
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVar(&o.vm, "vm", "", "the `VM`: inventory path, moref, instance UUID or a name that only one VM has")
	f.StringVar(&o.output, "output", "", "the `DIR` for everything that is made")
	f.StringVar(&o.format, "format", "", "`FORMAT` to make: ova, ovf or vmdk as the server gives it, qcow2 or raw images. With --pipeline or --libvirt, ova, ovf and vmdk are kept beside qcow2 images (default qcow2 with them, ova without)")
	f.BoolVar(&o.manifest, "manifest", false, "write an Artifact Manifest v1.0")
	f.StringVar(&o.name, "name", "", "the `NAME` of files and domain (default the VM's)")
	f.StringSliceVar(&o.skipDisks, "skip-disk", nil, "leave this disk out, by `ADDRESS`: scsi0:1 (repeatable)")
	f.IntVar(&o.parallel, "parallel", 0, "`N` disks at once (default 4)")
	f.BoolVar(&o.noVerify, "no-verify", false, "check no checksum of what the server sends and make none of what is written")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done, write nothing; exit code 1 when a finding stops it")
	f.BoolVar(&o.asJSON, "json", false, "print the result, or the plan, as JSON")
	o.bindPipeline(f)
	o.bindLibvirt(f)
	o.bindSource(f)
}

func (o *options) bindPipeline(f *pflag.FlagSet) {
	f.BoolVar(&o.pipeline, "pipeline", false, "convert the disks and make the guest fit for KVM; every stage is on unless it is turned off: --pipeline-fix=false")
	f.BoolVar(&o.inspect, "pipeline-inspect", true, "INSPECT: find out what the guest is")
	f.BoolVar(&o.fix, "pipeline-fix", true, "FIX: drivers, fstab, bootloader, network")
	f.BoolVar(&o.convert, "pipeline-convert", true, "CONVERT: disks to images")
	f.BoolVar(&o.validate, "pipeline-validate", true, "VALIDATE: read back what FIX wrote")
	f.BoolVar(&o.compress, "pipeline-compress", true, "compress images; without a level the compressed data of the server is kept as it is")
	f.IntVar(&o.level, "compress-level", 0, "compress anew at this `LEVEL`: 1 to 9 (1 to 19 with --zstd)")
	f.BoolVar(&o.zstd, "zstd", false, "compress anew with zstd instead of deflate")
	f.StringVar(&o.engine, "engine", "", "the `ENGINE` that fixes the guest: builtin or virt-v2v (default builtin)")
	f.StringVar(&o.fstab, "fstab-mode", "", "the `MODE` of naming filesystems: stabilize-all, bypath-only or noop (default stabilize-all)")
	f.StringVar(&o.hyper2kvm, "hyper2kvm-path", "", "the `PATH` of hyper2kvm as the engine (comes with a later release)")
	cli.Group(f, "Pipeline", "pipeline", "pipeline-inspect", "pipeline-fix", "pipeline-convert", "pipeline-validate",
		"pipeline-compress", "compress-level", "zstd", "engine", "fstab-mode", "hyper2kvm-path")
}

func (o *options) bindLibvirt(f *pflag.FlagSet) {
	f.BoolVar(&o.libvirt, "libvirt", false, "define the VM in libvirt")
	f.StringVar(&o.uri, "libvirt-uri", "", "`URI` of libvirt (HYPERSDK_LIBVIRT_URI, LIBVIRT_DEFAULT_URI; default qemu:///system)")
	f.StringVar(&o.pool, "libvirt-pool", "", "storage `POOL` for the disks (default: they stay in --output)")
	f.StringVar(&o.bridge, "libvirt-bridge", "", "host `BRIDGE` for every network that --network does not map (default: libvirt's network \"default\")")
	f.StringArrayVar(&o.networks, "network", nil, "map a vSphere network (repeatable, * for all others), `SOURCE=TARGET`: SOURCE=network:NAME or SOURCE=bridge:NAME")
	f.BoolVar(&o.autostart, "libvirt-autostart", false, "start the domain when the host starts")
	f.BoolVar(&o.start, "start", false, "start the domain at the end")
	f.StringSliceVar(&o.hardware, "hardware", nil, "`FAMILIES` of devices to try in turn: virtio, sata, vmware (default virtio)")
	f.StringVar(&o.boot, "boot", "", "`CHECK` that proves, on a throw-away copy, that the guest boots: none, power, console, agent, address or tcp:PORT (default none)")
	f.StringVar(&o.bootMarker, "boot-marker", "", "`REGEXP` on the console that proves it (default login prompts and the like)")
	f.DurationVar(&o.bootTimeout, "boot-timeout", 0, "the `TIME` to wait for it (default 5m with KVM, 15m without)")
	f.StringVar(&o.until, "until", "", "last `STAGE`: validated or cutover (default cutover)")
	cli.Group(f, "libvirt", "libvirt", "libvirt-uri", "libvirt-pool", "libvirt-bridge", "network", "libvirt-autostart", "start",
		"hardware", "boot", "boot-marker", "boot-timeout", "until")
}

func (o *options) bindSource(f *pflag.FlagSet) {
	f.BoolVar(&o.powerOffSource, "power-off-source", false, "shut the source's guest down first, by VMware Tools; it stays off")
	f.BoolVar(&o.disconnectSource, "disconnect-source", false, "the same, and its adapters start disconnected")
	f.DurationVar(&o.shutdownTimeout, "shutdown-timeout", 0, "the `TIME` that the guest may take (default 5m)")
	f.StringVar(&o.failOn, "fail-on", "", "the least `SEVERITY` of findings that stop it: critical, warning or none (default critical)")
	f.StringSliceVar(&o.ignore, "ignore", nil, "`ID` of a finding that shall not stop it (repeatable)")
	cli.Group(f, "Source and pre-flight", "power-off-source", "disconnect-source", "shutdown-timeout", "fail-on", "ignore")
}
