package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// document is the request body of the feature document, section 6, as written there.
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

func TestRequest_IsTheDocumentsBody(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(document))
	d.DisallowUnknownFields()
	var r job.Request
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	again, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(document, string(again)); diff != "" {
		t.Errorf("the body changed on the way (-document +ours):\n%s", diff)
	}
}

// TestTypes_HoldNoSecret walks every type that ends in a record or on a socket.
func TestTypes_HoldNoSecret(t *testing.T) {
	suspicious := regexp.MustCompile(`(?i)pass|secret|token|credential|private|cookie|auth|api_?key|userdata`)
	seen := map[reflect.Type]bool{}
	fields := 0
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[time.Time]() {
			return
		}
		seen[typ] = true
		for f := range typ.Fields() {
			fields++
			if suspicious.MatchString(f.Name) || suspicious.MatchString(f.Tag.Get("json")) {
				t.Errorf("%s.%s could hold a secret", path, f.Name)
			}
			if f.Type.Kind() == reflect.Interface {
				t.Errorf("%s.%s could hold anything", path, f.Name)
			}
			walk(path+"."+f.Name, f.Type)
		}
	}
	for _, v := range []any{job.Job{}, job.Schedule{}, job.Update{}, job.LogLine{}, job.Worker{}, job.Request{}, job.Page{}} {
		walk(reflect.TypeOf(v).Name(), reflect.TypeOf(v))
	}
	if fields < 80 {
		t.Errorf("walked %d fields only: the walk is broken", fields)
	}
}

func TestSpec_Validate(t *testing.T) {
	many := map[string]string{}
	for r := range 40 {
		many["l"+string(rune('a'+r%26))+string(rune('a'+r/26))] = "x"
	}
	for name, tc := range map[string]struct {
		spec job.Spec
		want string // in the error; empty: valid
	}{
		"whole": {spec: job.Spec{Kind: "migration", Body: json.RawMessage(document), Priority: 100, Key: "0af3",
			Placement: map[string]string{"host": "kvm-1"}, Window: &job.Window{Start: "22:00", End: "06:00"}}},
		"no kind":         {job.Spec{}, "kind"},
		"kind with slash": {job.Spec{Kind: "a/b"}, "kind"},
		"priority":        {job.Spec{Kind: "a", Priority: 101}, "priority 101"},
		"retries":         {job.Spec{Kind: "a", MaxRetries: -1}, "max_retries"},
		"not JSON":        {job.Spec{Kind: "a", Body: json.RawMessage(`{`)}, "not JSON"},
		"too big":         {job.Spec{Kind: "a", Body: json.RawMessage(`"` + strings.Repeat("x", job.MaxBodyBytes) + `"`)}, "at most"},
		"name too long":   {job.Spec{Kind: "a", Name: strings.Repeat("n", 257)}, "at most"},
		"name not text":   {job.Spec{Kind: "a", Name: "\xff"}, "not text"},
		"bad label":       {job.Spec{Kind: "a", Placement: map[string]string{"a b": "c"}}, "not a label"},
		"many labels":     {job.Spec{Kind: "a", Labels: many}, "at most 32"},
		"bad window":      {job.Spec{Kind: "a", Window: &job.Window{Start: "25:00", End: "06:00"}}, "25:00"},
		"secret":          {job.Spec{Kind: "a", Body: json.RawMessage(`{"customize":{"admin_password":"hunter2"}}`)}, "spec.customize.admin_password"},
		"secret in name":  {job.Spec{Kind: "a", Name: "esx://root:hunter2@host"}, "name holds a secret"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.spec.Validate()
			switch {
			case tc.want == "" && err != nil:
				t.Fatal(err)
			case tc.want == "":
			case !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tc.want):
				t.Errorf("got %v, want an ErrInvalid with %q", err, tc.want)
			case strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the refusal repeats the secret: %v", err)
			}
		})
	}
}

