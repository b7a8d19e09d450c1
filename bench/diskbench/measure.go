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

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// usage is what one command took, its children included.
type usage struct {
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"` // user and system
	RSSBytes    int64   `json:"rss_bytes"`   // the largest process
}

// measure runs a command and prints its usage as JSON. It is a process of its own for each command, because the system
// keeps one sum and one maximum for all children of a process.
func measure(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("measure takes a command")
	}
	began := time.Now()
	if _, err := proc.Run(ctx, proc.Cmd{Name: args[0], Args: args[1:]}); err != nil {
		return err
	}
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &ru); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(usage{
		WallSeconds: time.Since(began).Seconds(),
		CPUSeconds:  seconds(ru.Utime) + seconds(ru.Stime),
		RSSBytes:    ru.Maxrss << 10,
	})
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// measured runs a command in a measuring process of its own.
func measured(ctx context.Context, cmd []string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	res, err := proc.Run(ctx, proc.Cmd{Name: self, Args: append([]string{"measure"}, cmd...)})
	if err != nil {
		return usage{}, fmt.Errorf("%q: %w", cmd, err)
	}
	var u usage
	return u, json.Unmarshal(res.Stdout, &u)
}
