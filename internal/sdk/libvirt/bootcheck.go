package libvirt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// BootSpec asks for a boot check of throw-away overlays.
type BootSpec struct {
	Domain  DomainSpec    // Disks name the overlays to boot from; they are written to, without regard for their life after
	Check   string        // none, power, console, agent, address, or tcp:PORT
	Marker  string        // console: a regular expression that proves the boot; empty: login prompts and systemd's targets
	Timeout time.Duration // 0: 5 minutes with kvm, 15 without
	Dir     string        // scratch, absolute: console log, NVRAM
}

// BootResult is what a boot check saw. Text in it that came from the guest is one line each, printable characters only.
type BootResult struct {
	OK         bool     `json:"ok"`
	Check      string   `json:"check"`
	Hardware   Hardware `json:"hardware"`
	Evidence   string   `json:"evidence"` // the console line, the agent's answer or the address that decided
	Seconds    float64  `json:"seconds"`
	Addresses  []string `json:"addresses,omitempty"`
	ConsoleLog string   `json:"console_log,omitempty"` // file
	Tail       string   `json:"tail,omitempty"`        // last lines of the console when it failed
}

// bootPace is how a boot is watched; tests are in more of a hurry than guests.
type bootPace struct {
	look   time.Duration // between looks at console and state
	ask    time.Duration // between questions to agent, DHCP server and port
	settle time.Duration // check power: how long the guest must run
	read   int64         // check power: how many bytes it must have read from its first disk
}

var guestPace = bootPace{look: 200 * time.Millisecond, ask: time.Second, settle: 30 * time.Second, read: 1 << 20}

// BootCheck boots a transient domain, with its adapters on an isolated network of its own, watches it until the check is
// met, fails or times out, and destroys it and the network whatever happens. A guest that does not boot is OK == false, not an
// error; an error means that the check itself could not be made.
//
// The checks: console wants the marker on the serial console; agent an answer of the QEMU guest agent; address a DHCP lease or
// an address the agent tells; tcp:PORT a connection to a leased address; power only that the guest read a megabyte of its
// disk, so that the firmware handed over, and still runs after half a minute. Signs of a failed boot on the console (a kernel
// panic, an initramfs shell, no bootable device, …) and a domain that stops end every check at once.
//
// The domain and network of a check whose process was killed are removed by the next check of the same job.
func (c *Client) BootCheck(ctx context.Context, spec BootSpec, report sdk.ProgressFunc) (*BootResult, error) {
	return c.bootCheck(ctx, spec, guestPace, report)
}

func (c *Client) bootCheck(ctx context.Context, spec BootSpec, pace bootPace, report sdk.ProgressFunc) (result *BootResult, err error) {
	check, err := parseCheck(spec.Check, spec.Marker)
	if err != nil {
		return nil, err
	}
	if check.kind == checkNone {
		return &BootResult{OK: true, Check: spec.Check, Hardware: spec.Domain.Hardware, Evidence: "not booted: no check was asked for"}, nil
	}
	b, err := c.newBoot(spec, check, pace)
	if err != nil {
		return nil, err
	}
	c.removeLeftovers(ctx, b.job)
	defer func() {
		if endErr := b.end(ctx); endErr != nil {
			result, err = nil, errors.Join(err, endErr)
		}
		b.reportEnd(report, result, err)
	}()
	if err := b.start(ctx); err != nil {
		return nil, fmt.Errorf("boot check of %q: %w", spec.Domain.Name, err)
	}
	result, err = b.watch(ctx, report)
	if err != nil {
		return nil, fmt.Errorf("boot check of %q: %w", spec.Domain.Name, err)
	}
	return result, nil
}

// boot is one boot check under way.
type boot struct {
	c        *Client
	spec     DomainSpec
	check    bootTest
	pace     bootPace
	timeout  time.Duration
	job      string
	owner    string
	console  *console
	network  string // libvirt's name of the isolated network; empty: links are down
	created  bool
	started  time.Time
	lastSeen string // why the check was not met so far
}

