package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// TemplateRequest asks for a template: of a VM by converting it, or of a copy.
type TemplateRequest struct {
	VM           string                 `json:"vm" doc:"The VM: path, managed object id, instance UUID or unique name"`
	Name         string                 `json:"name,omitempty" doc:"Of the template; default the VM's"`
	Method       vsphere.TemplateMethod `json:"method,omitempty" enum:"convert,clone" doc:"convert (the default) turns the VM itself into the template; clone copies it"`
	Folder       string                 `json:"folder,omitempty"`
	ResourcePool string                 `json:"resource_pool,omitempty"`
	Host         string                 `json:"host,omitempty"`
	Datastore    string                 `json:"datastore,omitempty"`
	Snapshot     string                 `json:"snapshot,omitempty" doc:"Take a snapshot of this name that linked clones can hang on"`
	Annotation   string                 `json:"annotation,omitempty"`
}

type createTemplateInput struct {
	WaitParam
	Body TemplateRequest
}

func (s *Server) createTemplate(ctx context.Context, in *createTemplateInput) (*submitted, error) {
	r := in.Body
	vm, err := s.vc.GetVM(ctx, r.VM)
	if err != nil {
		return nil, err
	}
	spec := vsphere.TemplateSpec{
		Method: r.Method, Source: vm.Ref, Name: orElse(r.Name, vm.Name), Folder: r.Folder, ResourcePool: r.ResourcePool, Host: r.Host,
		Datastore: r.Datastore, Snapshot: r.Snapshot, Annotation: r.Annotation,
	}
	if spec.Method == "" {
		spec.Method = vsphere.TemplateByConvert
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.Method == vsphere.TemplateByConvert && !vm.Template && vm.PowerState != "poweredOff" {
		return nil, sdk.WithHint(sdk.Conflictf("VM %q is not off, and only one that is off can become a template", vm.Name),
			"shut it down first (POST /vsphere/vms/NAME/power), or use the method clone")
	}
	j, err := work(KindTemplateCreate, "template "+spec.Name, spec)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, j, in.Wait)
}

// DeployRequest asks for a VM made from a template.
type DeployRequest struct {
	Template          string             `json:"template" doc:"Path, managed object id, instance UUID or unique name"`
	TargetName        string             `json:"target_name"`
	PowerOn           bool               `json:"power_on,omitempty"`
	ResourcePool      string             `json:"resource_pool,omitempty" doc:"Default the root pool of the datacenter's only cluster"`
	Cluster           string             `json:"cluster,omitempty"`
	Host              string             `json:"host,omitempty"`
	Folder            string             `json:"folder,omitempty"`
	Datastore         string             `json:"datastore,omitempty"`
	DatastoreCluster  string             `json:"datastore_cluster,omitempty"`
	LinkedClone       bool               `json:"linked_clone,omitempty"`
	Snapshot          string             `json:"snapshot,omitempty"`
	CPUs              int                `json:"cpus,omitempty"`
	MemoryMB          int64              `json:"memory_mb,omitempty"`
	Networks          []string           `json:"networks,omitempty"`
	Annotation        *string            `json:"annotation,omitempty"`
	CustomizationSpec string             `json:"customization_spec,omitempty"`
	CloudInit         *vsphere.CloudInit `json:"cloud_init,omitempty"`
	WaitForIP         bool               `json:"wait_for_ip,omitempty"`
	WaitSeconds       int                `json:"wait_seconds,omitempty"`
}

type deployInput struct {
	WaitParam
	Body DeployRequest
}

// deployTemplate is a clone whose source has to be a template.
func (s *Server) deployTemplate(ctx context.Context, in *deployInput) (*submitted, error) {
	r := in.Body
	t, err := s.vc.GetTemplate(ctx, r.Template)
	if err != nil {
		return nil, err
	}
	if !t.Template {
		return nil, sdk.WithHint(sdk.Invalidf("template: %q is a VM and no template", t.Path), "POST /vsphere/clone clones a VM")
	}
	return s.clone(ctx, KindTemplateDeploy, vsphere.CloneItem{
		SourceVM: t.Ref, TargetName: r.TargetName, PowerOn: r.PowerOn, ResourcePool: r.ResourcePool, Cluster: r.Cluster, Host: r.Host, Folder: r.Folder,
		Datastore: r.Datastore, DatastoreCluster: r.DatastoreCluster, LinkedClone: r.LinkedClone, Snapshot: r.Snapshot, CPUs: r.CPUs,
		MemoryMB: r.MemoryMB, Networks: r.Networks, Annotation: r.Annotation, CustomizationSpec: r.CustomizationSpec, CloudInit: r.CloudInit,
		WaitForIP: r.WaitForIP, WaitSeconds: r.WaitSeconds,
	}, in.Wait)
}
