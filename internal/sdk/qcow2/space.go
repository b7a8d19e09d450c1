package qcow2

import (
	"encoding/binary"
	"errors"
	"io"
)

// space hands out the file's clusters in ascending order, counts their references, and buffers what is written so that the
// file sees large writes. Payloads are packed back to back; when something aligned was placed behind a cluster that is
// partly filled, payloads that fit still go into the rest of it.
type space struct {
	f      File
	end    int64 // next free byte, always at a cluster boundary
	packAt int64 // where the next payload may go
	packTo int64 // end of the clusters that payloads own; packAt <= packTo <= end

	buf  []byte // the file's bytes from base on, not yet written
	base int64

	counts  []uint16 // of the clusters from block*refcountEntries on
	block   int64    // first refcount block that is not in the file yet
	flushed []int64  // file offsets of the refcount blocks before it
}

const (
	bufferBytes = 2 << 20   // collected before a write
	maxLag      = 512 << 10 // how far back a partly filled cluster may lie
)

// newSpace leaves the first cluster to the header.
func newSpace(f File) *space {
	s := &space{f: f, end: ClusterBytes, base: ClusterBytes, buf: make([]byte, 0, bufferBytes+2*ClusterBytes)}
	s.count(0)
	return s
}

// pack stores a payload shorter than a cluster and returns its offset.
func (s *space) pack(payload []byte) (int64, error) {
	n := int64(len(payload))
	if s.packTo-s.packAt < n {
		if s.packTo != s.end {
			s.packAt = s.end // something aligned lies behind: begin anew
		}
		s.end += ClusterBytes
		s.packTo = s.end
	}
	at := s.packAt
	s.packAt += n
	for cluster := at / ClusterBytes; cluster <= (at+n-1)/ClusterBytes; cluster++ {
		s.count(cluster)
	}
	if err := s.put(at, payload); err != nil {
		return 0, err
	}
	return at, s.settle()
}

// place stores whole clusters, the last one padded with zeros, and returns their offset.
func (s *space) place(data []byte) (int64, error) {
	at := s.end
	s.end += roundUp(int64(len(data)))
	for cluster := at / ClusterBytes; cluster < s.end/ClusterBytes; cluster++ {
		s.count(cluster)
	}
	if err := s.put(at, data); err != nil {
		return 0, err
	}
	return at, s.settle()
}

func roundUp(n int64) int64 { return (n + ClusterBytes - 1) &^ (ClusterBytes - 1) }

// count adds a reference to a cluster whose refcount block is still in memory: clusters are handed out in order, and a
// block leaves only when nothing can be added to it (see settle).
func (s *space) count(cluster int64) {
	i := int(cluster - s.block*refcountEntries)
	for i >= len(s.counts) {
		s.counts = append(s.counts, make([]uint16, refcountEntries)...)
	}
	s.counts[i]++
}

// put writes into space that was handed out: into the buffer, or straight into the file when that part is written already.
func (s *space) put(at int64, data []byte) error {
	if at < s.base {
		n := min(int64(len(data)), s.base-at)
		if _, err := s.f.WriteAt(data[:n], at); err != nil {
			return err
		}
		at, data = at+n, data[n:]
	}
	s.grow(int(s.end - s.base))
	copy(s.buf[max(at-s.base, 0):], data)
	if len(s.buf) < bufferBytes {
		return nil
	}
	return s.write(s.open() &^ (ClusterBytes - 1))
}

// get reads back what was put.
func (s *space) get(at int64, data []byte) error {
	if at >= s.base {
		copy(data, s.buf[at-s.base:])
		return nil
	}
	r, ok := s.f.(io.ReaderAt)
	if !ok {
		return errors.New("the file cannot be read back")
	}
	_, err := r.ReadAt(data, at)
	return err
}

// grow makes the buffer n bytes long, the new ones zero.
func (s *space) grow(n int) {
	have := len(s.buf)
	if n <= have {
		return
	}
	if n > cap(s.buf) {
		s.buf = append(make([]byte, 0, n), s.buf...)
	}
	s.buf = s.buf[:n]
	clear(s.buf[have:])
}

// write hands the buffer up to a cluster boundary to the file.
func (s *space) write(upTo int64) error {
	n := int(upTo - s.base)
	if n <= 0 {
		return nil
	}
	if _, err := s.f.WriteAt(s.buf[:n], s.base); err != nil {
		return err
	}
	s.base += int64(n)
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	return nil
}

// settle gives up the rest of a partly filled cluster that lies far back, and writes the refcount blocks that nothing can
// be added to any more. So neither the buffer nor the counts grow with the file.
func (s *space) settle() error {
	if s.end-s.packTo > maxLag {
		s.packAt, s.packTo = s.end, s.end
	}
	for s.open()/ClusterBytes >= (s.block+1)*refcountEntries {
		if err := s.placeBlock(); err != nil {
			return err
		}
	}
	return nil
}

// open is the first byte whose cluster may still get a reference.
func (s *space) open() int64 {
	if s.packAt < s.packTo {
		return s.packAt
	}
	return s.end
}

// placeBlock writes the first refcount block. The caller knows that it is final.
func (s *space) placeBlock() error {
	at := s.end
	s.end += ClusterBytes
	s.count(at / ClusterBytes)
	return s.putBlock(at)
}

func (s *space) putBlock(at int64) error {
	block := make([]byte, 0, ClusterBytes)
	for _, n := range s.counts[:refcountEntries] {
		block = binary.BigEndian.AppendUint16(block, n)
	}
	s.counts = s.counts[:copy(s.counts, s.counts[refcountEntries:])]
	s.block++
	s.flushed = append(s.flushed, at)
	return s.put(at, block)
}

// finish writes the refcount blocks that are left and the refcount table, all of which count themselves, and empties the
// buffer. Nothing can be stored afterwards. It returns where the table is and how many clusters it has.
func (s *space) finish() (table int64, clusters int, err error) {
	s.packAt, s.packTo = s.end, s.end
	blocks, tables := int64(0), int64(0)
	for {
		total := s.end/ClusterBytes + blocks + tables
		needBlocks := (total+refcountEntries-1)/refcountEntries - s.block
		needTables := ((s.block+needBlocks)*8 + ClusterBytes - 1) / ClusterBytes
		if needBlocks == blocks && needTables == tables {
			break
		}
		blocks, tables = needBlocks, needTables
	}
	at := s.end
	table = at + blocks*ClusterBytes
	s.end = table + tables*ClusterBytes
	for cluster := at / ClusterBytes; cluster < s.end/ClusterBytes; cluster++ {
		s.count(cluster)
	}
	for range blocks {
		if err := s.putBlock(at); err != nil {
			return 0, 0, err
		}
		at += ClusterBytes
	}
	entries := make([]byte, 0, tables*ClusterBytes)
	for _, block := range s.flushed {
		entries = binary.BigEndian.AppendUint64(entries, uint64(block))
	}
	if err := s.put(table, entries); err != nil {
		return 0, 0, err
	}
	return table, int(tables), s.write(s.end)
}
