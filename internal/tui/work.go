package tui

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// workPause is the least time between two redraws that progress causes.
const workPause = 125 * time.Millisecond

// operation is what the operations screen shows: work of this process, or whatever else has items with progress.
type operation interface {
	state() workState
	// cancel asks that item i be canceled, cancelAll that all be.
	cancel(i int)
	cancelAll()
}

// workState is an operation at one moment.
type workState struct {
	what         string
	began, ended time.Time // ended is zero while it runs
	items        []itemState
}

// itemState is one item of it.
type itemState struct {
	name         string
	status       sdk.Status
	stage        string // what it is at; empty: it has no stages
	done, total  int64  // of the stage, in unit
	unit         string
	rate         float64 // bytes a second, when unit is bytes
	message      string
	canceling    bool
	began, ended time.Time
}

// work is bulk work of this process.
type work struct {
	limit   int
	todo    []sdk.BulkItem
	now     func() time.Time
	changed chan struct{}
	done    chan struct{} // closed when nothing of it runs any more
	stop    context.CancelFunc
	once    sync.Once

	mu    sync.Mutex
	st    workState
	items []*workItem
}

// workItem is what only the work itself needs of an item.
type workItem struct {
	parts  map[string]sdk.Progress // of the stage, by what they are about
	stop   context.CancelFunc      // nil: it has not begun
	err    error
	rateAt time.Time
	rateOf int64
}

func newWork(what string, limit int, items []sdk.BulkItem, now func() time.Time) *work {
	w := &work{
		limit: limit, todo: items, now: now, changed: make(chan struct{}, 1), done: make(chan struct{}),
		st: workState{what: what, began: now()}, stop: func() {},
	}
	for _, item := range items {
		w.st.items = append(w.st.items, itemState{name: sdk.Printable(item.Name), status: sdk.Pending})
		w.items = append(w.items, &workItem{parts: map[string]sdk.Progress{}})
	}
	return w
}

// state is a copy of what is so now.
func (w *work) state() workState {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.st
	s.items = slices.Clone(s.items)
	return s
}

func (w *work) running() bool {
	select {
	case <-w.done:
		return false
	default:
		return true
	}
}

func (w *work) cancel(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	item := &w.st.items[i]
	if !item.ended.IsZero() {
		return
	}
	item.canceling = true
	if item.status == sdk.Pending { // its turn will find it so
		item.status, item.ended = sdk.Canceled, w.now()
	}
	if stop := w.items[i].stop; stop != nil {
		stop()
	}
}

func (w *work) cancelAll() {
	for i := range w.todo {
		w.cancel(i)
	}
}

// run does the work, once however often it is called, and returns when all of it has ended.
func (w *work) run(ctx context.Context) { w.once.Do(func() { w.runOnce(ctx) }) }

func (w *work) runOnce(ctx context.Context) {
	defer close(w.done)
	items := make([]sdk.BulkItem, len(w.todo))
	for i, item := range w.todo {
		items[i] = sdk.BulkItem{Name: strconv.Itoa(i), Do: func(ctx context.Context, _ sdk.ProgressFunc) error {
			return w.do(ctx, i, item)
		}}
	}
	_, _ = sdk.RunBulk(ctx, w.st.what, w.limit, items, w.heard) // each item's error is in its state
	w.mu.Lock()
	w.st.ended = w.now()
	w.mu.Unlock()
	w.wake()
}

// do runs one item under a context of its own, so that it can be canceled alone.
func (w *work) do(ctx context.Context, i int, item sdk.BulkItem) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w.mu.Lock()
	w.items[i].stop = stop
	canceled := w.st.items[i].canceling
	w.mu.Unlock()
	err := context.Canceled
	if !canceled {
		err = item.Do(ctx, func(p sdk.Progress) { w.progress(i, p) })
	}
	w.mu.Lock()
	w.items[i].err = err
	w.mu.Unlock()
	return err
}

