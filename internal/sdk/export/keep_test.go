package export_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

func sum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return hexSum(data)
}

func hexSum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func TestRun_KeepsTheStreamAsServed(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 2<<20, 4)
	b, _ := testDisk(t, "scsi0:1", 1<<20, 5)
	dir := t.TempDir()
	s := spec(dir, a, b)
	s.Keep = export.KeepOVF
	s.Disks[1].Path, s.Disks[1].Format = "", "" // kept only
	res, err := export.Run(t.Context(), &localSource{disks: []localDisk{a, b}}, s, openJournal(t, filepath.Join(dir, "j")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range []localDisk{a, b} {
		got := res.Disks[i]
		if sum(t, got.SourcePath) != hexSum(d.stream) || got.SourceSHA256 != hexSum(d.stream) || got.SourceBytes != int64(len(d.stream)) {
			t.Errorf("disk %d: got %+v, want the stream as served, %d bytes", i, got, len(d.stream))
		}
	}
	wantManifest(t, filepath.Join(dir, "web.mf"), dir)
	if len(res.Files) != 5 {
		t.Errorf("got files %v, want an image, two VMDKs, OVF and manifest", res.Files)
	}
}

// wantManifest checks that every line of a manifest is true.
func wantManifest(t *testing.T, path, dir string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "SHA256(web.ovf)= ") {
		t.Fatalf("got manifest %q, want the descriptor and two disks", lines)
	}
	for _, line := range lines {
		name, digest, ok := strings.Cut(strings.TrimPrefix(line, "SHA256("), ")= ")
		if !ok || digest != sum(t, filepath.Join(dir, name)) {
			t.Errorf("got line %q, which is not true", line)
		}
	}
}

func TestRun_OVA(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 2<<20, 4)
	b, _ := testDisk(t, "scsi0:1", 1<<20, 5)
	dir := t.TempDir()
	s := spec(dir, a, b)
	s.Keep, s.Checksum = export.KeepOVA, true
	src := &localSource{disks: []localDisk{a, b}, fail: func(address string, open int) func(io.Reader) io.Reader {
		if address == b.address && open == 1 {
			return cutAfter(500_000)
		}
		return nil
	}}
	res, err := export.Run(t.Context(), src, s, openJournal(t, filepath.Join(dir, "j")), nil)
	if err != nil {
		t.Fatal(err)
	}
	names := untar(t, filepath.Join(dir, "web.ova"), dir)
	if got, want := strings.Join(names, " "), "web.ovf web.mf web-disk-0.vmdk web-disk-1.vmdk"; got != want {
		t.Fatalf("got members %s, want %s", got, want)
	}
	wantManifest(t, filepath.Join(dir, "web.mf"), dir)
	for i, d := range []localDisk{a, b} {
		if got := sum(t, filepath.Join(dir, names[2+i])); got != hexSum(d.stream) || got != res.Disks[i].SourceSHA256 {
			t.Errorf("disk %d: got %s, want %s", i, got, hexSum(d.stream))
		}
		if res.Disks[i].SourcePath != filepath.Join(dir, "web.ova") || res.Disks[i].SourceBytes != int64(len(d.stream)) {
			t.Errorf("disk %d: got %+v", i, res.Disks[i])
		}
	}
	ovf, _ := os.ReadFile(filepath.Join(dir, "web.ovf"))
	if !bytes.Contains(ovf, []byte(`href="web-disk-1.vmdk" size="`)) {
		t.Errorf("got descriptor %s", ovf)
	}
	if src.opens[a.address] != 1 {
		t.Errorf("got opens %v, want the first disk read once", src.opens)
	}
}

func untar(t *testing.T, path, dir string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	var names []string
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF { //nolint:errorlint // as documented
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, h.Name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}
