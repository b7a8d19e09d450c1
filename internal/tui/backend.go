package tui

import (
	"context"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Backend is where the UI gets what it shows, and has done what it is asked to do. Its methods may be called at once.
type Backend interface {
	Reader
	Streamer
	Worker
	Migrator
}

// Reader tells what there is.
type Reader interface {
	// Inventory waits until the VMs or the state of the connection are others than those of generation seen, and returns them
	// with their generation. Generation 0 is no one's. A vCenter that is lost is told in Inventory.Lost and is no error.
	Inventory(ctx context.Context, seen uint64) (Inventory, error)
	// VM reads one VM whole, by its moref.
	VM(ctx context.Context, ref string) (*vsphere.VM, error)
	// Places lists where VMs can be put.
	Places(ctx context.Context) (Places, error)
}

// Streamer tells what happens. A stream lasts until ctx ends or something is wrong that does not pass.
type Streamer interface {
	// Metrics hands on the last samples of a VM and then each new one.
	Metrics(ctx context.Context, ref string, use func(*vsphere.Metrics)) error
	// Events hands on the events of a VM, those of the last day first, the oldest first.
	Events(ctx context.Context, ref string, use func(vsphere.Event)) error
}

// Worker does what it is asked to. Nothing is done before an item's Do is called.
type Worker interface {
	// Items is the work of an operation on VMs, one item for each.
	Items(op vsphere.VMOperation, vms []vsphere.VMRef) []sdk.BulkItem
	// Clone is the work of making VMs, one item for each.
	Clone(specs []vsphere.CloneSpec) ([]sdk.BulkItem, error)
}

// Migrator brings VMs to another host.
type Migrator interface {
	// Preflight finds out what a migration would do and what would stop it, and changes nothing.
	Preflight(ctx context.Context, spec migrate.Spec) (*migrate.Plan, error)
	// Migrate is the work of one migration.
	Migrate(spec migrate.Spec) sdk.BulkItem
}

// Inventory is what is known of a vCenter's VMs. Who gets it does not change it.
type Inventory struct {
	Server     string // its host name
	VMs        []*vsphere.VMSummary
	Generation uint64
	Version    uint64    // of VMs: as long as it is the same, they are
	Loaded     bool      // VMs were read; else they are not known yet
	Since      time.Time // when Lost: the last time that VMs were known to be true
	Lost       error     // why vCenter is not reached; nil: it is
}

// Places are where VMs can be put: names, and inventory paths where a name is not unique.
type Places struct {
	Pools      []string // resource pools and clusters
	Networks   []string
	Datastores []string
}
