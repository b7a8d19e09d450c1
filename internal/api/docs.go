package api

import (
	"embed"
	"encoding/json"
	"net/http"
	"path"
)

//go:embed docs/index.html docs/docs.css docs/docs.js
var docs embed.FS

var docTypes = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

// serveDocs serves the description of the API and a page that shows it. Both tell nothing about a vCenter, so they ask for no token.
func (s *Server) serveDocs() error {
	text, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		return err
	}
	s.mux.HandleFunc("GET /openapi.json", constant("application/json", text))
	for url, file := range map[string]string{"/docs": "index.html", "/docs/docs.css": "docs.css", "/docs/docs.js": "docs.js"} {
		asset, err := docs.ReadFile("docs/" + file)
		if err != nil {
			return err
		}
		s.mux.HandleFunc("GET "+url, constant(docTypes[path.Ext(file)], asset))
	}
	return nil
}

// servePages serves the dashboard, and leads whoever comes without a path to a page.
func (s *Server) servePages(dashboard http.Handler) {
	home := "/docs"
	if dashboard != nil {
		home = "/ui/"
		s.mux.Handle(home, dashboard)
	}
	s.mux.Handle("GET /{$}", http.RedirectHandler(home, http.StatusFound))
}

func constant(kind string, text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(text) // the client may be gone
	}
}
