package demo

import (
	"strconv"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	scaleDisabled = "disabled"
	noLimit       = -1

	normalCPUShares    = 4000
	normalMemoryShares = 163840
)

// shareCount is the number behind a level of shares ("vSphere Resource Management", "Resource Allocation Shares"): normal CPU
// shares of a pool are 4000, normal memory shares 163840.
func shareCount(level types.SharesLevel, normal int32) (int32, bool) {
	switch level {
	case types.SharesLevelLow:
		return normal / 2, true
	case types.SharesLevelNormal:
		return normal, true
	case types.SharesLevelHigh:
		return normal * 2, true
	case types.SharesLevelCustom:
	}
	return 0, false
}

func newAllocation() types.ResourceAllocationInfo {
	return types.ResourceAllocationInfo{
		Reservation: types.NewInt64(0), Limit: types.NewInt64(noLimit), ExpandableReservation: types.NewBool(true),
		Shares: &types.SharesInfo{Level: types.SharesLevelNormal},
	}
}

// copyConfig shares no pointer with the original.
func copyConfig(config types.ResourceConfigSpec) types.ResourceConfigSpec {
	for _, info := range []*types.ResourceAllocationInfo{&config.CpuAllocation, &config.MemoryAllocation} {
		*info = copyAllocation(*info)
	}
	return config
}

func copyAllocation(info types.ResourceAllocationInfo) types.ResourceAllocationInfo {
	shares := types.SharesInfo{Level: types.SharesLevelNormal}
	if info.Shares != nil {
		shares = *info.Shares
	}
	return types.ResourceAllocationInfo{
		Reservation: types.NewInt64(number(info.Reservation, 0)), Limit: types.NewInt64(number(info.Limit, noLimit)),
		ExpandableReservation: types.NewBool(info.ExpandableReservation != nil && *info.ExpandableReservation), Shares: &shares,
	}
}

func number(v *int64, unset int64) int64 {
	if v == nil {
		return unset
	}
	return *v
}

// apply sets in config what the request holds, and refuses what ResourceAllocationInfo and ResourceConfigSpec rule out: "If
// the limit is configured, it must be greater than or equal to the reservation"; below a pool that scales its descendants'
// shares, "the system will not allow scaleDescendantsShares to be set".
func (x *poolVerbs) apply(config, req *types.ResourceConfigSpec, parent *simulator.ResourcePool) types.BaseMethodFault {
	if !applyAllocation(&config.CpuAllocation, &req.CpuAllocation, normalCPUShares) {
		return &types.InvalidArgument{InvalidProperty: "spec.cpuAllocation"}
	}
	if !applyAllocation(&config.MemoryAllocation, &req.MemoryAllocation, normalMemoryShares) {
		return &types.InvalidArgument{InvalidProperty: "spec.memoryAllocation"}
	}
	switch scale := req.ScaleDescendantsShares; scale {
	case "":
	case scaleDisabled, string(types.ResourceConfigSpecScaleSharesBehaviorScaleCpuAndMemoryShares):
		for p := parent; p != nil; p = x.parent(p) {
			if s := p.Config.ScaleDescendantsShares; s != "" && s != scaleDisabled {
				return &types.InvalidArgument{InvalidProperty: "spec.scaleDescendantsShares"}
			}
		}
		config.ScaleDescendantsShares = scale
	default:
		return &types.InvalidArgument{InvalidProperty: "spec.scaleDescendantsShares"}
	}
	now := time.Now()
	version, _ := strconv.Atoi(config.ChangeVersion)
	config.ChangeVersion, config.LastModified = strconv.Itoa(version+1), &now
	return nil
}

func applyAllocation(info, req *types.ResourceAllocationInfo, normalShares int32) bool {
	if req.OverheadLimit != nil {
		return false // "for vCenter Server use only"
	}
	if req.Reservation != nil {
		info.Reservation = types.NewInt64(*req.Reservation)
	}
	if req.Limit != nil {
		info.Limit = types.NewInt64(*req.Limit)
	}
	if req.ExpandableReservation != nil {
		info.ExpandableReservation = types.NewBool(*req.ExpandableReservation)
	}
	if req.Shares != nil {
		info.Shares = &types.SharesInfo{Level: req.Shares.Level, Shares: req.Shares.Shares}
	}
	if n, ok := shareCount(info.Shares.Level, normalShares); ok {
		info.Shares.Shares = n // "If level is not set to custom, this value is ignored"
	} else if info.Shares.Level != types.SharesLevelCustom || info.Shares.Shares < 1 {
		return false
	}
	reservation, limit := *info.Reservation, *info.Limit
	return reservation >= 0 && limit >= noLimit && (limit == noLimit || limit >= reservation)
}
