package guest

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
)

const (
	maxTreeBytes   = 128 << 20
	maxTreeFiles   = 100_000
	maxTreeContent = 1 << 20 // of one file that is kept
)

// treeFile is a file or symlink of a directory that was read as a whole.
type treeFile struct {
	Data []byte // nil when the file is larger than what is kept
	Link string // of a symlink
	Size int64
}

// tree is a directory's files by their path below it.
type tree map[string]treeFile

// names are sorted, so that what is decided from them does not vary.
func (t tree) names() []string { return slices.Sorted(maps.Keys(t)) }

func (t tree) text(name string) string { return string(t[name].Data) }

func (t tree) has(name string) bool {
	_, ok := t[name]
	return ok
}

// readTar reads a tar into a tree, keeping content up to keep bytes a file.
func readTar(r io.Reader, keep int64) (tree, error) {
	t := tree{}
	limited := &io.LimitedReader{R: r, N: maxTreeBytes}
	in := tar.NewReader(limited)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, limited)
			return t, err
		}
		if err != nil {
			if limited.N <= 0 {
				return nil, fmt.Errorf("more than %d MiB", maxTreeBytes>>20)
			}
			return nil, err
		}
		if len(t) == maxTreeFiles {
			return nil, fmt.Errorf("more than %d files", maxTreeFiles)
		}
		f := treeFile{Size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
			if h.Size <= keep {
				if f.Data, err = io.ReadAll(in); err != nil {
					return nil, err
				}
			}
		case tar.TypeSymlink:
			f.Link = h.Linkname
		default:
			continue
		}
		t[path.Clean("/" + h.Name)[1:]] = f
	}
}
