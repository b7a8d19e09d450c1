package client_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/client"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// deadline is how long a condition may take on a loaded machine; nothing is measured by it.
const deadline = 2 * time.Minute

// daemon is the real API over a simulated vCenter, and a client of each.
type daemon struct {
	direct *vsphere.Client
	remote *client.Client
	server *httptest.Server
}

func startDaemon(t *testing.T) *daemon {
	t.Helper()
	v := rig.VCenter(t, demo.Options{})
	direct, err := vsphere.Dial(t.Context(), vsphere.Config{URL: v.URL(), Username: v.Username(), Password: vsphere.Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := direct.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	q, err := queue.Open(t.Context(), queue.Options{Embedded: queue.Embedded{Dir: filepath.Join(t.TempDir(), "jobs")}, AckWait: 10 * time.Second, Tick: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	worker, err := q.Work(queue.WorkerSpec{Name: "test", Slots: 2, Handlers: map[string]queue.Handler{
		api.KindClone: func(ctx context.Context, task *queue.Task) (any, error) {
			var item vsphere.CloneItem
			if err := task.Decode(&item); err != nil {
				return nil, err
			}
			task.Log(0, "clone %s", item.TargetName)
			return direct.CloneOne(ctx, item, task.Report)
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), deadline)
		defer cancel()
		if err := worker.Stop(ctx); err != nil {
			t.Error(err)
		}
		q.Close()
	})
	s, err := api.New(context.WithoutCancel(t.Context()), api.Config{
		VSphere: direct, Jobs: q, Loopback: true, Limits: api.Limits{PerSecond: -1},
		Auth: api.Auth{Credentials: []api.Credential{{Name: "ada", Role: api.Admin, Token: "admin-token-of-the-tests"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	remote, err := client.New(client.Config{URL: server.URL, Token: "admin-token-of-the-tests"})
	if err != nil {
		t.Fatal(err)
	}
	return &daemon{direct, remote, server}
}

// reads are the verbs that both clients have.
type reads interface {
	ListHosts(context.Context, vsphere.Filter) ([]vsphere.Host, error)
	GetHost(context.Context, string) (*vsphere.Host, error)
	ListClusters(context.Context, vsphere.Filter) ([]vsphere.Cluster, error)
	ListDatacenters(context.Context, vsphere.Filter) ([]vsphere.Datacenter, error)
	GetVCenter(context.Context) (*vsphere.VCenter, error)
	ListVMs(context.Context, vsphere.Filter) ([]vsphere.VMSummary, error)
	ListResourcePools(context.Context, string) ([]vsphere.ResourcePool, error)
	ListSnapshots(context.Context, string) (*vsphere.VMSnapshots, error)
	ListEvents(context.Context, vsphere.EventsSpec) (*vsphere.EventsResult, error)
	GetMetrics(context.Context, vsphere.MetricsSpec) (*vsphere.Metrics, error)
}

func TestReads_AreThoseOfVCenter(t *testing.T) {
	d := startDaemon(t)
	tests := map[string]func(reads) (any, error){
		"hosts":       func(c reads) (any, error) { return c.ListHosts(t.Context(), vsphere.Filter{Name: "*_H1"}) },
		"host":        func(c reads) (any, error) { return c.GetHost(t.Context(), "/DC0/host/DC0_C0/DC0_C0_H0") },
		"clusters":    func(c reads) (any, error) { return c.ListClusters(t.Context(), vsphere.Filter{}) },
		"datacenters": func(c reads) (any, error) { return c.ListDatacenters(t.Context(), vsphere.Filter{}) },
		"vcenter":     func(c reads) (any, error) { return c.GetVCenter(t.Context()) },
		"vms": func(c reads) (any, error) {
			return c.ListVMs(t.Context(), vsphere.Filter{States: []string{"poweredOn"}})
		},
		"pools":     func(c reads) (any, error) { return c.ListResourcePools(t.Context(), "") },
		"snapshots": func(c reads) (any, error) { return c.ListSnapshots(t.Context(), "DC0_C0_RP0_VM0") },
		"no host":   func(c reads) (any, error) { return c.GetHost(t.Context(), "nowhere") },
		"no state":  func(c reads) (any, error) { return c.ListVMs(t.Context(), vsphere.Filter{States: []string{"asleep"}}) },
		"no such type": func(c reads) (any, error) {
			return c.ListEvents(t.Context(), vsphere.EventsSpec{Types: []string{"VmPoweredOnEvnt"}})
		},
		"metrics of nothing": func(c reads) (any, error) { return c.GetMetrics(t.Context(), vsphere.MetricsSpec{Entity: "nowhere"}) },
	}
	for name, read := range tests {
		want, wantErr := read(d.direct)
		got, err := read(d.remote)
		if kindOf(err) != kindOf(wantErr) {
			t.Errorf("%s: error %v, want %v", name, err, wantErr)
			continue
		}
		if diff := cmp.Diff(want, got, ignoreUnexported); err == nil && diff != "" {
			t.Errorf("%s: -vCenter +daemon\n%s", name, diff)
		}
	}
}

// ignoreUnexported leaves out what no JSON carries.
var ignoreUnexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && strings.ToLower(field.Name()[:1]) == field.Name()[:1]
}, cmp.Ignore())

// kindOf is the kind of an error, in words.
func kindOf(err error) string {
	for _, kind := range []error{sdk.ErrInvalid, sdk.ErrNotFound, sdk.ErrConflict, sdk.ErrDenied, sdk.ErrUnavailable} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return "another"
	}
	return ""
}

func TestStreamEvents_GoesOnAfterACut(t *testing.T) {
	d := startDaemon(t)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	before, err := d.direct.ListEvents(ctx, vsphere.EventsSpec{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	vm, err := d.direct.GetVM(ctx, "DC0_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	var keys []int32
	done := errors.New("seen enough")
	seen := 0
	err = d.remote.StreamEvents(ctx, vsphere.EventsSpec{Since: "1h", Entity: vm.Ref}, func(e vsphere.Event) error {
		keys = append(keys, e.Key)
		if seen++; seen == 1 {
			d.server.CloseClientConnections() // each socket is cut; the next event comes after that
			return d.direct.PowerVM(ctx, vm, vsphere.PowerAction("off"), deadline)
		}
		if e.EventType == "VmPoweredOffEvent" {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatalf("the stream ended with %v after %d events", err, len(keys))
	}
	for i := 1; i < len(keys); i++ {
		if keys[i] <= keys[i-1] {
			t.Errorf("key %d follows %d", keys[i], keys[i-1])
		}
	}
	if len(before.Events) == 0 {
		t.Error("there were no events to begin with")
	}
}

func TestJobs_FromSubmissionToTheEnd(t *testing.T) {
	d := startDaemon(t)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	a, err := d.remote.Submit(ctx, job.Spec{Kind: api.KindClone, Name: "a clone", Body: []byte(`{"source_vm":"DC0_C0_RP0_VM0","target_name":"by-job"}`)})
	if err != nil {
		t.Fatal(err)
	}
	var statuses []sdk.Status
	last, err := d.remote.WatchJob(ctx, a.ID, func(j *job.Job) error {
		statuses = append(statuses, j.Status)
		return nil
	})
	if err != nil || last.Status != sdk.Succeeded || last.SubmittedBy != "ada" {
		t.Fatalf("job ends as %+v, %v; seen %v", last, err, statuses)
	}
	if _, err := d.direct.GetVM(ctx, "by-job"); err != nil {
		t.Error(err)
	}
	lines, err := d.remote.JobLogs(ctx, a.ID, 0, 0)
	if err != nil || !slices.ContainsFunc(lines, func(l job.LogLine) bool { return l.Text == "clone by-job" }) {
		t.Errorf("log = %v, %v", lines, err)
	}
	page, err := d.remote.ListJobs(ctx, job.Filter{Status: []sdk.Status{sdk.Succeeded}, Name: "a*"})
	if err != nil || page.Total != 1 || page.Jobs[0].ID != a.ID {
		t.Errorf("list = %+v, %v", page, err)
	}
	if _, err := d.remote.CancelJob(ctx, a.ID, "too late"); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("cancel one that has ended: %v", err)
	}
	if _, err := d.remote.GetJob(ctx, "nothing"); !errors.Is(err, sdk.ErrNotFound) && !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("get one that there is not: %v", err)
	}
	if _, err := d.remote.SubmitRaw(ctx, []byte(`{"vm_path":"nowhere","output_dir":"/tmp"}`)); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("submit of a VM that there is not: %v", err)
	}
}

func TestWatchJob_OutlastsTheDaemonsConnection(t *testing.T) {
	d := startDaemon(t)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	a, err := d.remote.Submit(ctx, job.Spec{
		Kind: api.KindClone, NotBefore: time.Now().Add(time.Second), Body: []byte(`{"source_vm":"DC0_C0_RP0_VM0","target_name":"later"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	last, err := d.remote.WatchJob(ctx, a.ID, func(j *job.Job) error {
		if j.Status == sdk.Pending {
			d.server.CloseClientConnections()
		}
		return nil
	})
	if err != nil || last.Status != sdk.Succeeded {
		t.Errorf("job ends as %+v, %v", last, err)
	}
}
