package qemuimg

import (
	"regexp"
	"strconv"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// percentLine is what qemu-img prints under -p.
var percentLine = regexp.MustCompile(`^\s*\((\d{1,3})\.\d+/100%\)\s*$`)

// percent reports whole percents, each once.
type percent struct {
	report sdk.ProgressFunc
	last   int64
}

func newPercent(report sdk.ProgressFunc) *percent { return &percent{report: report, last: -1} }

func (p *percent) line(line string) {
	m := percentLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	if done, err := strconv.ParseInt(m[1], 10, 64); err == nil && done < 100 {
		p.at(done)
	}
}

// finish sends the last report, which means that the result is in place.
func (p *percent) finish() { p.at(100) }

func (p *percent) at(done int64) {
	if done <= p.last {
		return
	}
	p.last = done
	p.report.Report(sdk.Progress{Done: done, Total: 100, Unit: "percent"})
}
