package libvirt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// networkTries bounds the search for a subnet that nobody uses: libvirt refuses one that the host has a route for.
const networkTries = 8

// createIsolatedNetwork makes a network without a way out, on a bridge of its own, that serves DHCP. Its name says whose it is.
func (c *Client) createIsolatedNetwork(ctx context.Context, job, owner string) (string, error) {
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	var err error
	for range networkTries {
		name := isolatedName(job, owner, randomHex(2))
		var text string
		if text, err = isolatedNetworkXML(name, randomSubnet()); err != nil {
			return "", err
		}
		err = do(ctx, c, func(conn connection) error { return conn.createNetwork(text) })
		if err == nil {
			return name, nil
		}
		if errors.Is(err, sdk.ErrDenied) || errors.Is(err, sdk.ErrUnavailable) || ctx.Err() != nil {
			break
		}
	}
	return "", err
}

// randomSubnet picks the third byte of a network in 198.18.0.0/15, which is reserved for tests between machines (RFC 2544).
func randomSubnet() string {
	n, err := rand.Int(rand.Reader, big.NewInt(512))
	if err != nil {
		n = big.NewInt(0) // crypto/rand never fails
	}
	return fmt.Sprintf("198.%d.%d.", 18+n.Int64()>>8, n.Int64()&0xff)
}

func isolatedNetworkXML(name, subnet string) (string, error) {
	network := libvirtxml.Network{
		Name:   name,
		Bridge: &libvirtxml.NetworkBridge{Name: bridgeOf(name), STP: "off", Delay: "0"},
		DNS:    &libvirtxml.NetworkDNS{Enable: "no"},
		IPs: []libvirtxml.NetworkIP{{
			Address: subnet + "1", Netmask: "255.255.255.0",
			DHCP: &libvirtxml.NetworkDHCP{Ranges: []libvirtxml.NetworkDHCPRange{{Start: subnet + "2", End: subnet + "254"}}},
		}},
	}
	return network.Marshal()
}

func isolatedName(job, owner, suffix string) string {
	return fmt.Sprintf("hypersdk-bootcheck-%s-%s-%s", job, owner, suffix)
}

// bridgeOf derives the bridge from the network's name: an interface's name has no more than 15 bytes.
func bridgeOf(network string) string {
	return "hsbc-" + network[strings.LastIndexByte(network, '-')+1:]
}

var isolatedNamePattern = regexp.MustCompile(`^hypersdk-bootcheck-([0-9a-f]{16})-([0-9]+\.[0-9]+)-[0-9a-f]{4}$`)