// heard takes what RunBulk says of an item: that it begins, and how it ended.
func (w *work) heard(p sdk.Progress) {
	i, _ := strconv.Atoi(p.Item) // the names are numbers
	w.mu.Lock()
	s := &w.st.items[i]
	switch {
	case !s.ended.IsZero(): // canceled before its turn
	case p.Status == sdk.Running:
		s.status, s.began = sdk.Running, w.now()
	default:
		s.status, s.ended = p.Status, w.now()
		s.settle(p.Message, w.items[i].err)
	}
	w.mu.Unlock()
	w.wake()
}

// settle says how an item ended. One that was canceled alone has not failed.
func (s *itemState) settle(message string, err error) {
	if s.began.IsZero() {
		s.began = s.ended
	}
	if s.canceling && errors.Is(err, context.Canceled) {
		s.status = sdk.Canceled
	}
	s.message = sdk.Printable(message)
	if s.status == sdk.Canceled { // the word for the status says it
		s.message = strings.TrimSuffix(strings.TrimSuffix(s.message, context.Canceled.Error()), ": ")
	}
	for _, hint := range sdk.Hints(err) {
		s.message += "; " + sdk.Printable(hint)
	}
}

// progress takes what an item itself reports: the sum of the parts of the stage that it is at.
func (w *work) progress(i int, p sdk.Progress) {
	w.mu.Lock()
	s, item := &w.st.items[i], w.items[i]
	if p.Stage != s.stage {
		s.stage, s.done, s.total, s.rate, item.rateAt = sdk.Printable(p.Stage), 0, 0, 0, time.Time{}
		clear(item.parts)
	}
	if p.Message != "" {
		s.message = sdk.Printable(p.Message)
	}
	if p.Total > 0 {
		item.parts[p.Item] = p
		s.done, s.total, s.unit = 0, 0, p.Unit
		for name, part := range item.parts {
			if name != "" || len(item.parts) == 1 {
				s.done, s.total = s.done+part.Done, s.total+part.Total
			}
		}
		w.rate(s, item)
	}
	w.mu.Unlock()
	w.wake()
}

// rate measures over seconds, and smooths.
func (w *work) rate(s *itemState, item *workItem) {
	now := w.now()
	took := now.Sub(item.rateAt).Seconds()
	switch {
	case s.unit != "bytes":
	case item.rateAt.IsZero():
		item.rateAt, item.rateOf = now, s.done
	case took >= 1:
		rate := float64(max(0, s.done-item.rateOf)) / took
		if s.rate > 0 {
			rate = 0.6*s.rate + 0.4*rate
		}
		s.rate, item.rateAt, item.rateOf = rate, now, s.done
	}
}

func (w *work) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// workMsg says that work went on or ended.
type workMsg struct{ w *work }

// await is the command that waits for news of the work, at least a pause after the last.
func (w *work) await(ctx context.Context) tea.Cmd {
	return tea.Tick(workPause, func(time.Time) tea.Msg {
		select {
		case <-ctx.Done():
		case <-w.done:
		case <-w.changed:
		}
		return workMsg{w}
	})
}

// begin starts work and shows it.
func (m *Model) begin(what string, limit int, items []sdk.BulkItem) tea.Cmd {
	w := newWork(what, limit, items, m.now)
	ctx, stop := context.WithCancel(m.life())
	w.stop = stop
	m.works = append(m.works, w)
	m.home()
	return tea.Batch(m.push(newOperations(m, w)), w.await(ctx), m.tick(), func() tea.Msg {
		defer stop()
		w.run(ctx)
		return nil
	})
}

// progressed goes on waiting, and quits when that was what the end was waited for.
func (m *Model) progressed(msg workMsg) tea.Cmd {
	if msg.w.running() {
		return tea.Batch(msg.w.await(m.life()), m.tick())
	}
	m.notice = ""
	if m.quit && !m.working() {
		return tea.Quit
	}
	return nil
}

// working says that work is under way.
func (m *Model) working() bool { return m.running() > 0 }

// running counts the work that is under way.
func (m *Model) running() int {
	n := 0
	for _, w := range m.works {
		if w.running() {
			n++
		}
	}
	return n
}
