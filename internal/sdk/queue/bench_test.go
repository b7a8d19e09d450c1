package queue_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

func benchQueue(b *testing.B) *queue.Queue {
	b.Helper()
	q, err := queue.Open(b.Context(), queue.Options{Embedded: queue.Embedded{Dir: filepath.Join(b.TempDir(), "queue")}, MaxLive: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(q.Close)
	return q
}

// Every submission is on disk, synced, when it returns.
func BenchmarkSubmit(b *testing.B) {
	q := benchQueue(b)
	for b.Loop() {
		if _, _, err := q.Submit(b.Context(), job.Spec{Kind: "k", Name: "web"}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
}

// With a key a submission is an atomic batch of two records.
func BenchmarkSubmit_WithKey(b *testing.B) {
	q, n := benchQueue(b), 0
	for b.Loop() {
		n++
		if _, _, err := q.Submit(b.Context(), job.Spec{Kind: "k", Key: strconv.Itoa(n)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
}

func BenchmarkSubmit_16AtOnce(b *testing.B) {
	q := benchQueue(b)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := q.Submit(b.Context(), job.Spec{Kind: "k"}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
}

// From submission to its end: claimed, run, logged, ended.
func BenchmarkJob(b *testing.B) {
	q := benchQueue(b)
	var ended atomic.Int64
	w, err := q.Work(queue.WorkerSpec{Name: "w", Slots: 16, Handlers: map[string]queue.Handler{"k": done}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.Stop(b.Context()) })
	watch, err := q.Watch(b.Context(), 0, job.Filter{})
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for u := range watch.Updates {
			if u.Job.Status == sdk.Succeeded {
				ended.Add(1)
			}
		}
	}()
	for b.Loop() {
		if _, _, err := q.Submit(b.Context(), job.Spec{Kind: "k"}); err != nil {
			b.Fatal(err)
		}
	}
	for ended.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// What a page of a list costs beside 10,000 ended jobs, and what memory the node takes then and with none.
func BenchmarkList_10000(b *testing.B) {
	q := benchQueue(b)
	idle := rssMB()
	for i := range 10_000 {
		if _, _, err := q.Submit(b.Context(), job.Spec{Kind: "k", Name: "vm-" + strconv.Itoa(i)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if page, err := q.List(job.Filter{Name: "vm-9*", Limit: 100}); err != nil || page.Total != 1111 {
			b.Fatal(page.Total, err)
		}
	}
	b.ReportMetric(idle, "idle_RSS_MB")
	b.ReportMetric(rssMB(), "RSS_MB")
}

// rssMB is this process's resident memory.
func rssMB() float64 {
	runtime.GC()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
