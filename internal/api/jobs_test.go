package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ended waits for a job's end.
func (d *daemon) ended(id string) job.Job {
	d.t.Helper()
	var j job.Job
	eventually(d.t, "job "+id+" has ended", func() bool {
		j = into[job.Job](d.get("/jobs/" + id).want(200))
		return !j.Live()
	})
	return j
}

func TestClone_IsAJob(t *testing.T) {
	d := start(t, setup{})
	r := d.post("/vsphere/clone", `{"source_vm":"DC0_C0_RP0_VM0","target_name":"new-vm","power_on":true}`).want(202)
	taken := into[api.Accepted](r)
	if r.header.Get("Location") != "/jobs/"+taken.ID || taken.Kind != api.KindClone || taken.Existed || taken.Job.Created.IsZero() {
		t.Errorf("accepted %+v, Location %s", taken, r.header.Get("Location"))
	}
	j := d.ended(taken.ID)
	var made api.CloneAnswer
	if err := json.Unmarshal(j.Result, &made); err != nil || j.Status != sdk.Succeeded || made.Name != "new-vm" || made.PowerState != "poweredOn" {
		t.Errorf("job %+v, result %s (%v)", j, j.Result, err)
	}
	if lines := into[[]job.LogLine](d.get("/jobs/" + j.ID + "/logs").want(200)); len(lines) == 0 || lines[len(lines)-1].Text == "" {
		t.Errorf("log %v", lines)
	}
	d.get("/vsphere/vms/new-vm").want(200)
}

func TestClone_WaitAnswersWithTheResult(t *testing.T) {
	d := start(t, setup{change: func(c *api.Config) { c.Limits.BodyRead = 100 * time.Millisecond }})
	d.vcenter.SetFaults(demo.Faults{CloneDelay: 500 * time.Millisecond}) // longer than the body may take: that limit is the body's alone
	made := into[api.CloneAnswer](d.post("/vsphere/clone?wait=true", `{"source_vm":"DC0_C0_RP0_VM0","target_name":"w"}`).want(200))
	if made.Name != "w" || made.Path != "/DC0/vm/w" || made.Adopted {
		t.Errorf("made %+v", made)
	}
}

func TestClone_Refusals(t *testing.T) {
	d := start(t, setup{})
	d.post("/vsphere/clone", `{"source_vm":"nobody","target_name":"x"}`).refused(404, "not-found", "nobody")
	d.post("/vsphere/clone", `{"source_vm":"DC0_C0_RP0_VM0","target_name":"DC0_C0_RP0_VM1"}`).refused(409, "conflict", "DC0_C0_RP0_VM1 exists")
	d.post("/vsphere/clone", `{"source_vm":"DC0_C0_RP0_VM0"}`).refused(422, "invalid", "target_name")
	d.post("/vsphere/clone", `{"source_vm":"DC0_C0_RP0_VM0","target_name":"x","power":true}`).refused(422, "invalid", "power")
	d.post("/vsphere/clone/bulk", `{"clones":[]}`).refused(422, "invalid", "clones")
	d.post("/vsphere/clone/bulk", `{"clones":[{"source_vm":"DC0_C0_RP0_VM0","target_name":"a"},{"source_vm":"nobody","target_name":"b"}]}`).refused(404, "not-found", "nobody")
	d.post("/vsphere/template/create", `{"vm":"DC0_C0_RP0_VM0"}`).refused(409, "conflict", "not off", "power")
	d.post("/vsphere/template/create", `{"vm":"nobody"}`).refused(404, "not-found", "nobody")
	d.post("/vsphere/template/deploy", `{"template":"DC0_C0_RP0_VM0","target_name":"x"}`).refused(422, "invalid", "no template")
	d.post("/vsphere/template/deploy", `{"template":"nobody","target_name":"x"}`).refused(404, "not-found", "nobody")
	if page := into[job.Page](d.get("/jobs").want(200)); page.Total != 0 {
		t.Errorf("refusals left %d jobs", page.Total)
	}
}

