package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ListHosts is vsphere.Client's.
func (c *Client) ListHosts(ctx context.Context, f vsphere.Filter) (hosts []vsphere.Host, err error) {
	return list[vsphere.Host](ctx, c, "hosts", f)
}

// GetHost is vsphere.Client's.
func (c *Client) GetHost(ctx context.Context, name string) (*vsphere.Host, error) {
	return get[vsphere.Host](ctx, c, "vsphere", "hosts", name)
}

// ListClusters is vsphere.Client's.
func (c *Client) ListClusters(ctx context.Context, f vsphere.Filter) ([]vsphere.Cluster, error) {
	return list[vsphere.Cluster](ctx, c, "clusters", f)
}

// GetCluster is vsphere.Client's.
func (c *Client) GetCluster(ctx context.Context, name string) (*vsphere.Cluster, error) {
	return get[vsphere.Cluster](ctx, c, "vsphere", "clusters", name)
}

// ListDatacenters is vsphere.Client's.
func (c *Client) ListDatacenters(ctx context.Context, f vsphere.Filter) ([]vsphere.Datacenter, error) {
	return list[vsphere.Datacenter](ctx, c, "datacenters", f)
}

// GetVCenter is vsphere.Client's.
func (c *Client) GetVCenter(ctx context.Context) (*vsphere.VCenter, error) {
	return get[vsphere.VCenter](ctx, c, "vsphere", "vcenter", "info")
}

// ListVMs is vsphere.Client's.
func (c *Client) ListVMs(ctx context.Context, f vsphere.Filter) ([]vsphere.VMSummary, error) {
	return list[vsphere.VMSummary](ctx, c, "vms", f)
}

// GetVM is vsphere.Client's.
func (c *Client) GetVM(ctx context.Context, name string) (*vsphere.VM, error) {
	return get[vsphere.VM](ctx, c, "vsphere", "vms", name)
}

// ListSnapshots is vsphere.Client's.
func (c *Client) ListSnapshots(ctx context.Context, vm string) (*vsphere.VMSnapshots, error) {
	return get[vsphere.VMSnapshots](ctx, c, "vsphere", "vms", vm, "snapshots")
}

// ListResourcePools is vsphere.Client's.
func (c *Client) ListResourcePools(ctx context.Context, pattern string) ([]vsphere.ResourcePool, error) {
	return list[vsphere.ResourcePool](ctx, c, "pools", vsphere.Filter{Name: pattern})
}

// GetResourcePool is vsphere.Client's.
func (c *Client) GetResourcePool(ctx context.Context, name string) (*vsphere.ResourcePool, error) {
	return get[vsphere.ResourcePool](ctx, c, "vsphere", "pools", name)
}

// GetMetrics is vsphere.Client's.
func (c *Client) GetMetrics(ctx context.Context, spec vsphere.MetricsSpec) (*vsphere.Metrics, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	var m vsphere.Metrics
	_, err := c.call(ctx, http.MethodGet, []string{"vsphere", "metrics"}, metricsQuery(spec), nil, &m)
	return &m, err
}

// ListEvents is vsphere.Client's.
func (c *Client) ListEvents(ctx context.Context, spec vsphere.EventsSpec) (*vsphere.EventsResult, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	r := &vsphere.EventsResult{}
	header, err := c.call(ctx, http.MethodGet, []string{"vsphere", "events"}, eventsQuery(spec), nil, &r.Events)
	if err != nil {
		return nil, err
	}
	r.Truncated = header.Get("X-Truncated") == "true"
	return r, nil
}

func list[T any](ctx context.Context, c *Client, noun string, f vsphere.Filter) ([]T, error) {
	var rows []T
	_, err := c.call(ctx, http.MethodGet, []string{"vsphere", noun}, filterQuery(f), nil, &rows)
	return rows, err
}

func get[T any](ctx context.Context, c *Client, path ...string) (*T, error) {
	out := new(T)
	if _, err := c.call(ctx, http.MethodGet, path, nil, nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// query collects what is given.
type query struct{ url.Values }

func (q query) text(key, value string) query {
	if value != "" {
		q.Set(key, value)
	}
	return q
}

func (q query) texts(key string, values []string) query {
	return q.text(key, strings.Join(values, ","))
}

func (q query) number(key string, n int) query {
	if n != 0 {
		q.Set(key, strconv.Itoa(n))
	}
	return q
}

func filterQuery(f vsphere.Filter) url.Values {
	q := query{url.Values{}}.text("pattern", f.Name).text("datacenter", f.Datacenter).text("cluster", f.Cluster).text("folder", f.Folder).
		texts("state", f.States).text("guest", f.Guest).texts("tags", f.Tags)
	if f.Templates != nil {
		q.Set("templates", strconv.FormatBool(*f.Templates))
	}
	return q.Values
}

func metricsQuery(s vsphere.MetricsSpec) url.Values {
	return query{url.Values{}}.text("entity", s.Entity).text("type", s.Type).texts("counters", s.Counters).text("interval", s.Interval).
		text("start", s.Start).text("end", s.End).number("max_samples", s.MaxSamples).text("instance", s.Instance).Values
}

func eventsQuery(s vsphere.EventsSpec) url.Values {
	return query{url.Values{}}.text("entity", s.Entity).texts("types", s.Types).text("since", s.Since).text("until", s.Until).number("limit", s.Limit).
		text("recursion", s.Recursion).text("user", s.User).texts("severity", s.Severity).Values
}
