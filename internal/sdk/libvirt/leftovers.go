package libvirt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// owner is a process, told apart from a later one with the same number by when it started.
type owner struct {
	pid     int
	started uint64 // in the kernel's ticks since boot; 0: not known
}

func self() owner {
	pid := os.Getpid()
	started, _ := startOf(pid) //nolint:errcheck // 0: not known
	return owner{pid: pid, started: started}
}

// String is the form that names and metadata carry.
func (o owner) String() string { return fmt.Sprintf("%d.%d", o.pid, o.started) }

// ownerIsGone says whether the process that owned something has certainly ended.
func ownerIsGone(text string) bool {
	pidText, startText, ok := strings.Cut(text, ".")
	pid, err := strconv.Atoi(pidText)
	started, startErr := strconv.ParseUint(startText, 10, 64)
	if !ok || err != nil || startErr != nil || started == 0 {
		return false
	}
	now, err := startOf(pid)
	if os.IsNotExist(err) {
		_, procErr := os.Stat("/proc/self/stat") // without a /proc nothing is certain
		return procErr == nil
	}
	return err == nil && now != started
}

// startOf reads when a process started: field 22 of /proc/PID/stat, counted behind the name, which may contain anything.
func startOf(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	const startTime = 22 - 3
	if len(fields) <= startTime {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return strconv.ParseUint(fields[startTime], 10, 64)
}

// jobToken is short, and the same for every boot check of one job.
func jobToken(spec DomainSpec) string {
	key := spec.Metadata.JobKey
	if key == "" {
		key = spec.UUID
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

// removeLeftovers removes domains and networks that killed boot checks of the same job left behind. What cannot be removed is
// logged: it does not stand in the way of a new check.
func (c *Client) removeLeftovers(ctx context.Context, job string) {
	if err := c.removeLeftDomains(ctx, job); err != nil {
		c.log.WarnContext(ctx, "domains left behind by an earlier boot check", "error", err)
	}
	if err := c.removeLeftNetworks(ctx, job); err != nil {
		c.log.WarnContext(ctx, "networks left behind by an earlier boot check", "error", err)
	}
}

func (c *Client) removeLeftDomains(ctx context.Context, job string) error {
	keys, err := call(ctx, c, connection.domains)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !strings.Contains(key.name, "-bootcheck-") {
			continue
		}
		_, m, err := c.readDomain(ctx, key)
		if err != nil || m.bootCheck == nil || m.bootCheck.Job != job || !ownerIsGone(m.bootCheck.Owner) {
			continue
		}
		c.log.DebugContext(ctx, "removing what a killed boot check left", "domain", key.name)
		if err := c.destroy(ctx, key.uuid); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) removeLeftNetworks(ctx context.Context, job string) error {
	networks, err := call(ctx, c, connection.networks)
	if err != nil {
		return err
	}
	for _, n := range networks {
		parts := isolatedNamePattern.FindStringSubmatch(n.name)
		if parts == nil || parts[1] != job || !ownerIsGone(parts[2]) {
			continue
		}
		c.log.DebugContext(ctx, "removing what a killed boot check left", "network", n.name)
		err := do(ctx, c, func(conn connection) error { return conn.destroyNetwork(n.name) })
		if err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}