func TestClone_SecretsStayOutOfRecords(t *testing.T) {
	d := start(t, setup{})
	body := `{"source_vm":"DC0_C0_RP0_VM0","target_name":"init","cloud_init":{"metadata":"{}","userdata":"#cloud-config\npassword: hunter2"}}`
	d.post("/vsphere/clone", body).refused(422, "invalid", "secret", "wait=true")
	r := d.post("/vsphere/clone?wait=true", body).want(200)
	if strings.Contains(string(r.body), "hunter2") || into[api.CloneAnswer](r).Name != "init" {
		t.Errorf("answer %s", r.body)
	}
	d.post("/jobs", fmt.Sprintf(`{"kind":"clone","spec":%s}`, body)).refused(422, "invalid", "secret")
	d.post("/vsphere/clone/bulk?wait=true", `{"clones":[`+strings.ReplaceAll(body, `"init"`, `"init2"`)+`]}`).want(200)
	if text := string(d.get("/jobs").want(200).body) + d.log.String() + d.audit.String(); strings.Contains(text, "hunter2") {
		t.Errorf("the secret was kept: %s", text)
	}
}

func TestBulk_PartialIs207(t *testing.T) {
	d := start(t, setup{handler: map[string]queue.Handler{
		api.KindCloneBulk: func(context.Context, *queue.Task) (any, error) {
			result := vsphere.CloneBulkResult{Total: 2, Succeeded: 1, Failed: 1}
			return result, &sdk.PartialError{Done: []string{"a"}, Failed: map[string]error{"b": errors.New("disk full")}}
		},
	}})
	body := `{"clones":[{"source_vm":"DC0_C0_RP0_VM0","target_name":"a"},{"source_vm":"DC0_C0_RP0_VM0","target_name":"b"}],"max_concurrent":5}`
	result := into[vsphere.CloneBulkResult](d.post("/vsphere/clone/bulk?wait=true", body).want(207))
	if result.Succeeded != 1 || result.Failed != 1 {
		t.Errorf("result %+v", result)
	}
}

func TestBulkAndTemplates_RoundTrip(t *testing.T) {
	d := start(t, setup{})
	bulk := into[vsphere.CloneBulkResult](d.post("/vsphere/clone/bulk?wait=true",
		`{"clones":[{"source_vm":"DC0_C0_RP0_VM0","target_name":"web-01"},{"source_vm":"DC0_C0_RP0_VM0","target_name":"web-02"}]}`).want(200))
	if bulk.Succeeded != 2 || len(bulk.Items) != 2 {
		t.Errorf("bulk %+v", bulk)
	}
	made := into[api.TemplateAnswer](d.post("/vsphere/template/create?wait=true", `{"vm":"web-01"}`).want(200))
	if !made.Template.Template || made.Template.Name != "web-01" {
		t.Errorf("template %+v", made)
	}
	vm := into[api.CloneAnswer](d.post("/vsphere/template/deploy?wait=true", `{"template":"web-01","target_name":"web-03"}`).want(200))
	if vm.Name != "web-03" || vm.SourceRef != made.Template.Ref {
		t.Errorf("deployed %+v", vm)
	}
}

// held is a handler that runs until its context ends or it is let go, and says when it began.
func held() (handler queue.Handler, began chan string, letGo chan struct{}) {
	began, letGo = make(chan string, 8), make(chan struct{})
	return func(ctx context.Context, t *queue.Task) (any, error) {
		began <- t.Job().ID
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-letGo:
			return map[string]string{"done": "yes"}, nil
		}
	}, began, letGo
}

const exportBody = `{"name":"one","vm_path":"/DC0/vm/DC0_C0_RP0_VM0","output_dir":"/srv/out","format":"ova"}`

