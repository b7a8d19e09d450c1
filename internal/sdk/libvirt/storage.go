package libvirt

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// StoragePool is a libvirt storage pool.
type StoragePool struct {
	Name           string `json:"name"`
	Type           string `json:"type"` // dir, fs, netfs, logical, …
	Path           string `json:"path"`
	Active         bool   `json:"active"`
	CapacityBytes  int64  `json:"capacity_bytes"`
	AvailableBytes int64  `json:"available_bytes"` // both are 0 while the pool is not active
}

// GetStoragePool refuses with ErrNotFound and names the pools there are.
func (c *Client) GetStoragePool(ctx context.Context, name string) (*StoragePool, error) {
	r, err := call(ctx, c, func(conn connection) (poolRecord, error) { return conn.pool(name) })
	if errors.Is(err, sdk.ErrNotFound) {
		return nil, c.noSuchPool(ctx, name)
	}
	if err != nil {
		return nil, fmt.Errorf("storage pool %q: %w", name, err)
	}
	var doc struct {
		Type string `xml:"type,attr"`
		Path string `xml:"target>path"`
	}
	if err := xml.Unmarshal([]byte(r.xml), &doc); err != nil {
		return nil, fmt.Errorf("storage pool %q: %w", name, err)
	}
	return &StoragePool{
		Name: name, Type: doc.Type, Path: doc.Path, Active: r.active,
		CapacityBytes: int64(r.capacity), AvailableBytes: int64(r.available),
	}, nil
}

func (c *Client) noSuchPool(ctx context.Context, name string) error {
	err := sdk.NotFoundf("%s has no storage pool %q", c.target.uri, name)
	names, listErr := call(ctx, c, connection.pools)
	switch {
	case listErr != nil:
		return err
	case len(names) == 0:
		return sdk.WithHint(err, "it has none; make one with: virsh pool-define-as %s dir --target DIRECTORY", name)
	}
	return sdk.WithHint(err, "the pools are: %s", strings.Join(names, ", "))
}

// RefreshStoragePool makes the pool see files written beside libvirt.
func (c *Client) RefreshStoragePool(ctx context.Context, name string) error {
	err := do(ctx, c, func(conn connection) error { return conn.refreshPool(name) })
	if errors.Is(err, sdk.ErrNotFound) {
		return c.noSuchPool(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("refresh storage pool %q: %w", name, err)
	}
	return nil
}
