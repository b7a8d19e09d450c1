package tui

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// SDKBackend is the Backend over a session at vCenter of this process.
type SDKBackend struct {
	c       *vsphere.Client
	mirror  *vsphere.Mirror
	metrics *vsphere.MetricsHub
	server  string
	log     *slog.Logger
	version string

	mu         sync.Mutex
	generation uint64
	seen       inventoryKey // what the generation is of
}

// inventoryKey tells two states of the inventory apart.
type inventoryKey struct {
	version uint64
	state   vsphere.MirrorState
	err     string
}

var _ Backend = (*SDKBackend)(nil)

// NewSDKBackend begins to follow the inventory, until ctx or the client ends. log may be nil; version is this program's, for what
// migrations write.
func NewSDKBackend(ctx context.Context, c *vsphere.Client, log *slog.Logger, version string) *SDKBackend {
	b := &SDKBackend{c: c, mirror: c.StartMirror(ctx), metrics: c.StartMetrics(ctx), log: log, version: version}
	if about, err := c.GetVCenter(ctx); err == nil {
		if u, err := url.Parse(about.URL); err == nil {
			b.server = u.Hostname()
		}
	}
	return b
}

// Inventory waits for another state of the mirror than that of the generation seen.
func (b *SDKBackend) Inventory(ctx context.Context, seen uint64) (Inventory, error) {
	for {
		snapshot, status := b.mirror.Snapshot(), b.mirror.Status()
		if inv := b.inventory(snapshot, status); inv.Generation != seen {
			return inv, nil
		}
		select {
		case <-ctx.Done():
			return Inventory{}, ctx.Err()
		case <-b.mirror.Done():
			return Inventory{}, sdk.Unavailablef("the session at vCenter has ended")
		case <-snapshot.Changed():
		}
	}
}

func (b *SDKBackend) inventory(snapshot *vsphere.Inventory, status vsphere.MirrorStatus) Inventory {
	inv := Inventory{
		Server: b.server, VMs: snapshot.VMs, Version: snapshot.Version, Loaded: !status.AsOf.IsZero(), Since: status.AsOf,
	}
	key := inventoryKey{version: snapshot.Version, state: status.State}
	if status.State == vsphere.MirrorLost {
		inv.Lost = status.Err
		if inv.Lost == nil {
			inv.Lost = errors.New("no answer")
		}
		key.err = inv.Lost.Error()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.generation == 0 || key != b.seen {
		b.generation++
		b.seen = key
	}
	inv.Generation = b.generation
	return inv
}

// VM reads one VM whole.
func (b *SDKBackend) VM(ctx context.Context, ref string) (*vsphere.VM, error) {
	return b.c.GetVM(ctx, ref)
}

// Places asks vCenter.
func (b *SDKBackend) Places(ctx context.Context) (places Places, err error) {
	for _, of := range []struct {
		kind vsphere.Kind
		to   *[]string
	}{
		{vsphere.KindResourcePool, &places.Pools}, {vsphere.KindCluster, &places.Pools},
		{vsphere.KindNetwork, &places.Networks}, {vsphere.KindDatastore, &places.Datastores},
	} {
		refs, err := b.c.ListReferences(ctx, of.kind)
		if err != nil {
			return places, err
		}
		*of.to = append(*of.to, refs...)
	}
	return places, nil
}

// Metrics hands on the samples of the last hour and then each new one.
func (b *SDKBackend) Metrics(ctx context.Context, ref string, use func(*vsphere.Metrics)) error {
	watch, err := b.metrics.Watch(ctx, vsphere.MetricsSpec{Entity: ref, Type: vsphere.TypeVM, MaxSamples: sampleKeep})
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		update, err := watch.Next(ctx)
		if err != nil {
			return err
		}
		use(update.Metrics)
	}
}

// Events hands on the events of the last day and then each new one.
func (b *SDKBackend) Events(ctx context.Context, ref string, use func(vsphere.Event)) error {
	return b.c.StreamEvents(ctx, vsphere.EventsSpec{Entity: ref, Since: "24h ago"}, func(e vsphere.Event) error {
		use(e)
		return nil
	})
}

// Items is the work of an operation on VMs.
func (b *SDKBackend) Items(op vsphere.VMOperation, vms []vsphere.VMRef) []sdk.BulkItem {
	return b.c.VMItems(op, vms)
}

// Clone is the work of making VMs.
func (b *SDKBackend) Clone(specs []vsphere.CloneSpec) ([]sdk.BulkItem, error) {
	items := make([]sdk.BulkItem, 0, len(specs))
	for _, spec := range specs {
		if err := spec.Validate(); err != nil {
			return nil, err
		}
		items = append(items, sdk.BulkItem{Name: spec.TargetName, Do: func(ctx context.Context, report sdk.ProgressFunc) error {
			result, err := b.c.Clone(ctx, spec, report)
			if err == nil && len(result.Warnings) > 0 {
				return sdk.Done("%s", result.Warnings[0])
			}
			return err
		}})
	}
	return items, nil
}

// Preflight asks vCenter and libvirt what a migration would meet.
func (b *SDKBackend) Preflight(ctx context.Context, spec migrate.Spec) (plan *migrate.Plan, err error) {
	err = b.withDeps(ctx, spec, func(deps migrate.Deps) error {
		plan, err = migrate.Preview(ctx, deps, spec)
		return err
	})
	return plan, err
}

// Migrate is the work of one migration. Canceled, it can be gone on with by asking for it again.
func (b *SDKBackend) Migrate(spec migrate.Spec) sdk.BulkItem {
	return sdk.BulkItem{Name: spec.Name, Do: func(ctx context.Context, report sdk.ProgressFunc) error {
		return b.withDeps(ctx, spec, func(deps migrate.Deps) error {
			result, err := migrate.Run(ctx, deps, spec, report)
			if err != nil {
				return err
			}
			return sdk.Done("%s copied, domain %s, see %s", sdk.FormatBytes(result.BytesCopied), result.Name, result.Dir)
		})
	}}
}

// withDeps opens the connection to the target for the time of do.
func (b *SDKBackend) withDeps(ctx context.Context, spec migrate.Spec, do func(migrate.Deps) error) (err error) {
	deps := migrate.Deps{VSphere: b.c, Logger: b.log, Version: b.version}
	if spec.Target != nil {
		if deps.Libvirt, err = libvirt.Open(ctx, spec.Target.URI, b.log); err != nil {
			return fmt.Errorf("target: %w", err)
		}
		defer func() { err = errors.Join(err, deps.Libvirt.Close()) }() //nolint:contextcheck // it takes none
	}
	return do(deps)
}
