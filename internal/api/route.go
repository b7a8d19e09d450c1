package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const roleKey = "role"

// describe completes an operation, for the document.
type describe func(*huma.Operation)

// route registers one operation. Its id is made of method and path.
func route[I, O any](s *Server, method, path string, need Role, summary string, handle func(context.Context, *I) (*O, error), more ...describe) {
	huma.Register(s.api, s.operation(method, path, need, summary, more...), func(ctx context.Context, in *I) (*O, error) {
		req := requestOf(ctx)
		req.clear()
		out, err := handle(ctx, in)
		if err == nil {
			return out, nil
		}
		return nil, s.told(ctx, err)
	})
}

// told is the problem for an error; what is the daemon's own fault goes into the log.
func (s *Server) told(ctx context.Context, err error) *Problem {
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError {
		s.log.Error("a request failed", "request", requestOf(ctx).id, "error", errors.Unwrap(p))
	}
	return p
}

func (s *Server) operation(method, path string, need Role, summary string, more ...describe) huma.Operation {
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary,
		Tags: []string{tagOf(path)}, MaxBodyBytes: s.limits.Body + 1, BodyReadTimeout: s.limits.BodyRead,
		Responses: map[string]*huma.Response{"default": {
			Description: "A refusal or a failure",
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: s.schema(reflect.TypeFor[Problem]())}},
		}},
	}
	if need > 0 {
		op.Metadata = map[string]any{roleKey: need}
		op.Description = "Needs the role " + need.String() + "."
	} else {
		op.Security = []map[string][]string{{}}
	}
	for _, d := range more {
		d(&op)
	}
	return op
}

func (s *Server) schema(t reflect.Type) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(t, true, "")
}

// operationID makes get-vsphere-hosts-name of GET /vsphere/hosts/{name}.
func operationID(method, path string) string {
	clean := strings.NewReplacer("{", "", "}", "", "/", "-", "_", "-", ".", "-").Replace(path)
	return strings.ToLower(method) + clean
}

// tagOf groups operations by their noun.
func tagOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "vsphere" && len(parts) > 1 {
		return parts[1]
	}
	if strings.Contains(parts[0], ".") || strings.HasSuffix(parts[0], "z") {
		return "daemon"
	}
	return parts[0]
}

// about adds a paragraph to an operation's description.
func about(text string) describe {
	return func(op *huma.Operation) { op.Description = strings.TrimSpace(text + "\n\n" + op.Description) }
}

// status is the status of success.
func status(code int) describe {
	return func(op *huma.Operation) { op.DefaultStatus = code }
}

// accepted says what a route answers that makes a job: the job, or with wait its result.
func accepted[T any](s *Server) describe {
	answer := func(t reflect.Type, text string) *huma.Response {
		return &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(t)}}}
	}
	return func(op *huma.Operation) {
		op.Responses["202"] = answer(reflect.TypeFor[Accepted](), "The job")
		op.Responses["200"] = answer(reflect.TypeFor[T](), "With wait: the result")
		op.Responses["207"] = answer(reflect.TypeFor[T](), "With wait: the result of work that is done in part")
	}
}

// schemaName keeps the bare names of the API's own and vSphere's types, and tells others by their package.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	switch pkg {
	case "", "api", "vsphere", "sdk", "job":
		return name
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}
