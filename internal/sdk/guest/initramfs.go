package guest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

const (
	maxInitramfs = 256 << 20 // as it lies in /boot
	maxUnpacked  = 2 << 30
	maxMembers   = 200_000
	maxKeptFile  = 64 << 10 // of the few files whose content matters
	maxSegments  = 64
)

// initramfs is what an image holds. An image is a row of segments with zeros between them: cpio archives, each plain or
// compressed. The kernel unpacks them in order; of two files with one name the later stays.
type initramfs struct {
	files    map[string]cpioFile // by name, the last of each
	segments []segment
}

// segment is one archive of an image.
type segment struct {
	format     string // cpio, gzip, zstd, lz4
	start, end int    // bytes of the image
}

// readInitramfs looks into an image. A compression that it cannot read is an error that names it.
func readInitramfs(image []byte) (*initramfs, error) {
	ram := &initramfs{files: map[string]cpioFile{}}
	budget := int64(maxUnpacked)
	for at := 0; ; {
		for at < len(image) && image[at] == 0 {
			at++
		}
		if at == len(image) {
			return ram, nil
		}
		if len(ram.segments) == maxSegments {
			return nil, fmt.Errorf("more than %d archives", maxSegments)
		}
		seg, err := ram.readSegment(image, at, &budget)
		if err != nil {
			return nil, fmt.Errorf("archive %d at byte %d: %w", len(ram.segments)+1, at, err)
		}
		ram.segments = append(ram.segments, seg)
		at = seg.end
	}
}

func (ram *initramfs) readSegment(image []byte, at int, budget *int64) (segment, error) {
	format := compressionOf(image[at:])
	seg := segment{format: format, start: at}
	unpacked, length, err := unpack(format, image[at:])
	if err != nil {
		return seg, err
	}
	defer func() { _ = unpacked.Close() }()
	limited := &io.LimitedReader{R: unpacked, N: *budget}
	err = readCPIO(bufio.NewReader(limited), maxKeptFile, keptInInitramfs, ram.add)
	switch {
	case limited.N <= 0:
		return seg, fmt.Errorf("unpacks to more than %d MiB", maxUnpacked>>20)
	case len(ram.files) > maxMembers:
		return seg, fmt.Errorf("more than %d files", maxMembers)
	case err != nil:
		return seg, err
	}
	*budget = limited.N
	n, err := length()
	if err != nil {
		return seg, err
	}
	seg.end = at + n
	return seg, nil
}

func (ram *initramfs) add(f cpioFile) {
	if len(ram.files) <= maxMembers {
		ram.files[f.Name] = f
	}
}

// keptInInitramfs: the configuration that FIX merges with.
func keptInInitramfs(name string) bool { return strings.HasPrefix(name, "conf/") }

// appendable says whether the kernel finds an archive that follows this image. It does not after LZ4, which it reads to the
// end of the image.
func (ram *initramfs) appendable() bool {
	return len(ram.segments) > 0 && ram.segments[len(ram.segments)-1].format != "lz4"
}

// libDir is where the image keeps modules: lib or usr/lib. Writing the other would replace a symlink by a directory.
func (ram *initramfs) libDir() string {
	if f, ok := ram.files["lib"]; ok && f.Mode&modeType == modeSymlink {
		return "usr/lib"
	}
	if _, ok := ram.files["lib/modules"]; ok {
		return "lib"
	}
	if _, ok := ram.files["usr/lib/modules"]; ok {
		return "usr/lib"
	}
	return "lib"
}

// modules are the names of the kernel's modules in the image, and the file name suffixes that they have.
func (ram *initramfs) modules(version string) (names map[string]bool, suffixes []string) {
	names = map[string]bool{}
	for name, f := range ram.files {
		dir := strings.TrimPrefix(name, "usr/")
		if f.Mode&modeType != modeRegular || !strings.HasPrefix(dir, "lib/modules/"+version+"/") {
			continue
		}
		if module, suffix, ok := moduleName(name); ok {
			names[module] = true
			if !slices.Contains(suffixes, suffix) {
				suffixes = append(suffixes, suffix)
			}
		}
	}
	return names, suffixes
}

// withParents puts before each file the directories that it needs and the image does not have.
func (ram *initramfs) withParents(files []cpioFile) []cpioFile {
	var out []cpioFile
	made := map[string]bool{}
	for _, f := range files {
		var dirs []string
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			if _, there := ram.files[dir]; !there && !made[dir] {
				dirs = append(dirs, dir)
				made[dir] = true
			}
		}
		slices.Reverse(dirs)
		for _, dir := range dirs {
			out = append(out, cpioFile{Name: dir, Mode: modeDir | 0o755})
		}
		out = append(out, f)
	}
	return out
}

// segmentToAppend packs files into what is written behind an image of size bytes, starting with the zeros that align it.
func segmentToAppend(size int, files []cpioFile) ([]byte, error) {
	var out bytes.Buffer
	out.Write(make([]byte, -size&3))
	if err := compress(&out, writeCPIO(files)); err != nil {
		return nil, err
	}
	out.Write(make([]byte, -(size+out.Len())&3))
	return out.Bytes(), nil
}

func compress(out io.Writer, data []byte) error {
	gz, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := gz.Write(data); err != nil {
		return err
	}
	return gz.Close()
}

// rewriteLZ4 replaces the LZ4 segments of an image by gzip ones, so that archives may follow.
func rewriteLZ4(image []byte, segments []segment) ([]byte, error) {
	var out bytes.Buffer
	for _, seg := range segments {
		part := image[seg.start:seg.end]
		pad(&out)
		if seg.format != "lz4" {
			out.Write(part)
			continue
		}
		data, err := io.ReadAll(io.LimitReader(newLZ4Reader(part), maxInitramfs*2))
		if err != nil {
			return nil, err
		}
		if err := compress(&out, data); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
