package vmdk

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// ledger remembers which grains were seen and where, so that the stream's own tables can be held against them. Per grain
// table it keeps a bitmap and the sum of a keyed hash over (position in the table, sector): 72 bytes for 32 MiB of disk,
// and none for a range without grains. Equal sums mean equal tables, because the key is random for every ledger.
type ledger struct {
	seed   maphash.Seed
	tables map[uint32]*tableSeen // by index in the grain directory
	last   *tableSeen            // of lastAt: grains usually come in order
	lastAt uint32
}

type tableSeen struct {
	bits [tableEntries / 64]uint64
	sum  uint64
}

type entry struct{ position, sector uint32 }

func newLedger() *ledger {
	return &ledger{seed: maphash.MakeSeed(), tables: map[uint32]*tableSeen{}}
}

// add records the grain and says whether it is new.
func (l *ledger) add(grain uint64, at uint32) bool {
	index, position := uint32(grain/tableEntries), uint32(grain%tableEntries)
	t := l.table(index)
	bit := uint64(1) << (position % 64)
	if t.bits[position/64]&bit != 0 {
		return false
	}
	t.bits[position/64] |= bit
	t.sum += l.hash(position, at)
	return true
}

func (l *ledger) table(index uint32) *tableSeen {
	if l.last == nil || l.lastAt != index {
		t := l.tables[index]
		if t == nil {
			t = &tableSeen{}
			l.tables[index] = t
		}
		l.last, l.lastAt = t, index
	}
	return l.last
}

func (l *ledger) hash(position, at uint32) uint64 {
	return maphash.Comparable(l.seed, entry{position, at})
}

// sum is the table's sum by what was seen; 0 when none of its grains was.
func (l *ledger) sum(index uint32) uint64 {
	if t := l.tables[index]; t != nil {
		return t.sum
	}
	return 0
}

// sumTable is the sum of a grain table as the stream carries it. zeroed says that an entry of 1 stands for zeros.
func (l *ledger) sumTable(table []byte, zeroed bool) uint64 {
	var sum uint64
	for i := range uint32(tableEntries) {
		at := binary.LittleEndian.Uint32(table[i*4:])
		if at == 0 || (zeroed && at == 1) {
			continue
		}
		sum += l.hash(i, at)
	}
	return sum
}

// check holds the sums of the stream's tables, by index, against the grains seen. read has no entry for a table that the
// directory leaves out.
func (l *ledger) check(read map[uint32]uint64) error {
	for index, sum := range read {
		if sum != l.sum(index) {
			return sdk.Invalidf("vmdk grain table %d does not agree with the grains in the stream", index)
		}
	}
	for index := range l.tables {
		if _, ok := read[index]; !ok {
			return sdk.Invalidf("vmdk grain directory leaves out table %d, which has grains in the stream", index)
		}
	}
	return nil
}
