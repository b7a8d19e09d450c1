package provider

import (
	"context"
	"log/slog"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// exportStage is the stage whose bytes the progress attribute counts.
const exportStage = "export"

// progress writes reports to Terraform's log, a line for each tenth of an item, and remembers how far the copy is.
type progress struct {
	ctx context.Context //nolint:containedctx // it carries the log sink

	mu     sync.Mutex
	copied map[string]share
	tenths map[string]int64
}

type share struct{ done, total int64 }

func newProgress(ctx context.Context) *progress {
	return &progress{ctx: ctx, copied: map[string]share{}, tenths: map[string]int64{}}
}

// report is an sdk.ProgressFunc.
func (p *progress) report(r sdk.Progress) {
	if !p.notable(r) {
		return
	}
	fields := map[string]any{"stage": r.Stage}
	if r.Item != "" {
		fields["item"] = r.Item
	}
	if r.Status != "" {
		fields["status"] = string(r.Status)
	}
	if r.Total > 0 {
		fields["percent"] = 100 * r.Done / r.Total
	}
	message := r.Message
	if message == "" {
		message = "migration"
	}
	writeLog(p.ctx, logJob, slog.LevelInfo, message, fields)
}

func (p *progress) notable(r sdk.Progress) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Stage == exportStage && r.Item != "" && r.Total > 0 {
		p.copied[r.Item] = share{r.Done, r.Total}
	}
	tenth := int64(-1)
	if r.Total > 0 {
		tenth = 10 * r.Done / r.Total
	}
	key := r.Stage + "\x00" + r.Item
	last, seen := p.tenths[key]
	p.tenths[key] = tenth
	return !seen || tenth != last || r.Message != "" || (r.Status != "" && r.Status != sdk.Running)
}

// percent is how much of the disks this run copied.
func (p *progress) percent() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all share
	for _, s := range p.copied {
		all.done += s.done
		all.total += s.total
	}
	if all.total == 0 {
		return 0
	}
	return 100 * all.done / all.total
}
