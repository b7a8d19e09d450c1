package migration

import (
	"fmt"
	"io"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// WritePlan shows a person what would be done.
func WritePlan(w io.Writer, p *migrate.Plan) error {
	var b strings.Builder
	if err := planHead(p).Write(&b); err != nil {
		return err
	}
	b.WriteString("\nStages\n")
	for _, s := range p.Stages {
		b.WriteString(cli.Wrap("  "+s.Name, stageColumn, stageText(s)))
	}
	if err := (cli.Section{Title: "Disks", Table: planDisks(p)}).Write(&b); err != nil {
		return err
	}
	writeFindings(&b, p)
	_, err := io.WriteString(w, b.String())
	return err
}

// stageColumn is where the description of a stage begins.
const stageColumn = 12

func stageText(s migrate.PlanStage) string {
	if s.Done == sdk.Succeeded {
		return sdk.Printable(s.Does) + " (done in an earlier run)"
	}
	return sdk.Printable(s.Does)
}

func planHead(p *migrate.Plan) cli.Table {
	pairs := []string{"Name", p.Name}
	if p.VM != nil {
		pairs = append(pairs,
			"Source", p.VM.Path,
			"Hardware", hardware(p.VM),
			"Guest", p.VM.GuestFullName,
			"State", p.VM.PowerState,
		)
	}
	pairs = append(pairs, "Directory", p.Dir, "Space", space(p))
	if p.DomainUUID != "" {
		pairs = append(pairs, "Domain", p.DomainUUID)
	}
	if p.Resume != "" {
		pairs = append(pairs, "Goes on at", p.Resume)
	}
	return cli.Details(pairs...)
}

func hardware(vm *vsphere.VM) string {
	return strings.Join([]string{
		count(vm.CPUs, "CPU"), sdk.FormatBytes(vm.MemoryMB << 20), vm.Firmware, count(len(vm.Disks), "disk"), count(len(vm.NICs), "adapter"),
	}, ", ")
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func space(p *migrate.Plan) string {
	free := "free space not known"
	if p.FreeBytes >= 0 {
		free = sdk.FormatBytes(p.FreeBytes) + " free"
	}
	return fmt.Sprintf("at most %s needed, %s", sdk.FormatBytes(p.NeedBytes), free)
}

func planDisks(p *migrate.Plan) cli.Table {
	t := cli.Table{Columns: []cli.Column{{Name: "ID"}, {Name: "ADDRESS"}, {Name: "SIZE", Right: true}, {Name: "BY"}, {Name: "TO"}}}
	for _, d := range p.Disks {
		to := d.Path
		switch {
		case d.Skip:
			to = "left out"
		case to == "":
			to = "kept as served"
		}
		t.Rows = append(t.Rows, []string{d.ID, d.Address, sdk.FormatBytes(d.CapacityBytes), d.Transport, to})
	}
	return t
}

// WriteFindings shows a person what the pre-flight found; nothing, when that is nothing.
func WriteFindings(w io.Writer, p *migrate.Plan) error {
	if len(p.Findings) == 0 {
		return nil
	}
	var b strings.Builder
	writeFindings(&b, p)
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// writeFindings writes each finding with what to do about it, those that stop the migration marked.
func writeFindings(b *strings.Builder, p *migrate.Plan) {
	if len(p.Findings) == 0 {
		b.WriteString("\nFindings: none\n")
		return
	}
	stops := map[string]bool{}
	for _, f := range p.Blocking {
		stops[f.ID] = true
	}
	b.WriteString("\nFindings\n")
	for _, f := range p.Findings {
		mark := ""
		if stops[f.ID] {
			mark = ", stops it"
		}
		fmt.Fprintf(b, "  %s (%s%s)\n%s", f.ID, f.Severity, mark, cli.Wrap("", 4, sdk.Printable(f.Text)))
		if f.Action != "" {
			b.WriteString(cli.Wrap("    ->", 7, sdk.Printable(f.Action)))
		}
	}
}

// ids lists the findings' ids.
func ids(findings []sdk.Finding) string {
	var names []string
	for _, f := range findings {
		names = append(names, f.ID)
	}
	return strings.Join(names, ", ")
}
