package api

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type metricsInput struct {
	Entity     string   `query:"entity" required:"true" doc:"Name, inventory path or managed object id of what to look at"`
	Type       string   `query:"type" enum:"vm,host,cluster" default:"vm" doc:"What it is"`
	Realtime   bool     `query:"realtime" doc:"Samples of 20 seconds, as without start, end and interval"`
	Start      string   `query:"start" doc:"From when on: RFC 3339, or a span before now: 24h ago, 1h"`
	End        string   `query:"end" doc:"Until when, in the same forms; default now"`
	Interval   string   `query:"interval" doc:"Time between samples: realtime, 5min, 30m, 1h, 1d"`
	Counters   []string `query:"counters" doc:"Only these, with commas: cpu_percent, memory_mb, or vSphere's own: cpu.ready.summation"`
	MaxSamples int      `query:"max_samples" minimum:"1" maximum:"10000" doc:"The newest so many; default 15 without a start, else all"`
	Instance   string   `query:"instance" doc:"A disk, NIC or CPU (scsi0:0, vmnic0), or * for each; default the aggregate"`
}

// MetricsAnswer is metrics with what they come to.
type MetricsAnswer struct {
	*vsphere.Metrics
	Summary map[string]vsphere.Summary `json:"summary"`
}

func (s *Server) getMetrics(ctx context.Context, in *metricsInput) (*body[MetricsAnswer], error) {
	spec := vsphere.MetricsSpec{
		Entity: in.Entity, Type: in.Type, Counters: in.Counters, Interval: in.Interval, Start: in.Start, End: in.End,
		MaxSamples: in.MaxSamples, Instance: in.Instance,
	}
	if in.Realtime {
		if in.Interval != "" && in.Interval != "realtime" {
			return nil, sdk.Invalidf("realtime and interval=%s contradict each other", in.Interval)
		}
		spec.Interval = "realtime"
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.ShortReads)
	defer cancel()
	m, err := s.vc.GetMetrics(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &body[MetricsAnswer]{MetricsAnswer{m, m.Summary()}}, nil
}

// sampleSchema is how a vsphere.MetricSample looks as JSON: flat.
type sampleSchema struct{}

// Schema tells huma.
func (sampleSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 "object",
		Description:          "The values at one time, by metric; those of one instance are named metric:instance",
		Properties:           map[string]*huma.Schema{"time": {Type: "string", Format: "date-time"}},
		Required:             []string{"time"},
		AdditionalProperties: &huma.Schema{Type: "number"},
	}
}

// aliases are types whose JSON is not what their fields say.
func aliases(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[vsphere.MetricSample](), reflect.TypeFor[sampleSchema]())
}
