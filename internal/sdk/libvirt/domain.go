package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"libvirt.org/go/libvirtxml"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Domain is a defined or running domain.
type Domain struct {
	Name      string    `json:"name"`
	UUID      string    `json:"uuid"`
	State     string    `json:"state"` // running, shutoff, paused, crashed, …
	Autostart bool      `json:"autostart"`
	MACs      []string  `json:"macs"`
	Disks     []string  `json:"disks"` // paths
	CPUs      int       `json:"cpus"`
	MemoryMB  int64     `json:"memory_mb"`
	Metadata  *Metadata `json:"metadata,omitempty"` // ours, when it carries the element
}

// ListDomains returns all domains, running or not, sorted by name. Throw-away domains of boot checks are not among them.
func (c *Client) ListDomains(ctx context.Context) ([]Domain, error) {
	keys, err := call(ctx, c, connection.domains)
	if err != nil {
		return nil, fmt.Errorf("list domains of %s: %w", c.target.uri, err)
	}
	list := make([]Domain, 0, len(keys))
	for _, key := range keys {
		d, m, err := c.readDomain(ctx, key)
		if isGone(err) {
			continue // undefined since
		}
		if err != nil {
			return nil, fmt.Errorf("list domains of %s: %w", c.target.uri, err)
		}
		if m.bootCheck == nil {
			list = append(list, *d)
		}
	}
	slices.SortFunc(list, func(a, b Domain) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// GetDomain finds one by UUID or name. ErrNotFound only when libvirt says so.
func (c *Client) GetDomain(ctx context.Context, ref string) (*Domain, error) {
	key, err := c.findDomain(ctx, ref)
	if err != nil {
		return nil, err
	}
	d, _, err := c.readDomain(ctx, key)
	return d, err
}

// findDomain takes ref for a UUID when it reads as one, and for a name otherwise, or when no domain has that UUID.
func (c *Client) findDomain(ctx context.Context, ref string) (domainKey, error) {
	if _, err := uuid.Parse(ref); err == nil {
		key, err := call(ctx, c, func(conn connection) (domainKey, error) { return conn.domainByUUID(ref) })
		if !isGone(err) {
			return key, wrapDomain(err, "find", ref)
		}
	}
	key, err := call(ctx, c, func(conn connection) (domainKey, error) { return conn.domainByName(ref) })
	return key, wrapDomain(err, "find", ref)
}

func (c *Client) readDomain(ctx context.Context, key domainKey) (*Domain, marks, error) {
	r, err := call(ctx, c, func(conn connection) (domainRecord, error) { return conn.domainRecord(key.uuid) })
	if err != nil {
		return nil, marks{}, wrapDomain(err, "read", key.name)
	}
	var doc libvirtxml.Domain
	if err := doc.Unmarshal(r.xml); err != nil {
		return nil, marks{}, fmt.Errorf("read domain %q: %w", key.name, err)
	}
	d := &Domain{Name: key.name, UUID: key.uuid, State: r.state.String(), Autostart: r.autostart}
	if doc.VCPU != nil {
		d.CPUs = int(doc.VCPU.Value)
	}
	if doc.Memory != nil {
		d.MemoryMB = memoryMB(doc.Memory)
	}
	if doc.Devices != nil {
		d.MACs, d.Disks = macsOf(doc.Devices), disksOf(doc.Devices)
	}
	var m marks
	if doc.Metadata != nil {
		m = readMarks(doc.Metadata.XML)
	}
	d.Metadata = m.domain
	return d, m, nil
}

// memoryMB reads an amount as libvirt writes it: in KiB, whatever the unit of the definition was.
func memoryMB(m *libvirtxml.DomainMemory) int64 {
	value := int64(m.Value)
	switch m.Unit {
	case "MiB":
		return value
	case "GiB":
		return value << 10
	}
	return value >> 10
}

func macsOf(devices *libvirtxml.DomainDeviceList) []string {
	var macs []string
	for _, nic := range devices.Interfaces {
		if nic.MAC != nil {
			macs = append(macs, nic.MAC.Address)
		}
	}
	return macs
}

func disksOf(devices *libvirtxml.DomainDeviceList) []string {
	var paths []string
	for _, d := range devices.Disks {
		if d.Source == nil || (d.Device != "" && d.Device != "disk" && d.Device != "lun") {
			continue
		}
		switch {
		case d.Source.File != nil:
			paths = append(paths, d.Source.File.File)
		case d.Source.Block != nil:
			paths = append(paths, d.Source.Block.Dev)
		}
	}
	return paths
}

func isGone(err error) bool { return errors.Is(err, sdk.ErrNotFound) }

func wrapDomain(err error, doing, ref string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s domain %s: %w", doing, ref, err)
}
