package libvirt

import (
	"errors"
	"net"
	"os"
	"sort"
	"sync/atomic"
	"syscall"

	golibvirt "github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// rpcConn speaks libvirt's protocol over the daemon's local socket, in pure Go.
type rpcConn struct {
	l    *golibvirt.Libvirt
	dead atomic.Bool
}

func dialRPC(t target) (connection, error) {
	path, err := findSocket(t)
	if err != nil {
		return nil, err
	}
	l := golibvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(path)))
	c := &rpcConn{l: l}
	if err := l.ConnectToURI(golibvirt.ConnectURI(t.daemonURI())); err != nil {
		return nil, c.fail(err)
	}
	return c, nil
}

// findSocket returns the first socket of the target's daemon that is there.
func findSocket(t target) (string, error) {
	paths := t.sockets()
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", hintDaemon(sdk.Unavailablef("no libvirt daemon listens here: there is no %s", paths[0]))
}

// fail gives an error of the binding its kind.
func (c *rpcConn) fail(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[golibvirt.Error](err); ok {
		return fromCode(errorCode(e.Code), e.Message)
	}
	var netErr net.Error
	switch {
	case errors.Is(err, golibvirt.ErrUnsupported):
		return fromCode(codeNoSupport, "the libvirt daemon does not know this call")
	case errors.Is(err, os.ErrPermission):
		return fromCode(codeAuthUnavailable, err.Error())
	case errors.Is(err, golibvirt.ErrInterrupted), errors.Is(err, syscall.EINVAL), errors.Is(err, net.ErrClosed), errors.As(err, &netErr):
		c.dead.Store(true)
		return fromCode(codeRPC, "connection to the libvirt daemon: "+err.Error())
	}
	return err
}

func (c *rpcConn) alive() bool { return !c.dead.Load() && c.l.IsConnected() }

func (c *rpcConn) close() error {
	if !c.alive() {
		return nil
	}
	return c.fail(c.l.Disconnect())
}

func (c *rpcConn) hostname() (string, error) {
	name, err := c.l.ConnectGetHostname()
	return name, c.fail(err)
}

func (c *rpcConn) node() (nodeRecord, error) {
	_, memoryKiB, cpus, _, _, _, _, _, err := c.l.NodeGetInfo()
	if err != nil {
		return nodeRecord{}, c.fail(err)
	}
	n := nodeRecord{cpus: int(cpus), memory: memoryKiB << 10}
	const allCells = -1
	_, count, err := c.l.NodeGetMemoryStats(0, allCells, 0)
	if unsupported(c.fail(err)) {
		return n, nil
	}
	if err != nil {
		return n, c.fail(err)
	}
	stats, _, err := c.l.NodeGetMemoryStats(count, allCells, 0)
	for _, s := range stats {
		switch s.Field {
		case "total":
			n.memory = s.Value << 10
		case "free", "buffers", "cached":
			n.free += s.Value << 10
		}
	}
	return n, c.fail(err)
}

func (c *rpcConn) domainCapabilities(arch, machine, virtType string) (string, error) {
	caps, err := c.l.ConnectGetDomainCapabilities(nil, optional(arch), optional(machine), optional(virtType), 0)
	return caps, c.fail(err)
}

func optional(s string) golibvirt.OptString {
	if s == "" {
		return nil
	}
	return golibvirt.OptString{s}
}

func (c *rpcConn) domains() ([]domainKey, error) {
	list, _, err := c.l.ConnectListAllDomains(1, 0)
	if err != nil {
		return nil, c.fail(err)
	}
	keys := make([]domainKey, 0, len(list))
	for _, d := range list {
		keys = append(keys, rpcKey(d))
	}
	return keys, nil
}

func rpcKey(d golibvirt.Domain) domainKey {
	return domainKey{uuid: uuid.UUID(d.UUID).String(), name: d.Name}
}

func (c *rpcConn) domainByUUID(id string) (domainKey, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return domainKey{}, sdk.Invalidf("domain UUID %q: %v", id, err)
	}
	d, err := c.l.DomainLookupByUUID(golibvirt.UUID(parsed))
	if err != nil {
		return domainKey{}, c.fail(err)
	}
	return rpcKey(d), nil
}

func (c *rpcConn) domainByName(name string) (domainKey, error) {
	d, err := c.l.DomainLookupByName(name)
	if err != nil {
		return domainKey{}, c.fail(err)
	}
	return rpcKey(d), nil
}

// with looks the domain up and runs f on it. The daemon's own lookup by UUID would do, but its errors then lack the name.
func (c *rpcConn) with(id string, f func(golibvirt.Domain) error) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return sdk.Invalidf("domain UUID %q: %v", id, err)
	}
	d, err := c.l.DomainLookupByUUID(golibvirt.UUID(parsed))
	if err != nil {
		return c.fail(err)
	}
	return c.fail(f(d))
}

func (c *rpcConn) domainRecord(id string) (domainRecord, error) {
	var r domainRecord
	err := c.with(id, func(d golibvirt.Domain) error {
		state, reason, err := c.l.DomainGetState(d, 0)
		if err != nil {
			return err
		}
		r.state = domainState{int(state), int(reason)}
		auto, err := c.l.DomainGetAutostart(d)
		if err != nil {
			return err
		}
		r.autostart = auto != 0
		r.xml, err = c.l.DomainGetXMLDesc(d, golibvirt.DomainXMLInactive)
		return err
	})
	return r, err
}

func (c *rpcConn) domainState(id string) (domainState, error) {
	var s domainState
	err := c.with(id, func(d golibvirt.Domain) error {
		state, reason, err := c.l.DomainGetState(d, 0)
		s = domainState{int(state), int(reason)}
		return err
	})
	return s, err
}

