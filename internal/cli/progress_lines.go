package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// lines shows progress as lines of text: one for each change of a stage and one for each tenth of an item.
type lines struct{ w io.Writer }

func (l *lines) stage(name string, status sdk.Status, message string, took time.Duration) {
	fmt.Fprintln(l.w, stageLine(name, status, message, took))
}

// stageLine is how a stage's change reads: "fix: succeeded in 12 s", "export: lease renewed".
func stageLine(name string, status sdk.Status, message string, took time.Duration) string {
	switch {
	case (status == sdk.Succeeded || status == sdk.Skipped) && message != "":
		return fmt.Sprintf("%s: %s, %s", name, status, message)
	case ended(status) && message != "":
		return fmt.Sprintf("%s: %s after %s: %s", name, status, Took(took), message)
	case ended(status):
		return fmt.Sprintf("%s: %s in %s", name, status, Took(took))
	case message != "":
		return name + ": " + message
	}
	return name + ": started"
}

func (l *lines) item(k key, t *track, p sdk.Progress) {
	name := k.stage
	if k.item != k.stage {
		name += " " + k.item
	}
	if p.Item != "" && p.Message != "" && p.Message != t.message {
		fmt.Fprintf(l.w, "%s: %s\n", name, p.Message)
	}
	if p.Item != "" && ended(p.Status) && p.Status != sdk.Succeeded && p.Status != t.status {
		fmt.Fprintf(l.w, "%s: %s\n", name, p.Status)
	}
	if p.Total <= 0 {
		return
	}
	tenth := int64(float64(p.Done) / float64(p.Total) * 10)
	if tenth <= t.tenth {
		return
	}
	t.tenth = tenth
	if p.Unit == "bytes" {
		fmt.Fprintf(l.w, "%s: %d%% (%s of %s)\n", name, tenth*10, sdk.FormatBytes(p.Done), sdk.FormatBytes(p.Total))
		return
	}
	fmt.Fprintf(l.w, "%s: %d%%\n", name, tenth*10)
}

func (l *lines) write(text []byte) (int, error) { return l.w.Write(text) }

func (l *lines) close() {}