func TestJobs_OnceAtATimeCancelAndRetry(t *testing.T) {
	handler, began, letGo := held()
	d := start(t, setup{handler: map[string]queue.Handler{api.KindMigration: handler}})
	first := into[api.Accepted](d.post("/jobs", exportBody).want(202))
	<-began
	again := into[api.Accepted](d.post("/jobs/submit", exportBody).want(202))
	if again.ID != first.ID || !again.Existed || first.Existed {
		t.Errorf("the same work twice: %s (%v) and %s (%v)", first.ID, first.Existed, again.ID, again.Existed)
	}
	d.post("/jobs/"+first.ID+"/retry", "").refused(409, "conflict")
	canceled := into[job.Job](d.post("/jobs/"+first.ID+"/cancel?reason=lunch", "").want(200))
	if canceled.Cancel == nil || canceled.Cancel.By != "anonymous" || canceled.Cancel.Reason != "lunch" {
		t.Errorf("canceled %+v", canceled.Cancel)
	}
	if j := d.ended(first.ID); j.Status != sdk.Canceled {
		t.Errorf("status %s", j.Status)
	}
	d.post("/jobs/"+first.ID+"/cancel", "").refused(409, "conflict")
	d.post("/jobs/"+first.ID+"/retry", "").want(200)
	<-began
	close(letGo)
	if j := d.ended(first.ID); j.Status != sdk.Succeeded || j.Attempts != 2 {
		t.Errorf("after the retry: %s, %d attempts", j.Status, j.Attempts)
	}
	page := into[job.Page](d.get("/jobs?kind=migration&status=succeeded&name=o*").want(200))
	if page.Total != 1 || page.Jobs[0].ID != first.ID {
		t.Errorf("page %+v", page)
	}
	if !strings.Contains(d.audit.String(), `"path":"/jobs/`+first.ID+`/cancel"`) || !strings.Contains(d.audit.String(), `"job":"`+first.ID+`"`) {
		t.Errorf("audit log %s", d.audit)
	}
	for _, path := range []string{"/jobs/01a208ab-0000-7000-8000-000000000000", "/jobs/nonsense"} {
		if r := d.get(path); r.status != 404 && r.status != 422 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	d.get("/jobs?status=sleeping").refused(422, "invalid", "sleeping")
	d.get("/jobs?name=%5Ba").refused(422, "invalid")
}

func TestJobs_WaitEndsWithTheDaemonAndLeavesTheJob(t *testing.T) {
	handler, began, _ := held()
	d := start(t, setup{handler: map[string]queue.Handler{api.KindMigration: handler}})
	answered := make(chan reply, 1)
	go func() { answered <- d.post("/jobs?wait=true", exportBody) }()
	id := <-began
	d.api.Close()
	(<-answered).refused(503, "unavailable", "ending", "/jobs/"+id)
	if j, err := d.queue.Get(t.Context(), id); err != nil || !j.Live() {
		t.Errorf("job %+v, %v; want it alive", j, err)
	}
}

// document is the request of the feature document, section 6, as written there.
const document = `{
  "name": "Ubuntu Server Migration",
  "vm_path": "/DC1/vm/ubuntu-server",
  "output_dir": "/var/lib/libvirt/images/ubuntu",
  "format": "ova",
  "options": {
    "enable_pipeline": true,
    "hyper2kvm_path": "/home/tt/hyper2kvm/hyper2kvm",
    "pipeline_inspect": true,
    "pipeline_fix": true,
    "pipeline_convert": true,
    "pipeline_validate": true,
    "pipeline_compress": true,
    "compress_level": 6,
    "libvirt_integration": true,
    "libvirt_uri": "qemu:///system",
    "libvirt_autostart": true,
    "libvirt_bridge": "virbr0",
    "libvirt_pool": "default"
  }
}`

func TestJobs_TheDocumentsRequest(t *testing.T) {
	specs := make(chan migrate.Spec, 1)
	d := start(t, setup{
		demo: demo.Options{Datacenters: 2},
		handler: map[string]queue.Handler{api.KindMigration: func(_ context.Context, t *queue.Task) (any, error) {
			var spec migrate.Spec
			err := t.Decode(&spec)
			specs <- spec
			return nil, err
		}},
	})
	vm, err := d.client.GetVM(t.Context(), "/DC1/vm/DC1_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.client.UpdateVM(t.Context(), vm, vsphere.UpdateVMSpec{Name: "ubuntu-server"}, nil); err != nil {
		t.Fatal(err)
	}
	taken := into[api.Accepted](d.post("/jobs", document).want(202))
	if len(taken.Warnings) != 1 || !strings.Contains(taken.Warnings[0], "hyper2kvm_path") || taken.Name != "Ubuntu Server Migration" {
		t.Errorf("accepted %+v", taken)
	}
	spec := <-specs
	if err := spec.Validate(); err != nil {
		t.Error(err)
	}
	if spec.VM != "/DC1/vm/ubuntu-server" || spec.Dir != "/var/lib/libvirt/images/ubuntu" || spec.Keep != "ova" || !spec.Convert || !spec.Manifest ||
		spec.Compression.Level != 6 || spec.Pipeline == nil || !spec.Pipeline.Inspect || !spec.Pipeline.Fix || !spec.Pipeline.Validate ||
		spec.Target == nil || spec.Target.URI != "qemu:///system" || !spec.Target.Autostart || spec.Target.Pool != "default" || spec.Target.Networks["*"].Bridge != "virbr0" {
		t.Errorf("spec %+v, target %+v", spec, spec.Target)
	}
	d.ended(taken.ID)
}

func TestJobs_SubmitRefusals(t *testing.T) {
	d := start(t, setup{})
	for body, word := range map[string]string{
		`{"vm_path":"x","output_dir":"/o","bogus":1}`:                                                   "bogus",
		`{"vm_path":"x","output_dir":"rel"}`:                                                            "rel",
		`{"output_dir":"/o"}`:                                                                           "vm_path",
		`{"vm_path":"x","output_dir":"/o","format":"zip"}`:                                              "zip",
		`{"vm_path":"x","output_dir":"/o","options":{"compress_level":12}}`:                             "12",
		`{"vm_path":"x","output_dir":"/o","options":{"enable_pipeline":true,"pipeline_convert":false}}`: "pipeline_convert",
		`{"vm_path":"x","output_dir":"/o","options":{"compress_level":3,"pipeline_compress":false}}`:    "contradict",
		`{"kind":"wish","spec":{}}`:                                                                     "wish",
		`{"kind":"clone","spec":{"source_vm":"a"}}`:                                                     "target_name",
		`{"kind":"clone","spec":{"source_vm":"a","target_name":"b","colour":1}}`:                        "colour",
		`{"kind":"migration","spec":{"vm":"a","dir":"/o","convert":false,"manifest":false,"verify":{"checksum":true},"preflight":{}}}`: "nothing to do",
		`[]`:        "JSON object",
		`{"a":1} x`: "JSON object",
	} {
		t.Run(word, func(t *testing.T) { d.post("/jobs", body).refused(422, "invalid", word) })
	}
	d.post("/jobs", "").refused(400, "invalid", "body")
	d.post("/jobs", exportBody[:len(exportBody)-20]).want(422)
	d.post("/jobs", strings.ReplaceAll(exportBody, "DC0_C0_RP0_VM0", "nobody")).refused(404, "not-found", "nobody")
}

func TestJobs_NoQueue(t *testing.T) {
	d := start(t, setup{noQueue: true})
	d.get("/jobs").refused(503, "unavailable", "no jobs")
	d.post("/jobs", exportBody).refused(503, "unavailable", "no jobs")
	d.post("/preflight", exportBody).refused(503, "unavailable", "plans no migrations")
}

func TestPreflight_AnswersThePlan(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) {
		client := c.VSphere
		c.Preview = func(ctx context.Context, spec migrate.Spec) (*migrate.Plan, error) {
			return migrate.Preview(ctx, migrate.Deps{VSphere: client}, spec)
		}
	}})
	plan := into[migrate.Plan](d.post("/preflight", strings.ReplaceAll(exportBody, "/srv/out", t.TempDir())).want(200))
	if plan.Name != "DC0_C0_RP0_VM0" || len(plan.Stages) == 0 || len(plan.Blocking) == 0 {
		t.Errorf("plan %+v; want stages, and the running VM to block it", plan)
	}
	d.post("/preflight", `{"vm_path":"nobody","output_dir":"/srv/out"}`).refused(404, "not-found", "nobody")
	d.post("/preflight", `{"vm_path":"nobody","output_dir":"/srv/out","x":1}`).refused(422, "invalid", "x")
}

