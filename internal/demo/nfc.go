package demo

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// serveNFC answers GET /nfc/<lease>/<file> as an ESXi host does for a lease: the whole file, chunked, without
// Content-Length and without Range. The lease's id is the only credential (HttpNfcLeaseDeviceUrl.url, "vSphere Web Services
// API"). Leases that are not ours, those of imports, are the simulator's.
func (v *VCenter) serveNFC(w http.ResponseWriter, r *http.Request) {
	v.calls.add(r.Method + " /nfc")
	l := v.leases.get(r.PathValue("lease"))
	if l == nil {
		if r.Method == http.MethodPut || r.Method == http.MethodPost {
			simulator.ServeNFC(w, r)
			return
		}
		http.NotFound(w, r)
		return
	}
	file, ok := l.files[r.PathValue("file")]
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		v.transfer(w, r, l, file)
	}
}

// transfer sends one file and lets go wrong what is to go wrong.
func (v *VCenter) transfer(w http.ResponseWriter, r *http.Request, l *lease, file leaseFile) {
	src, err := v.open(file)
	if err != nil {
		http.Error(w, "cannot read the disk", http.StatusInternalServerError)
		return
	}
	defer src.Close() //nolint:errcheck // read only
	t := &transfer{v: v, w: w, rc: http.NewResponseController(w), r: r, lease: l, faults: v.faults.get(), start: time.Now()}
	stop := t.watchLease()
	defer stop()
	w.Header().Set("Content-Type", "application/x-vnd.vmware-streamVmdk")
	w.WriteHeader(http.StatusOK)
	if err := t.rc.Flush(); err != nil { // headers first: no Content-Length even for a small file
		panic(http.ErrAbortHandler)
	}
	if err := t.copy(src); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// open opens the file's bytes, or noise of the same length.
func (v *VCenter) open(file leaseFile) (io.ReadCloser, error) {
	if file.path == "" {
		return io.NopCloser(bytes.NewReader(file.blob)), nil
	}
	f, err := os.Open(file.path)
	if err != nil || !v.faults.get().Garbage {
		return f, err
	}
	defer f.Close() //nolint:errcheck // only measured
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.LimitReader(rand.NewChaCha8([32]byte{1}), st.Size())), nil
}

// transfer is one GET under way.
type transfer struct {
	v      *VCenter
	w      io.Writer
	rc     *http.ResponseController
	r      *http.Request
	lease  *lease
	faults Faults
	start  time.Time
	sent   int64
}

// watchLease breaks a write that hangs when the lease ends.
func (t *transfer) watchLease() (stop func()) {
	finished := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-finished:
		case <-t.lease.done:
			_ = t.rc.SetWriteDeadline(time.Unix(1, 0))
		}
	}()
	return func() { close(finished); <-gone }
}

// copy sends src. An error means that the connection must be cut.
func (t *transfer) copy(src io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		want := t.next(int64(len(buf)))
		if want == 0 {
			return nil // truncated on purpose
		}
		n, err := src.Read(buf[:want])
		if n > 0 {
			if err := t.send(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// next bounds a piece so that a fault hits its byte exactly.
func (t *transfer) next(want int64) int64 {
	if cut := t.faults.CutAfter; cut > t.sent {
		want = min(want, cut-t.sent)
	}
	if t.faults.Truncate > 0 {
		want = min(want, t.faults.Truncate-t.sent)
	}
	if t.faults.BytesPerSec > 0 { // at least ten pieces a second keep a slow transfer smooth
		want = max(1, min(want, t.faults.BytesPerSec/10))
	}
	return max(0, want)
}

func (t *transfer) send(p []byte) error {
	select {
	case <-t.lease.done:
		return http.ErrAbortHandler
	default:
	}
	if _, err := t.w.Write(p); err != nil {
		return err
	}
	t.sent += int64(len(p))
	if t.v.faults.loseLease(int64(len(p))) {
		t.lease.fail(backgroundContext(t.v.model.Service), new(types.HostCommunication), "The host lost the lease.")
		return http.ErrAbortHandler
	}
	if t.v.faults.cut(t.sent) {
		_ = t.rc.Flush() // what was sent arrives
		return http.ErrAbortHandler
	}
	return t.pace()
}

// pace waits until the bytes sent are due.
func (t *transfer) pace() error {
	if t.faults.BytesPerSec <= 0 {
		return nil
	}
	if err := t.rc.Flush(); err != nil {
		return err
	}
	due := t.start.Add(time.Duration(float64(t.sent) / float64(t.faults.BytesPerSec) * float64(time.Second)))
	select {
	case <-time.After(time.Until(due)):
		return nil
	case <-t.lease.done:
		return http.ErrAbortHandler
	case <-t.r.Context().Done():
		return t.r.Context().Err()
	}
}
