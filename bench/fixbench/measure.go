//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/guest"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// usage is what one engine took.
type usage struct {
	WallSeconds  float64 `json:"wall_seconds"`
	OwnSeconds   float64 `json:"own_seconds"`   // CPU of this program and of the tools that it waited for
	OtherSeconds float64 `json:"other_seconds"` // CPU of what those left running: guestfish's server and its QEMU
	Phases       []phase `json:"phases"`
}

// measure runs an engine on an overlay and prints what it took as JSON. Tools whose parent has ended become this process's
// children, so that their CPU counts too.
func measure(ctx context.Context, overlay string, engine func(context.Context, guest.Disk) ([]phase, error)) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopt orphans: %w", err)
	}
	began := time.Now()
	phases, err := engine(ctx, guest.Disk{Path: overlay, Format: "qcow2"})
	if err != nil {
		return err
	}
	u := usage{WallSeconds: time.Since(began).Seconds(), Phases: phases}
	children := cpuSeconds(syscall.RUSAGE_CHILDREN)
	u.OwnSeconds = cpuSeconds(syscall.RUSAGE_SELF) + children
	if err := adopt(); err != nil {
		return err
	}
	u.OtherSeconds = cpuSeconds(syscall.RUSAGE_CHILDREN) - children
	return json.NewEncoder(os.Stdout).Encode(u)
}

// adopt waits for every orphan. The engine has ended, and with it all that it started itself.
func adopt() error {
	for {
		_, err := syscall.Wait4(-1, nil, 0, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return err
		}
	}
}

func cpuSeconds(who int) float64 {
	var ru syscall.Rusage
	if err := syscall.Getrusage(who, &ru); err != nil {
		return 0
	}
	return seconds(ru.Utime) + seconds(ru.Stime)
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// measured runs an engine in a measuring process of its own.
func measured(ctx context.Context, engine, overlay string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	res, err := proc.Run(ctx, proc.Cmd{Name: self, Args: []string{engine, overlay}})
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w", engine, err)
	}
	var u usage
	return u, json.Unmarshal(res.Stdout, &u)
}
