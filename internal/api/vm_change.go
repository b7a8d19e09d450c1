package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// VMChange is what a VM is to become.
type VMChange struct {
	Name         string                         `json:"name,omitempty"`
	Folder       string                         `json:"folder,omitempty"`
	ResourcePool string                         `json:"resource_pool,omitempty" doc:"Or a cluster or a host, which means its root pool"`
	Host         string                         `json:"host,omitempty"`
	Datastore    string                         `json:"datastore,omitempty" doc:"Moves the VM and its disks"`
	CPUs         int                            `json:"cpus,omitempty" minimum:"1"`
	MemoryMB     int64                          `json:"memory_mb,omitempty" minimum:"4"`
	Networks     map[string]vsphere.NICSettings `json:"networks,omitempty" doc:"By position: \"0\" is the first adapter"`
	Annotation   *string                        `json:"annotation,omitempty" doc:"Empty clears it"`
	AllowRestart bool                           `json:"allow_restart,omitempty" doc:"Shut the guest down and start it again when that is needed; else a running VM that needs it is refused before anything is changed"`
}

type changeVMInput struct {
	NameParam
	Body VMChange
}

func (s *Server) changeVM(ctx context.Context, in *changeVMInput) (*body[*vsphere.VM], error) {
	b := in.Body
	spec := vsphere.UpdateVMSpec{
		Name: b.Name, Folder: b.Folder, ResourcePool: b.ResourcePool, Host: b.Host, Datastore: b.Datastore,
		VMSettings:   vsphere.VMSettings{CPUs: b.CPUs, MemoryMB: b.MemoryMB, NICs: b.Networks, Annotation: b.Annotation},
		AllowRestart: b.AllowRestart, PowerOff: vsphere.PowerOffPolicy{ShutdownTimeout: defaultPower},
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	vm, err := s.vc.GetVM(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if vm, err = s.vc.UpdateVM(ctx, vm, spec, nil); err != nil {
		return nil, err
	}
	return &body[*vsphere.VM]{shown(vm)}, nil
}
