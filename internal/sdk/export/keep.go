package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// madeDescriptor marks the small files around the disks.
const madeDescriptor = "descriptor"

// keeper takes the stream of one disk as it comes.
type keeper interface {
	io.Writer
	// finish returns the whole file, or nil when it is a member of one that is not whole yet.
	finish() (*finished, error)
	discard()
}

// keptPath is where a disk's stream is kept; empty when it is not.
func (r *runner) keptPath(id string) string {
	switch r.spec.Keep {
	case KeepNothing:
		return ""
	case KeepOVA:
		return r.inDir(".ova")
	case KeepVMDK, KeepOVF:
	}
	return filepath.Join(r.spec.Dir, r.vmdkName(id))
}

func (r *runner) vmdkName(id string) string  { return r.spec.Name + "-" + id + ".vmdk" }
func (r *runner) inDir(suffix string) string { return filepath.Join(r.spec.Dir, r.spec.Name+suffix) }
func (r *runner) madeKept() string           { return string(r.spec.Keep) }
func (r *runner) hashesKept() bool           { return r.spec.Checksum || r.spec.Keep != KeepVMDK }

func (r *runner) newKeeper(d *disk) (keeper, error) {
	if r.spec.Keep == KeepOVA {
		return r.ova.member(r.vmdkName(d.spec.ID), d)
	}
	f, err := create(d.kept)
	if err != nil {
		return nil, err
	}
	k := &keptFile{f: f, record: record{Made: r.madeKept()}, path: d.kept}
	if r.hashesKept() {
		k.sum = sha256.New()
	}
	return k, nil
}

// keptFile is a VMDK of its own.
type keptFile struct {
	f      *os.File
	path   string
	sum    hash.Hash // nil: not asked for
	record record
}

func (k *keptFile) Write(p []byte) (int, error) {
	if k.sum != nil {
		_, _ = k.sum.Write(p) // a hash takes everything
	}
	return k.f.Write(p)
}

func (k *keptFile) finish() (*finished, error) {
	if err := k.f.Sync(); err != nil {
		return nil, err
	}
	if err := closeFile(&k.f); err != nil {
		return nil, err
	}
	if k.sum != nil {
		k.record.SHA256 = hex.EncodeToString(k.sum.Sum(nil))
	}
	return &finished{path: k.path, record: k.record}, nil
}

func (k *keptFile) discard() {
	_ = closeFile(&k.f)
	_ = os.Remove(k.path + partialSuffix)
}

// descriptorPaths are the small files that come after the disks.
func (r *runner) descriptorPaths() []string {
	if r.spec.Keep != KeepOVF {
		return nil
	}
	return []string{r.inDir(".ovf"), r.inDir(".mf")}
}

// described says whether what belongs around the disks is whole. For an OVA that is the OVA itself.
func (r *runner) described() bool {
	if r.stale {
		return false
	}
	paths := r.descriptorPaths()
	if r.spec.Keep == KeepOVA {
		paths = []string{r.inDir(".ova")}
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// describe writes what belongs around the disks.
func (r *runner) describe(ctx context.Context, lease Lease, served map[string]SourceDisk) error {
	switch {
	case r.spec.Keep == KeepOVA && r.ova != nil:
		return r.closeOVA(ctx, lease, served)
	case r.spec.Keep != KeepOVF || r.described():
		return nil
	}
	var sums strings.Builder
	files := make([]DescriptorFile, len(r.disks))
	for i, d := range r.disks {
		rec := r.record(d.kept)
		s := served[d.spec.Address]
		files[i] = DescriptorFile{DeviceID: s.DeviceID, Path: filepath.Base(d.kept), Bytes: rec.Bytes, Capacity: s.CapacityBytes}
		sums.WriteString(manifestLine(files[i].Path, rec.SHA256))
	}
	ovf, err := lease.Descriptor(ctx, r.spec.Name, files)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(ovf))
	mf := manifestLine(r.spec.Name+".ovf", hex.EncodeToString(sum[:])) + sums.String()
	var whole []finished
	for i, content := range []string{ovf, mf} {
		f, err := r.writeSmall(r.descriptorPaths()[i], content)
		if err != nil {
			return err
		}
		whole = append(whole, *f)
	}
	r.stale = false
	return r.publish(whole...)
}

func (r *runner) writeSmall(path, content string) (*finished, error) {
	f, err := create(path)
	if err != nil {
		return nil, err
	}
	k := &keptFile{f: f, path: path, sum: sha256.New(), record: record{Made: madeDescriptor}}
	_, err = io.WriteString(k, content)
	if err == nil {
		var whole *finished
		if whole, err = k.finish(); err == nil {
			return whole, nil
		}
	}
	k.discard()
	return nil, explainFull(err, path, int64(len(content)))
}

func (r *runner) record(path string) record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Files[path]
}

// manifestLine is a line of an OVF manifest (DSP0243).
func manifestLine(name, sum string) string { return "SHA256(" + name + ")= " + sum + "\n" }

// result gathers what is there now.
func (r *runner) result() *Result {
	res := &Result{Notes: r.notes}
	for _, d := range r.disks {
		out := d.result
		out.WireBytes = d.wire.Load()
		if d.spec.Path != "" {
			rec := r.record(d.spec.Path)
			out.Bytes, out.SHA256, out.VirtualBytes = rec.Bytes, rec.SHA256, rec.VirtualBytes
			res.Files = append(res.Files, d.spec.Path)
		}
		if d.kept != "" {
			rec := r.record(d.kept)
			if m, ok := rec.Members[d.spec.ID]; ok {
				rec = m
			}
			out.SourceBytes, out.SourceSHA256, out.VirtualBytes = rec.Bytes, rec.SHA256, rec.VirtualBytes
		}
		res.Disks = append(res.Disks, out)
		if out.WireBytes == 0 {
			d.meter.total.Store(out.VirtualBytes)
			d.meter.end(sdk.Succeeded, "already exported")
		}
	}
	return r.addFiles(res)
}

func (r *runner) addFiles(res *Result) *Result {
	switch r.spec.Keep {
	case KeepNothing:
	case KeepOVA:
		res.Files = append(res.Files, r.inDir(".ova"))
	case KeepVMDK, KeepOVF:
		for _, d := range r.disks {
			res.Files = append(res.Files, d.kept)
		}
		res.Files = append(res.Files, r.descriptorPaths()...)
	}
	return res
}