func handlers(migration queue.Handler) map[string]queue.Handler {
	return map[string]queue.Handler{api.KindMigration: migration}
}

func nothing(context.Context, *queue.Task) (any, error) { return nil, nil }

func TestJobs_Artifacts(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"disk.qcow2": "the disk", "secret": "hunter2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := start(t, setup{handler: handlers(func(_ context.Context, task *queue.Task) (any, error) {
		task.AddArtifact(job.Artifact{Name: "disk.qcow2", Path: filepath.Join(dir, "disk.qcow2"), Bytes: 8})
		task.AddArtifact(job.Artifact{Name: "gone", Path: filepath.Join(dir, "gone")})
		return nil, nil
	})})
	id := into[api.Accepted](d.post("/jobs", exportBody).want(202)).ID
	d.ended(id)
	at := "/jobs/" + id + "/artifacts/"
	if r := d.get(at + "disk.qcow2").want(200); string(r.body) != "the disk" || !strings.Contains(r.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%q, %v", r.body, r.header)
	}
	if r := d.do(request{path: at + "disk.qcow2", header: map[string]string{"Range": "bytes=4-"}}).want(206); string(r.body) != "disk" {
		t.Errorf("range %q", r.body)
	}
	for _, name := range []string{"secret", "..%2Fsecret", "%2Fetc%2Fpasswd", "disk.qcow2%2F..%2Fsecret"} {
		d.get(at+name).refused(404, "not-found")
	}
	d.get(at+"gone").refused(404, "not-found", "not on this machine")
}
