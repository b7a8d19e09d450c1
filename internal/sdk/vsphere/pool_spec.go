package vsphere

import (
	"strings"
	"unicode/utf8"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// The values of ScaleDescendantsShares.
const (
	ScaleDisabled     = "disabled"
	ScaleCPUAndMemory = "scaleCpuAndMemoryShares"
)

// maxPoolName is how many characters vCenter allows in a name.
const maxPoolName = 80

// ResourcePoolSpec asks for a new resource pool. The zero value of everything but the name is vCenter's own default: nothing
// reserved, no limit, expandable, normal shares.
type ResourcePoolSpec struct {
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty"` // path, moref or unique name; a cluster or host means its root pool; empty: the only cluster's

	CPUReservationMHz   int64  `json:"cpu_reservation_mhz,omitempty"`
	CPULimitMHz         *int64 `json:"cpu_limit_mhz,omitempty"`  // nil or -1: none; 0: nothing at all
	CPUExpandable       *bool  `json:"cpu_expandable,omitempty"` // nil: true
	CPUShares           string `json:"cpu_shares,omitempty"`     // low, normal, high, custom; empty: normal
	CPUShareCount       int32  `json:"cpu_share_count,omitempty"`
	MemoryReservationMB int64  `json:"memory_reservation_mb,omitempty"`
	MemoryLimitMB       *int64 `json:"memory_limit_mb,omitempty"`
	MemoryExpandable    *bool  `json:"memory_expandable,omitempty"`
	MemoryShares        string `json:"memory_shares,omitempty"`
	MemoryShareCount    int32  `json:"memory_share_count,omitempty"`

	ScaleDescendantsShares string `json:"scale_descendants_shares,omitempty"` // empty: left to vCenter
}

// UpdateResourcePoolSpec asks for changes; nil leaves as it is. A share count alone makes the shares custom.
type UpdateResourcePoolSpec struct {
	Name   *string `json:"name,omitempty"`
	Parent *string `json:"parent,omitempty"` // moves the pool, within its cluster or host

	CPUReservationMHz   *int64  `json:"cpu_reservation_mhz,omitempty"`
	CPULimitMHz         *int64  `json:"cpu_limit_mhz,omitempty"`
	CPUExpandable       *bool   `json:"cpu_expandable,omitempty"`
	CPUShares           *string `json:"cpu_shares,omitempty"`
	CPUShareCount       *int32  `json:"cpu_share_count,omitempty"`
	MemoryReservationMB *int64  `json:"memory_reservation_mb,omitempty"`
	MemoryLimitMB       *int64  `json:"memory_limit_mb,omitempty"`
	MemoryExpandable    *bool   `json:"memory_expandable,omitempty"`
	MemoryShares        *string `json:"memory_shares,omitempty"`
	MemoryShareCount    *int32  `json:"memory_share_count,omitempty"`

	ScaleDescendantsShares *string `json:"scale_descendants_shares,omitempty"`
}

// Validate refuses what no vCenter would take. The error is sdk.ErrInvalid.
func (s ResourcePoolSpec) Validate() error {
	if err := validPoolName(s.Name); err != nil {
		return err
	}
	if err := validScale(s.ScaleDescendantsShares); err != nil {
		return err
	}
	if err := s.cpu().validate("CPU", "MHz"); err != nil {
		return err
	}
	return s.memory().validate("memory", "MB")
}

// Validate refuses what no vCenter would take. The error is sdk.ErrInvalid.
func (s UpdateResourcePoolSpec) Validate() error {
	if s.Name != nil {
		if err := validPoolName(*s.Name); err != nil {
			return err
		}
	}
	if s.ScaleDescendantsShares != nil {
		if err := validScale(*s.ScaleDescendantsShares); err != nil {
			return err
		}
	}
	if err := s.cpu().validate("CPU", "MHz"); err != nil {
		return err
	}
	return s.memory().validate("memory", "MB")
}

func validPoolName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case strings.TrimSpace(name) == "":
		return sdk.Invalidf("the resource pool has no name")
	case !plainText(name):
		return sdk.Invalidf("the name %q has a character that no name can have", name)
	case n > maxPoolName:
		return sdk.Invalidf("the name has %d characters; vCenter allows %d", n, maxPoolName)
	}
	return nil
}

