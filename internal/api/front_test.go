package api_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
)

func secured(c *api.Config) { c.Auth = tokens }

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func TestFront_WantsAToken(t *testing.T) {
	d := start(t, setup{noQueue: true, change: secured})
	r := d.get("/vsphere/hosts")
	r.refused(401, "unauthorized", "token")
	if got := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate %q", got)
	}
	for _, token := range []string{viewerToken, operatorToken, adminToken} {
		d.do(request{path: "/vsphere/hosts", header: bearer(token)}).want(200)
	}
	for name, header := range map[string]string{
		"wrong": "Bearer nonsense", "empty": "Bearer ", "half": "Bearer " + adminToken[:5], "longer": "Bearer " + adminToken + "x", "scheme": "Basic " + adminToken,
	} {
		t.Run(name, func(t *testing.T) {
			d.do(request{path: "/vsphere/hosts", header: map[string]string{"Authorization": header}}).refused(401, "unauthorized")
		})
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/docs.js", "/docs/docs.css"} {
		eventually(t, path+" needs no token", func() bool { return d.get(path).status == 200 })
	}
	if strings.Contains(d.log.String()+d.audit.String(), adminToken) {
		t.Error("a token is in a log")
	}
}

// TestFront_RolesOfEveryRoute asks every operation of the document as everybody. What is let through may fail for other reasons.
func TestFront_RolesOfEveryRoute(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) { secured(c); c.Limits.PerSecond = -1 }})
	rank := map[string]int{"": 0, "viewer": 1, "operator": 2, "admin": 3}
	who := []struct{ role, token string }{{"", ""}, {"viewer", viewerToken}, {"operator", operatorToken}, {"admin", adminToken}}
	asked := 0
	for _, op := range operations(t, d) {
		need := ""
		for role := range rank {
			if role != "" && strings.Contains(op.Description, "Needs the role "+role+".") {
				need = role
			}
		}
		for _, w := range who {
			if w.role != "" && (op.path == "/auth/login" || op.path == "/auth/logout") {
				continue
			}
			q := request{method: op.method, path: strings.NewReplacer("{name}", "nobody", "{snapshot}", "none", "{id}", "none").Replace(op.path)}
			if w.token != "" {
				q.header = bearer(w.token)
			}
			if q.method != "GET" {
				q.body = "{}"
			}
			got := d.do(q).status
			asked++
			refused := got == 401 && w.role == "" || got == 403
			if want := rank[w.role] < rank[need]; refused != want && op.path != "/auth/login" {
				t.Errorf("%s %s as %q: status %d; it needs %q", op.method, op.path, w.role, got, need)
			}
		}
	}
	if asked < 120 {
		t.Errorf("only %d questions were asked: the document is not whole", asked)
	}
	d.do(request{path: "/audit", header: bearer(operatorToken)}).refused(403, "forbidden", "otto is a operator", "admin")
}

func TestFront_CookieForBrowsers(t *testing.T) {
	d := start(t, setup{noQueue: true, change: secured})
	d.post("/auth/login", `{"token":"nonsense"}`).refused(401, "unauthorized")
	r := d.post("/auth/login", fmt.Sprintf(`{"token":%q}`, operatorToken)).want(200)
	cookie := r.header.Get("Set-Cookie")
	for _, word := range []string{"hypersdk_session=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, word) {
			t.Errorf("Set-Cookie %q lacks %s", cookie, word)
		}
	}
	if strings.Contains(cookie, operatorToken) || strings.Contains(string(r.body), operatorToken) {
		t.Error("the token is in the answer")
	}
	value, _, _ := strings.Cut(cookie, ";")
	with := map[string]string{"Cookie": value}
	if me := into[api.Identity](d.do(request{path: "/auth/me", header: with}).want(200)); me.Name != "otto" || me.Role != api.Operator || me.Via != "cookie" {
		t.Errorf("I am %+v", me)
	}
	d.do(request{path: "/audit", header: with}).refused(403, "forbidden")
	d.do(request{method: "POST", path: "/auth/logout", header: with}).want(204)
	d.do(request{path: "/auth/me", header: with}).refused(401, "unauthorized")
	d.do(request{path: "/auth/me", header: map[string]string{"Cookie": "hypersdk_session=made-up"}}).refused(401, "unauthorized")
}

