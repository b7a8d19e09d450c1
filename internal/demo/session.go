package demo

import (
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// sessions ends sessions as vCenter does: after so much silence, or when an administrator says so (SessionManager and
// SessionManager.TerminateSession, "vSphere Web Services API"). A call in flight is not silence.
type sessions struct {
	registry *simulator.Registry
	idle     time.Duration    // 0: never
	ended    func(key string) // what else ends with a session
	released func(objects *simulator.Registry)
	now      func() time.Time

	mu    sync.Mutex
	known map[string]*activity
}

type activity struct {
	inFlight int
	last     time.Time
	objects  *simulator.Registry // the session's own: property collectors, leases
}

// list is every session that is logged in.
func (s *sessions) list() []types.UserSession {
	manager := s.registry.SessionManager()
	view := &simulator.Session{Registry: simulator.NewRegistry(), Map: s.registry}
	with, ok := view.Get(manager.Self).(*simulator.SessionManager)
	if !ok {
		return nil
	}
	return with.SessionList
}

func (s *sessions) alive(key string) bool {
	for _, session := range s.list() {
		if session.Key == key {
			return true
		}
	}
	return false
}

// begin notes a call of a session; the func it returns notes its end.
func (s *sessions) begin(key string) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.activity(key)
	a.inFlight++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		a.inFlight--
		a.last = s.now()
	}
}

// own notes the objects of a session, which are found only through a call of it.
func (s *sessions) own(key string, objects *simulator.Registry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activity(key).objects = objects
}

// activity of a session; the caller holds the lock.
func (s *sessions) activity(key string) *activity {
	a := s.known[key]
	if a == nil {
		a = &activity{last: s.now()}
		s.known[key] = a
	}
	return a
}

// sweep ends the sessions that were silent for too long and forgets those that are gone.
func (s *sessions) sweep() {
	listed := s.list()
	current := make(map[string]bool, len(listed))
	for _, session := range listed {
		current[session.Key] = true
		if s.silent(session) {
			s.terminate(session.Key)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, a := range s.known {
		if !current[key] && a.inFlight == 0 {
			delete(s.known, key)
		}
	}
}

func (s *sessions) silent(session types.UserSession) bool {
	if s.idle <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := session.LastActiveTime
	if a := s.known[session.Key]; a != nil {
		if a.inFlight > 0 {
			return false
		}
		if a.last.After(last) {
			last = a.last
		}
	}
	return s.now().Sub(last) > s.idle
}

// terminate logs sessions out from outside.
func (s *sessions) terminate(keys ...string) {
	admin := &simulator.Context{
		Map:     s.registry,
		Session: &simulator.Session{UserSession: types.UserSession{Key: "demo"}, Registry: simulator.NewRegistry(), Map: s.registry},
	}
	for _, key := range keys {
		s.registry.SessionManager().TerminateSession(admin, &types.TerminateSession{SessionId: []string{key}})
		s.release(key)
	}
}

func (s *sessions) terminateAll() {
	for _, session := range s.list() {
		s.terminate(session.Key)
	}
}

// release ends what a session that is gone, or about to go, has open.
func (s *sessions) release(key string) {
	s.ended(key)
	s.mu.Lock()
	var objects *simulator.Registry
	if a := s.known[key]; a != nil {
		objects = a.objects
	}
	s.mu.Unlock()
	if objects != nil {
		s.cancelWaits(objects)
		s.released(objects)
	}
}

// cancelWaits makes pending WaitForUpdatesEx calls return RequestCanceled, as PropertyCollector.CancelWaitForUpdates does.
func (s *sessions) cancelWaits(objects *simulator.Registry) {
	for _, obj := range objects.AllReference("PropertyCollector") {
		if pc, ok := obj.(*simulator.PropertyCollector); ok {
			pc.CancelWaitForUpdates(&types.CancelWaitForUpdates{This: pc.Self})
			s.registry.RemoveHandler(pc)
		}
	}
}

// cancelAllWaits is for Close, when calls may still arrive behind the end of their session.
func (s *sessions) cancelAllWaits() {
	s.mu.Lock()
	var open []*simulator.Registry
	for _, a := range s.known {
		if a.objects != nil {
			open = append(open, a.objects)
		}
	}
	s.mu.Unlock()
	for _, objects := range open {
		s.cancelWaits(objects)
	}
}

// watch sweeps until done is closed, so that leases and waits of a silent session end without another call.
func (s *sessions) watch(done <-chan struct{}) {
	tick := time.NewTicker(min(max(s.idle/4, 10*time.Millisecond), time.Second))
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			s.sweep()
		}
	}
}

// needsNoSession lists the methods that vCenter answers before login. The simulator also answers property reads then; a
// vCenter does not, so that a client sees at its next read that its session is gone.
func needsNoSession(method string) bool {
	switch method {
	case "Login", "LoginByToken", "LoginExtensionByCertificate", "CloneSession",
		"RetrieveServiceContent", "RetrieveInternalContent":
		return true
	}
	return false
}

func notAuthenticated(obj types.ManagedObjectReference) *types.NotAuthenticated {
	return &types.NotAuthenticated{NoPermission: types.NoPermission{Object: &obj, PrivilegeId: "System.View"}}
}
