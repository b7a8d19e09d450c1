package api

import (
	"maps"
	"regexp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// CloneAnswer is what a clone made. It is kept in a job's record, so it has none of the VM's settings, in which secrets may be.
type CloneAnswer struct {
	Name               string   `json:"name"`
	Path               string   `json:"path"`
	Ref                string   `json:"ref"`
	InstanceUUID       string   `json:"instance_uuid"`
	PowerState         string   `json:"power_state"`
	IPAddress          string   `json:"ip_address,omitempty"`
	SourceRef          string   `json:"source_ref"`
	SourceInstanceUUID string   `json:"source_instance_uuid"`
	Adopted            bool     `json:"adopted" doc:"An earlier, interrupted run had begun or made this very clone"`
	Warnings           []string `json:"warnings,omitempty"`
}

// CloneAnswerOf is the answer for a result; nil for nil.
func CloneAnswerOf(r *vsphere.CloneResult) *CloneAnswer {
	if r == nil || r.VM == nil {
		return nil
	}
	return &CloneAnswer{
		Name: r.VM.Name, Path: r.VM.Path, Ref: r.VM.Ref, InstanceUUID: r.VM.InstanceUUID, PowerState: r.VM.PowerState, IPAddress: r.VM.IPAddress,
		SourceRef: r.SourceRef, SourceInstanceUUID: r.SourceInstanceUUID, Adopted: r.Adopted, Warnings: r.Warnings,
	}
}

// TemplateAnswer is what was made into a template, of what.
type TemplateAnswer struct {
	Template           vsphere.Template `json:"template"`
	SourceInstanceUUID string           `json:"source_instance_uuid"`
	SnapshotRef        string           `json:"snapshot_ref,omitempty" doc:"Of the snapshot that was asked for"`
}

// TemplateAnswerOf is the answer for a result; nil for nil.
func TemplateAnswerOf(r *vsphere.TemplateResult) *TemplateAnswer {
	if r == nil {
		return nil
	}
	return &TemplateAnswer{Template: r.Template, SourceInstanceUUID: r.SourceUUID, SnapshotRef: r.SnapshotID}
}

// secretSetting is how the names of settings end that hold secrets: what cloud-init reads, and passwords of appliances.
var secretSetting = regexp.MustCompile(`(?i)(userdata|vendordata|metadata|passw(or)?d|passphrase|secret|token|private.?key|api.?key)`)

const hidden = "[redacted]"

// shown is the VM without what its settings may hold in secret.
func shown(vm *vsphere.VM) *vsphere.VM {
	if vm == nil {
		return nil
	}
	clean := *vm
	clean.ExtraConfig, clean.VAppProperties = masked(vm.ExtraConfig), masked(vm.VAppProperties)
	return &clean
}

func masked(settings map[string]string) map[string]string {
	clean := maps.Clone(settings)
	for name, value := range clean {
		if value != "" && secretSetting.MatchString(name) {
			clean[name] = hidden
		}
	}
	return clean
}
