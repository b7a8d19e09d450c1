package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
)

// sectionName is the export's section of the journal.
const sectionName = "export"

// partialSuffix marks a file that is not whole.
const partialSuffix = ".partial"

// section is what a resume reads: the finished files by their path.
type section struct {
	Files map[string]record `json:"files"`
}

// record is a finished file. It is written before the file gets its final name, so that a file without a record is never
// ours.
type record struct {
	Made         string    `json:"made"` // how, so that a changed spec makes it anew
	Bytes        int64     `json:"bytes"`
	ModTime      time.Time `json:"mod_time"`
	SHA256       string    `json:"sha256,omitempty"`
	VirtualBytes int64     `json:"virtual_bytes,omitempty"`

	Members map[string]record `json:"members,omitempty"` // the disks in an OVA, by id
}

// finished is a whole file under its partial name.
type finished struct {
	path   string
	record record
}

// Forget removes the files that earlier runs recorded in the journal, and the record of them: what they were made from is stale.
func Forget(j *journal.Journal) error {
	var st section
	if _, err := j.Get(sectionName, &st); err != nil {
		return err
	}
	for path := range st.Files {
		for _, name := range []string{path, path + partialSuffix} {
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return j.Delete(sectionName)
}

// publish records the files and gives them their final names. A crash between the two leaves whole partial files that
// reuse finds.
func (r *runner) publish(files ...finished) error {
	if len(files) == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range files {
		info, err := os.Stat(f.path + partialSuffix)
		if err != nil {
			return err
		}
		f.record.Bytes, f.record.ModTime = info.Size(), info.ModTime().UTC()
		r.state.Files[f.path] = f.record
	}
	if err := r.journal.Put(sectionName, r.state); err != nil {
		return err
	}
	for _, f := range files {
		if err := journal.Rename(f.path+partialSuffix, f.path); err != nil {
			return err
		}
	}
	return nil
}

// reuse says whether path is whole already, made as asked. A file there that the journal does not know, or that was
// changed since, is sdk.ErrConflict.
func (r *runner) reuse(ctx context.Context, path, made string) (bool, error) {
	rec, known := r.state.Files[path]
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return known && rec.Made == made && r.adoptPartial(path, rec), nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	if !known {
		return false, sdk.WithHint(sdk.Conflictf("%s exists and was not made by this job", path),
			"move it away, or export to another place")
	}
	if err := unchanged(ctx, path, info, rec); err != nil {
		return false, err
	}
	return rec.Made == made, nil
}

// adoptPartial finishes what a crash left between record and rename.
func (r *runner) adoptPartial(path string, rec record) bool {
	info, err := os.Lstat(path + partialSuffix)
	if err != nil || !info.Mode().IsRegular() || info.Size() != rec.Bytes || !info.ModTime().Equal(rec.ModTime) {
		return false
	}
	return journal.Rename(path+partialSuffix, path) == nil
}

// unchanged compares a file with its record: size and time, and the content when only the time differs.
func unchanged(ctx context.Context, path string, info os.FileInfo, rec record) error {
	same := info.Mode().IsRegular() && info.Size() == rec.Bytes
	if same && !info.ModTime().Equal(rec.ModTime) {
		if same = rec.SHA256 != ""; same {
			sum, err := hashFile(ctx, path)
			if err != nil {
				return err
			}
			same = sum == rec.SHA256
		}
	}
	if !same {
		return sdk.WithHint(sdk.Conflictf("%s was changed since this job made it", path),
			"move it away to export it again")
	}
	return nil
}

// create makes path's partial file anew.
func create(path string) (*os.File, error) {
	partial := path + partialSuffix
	if err := os.Remove(partial); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	}), make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