func (c *rpcConn) defineDomain(xml string) (domainKey, error) {
	d, err := c.l.DomainDefineXMLFlags(xml, golibvirt.DomainDefineValidate)
	if err != nil {
		return domainKey{}, c.fail(err)
	}
	return rpcKey(d), nil
}

func (c *rpcConn) createDomain(xml string) (domainKey, error) {
	d, err := c.l.DomainCreateXML(xml, golibvirt.DomainStartValidate|golibvirt.DomainStartAutodestroy)
	if unsupported(c.fail(err)) {
		d, err = c.l.DomainCreateXML(xml, 0)
	}
	if err != nil {
		return domainKey{}, c.fail(err)
	}
	return rpcKey(d), nil
}

func (c *rpcConn) startDomain(id string) error {
	return c.with(id, c.l.DomainCreate)
}

func (c *rpcConn) shutdownDomain(id string) error {
	return c.with(id, func(d golibvirt.Domain) error { return c.l.DomainShutdownFlags(d, golibvirt.DomainShutdownDefault) })
}

func (c *rpcConn) destroyDomain(id string) error {
	return c.with(id, c.l.DomainDestroy)
}

func (c *rpcConn) undefineDomain(id string) error {
	const (
		saved      = golibvirt.DomainUndefineManagedSave | golibvirt.DomainUndefineSnapshotsMetadata
		everything = saved | golibvirt.DomainUndefineNvram | golibvirt.DomainUndefineCheckpointsMetadata
	)
	return c.with(id, func(d golibvirt.Domain) error {
		err := c.l.DomainUndefineFlags(d, everything)
		if unsupported(c.fail(err)) {
			err = c.l.DomainUndefineFlags(d, saved)
		}
		return err
	})
}

func (c *rpcConn) setAutostart(id string, on bool) error {
	var value int32
	if on {
		value = 1
	}
	return c.with(id, func(d golibvirt.Domain) error { return c.l.DomainSetAutostart(d, value) })
}

func (c *rpcConn) renameDomain(id, name string) error {
	return c.with(id, func(d golibvirt.Domain) error {
		_, err := c.l.DomainRename(d, optional(name), 0)
		return err
	})
}

func (c *rpcConn) bytesRead(id, disk string) (int64, error) {
	var n int64
	err := c.with(id, func(d golibvirt.Domain) error {
		_, read, _, _, _, err := c.l.DomainBlockStats(d, disk)
		n = read
		return err
	})
	return n, err
}

func (c *rpcConn) agentCommand(id, command string, seconds int) (string, error) {
	var answer string
	err := c.with(id, func(d golibvirt.Domain) error {
		result, err := c.l.QEMUDomainAgentCommand(d, command, int32(seconds), 0)
		if len(result) > 0 {
			answer = result[0]
		}
		return err
	})
	return answer, err
}

func (c *rpcConn) networks() ([]networkRecord, error) {
	list, _, err := c.l.ConnectListAllNetworks(1, 0)
	if err != nil {
		return nil, c.fail(err)
	}
	records := make([]networkRecord, 0, len(list))
	for _, n := range list {
		active, err := c.l.NetworkIsActive(n)
		if isGone(c.fail(err)) {
			continue
		}
		if err != nil {
			return nil, c.fail(err)
		}
		// A network in hostdev or macvtap mode has no bridge, and libvirt answers with an error.
		bridge, _ := c.l.NetworkGetBridgeName(n) //nolint:errcheck // see above
		records = append(records, networkRecord{name: n.Name, bridge: bridge, active: active != 0})
	}
	return records, nil
}

func (c *rpcConn) createNetwork(xml string) error {
	_, err := c.l.NetworkCreateXML(xml)
	return c.fail(err)
}

func (c *rpcConn) destroyNetwork(name string) error {
	n, err := c.l.NetworkLookupByName(name)
	if err != nil {
		return c.fail(err)
	}
	return c.fail(c.l.NetworkDestroy(n))
}

func (c *rpcConn) leases(network string) ([]lease, error) {
	n, err := c.l.NetworkLookupByName(network)
	if err != nil {
		return nil, c.fail(err)
	}
	list, _, err := c.l.NetworkGetDhcpLeases(n, nil, 1, 0)
	if err != nil {
		return nil, c.fail(err)
	}
	leases := make([]lease, 0, len(list))
	for _, l := range list {
		leases = append(leases, lease{mac: first(l.Mac), address: l.Ipaddr, hostname: first(l.Hostname)})
	}
	return leases, nil
}

func first(s golibvirt.OptString) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}

func (c *rpcConn) pools() ([]string, error) {
	list, _, err := c.l.ConnectListAllStoragePools(1, 0)
	if err != nil {
		return nil, c.fail(err)
	}
	names := make([]string, 0, len(list))
	for _, p := range list {
		names = append(names, p.Name)
	}
	sort.Strings(names)
	return names, nil
}

func (c *rpcConn) pool(name string) (poolRecord, error) {
	p, err := c.l.StoragePoolLookupByName(name)
	if err != nil {
		return poolRecord{}, c.fail(err)
	}
	xml, err := c.l.StoragePoolGetXMLDesc(p, 0)
	if err != nil {
		return poolRecord{}, c.fail(err)
	}
	active, err := c.l.StoragePoolIsActive(p)
	if err != nil {
		return poolRecord{}, c.fail(err)
	}
	_, capacity, _, available, err := c.l.StoragePoolGetInfo(p)
	return poolRecord{xml: xml, active: active != 0, capacity: capacity, available: available}, c.fail(err)
}

func (c *rpcConn) refreshPool(name string) error {
	p, err := c.l.StoragePoolLookupByName(name)
	if err != nil {
		return c.fail(err)
	}
	return c.fail(c.l.StoragePoolRefresh(p, 0))
}
