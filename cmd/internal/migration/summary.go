package migration

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// sumDigits is how much of a SHA-256 the summary shows; manifest and report have all of it.
const sumDigits = 12

// WriteSummary shows a person what was made.
func WriteSummary(w io.Writer, r *migrate.Result) error {
	var b strings.Builder
	err := errors.Join(summaryHead(r).Write(&b), cli.Section{Title: "Files", Table: summaryFiles(r)}.Write(&b))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, b.String())
	return err
}

func summaryHead(r *migrate.Result) cli.Table {
	pairs := []string{"Name", r.Name, "Source", r.VMPath, "Status", string(r.Status)}
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, name, value)
		}
	}
	if r.Inspection != nil {
		add("Guest", strings.TrimSpace(r.Inspection.Product+" "+r.Inspection.Arch))
	}
	if r.Pipeline.Status != "" {
		add("Pipeline", pipeline(r.Pipeline))
	}
	if len(r.Edits) > 0 {
		add("Edits", fmt.Sprintf("%d, listed in the report", len(r.Edits)))
	}
	add("Domain", r.DomainUUID)
	if r.Boot != nil {
		add("Boot", boot(r))
	}
	add("Copied", sdk.FormatBytes(r.BytesCopied))
	if !r.FinishedAt.IsZero() {
		add("Took", cli.Took(r.FinishedAt.Sub(r.StartedAt)))
	}
	add("Manifest", r.ManifestPath)
	add("Report", r.ReportPath)
	return cli.Details(pairs...)
}

func pipeline(p migrate.PipelineResult) string {
	if p.Stage == "" {
		return string(p.Status)
	}
	return fmt.Sprintf("%s at %s", p.Status, p.Stage)
}

func boot(r *migrate.Result) string {
	if !r.Boot.OK {
		return fmt.Sprintf("not proven by %s in %.0f s", r.Boot.Check, r.Boot.Seconds)
	}
	return fmt.Sprintf("proven by %s in %.0f s on %s: %s", r.Boot.Check, r.Boot.Seconds, r.Boot.Hardware, r.Boot.Evidence)
}

// summaryFiles lists every file once, with its size and, where it is known, the head of its SHA-256.
func summaryFiles(r *migrate.Result) cli.Table {
	sums := map[string]string{}
	for _, d := range r.Disks {
		sums[d.Path] = d.SHA256
		if filepath.Ext(d.SourcePath) == ".vmdk" { // the sum of a disk in an OVA is not the OVA's
			sums[d.SourcePath] = d.SourceSHA256
		}
	}
	t := cli.Table{Columns: []cli.Column{{Name: "SIZE", Right: true}, {Name: "SHA-256"}, {Name: "PATH"}}}
	for _, path := range r.Files {
		size := ""
		if info, err := os.Stat(path); err == nil {
			size = sdk.FormatBytes(info.Size())
		}
		t.Rows = append(t.Rows, []string{size, sums[path][:min(sumDigits, len(sums[path]))], path})
	}
	return t
}
