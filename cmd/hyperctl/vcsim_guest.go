package main

import (
	"strconv"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// parseGuest reads PATH=IMAGE[,KEY=VALUE…], the value of -guest.
func parseGuest(text string) (demo.Guest, error) {
	head, rest, more := strings.Cut(text, ",")
	path, image, found := strings.Cut(head, "=")
	switch {
	case !found || path == "" || image == "":
		return demo.Guest{}, sdk.WithHint(sdk.Invalidf("want PATH=IMAGE[,KEY=VALUE…]"), "for example -guest /DC0/vm/web-01=debian.qcow2,firmware=uefi")
	case !strings.HasPrefix(path, "/"):
		return demo.Guest{}, sdk.Invalidf("%q is not an inventory path; for example /DC0/vm/web-01", path)
	}
	g := guestParser{guest: demo.Guest{Path: path, Disks: []demo.GuestDisk{{Image: image}}}}
	if !more {
		return g.guest, nil
	}
	for pair := range strings.SplitSeq(rest, ",") {
		key, value, found := strings.Cut(pair, "=")
		if !found || value == "" {
			return demo.Guest{}, sdk.Invalidf("%q is not KEY=VALUE", pair)
		}
		if err := g.set(key, value); err != nil {
			return demo.Guest{}, err
		}
	}
	return g.guest, nil
}

type guestParser struct{ guest demo.Guest }

// disk is the one that was named last.
func (p *guestParser) disk() *demo.GuestDisk { return &p.guest.Disks[len(p.guest.Disks)-1] }

// nic is the one that was named last, or the first.
func (p *guestParser) nic() *demo.GuestNIC {
	if len(p.guest.NICs) == 0 {
		p.guest.NICs = []demo.GuestNIC{{}}
	}
	return &p.guest.NICs[len(p.guest.NICs)-1]
}

func (p *guestParser) set(key, value string) error {
	setters := map[string]func() error{
		"firmware": func() error { return word(&p.guest.Firmware, key, value, "bios", "uefi") },
		"power": func() error {
			p.guest.PoweredOn = value == "on"
			return word(new(string), key, value, "on", "off")
		},
		"cpus": func() error {
			n, err := positive(key, value)
			p.guest.CPUs = int(n)
			return err
		},
		"memory": func() error {
			n, err := positive(key, value)
			p.guest.MemoryMB = n
			return err
		},
		"guest-id":   func() error { p.guest.GuestID = value; return nil },
		"hostname":   func() error { p.guest.Hostname = value; return nil },
		"ip":         func() error { p.guest.IPs = append(p.guest.IPs, value); return nil },
		"disk":       func() error { p.guest.Disks = append(p.guest.Disks, demo.GuestDisk{Image: value}); return nil },
		"address":    func() error { p.disk().Address = value; return nil },
		"format":     func() error { return word(&p.disk().Format, key, value, "raw", "qcow2", "vmdk") },
		"controller": func() error { p.disk().Controller = value; return nil },
		"nic": func() error {
			p.guest.NICs = append(p.guest.NICs, demo.GuestNIC{})
			return word(&p.nic().Type, key, value, "vmxnet3", "e1000", "e1000e")
		},
		"mac":     func() error { p.nic().MAC = value; return nil },
		"network": func() error { p.nic().Network = value; return nil },
	}
	if setter, known := setters[key]; known {
		return setter()
	}
	return cli.Unknown("key", key, []string{
		"firmware", "power", "cpus", "memory", "guest-id", "hostname", "ip", "disk", "address", "controller", "format", "nic", "mac", "network",
	})
}

func word(into *string, key, value string, known ...string) error {
	for _, k := range known {
		if k == value {
			*into = value
			return nil
		}
	}
	return sdk.Invalidf("%s: want %s, got %q", key, strings.Join(known, " or "), value)
}

func positive(key, value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n <= 0 {
		return 0, sdk.Invalidf("%s: want a number above 0, got %q", key, value)
	}
	return n, nil
}
