package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// listed is the answer of a list: bytes that were perhaps made for an earlier request.
type listed struct {
	Body func(huma.Context)
}

// list registers GET on a list: I chooses the rows, and page what is shown of them.
func list[I, T any](s *Server, path, summary string, read func(context.Context, *I) (rows[T], error), more ...describe) {
	more = append(more, func(op *huma.Operation) { describeList(s, op, reflect.TypeFor[[]T]()) })
	route(s, http.MethodGet, path, Viewer, summary, func(ctx context.Context, in *I) (*listed, error) {
		ctx, cancel := context.WithTimeout(ctx, s.limits.ShortReads)
		defer cancel()
		found, err := read(ctx, in)
		if err != nil {
			return nil, err
		}
		wanted := any(in).(interface{ wanted() Page }).wanted() //nolint:forcetypeassert // every list's input has a Page
		a, err := render(s.answers, path+fmt.Sprintf("%+v", *in), found.all, wanted)
		if err != nil {
			return nil, err
		}
		return &listed{Body: func(hctx huma.Context) { send(hctx, a, found.info(), wanted) }}, nil
	}, more...)
}

// render makes the answer, of what it made before as far as that is the same.
func render[T any](c *answers, key string, rows []*T, p Page) (*answer, error) {
	a, before := recall(c, key, rows)
	if a != nil {
		return a, nil
	}
	all, err := sorted(rows, p.Sort)
	if err != nil {
		return nil, err
	}
	a = &answer{total: len(all)}
	var parts map[*T][]byte
	if a.body, parts, err = encoded(cut(all, p.Offset, p.Limit), p.Fields, before); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(a.body)
	a.etag = `W/"` + hex.EncodeToString(sum[:12]) + `"` // weak: the same list, compressed or not
	keep(c, key, rows, parts, a)
	return a, nil
}

// send writes the answer with what there is to know about it.
func send(ctx huma.Context, a *answer, about rows[struct{}], p Page) {
	r, w := humago.Unwrap(ctx)
	h := w.Header()
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Age", strconv.Itoa(int(max(0, time.Since(about.asOf)).Seconds())))
	h.Set("Last-Modified", about.asOf.UTC().Format(http.TimeFormat))
	h.Set("X-Total-Count", strconv.Itoa(a.total))
	if about.stale != "" {
		h.Set("X-Stale", strings.Map(printable, about.stale))
	}
	if about.truncated {
		h.Set("X-Truncated", "true")
	}
	if p.Limit > 0 && p.Offset+p.Limit < a.total {
		h.Set("Link", "<"+nextPage(r.URL, p)+`>; rel="next"`)
	}
	if matches(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	body := a.body
	if takesGzip(r) {
		if zip := a.compressed(); zip != nil {
			h.Set("Content-Encoding", "gzip")
			body = zip
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client may be gone
}

// printable keeps a header one line of ASCII, whatever vCenter said.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}

func nextPage(u *url.URL, p Page) string {
	q := u.Query()
	q.Set("offset", strconv.Itoa(p.Offset+p.Limit))
	return u.EscapedPath() + "?" + q.Encode()
}

// matches compares entity tags weakly, as If-None-Match is meant (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func describeList(s *Server, op *huma.Operation, t reflect.Type) {
	text := func(doc string) *huma.Param {
		return &huma.Param{Description: doc, Schema: &huma.Schema{Type: "string"}}
	}
	op.Responses["200"] = &huma.Response{
		Description: "The list, an array",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: s.schema(t)}},
		Headers: map[string]*huma.Param{
			"ETag":          text("Changes with the list; send it back in If-None-Match"),
			"Age":           text("Seconds since vCenter last said that this is so"),
			"X-Stale":       text("Why this may not be true any more; absent while vCenter is heard"),
			"X-Total-Count": text("How many there are, over all pages"),
			"X-Truncated":   text("true: there are older ones that the limit left out"),
			"Link":          text("With limit: the next page, rel=next"),
		},
	}
	op.Responses["304"] = &huma.Response{Description: "It is what If-None-Match names"}
}
