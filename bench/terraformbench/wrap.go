//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const (
	realEnv  = "TERRAFORMBENCH_PROVIDER" // the binary that a wrapper runs
	usageEnv = "TERRAFORMBENCH_USAGE"    // the file that it appends to
)

// processUsage is what one provider process took.
type processUsage struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	RSSMiB     float64 `json:"rss_mib"`
}

// wrap stands in for the provider's binary, so that its processes' own accounting is known: it hands over the standard
// streams untouched, passes signals on and appends one line of JSON when the provider has ended.
func wrap(provider string, args []string) int {
	cmd := exec.Command(provider, args...) //nolint:noctx // it lives as long as terraform lets it
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	_ = cmd.Wait() // the exit code says it
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if err := appendUsage(usage); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	return cmd.ProcessState.ExitCode()
}

func appendUsage(usage *syscall.Rusage) error {
	line, err := json.Marshal(processUsage{
		CPUSeconds: seconds(usage.Utime) + seconds(usage.Stime), RSSMiB: float64(usage.Maxrss) / 1024,
	})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(os.Getenv(usageEnv), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
