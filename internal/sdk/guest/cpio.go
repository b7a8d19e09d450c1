package guest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// The format is "newc" (and "070702", newc with checksums), as Documentation/driver-api/early-userspace/buffer-format.rst of
// the Linux kernel describes it.
const (
	cpioHeader  = 110
	cpioTrailer = "TRAILER!!!"
	maxCPIOName = 4096 // the kernel's own limit, PATH_MAX

	modeType    = 0o170000
	modeDir     = 0o040000
	modeRegular = 0o100000
	modeSymlink = 0o120000
)

// cpioFile is one member of an archive.
type cpioFile struct {
	Name string // clean, without a leading slash
	Mode uint32
	Size int64
	Data []byte // a symlink's target; the content, if it was asked for
}

// readCPIO reads archives, one after the other with zero padding between them, to the end of r. keep says of which regular
// file the content is wanted; it gets it up to maxKept bytes.
func readCPIO(r io.Reader, maxKept int64, keep func(name string) bool, visit func(cpioFile)) error {
	in := &countingReader{r: r}
	for {
		magic, err := in.skipZeros()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := readMember(in, magic, maxKept, keep, visit); err != nil {
			return fmt.Errorf("cpio at %d: %w", in.n, err)
		}
	}
}

func readMember(in *countingReader, first byte, maxKept int64, keep func(string) bool, visit func(cpioFile)) error {
	header := make([]byte, cpioHeader)
	header[0] = first
	if _, err := io.ReadFull(in, header[1:]); err != nil {
		return truncated(err)
	}
	if m := string(header[:6]); m != "070701" && m != "070702" {
		return fmt.Errorf("no member starts with %q", m)
	}
	field := func(i int) (int64, error) {
		v, err := strconv.ParseUint(string(header[6+8*i:14+8*i]), 16, 32)
		return int64(v), err
	}
	mode, err1 := field(1)
	size, err2 := field(6)
	nameSize, err3 := field(11)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if nameSize < 1 || nameSize > maxCPIOName {
		return fmt.Errorf("a name of %d bytes", nameSize)
	}
	raw := make([]byte, nameSize)
	if _, err := io.ReadFull(in, raw); err != nil {
		return truncated(err)
	}
	if err := in.align(); err != nil {
		return err
	}
	name := strings.TrimRight(string(raw), "\x00")
	if name == cpioTrailer {
		return nil
	}
	f := cpioFile{Name: strings.TrimPrefix(path.Clean("/"+name), "/"), Mode: uint32(mode), Size: size}
	if err := readData(in, &f, maxKept, keep); err != nil {
		return err
	}
	if f.Name != "" {
		visit(f)
	}
	return in.align()
}

func readData(in *countingReader, f *cpioFile, maxKept int64, keep func(string) bool) error {
	kind := f.Mode & modeType
	wanted := kind == modeRegular && keep(f.Name) && f.Size <= maxKept || kind == modeSymlink && f.Size <= maxCPIOName
	if !wanted {
		_, err := io.CopyN(io.Discard, in, f.Size)
		return truncated(err)
	}
	f.Data = make([]byte, f.Size)
	_, err := io.ReadFull(in, f.Data)
	return truncated(err)
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// countingReader knows its offset, from which alignment is counted.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) align() error {
	_, err := io.CopyN(io.Discard, c, -c.n&3)
	if errors.Is(err, io.EOF) {
		return nil // an archive may end without its last padding
	}
	return err
}

func (c *countingReader) skipZeros() (byte, error) {
	var b [1]byte
	for {
		if _, err := io.ReadFull(c, b[:]); err != nil {
			return 0, err
		}
		if b[0] != 0 {
			// Members are aligned to where their archive starts.
			c.n = 1
			return b[0], nil
		}
	}
}

// writeCPIO makes an archive of files in their order; all belong to root and have no time.
func writeCPIO(files []cpioFile) []byte {
	var out bytes.Buffer
	for i, f := range files {
		writeMember(&out, i+1, f)
	}
	writeMember(&out, 0, cpioFile{Name: cpioTrailer})
	return out.Bytes()
}

func writeMember(out *bytes.Buffer, inode int, f cpioFile) {
	links := 1
	if f.Mode&modeType == modeDir {
		links = 2
	}
	fmt.Fprintf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		inode, f.Mode, 0, 0, links, 0, len(f.Data), 0, 0, 0, 0, len(f.Name)+1, 0)
	out.WriteString(f.Name)
	out.WriteByte(0)
	pad(out)
	out.Write(f.Data)
	pad(out)
}

func pad(out *bytes.Buffer) {
	for out.Len()%4 != 0 {
		out.WriteByte(0)
	}
}
