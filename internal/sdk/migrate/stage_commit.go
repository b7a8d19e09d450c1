package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

// commitStage merges every overlay into its disk. The journal says Committing first: from then on the job only rolls
// forward, so across disks it is all or none.
type commitStage struct{}

func (commitStage) Name() string        { return stageCommit }
func (commitStage) Inputs(s *State) any { return guestInputs(s) }

func (commitStage) Does(j *job) string {
	return "merge the overlays into " + plural(len(j.wanted()), "disk")
}

func (commitStage) Run(ctx context.Context, s *State, report sdk.ProgressFunc) error {
	report = withStage(report, stageCommit)
	s.Committing = true
	if err := s.save(); err != nil {
		return err
	}
	for _, o := range s.Overlays {
		if !exists(o.Path) {
			continue // merged by a run that was killed before it could say so
		}
		if err := qemuimg.Commit(ctx, o.Path, report); err != nil {
			return fmt.Errorf("merge %s into %s: %w", o.Path, o.Base, err)
		}
		if err := syncFile(o.Base); err != nil {
			return err
		}
		if err := os.Remove(o.Path); err != nil {
			return err
		}
	}
	return s.measureDisks(ctx)
}

// measureDisks records size, identity and, when asked, digest of the disks as they are handed over.
func (s *State) measureDisks(ctx context.Context) error {
	s.DiskIDs = map[string]FileID{}
	for i, d := range s.Disks {
		if d.Path == "" {
			continue
		}
		id, err := fileID(d.Path)
		if err != nil {
			return err
		}
		s.DiskIDs[d.Path] = id
		s.Disks[i].Bytes = id.Bytes
		if !s.job.spec.Verify.Checksum {
			s.Disks[i].SHA256 = ""
			continue
		}
		if s.Disks[i].SHA256, err = fileSHA256(ctx, d.Path); err != nil {
			return err
		}
	}
	if s.ManifestPath == "" {
		return nil
	}
	return s.writeManifest()
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // synced
	return f.Sync()
}

func fileSHA256(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.CopyBuffer(h, contextReader{ctx, f}, make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("digest of %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// contextReader ends a long copy when its context ends.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives for one copy
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func removeQuietly(path string) { _ = os.Remove(path) }
