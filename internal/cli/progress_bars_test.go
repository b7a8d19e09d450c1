package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// barsOn draws bars into a buffer, as on a terminal.
func barsOn(out *bytes.Buffer) *Progress {
	return &Progress{display: newBars(out), tracks: map[key]*track{}, started: map[string]time.Time{}}
}

func TestBars_WhatIsFinishedBecomesALine(t *testing.T) {
	var out bytes.Buffer
	p := barsOn(&out)
	p.Report(sdk.Progress{Stage: "export", Status: sdk.Running})
	p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 1 << 20, Total: 4 << 20, Unit: "bytes"})
	fmt.Fprintln(p, "a log line")
	p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 4 << 20, Total: 4 << 20, Unit: "bytes"})
	p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 4 << 20, Total: 4 << 20, Unit: "bytes", Status: sdk.Succeeded})
	p.Report(sdk.Progress{Stage: "export", Status: sdk.Succeeded})
	p.Report(sdk.Progress{Stage: "fix", Done: 1, Total: 2, Message: "launching"})
	p.Report(sdk.Progress{Stage: "fix", Status: sdk.Failed, Message: "no kernel"})
	p.Close()
	fmt.Fprintln(p, "after the end")
	at := -1
	for _, want := range []string{"a log line", "export disk-0: 4.0 MiB in ", "export: succeeded in ", "fix: failed after ", "after the end"} {
		next := strings.Index(out.String(), want)
		if next <= at {
			t.Errorf("%q is missing or out of order in:\n%s", want, out.String())
		}
		at = next
	}
	if n := strings.Count(out.String(), "4.0 MiB in "); n != 1 {
		t.Errorf("the disk is finished %d times", n)
	}
}

func TestBars_CloseInTheMiddleOfADisk(t *testing.T) {
	var out bytes.Buffer
	p := barsOn(&out)
	p.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 1, Total: 4, Unit: "bytes"})
	p.Close()
	p.Close()
	p.Report(sdk.Progress{Stage: "export", Status: sdk.Canceled})
	if !strings.Contains(out.String(), "export: canceled") {
		t.Errorf("what comes after Close is lost:\n%s", out.String())
	}
}

func TestBars_TheLineOfTheStage(t *testing.T) {
	var out bytes.Buffer
	b := newBars(&out)
	defer b.close()
	b.stage("fix", sdk.Running, "initramfs", 90*time.Second)
	if got := b.status(); got != "fix: initramfs  1m30s" {
		t.Errorf("the line says %q", got)
	}
	b.stage("fix", sdk.Succeeded, "", 90*time.Second)
	if got := b.status(); got != "" {
		t.Errorf("the line still says %q", got)
	}
}
