package libvirt

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

type checkKind string

const (
	checkNone    checkKind = "none"
	checkPower   checkKind = "power"
	checkConsole checkKind = "console"
	checkAgent   checkKind = "agent"
	checkAddress checkKind = "address"
	checkTCP     checkKind = "tcp"
)

// bootTest is a parsed check.
type bootTest struct {
	name    string // as it was asked for
	kind    checkKind
	port    uint16
	success *regexp.Regexp // console
}

const maxMarkerBytes = 1024

func parseCheck(name, marker string) (bootTest, error) {
	t := bootTest{name: name, kind: checkKind(name)}
	switch t.kind {
	case checkNone, checkPower, checkAgent, checkAddress:
		return t, nil
	case checkConsole:
		t.success = bootedLine
		if marker == "" {
			return t, nil
		}
		if len(marker) > maxMarkerBytes {
			return t, sdk.Invalidf("boot marker has %d bytes, and %d is the most", len(marker), maxMarkerBytes)
		}
		var err error
		if t.success, err = regexp.Compile(marker); err != nil {
			return t, sdk.Invalidf("boot marker %q: %v", marker, err)
		}
		return t, nil
	default: // tcp:PORT, or a word that is none
	}
	kind, port, ok := strings.Cut(name, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if !ok || checkKind(kind) != checkTCP || err != nil || n == 0 {
		return t, sdk.Invalidf("boot check %q is not one of none, power, console, agent, address, tcp:PORT", name)
	}
	t.kind, t.port = checkTCP, uint16(n)
	return t, nil
}

func (t bootTest) needsNetwork() bool { return t.kind == checkAddress || t.kind == checkTCP }

// wanted says what did not come, for a person.
func (t bootTest) wanted() string {
	switch t.kind {
	case checkPower:
		return "sign that the firmware found a system to start"
	case checkConsole:
		return "line that matches " + t.success.String()
	case checkAgent:
		return "answer from the guest agent"
	case checkAddress:
		return "address"
	case checkTCP:
		return fmt.Sprintf("connection to port %d", t.port)
	default:
		return string(t.kind)
	}
}

// ask asks the one question of the check; the console has none, it is read anyway.
func (t bootTest) ask(ctx context.Context, b *boot) (verdict, error) {
	switch t.kind {
	case checkPower:
		return b.askPower(ctx)
	case checkAgent:
		return b.askAgent(ctx), nil
	case checkAddress:
		return b.askAddress(ctx), nil
	case checkTCP:
		return b.askPort(ctx), nil
	default:
		return verdict{}, nil
	}
}

func (b *boot) askPower(ctx context.Context) (verdict, error) {
	if len(b.spec.Disks) == 0 {
		return verdict{}, sdk.Invalidf("check power: the domain has no disk to boot from")
	}
	first := diskName(families[b.spec.Hardware].first.prefix, 0)
	read, err := call(ctx, b.c, func(conn connection) (int64, error) { return conn.bytesRead(b.spec.UUID, first) })
	if isGone(err) {
		return verdict{}, nil // the next look says so
	}
	if err != nil {
		return verdict{}, err
	}
	b.lastSeen = fmt.Sprintf("%d KiB were read from the first disk", read>>10)
	if read < b.pace.read || time.Since(b.started) < b.pace.settle {
		return verdict{}, nil
	}
	return verdict{decided: true, ok: true, evidence: fmt.Sprintf("running after %d s, %s", b.seconds(), b.lastSeen)}, nil
}

func (b *boot) askAgent(ctx context.Context) verdict {
	answer, err := b.agent(ctx, "guest-get-osinfo")
	if err != nil {
		// An agent without that command still answers a ping.
		if _, pingErr := b.agent(ctx, "guest-ping"); pingErr != nil {
			b.lastSeen = printable(err.Error())
			return verdict{}
		}
		return verdict{decided: true, ok: true, evidence: "the guest agent answers"}
	}
	var info struct {
		Return struct {
			Pretty string `json:"pretty-name"`
			Kernel string `json:"kernel-release"`
		} `json:"return"`
	}
	if json.Unmarshal([]byte(answer), &info) != nil {
		b.lastSeen = "the guest agent's answer cannot be read"
		return verdict{}
	}
	text := strings.TrimSpace(printable(info.Return.Pretty) + " " + printable(info.Return.Kernel))
	return verdict{decided: true, ok: true, evidence: "the guest agent answers: " + text}
}

// agentSeconds bounds one question to an agent that is there and hangs.
const agentSeconds = 5

func (b *boot) agent(ctx context.Context, command string) (string, error) {
	return call(ctx, b.c, func(conn connection) (string, error) {
		return conn.agentCommand(b.spec.UUID, fmt.Sprintf(`{"execute":%q}`, command), agentSeconds)
	})
}

func (b *boot) askAddress(ctx context.Context) verdict {
	if leases := b.leases(ctx); len(leases) > 0 {
		l := leases[0]
		text := fmt.Sprintf("%s was leased to %s", l.address, l.mac)
		if l.hostname != "" {
			text += " (" + printable(l.hostname) + ")"
		}
		return verdict{decided: true, ok: true, evidence: text}
	}
	if addresses := b.agentAddresses(ctx); len(addresses) > 0 {
		return verdict{decided: true, ok: true, evidence: "the guest agent tells " + strings.Join(addresses, ", ")}
	}
	b.lastSeen = "no DHCP lease, and the guest agent tells no address"
	return verdict{}
}

// leases returns what the isolated network's DHCP server gave to the guest's adapters.
func (b *boot) leases(ctx context.Context) []lease {
	if b.network == "" {
		return nil
	}
	all, err := call(ctx, b.c, func(conn connection) ([]lease, error) { return conn.leases(b.network) })
	if err != nil {
		b.c.log.DebugContext(ctx, "leases of the isolated network", "error", err)
		return nil
	}
	return slices.DeleteFunc(all, func(l lease) bool {
		_, err := netip.ParseAddr(l.address)
		return err != nil || !slices.ContainsFunc(b.spec.NICs, func(n DomainNIC) bool { return sameMAC(n.MAC, l.mac) })
	})
}

func addressesOf(leases []lease) []string {
	var list []string
	for _, l := range leases {
		list = append(list, l.address)
	}
	return list
}

func sameMAC(a, b string) bool {
	x, errX := net.ParseMAC(a)
	y, errY := net.ParseMAC(b)
	return errX == nil && errY == nil && slices.Equal(x, y)
}

// maxAddresses bounds what a guest's agent can make of the answer.
const maxAddresses = 16

// agentAddresses asks the agent, for guests with addresses of their own. Loopback and link-local ones prove nothing.
func (b *boot) agentAddresses(ctx context.Context) []string {
	answer, err := b.agent(ctx, "guest-network-get-interfaces")
	if err != nil {
		return nil
	}
	return parseAgentAddresses(answer)
}

func parseAgentAddresses(answer string) []string {
	var doc struct {
		Return []struct {
			Addresses []struct {
				Address string `json:"ip-address"`
			} `json:"ip-addresses"`
		} `json:"return"`
	}
	if json.Unmarshal([]byte(answer), &doc) != nil {
		return nil
	}
	var list []string
	for _, nic := range doc.Return {
		for _, a := range nic.Addresses {
			ip, err := netip.ParseAddr(a.Address)
			if err != nil || !ip.IsGlobalUnicast() || len(list) == maxAddresses {
				continue
			}
			list = append(list, ip.WithZone("").String())
		}
	}
	return list
}

const dialLimit = 2 * time.Second

// askPort connects to the guest over the isolated network, so only to addresses leased there. One that the guest brought along has
// no way back to us, and may be that of the source, which still runs.
func (b *boot) askPort(ctx context.Context) verdict {
	addresses := addressesOf(b.leases(ctx))
	if len(addresses) == 0 {
		b.lastSeen = "the guest took no address by DHCP yet"
	}
	for _, address := range addresses {
		guest := net.JoinHostPort(address, strconv.Itoa(int(b.check.port)))
		conn, err := dialGuest(b.c.target, bridgeOf(b.network), func() (net.Conn, error) {
			dialer := net.Dialer{Timeout: dialLimit}
			return dialer.DialContext(ctx, "tcp", guest)
		})
		if err != nil {
			b.lastSeen = err.Error()
			continue
		}
		conn.Close() //nolint:errcheck // it was only to see whether it opens
		return verdict{decided: true, ok: true, evidence: "connected to " + guest}
	}
	return verdict{}
}
