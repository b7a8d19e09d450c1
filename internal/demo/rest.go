package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	vapi "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	restRoot      = "/rest/com/vmware/cis/"
	restSession   = restRoot + "session"
	restTagging   = restRoot + "tagging/"
	restSessionID = "vmware-api-session-id"
)

// restService is vCenter's REST service as far as tags need it ("vSphere Automation API": cis session, tagging). It stands
// before the simulator's: it counts calls, refuses who is not logged in, and adds what the simulator leaves out.
type restService struct {
	v    *VCenter
	next http.Handler

	mu  sync.Mutex
	ids map[string]bool // sessions that are logged in
}

func (v *VCenter) newREST() *restService {
	_, next := vapi.New(v.model.Service.Listen, v.registry)
	return &restService{v: v, next: next, ids: map[string]bool{}}
}

// ServeHTTP knows sessions and tagging; what else the simulator offers writes files and stays closed.
func (s *restService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.v.calls.add("REST " + restName(r))
	if status := s.v.faults.refuseREST(); status != 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		restError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case r.URL.Path == restSession && r.Method == http.MethodPost && r.URL.RawQuery == "":
		s.login(w, r)
	case !s.alive(r.Header.Get(restSessionID)):
		restError(w, http.StatusUnauthorized, "unauthenticated", "The session is not authenticated.")
	case r.URL.Path == restSession && r.Method == http.MethodDelete:
		s.end(r.Header.Get(restSessionID))
		s.next.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, restTagging):
		s.tagging(w, r, body)
	default:
		s.next.ServeHTTP(w, r)
	}
}

// restName is what a call does, in few words: "login", "GET tag", "list-attached-tags-on-objects".
func restName(r *http.Request) string {
	if action := r.URL.Query().Get("~action"); action != "" {
		return action
	}
	if r.URL.Path == restSession {
		switch r.Method {
		case http.MethodPost:
			return "login"
		case http.MethodDelete:
			return "logout"
		}
	}
	name := path.Base(r.URL.Path)
	if strings.HasPrefix(name, "id:") {
		name = path.Base(path.Dir(r.URL.Path))
	}
	return r.Method + " " + name
}

func (s *restService) login(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if !ok || !s.v.validLogin(user, password) {
		restError(w, http.StatusUnauthorized, "unauthenticated", "Authentication required.")
		return
	}
	answer := s.forward(r)
	var id struct{ Value string }
	if err := json.Unmarshal(answer.body.Bytes(), &id); err == nil && id.Value != "" {
		s.mu.Lock()
		s.ids[id.Value] = true
		s.mu.Unlock()
	}
	answer.replay(w)
}

func (s *restService) alive(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[id]
}

func (s *restService) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ids, id)
}

func (s *restService) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ids)
}

func (s *restService) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ids)
}

type restObject struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// tagging checks an attachment as vCenter does and hands the call on. The simulator only marks a tag that is detached with
// others as gone and goes on to list its object, so each is detached alone as well.
func (s *restService) tagging(w http.ResponseWriter, r *http.Request, body []byte) {
	var req struct {
		Object *restObject `json:"object_id"`
		Tags   []string    `json:"tag_ids"`
	}
	_ = json.Unmarshal(body, &req) // what is no JSON the simulator refuses
	action := r.URL.Query().Get("~action")
	switch action {
	case "attach":
		req.Tags = []string{strings.TrimPrefix(path.Base(r.URL.Path), "id:")}
	case "attach-multiple-tags-to-object", "detach", "detach-multiple-tags-from-object":
	default:
		s.next.ServeHTTP(w, r)
		return
	}
	if req.Object == nil || s.v.registry.Get(types.ManagedObjectReference{Type: req.Object.Type, Value: req.Object.ID}) == nil {
		restError(w, http.StatusForbidden, "unauthorized", "You have no privilege to read the object.")
		return
	}
	if strings.HasPrefix(action, "attach") {
		if why := s.refuseAttach(r, *req.Object, req.Tags); why != "" {
			refuseAttach(w, action, why)
			return
		}
	}
	answer := s.forward(r)
	if action == "detach-multiple-tags-from-object" {
		for _, tag := range req.Tags {
			s.ask(r, restTagging+"tag-association/id:"+tag, "detach", req, nil)
		}
	}
	answer.replay(w)
}

// refuseAttach says why an object cannot have the tags: its type is not one of the category's, or the category allows one
// tag for an object and there would be two ("TagAssociation.attach": InvalidArgument).
func (s *restService) refuseAttach(r *http.Request, object restObject, ids []string) string {
	var has []string
	s.ask(r, restTagging+"tag-association", "list-attached-tags", map[string]any{"object_id": object}, &has)
	single := map[string]string{} // category -> tag
	for _, id := range append(has, ids...) {
		var tag struct {
			CategoryID string `json:"category_id"`
		}
		var category struct {
			Name        string
			Cardinality string
			Types       []string `json:"associable_types"`
		}
		if !s.ask(r, restTagging+"tag/id:"+id, "", nil, &tag) || !s.ask(r, restTagging+"category/id:"+tag.CategoryID, "", nil, &category) {
			continue
		}
		if len(category.Types) > 0 && !slices.Contains(category.Types, object.Type) {
			return "Category " + category.Name + " is not for objects of type " + object.Type + "."
		}
		if other := single[tag.CategoryID]; category.Cardinality == "SINGLE" && other != "" && other != id {
			return "Category " + category.Name + " allows one tag for an object."
		}
		single[tag.CategoryID] = id
	}
	return ""
}

func refuseAttach(w http.ResponseWriter, action, why string) {
	if action == "attach" {
		restError(w, http.StatusBadRequest, "invalid_argument", why)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"value": map[string]any{
		"success": false, "error_messages": []map[string]string{{"id": "cis.tagging.badArgument.error", "default_message": why}},
	}})
}

// ask puts a question of our own to the simulator, in the caller's session.
func (s *restService) ask(r *http.Request, where, action string, in, out any) bool {
	method, body := http.MethodGet, []byte(nil)
	if action != "" {
		method = http.MethodPost
		body, _ = json.Marshal(in) // plain data
	}
	q := r.Clone(r.Context())
	q.Method, q.URL, q.Body, q.ContentLength = method, &url.URL{Path: where}, io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if action != "" {
		q.URL.RawQuery = url.Values{"~action": {action}}.Encode()
	}
	answer := s.forward(q)
	if answer.status != http.StatusOK {
		return false
	}
	value := struct{ Value any }{out}
	return out == nil || json.Unmarshal(answer.body.Bytes(), &value) == nil
}

func (s *restService) forward(r *http.Request) *restAnswer {
	answer := &restAnswer{header: http.Header{}, status: http.StatusOK}
	s.next.ServeHTTP(answer, r)
	return answer
}

// restAnswer is an answer that is looked at before it goes out.
type restAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *restAnswer) Header() http.Header         { return a.header }
func (a *restAnswer) WriteHeader(status int)      { a.status = status }
func (a *restAnswer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *restAnswer) replay(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a client that went away misses nothing
}

// restError answers in the form of the REST service's errors.
func restError(w http.ResponseWriter, status int, kind, text string) {
	writeJSON(w, status, map[string]any{
		"type": "com.vmware.vapi.std.errors." + kind,
		"value": map[string]any{"messages": []map[string]any{
			{"id": "demo." + strconv.Itoa(status), "default_message": text, "args": []string{}},
		}},
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away misses nothing
}
