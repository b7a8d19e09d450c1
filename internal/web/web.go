// Package web is the dashboard: a page of our own making, built from dashboard/ into dist/, which is embedded. It talks to the API of the
// server that it came from and to nothing else. `npm run build` in dashboard/ makes dist/ anew; CI does and compares.
package web

import (
	"crypto/rand"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

//go:embed dist
var dist embed.FS

// Prefix is where the dashboard lies on the server.
const Prefix = "/ui/"

// nonceMark stands in the built page where each answer's nonce goes.
const nonceMark = "__NONCE__"

// policy allows the page its own files, its own server, and the style elements that carry this answer's nonce. Nothing else: no other
// origin, no inline script, no frame around it.
const policy = "default-src 'none'; script-src 'self' 'nonce-%[1]s'; style-src 'self' 'nonce-%[1]s'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler serves the dashboard below Prefix. Its files are named by their content and may be kept for ever; every other path is a page
// of the application, which is one document.
func Handler() (http.Handler, error) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("the dashboard is not built: %w", err)
	}
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("the dashboard is not built: %w", err)
	}
	static := http.StripPrefix(Prefix, http.FileServerFS(files))
	return gzhttp.GzipHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the dashboard is only read", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), strings.TrimSuffix(Prefix, "/"))
		name = strings.TrimPrefix(name, "/")
		if name != "" && name != "index.html" && isFile(files, name) {
			if strings.HasPrefix(name, "assets/") {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			static.ServeHTTP(w, r)
			return
		}
		if name == "assets" || strings.HasPrefix(name, "assets/") { // of an older build: a page in its place would be taken for a script
			http.NotFound(w, r)
			return
		}
		servePage(w, string(page))
	})), nil
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

func servePage(w http.ResponseWriter, page string) {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails, see crypto/rand
	nonce := base64.RawStdEncoding.EncodeToString(raw[:])
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // a nonce is for one answer
	h.Set("Content-Security-Policy", fmt.Sprintf(policy, nonce))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	fmt.Fprint(w, strings.ReplaceAll(page, nonceMark, nonce))
}
