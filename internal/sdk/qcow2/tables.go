package qcow2

import (
	"encoding/binary"
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// maxResident is how many L2 tables stay in memory: 4 MiB, for 32 GiB of disk. Clusters that come in ascending order need one.
const maxResident = 64

// mapping is the guest's view: which cluster lies where. Full and long unused tables go to the file; one that is needed
// again is read back.
type mapping struct {
	space    *space
	l1       []uint64 // file offset of each L2 table; 0: none in the file
	resident map[int64]*l2
	clock    int64
}

type l2 struct {
	entries [l2Entries]uint64
	used    int   // entries that are set
	touched int64 // by the clock
}

func newMapping(s *space, virtual int64) *mapping {
	return &mapping{space: s, l1: make([]uint64, l1Entries(virtual)), resident: map[int64]*l2{}}
}

// free refuses a cluster that is stored already.
func (m *mapping) free(off int64) error {
	t, err := m.table(off / l2Covers)
	if err != nil {
		return err
	}
	if t.entries[off/ClusterBytes%l2Entries] != 0 {
		return sdk.Invalidf("cluster at disk offset %d is written twice", off)
	}
	return nil
}

// set maps a cluster that is free, and lets its table go when that was the last one missing.
func (m *mapping) set(off int64, entry uint64) error {
	index := off / l2Covers
	t, err := m.table(index)
	if err != nil {
		return err
	}
	t.entries[off/ClusterBytes%l2Entries] = entry
	if t.used++; t.used == l2Entries {
		return m.flush(index)
	}
	return nil
}

func (m *mapping) table(index int64) (*l2, error) {
	m.clock++
	t := m.resident[index]
	if t == nil {
		if err := m.makeRoom(); err != nil {
			return nil, err
		}
		t = &l2{}
		if at := m.l1[index]; at != 0 {
			if err := m.load(t, int64(at)); err != nil {
				return nil, fmt.Errorf("read table of disk offset %d again: %w", index*l2Covers, err)
			}
		}
		m.resident[index] = t
	}
	t.touched = m.clock
	return t, nil
}

// makeRoom lets the table go that was not used for longest.
func (m *mapping) makeRoom() error {
	if len(m.resident) < maxResident {
		return nil
	}
	oldest := int64(-1)
	for index, t := range m.resident {
		if oldest < 0 || t.touched < m.resident[oldest].touched {
			oldest = index
		}
	}
	return m.flush(oldest)
}

// flush writes a table to the file, where it was before or in new space. A table without entries needs none.
func (m *mapping) flush(index int64) error {
	t := m.resident[index]
	delete(m.resident, index)
	if t.used == 0 {
		return nil
	}
	b := make([]byte, 0, ClusterBytes)
	for _, entry := range t.entries {
		b = binary.BigEndian.AppendUint64(b, entry)
	}
	if at := m.l1[index]; at != 0 {
		return m.space.put(int64(at), b)
	}
	at, err := m.space.place(b)
	m.l1[index] = uint64(at)
	return err
}

func (m *mapping) load(t *l2, at int64) error {
	b := make([]byte, ClusterBytes)
	if err := m.space.get(at, b); err != nil {
		return err
	}
	for i := range t.entries {
		t.entries[i] = binary.BigEndian.Uint64(b[i*8:])
		if t.entries[i] != 0 {
			t.used++
		}
	}
	return nil
}

// finish writes every table that is left, and the L1 table, whose offset it returns.
func (m *mapping) finish() (int64, error) {
	l1 := make([]byte, 0, len(m.l1)*8)
	for index := range m.l1 {
		if m.resident[int64(index)] != nil {
			if err := m.flush(int64(index)); err != nil {
				return 0, err
			}
		}
		entry := m.l1[index]
		if entry != 0 {
			entry |= flagCopied
		}
		l1 = binary.BigEndian.AppendUint64(l1, entry)
	}
	return m.space.place(l1)
}
