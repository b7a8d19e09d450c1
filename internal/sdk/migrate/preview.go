package migrate

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/preflight"
)

// Preview finds out what Run would do. It changes nothing and writes nothing.
func Preview(ctx context.Context, deps Deps, spec Spec) (*Plan, error) {
	j, err := prepare(ctx, deps, spec)
	if err != nil {
		return nil, err
	}
	return j.plan(ctx)
}

func (j *job) plan(ctx context.Context) (*Plan, error) {
	p := &Plan{
		VM: j.vm, JobKey: j.key, Name: j.name, Dir: j.dir, Disks: j.disks,
		NeedBytes: j.needBytes(), FreeBytes: freeBytes(j.diskDir),
	}
	if j.spec.Target != nil {
		p.DomainUUID = j.domainUUID()
	}
	rec, state, err := loadRecord(j.dir, j.key)
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return nil, err
	}
	for _, s := range stages(j) {
		line := PlanStage{Name: s.Name(), Does: s.Does(j)}
		if rec != nil {
			line.Done = rec.Stages[s.Name()].Status
		}
		p.Stages = append(p.Stages, line)
		if p.Resume == "" && rec != nil && line.Done != sdk.Succeeded {
			p.Resume = s.Name()
		}
	}
	in, err := j.preflightInput(ctx, state)
	if err != nil {
		return nil, err
	}
	p.Findings = preflight.Check(in)
	p.Blocking = preflight.Blocking(p.Findings, j.spec.Preflight.FailOn, j.spec.Preflight.Ignore)
	return p, nil
}

// preflightInput gathers what the rules look at. state is an earlier run's, or nil.
func (j *job) preflightInput(ctx context.Context, state *State) (preflight.Input, error) {
	in := preflight.Input{VM: j.vm, Plan: preflight.Plan{
		Name: j.name, Dir: j.dir, FreeBytes: freeBytes(j.diskDir), NeedBytes: j.needBytes(),
		SourceAfter: j.spec.SourceAfter, Fix: j.spec.Pipeline != nil && j.spec.Pipeline.Fix, Networks: map[string]string{},
	}}
	if j.spec.Pipeline != nil {
		in.Plan.Engine = j.spec.Pipeline.Engine
	}
	if state != nil {
		if state.Defined {
			in.Plan.UUID = j.domainUUID()
		}
		in.Plan.NeedBytes = max(0, in.Plan.NeedBytes-sizeOf(state))
	}
	for _, d := range j.disks {
		if d.Skip {
			in.Plan.Skip = append(in.Plan.Skip, d.Address)
		} else if state == nil && d.Path != "" && exists(d.Path) {
			in.Plan.Existing = append(in.Plan.Existing, d.Path)
		}
	}
	if j.spec.Target == nil {
		return in, nil
	}
	in.Plan.Hardware = j.spec.Target.Hardware
	for source, n := range j.spec.Target.Networks {
		in.Plan.Networks[source] = n.String()
	}
	var err error
	in.Target, err = j.preflightTarget(ctx)
	return in, err
}

// String is how rules and messages name it: bridge:br0 or network:default.
func (n NetworkSpec) String() string {
	if n.Bridge != "" {
		return "bridge:" + n.Bridge
	}
	return "network:" + n.Network
}

func (j *job) preflightTarget(ctx context.Context) (*preflight.Target, error) {
	lv := j.deps.Libvirt
	t := &preflight.Target{URI: j.spec.Target.URI, Pool: j.pool, Bridges: map[string]bool{}}
	var err error
	if t.Host, err = lv.GetHost(ctx); err != nil {
		return nil, err
	}
	if t.Networks, err = lv.ListNetworks(ctx); err != nil {
		return nil, err
	}
	if t.Domains, err = lv.ListDomains(ctx); err != nil {
		return nil, err
	}
	for _, n := range j.spec.Target.Networks {
		if n.Bridge == "" {
			continue
		}
		exists, known, err := lv.BridgeExists(ctx, n.Bridge)
		if err != nil {
			return nil, err
		}
		if known {
			t.Bridges[n.Bridge] = exists
		}
	}
	return t, nil
}

// needBytes is an upper bound of what the job writes: images, what is kept as served, and a little for overlays.
func (j *job) needBytes() int64 {
	const overlayBytes = 256 << 20
	var need int64
	for _, d := range j.wanted() {
		used := j.usedBytes(d.Address)
		if d.Path != "" {
			need += used
		}
		if j.spec.Keep != export.KeepNothing {
			need += used
		}
	}
	if j.spec.Pipeline != nil && j.spec.Pipeline.Fix {
		need += overlayBytes
	}
	return need
}

// usedBytes is what a disk occupies on its datastore, or its capacity when that is not known.
func (j *job) usedBytes(address string) int64 {
	for _, d := range j.vm.Disks {
		if d.Address == address {
			return d.CapacityBytes
		}
	}
	return 0
}

// sizeOf is what an earlier run wrote already.
func sizeOf(s *State) int64 {
	var n int64
	for _, d := range s.Disks {
		n += d.Bytes
	}
	return n
}

// freeBytes is what may be written below dir; the nearest directory that exists answers. -1: not known.
func freeBytes(dir string) int64 {
	for !exists(dir) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
	}
	return freeSpace(dir)
}
