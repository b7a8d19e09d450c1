package demo_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func folderURL(t *testing.T, v *demo.VCenter, path string) string {
	t.Helper()
	u, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/folder/" + path
	u.RawQuery = "dcPath=DC0&dsName=LocalDS_0"
	return u.String()
}

func basicAuth(v *demo.VCenter) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(v.Username(), v.Password()) }
}

func TestFolder_AsksForALogin(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}})
	c := login(t, v)
	u := folderURL(t, v, "web-01/web-01-flat.vmdk")
	sc, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	cookies := c.Client.Client.Jar.Cookies(sc)
	for name, tc := range map[string]struct {
		edit func(*http.Request)
		want int
	}{
		"nothing":        {nil, 401},
		"wrong password": {func(r *http.Request) { r.SetBasicAuth(v.Username(), "x") }, 401},
		"wrong cookie":   {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: soap.SessionCookieName, Value: "x"}) }, 401},
		"password":       {basicAuth(v), 200},
		"session":        {func(r *http.Request) { r.AddCookie(cookies[0]) }, 200},
	} {
		res, _, err := get(t, c, "GET", u, tc.edit)
		if err != nil || res.StatusCode != tc.want {
			t.Errorf("%s: got %v and %v, want %d", name, res, err, tc.want)
		}
	}
	v.EndSessions()
	res, _, err := get(t, c, "GET", u, func(r *http.Request) { r.AddCookie(cookies[0]) })
	if err != nil || res.StatusCode != 401 {
		t.Errorf("ended session: got %v and %v, want 401", res, err)
	}
}

func TestFolder_FlatIsTheRawDisk(t *testing.T) {
	g := guest(t, webPath)
	want, err := os.ReadFile(g.Disks[0].Image)
	if err != nil {
		t.Fatal(err)
	}
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}})
	c := dial(t, v)
	u := folderURL(t, v, "web-01/web-01-flat.vmdk")
	for name, tc := range map[string]struct {
		rng    string
		status int
		want   []byte
	}{
		"whole":  {"", 200, want},
		"middle": {"bytes=1000-66999", 206, want[1000:67000]},
		"tail":   {"bytes=-512", 206, want[len(want)-512:]},
		"behind": {"bytes=1048576-", 416, nil},
	} {
		res, body, err := get(t, c, "GET", u, func(r *http.Request) {
			basicAuth(v)(r)
			if tc.rng != "" {
				r.Header.Set("Range", tc.rng)
			}
		})
		if err != nil || res.StatusCode != tc.status {
			t.Errorf("%s: got %v and %v, want %d", name, res, err, tc.status)
			continue
		}
		if tc.want != nil && !bytes.Equal(body, tc.want) {
			t.Errorf("%s: got %d other bytes, want %d", name, len(body), len(tc.want))
		}
	}
	if got, want := v.Calls()["GET /folder"], 4; got != want {
		t.Errorf("counted %d transfers, want %d", got, want)
	}
}

func TestFolder_OtherFilesAndRefusals(t *testing.T) {
	g := guest(t, webPath)
	before := sumFile(t, g.Disks[0].Image)
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}})
	c := dial(t, v)
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "web-01/web-01.vmdk", 200}, // the descriptor
		{"HEAD", "web-01/web-01.vmx", 200},
		{"GET", "web-01/none", 404},
		{"GET", "", 404},
		{"GET", "../../../../etc/passwd", 404},
		{"DELETE", "web-01/web-01-flat.vmdk", 405},
		{"DELETE", "web-01/web-01.vmx", 405},
		{"PUT", "web-01/web-01-flat.vmdk", 403},
		{"POST", "web-01/web-01.vmx", 409},
		{"PUT", "iso/new.iso", 201},
		{"GET", "iso/new.iso", 200},
		{"PUT", "../escape", 404},
	} {
		res, _, err := get(t, c, tc.method, folderURL(t, v, tc.path), basicAuth(v))
		if err != nil || res.StatusCode != tc.want {
			t.Errorf("%s %q: got %v and %v, want %d", tc.method, tc.path, res, err, tc.want)
		}
	}
	if got := sumFile(t, g.Disks[0].Image); got != before {
		t.Error("the image was changed")
	}
	res, _, err := get(t, c, "GET", folderURL(t, v, "web-01/web-01.vmx")+"x", basicAuth(v)) // dsName=LocalDS_0x
	if err != nil || res.StatusCode != 404 {
		t.Errorf("other datastore: got %v and %v, want 404", res, err)
	}
}

func TestFolder_FlatOfAQcow2(t *testing.T) {
	need.Tools(t, "qemu-img")
	raw := rig.Disk(t, 4<<20, rig.Mixed)
	qcow2 := convert(t, raw, "qcow2")
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{{Path: webPath, Disks: []demo.GuestDisk{{Image: qcow2}}}}})
	res, body, err := get(t, dial(t, v), "GET", folderURL(t, v, "web-01/web-01-flat.vmdk"), basicAuth(v))
	if err != nil || res.StatusCode != 200 || sum(body) != sumFile(t, raw) {
		t.Errorf("got %v, %v and %d bytes, want the raw disk", res, err, len(body))
	}
}
