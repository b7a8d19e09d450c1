package vsphere

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// WaitFor says when a VM is ready.
type WaitFor struct {
	IP            bool           // VMware Tools report an address that is neither loopback nor link-local
	Customization bool           // vCenter says that the customization of the guest succeeded; vSphere 7.0.2 and later
	IgnoreCIDRs   []netip.Prefix // addresses that do not count
}

// WaitReady waits until the VM is what is asked, until ctx ends, and returns it as it is then. A failed customization and a
// VM that is off are sdk.ErrConflict. When ctx ends first, the error says what was seen last: VMware Tools, adapters,
// addresses, customization. Any number of VMs are waited for over one call at a time.
func (c *Client) WaitReady(ctx context.Context, vm *VM, what WaitFor, report sdk.ProgressFunc) (*VM, error) {
	if what.Customization && !c.knowsCustomization() {
		return nil, sdk.Invalidf("wait for VM %q: vCenter tells of customization from version 7.0.2 on, this is %s", vm.Name, c.vim.ServiceContent.About.ApiVersion)
	}
	last := vm
	err := c.followVM(ctx, vm, func(now *VM) (bool, error) {
		last = now
		missing, err := what.missing(now)
		if missing != "" {
			report.Report(sdk.Progress{Stage: "ready", Item: now.Name, Message: missing})
		}
		return missing == "" && err == nil, err
	})
	if err == nil {
		report.Report(sdk.Progress{Stage: "ready", Item: last.Name, Status: sdk.Succeeded})
		return last, nil
	}
	if missing, _ := what.missing(last); ctx.Err() != nil && missing != "" {
		err = sdk.WithHint(fmt.Errorf("%w; %s", ctx.Err(), missing), "see its console; the VM stays, and waiting again goes on where this ended")
	}
	return last, fmt.Errorf("wait for VM %q: %w", vm.Name, err)
}

// missing says what of the condition is not so yet, with what VMware Tools and vCenter last said.
func (what WaitFor) missing(vm *VM) (string, error) {
	if vm.PowerState != string(types.VirtualMachinePowerStatePoweredOn) {
		return "it is " + vm.PowerState, sdk.WithHint(sdk.Conflictf("it is %s, and its guest does nothing", vm.PowerState), "power it on")
	}
	var missing []string
	if what.Customization {
		switch vm.Customization {
		case "succeeded":
		case "failed":
			return "its customization failed", sdk.WithHint(sdk.Conflictf("the customization of the guest failed: %s", orUnknown(vm.CustomizeError)),
				"see /var/log/vmware-imc or %%WINDIR%%\\Temp\\vmware-imc in the guest")
		default:
			missing = append(missing, "the customization is "+vm.Customization)
		}
	}
	if what.IP && len(what.addresses(vm)) == 0 {
		missing = append(missing, "there is no address")
	}
	if len(missing) == 0 {
		return "", nil
	}
	return strings.Join(missing, ", ") + " (" + seen(vm) + ")", nil
}

// addresses are those that count.
func (what WaitFor) addresses(vm *VM) []netip.Addr {
	var counting []netip.Addr
	for _, text := range append([]string{vm.IPAddress}, guestAddresses(vm)...) {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() ||
			slices.ContainsFunc(what.IgnoreCIDRs, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			continue
		}
		counting = append(counting, ip)
	}
	return counting
}

func guestAddresses(vm *VM) []string {
	var all []string
	for _, nic := range vm.GuestNICs {
		all = append(all, nic.IPs...)
	}
	return all
}

// seen is what is known of a guest, for a person who wonders why it is not ready.
func seen(vm *VM) string {
	parts := []string{"VMware Tools: " + orUnknown(vm.ToolsStatus)}
	for i, nic := range vm.NICs {
		state := "connected"
		if !nic.Connected {
			state = "not connected"
		}
		parts = append(parts, fmt.Sprintf("adapter %d on %q %s", i, nic.Network, state))
	}
	if all := guestAddresses(vm); len(all) > 0 {
		parts = append(parts, "addresses "+strings.Join(all, ", "))
	}
	return strings.Join(parts, "; ")
}

// followVM shows use the VM as it is and then each time that something of it changed, until use is content or fails.
func (c *Client) followVM(ctx context.Context, vm *VM, use func(*VM) (enough bool, err error)) error {
	changed := make(chan struct{}, 1)
	s := c.tasks.subscribe(ctx, vmRef(vm), func(types.ObjectUpdate) bool {
		select {
		case changed <- struct{}{}:
		default:
		}
		return false
	})
	defer c.tasks.unsubscribe(s)
	for {
		now, err := c.readVM(ctx, vmRef(vm))
		if err != nil {
			return err
		}
		if enough, err := use(now); enough || err != nil {
			return err
		}
		select {
		case <-changed:
		case err := <-s.failed:
			return err
		case <-c.ended:
			return sdk.Conflictf("the vCenter session is closed")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// knowsCustomization says whether the server has guest.customizationInfo: vSphere 7.0.2 and later.
func (c *Client) knowsCustomization() bool {
	return apiAtLeast(c.vim.ServiceContent.About.ApiVersion, 7, 0, 2)
}

// apiAtLeast compares a version like 8.0.3.0 with another by its numbers.
func apiAtLeast(version string, than ...int) bool {
	parts := strings.Split(version, ".")
	for i, want := range than {
		has := 0
		if i < len(parts) {
			has, _ = strconv.Atoi(parts[i])
		}
		if has != want {
			return has > want
		}
	}
	return true
}
