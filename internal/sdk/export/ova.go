package export

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	tarBlock  = 512
	ovfMargin = 4 << 10 // room in the OVF's slot beyond the first descriptor
	ustarMost = 8 << 30 // a USTAR header holds sizes below this; GNU's binary size takes over
)

// ova is an OVA being written: a tar whose first member is the OVF descriptor, then the manifest, then the disks in the
// descriptor's order (DSP0243, and the order that VMware's own tool writes). Each member's size stands before its bytes,
// and nobody knows the size of a disk before it has come; so the first two members get slots of a fixed size, each disk's
// header is written after the disk, and the slots are filled last. A manifest has a known length because a digest has one,
// and an XML document may end in spaces.
type ova struct {
	f       *os.File
	path    string
	name    string
	when    time.Time
	ovfSize int64
	mfSize  int64
	end     int64 // where the next member begins
	members []*member
}

func (r *runner) openOVA(ctx context.Context, lease Lease, served map[string]SourceDisk) error {
	if r.ova != nil {
		return nil // of an earlier round
	}
	var files []DescriptorFile
	mf := manifestLine(r.spec.Name+".ovf", strings.Repeat("0", 2*sha256.Size))
	for _, d := range r.disks {
		s := served[d.spec.Address]
		name := r.vmdkName(d.spec.ID)
		files = append(files, DescriptorFile{DeviceID: s.DeviceID, Path: name, Bytes: s.CapacityBytes, Capacity: s.CapacityBytes})
		mf += manifestLine(name, strings.Repeat("0", 2*sha256.Size))
	}
	draft, err := lease.Descriptor(ctx, r.spec.Name, files)
	if err != nil {
		return err
	}
	f, err := create(r.inDir(".ova"))
	if err != nil {
		return err
	}
	o := &ova{f: f, path: r.inDir(".ova"), name: r.spec.Name, when: time.Now().Truncate(time.Second),
		ovfSize: int64(len(draft)) + ovfMargin, mfSize: int64(len(mf))}
	o.end = tarBlock + tarPadded(o.ovfSize) + tarBlock + tarPadded(o.mfSize)
	r.ova = o
	return nil
}

// dropOVA removes an archive that did not get whole.
func (r *runner) dropOVA() {
	if r.ova != nil {
		_ = closeFile(&r.ova.f)
		_ = os.Remove(r.ova.path + partialSuffix)
		r.ova = nil
	}
}

// member is a disk in the archive.
type member struct {
	o      *ova
	d      *disk
	name   string
	start  int64 // of its header
	size   int64
	sum    hash.Hash
	record record
}

func (o *ova) member(name string, d *disk) (keeper, error) {
	return &member{o: o, d: d, name: name, start: o.end, sum: sha256.New()}, nil
}

func (m *member) Write(p []byte) (int, error) {
	_, _ = m.sum.Write(p) // a hash takes everything
	n, err := m.o.f.WriteAt(p, m.start+tarBlock+m.size)
	m.size += int64(n)
	return n, err
}

func (m *member) finish() (*finished, error) {
	if err := m.o.header(m.start, m.name, m.size); err != nil {
		return nil, err
	}
	m.o.end = m.start + tarBlock + tarPadded(m.size)
	m.record = record{Made: "member", Bytes: m.size, SHA256: hex.EncodeToString(m.sum.Sum(nil))}
	m.o.members = append(m.o.members, m)
	return nil, nil
}

func (m *member) discard() { _ = m.o.f.Truncate(m.start) }

// closeOVA fills the slots and gives the archive its name.
func (r *runner) closeOVA(ctx context.Context, lease Lease, served map[string]SourceDisk) error {
	o := r.ova
	rec := record{Made: r.madeKept(), Members: map[string]record{}}
	var files []DescriptorFile
	var sums string
	for _, m := range o.members {
		s := served[m.d.spec.Address]
		m.record.VirtualBytes = s.CapacityBytes
		rec.Members[m.d.spec.ID] = m.record
		files = append(files, DescriptorFile{DeviceID: s.DeviceID, Path: m.name, Bytes: m.size, Capacity: s.CapacityBytes})
		sums += manifestLine(m.name, m.record.SHA256)
	}
	ovf, err := lease.Descriptor(ctx, r.spec.Name, files)
	if err != nil {
		return err
	}
	if int64(len(ovf)) > o.ovfSize {
		return sdk.Unavailablef("the OVF descriptor grew from %d to %d bytes while the disks were read", o.ovfSize-ovfMargin, len(ovf))
	}
	ovf += strings.Repeat(" ", int(o.ovfSize)-len(ovf)-1) + "\n"
	sum := sha256.Sum256([]byte(ovf))
	if err := o.fill(ovf, manifestLine(o.name+".ovf", hex.EncodeToString(sum[:]))+sums); err != nil {
		return explainFull(err, o.path, o.end)
	}
	if r.spec.Checksum {
		if rec.SHA256, err = hashFile(ctx, o.path+partialSuffix); err != nil {
			return err
		}
	}
	if err := r.publish(finished{o.path, rec}); err != nil {
		return err
	}
	r.ova = nil
	return nil
}

func (o *ova) fill(ovf, mf string) error {
	mfAt := tarBlock + tarPadded(o.ovfSize)
	for _, step := range []func() error{
		func() error { return o.header(0, o.name+".ovf", o.ovfSize) },
		func() error { return o.at(tarBlock, ovf) },
		func() error { return o.header(mfAt, o.name+".mf", o.mfSize) },
		func() error { return o.at(mfAt+tarBlock, mf) },
		func() error { return o.f.Truncate(o.end + 2*tarBlock) }, // two zero blocks end a tar
		o.f.Sync,
		func() error { return closeFile(&o.f) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (o *ova) at(offset int64, content string) error {
	_, err := io.Copy(io.NewOffsetWriter(o.f, offset), strings.NewReader(content))
	return err
}

// header writes a member's one block in front of its bytes.
func (o *ova) header(at int64, name string, size int64) error {
	format := tar.FormatUSTAR
	if size >= ustarMost {
		format = tar.FormatGNU
	}
	var block bytes.Buffer
	err := tar.NewWriter(&block).WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: filepath.Base(name), Mode: 0o644, Size: size, ModTime: o.when, Format: format,
	})
	if err == nil && block.Len() != tarBlock {
		err = sdk.Invalidf("the name %q does not fit into a tar header", name)
	}
	if err == nil {
		err = o.at(at, block.String())
	}
	if err != nil {
		return fmt.Errorf("write tar header of %s: %w", name, err)
	}
	return nil
}

func tarPadded(n int64) int64 { return (n + tarBlock - 1) &^ (tarBlock - 1) }
