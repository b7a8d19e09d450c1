package demo

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/vmware/govmomi/simulator"
)

// outages says whether the vCenter is away.
type outages struct{ now atomic.Bool }

func (o *outages) away() bool { return o.now.Load() }

// Outage makes the vCenter unreachable until end is called: every connection is cut. With restart it is a vCenter that died and came back:
// sessions and tasks are forgotten, while what the hosts had begun, such as copying disks, goes on and is there afterwards.
func (v *VCenter) Outage(restart bool) (end func()) {
	v.outages.now.Store(true)
	if restart {
		v.sessions.cancelAllWaits()
		v.EndSessions()
		defer v.turns.alone()() // a clone that was just asked for has its task by then, which is forgotten too
		for _, ref := range v.registry.AllReference("Task") {
			if task, ok := ref.(*simulator.Task); ok {
				v.forgetTask(backgroundContext(v.model.Service), task)
			}
		}
	} else {
		v.sessions.cancelAllWaits() // their connections are cut too
	}
	return func() { v.outages.now.Store(false) }
}

// serveSOAP serves a SOAP call in its turn. On demand it answers 503 in the simulator's place, as the proxy in front of vCenter does while
// the service behind it starts, or cuts the connection behind a call that was carried out.
func (v *VCenter) serveSOAP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "cannot read the call", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	method := soapMethod(body)
	if v.faults.unavailable(method) {
		http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
		return
	}
	if v.faults.loseAnswer(method) {
		v.serveInTurn(&deafWriter{header: http.Header{}}, r, method)
		panic(http.ErrAbortHandler)
	}
	v.serveInTurn(w, r, method)
}

// soapMethod is the name of the element in a SOAP body.
func soapMethod(body []byte) string {
	d := xml.NewDecoder(bytes.NewReader(body))
	inBody := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) || err != nil {
			return ""
		}
		start, ok := token.(xml.StartElement)
		switch {
		case ok && inBody:
			return start.Name.Local
		case ok && start.Name.Local == "Body":
			inBody = true
		}
	}
}

// deafWriter takes an answer that nobody gets.
type deafWriter struct{ header http.Header }

func (w *deafWriter) Header() http.Header         { return w.header }
func (w *deafWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *deafWriter) WriteHeader(int)             {}
