package api

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// minCompressed is the least size that is worth it; what is smaller fits into one packet.
const minCompressed = 1400

// compressed compresses what a client can unpack, unless it is compressed already.
func compressed(next http.Handler) http.Handler {
	pool := &sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is right by construction
		return z
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUpgrade(r) || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Accept-Encoding")
		if !takesGzip(r) {
			next.ServeHTTP(w, r)
			return
		}
		out := &zipped{ResponseWriter: w, pool: pool}
		defer out.close()
		next.ServeHTTP(out, r)
	})
}

// takesGzip reads Accept-Encoding; a weight of zero refuses.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, weighted := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !weighted || err == nil && value > 0
	}
	return false
}

// zipped decides at the first write, which for JSON is the whole answer.
type zipped struct {
	http.ResponseWriter
	pool   *sync.Pool
	status int
	zip    *gzip.Writer
	begun  bool
}

func (w *zipped) WriteHeader(status int) { w.status = status }

func (w *zipped) Write(p []byte) (int, error) {
	if !w.begun {
		w.begin(len(p))
	}
	if w.zip != nil {
		return w.zip.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

func (w *zipped) begin(size int) {
	w.begun = true
	h := w.Header()
	if size >= minCompressed && h.Get("Content-Encoding") == "" && isText(h.Get("Content-Type")) {
		z, ok := w.pool.Get().(*gzip.Writer)
		if ok {
			z.Reset(w.ResponseWriter)
			w.zip = z
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
		}
	}
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
}

// isText says whether a type is worth it; files of jobs are packed already.
func isText(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "application/problem+json")
}

func (w *zipped) close() {
	if !w.begun && w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
	if w.zip != nil {
		_ = w.zip.Close() // the client may be gone
		w.pool.Put(w.zip)
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *zipped) Unwrap() http.ResponseWriter { return w.ResponseWriter }
