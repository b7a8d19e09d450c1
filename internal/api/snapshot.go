package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func (s *Server) listSnapshots(ctx context.Context, in *NameParam) (*body[*vsphere.VMSnapshots], error) {
	l, err := s.vc.ListSnapshots(ctx, in.Name)
	return &body[*vsphere.VMSnapshots]{l}, err
}

type createSnapshotInput struct {
	NameParam
	Body struct {
		Name        string `json:"name" minLength:"1" maxLength:"80"`
		Description string `json:"description,omitempty"`
		Memory      bool   `json:"memory,omitempty" doc:"With the memory of a running VM"`
		Quiesce     bool   `json:"quiesce,omitempty" doc:"VMware Tools quiesce the file systems of a running VM first"`
	}
}

func (s *Server) createSnapshot(ctx context.Context, in *createSnapshotInput) (*body[*vsphere.Snapshot], error) {
	b := in.Body
	made, _, err := s.vc.CreateSnapshot(ctx, vsphere.SnapshotSpec{VM: in.Name, Name: b.Name, Description: b.Description, Memory: b.Memory, Quiesce: b.Quiesce}, nil)
	return &body[*vsphere.Snapshot]{made}, err
}

// SnapshotParam is a VM and one of its snapshots in a path.
type SnapshotParam struct {
	NameParam
	Snapshot string `path:"snapshot" doc:"The snapshot's name, path or managed object id, percent-encoded"`
}

type deleteSnapshotInput struct {
	SnapshotParam
	Children bool `query:"children" doc:"Those below it too"`
}

// Removed is what is left to do after a snapshot was removed.
type Removed struct {
	ConsolidationNeeded bool `json:"consolidation_needed" doc:"vCenter could not merge all delta disks and asks for a consolidation"`
}

func (s *Server) deleteSnapshot(ctx context.Context, in *deleteSnapshotInput) (*body[Removed], error) {
	// RemoveSnapshot takes one that is gone for done; who asks by HTTP wants to know.
	snapshot, err := s.vc.GetSnapshot(ctx, in.Name, in.Snapshot)
	if err != nil {
		return nil, err
	}
	consolidate, err := s.vc.RemoveSnapshot(ctx, in.Name, snapshot.Ref, in.Children, nil)
	return &body[Removed]{Removed{consolidate}}, err
}

type revertInput struct {
	SnapshotParam
	Body struct {
		SuppressPowerOn bool `json:"suppress_power_on,omitempty" doc:"Leave the VM off, also when the snapshot holds memory"`
		Confirm         bool `json:"confirm" doc:"true: what was written since is lost, and that is meant"`
	}
}

func (s *Server) revertSnapshot(ctx context.Context, in *revertInput) (*struct{}, error) {
	if !in.Body.Confirm {
		return nil, sdk.WithHint(sdk.Invalidf("revert %q to %q: what was written since is lost", in.Name, in.Snapshot), "send \"confirm\": true when that is meant")
	}
	return nil, s.vc.RevertSnapshot(ctx, vsphere.RevertSpec{VM: in.Name, Snapshot: in.Snapshot, SuppressPowerOn: in.Body.SuppressPowerOn}, nil)
}
