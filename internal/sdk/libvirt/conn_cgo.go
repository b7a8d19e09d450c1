//go:build cgo && libvirt_dlopen

package libvirt

import (
	"errors"
	"sort"
	"sync"
	"sync/atomic"

	clibvirt "libvirt.org/go/libvirt"
)

// cgoConn is libvirt's own C library, opened at run time. The binding silences the library's error printing when the program
// starts.
type cgoConn struct {
	c    *clibvirt.Connect
	dead atomic.Bool
	once sync.Once
}

func dialCgo(t target) (connection, error) {
	c, err := clibvirt.NewConnect(t.uri)
	if err != nil {
		return nil, (&cgoConn{}).fail(err)
	}
	return &cgoConn{c: c}, nil
}

// fail gives an error of the binding its kind.
func (c *cgoConn) fail(err error) error {
	e, ok := errors.AsType[clibvirt.Error](err)
	if !ok {
		return err
	}
	code := errorCode(e.Code)
	if code == codeSystemError && e.Domain == clibvirt.FROM_RPC {
		code = codeNoConnect // the socket cannot be reached; libvirt reports the errno as a system error
	}
	if code == codeNoConnect || code == codeInvalidConn || code == codeRPC {
		c.dead.Store(true)
	}
	return fromCode(code, e.Message)
}

func (c *cgoConn) alive() bool {
	if c.dead.Load() {
		return false
	}
	alive, err := c.c.IsAlive()
	return err == nil && alive
}

func (c *cgoConn) close() error {
	var err error
	c.once.Do(func() { _, err = c.c.Close() })
	return c.fail(err)
}

func (c *cgoConn) hostname() (string, error) {
	name, err := c.c.GetHostname()
	return name, c.fail(err)
}

func (c *cgoConn) node() (nodeRecord, error) {
	info, err := c.c.GetNodeInfo()
	if err != nil {
		return nodeRecord{}, c.fail(err)
	}
	n := nodeRecord{cpus: int(info.Cpus), memory: info.Memory << 10}
	stats, err := c.c.GetMemoryStats(-1, 0) // -1: of all cells
	if unsupported(c.fail(err)) {
		return n, nil
	}
	if err != nil {
		return n, c.fail(err)
	}
	if stats.TotalSet {
		n.memory = stats.Total << 10
	}
	n.free = (stats.Free + stats.Buffers + stats.Cached) << 10
	return n, nil
}

func (c *cgoConn) domainCapabilities(arch, machine, virtType string) (string, error) {
	caps, err := c.c.GetDomainCapabilities("", arch, machine, virtType, 0)
	return caps, c.fail(err)
}

func (c *cgoConn) domains() ([]domainKey, error) {
	list, err := c.c.ListAllDomains(0)
	if err != nil {
		return nil, c.fail(err)
	}
	keys := make([]domainKey, 0, len(list))
	for i := range list {
		key, kerr := cgoKey(&list[i])
		list[i].Free() //nolint:errcheck // only drops a reference
		if kerr != nil && err == nil {
			err = kerr
		}
		keys = append(keys, key)
	}
	return keys, c.fail(err)
}

func cgoKey(d *clibvirt.Domain) (domainKey, error) {
	id, err := d.GetUUIDString()
	if err != nil {
		return domainKey{}, err
	}
	name, err := d.GetName()
	return domainKey{uuid: id, name: name}, err
}

// release reads the key of a domain that the library handed out, and lets go of it.
func (c *cgoConn) release(d *clibvirt.Domain, err error) (domainKey, error) {
	if err != nil {
		return domainKey{}, c.fail(err)
	}
	defer d.Free() //nolint:errcheck // only drops a reference
	key, err := cgoKey(d)
	return key, c.fail(err)
}

func (c *cgoConn) domainByUUID(id string) (domainKey, error) {
	return c.release(c.c.LookupDomainByUUIDString(id))
}

func (c *cgoConn) domainByName(name string) (domainKey, error) {
	return c.release(c.c.LookupDomainByName(name))
}

// with looks the domain up and runs f on it.
func (c *cgoConn) with(id string, f func(*clibvirt.Domain) error) error {
	d, err := c.c.LookupDomainByUUIDString(id)
	if err != nil {
		return c.fail(err)
	}
	defer d.Free() //nolint:errcheck // only drops a reference
	return c.fail(f(d))
}

func (c *cgoConn) domainRecord(id string) (domainRecord, error) {
	var r domainRecord
	err := c.with(id, func(d *clibvirt.Domain) error {
		state, reason, err := d.GetState()
		if err != nil {
			return err
		}
		r.state = domainState{int(state), reason}
		if r.autostart, err = d.GetAutostart(); err != nil {
			return err
		}
		r.xml, err = d.GetXMLDesc(clibvirt.DOMAIN_XML_INACTIVE)
		return err
	})
	return r, err
}

func (c *cgoConn) domainState(id string) (domainState, error) {
	var s domainState
	err := c.with(id, func(d *clibvirt.Domain) error {
		state, reason, err := d.GetState()
		s = domainState{int(state), reason}
		return err
	})
	return s, err
}

func (c *cgoConn) defineDomain(xml string) (domainKey, error) {
	return c.release(c.c.DomainDefineXMLFlags(xml, clibvirt.DOMAIN_DEFINE_VALIDATE))
}

func (c *cgoConn) createDomain(xml string) (domainKey, error) {
	key, err := c.release(c.c.DomainCreateXML(xml, clibvirt.DOMAIN_START_VALIDATE|clibvirt.DOMAIN_START_AUTODESTROY))
	if unsupported(err) {
		return c.release(c.c.DomainCreateXML(xml, 0))
	}
	return key, err
}

