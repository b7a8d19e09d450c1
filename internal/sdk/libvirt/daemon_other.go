//go:build !linux

package libvirt

import (
	"errors"
	"net"
)

// daemonHasBridge cannot tell: libvirt's bridges are a matter of Linux.
func daemonHasBridge(target, string) (exists, known bool, err error) { return false, false, nil }

// dialGuest cannot reach what only exists on Linux.
func dialGuest(target, string, func() (net.Conn, error)) (net.Conn, error) {
	return nil, errors.New("guests are only reached on Linux")
}
