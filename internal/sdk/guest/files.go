package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// receive runs a command that writes to a local file, whose name replaces the empty argument, and hands what it writes to read
// as it comes. Nothing is stored, so a guest cannot fill the host's disk; read stops a guest that sends too much by an error.
func (a *Appliance) receive(ctx context.Context, read func(io.Reader) error, args ...string) error {
	fifo := a.temp()
	if err := mkfifo(fifo); err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer func() { _ = os.Remove(fifo) }()
	r, err := openFIFO(fifo)
	if err != nil {
		return err
	}
	// Our own writing end keeps the reader from an early end of file before guestfish has opened the pipe.
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		_ = r.Close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A server that was told to stop may go on writing; nobody waits for it.
	defer context.AfterFunc(ctx, func() { _ = r.Close() })()
	done := make(chan error, 1)
	go func() {
		err := read(r)
		if err != nil {
			cancel()
		}
		_ = r.Close()
		done <- err
	}()
	for i := range args {
		if args[i] == "" {
			args[i] = fifo
		}
	}
	_, err = a.try(ctx, args...)
	_ = w.Close()
	if rerr := <-done; rerr != nil && !errors.Is(rerr, io.ErrUnexpectedEOF) {
		return rerr
	} else if err == nil {
		err = rerr
	}
	return err
}

// maxMessage is what the appliance sends in one answer; its protocol ends at 4 MiB.
const maxMessage = 2 << 20

// fileInfo is what stat says of a path, symlinks followed within the guest.
type fileInfo struct {
	mode uint32
	size int64
}

func (i fileInfo) regular() bool { return i.mode&modeType == modeRegular }

// stat returns false when there is no such path.
func (a *Appliance) stat(ctx context.Context, name string) (fileInfo, bool, error) {
	out, err := a.try(ctx, "statns", name)
	if err != nil {
		return fileInfo{}, false, tolerate(err)
	}
	values := fields(out)
	mode, err1 := strconv.ParseUint(values["st_mode"], 10, 32)
	size, err2 := strconv.ParseInt(values["st_size"], 10, 64)
	return fileInfo{mode: uint32(mode), size: size}, true, errors.Join(err1, err2)
}

// tolerate makes a refusal of the appliance no error: the thing asked for is not there.
func tolerate(err error) error {
	var no *refusal
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// fields reads "name: value" lines.
func fields(out string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			values[name] = value
		}
	}
	return values
}

// readFile returns a regular file's content; no such file is nil. A larger one than limit is ErrInvalid.
func (a *Appliance) readFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	info, ok, err := a.stat(ctx, name)
	if err != nil || !ok {
		return nil, err
	}
	if !info.regular() {
		return nil, sdk.Invalidf("%s in the guest is not a regular file", name)
	}
	if info.size > limit {
		return nil, sdk.Invalidf("%s in the guest is %d bytes long, more than %d", name, info.size, limit)
	}
	if info.size <= maxMessage {
		out, err := a.try(ctx, "read-file", name) // an answer is several times quicker than a transfer
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return []byte(out), nil
	}
	data := make([]byte, 0, info.size)
	err = a.receive(ctx, func(r io.Reader) error {
		buf := bytes.NewBuffer(data)
		_, err := io.Copy(buf, io.LimitReader(r, limit+1))
		if err == nil && int64(buf.Len()) > limit {
			err = sdk.Invalidf("%s in the guest is longer than it says", name)
		}
		data = buf.Bytes()
		return err
	}, "download", name, "")
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// readTree reads a directory's files, those that match one of the patterns left out. keep is how much of a file is kept.
func (a *Appliance) readTree(ctx context.Context, dir string, keep int64, exclude string) (tree, error) {
	args := []string{"tar-out", dir, ""}
	if exclude != "" {
		args = append(args, "excludes:"+exclude)
	}
	var t tree
	err := a.receive(ctx, func(r io.Reader) (err error) {
		t, err = readTar(r, keep)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	return t, nil
}

// find lists the paths below a directory; no such directory is an empty list.
func (a *Appliance) find(ctx context.Context, dir string) ([]string, error) {
	if info, ok, err := a.stat(ctx, dir); err != nil || !ok || info.mode&modeType != modeDir {
		return nil, err
	}
	var list []byte
	err := a.receive(ctx, func(r io.Reader) (err error) {
		list, err = io.ReadAll(io.LimitReader(r, 32<<20))
		if err == nil && len(list) == 32<<20 {
			err = sdk.Invalidf("%s in the guest has too many files", dir)
		}
		return err
	}, "find0", dir, "")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var names []string
	for name := range strings.SplitSeq(string(list), "\x00") {
		if name = strings.TrimPrefix(name, "/"); name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// glob returns the existing paths among patterns, which must be constant text.
func (a *Appliance) glob(ctx context.Context, pattern string) ([]string, error) {
	out, err := a.try(ctx, "glob-expand", pattern, "directoryslash:false")
	if err != nil {
		return nil, tolerate(err)
	}
	return strings.Fields(out), nil
}

// replaceFile gives a file new content. It is written beside the old one, takes over its owner, mode and attributes, and is
// renamed: whoever reads it sees one or the other.
func (a *Appliance) replaceFile(ctx context.Context, name string, data []byte) error {
	target, err := a.call(ctx, "realpath", name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	target = strings.TrimSuffix(target, "\n")
	beside := path.Join(path.Dir(target), ".hypersdk-"+path.Base(target))
	return a.upload(ctx, data, beside,
		[]string{"copy-attributes", target, beside, "all:true"},
		[]string{"rename", beside, target})
}

// createFile writes a file that does not exist, with the directories it needs.
func (a *Appliance) createFile(ctx context.Context, name string, data []byte) error {
	if _, err := a.call(ctx, "mkdir-p", path.Dir(name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	beside := path.Join(path.Dir(name), ".hypersdk-"+path.Base(name))
	return a.upload(ctx, data, beside, []string{"chmod", "0644", beside}, []string{"rename", beside, name})
}

// appendFile writes data at the end of a file that is size bytes long.
func (a *Appliance) appendFile(ctx context.Context, name string, size int, data []byte) error {
	local := a.temp()
	defer func() { _ = os.Remove(local) }()
	if err := os.WriteFile(local, data, 0o600); err != nil {
		return err
	}
	if _, err := a.call(ctx, "upload-offset", local, name, strconv.Itoa(size)); err != nil {
		return fmt.Errorf("append to %s: %w", name, err)
	}
	return nil
}

func (a *Appliance) upload(ctx context.Context, data []byte, name string, then ...[]string) error {
	local := a.temp()
	defer func() { _ = os.Remove(local) }()
	if err := os.WriteFile(local, data, 0o600); err != nil {
		return err
	}
	for _, args := range append([][]string{{"upload", local, name}}, then...) {
		if _, err := a.call(ctx, args...); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// freeBytes of the file system that holds a path.
func (a *Appliance) freeBytes(ctx context.Context, name string) (int64, error) {
	out, err := a.call(ctx, "statvfs", name)
	if err != nil {
		return 0, err
	}
	values := fields(out)
	size, err1 := strconv.ParseInt(values["frsize"], 10, 64)
	blocks, err2 := strconv.ParseInt(values["bfree"], 10, 64)
	return size * blocks, errors.Join(err1, err2)
}
