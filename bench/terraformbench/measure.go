//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// phase is one command of terraform's.
type phase struct {
	name string
	args []string
}

// measured is what a phase took.
type measured struct {
	scenario, phase string
	n               int
	wall            time.Duration
	floor           time.Duration // what the vCenter's tasks alone take; 0: nothing worth telling
	cpu             float64       // seconds, of the provider's processes
	rss             float64       // MiB, of the largest
	soap, rest      int
	sent            int64 // bytes from vCenter
	tasks           int   // of vCenter's: methods that end in _Task
	sessions        int   // left behind
}

func (p phase) run(ctx context.Context, work string, env []string, vc *demo.VCenter, provider bool) (measured, error) {
	usage := filepath.Join(work, "usage")
	if err := os.Remove(usage); err != nil && !errors.Is(err, os.ErrNotExist) {
		return measured{}, err
	}
	calls, sent, sessions := vc.Calls(), vc.Sent(), vc.Sessions()
	cmd := exec.CommandContext(ctx, "terraform", p.args...)
	cmd.Dir, cmd.Env = work, env
	began := time.Now()
	out, err := cmd.CombinedOutput()
	row := measured{phase: p.name, wall: time.Since(began)}
	if err != nil {
		return row, fmt.Errorf("terraform %s: %w\n%s", strings.Join(p.args, " "), err, out)
	}
	for method, count := range vc.Calls() {
		count -= calls[method]
		switch {
		case strings.HasPrefix(method, "REST "):
			row.rest += count
		case strings.HasPrefix(method, "GET "): // transfers
		default:
			row.soap += count
		}
		if strings.HasSuffix(method, "_Task") {
			row.tasks += count
		}
	}
	row.sent, row.sessions = vc.Sent()-sent, vc.Sessions()-sessions
	if !provider {
		return row, nil
	}
	return row, row.addUsage(usage)
}

// addUsage sums what the provider's processes say of themselves.
func (m *measured) addUsage(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the provider did not run: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var u processUsage
		if err := json.Unmarshal(lines.Bytes(), &u); err != nil {
			return err
		}
		m.cpu += u.CPUSeconds
		m.rss = max(m.rss, u.RSSMiB)
	}
	return lines.Err()
}
