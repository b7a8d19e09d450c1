package libvirt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// tailLines is how much of the console a failure shows.
const tailLines = 15

// verdict is what a look at the guest decided, if it did.
type verdict struct {
	decided, ok bool
	evidence    string
}

// watch looks at the guest until something is decided or time is up.
func (b *boot) watch(ctx context.Context, report sdk.ProgressFunc) (*BootResult, error) {
	limited, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	var v verdict
	var asked, reported time.Time
	err := poll(limited, b.pace.look, func() (bool, error) {
		now := time.Now()
		if now.Sub(reported) >= time.Second {
			reported = now
			report.Report(b.progress())
		}
		ask := now.Sub(asked) >= b.pace.ask
		if ask {
			asked = now
		}
		var err error
		v, err = b.look(limited, ask)
		return v.decided, err
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		v = b.tooLate()
	case err != nil:
		return nil, err
	}
	return b.result(ctx, v), nil
}

// look reads what is new on the console, asks what the check asks, and sees whether the domain still runs.
func (b *boot) look(ctx context.Context, ask bool) (verdict, error) {
	// The state first: what the console says after this is then all that it ever said, if the domain is gone.
	state, err := b.c.state(ctx, b.spec.UUID)
	gone := isGone(err) || (err == nil && state.off())
	if err != nil && !gone {
		return verdict{}, err
	}
	if v, err := b.readConsole(); v.decided || err != nil {
		return v, err
	}
	if gone {
		return verdict{decided: true, evidence: fmt.Sprintf("the guest stopped by itself after %d s", b.seconds())}, nil
	}
	if state.state == statePaused {
		return verdict{decided: true, evidence: "the hypervisor paused the guest: an I/O error on the host, or its disk is full"}, nil
	}
	if !ask {
		return verdict{}, nil
	}
	return b.check.ask(ctx, b)
}

func (b *boot) readConsole() (verdict, error) {
	lines, err := b.console.read()
	if err != nil {
		return verdict{}, fmt.Errorf("console: %w", err)
	}
	for _, line := range lines {
		if b.check.success != nil && b.check.success.MatchString(line) {
			return verdict{decided: true, ok: true, evidence: line}, nil
		}
		if why := failureSign(line); why != "" {
			return verdict{decided: true, evidence: why + ": " + line}, nil
		}
	}
	if b.console.flooded() {
		return verdict{decided: true, evidence: fmt.Sprintf("the guest floods its console: more than %d MiB", maxConsoleBytes>>20)}, nil
	}
	return verdict{}, nil
}

func (b *boot) seconds() int { return int(time.Since(b.started).Seconds()) }

func (b *boot) tooLate() verdict {
	text := fmt.Sprintf("no %s within %s", b.check.wanted(), b.timeout)
	if b.lastSeen != "" {
		text += ": " + b.lastSeen
	}
	if last := b.console.last(); last != "" {
		text += "; the console's last line: " + last
	} else {
		text += "; the console stayed silent"
	}
	return verdict{decided: true, evidence: text}
}

func (b *boot) result(ctx context.Context, v verdict) *BootResult {
	r := &BootResult{
		OK: v.ok, Check: b.check.name, Hardware: b.spec.Hardware, Evidence: v.evidence,
		Seconds: time.Since(b.started).Seconds(), ConsoleLog: b.spec.ConsoleLog,
	}
	if v.ok {
		r.Addresses = addressesOf(b.leases(ctx))
	} else {
		r.Tail = b.console.tail(tailLines)
	}
	return r
}
