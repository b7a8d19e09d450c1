package tui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Summary is what became of an operation, as it is saved.
type Summary struct {
	Operation  string    `json:"operation"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	sdk.BulkResult
}

func newSummary(s workState) Summary {
	n := s.tally()
	sum := Summary{Operation: s.what, StartedAt: s.began.UTC(), FinishedAt: s.ended.UTC(), BulkResult: sdk.BulkResult{
		Total: len(s.items), Succeeded: n[sdk.Succeeded], Skipped: n[sdk.Skipped], Failed: n[sdk.Failed], Canceled: n[sdk.Canceled],
		Items: []sdk.BulkOutcome{},
	}}
	for _, item := range s.items {
		took := item.ended.Sub(item.began).Seconds()
		if item.began.IsZero() {
			took = 0
		}
		sum.Items = append(sum.Items, sdk.BulkOutcome{Name: item.name, Status: item.status, Message: item.message, TookSeconds: took})
	}
	return sum
}

// Line is the summary in one line.
func (s Summary) Line() string {
	text := fmt.Sprintf("%s: %d succeeded", s.Operation, s.Succeeded)
	for _, part := range []struct {
		n    int
		word string
	}{{s.Skipped, "skipped"}, {s.Failed, "failed"}, {s.Canceled, "canceled"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	return text
}

// text is the summary for a person.
func (s Summary) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nStarted  %s\nFinished %s\n\n", s.Line(), s.StartedAt.Format(time.RFC3339), s.FinishedAt.Format(time.RFC3339))
	names := 4
	for _, item := range s.Items {
		names = max(names, width(item.Name))
	}
	fmt.Fprintf(&b, "%s  %s  %s  %s\n", fit("NAME", names), fit("STATUS", 9), fitRight("SECONDS", 8), "MESSAGE")
	for _, item := range s.Items {
		line := fmt.Sprintf("%s  %s  %8.1f  %s", fit(item.Name, names), fit(string(item.Status), 9), item.TookSeconds, item.Message)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// write makes the file, as JSON when its name ends so. A file that exists is never replaced.
func (s Summary) write(name string) error {
	data := []byte(s.text())
	if strings.EqualFold(filepath.Ext(name), ".json") {
		var err error
		if data, err = json.MarshalIndent(s, "", "  "); err != nil {
			return err
		}
		data = append(data, '\n')
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return sdk.WithHint(sdk.Conflictf("%s exists", name), "give another name")
	}
	if err != nil {
		return fmt.Errorf("save the summary: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("save the summary: %w", err)
	}
	return nil
}

// savedMsg says how saving went.
type savedMsg struct {
	of   *form
	name string
	err  error
}

// saveForm is a form that waits for the file to be written.
type saveForm struct{ *form }

func newSaveForm(m *Model, s workState) screen {
	kind := strings.ReplaceAll(strings.ToLower(s.what), " ", "-")
	name := textField("File", fmt.Sprintf("%s-%s.json", kind, s.ended.UTC().Format("20060102-150405")),
		"JSON when the name ends in .json, else text. Relative to "+sdk.Printable(m.opts.Dir)+". A file that exists is not replaced.")
	f := &form{name: "Save summary", button: "Save", intro: []string{newSummary(s).Line()}, fields: []*field{name}}
	f.submit = func(m *Model) (tea.Cmd, error) {
		file := name.text()
		if file == "" {
			return nil, sdk.Invalidf("the file needs a name")
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(m.opts.Dir, file)
		}
		f.busy = "Writing …"
		return func() tea.Msg { return savedMsg{f, file, newSummary(s).write(file)} }, nil
	}
	return &saveForm{f}
}

func (s *saveForm) update(m *Model, msg tea.Msg) tea.Cmd {
	saved, ok := msg.(savedMsg)
	if !ok {
		return s.form.update(m, msg)
	}
	if saved.of != s.form {
		return nil
	}
	s.busy, s.err = "", saved.err
	if saved.err == nil {
		m.pop()
		m.say("saved as " + sdk.Printable(saved.name))
	}
	return nil
}
