package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const vm0 = "/vsphere/vms/DC0_C0_RP0_VM0"

func TestPools_CreateUpdateDelete(t *testing.T) {
	d := start(t, setup{noQueue: true})
	made := d.post("/vsphere/pools", `{"name":"dev-pool","parent":"/DC0/host/DC0_C0","cpu_reservation_mhz":200,"cpu_limit_mhz":8000,"memory_reservation_mb":64,"memory_limit_mb":16384}`).want(201)
	pool := into[vsphere.ResourcePool](made)
	if pool.Name != "dev-pool" || pool.CPUReservationMHz != 200 || pool.CPULimitMHz != 8000 || pool.MemoryLimitMB != 16384 {
		t.Errorf("made %+v", pool)
	}
	d.post("/vsphere/pools", `{"name":"dev-pool","parent":"/DC0/host/DC0_C0"}`).refused(409, "conflict", "dev-pool")
	d.post("/vsphere/pools", `{"parent":"/DC0/host/DC0_C0"}`).refused(422, "invalid", "name")
	d.post("/vsphere/pools", `{"name":"x","cpu_reserve":1}`).refused(422, "invalid", "cpu_reserve")
	d.post("/vsphere/pools", `{"name":`).refused(400, "invalid")
	d.post("/vsphere/pools", `{"name":"x","cpu_limit_mhz":-7}`).refused(422, "invalid", "CPU limit")

	changed := d.do(request{method: "PUT", path: "/vsphere/pools/dev-pool", body: `{"cpu_limit_mhz":12000}`}).want(200)
	if pool := into[vsphere.ResourcePool](changed); pool.CPULimitMHz != 12000 || pool.CPUReservationMHz != 200 {
		t.Errorf("changed %+v", pool)
	}
	d.do(request{method: "PUT", path: "/vsphere/pools/no-pool", body: `{"cpu_limit_mhz":12000}`}).refused(404, "not-found", "no-pool")
	d.do(request{method: "PUT", path: "/vsphere/pools/dev-pool", body: `{"cpu_limit_mhz":"much"}`}).refused(422, "invalid", "cpu_limit_mhz")

	d.do(request{method: "DELETE", path: "/vsphere/pools/dev-pool"}).want(204)
	d.do(request{method: "DELETE", path: "/vsphere/pools/dev-pool"}).refused(404, "not-found", "dev-pool")
	d.do(request{method: "DELETE", path: "/vsphere/pools/%2FDC0%2Fhost%2FDC0_C0%2FResources"}).refused(422, "invalid")
}

func TestVM_PowerAndSnapshots(t *testing.T) {
	d := start(t, setup{noQueue: true})
	off := into[api.Powered](d.post(vm0+"/power", `{"action":"off"}`).want(200))
	if off.PowerState != "poweredOff" || !off.Changed || off.Name != "DC0_C0_RP0_VM0" {
		t.Errorf("powered %+v", off)
	}
	if again := into[api.Powered](d.post(vm0+"/power", `{"action":"off"}`).want(200)); again.Changed {
		t.Errorf("powering off what is off changed something: %+v", again)
	}
	d.post(vm0+"/power", `{"action":"explode"}`).refused(422, "invalid", "action")
	d.post("/vsphere/vms/nobody/power", `{"action":"on"}`).refused(404, "not-found", "nobody")

	made := into[vsphere.Snapshot](d.post(vm0+"/snapshots", `{"name":"a/b","description":"first"}`).want(201))
	d.post(vm0+"/snapshots", `{"name":"a/b"}`).refused(409, "conflict", "a/b")
	d.post(vm0+"/snapshots", `{"name":""}`).refused(422, "invalid", "name")
	all := into[vsphere.VMSnapshots](d.get(vm0 + "/snapshots").want(200))
	if len(all.Snapshots) != 1 || all.Snapshots[0].Ref != made.Ref || all.Snapshots[0].Description != "first" {
		t.Errorf("snapshots %+v, made %+v", all, made)
	}
	revert := vm0 + "/snapshots/a%2Fb/revert"
	d.post(revert, `{"confirm":false}`).refused(422, "invalid", "lost", "confirm")
	d.post(revert, `{"confirm":true}`).want(204)
	d.post(vm0+"/snapshots/nothing/revert", `{"confirm":true}`).refused(404, "not-found", "nothing")
	d.do(request{method: "DELETE", path: vm0 + "/snapshots/a%2Fb"}).want(200)
	d.do(request{method: "DELETE", path: vm0 + "/snapshots/a%2Fb"}).refused(404, "not-found", "a/b")

	d.do(request{method: "DELETE", path: "/vsphere/vms/DC0_C0_RP0_VM1"}).refused(409, "conflict")
	d.do(request{method: "DELETE", path: vm0}).want(204)
	d.get(vm0).refused(404, "not-found", "DC0_C0_RP0_VM0")
	d.do(request{method: "DELETE", path: "/vsphere/vms/DC0_C0_RP0_VM1?force=true"}).want(204)
}

