package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/web"
)

func get(t *testing.T, method, path string) (*http.Response, string) {
	t.Helper()
	h, err := web.Handler()
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	body, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Result(), string(body)
}

func TestHandler_EveryPathOfTheApplicationIsThePage(t *testing.T) {
	for _, path := range []string{"/ui/", "/ui", "/ui/index.html", "/ui/vms/VirtualMachine:vm-1", "/ui/../ui/hosts", "/ui/%2e%2e/web.go"} {
		res, body := get(t, http.MethodGet, path)
		if res.StatusCode != http.StatusOK || !strings.Contains(body, `<div id="root">`) {
			t.Errorf("%s: %d, %.80q", path, res.StatusCode, body)
		}
	}
}

func TestHandler_EachAnswerHasItsOwnNonce(t *testing.T) {
	nonce := regexp.MustCompile(`nonce="([^"]+)"`)
	seen := map[string]bool{}
	for range 3 {
		res, body := get(t, http.MethodGet, "/ui/")
		found := nonce.FindStringSubmatch(body)
		if found == nil || strings.Contains(body, "__NONCE__") {
			t.Fatalf("no nonce in %q", body)
		}
		if !strings.Contains(res.Header.Get("Content-Security-Policy"), "'nonce-"+found[1]+"'") {
			t.Errorf("the policy does not name the page's nonce: %s", res.Header.Get("Content-Security-Policy"))
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Error("a page with a nonce may be kept")
		}
		seen[found[1]] = true
	}
	if len(seen) != 3 {
		t.Errorf("3 answers have %d nonces", len(seen))
	}
}

func TestHandler_FilesAreKeptAndThePolicyAllowsNoOtherOrigin(t *testing.T) {
	res, page := get(t, http.MethodGet, "/ui/")
	policy := res.Header.Get("Content-Security-Policy")
	if regexp.MustCompile(`https?:|\*|unsafe`).MatchString(policy) {
		t.Errorf("policy = %s", policy)
	}
	files := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(files) < 3 {
		t.Fatalf("the page names %d files", len(files))
	}
	for _, file := range files {
		if !strings.HasPrefix(file[1], web.Prefix) {
			t.Errorf("the page asks for %s", file[1])
			continue
		}
		res, _ := get(t, http.MethodGet, file[1])
		kept := strings.Contains(res.Header.Get("Cache-Control"), "immutable")
		if res.StatusCode != http.StatusOK || kept != strings.Contains(file[1], "/assets/") {
			t.Errorf("%s: %d, %q", file[1], res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
}

func TestHandler_Refuses(t *testing.T) {
	if res, _ := get(t, http.MethodGet, "/ui/assets/index-0ld.js"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a file of another build: %d", res.StatusCode)
	}
	if res, _ := get(t, http.MethodPost, "/ui/"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
	if res, _ := get(t, http.MethodGet, "/ui/assets/"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a directory: %d", res.StatusCode)
	}
}