func (c *Client) newBoot(spec BootSpec, check bootTest, pace bootPace) (*boot, error) {
	if !filepath.IsAbs(spec.Dir) {
		return nil, sdk.Invalidf("boot check of %q: scratch directory %q is not an absolute path", spec.Domain.Name, spec.Dir)
	}
	b := &boot{c: c, spec: spec.Domain, check: check, pace: pace, timeout: spec.Timeout, job: jobToken(spec.Domain), owner: self().String()}
	if b.timeout <= 0 {
		b.timeout = 15 * time.Minute
		if spec.Domain.Acceleration == AccelerationKVM {
			b.timeout = 5 * time.Minute
		}
	}
	suffix := randomHex(2)
	b.spec.Name += "-bootcheck-" + suffix
	b.spec.UUID = uuid.NewString()
	b.spec.Autostart = false
	b.spec.ConsoleLog = filepath.Join(spec.Dir, "console-"+suffix+".log")
	b.spec.NVRAM = filepath.Join(spec.Dir, "nvram-"+suffix+".fd")
	b.console = &console{path: b.spec.ConsoleLog}
	return b, b.spec.validate()
}

// start makes what the check needs: the console's file, the network, the domain.
func (b *boot) start(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(b.spec.ConsoleLog), 0o755); err != nil {
		return err
	}
	// Made here, so that it is ours to read; the daemon appends to it.
	f, err := os.OpenFile(b.spec.ConsoleLog, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if len(b.spec.NICs) > 0 {
		if err := b.isolate(ctx); err != nil {
			return err
		}
	}
	text, err := renderDomain(b.spec, &throwAway{mark: bootCheckMark{Job: b.job, Owner: b.owner}, network: b.network})
	if err != nil {
		return err
	}
	b.created = true
	b.started = time.Now()
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	err = do(ctx, b.c, func(conn connection) error {
		_, err := conn.createDomain(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// isolate makes the network. Where none can be made, the guest boots with its links down, unless the check is about addresses.
func (b *boot) isolate(ctx context.Context) error {
	name, err := b.c.createIsolatedNetwork(ctx, b.job, b.owner)
	switch {
	case err == nil:
		b.network = name
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case b.check.needsNetwork():
		return fmt.Errorf("isolated network: %w", err)
	}
	b.c.log.WarnContext(ctx, "no isolated network for the boot check, links are down", "error", err)
	return nil
}

// end removes everything but the console's log. It runs to its end although ctx may be canceled.
func (b *boot) end(ctx context.Context) error {
	ctx, cancel := lasting(ctx, 2*changeLimit)
	defer cancel()
	b.console.close()
	var errs []error
	if b.created {
		if err := b.c.destroy(ctx, b.spec.UUID); err != nil {
			errs = append(errs, fmt.Errorf("domain %q is left behind: %w", b.spec.Name, err))
		}
	}
	if b.network != "" {
		err := do(ctx, b.c, func(conn connection) error { return conn.destroyNetwork(b.network) })
		if err != nil && !isGone(err) {
			errs = append(errs, fmt.Errorf("network %q is left behind: %w", b.network, err))
		}
	}
	if err := os.Remove(b.spec.NVRAM); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (b *boot) reportEnd(report sdk.ProgressFunc, result *BootResult, err error) {
	p := b.progress()
	switch {
	case errors.Is(err, context.Canceled):
		p.Status, p.Message = sdk.Canceled, "canceled"
	case err != nil:
		p.Status, p.Message = sdk.Failed, err.Error()
	case result.OK:
		p.Status, p.Message = sdk.Succeeded, result.Evidence
	default:
		p.Status, p.Message = sdk.Failed, result.Evidence
	}
	report.Report(p)
}

func (b *boot) progress() sdk.Progress {
	var seconds int64
	if !b.started.IsZero() {
		seconds = int64(time.Since(b.started).Seconds())
	}
	return sdk.Progress{Stage: "boot", Status: sdk.Running, Done: seconds, Total: int64(b.timeout.Seconds()), Message: b.console.last()}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) //nolint:errcheck // never fails
	return hex.EncodeToString(b)
}
