package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"os"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

type artifactInput struct {
	JobParam
	Name string `path:"name" doc:"As the job's artifacts say"`
}

// artifact sends a file, or ranges of it. Which file a name means is in the job's record and nowhere else, so no name leads out of it.
func (s *Server) artifact(ctx context.Context, in *artifactInput) (*listed, error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	j, err := q.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range j.Files {
		if a.Name != in.Name {
			continue
		}
		f, err := openRegular(a.Path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, sdk.WithHint(sdk.NotFoundf("artifact %q of job %s is not on this machine any more", in.Name, in.ID), "it was made on the worker %s", a.Worker)
		}
		if err != nil {
			return nil, err
		}
		return &listed{Body: func(hctx huma.Context) {
			defer f.Close() //nolint:errcheck // only read
			r, w := humago.Unwrap(hctx)
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
			if info, err := f.Stat(); err == nil {
				http.ServeContent(w, r, "", info.ModTime(), f)
			}
		}}, nil
	}
	return nil, sdk.NotFoundf("job %s has no artifact %q", in.ID, in.Name)
}

func openRegular(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, sdk.Conflictf("%s is no file", path)
	}
	return os.Open(path)
}
