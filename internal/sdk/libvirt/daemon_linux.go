package libvirt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The daemon's bridges, addresses and guests live in its network namespace, which need not be ours: then a look into our own
// /sys/class/net, or a connection from here, says nothing about them. What follows looks where the daemon is.

// daemonHasBridge says whether the kernel has a bridge of this name in the daemon's network namespace. known is false when that
// namespace cannot be seen or entered.
func daemonHasBridge(t target, name string) (exists, known bool, err error) {
	if name != filepath.Base(name) || len(name) >= unix.IFNAMSIZ {
		return false, true, nil // no interface can have that name
	}
	err = inDaemonNetwork(t, func() error {
		exists, err = isBridge(name)
		return err
	})
	if err != nil {
		return false, false, nil //nolint:nilerr // known tells
	}
	return exists, true, nil
}

// isBridge asks the kernel, in the network namespace of the calling thread.
func isBridge(name string) (bool, error) {
	table, err := syscall.NetlinkRIB(unix.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return false, err
	}
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return false, err
	}
	for i := range messages {
		attrs, err := syscall.ParseNetlinkRouteAttr(&messages[i])
		if err != nil {
			continue // not about a link
		}
		if linkName(attrs) == name {
			return linkKind(attrs) == "bridge", nil
		}
	}
	return false, nil
}

func linkName(attrs []syscall.NetlinkRouteAttr) string {
	for _, a := range attrs {
		if a.Attr.Type == unix.IFLA_IFNAME {
			return unix.ByteSliceToString(a.Value)
		}
	}
	return ""
}

// linkKind reads the kind out of the nested link information.
func linkKind(attrs []syscall.NetlinkRouteAttr) string {
	for _, a := range attrs {
		if a.Attr.Type&^unix.NLA_F_NESTED != unix.IFLA_LINKINFO {
			continue
		}
		for b := a.Value; len(b) >= unix.SizeofRtAttr; {
			size, kind := int(nativeUint16(b)), nativeUint16(b[2:])
			if size < unix.SizeofRtAttr || size > len(b) {
				return ""
			}
			if kind&^unix.NLA_F_NESTED == unix.IFLA_INFO_KIND {
				return unix.ByteSliceToString(b[unix.SizeofRtAttr:size])
			}
			b = b[min(len(b), (size+3)&^3):]
		}
	}
	return ""
}

// dialGuest dials where the bridge of the guest's network is: here, or in the daemon's network namespace. It never dials where the
// bridge is not: some other machine, or a proxy, might answer there for the guest. dial must take an address, not a name, and
// no more than one: a resolver or a second try would leave the thread.
func dialGuest(t target, bridge string, dial func() (net.Conn, error)) (net.Conn, error) {
	if here, err := isBridge(bridge); err == nil && here {
		return dial()
	}
	var conn net.Conn
	err := inDaemonNetwork(t, func() error {
		there, err := isBridge(bridge)
		if err == nil && !there {
			err = fmt.Errorf("there is no bridge %s", bridge)
		}
		if err == nil {
			conn, err = dial()
		}
		return err
	})
	return conn, err
}

// inDaemonNetwork runs f on a thread inside the daemon's network namespace.
func inDaemonNetwork(t target, f func() error) error {
	pid, err := daemonPID(t)
	if err != nil {
		return err
	}
	theirs, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return err
	}
	defer theirs.Close() //nolint:errcheck // read only
	// Of this thread, not of the process: the first thread may be one that went into another namespace below and is parked there.
	same, err := sameFile(theirs, "/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	if same {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		// The thread is not unlocked, so that no other goroutine ever runs on it: it ends (the first one is parked) with this one.
		runtime.LockOSThread()
		if err := unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func sameFile(f *os.File, path string) (bool, error) {
	a, err := f.Stat()
	if err != nil {
		return false, err
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b), err
}

// daemonPID asks the kernel who listens on the daemon's socket. With socket activation that is the init system, which shares
// the host's network as the daemon it starts does.
func daemonPID(t target) (int32, error) {
	path, err := findSocket(t)
	if err != nil {
		return 0, err
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return 0, err
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, credErr); err != nil {
		return 0, err
	}
	if cred.Pid <= 0 {
		return 0, fs.ErrNotExist // it lives in a process namespace that we cannot see into
	}
	return cred.Pid, nil
}

func nativeUint16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