func (c *cgoConn) startDomain(id string) error {
	return c.with(id, (*clibvirt.Domain).Create)
}

func (c *cgoConn) shutdownDomain(id string) error {
	return c.with(id, func(d *clibvirt.Domain) error { return d.ShutdownFlags(clibvirt.DOMAIN_SHUTDOWN_DEFAULT) })
}

func (c *cgoConn) destroyDomain(id string) error {
	return c.with(id, (*clibvirt.Domain).Destroy)
}

func (c *cgoConn) undefineDomain(id string) error {
	const (
		saved      = clibvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | clibvirt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
		everything = saved | clibvirt.DOMAIN_UNDEFINE_NVRAM | clibvirt.DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
	)
	return c.with(id, func(d *clibvirt.Domain) error {
		err := d.UndefineFlags(everything)
		if unsupported(c.fail(err)) {
			err = d.UndefineFlags(saved)
		}
		return err
	})
}

func (c *cgoConn) setAutostart(id string, on bool) error {
	return c.with(id, func(d *clibvirt.Domain) error { return d.SetAutostart(on) })
}

func (c *cgoConn) renameDomain(id, name string) error {
	return c.with(id, func(d *clibvirt.Domain) error { return d.Rename(name, 0) })
}

func (c *cgoConn) bytesRead(id, disk string) (int64, error) {
	var n int64
	err := c.with(id, func(d *clibvirt.Domain) error {
		stats, err := d.BlockStats(disk)
		if err != nil {
			return err
		}
		n = stats.RdBytes
		return nil
	})
	return n, err
}

func (c *cgoConn) agentCommand(id, command string, seconds int) (string, error) {
	var answer string
	err := c.with(id, func(d *clibvirt.Domain) error {
		var err error
		answer, err = d.QemuAgentCommand(command, clibvirt.DomainQemuAgentCommandTimeout(seconds), 0)
		return err
	})
	return answer, err
}

func (c *cgoConn) networks() ([]networkRecord, error) {
	list, err := c.c.ListAllNetworks(0)
	if err != nil {
		return nil, c.fail(err)
	}
	records := make([]networkRecord, 0, len(list))
	for i := range list {
		r, nerr := cgoNetwork(&list[i])
		list[i].Free() //nolint:errcheck // only drops a reference
		if isGone(c.fail(nerr)) {
			continue
		}
		if nerr != nil && err == nil {
			err = nerr
		}
		records = append(records, r)
	}
	return records, c.fail(err)
}

func cgoNetwork(n *clibvirt.Network) (networkRecord, error) {
	name, err := n.GetName()
	if err != nil {
		return networkRecord{}, err
	}
	active, err := n.IsActive()
	if err != nil {
		return networkRecord{}, err
	}
	// A network in hostdev or macvtap mode has no bridge, and libvirt answers with an error.
	bridge, _ := n.GetBridgeName() //nolint:errcheck // see above
	return networkRecord{name: name, bridge: bridge, active: active}, nil
}

func (c *cgoConn) createNetwork(xml string) error {
	n, err := c.c.NetworkCreateXML(xml)
	if err != nil {
		return c.fail(err)
	}
	return c.fail(n.Free())
}

func (c *cgoConn) withNetwork(name string, f func(*clibvirt.Network) error) error {
	n, err := c.c.LookupNetworkByName(name)
	if err != nil {
		return c.fail(err)
	}
	defer n.Free() //nolint:errcheck // only drops a reference
	return c.fail(f(n))
}

func (c *cgoConn) destroyNetwork(name string) error {
	return c.withNetwork(name, (*clibvirt.Network).Destroy)
}

func (c *cgoConn) leases(network string) ([]lease, error) {
	var leases []lease
	err := c.withNetwork(network, func(n *clibvirt.Network) error {
		list, err := n.GetDHCPLeases()
		for _, l := range list {
			leases = append(leases, lease{mac: l.Mac, address: l.IPaddr, hostname: l.Hostname})
		}
		return err
	})
	return leases, err
}

func (c *cgoConn) pools() ([]string, error) {
	list, err := c.c.ListAllStoragePools(0)
	if err != nil {
		return nil, c.fail(err)
	}
	names := make([]string, 0, len(list))
	for i := range list {
		name, nerr := list[i].GetName()
		list[i].Free() //nolint:errcheck // only drops a reference
		if nerr != nil && err == nil {
			err = nerr
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return names, c.fail(err)
}

func (c *cgoConn) withPool(name string, f func(*clibvirt.StoragePool) error) error {
	p, err := c.c.LookupStoragePoolByName(name)
	if err != nil {
		return c.fail(err)
	}
	defer p.Free() //nolint:errcheck // only drops a reference
	return c.fail(f(p))
}

func (c *cgoConn) pool(name string) (poolRecord, error) {
	var r poolRecord
	err := c.withPool(name, func(p *clibvirt.StoragePool) error {
		var err error
		if r.xml, err = p.GetXMLDesc(0); err != nil {
			return err
		}
		if r.active, err = p.IsActive(); err != nil {
			return err
		}
		info, err := p.GetInfo()
		if err != nil {
			return err
		}
		r.capacity, r.available = info.Capacity, info.Available
		return nil
	})
	return r, err
}

func (c *cgoConn) refreshPool(name string) error {
	return c.withPool(name, func(p *clibvirt.StoragePool) error { return p.Refresh(0) })
}