func TestCheckSecrets(t *testing.T) {
	for body, want := range map[string]bool{
		`{"password":"x"}`:                         true,
		`{"adminPassword":"x"}`:                    true,
		`{"a":[{"vc":{"api-key":"x"}}]}`:           true,
		`{"userdata":"#cloud-config"}`:             true,
		`{"uri":"qemu+ssh://root:pw@kvm/system"}`:  true,
		`{"note":"password: hunter2"}`:             true,
		`{"password":""}`:                          false,
		`{"password":null,"change_password":true}`: false,
		`{"bypass":"x","job_key":"0af3","keys":1}`: false,
		`{"uri":"qemu+ssh://root@kvm/system"}`:     false,
		`{"vm":"/DC1/vm/web","disks":{"*":{}}}`:    false,
	} {
		if err := job.CheckSecrets([]byte(body)); (err != nil) != want {
			t.Errorf("%s: got %v, want refused=%v", body, err, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"dial https://root:hunter2@vc/sdk: refused":                           "dial https://root:[redacted]@vc/sdk: refused",
		"Authorization: Bearer abcdefgh.ijkl":                                 "Authorization: [redacted]",
		"header Bearer abcdefgh.ijkl":                                         "header Bearer [redacted]",
		"password=hunter2, user=root":                                         "password=[redacted], user=root",
		`{"password":"hun\"ter2","user":"root"}`:                              `{"password":"[redacted]","user":"root"}`,
		"vc_password: 'hunter 2'":                                             "vc_password: '[redacted]'",
		"run tool --password hunter2 --verbose":                               "run tool --password [redacted] --verbose",
		"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----": "[redacted]",
		"disk-0: 12 of 40 GiB, 3 tokens left":                                 "disk-0: 12 of 40 GiB, 3 tokens left",
		"https://vc/sdk at 10:00":                                             "https://vc/sdk at 10:00",
		"qemu+ssh://root@kvm/system":                                          "qemu+ssh://root@kvm/system",
	} {
		if got := job.Redact(text); got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
		if again := job.Redact(job.Redact(text)); again != job.Redact(text) {
			t.Errorf("%q: redacting twice gives %q", text, again)
		}
	}
}

func TestError_KeepsKindAndHints(t *testing.T) {
	err := sdk.WithHint(sdk.NotFoundf("VM %q not found", "web"), "list them")
	got := job.FromError(err).Err()
	if !errors.Is(got, sdk.ErrNotFound) || got.Error() != err.Error() || len(sdk.Hints(got)) != 1 {
		t.Errorf("got %v with hints %q", got, sdk.Hints(got))
	}
	if e := job.FromError(context.DeadlineExceeded); e.Kind != job.KindDeadline {
		t.Errorf("got kind %q", e.Kind)
	}
	if job.FromError(nil) != nil || (*job.Error)(nil).Err() != nil {
		t.Error("no error became one")
	}
	partial := &sdk.PartialError{Done: []string{"a"}, Failed: map[string]error{"b": errors.New("password=hunter2")}}
	var back *sdk.PartialError
	if !errors.As(job.FromError(partial).Err(), &back) || back.Failed["b"].Error() != "password=[redacted]" {
		t.Errorf("got %+v", back)
	}
}

func TestWindow_Next(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	night := job.Window{Start: "22:00", End: "06:00", TimeZone: "Europe/Berlin"}
	weekend := job.Window{Start: "00:00", End: "00:00", Days: []string{"sat", "Sun"}}
	for name, tc := range map[string]struct {
		w        job.Window
		now, out string
	}{
		"open before midnight":      {night, "2026-01-10T22:30:00Z", "2026-01-10T22:30:00Z"},
		"open after midnight":       {night, "2026-01-10T04:59:00Z", "2026-01-10T04:59:00Z"},
		"end is not included":       {night, "2026-01-10T05:00:00Z", "2026-01-10T21:00:00Z"},
		"summer time":               {night, "2026-07-10T12:00:00Z", "2026-07-10T20:00:00Z"},
		"the day it opens on":       {job.Window{Start: "22:00", End: "06:00", Days: []string{"fri"}}, "2026-01-10T05:00:00Z", "2026-01-10T05:00:00Z"},
		"not the day after":         {job.Window{Start: "22:00", End: "06:00", Days: []string{"fri"}}, "2026-01-10T22:30:00Z", "2026-01-16T22:00:00Z"},
		"whole days":                {weekend, "2026-01-11T23:59:00Z", "2026-01-11T23:59:00Z"},
		"whole days, closed":        {weekend, "2026-01-12T00:00:00Z", "2026-01-17T00:00:00Z"},
		"start in the spring's gap": {job.Window{Start: "02:30", End: "05:00", TimeZone: "Europe/Berlin"}, "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"},
	} {
		got, err := tc.w.Next(at(tc.now))
		if err != nil || !got.Equal(at(tc.out)) {
			t.Errorf("%s: got %v, %v, want %s", name, got, err, tc.out)
		}
	}
	for _, w := range []job.Window{{Start: "1", End: "06:00"}, {Start: "22:00", End: "24:00"}, {Start: "22:00", End: "23:00", TimeZone: "Local"},
		{Start: "22:00", End: "23:00", TimeZone: "Mars/Olympus"}, {Start: "22:00", End: "23:00", Days: []string{"someday"}}} {
		if err := w.Validate(); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%+v: got %v", w, err)
		}
	}
}

func TestFilter(t *testing.T) {
	j := &job.Job{ID: "1", Status: sdk.Running, Worker: "w1", Spec: job.Spec{Kind: "clone", Name: "web-1", Key: "k",
		Labels: map[string]string{"team": "a"}, Limits: job.Limits{Source: "esxi-1", Target: "kvm-1"}}}
	for _, f := range []job.Filter{{}, {Status: []sdk.Status{sdk.Pending, sdk.Running}}, {Kind: []string{"clone"}}, {Name: "web-*"},
		{Key: "k", Worker: "w1", Source: "esxi-1", Target: "kvm-1"}, {Labels: map[string]string{"team": "a"}}} {
		if err := f.Validate(); err != nil || !f.Match(j) {
			t.Errorf("%+v does not choose the job: %v", f, err)
		}
	}
	for _, f := range []job.Filter{{Status: []sdk.Status{sdk.Failed}}, {Kind: []string{"export"}}, {Name: "db-*"}, {Key: "l"}, {ID: "2"},
		{Schedule: "nightly"}, {Labels: map[string]string{"team": ""}}, {Labels: map[string]string{"x": ""}}} {
		if f.Match(j) {
			t.Errorf("%+v chooses the job", f)
		}
	}
	for _, f := range []job.Filter{{Name: "["}, {Limit: 1001}, {Limit: -1}, {Status: []sdk.Status{"done"}}} {
		if err := f.Validate(); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%+v: got %v", f, err)
		}
	}
}
