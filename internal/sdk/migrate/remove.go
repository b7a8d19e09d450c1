package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

// Redefine defines the domain again from what the job kept, after someone undefined it. Disks must be there.
func Redefine(ctx context.Context, deps Deps, dir, jobKey string) (*libvirt.Domain, error) {
	_, s, err := loadRecord(dir, jobKey)
	if err != nil {
		return nil, err
	}
	if s.Domain == nil {
		return nil, sdk.Conflictf("the job in %s never defined a domain", JobDir(dir, jobKey))
	}
	for _, d := range s.Domain.Disks {
		if !exists(d.Path) {
			return nil, sdk.WithHint(sdk.Conflictf("disk %s of domain %q is gone", d.Path, s.Domain.Name),
				"put it back, or start anew by removing %s", JobDir(dir, jobKey))
		}
	}
	return deps.Libvirt.Define(ctx, *s.Domain)
}

// Removal says what Remove takes away.
type Removal string

// The policies of Remove. All of them leave the source alone; an unfinished job always keeps its checkpoint.
const (
	RemoveNothing Removal = "keep"     // forget the job
	RemoveDomain  Removal = "undefine" // stop and undefine the domain; disks stay
	RemoveAllOfIt Removal = "delete"   // and delete the disks that are still the files this job made
)

// Removed lists what Remove did.
type Removed struct {
	Domain  string   // name of the domain that went; empty: there was none
	Deleted []string // files that went
	Kept    []string // files that stay
	Spared  []string // of those, the ones that policy would delete but that are not this job's files any more
	Resumes bool     // the job was unfinished: its checkpoint stays and the same migration goes on from it
}

// Remove ends a job's hold on the target, by policy.
func Remove(ctx context.Context, deps Deps, dir, jobKey string, policy Removal, shutdownIn time.Duration) (*Removed, error) {
	_, s, err := loadRecord(dir, jobKey)
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(JobDir(dir, jobKey), jobKey)
	if err != nil {
		return nil, err
	}
	removed := &Removed{Resumes: s.Status != sdk.Succeeded}
	for _, d := range s.Disks {
		if d.Path != "" {
			removed.Kept = append(removed.Kept, d.Path)
		}
	}
	if removed.Resumes {
		return removed, errors.Join(releaseName(ctx, deps, s, removed), j.Close())
	}
	if policy != RemoveNothing {
		if err := removeDomain(ctx, deps, s, shutdownIn, removed); err != nil {
			return removed, errors.Join(err, j.Close())
		}
	}
	if policy == RemoveAllOfIt {
		if err := removed.deleteDisks(s); err != nil {
			return removed, errors.Join(err, j.Close())
		}
	}
	return removed, j.Remove()
}

// releaseName undefines what an unfinished job had defined. One that is committing keeps its domain: it only rolls forward.
func releaseName(ctx context.Context, deps Deps, s *State, removed *Removed) error {
	if s.Committing {
		return nil
	}
	return removeDomain(ctx, deps, s, 0, removed)
}

func removeDomain(ctx context.Context, deps Deps, s *State, shutdownIn time.Duration, removed *Removed) error {
	if !s.Defined || deps.Libvirt == nil {
		return nil
	}
	domain, err := deps.Libvirt.GetDomain(ctx, s.DomainUUID)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.owns(domain) {
		return sdk.Conflictf("domain %q has other disks than this job made (%v); it is left alone", domain.Name, domain.Disks)
	}
	if err := deps.Libvirt.Stop(ctx, s.DomainUUID, shutdownIn, true); err != nil {
		return fmt.Errorf("stop domain %q: %w", domain.Name, err)
	}
	if err := deps.Libvirt.Undefine(ctx, s.DomainUUID); err != nil {
		return fmt.Errorf("undefine domain %q: %w", domain.Name, err)
	}
	removed.Domain = domain.Name
	return nil
}

// owns says whether a domain stands on this job's disks. One that shows none, or others beside ours, still is ours.
func (s *State) owns(domain *libvirt.Domain) bool {
	return len(domain.Disks) == 0 || slices.ContainsFunc(s.Disks, func(d export.Disk) bool { return slices.Contains(domain.Disks, d.Path) })
}

// deleteDisks removes the files whose device and inode are still those that were committed. A guest that ran changes size and
// time, never the inode.
func (r *Removed) deleteDisks(s *State) error {
	var kept []string
	for _, path := range r.Kept {
		id, err := fileID(path)
		want := s.DiskIDs[path]
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return err
		case id.Inode != want.Inode || id.Device != want.Device:
			kept = append(kept, path)
			r.Spared = append(r.Spared, path)
		default:
			if err := os.Remove(path); err != nil {
				return err
			}
			r.Deleted = append(r.Deleted, path)
		}
	}
	r.Kept = kept
	if len(kept) == 0 && s.ManifestPath != "" { // it describes nothing any more
		removeQuietly(s.ManifestPath)
	}
	return nil
}