func TestVM_DetailHidesSecretsOfItsSettings(t *testing.T) {
	d := start(t, setup{noQueue: true})
	vm, err := d.client.GetVM(t.Context(), "DC0_C0_RP0_VM0")
	if err != nil {
		t.Fatal(err)
	}
	spec := vsphere.UpdateVMSpec{VMSettings: vsphere.VMSettings{ExtraConfig: map[string]string{"guestinfo.userdata": "hunter2", "app.color": "blue"}}}
	if _, err := d.client.UpdateVM(t.Context(), vm, spec, nil); err != nil {
		t.Fatal(err)
	}
	r := d.get(vm0).want(200)
	got := into[vsphere.VM](r).ExtraConfig
	if strings.Contains(string(r.body), "hunter2") || got["guestinfo.userdata"] != "[redacted]" || got["app.color"] != "blue" {
		t.Errorf("extra_config %v", got)
	}
}

func TestMetrics_RealtimeAndHistorical(t *testing.T) {
	d := start(t, setup{noQueue: true})
	for _, q := range []string{
		"entity=DC0_C0_RP0_VM0&type=vm&realtime=true",
		"entity=DC0_C0_H0&type=host&realtime=true",
		"entity=DC0_C0&type=cluster&realtime=true",
		"entity=DC0_C0_RP0_VM0&type=vm&start=24h%20ago&interval=1h",
		"entity=%2FDC0%2Fvm%2FDC0_C0_RP0_VM0&start=2h&end=1h&interval=5min",
	} {
		r := d.get("/vsphere/metrics?" + q).want(200)
		var m struct {
			Samples []map[string]any  `json:"samples"`
			Units   map[string]string `json:"units"`
			Summary map[string]any    `json:"summary"`
		}
		if err := json.Unmarshal(r.body, &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Samples) == 0 {
			t.Errorf("%s: no samples: %s", q, r.body)
			continue
		}
		for _, key := range []string{"time", "cpu_percent", "memory_percent", "cpu_mhz", "memory_mb"} {
			if _, ok := m.Samples[0][key]; !ok {
				t.Errorf("%s: a sample has no %s: %v", q, key, m.Samples[0])
			}
		}
		if m.Units["cpu_percent"] != "percent" || m.Summary["cpu_percent"] == nil {
			t.Errorf("%s: units %v, summary %v", q, m.Units, m.Summary)
		}
	}
	d.get("/vsphere/metrics").refused(422, "invalid", "entity")
	d.get("/vsphere/metrics?entity=nobody").refused(404, "not-found", "nobody")
	d.get("/vsphere/metrics?entity=x&type=toaster").refused(422, "invalid", "type")
	d.get("/vsphere/metrics?entity=DC0_C0_RP0_VM0&start=yesteryear").refused(422, "invalid", "yesteryear")
	d.get("/vsphere/metrics?entity=DC0_C0_RP0_VM0&interval=1h&realtime=true").refused(422, "invalid", "realtime")
}

func TestEvents_KeysFiltersAndTheRest(t *testing.T) {
	d := start(t, setup{noQueue: true})
	d.post(vm0+"/power", `{"action":"off"}`).want(200)
	r := d.get("/vsphere/events?since=1h&types=VmPoweredOffEvent").want(200)
	all := into[[]map[string]any](r)
	if len(all) != 1 {
		t.Fatalf("events %s", r.body)
	}
	for key, want := range map[string]any{"severity": "info", "event_type": "VmPoweredOffEvent", "vm": "DC0_C0_RP0_VM0"} {
		if all[0][key] != want {
			t.Errorf("%s is %v, want %v", key, all[0][key], want)
		}
	}
	if text, _ := all[0]["message"].(string); text == "" {
		t.Errorf("no message: %v", all[0])
	}
	if some := d.get("/vsphere/events?limit=1").want(200); len(into[[]any](some)) != 1 || some.header.Get("X-Truncated") != "true" {
		t.Errorf("limit 1: %s, X-Truncated %q", some.body, some.header.Get("X-Truncated"))
	}
	if r.header.Get("X-Truncated") != "" {
		t.Error("a whole list is called truncated")
	}
	d.get("/vsphere/events?types=VmPoweredOfEvent").refused(422, "invalid", "VmPoweredOfEvent")
	d.get("/vsphere/events?severity=awful").refused(422, "invalid", "awful")
	d.get("/vsphere/events?since=tomorrowish").refused(422, "invalid", "tomorrowish")
	d.get("/vsphere/events?entity=nobody").refused(404, "not-found", "nobody")
}

// TestVCenterRefuses shows whose refusal it is: not the daemon's.
func TestVCenterRefuses(t *testing.T) {
	d := start(t, setup{noQueue: true})
	d.get("/vsphere/hosts").want(200)
	d.vcenter.SetFaults(demo.Faults{Unavailable: 1000, UnavailableMethod: "RetrievePropertiesEx"})
	r := d.get("/vsphere/hosts/DC0_C0_H0")
	r.refused(503, "unavailable")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestVM_Change(t *testing.T) {
	d := start(t, setup{noQueue: true})
	vm := into[vsphere.VM](d.do(request{method: "PATCH", path: vm0, body: `{"annotation":"mine","name":"renamed"}`}).want(200))
	if vm.Name != "renamed" || vm.Annotation != "mine" {
		t.Errorf("changed %+v", vm)
	}
	d.do(request{method: "PATCH", path: vm0, body: `{"annotation":"x"}`}).refused(404, "not-found", "DC0_C0_RP0_VM0")
	d.do(request{method: "PATCH", path: "/vsphere/vms/renamed", body: `{"cpus":0}`}).refused(422, "invalid", "cpus")
	d.do(request{method: "PATCH", path: "/vsphere/vms/renamed", body: `{"colour":1}`}).refused(422, "invalid", "colour")
}
