package migrate

import (
	"context"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

// Validate checks the shape of the spec without asking anyone; the error is sdk.ErrInvalid and names the field.
func (s Spec) Validate() error { panic("contract") }

// JobKey is the same for the same VM, target and name, whoever asks: an interrupted job is found again by it.
func JobKey(vcenterUUID, instanceUUID, targetURI, name string) string { panic("contract") }

// DomainUUID derives the domain's UUID (version 5) from the job key, so that it is known before any work.
func DomainUUID(jobKey string) string { panic("contract") }

// Preview finds out what Run would do. It changes nothing and writes nothing.
func Preview(ctx context.Context, deps Deps, spec Spec) (*Plan, error) { panic("contract") }

// Run does the migration, or goes on with one that was interrupted. On cancellation it returns the context's error and a
// Result whose Status is interrupted. When the export is whole and a later stage failed, the Result is there and the error is
// an *sdk.PartialError.
func Run(ctx context.Context, deps Deps, spec Spec, report sdk.ProgressFunc) (*Result, error) {
	panic("contract")
}

// Load reads what is known of a job from its directory. sdk.ErrNotFound when there is no journal.
func Load(dir, jobKey string) (*Result, error) { panic("contract") }

// Redefine defines the domain again from the XML the job kept, after someone undefined it. Disks must be there.
func Redefine(ctx context.Context, deps Deps, dir, jobKey string) (*libvirt.Domain, error) {
	panic("contract")
}

// Removal says what Remove takes away.
type Removal string

// The policies of Remove. All of them leave the source alone; an unfinished job always keeps its checkpoint.
const (
	RemoveNothing Removal = "keep"     // forget the job
	RemoveDomain  Removal = "undefine" // stop and undefine the domain; disks and journal's list of them stay
	RemoveAllOfIt Removal = "delete"   // and delete the disks that are still the ones this job made
)

// Removed lists what Remove did.
type Removed struct {
	Domain  string   // name of the domain that went
	Deleted []string // files that went
	Kept    []string // files that stay, with the reason when they could have gone
}

// Remove ends a job's hold on the target, by policy.
func Remove(ctx context.Context, deps Deps, dir, jobKey string, policy Removal, shutdownIn time.Duration) (*Removed, error) {
	panic("contract")
}
