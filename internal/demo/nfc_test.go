package demo_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/nfc"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// exported is a vCenter with an open lease on a guest of one disk, and the bytes that the lease should serve.
type exported struct {
	v     *demo.VCenter
	c     *govmomi.Client
	lease *nfc.Lease
	url   string
	want  []byte
}

func newExported(t *testing.T, faults demo.Faults) exported {
	t.Helper()
	cache := t.TempDir()
	v := rig.VCenter(t, demo.Options{CacheDir: cache, Guests: []demo.Guest{guest(t, webPath)}, Faults: faults})
	c := login(t, v)
	lease, info := export(t, findVM(t, c, webPath))
	files, err := filepath.Glob(filepath.Join(cache, "*.vmdk"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v and %v, want one VMDK", files, err)
	}
	want, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return exported{v: v, c: c, lease: lease, url: info.DeviceUrl[0].Url, want: want}
}

func TestNFC_StreamsChunkedWithoutRange(t *testing.T) {
	e := newExported(t, demo.Faults{})
	res, body, err := get(t, e.c, "GET", e.url, func(r *http.Request) { r.Header.Set("Range", "bytes=0-9") })
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.ContentLength != -1 || len(res.TransferEncoding) != 1 || res.TransferEncoding[0] != "chunked" {
		t.Errorf("got status %d, length %d, encoding %v; want 200, none, chunked", res.StatusCode, res.ContentLength, res.TransferEncoding)
	}
	if !bytes.Equal(body, e.want) {
		t.Errorf("got %d bytes, want the %d of the VMDK", len(body), len(e.want))
	}
	if got, want := e.v.Calls()["GET /nfc"], 1; got != want {
		t.Errorf("counted %d transfers, want %d", got, want)
	}
}

func TestNFC_RefusesWhatIsNoDownload(t *testing.T) {
	e := newExported(t, demo.Faults{})
	for _, tc := range []struct {
		method, url string
		want        int
	}{
		{"PUT", e.url, 405},
		{"DELETE", e.url, 405},
		{"GET", e.url + "x", 404},
		{"GET", "https://" + hostOf(t, e.url) + "/nfc/0123456789abcdef/disk-0.vmdk", 404},
		{"GET", "https://" + hostOf(t, e.url) + "/nfc/", 404},
	} {
		res, _, err := get(t, e.c, tc.method, tc.url, nil)
		if err != nil || res.StatusCode != tc.want {
			t.Errorf("%s %s: got %v and %v, want %d", tc.method, tc.url, res, err, tc.want)
		}
	}
}

func hostOf(t *testing.T, u string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", u, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req.URL.Host
}

func TestNFC_CutEndsExactlyThereAndOnlySoOften(t *testing.T) {
	e := newExported(t, demo.Faults{CutAfter: 100_000, CutTimes: 2})
	for range 2 {
		_, body, err := get(t, e.c, "GET", e.url, nil)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(body, e.want[:100_000]) {
			t.Errorf("got %d bytes and %v, want the first 100000 and an unexpected EOF", len(body), err)
		}
	}
	_, body, err := get(t, e.c, "GET", e.url, nil)
	if err != nil || !bytes.Equal(body, e.want) {
		t.Errorf("got %d bytes and %v, want all", len(body), err)
	}
}

func TestNFC_TruncatedEndsCleanly(t *testing.T) {
	e := newExported(t, demo.Faults{})
	for _, at := range []int{100, 70_000} {
		e.v.SetFaults(demo.Faults{Truncate: int64(at)})
		res, body, err := get(t, e.c, "GET", e.url, nil)
		if err != nil || !bytes.Equal(body, e.want[:at]) || res.ContentLength != -1 {
			t.Errorf("got %d bytes, %v and %v, want the first %d, no error and no length", len(body), err, res, at)
		}
	}
}

func TestNFC_GarbageHasTheLengthButNotTheBytes(t *testing.T) {
	e := newExported(t, demo.Faults{Garbage: true})
	_, body, err := get(t, e.c, "GET", e.url, nil)
	if err != nil || len(body) != len(e.want) || bytes.HasPrefix(body, []byte("KDMV")) {
		t.Errorf("got %d bytes and %v, want %d of noise", len(body), err, len(e.want))
	}
}

func TestNFC_LeaseIsLostOnce(t *testing.T) {
	e := newExported(t, demo.Faults{LoseLeaseAt: 50_000})
	if _, body, err := get(t, e.c, "GET", e.url, nil); err == nil {
		t.Errorf("got %d bytes of a lost lease without an error", len(body))
	}
	p := waitLost(t, e.lease)
	if _, ok := p.Error.Fault.(*types.HostCommunication); !ok {
		t.Errorf("got %#v, want HostCommunication", p.Error.Fault)
	}
	_, info := export(t, findVM(t, e.c, webPath))
	_, body, err := get(t, e.c, "GET", info.DeviceUrl[0].Url, nil)
	if err != nil || !bytes.Equal(body, e.want) {
		t.Errorf("got %d bytes and %v from the second lease, want all", len(body), err)
	}
}

func TestNFC_ThrottledTransferEndsWithItsLease(t *testing.T) {
	e := newExported(t, demo.Faults{BytesPerSec: 100})
	failed := make(chan error, 1)
	go func() {
		_, _, err := get(t, e.c, "GET", e.url, nil)
		failed <- err
	}()
	eventually(t, "the transfer's start", func() bool { return e.v.Calls()["GET /nfc"] == 1 })
	if err := e.lease.Abort(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil {
		t.Error("a transfer of an aborted lease ended well")
	}
}

func TestNFC_FaultsCanChangeWhileItRuns(t *testing.T) {
	e := newExported(t, demo.Faults{CutAfter: 10})
	if _, _, err := get(t, e.c, "GET", e.url, nil); err == nil {
		t.Error("the transfer was not cut")
	}
	e.v.SetFaults(demo.Faults{})
	_, body, err := get(t, e.c, "GET", e.url, nil)
	if err != nil || !bytes.Equal(body, e.want) {
		t.Errorf("got %d bytes and %v, want all", len(body), err)
	}
}
