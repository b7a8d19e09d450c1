package demo

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// address is the place of a disk: kind and number of its controller's bus, and its unit there.
type address struct {
	bus  string
	num  int32
	unit int32
}

func (a address) String() string { return fmt.Sprintf("%s%d:%d", a.bus, a.num, a.unit) }

// busLimits are those of vSphere 8 ("vSphere Configuration Maximums") with the device keys that it assigns.
type busLimits struct {
	controllers, units, reserved int32
	controllerKey, diskKey       int32
}

func limitsOf(bus string) (busLimits, bool) {
	switch bus {
	case "scsi":
		return busLimits{controllers: 4, units: 16, reserved: 7, controllerKey: 1000, diskKey: 2000}, true
	case "sata":
		return busLimits{controllers: 4, units: 30, reserved: -1, controllerKey: 15000, diskKey: 16000}, true
	case "ide":
		return busLimits{controllers: 2, units: 2, reserved: -1, controllerKey: 200, diskKey: 3000}, true
	case "nvme":
		return busLimits{controllers: 4, units: 15, reserved: -1, controllerKey: 31000, diskKey: 32000}, true
	}
	return busLimits{}, false
}

var addressPattern = regexp.MustCompile(`^([a-z]+)([0-9]):([0-9]{1,2})$`)

func parseAddress(s string) (address, error) {
	m := addressPattern.FindStringSubmatch(s)
	if m == nil {
		return address{}, sdk.Invalidf("disk address %q: give one like scsi0:0, sata0:1, ide1:0 or nvme0:0", s)
	}
	lim, ok := limitsOf(m[1])
	num, _ := strconv.Atoi(m[2]) // digits by the pattern
	unit, _ := strconv.Atoi(m[3])
	a := address{bus: m[1], num: int32(num), unit: int32(unit)}
	switch {
	case !ok:
		return a, sdk.Invalidf("disk address %q: no bus %q; there are scsi, sata, ide and nvme", s, m[1])
	case a.num >= lim.controllers || a.unit >= lim.units || a.unit == lim.reserved:
		return a, sdk.Invalidf("disk address %q: vSphere has no such unit", s)
	}
	return a, nil
}

func (a address) controllerKey() int32 {
	lim, _ := limitsOf(a.bus)
	return lim.controllerKey + a.num
}

func (a address) diskKey() int32 {
	lim, _ := limitsOf(a.bus)
	return lim.diskKey + a.num*lim.units + a.unit
}
