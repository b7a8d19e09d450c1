package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// keys are the keys of a JSON object.
func keys(t testing.TB, text []byte) map[string]json.RawMessage {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return object
}

func TestInventory_EveryListAndItsDetail(t *testing.T) {
	d := start(t, setup{demo: demo.Options{Clusters: 2, Hosts: 2, VMs: 3}, noQueue: true})
	tests := []struct {
		path string
		n    int
		keys string
	}{
		{"/vsphere/hosts", 4, "name path cluster state cpu_usage_mhz memory_mb version"},
		{"/vsphere/clusters", 2, "name path drs ha hosts cpu_total_mhz memory_mb"},
		{"/vsphere/datacenters", 1, "name path vms hosts clusters"},
		{"/vsphere/vms", 6, "name path power_state cpus memory_mb guest_id ip_addresses"},
		{"/vsphere/pools", 2, "name path cpu_reservation_mhz cpu_limit_mhz memory_limit_mb owner"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			r := d.get(tt.path).want(200)
			all := into[[]json.RawMessage](r)
			if len(all) != tt.n || r.header.Get("X-Total-Count") != string(rune('0'+tt.n)) {
				t.Fatalf("%d objects and X-Total-Count %s, want %d: %s", len(all), r.header.Get("X-Total-Count"), tt.n, r.body)
			}
			object := keys(t, all[0])
			for key := range strings.FieldsSeq(tt.keys) {
				if _, ok := object[key]; !ok {
					t.Errorf("the key %s is missing: %s", key, all[0])
				}
			}
			if r.header.Get("Age") == "" || r.header.Get("Last-Modified") == "" {
				t.Errorf("the answer does not say how old it is: %v", r.header)
			}
			var path string
			if err := json.Unmarshal(object["path"], &path); err != nil {
				t.Fatal(err)
			}
			one := d.get(tt.path + "/" + url.PathEscape(path)).want(200) // slashes as %2F
			if got := keys(t, one.body)["path"]; string(got) != string(object["path"]) {
				t.Errorf("%s: got the path %s, want %s", path, got, object["path"])
			}
			d.get(tt.path+"/no%20such%2Fthing").refused(404, "not-found", "no such/thing")
			d.get(tt.path+"?pattern=%5Ba").refused(422, "invalid")
			d.get(tt.path+"?sort=bogus").refused(422, "invalid", "bogus", "there is", "name")
			d.get(tt.path+"?fields=bogus").refused(422, "invalid", "bogus", "name")
			d.get(tt.path+"?bogus=1").refused(422, "invalid", "bogus")
			d.get(tt.path+"?limit=-1").refused(422, "invalid", "limit")
		})
	}
}

func TestVCenterInfo(t *testing.T) {
	d := start(t, setup{noQueue: true})
	info := into[vsphere.VCenter](d.get("/vsphere/vcenter/info").want(200))
	if info.Version == "" || info.InstanceUUID == "" || info.URL != d.vcenter.URL() {
		t.Errorf("vCenter information %+v", info)
	}
}

func TestList_PagesSortsAndCuts(t *testing.T) {
	d := start(t, setup{demo: demo.Options{Hosts: 5, VMs: 5}, noQueue: true})
	names := func(path string) (all []string, next string) {
		r := d.get(path).want(200)
		for _, o := range into[[]map[string]any](r) {
			all = append(all, o["name"].(string))
			if len(o) != 1 {
				t.Errorf("%s: got more keys than the name: %v", path, o)
			}
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(r.header.Get("Link"), "<"), ">")
		return all, next
	}
	all, next := names("/vsphere/hosts?fields=name&sort=-name")
	if !slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(b, a) }) || len(all) != 5 || next != "" {
		t.Fatalf("hosts %v, next %q", all, next)
	}
	var paged []string
	path := "/vsphere/hosts?fields=name&sort=-name&limit=2"
	for pages := 0; path != "" && pages < 9; pages++ {
		var some []string
		some, path = names(path)
		paged = append(paged, some...)
	}
	if !slices.Equal(paged, all) {
		t.Errorf("page by page %v, at once %v", paged, all)
	}
	if got, _ := names("/vsphere/hosts?fields=name&offset=99"); len(got) != 0 {
		t.Errorf("behind the end is %v", got)
	}
	if got, _ := names("/vsphere/hosts?fields=name&pattern=*_H1"); !slices.Equal(got, []string{"DC0_C0_H1"}) {
		t.Errorf("pattern *_H1 gives %v", got)
	}
	if got, _ := names("/vsphere/vms?fields=name&state=poweredOff"); len(got) != 0 {
		t.Errorf("VMs that are off: %v", got)
	}
	if got := string(d.get("/vsphere/hosts?pattern=nobody").want(200).body); got != "[]\n" {
		t.Errorf("an empty list is %q", got)
	}
	d.get("/vsphere/vms?sort=disks").refused(422, "invalid", "disks")
	d.get("/vsphere/vms?state=asleep").refused(422, "invalid", "asleep", "poweredOn")
}

