package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// panicking is a queue that is broken in the worst way.
type panicking struct{ api.Jobs }

func (panicking) List(job.Filter) (*job.Page, error) { panic("boom") }

// operation is one of the document's.
type operation struct {
	method, path string
	OperationID  string `json:"operationId"`
	Summary      string
	Description  string
	Parameters   []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	RequestBody struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema json.RawMessage }
	}
}

func operations(t testing.TB, d *daemon) []operation {
	t.Helper()
	doc := into[struct {
		Paths map[string]map[string]json.RawMessage
	}](d.get("/openapi.json").want(200))
	var all []operation
	for path, item := range doc.Paths {
		for method, text := range item {
			op := operation{method: strings.ToUpper(method), path: path}
			if err := json.Unmarshal(text, &op); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			all = append(all, op)
		}
	}
	return all
}

// compiler reads the document's schemas as JSON Schema 2020-12, OpenAPI 3.1's own dialect.
func compiler(t testing.TB, d *daemon) *jsonschema.Compiler {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.get("/openapi.json").want(200).body))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("http://daemon/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenAPI_IsWhole(t *testing.T) {
	d := start(t, setup{noQueue: true})
	doc := into[struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Components struct {
			Schemas         map[string]json.RawMessage
			SecuritySchemes map[string]json.RawMessage
		}
	}](d.get("/openapi.json").want(200))
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version != "1.2.3" || len(doc.Components.SecuritySchemes) != 2 {
		t.Errorf("the document is %s, %+v", doc.OpenAPI, doc.Info)
	}
	c := compiler(t, d)
	for name := range doc.Components.Schemas {
		if _, err := c.Compile("http://daemon/openapi.json#/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	ids := map[string]bool{}
	for _, op := range operations(t, d) {
		at := op.method + " " + op.path
		if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Responses) < 2 {
			t.Errorf("%s: id %q, summary %q, %d responses", at, op.OperationID, op.Summary, len(op.Responses))
		}
		ids[op.OperationID] = true
		if op.Responses["default"].Content["application/problem+json"].Schema == nil && op.Responses["101"].Description == "" {
			t.Errorf("%s does not say how it fails", at)
		}
		declared := map[string]bool{}
		for _, p := range op.Parameters {
			declared[p.Name] = p.In == "path" && p.Required
			if p.Schema == nil {
				t.Errorf("%s: the parameter %s has no schema", at, p.Name)
			}
		}
		for part := range strings.SplitSeq(op.path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok && !declared[strings.TrimSuffix(name, "}")] {
				t.Errorf("%s: %s is not declared", at, part)
			}
		}
	}
	if text := string(d.get("/openapi.json").body); strings.Contains(text, "$schema") {
		t.Error("the document has $schema extras")
	}
}

// TestOpenAPI_HasTheSpecsEndpoints holds the document to the API summary of the feature document.
func TestOpenAPI_HasTheSpecsEndpoints(t *testing.T) {
	d := start(t, setup{noQueue: true})
	have := map[string]bool{}
	for _, op := range operations(t, d) {
		have[op.method+" "+op.path] = true
	}
	for _, want := range []string{
		"GET /vsphere/hosts", "GET /vsphere/hosts/{name}", "GET /vsphere/clusters", "GET /vsphere/vcenter/info", "GET /vsphere/datacenters",
		"GET /vsphere/metrics", "GET /vsphere/metrics/stream", "POST /vsphere/clone", "POST /vsphere/clone/bulk", "POST /vsphere/template/create",
		"POST /vsphere/template/deploy", "GET /vsphere/pools", "POST /vsphere/pools", "PUT /vsphere/pools/{name}", "DELETE /vsphere/pools/{name}",
		"GET /vsphere/events", "GET /vsphere/events/stream", "POST /jobs", "POST /jobs/submit", "GET /jobs", "GET /jobs/{id}", "POST /jobs/{id}/cancel",
		"POST /jobs/{id}/retry", "GET /jobs/{id}/logs", "GET /jobs/stream", "POST /preflight",
	} {
		if !have[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestOpenAPI_TellsTheTruth compares real answers with what the document says of them.
func TestOpenAPI_TellsTheTruth(t *testing.T) {
	d := start(t, setup{})
	d.post(vm0+"/snapshots", `{"name":"s"}`).want(201)
	clone := d.post("/vsphere/clone", `{"source_vm":"DC0_C0_RP0_VM0","target_name":"c"}`).want(202)
	id := into[api.Accepted](clone).ID
	d.ended(id)
	c := compiler(t, d)
	for path, concrete := range map[string]string{
		"/vsphere/hosts": "", "/vsphere/clusters": "", "/vsphere/datacenters": "", "/vsphere/vms": "", "/vsphere/pools": "", "/vsphere/vcenter/info": "",
		"/vsphere/hosts/{name}": "/vsphere/hosts/DC0_C0_H0", "/vsphere/vms/{name}": vm0, "/vsphere/vms/{name}/snapshots": vm0 + "/snapshots",
		"/vsphere/clusters/{name}": "/vsphere/clusters/DC0_C0", "/vsphere/events": "", "/vsphere/metrics": "/vsphere/metrics?entity=DC0_C0_RP0_VM0",
		"/jobs": "", "/jobs/{id}": "/jobs/" + id, "/jobs/{id}/logs": "/jobs/" + id + "/logs", "/auth/me": "", "/audit": "", "/healthz": "",
	} {
		t.Run(path, func(t *testing.T) {
			if concrete == "" {
				concrete = path
			}
			r := d.get(concrete).want(200)
			truthful(t, c, path, "get", "200", "application/json", r.body)
		})
	}
	truthful(t, c, "/vsphere/clone", "post", "202", "application/json", clone.body)
	refusal := d.get("/vsphere/hosts/nobody").want(http.StatusNotFound)
	truthful(t, c, "/vsphere/hosts/{name}", "get", "default", "application/problem+json", refusal.body)
}

func truthful(t *testing.T, c *jsonschema.Compiler, path, method, status, kind string, body []byte) {
	t.Helper()
	at := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	schema, err := c.Compile("http://daemon/openapi.json#/paths/" + at.Replace(path) + "/" + method + "/responses/" + status + "/content/" + at.Replace(kind) + "/schema")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
}
