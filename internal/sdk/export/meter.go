package export

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// reportEvery keeps a disk's reports to about ten a second.
const reportEvery = 100 * time.Millisecond

// meter reports the progress of one disk: how much of it is covered, holes included, and what came over the wire for it.
type meter struct {
	report sdk.ProgressFunc
	item   string
	wire   *atomic.Int64
	high   atomic.Int64 // first byte that is not covered yet
	total  atomic.Int64

	mu   sync.Mutex // keeps reports in order
	last time.Time
}

// reach says that the disk is covered up to offset, and whether that was reported.
func (m *meter) reach(offset int64) bool {
	if offset <= m.high.Load() {
		return false
	}
	m.high.Store(offset)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Sub(m.last) < reportEvery {
		return false
	}
	m.last = now
	m.send(sdk.Running, "")
	return true
}

// say begins anew with a message.
func (m *meter) say(message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.high.Store(0)
	m.send(sdk.Running, message)
}

// end is the last report.
func (m *meter) end(status sdk.Status, message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if status == sdk.Succeeded {
		m.high.Store(m.total.Load())
	}
	m.send(status, message)
}

func (m *meter) send(status sdk.Status, message string) {
	p := sdk.Progress{
		Stage: "export", Item: m.item, Status: status, Message: message,
		Done: m.high.Load(), Total: m.total.Load(), Unit: "bytes",
	}
	if m.wire != nil {
		p.Wire = m.wire.Load()
	}
	m.report.Report(p)
}

// note reports a message where the disk is.
func (m *meter) note(message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.send(sdk.Running, message)
}