func TestList_NotModifiedAndCompressed(t *testing.T) {
	d := start(t, setup{noQueue: true})
	plain := d.get("/vsphere/hosts").want(200)
	etag := plain.header.Get("ETag")
	if !strings.HasPrefix(etag, `W/"`) {
		t.Fatalf("ETag %q", etag)
	}
	for _, tag := range []string{etag, strings.TrimPrefix(etag, "W/"), `"other", ` + etag, "*"} {
		r := d.do(request{path: "/vsphere/hosts", header: map[string]string{"If-None-Match": tag}}).want(304)
		if len(r.body) != 0 || r.header.Get("ETag") != etag {
			t.Errorf("If-None-Match %s: body %q, ETag %q", tag, r.body, r.header.Get("ETag"))
		}
	}
	d.do(request{path: "/vsphere/hosts", header: map[string]string{"If-None-Match": `"other"`}}).want(200)
	if other := d.get("/vsphere/hosts?fields=name").want(200).header.Get("ETag"); other == etag {
		t.Errorf("another form of the list has the same ETag")
	}
	zipped := d.do(request{path: "/vsphere/hosts", header: map[string]string{"Accept-Encoding": "br, gzip"}}).want(200)
	if zipped.header.Get("Content-Encoding") != "gzip" || zipped.header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("headers %v", zipped.header)
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(text, plain.body) {
		t.Errorf("unpacked it differs (%v)", err)
	}
	refused := d.do(request{path: "/vsphere/hosts", header: map[string]string{"Accept-Encoding": "gzip;q=0"}}).want(200)
	if refused.header.Get("Content-Encoding") != "" {
		t.Errorf("compressed although gzip has the weight 0")
	}
}

func TestList_WarmMakesNoCall(t *testing.T) {
	d := start(t, setup{noQueue: true})
	paths := []string{"/vsphere/hosts", "/vsphere/clusters", "/vsphere/datacenters", "/vsphere/vms", "/vsphere/pools", "/vsphere/vcenter/info", "/vsphere/vms?sort=name&cluster=DC0_C0"}
	d.get(paths[0]).want(200)
	var before, after map[string]int
	for range 50 { // the daemon's own streams may still be starting; lists that made calls would make them every time
		before = d.vcenter.Calls()
		for _, path := range paths {
			d.get(path).want(200)
		}
		if after = d.vcenter.Calls(); calls(before, after) == 0 {
			return
		}
	}
	t.Errorf("%d lists cost %d calls: before %v, after %v", len(paths), calls(before, after), before, after)
}

// TestList_FollowsVCenter changes the inventory behind the API's back.
func TestList_FollowsVCenter(t *testing.T) {
	d := start(t, setup{noQueue: true})
	before := d.get("/vsphere/pools").want(200)
	vms := d.get("/vsphere/vms").want(200)
	if _, err := d.client.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "behind", Parent: "/DC0/host/DC0_C0"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new pool is in the list", func() bool {
		return strings.Contains(string(d.get("/vsphere/pools?fields=name").want(200).body), `"behind"`)
	})
	if d.get("/vsphere/pools").header.Get("ETag") == before.header.Get("ETag") {
		t.Error("the list changed and its ETag did not")
	}
	if d.get("/vsphere/vms").header.Get("ETag") != vms.header.Get("ETag") {
		t.Error("the VMs did not change and their ETag did")
	}
}

func TestList_SaysThatItMayBeOld(t *testing.T) {
	d := start(t, setup{noQueue: true})
	fresh := d.get("/vsphere/hosts").want(200)
	if got := fresh.header.Get("X-Stale"); got != "" {
		t.Fatalf("X-Stale %q while vCenter is heard", got)
	}
	d.get("/readyz").want(200)
	end := d.vcenter.Outage(false)
	eventually(t, "the list is called stale", func() bool { return d.get("/vsphere/hosts").header.Get("X-Stale") != "" })
	if stale := d.get("/vsphere/hosts").want(200); !bytes.Equal(stale.body, fresh.body) {
		t.Error("the list is not what was true last")
	}
	d.get("/readyz").refused(503, "unavailable", "lost")
	d.get("/healthz").want(200)
	end()
	eventually(t, "vCenter is heard again", func() bool { return d.get("/readyz").status == 200 })
	if got := d.get("/vsphere/hosts").header.Get("X-Stale"); got != "" {
		t.Errorf("X-Stale %q after vCenter came back", got)
	}
}
