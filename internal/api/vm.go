package api

import (
	"context"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type vmsInput struct {
	Pattern    string   `query:"pattern" doc:"Glob over the name or the inventory path: web-*"`
	Datacenter string   `query:"datacenter" doc:"Below it: path, managed object id or unique name"`
	Cluster    string   `query:"cluster" doc:"On its hosts: path, managed object id or unique name"`
	Folder     string   `query:"folder" doc:"Below it: path or managed object id"`
	State      []string `query:"state" doc:"In any of these states, with commas: poweredOn, poweredOff, suspended"`
	Guest      string   `query:"guest" doc:"Glob over the guest id or the guest's full name: debian*"`
	Templates  string   `query:"templates" enum:"true,false" doc:"true: only templates; false: none of them; default both"`
	Tags       []string `query:"tags" doc:"With all of these tags, with commas: ids or category/name"`
	Page
}

func (in *vmsInput) filter() vsphere.Filter {
	f := vsphere.Filter{
		Name: in.Pattern, Datacenter: in.Datacenter, Cluster: in.Cluster, Folder: in.Folder, States: in.State, Guest: in.Guest, Tags: in.Tags,
	}
	if in.Templates != "" {
		only := in.Templates == "true"
		f.Templates = &only
	}
	return f
}

func (s *Server) getVM(ctx context.Context, in *NameParam) (*body[*vsphere.VM], error) {
	vm, err := s.vc.GetVM(ctx, in.Name)
	return &body[*vsphere.VM]{shown(vm)}, err
}

type powerInput struct {
	NameParam
	Body struct {
		Action         vsphere.PowerAction `json:"action" enum:"on,off,shutdown,reboot,reset,suspend" doc:"off and reset are as hard as the switch of a machine; shutdown and reboot ask the guest through VMware Tools"`
		TimeoutSeconds int                 `json:"timeout_seconds,omitempty" minimum:"1" maximum:"3600" doc:"How long it may take; default 300"`
	}
}

// Powered is what became of a VM's power.
type Powered struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	Ref        string `json:"ref"`
	PowerState string `json:"power_state" doc:"poweredOn, poweredOff or suspended: as vCenter says it is now"`
	Changed    bool   `json:"changed" doc:"false: it was so before"`
}

const defaultPower = 5 * time.Minute

func (s *Server) powerVM(ctx context.Context, in *powerInput) (*body[Powered], error) {
	vm, err := s.vc.GetVM(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	wait := time.Duration(in.Body.TimeoutSeconds) * time.Second
	if wait == 0 {
		wait = defaultPower
	}
	if err := s.vc.PowerVM(ctx, vm, in.Body.Action, wait); err != nil {
		return nil, err
	}
	now, err := s.vc.RefreshVM(ctx, vm.Ref, vm.InstanceUUID)
	if err != nil {
		return nil, err
	}
	restarted := in.Body.Action == vsphere.ActionReboot || in.Body.Action == vsphere.ActionReset
	return &body[Powered]{Powered{now.Name, now.Path, now.Ref, now.PowerState, restarted || now.PowerState != vm.PowerState}}, nil
}

type deleteVMInput struct {
	NameParam
	Force  bool `query:"force" doc:"Power it off hard when it runs; else one that runs is refused"`
	Remove bool `query:"unregister" doc:"Take it out of the inventory only, and leave its files"`
}

func (s *Server) deleteVM(ctx context.Context, in *deleteVMInput) (*struct{}, error) {
	vm, err := s.vc.GetVM(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	policy := vsphere.PowerOffPolicy{Force: in.Force}
	if in.Remove {
		return nil, s.vc.UnregisterVM(ctx, vm, policy)
	}
	if vm.Template {
		return nil, s.vc.DeleteTemplate(ctx, vm.Ref)
	}
	return nil, s.vc.DeleteVM(ctx, vm, policy, nil)
}
