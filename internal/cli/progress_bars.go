package cli

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	refresh      = 200 * time.Millisecond
	lastPriority = 1 << 20 // the line of the current stage stands below the bars
	labelWidth   = 14
)

// bars shows a bar for each item that is under way and, below, a line that says what the current stage does. What is finished
// becomes a line above.
type bars struct {
	w       io.Writer
	out     *mpb.Progress
	items   map[key]*mpb.Bar
	current *mpb.Bar
	doing   atomic.Pointer[doing]
	closed  bool
}

// doing is what the line of the current stage says.
type doing struct {
	text  string
	since time.Time
}

func newBars(w io.Writer) *bars {
	return &bars{
		w: w, items: map[key]*mpb.Bar{},
		out: mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(refresh), mpb.WithAutoRefresh()),
	}
}

func (b *bars) stage(name string, status sdk.Status, message string, took time.Duration) {
	if ended(status) {
		b.dropItems(name)
		b.line(stageLine(name, status, message, took))
		b.doing.Store(nil)
		return
	}
	text := name
	if message != "" {
		text += ": " + message
	}
	since := time.Now().Add(-took)
	b.doing.Store(&doing{text: text, since: since})
	if b.current == nil {
		b.current = b.out.MustAdd(0, mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
			_, err := io.WriteString(w, b.status())
			return err
		}), mpb.BarPriority(lastPriority), mpb.BarFillerTrim())
	}
}

func (b *bars) status() string {
	d := b.doing.Load()
	if d == nil {
		return ""
	}
	took := time.Since(d.since).Truncate(time.Second)
	if took == 0 {
		return d.text
	}
	return d.text + "  " + took.String()
}

func (b *bars) item(k key, t *track, p sdk.Progress) {
	bar := b.items[k]
	if bar == nil && p.Done < p.Total && !ended(p.Status) {
		bar = b.add(k, p)
		b.items[k] = bar
	}
	if p.Item != "" && p.Message != "" && p.Message != t.message {
		b.line(k.stage + " " + k.item + ": " + p.Message)
	}
	if bar == nil {
		return
	}
	if p.Done < p.Total && !ended(p.Status) {
		bar.SetCurrent(p.Done)
		return
	}
	b.drop(k)
	if p.Item != "" && p.Done >= p.Total && p.Unit == "bytes" {
		b.line(fmt.Sprintf("%s %s: %s in %s", k.stage, k.item, sdk.FormatBytes(p.Total), Took(time.Since(t.started))))
	}
}

func (b *bars) add(k key, p sdk.Progress) *mpb.Bar {
	label := decor.Name(k.item, decor.WC{W: labelWidth, C: decor.DindentRight})
	counter := decor.CountersKibiByte("% .1f of % .1f", decor.WC{W: 22})
	rate := decor.AverageSpeed(decor.SizeB1024(0), "% .0f", decor.WC{W: 11})
	if p.Unit != "bytes" {
		counter, rate = decor.Name(""), decor.Name("")
	}
	return b.out.New(p.Total, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.PrependDecorators(label, decor.Percentage(decor.WC{W: 5})),
		mpb.AppendDecorators(counter, rate))
}

func (b *bars) drop(k key) {
	if bar := b.items[k]; bar != nil {
		bar.Abort(true)
		delete(b.items, k)
	}
}

// dropItems drops the bars of a stage that is over.
func (b *bars) dropItems(stage string) {
	for k := range b.items {
		if k.stage == stage {
			b.drop(k)
		}
	}
}

func (b *bars) line(text string) { _, _ = b.write([]byte(text + "\n")) }

func (b *bars) write(text []byte) (int, error) {
	if !b.closed {
		// A key that the terminal echoed, as ^C is, moved the cursor.
		_, _ = io.WriteString(b.w, "\r")
		if n, err := b.out.Write(text); err == nil {
			return n, nil
		}
	}
	return b.w.Write(text)
}

func (b *bars) close() {
	if b.closed {
		return
	}
	b.closed = true
	for k := range b.items {
		b.drop(k)
	}
	if b.current != nil {
		b.current.Abort(true)
	}
	b.out.Wait()
}
