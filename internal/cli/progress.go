package cli

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Progress shows reports of long work on stderr: bars on a terminal, plain lines elsewhere. It is also the writer for whatever
// else goes to stderr meanwhile, so that log lines do not cut through bars.
type Progress struct {
	mu      sync.Mutex
	display display
	stage   string
	tracks  map[key]*track
	started map[string]time.Time // stages
}

// display is one way to show progress. Its methods are called one at a time.
type display interface {
	stage(name string, status sdk.Status, message string, took time.Duration)
	item(k key, t *track, p sdk.Progress)
	write(p []byte) (int, error)
	close()
}

// key names what a report is about: a stage, or an item of it.
type key struct{ stage, item string }

// track is what was last shown of it.
type track struct {
	status  sdk.Status
	message string
	tenth   int64 // of the total
	started time.Time
}

// AddProgress gives cmd the flag that chooses how progress is shown.
func AddProgress(cmd *cobra.Command) {
	cmd.Flags().String("progress", "", "`HOW` to show progress on stderr: auto (bars on a terminal, lines elsewhere), plain or none (HYPERSDK_PROGRESS; default auto)")
}

// NewProgress shows progress on w as the command line and the settings ask. Close it before printing results.
func NewProgress(cmd *cobra.Command, talk config.Talk, w io.Writer) (*Progress, error) {
	how := talk.Progress
	if flag := cmd.Flag("progress"); flag != nil && flag.Changed {
		how = flag.Value.String()
	}
	p := &Progress{tracks: map[key]*track{}, started: map[string]time.Time{}}
	switch {
	case how == "auto" && isTerminal(w):
		p.display = newBars(w)
	case how == "auto" || how == "plain":
		p.display = &lines{w: w}
	case how == "none":
		p.display = &silence{w: w}
	default:
		return nil, Unknown("way to show progress", how, []string{"auto", "plain", "none"})
	}
	return p, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Report shows one report. It is an sdk.ProgressFunc.
func (p *Progress) Report(r sdk.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Stage == "" {
		r.Stage = p.stage
	}
	r.Stage, r.Item, r.Message = sdk.Printable(r.Stage), sdk.Printable(r.Item), sdk.Printable(r.Message)
	p.beginStage(r)
	if r.Item != "" || r.Total > 0 {
		p.reportItem(r)
	}
	if r.Item == "" {
		p.reportStage(r)
	}
}

// beginStage shows a stage the first time it is heard of.
func (p *Progress) beginStage(r sdk.Progress) {
	if _, known := p.started[r.Stage]; known {
		p.stage = r.Stage
		return
	}
	p.stage = r.Stage
	p.started[r.Stage] = time.Now()
	if r.Item != "" || !ended(r.Status) {
		p.tracks[key{r.Stage, ""}] = &track{status: sdk.Running}
		p.display.stage(r.Stage, sdk.Running, "", 0)
	}
}

func (p *Progress) reportStage(r sdk.Progress) {
	k := key{r.Stage, ""}
	if p.tracks[k] == nil {
		p.tracks[k] = &track{}
	}
	t := p.tracks[k]
	status := r.Status
	if status == "" {
		status = sdk.Running
	}
	if t.status == status && (r.Message == "" || r.Message == t.message) {
		return
	}
	t.status, t.message = status, r.Message
	p.display.stage(r.Stage, status, r.Message, time.Since(p.started[r.Stage]))
}

func (p *Progress) reportItem(r sdk.Progress) {
	k := key{r.Stage, r.Item}
	if r.Item == "" {
		k.item = r.Stage // how far the stage itself is
	}
	t := p.tracks[k]
	if t == nil {
		t = &track{tenth: -1, started: time.Now()}
		p.tracks[k] = t
	}
	p.display.item(k, t, r)
	t.status = r.Status
	if r.Message != "" {
		t.message = r.Message
	}
}

// Write shows other text for stderr, whole lines at a time.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.display.write(text)
}

// Close ends the display; what is written afterwards goes straight to stderr.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.display.close()
}

func ended(s sdk.Status) bool { return s != "" && s != sdk.Pending && s != sdk.Running }

// silence shows nothing but other text.
type silence struct{ w io.Writer }

func (s *silence) stage(string, sdk.Status, string, time.Duration) {}
func (s *silence) item(key, *track, sdk.Progress)                  {}
func (s *silence) write(text []byte) (int, error)                  { return s.w.Write(text) }
func (s *silence) close()                                          {}
