package migrate

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

// The words of Spec's fields.
const (
	UntilValidated = "validated"
	UntilCutover   = "cutover"

	EngineBuiltin = "builtin"
	EngineVirtV2V = "virt-v2v"

	AfterPoweredOff   = "powered_off"
	AfterRunning      = "running"
	AfterDisconnected = "nics_disconnected"

	PowerOn  = "on"
	PowerOff = "off"

	FormatQcow2 = "qcow2"
	FormatRaw   = "raw"
)

var tcpCheck = regexp.MustCompile(`^tcp:([0-9]{1,5})$`)

// Validate checks the shape of the spec without asking anyone; the error is sdk.ErrInvalid and names the field.
func (s Spec) Validate() error {
	checks := []struct {
		bad  bool
		text string
	}{
		{s.VM == "", "vm: which VM? give its inventory path, moref, instance UUID or name"},
		{s.Dir == "" && (s.Target == nil || s.Target.Pool == ""), "dir: give a directory, or a target with a storage pool"},
		{s.Dir != "" && !filepath.IsAbs(s.Dir), "dir: " + strconv.Quote(s.Dir) + " is not an absolute path"},
		{strings.ContainsAny(s.Name, "/\n\x00"), "name: " + strconv.Quote(s.Name) + " has a slash or a control character"},
		{!oneOf(string(s.Keep), "", "vmdk", "ovf", "ova"), "keep: want vmdk, ovf or ova, got " + string(s.Keep)},
		{!oneOf(s.Format, "", FormatQcow2, FormatRaw), "format: want qcow2 or raw, got " + s.Format},
		{!s.Convert && s.Keep == export.KeepNothing, "nothing to do: neither images (convert) nor files as served (keep) are wanted"},
		{!s.Convert && (s.Pipeline != nil || s.Target != nil), "convert: the pipeline and libvirt need converted disks"},
		{!oneOf(s.Until, "", UntilValidated, UntilCutover), "until: want validated or cutover, got " + s.Until},
		{s.SourceAfter == AfterRunning, "source_after: running comes with warm migration; a cold one copies a VM that is off"},
		{!oneOf(s.SourceAfter, "", AfterPoweredOff, AfterRunning, AfterDisconnected),
			"source_after: want powered_off or nics_disconnected, got " + s.SourceAfter},
		{!oneOf(s.Preflight.FailOn, "", "critical", "warning", "none"), "preflight.fail_on: want critical, warning or none, got " + s.Preflight.FailOn},
		{s.Verify.Boot != "" && s.Verify.Boot != "none" && s.Target == nil, "verify.boot: a boot check needs a libvirt target"},
		{!validBoot(s.Verify.Boot), "verify.boot: want none, power, console, agent, address or tcp:PORT, got " + s.Verify.Boot},
	}
	for _, c := range checks {
		if c.bad {
			return sdk.Invalidf("%s", c.text)
		}
	}
	if _, err := regexp.Compile(s.Verify.BootMarker); err != nil {
		return sdk.Invalidf("verify.boot_marker: %v", err)
	}
	for address, d := range s.Disks {
		if !oneOf(d.Format, "", FormatQcow2, FormatRaw) {
			return sdk.Invalidf("disks[%q].format: want qcow2 or raw, got %s", address, d.Format)
		}
	}
	if err := s.validateCompression(); err != nil {
		return err
	}
	if err := s.Pipeline.validate(); err != nil {
		return err
	}
	return s.Target.validate()
}

func (s Spec) validateCompression() error {
	c := s.Compression
	top := map[export.CompressionMode]int{"": 0, export.PassThrough: 0, export.Uncompressed: 0, export.Deflate: 9, export.Zstd: 19}
	limit, known := top[c.Mode]
	switch {
	case !known:
		return sdk.Invalidf("compression.mode: want pass-through, none, deflate or zstd, got %s", c.Mode)
	case c.Level < 0 || c.Level > limit:
		if limit == 0 {
			return sdk.Invalidf("compression.level: %s has no level, got %d", c.Mode, c.Level)
		}
		return sdk.Invalidf("compression.level: want 1 to %d for %s, got %d", limit, c.Mode, c.Level)
	}
	return nil
}

func (p *PipelineSpec) validate() error {
	switch {
	case p == nil:
		return nil
	case !oneOf(p.Fstab, "", "stabilize-all", "bypath-only", "noop"):
		return sdk.Invalidf("pipeline.fstab: want stabilize-all, bypath-only or noop, got %s", p.Fstab)
	case !oneOf(p.Engine, "", EngineBuiltin, EngineVirtV2V):
		return sdk.Invalidf("pipeline.engine: want builtin or virt-v2v, got %s", p.Engine)
	}
	return nil
}

func (t *TargetSpec) validate() error {
	if t == nil {
		return nil
	}
	switch {
	case t.URI == "":
		return sdk.Invalidf("target.uri: which libvirt? for example qemu:///system")
	case !oneOf(t.Power, "", PowerOn, PowerOff):
		return sdk.Invalidf("target.power: want on or off, got %s", t.Power)
	}
	for name, n := range t.Networks {
		if (n.Bridge == "") == (n.Network == "") {
			return sdk.Invalidf("target.networks[%q]: give exactly one of bridge and network", name)
		}
	}
	for _, h := range t.Hardware {
		if !slices.Contains([]libvirt.Hardware{libvirt.HardwareVirtio, libvirt.HardwareSATA, libvirt.HardwareVMware}, h) {
			return sdk.Invalidf("target.hardware: want virtio, sata or vmware, got %s", h)
		}
	}
	return nil
}

func validBoot(check string) bool {
	if m := tcpCheck.FindStringSubmatch(check); m != nil {
		port, _ := strconv.Atoi(m[1])
		return port > 0 && port < 65536
	}
	return oneOf(check, "", "none", "power", "console", "agent", "address")
}

func oneOf(s string, words ...string) bool { return slices.Contains(words, s) }

// withDefaults fills in what an empty field means, so that the stages see plain values.
func (s Spec) withDefaults() Spec {
	setDefault(&s.Format, FormatQcow2)
	setDefault(&s.Until, UntilCutover)
	setDefault(&s.Preflight.FailOn, string(sdk.Critical))
	setDefault(&s.Verify.Boot, "none")
	setDefault(&s.Compression.Mode, export.PassThrough)
	if s.Manifest && s.Keep == export.KeepOVA {
		s.Convert = true // a manifest names disk files; those inside an OVA have no path
	}
	if s.ShutdownIn == 0 {
		s.ShutdownIn = defaultShutdown
	}
	if s.Pipeline != nil {
		p := *s.Pipeline
		setDefault(&p.Engine, EngineBuiltin)
		setDefault(&p.Fstab, "stabilize-all")
		s.Pipeline = &p
	}
	if s.Target != nil {
		t := *s.Target
		setDefault(&t.Power, PowerOn)
		if len(t.Hardware) == 0 {
			t.Hardware = []libvirt.Hardware{libvirt.HardwareVirtio}
		}
		s.Target = &t
	}
	return s
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
