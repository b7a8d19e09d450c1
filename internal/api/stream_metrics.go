package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// hourOfSamples is how many the hub keeps of an entity, and so how far back since reaches.
const hourOfSamples = 180

// metricsFeed is the samples of one entity, sampled once for all who watch it.
type metricsFeed struct {
	watch *vsphere.MetricsWatch
	since time.Time // samples up to it are left out
	made  *prepared[*vsphere.Metrics]
}

func (s *Server) streamMetrics(r *http.Request) (feed, error) {
	q := r.URL.Query()
	spec := vsphere.MetricsSpec{Entity: q.Get("entity"), Type: q.Get("type"), Instance: q.Get("instance"), Counters: listOf(q.Get("counters"))}
	if spec.Entity == "" {
		return nil, sdk.WithHint(sdk.Invalidf("query.entity: metrics of what?"), "…/stream?entity=NAME&type=vm, host or cluster")
	}
	var since time.Time
	var err error
	if text := q.Get("since"); text != "" {
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, sdk.WithHint(sdk.Invalidf("query.since: %q is no time", text), "give the time of the last sample that you have: 2026-01-20T10:00:00Z")
		}
		spec.MaxSamples = hourOfSamples
	} else if text := q.Get("samples"); text != "" {
		if spec.MaxSamples, err = strconv.Atoi(text); err != nil || spec.MaxSamples < 1 || spec.MaxSamples > hourOfSamples {
			return nil, sdk.Invalidf("query.samples: %q is not between 1 and %d", text, hourOfSamples)
		}
	}
	watch, err := s.metrics.Watch(r.Context(), spec)
	if err != nil {
		return nil, err
	}
	return &metricsFeed{watch: watch, since: since, made: s.madeMetrics}, nil
}

func (f *metricsFeed) next(ctx context.Context) ([]*websocket.PreparedMessage, error) {
	update, err := f.watch.Next(ctx)
	if err != nil {
		return nil, err
	}
	all, err := f.made.get(update.Metrics, func() ([][]byte, error) { return sampleTexts(update.Metrics) })
	if err != nil || f.since.IsZero() {
		return all, err
	}
	old := 0
	for _, sample := range update.Metrics.Samples {
		if !sample.Time.After(f.since) {
			old++
		}
	}
	f.since = time.Time{}
	return all[min(old, len(all)):], nil
}

func (f *metricsFeed) close() { f.watch.Close() }

// sampleTexts are a message for each sample: flat, with what it is of. Without samples it is one that says why.
func sampleTexts(m *vsphere.Metrics) ([][]byte, error) {
	about := map[string]any{"entity": m.Entity, "type": m.Type, "ref": m.Ref, "interval_seconds": m.IntervalSeconds}
	var texts [][]byte
	for _, sample := range m.Samples {
		message := maps.Clone(about)
		message["time"] = sample.Time
		for name, value := range sample.Values {
			message[name] = value
		}
		text, err := json.Marshal(message)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	if len(texts) > 0 {
		return texts, nil
	}
	for name := range m.Missing {
		about[name] = nil
	}
	about["missing"] = m.Missing
	text, err := json.Marshal(about)
	return [][]byte{text}, err
}

// listOf reads words with commas.
func listOf(text string) []string {
	var words []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}