func validScale(scale string) error {
	switch scale {
	case "", ScaleDisabled, ScaleCPUAndMemory:
		return nil
	}
	return sdk.Invalidf("scale_descendants_shares is %q; use %s or %s", scale, ScaleDisabled, ScaleCPUAndMemory)
}

func (s ResourcePoolSpec) cpu() allocationChange {
	return newPoolHalf(s.CPUReservationMHz, s.CPULimitMHz, s.CPUExpandable, s.CPUShares, s.CPUShareCount)
}

func (s ResourcePoolSpec) memory() allocationChange {
	return newPoolHalf(s.MemoryReservationMB, s.MemoryLimitMB, s.MemoryExpandable, s.MemoryShares, s.MemoryShareCount)
}

// newPoolHalf is complete, as CreateResourcePool demands it.
func newPoolHalf(reservation int64, limit *int64, expandable *bool, shares string, count int32) allocationChange {
	a := allocationChange{reservation: &reservation, limit: limit, expandable: expandable, shares: &shares}
	if limit == nil {
		a.limit = types.NewInt64(-1)
	}
	if expandable == nil {
		a.expandable = types.NewBool(true)
	}
	if count != 0 {
		a.count = &count
	}
	if shares == "" {
		a.shares = new(string)
		if *a.shares = string(types.SharesLevelNormal); count != 0 {
			*a.shares = string(types.SharesLevelCustom)
		}
	}
	return a
}

func (s UpdateResourcePoolSpec) cpu() allocationChange {
	return allocationChange{s.CPUReservationMHz, s.CPULimitMHz, s.CPUExpandable, s.CPUShares, s.CPUShareCount}
}

func (s UpdateResourcePoolSpec) memory() allocationChange {
	return allocationChange{s.MemoryReservationMB, s.MemoryLimitMB, s.MemoryExpandable, s.MemoryShares, s.MemoryShareCount}
}

// allocationChange is what to set of an allocation; nil leaves as it is.
type allocationChange struct {
	reservation, limit *int64
	expandable         *bool
	shares             *string
	count              *int32
}

func (a allocationChange) validate(what, unit string) error {
	switch {
	case a.reservation != nil && *a.reservation < 0:
		return sdk.Invalidf("the %s reservation is %d %s; it cannot be negative", what, *a.reservation, unit)
	case a.limit != nil && *a.limit < -1:
		return sdk.Invalidf("the %s limit is %d %s; use -1 for no limit", what, *a.limit, unit)
	case a.limit != nil && a.reservation != nil && *a.limit != -1 && *a.limit < *a.reservation:
		return sdk.Invalidf("the %s limit of %d %s is below the reservation of %d %s", what, *a.limit, unit, *a.reservation, unit)
	case a.count != nil && *a.count < 1:
		return sdk.Invalidf("the %s share count is %d; it has to be above 0", what, *a.count)
	}
	if a.shares == nil {
		return nil
	}
	switch types.SharesLevel(*a.shares) {
	case types.SharesLevelCustom:
		if a.count == nil {
			return sdk.Invalidf("custom %s shares need a share count", what)
		}
	case types.SharesLevelLow, types.SharesLevelNormal, types.SharesLevelHigh:
		if a.count != nil {
			return sdk.Invalidf("a %s share count goes with custom shares only, not with %q", what, *a.shares)
		}
	default:
		return sdk.Invalidf("the %s shares are %q; use low, normal, high or custom", what, *a.shares)
	}
	return nil
}

func (a allocationChange) empty() bool { return a == allocationChange{} }

// info holds only what is set.
func (a allocationChange) info() types.ResourceAllocationInfo {
	info := types.ResourceAllocationInfo{Reservation: a.reservation, Limit: a.limit, ExpandableReservation: a.expandable}
	if a.shares != nil {
		info.Shares = &types.SharesInfo{Level: types.SharesLevel(*a.shares)}
	}
	if a.count != nil {
		info.Shares = &types.SharesInfo{Level: types.SharesLevelCustom, Shares: *a.count}
	}
	return info
}