func TestFront_HostsAndOrigins(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) {
		c.Hosts, c.Origins = []string{"kvm1.example.com"}, []string{"https://dash.example.com"}
	}})
	port := d.url[strings.LastIndex(d.url, ":")+1:]
	for host, status := range map[string]int{
		"localhost:" + port: 200, "127.0.0.1:" + port: 200, "[::1]:" + port: 200, "LOCALHOST": 200, "kvm1.example.com": 200, "kvm1.example.com.:8080": 200,
		"evil.example.com": 421, "evil.example.com:" + port: 421, "127.0.0.1.evil.example.com": 421, "192.0.2.7:" + port: 421, "localhost.evil.example.com": 421,
	} {
		if got := d.do(request{path: "/vsphere/vcenter/info", host: host}).status; got != status {
			t.Errorf("Host %s: status %d, want %d", host, got, status)
		}
	}
	for origin, status := range map[string]int{
		d.url: 200, "http://localhost:" + port: 200, "http://[::1]:" + port: 200, "https://dash.example.com": 200,
		"http://evil.example.com": 403, "null": 403, "http://localhost:1": 403, "https://localhost:" + port: 403, "file://": 403, "http://127.0.0.1.evil.example.com:" + port: 403,
	} {
		for _, path := range []string{"/vsphere/vcenter/info", "/vsphere/events/stream"} {
			got := d.do(request{path: path, header: map[string]string{"Origin": origin}}).status
			if refused := got == 403; refused != (status == 403) {
				t.Errorf("Origin %s at %s: status %d, want %d", origin, path, got, status)
			}
		}
	}
	d.do(request{path: "/vsphere/vcenter/info", host: "evil.example.com"}).refused(421, "misdirected-request", "evil.example.com")
	d.do(request{path: "/vsphere/vcenter/info", header: map[string]string{"Origin": "null"}}).refused(403, "forbidden")
}

func TestFront_NoOtherSiteChangesAnything(t *testing.T) {
	d := start(t, setup{noQueue: true})
	form := `name=x&parent=y`
	for _, kind := range []string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""} {
		r := d.do(request{method: "POST", path: "/vsphere/pools", body: form, header: map[string]string{"Content-Type": kind}})
		r.refused(415, "unsupported-media-type", "application/json")
	}
	d.do(request{method: "POST", path: "/vsphere/pools", body: "{}", header: map[string]string{"Content-Type": "application/json; charset=utf-8"}}).refused(422, "invalid")
	d.do(request{method: "POST", path: "/jobs/x/cancel", header: map[string]string{"Sec-Fetch-Site": "cross-site"}}).refused(403, "forbidden", "another site")
	d.do(request{method: "DELETE", path: "/vsphere/pools/x", header: map[string]string{"Origin": "http://evil.example.com"}}).refused(403, "forbidden")
	d.do(request{method: "DELETE", path: "/vsphere/pools/x", header: map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": d.url}}).refused(404, "not-found")
	for name := range d.do(request{path: "/vsphere/hosts", header: map[string]string{"Origin": d.url}}).header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the header %s lets other origins read", name)
		}
	}
}

func TestFront_Limits(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) { c.Limits.Body = 1000; c.Limits.BodyRead = 200 * time.Millisecond }})
	long := `{"name":"` + strings.Repeat("x", 2000) + `"}`
	d.post("/vsphere/pools", long).refused(413, "request-entity-too-large", "1000 bytes")

	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /vsphere/pools HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	answer := make([]byte, 64)
	if n, err := conn.Read(answer); err != nil || !strings.Contains(string(answer[:n]), " 408 ") {
		t.Errorf("a body that does not come: %q, %v", answer[:n], err)
	}
}

