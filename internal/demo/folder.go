package demo

import (
	"crypto/subtle"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/soap"
)

// serveFolder answers /folder/<path>?dcPath=DC0&dsName=LocalDS_0, the datastore browser's file access ("Datastore", HTTP
// access, "vSphere Web Services API"): GET and HEAD with Range for every file, PUT and POST to upload. It asks for a login. The
// extent of a guest's disk (<vm>-flat.vmdk) is the disk itself, read-only.
func (v *VCenter) serveFolder(w http.ResponseWriter, r *http.Request) {
	v.calls.add(r.Method + " /folder")
	if !v.authenticated(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	query := r.URL.Query()
	if dc := path.Base(query.Get("dcPath")); dc != "DC0" && dc != "." || query.Get("dsName") != datastoreName && query.Has("dsName") {
		http.NotFound(w, r)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/folder")
	name = strings.TrimPrefix(name, "/")
	img := v.flats[name]
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if img != nil {
			v.serveFlat(w, r, img)
			return
		}
		v.serveFile(w, r, name)
	case http.MethodPut, http.MethodPost:
		if img != nil {
			http.Error(w, "the disk of a guest is read-only", http.StatusForbidden)
			return
		}
		v.storeFile(w, r, name)
	default: // DELETE among them: nothing here removes files
		w.Header().Set("Allow", "GET, HEAD, PUT, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// authenticated accepts a session's cookie or the user's name and password, as vCenter does.
func (v *VCenter) authenticated(r *http.Request) bool {
	if cookie, err := r.Cookie(soap.SessionCookieName); err == nil && v.sessions.alive(cookie.Value) {
		return true
	}
	user, password, ok := r.BasicAuth()
	return ok && v.validLogin(user, password)
}

func (v *VCenter) validLogin(user, password string) bool {
	sameUser := subtle.ConstantTimeCompare([]byte(user), []byte(v.opts.Username))
	samePassword := subtle.ConstantTimeCompare([]byte(password), []byte(v.opts.Password))
	return sameUser&samePassword == 1
}

// serveFlat serves the raw bytes of a disk.
func (v *VCenter) serveFlat(w http.ResponseWriter, r *http.Request, img *image) {
	raw, err := img.flat(r.Context())
	if err != nil {
		http.Error(w, "cannot read the disk", http.StatusInternalServerError)
		return
	}
	f, err := os.Open(raw)
	if err != nil {
		http.Error(w, "cannot read the disk", http.StatusInternalServerError)
		return
	}
	defer f.Close() //nolint:errcheck // read only
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, f)
}

// serveFile serves what else lies on the datastore. os.Root keeps any name inside it.
func (v *VCenter) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	if name == "" {
		name = "."
	}
	f, err := v.datastore.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close() //nolint:errcheck // read only
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", st.ModTime(), f)
}

// maxUpload bounds a file that is put on the datastore.
const maxUpload = 1 << 30

// storeFile writes an uploaded file: POST makes a new one, PUT also replaces.
func (v *VCenter) storeFile(w http.ResponseWriter, r *http.Request, name string) {
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if r.Method == http.MethodPost {
		flag |= os.O_EXCL
	}
	if dir := path.Dir(name); dir != "." {
		if err := v.datastore.MkdirAll(dir, 0o700); err != nil {
			http.Error(w, "cannot make the directory", http.StatusBadRequest)
			return
		}
	}
	f, err := v.datastore.OpenFile(name, flag, 0o600)
	if os.IsExist(err) {
		w.WriteHeader(http.StatusConflict)
		return
	}
	if err != nil {
		http.Error(w, "cannot make the file", http.StatusBadRequest)
		return
	}
	_, err = io.Copy(f, http.MaxBytesReader(w, r.Body, maxUpload))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		http.Error(w, "upload did not end well", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
}
