package libvirt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// changeLimit bounds one change that libvirt makes; a change that was begun is waited for even when the caller gives up, so
// that its outcome is known.
const changeLimit = time.Minute

// systemNVRAM is where the system's libvirt keeps NVRAM, and its security drivers let QEMU write. libvirt's own choice is a file
// named after the domain, which it forgets there when the domain is renamed: the guest then loses its boot entries.
const systemNVRAM = "/var/lib/libvirt/qemu/nvram"

// Define defines (or redefines, same UUID) the domain and sets autostart. A domain of the same name with another UUID is
// ErrConflict, and so is one of the same UUID with another name.
func (c *Client) Define(ctx context.Context, spec DomainSpec) (*Domain, error) {
	if spec.NVRAM == "" && c.target.path == "system" {
		spec.NVRAM = filepath.Join(systemNVRAM, spec.UUID+"_VARS.fd")
	}
	text, err := DomainXML(spec)
	if err != nil {
		return nil, err
	}
	if err := c.nameIsFree(ctx, spec.Name, spec.UUID); err != nil {
		return nil, err
	}
	if err := c.nameStays(ctx, spec.Name, spec.UUID); err != nil {
		return nil, err
	}
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	key, err := call(ctx, c, func(conn connection) (domainKey, error) { return conn.defineDomain(text) })
	if err != nil {
		return nil, fmt.Errorf("define domain %q: %w", spec.Name, err)
	}
	if err := c.SetAutostart(ctx, key.uuid, spec.Autostart); err != nil {
		return nil, err
	}
	d, _, err := c.readDomain(ctx, key)
	return d, err
}

// nameIsFree says what libvirt would say, by kind: its own error for this has none.
func (c *Client) nameIsFree(ctx context.Context, name, id string) error {
	key, err := call(ctx, c, func(conn connection) (domainKey, error) { return conn.domainByName(name) })
	switch {
	case err == nil && !sameUUID(key.uuid, id):
		return sdk.WithHint(sdk.Conflictf("%s has a domain %q already, with UUID %s", c.target.uri, name, key.uuid),
			"choose another name, or rename that domain: virsh domrename %q NEW-NAME", name)
	case err != nil && !isGone(err):
		return wrapDomain(err, "find", name)
	}
	return nil
}

// nameStays refuses to define a domain under a second name.
func (c *Client) nameStays(ctx context.Context, name, id string) error {
	key, err := call(ctx, c, func(conn connection) (domainKey, error) { return conn.domainByUUID(id) })
	switch {
	case err == nil && key.name != name:
		return sdk.WithHint(sdk.Conflictf("the domain with UUID %s is called %q, not %q", key.uuid, key.name, name), "rename it first")
	case err != nil && !isGone(err):
		return wrapDomain(err, "find", id)
	}
	return nil
}

// Start starts a defined domain; one that runs is fine.
func (c *Client) Start(ctx context.Context, id string) error {
	state, err := c.state(ctx, id)
	if err != nil {
		return wrapDomain(err, "start", id)
	}
	if !state.off() {
		return nil
	}
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	err = do(ctx, c, func(conn connection) error { return conn.startDomain(id) })
	return wrapDomain(err, "start", id)
}

func sameUUID(a, b string) bool {
	x, errX := uuid.Parse(a)
	y, errY := uuid.Parse(b)
	return errX == nil && errY == nil && x == y
}

func (c *Client) state(ctx context.Context, id string) (domainState, error) {
	return call(ctx, c, func(conn connection) (domainState, error) { return conn.domainState(id) })
}

// How often a domain that shuts down is looked at, and asked again: a guest that is still booting misses the first request.
const (
	shutdownPoll  = 200 * time.Millisecond
	shutdownAgain = 15 * time.Second
)

// Stop shuts the domain down gracefully within timeout and then, when force says so, destroys it. One that is off is fine. A
// domain that still runs without force is ErrConflict.
func (c *Client) Stop(ctx context.Context, id string, timeout time.Duration, force bool) error {
	state, err := c.state(ctx, id)
	if err != nil {
		return wrapDomain(err, "stop", id)
	}
	if state.off() {
		return nil
	}
	err = c.shutdown(ctx, id, timeout)
	switch {
	case err == nil, isGone(err): // a transient domain is gone once it is off
		return nil
	case ctx.Err() != nil:
		return wrapDomain(ctx.Err(), "stop", id)
	case !force:
		return wrapDomain(err, "stop", id)
	}
	c.log.DebugContext(ctx, "domain did not shut down, destroying it", "domain", id, "error", err)
	return wrapDomain(c.destroy(ctx, id), "destroy", id)
}

// shutdown asks the guest to shut down, by its agent or the power button, until it has.
func (c *Client) shutdown(ctx context.Context, id string, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var refused error
	var asked time.Time
	err := poll(limited, shutdownPoll, func() (bool, error) {
		state, err := c.state(limited, id)
		if err != nil || state.off() {
			return true, err
		}
		if now := time.Now(); asked.IsZero() || now.Sub(asked) >= shutdownAgain {
			asked = now
			refused = do(limited, c, func(conn connection) error { return conn.shutdownDomain(id) })
		}
		return false, nil
	})
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}
	if refused != nil && !errors.Is(refused, context.DeadlineExceeded) {
		return refused
	}
	return sdk.WithHint(sdk.Conflictf("the guest did not shut down within %s", timeout), "shut it down from inside, or allow it to be powered off hard")
}

// destroy ends the domain at once; one that is off or gone is fine.
func (c *Client) destroy(ctx context.Context, id string) error {
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	err := do(ctx, c, func(conn connection) error { return conn.destroyDomain(id) })
	if err == nil || isGone(err) {
		return nil
	}
	if state, stateErr := c.state(ctx, id); isGone(stateErr) || (stateErr == nil && state.off()) {
		return nil // it ended by itself meanwhile
	}
	return err
}

// Undefine removes the definition with NVRAM, managed save, snapshot and checkpoint metadata. Disks stay. A missing domain
// is fine; one that runs goes on until it is stopped.
func (c *Client) Undefine(ctx context.Context, id string) error {
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	err := do(ctx, c, func(conn connection) error { return conn.undefineDomain(id) })
	if isGone(err) {
		return nil
	}
	return wrapDomain(err, "undefine", id)
}

// SetAutostart switches autostart.
func (c *Client) SetAutostart(ctx context.Context, id string, on bool) error {
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	err := do(ctx, c, func(conn connection) error { return conn.setAutostart(id, on) })
	return wrapDomain(err, "set autostart of", id)
}

// Rename renames a domain that is shut off. A name that is taken, and a domain that runs, are ErrConflict.
func (c *Client) Rename(ctx context.Context, id, name string) error {
	if err := validName("domain", name); err != nil {
		return err
	}
	key, err := call(ctx, c, func(conn connection) (domainKey, error) { return conn.domainByUUID(id) })
	if err != nil {
		return wrapDomain(err, "rename", id)
	}
	if key.name == name {
		return nil
	}
	if err := c.nameIsFree(ctx, name, id); err != nil {
		return wrapDomain(err, "rename", id)
	}
	ctx, cancel := lasting(ctx, changeLimit)
	defer cancel()
	err = do(ctx, c, func(conn connection) error { return conn.renameDomain(id, name) })
	return wrapDomain(err, "rename", id)
}