func TestFront_Rates(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) { secured(c); c.Limits.PerSecond, c.Limits.Burst = 0.001, 3 }})
	for i := range 4 {
		r := d.do(request{path: "/auth/me", header: bearer(viewerToken)})
		if i < 3 {
			r.want(200)
			continue
		}
		r.refused(429, "too-many-requests")
		if r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	d.do(request{path: "/auth/me", header: bearer(adminToken)}).want(200) // somebody else has a rate of their own
	d.get("/healthz").want(200)
	var last int
	for range 12 {
		last = d.do(request{path: "/auth/me", header: bearer("guess")}).status
	}
	if last != 429 {
		t.Errorf("after twelve guesses the status is %d", last)
	}
	d.post("/auth/login", `{"token":"guess"}`).refused(429, "too-many-requests", "wrong token")
	d.do(request{path: "/auth/me", header: bearer(adminToken)}).want(200) // nobody is locked out by another's guesses
}

func TestFront_Headers(t *testing.T) {
	d := start(t, setup{noQueue: true})
	for _, path := range []string{"/docs", "/vsphere/vcenter/info", "/nothing"} {
		h := d.get(path).header
		csp := h.Get("Content-Security-Policy")
		for _, word := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "ws://localhost:"} {
			if !strings.Contains(csp, word) {
				t.Errorf("%s: the policy lacks %s: %s", path, word, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	d.get("/nothing").refused(404, "not-found", "/nothing", "openapi")
	r := d.do(request{method: "PATCH", path: "/vsphere/hosts", body: "{}"})
	r.refused(405, "method-not-allowed", "GET")
	if r.header.Get("Allow") == "" {
		t.Error("no Allow")
	}
}

func TestFront_AuditsEveryChange(t *testing.T) {
	d := start(t, setup{noQueue: true, change: secured})
	d.get("/vsphere/hosts").want(401)
	d.do(request{path: "/vsphere/hosts", header: bearer("guess")}).want(401)
	d.do(request{path: "/vsphere/hosts", header: bearer(adminToken)}).want(200)
	d.do(request{method: "POST", path: "/vsphere/pools", body: `{"name":"p","parent":"/DC0/host/DC0_C0"}`, header: bearer(operatorToken)}).want(201)
	d.do(request{method: "DELETE", path: "/vsphere/pools/p", header: bearer(viewerToken)}).want(403)
	d.do(request{method: "DELETE", path: "/vsphere/pools/p?move_children=true", header: bearer(adminToken)}).want(204)
	d.post("/auth/login", `{"token":"`+viewerToken+`"}`).want(200)
	var got []string
	for line := range strings.Lines(d.audit.String()) {
		var e api.AuditEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Time.IsZero() || e.From == "" || e.RequestID == "" {
			t.Errorf("entry %s", line)
		}
		got = append(got, fmt.Sprintf("%s/%s %s %s %d %s", e.Who, e.Role, e.Method, e.Path, e.Status, e.Result))
	}
	want := []string{
		"/ GET /vsphere/hosts 401 refused",
		"otto/operator POST /vsphere/pools 201 ok",
		"vera/viewer DELETE /vsphere/pools/p 403 refused",
		"ada/admin DELETE /vsphere/pools/p 204 ok",
		"vera/viewer POST /auth/login 200 ok",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("audit log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	newest := into[[]api.AuditEntry](d.do(request{path: "/audit?limit=1", header: bearer(adminToken)}).want(200))
	if len(newest) != 1 || newest[0].Path != "/auth/login" {
		t.Errorf("the newest: %+v", newest)
	}
}

func TestFront_SurvivesAPanic(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) { c.Jobs = panicking{} }})
	r := d.get("/jobs")
	r.refused(500, "internal", "request_id")
	if strings.Contains(string(r.body), "boom") || !strings.Contains(d.log.String(), "boom") {
		t.Errorf("body %s, log %s", r.body, d.log)
	}
	d.get("/healthz").want(200)
}
