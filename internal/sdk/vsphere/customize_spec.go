package vsphere

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

var (
	hostnamePattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	allDigits       = regexp.MustCompile(`^[0-9]+$`)
)

// Validate checks the form of a customization, without a call.
func (c *Customization) Validate() error {
	ways := 0
	for _, given := range []bool{c.Spec != "", c.Linux != nil, c.Windows != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return sdk.Invalidf("customization: give one of a saved spec, linux and windows")
	}
	if c.Linux != nil && c.Linux.Hostname != "" && !hostnamePattern.MatchString(c.Linux.Hostname) {
		return sdk.Invalidf("customization.linux.hostname %q: letters, digits and hyphens, at most 63, no dots", c.Linux.Hostname)
	}
	if c.Windows != nil {
		if err := c.Windows.validate(); err != nil {
			return err
		}
	}
	for key, i := range c.Interfaces {
		if _, err := position(key); err != nil {
			return fmt.Errorf("customization.interfaces: %w", err)
		}
		if err := i.validate(key); err != nil {
			return err
		}
	}
	return validateAddresses("customization", append(slices.Clone(c.Gateways), c.DNSServers...))
}

func (w *WindowsCustomization) validate() error {
	name := w.ComputerName
	switch {
	case name != "" && (len(name) > 15 || !hostnamePattern.MatchString(name) || allDigits.MatchString(name)):
		return sdk.Invalidf("customization.windows.computer_name %q: letters, digits and hyphens, at most 15, not only digits", name)
	case w.Workgroup != "" && w.Domain != "":
		return sdk.Invalidf("customization.windows: join a workgroup or a domain, not both")
	case w.Domain != "" && (w.DomainAdmin == "" || w.DomainAdminPassword == ""):
		return sdk.Invalidf("customization.windows: joining domain %s needs domain_admin and its password", w.Domain)
	case w.AutoLogonCount > 0 && w.AdminPassword == "":
		return sdk.Invalidf("customization.windows: auto_logon_count needs admin_password")
	}
	return nil
}

func (i InterfaceSettings) validate(key string) error {
	if i.IPv4 != "" {
		if p, err := netip.ParsePrefix(i.IPv4); err != nil || !p.Addr().Is4() {
			return sdk.Invalidf("customization.interfaces.%s.ipv4 %q: write an address with its prefix, like 10.0.0.11/24", key, i.IPv4)
		}
	}
	for _, ip := range i.IPv6 {
		if p, err := netip.ParsePrefix(ip); err != nil || !p.Addr().Is6() {
			return sdk.Invalidf("customization.interfaces.%s.ipv6 %q: write an address with its prefix, like 2001:db8::11/64", key, ip)
		}
	}
	return validateAddresses("customization.interfaces."+key, append(slices.Clone(i.Gateways), i.DNSServers...))
}

func validateAddresses(where string, addresses []string) error {
	for _, a := range addresses {
		if _, err := netip.ParseAddr(a); err != nil {
			return sdk.Invalidf("%s: %q is no IP address", where, a)
		}
	}
	return nil
}

// customizationSpec is vCenter's form of a customization for a VM with so many adapters. A saved one is read once per run.
func (c *Client) customizationSpec(ctx context.Context, want *Customization, vmName string, nics int) (*types.CustomizationSpec, error) {
	for key := range want.Interfaces {
		if at, _ := position(key); at >= nics {
			return nil, sdk.Invalidf("customization.interfaces.%s: the VM has %d adapters", key, nics)
		}
	}
	if want.Spec != "" {
		saved, err := c.savedCustomization(ctx, want.Spec)
		if err != nil {
			return nil, fmt.Errorf("customization %q: %w", want.Spec, err)
		}
		return want.over(saved, nics), nil
	}
	spec := &types.CustomizationSpec{}
	if want.Linux != nil {
		spec.Identity = want.Linux.identity(vmName)
		spec.Options = &types.CustomizationLinuxOptions{}
	} else {
		spec.Identity = want.Windows.identity(vmName)
		spec.Options = &types.CustomizationWinOptions{ChangeSID: true, Reboot: types.CustomizationSysprepRebootOptionReboot}
	}
	return want.over(spec, nics), nil
}

func (c *Client) savedCustomization(ctx context.Context, name string) (*types.CustomizationSpec, error) {
	return c.customizations.get(ctx, name, func() (*types.CustomizationSpec, error) {
		if c.vim.ServiceContent.CustomizationSpecManager == nil {
			return nil, sdk.Conflictf("this server keeps no customization specifications")
		}
		res, err := methods.GetCustomizationSpec(ctx, c.vim, &types.GetCustomizationSpec{
			This: *c.vim.ServiceContent.CustomizationSpecManager, Name: name,
		})
		if isFault[*types.NotFound](err) {
			return nil, sdk.WithHint(sdk.Kind(sdk.ErrNotFound, fmt.Errorf("vCenter has no specification of that name: %w", err)),
				"see Policies and Profiles, VM Customization Specifications in vCenter")
		}
		if err != nil {
			return nil, err
		}
		return &res.Returnval.Spec, nil
	})
}

// over puts the addresses asked for over those of spec, and gives each adapter its settings: vCenter wants as many as there are
// adapters.
func (c *Customization) over(spec *types.CustomizationSpec, nics int) *types.CustomizationSpec {
	result := *spec
	result.NicSettingMap = slices.Clone(spec.NicSettingMap)
	for len(result.NicSettingMap) < nics {
		result.NicSettingMap = append(result.NicSettingMap, types.CustomizationAdapterMapping{
			Adapter: types.CustomizationIPSettings{Ip: &types.CustomizationDhcpIpGenerator{}},
		})
	}
	for _, key := range slices.Sorted(maps.Keys(c.Interfaces)) {
		at, _ := strconv.Atoi(key)
		result.NicSettingMap[at].Adapter = c.adapter(c.Interfaces[key])
	}
	if len(c.DNSServers) > 0 {
		result.GlobalIPSettings.DnsServerList = c.DNSServers
	}
	if len(c.DNSDomains) > 0 {
		result.GlobalIPSettings.DnsSuffixList = c.DNSDomains
	}
	return &result
}

func (c *Customization) adapter(want InterfaceSettings) types.CustomizationIPSettings {
	settings := types.CustomizationIPSettings{
		Ip: &types.CustomizationDhcpIpGenerator{}, DnsServerList: want.DNSServers, DnsDomain: want.DNSDomain,
	}
	gateways := want.Gateways
	if len(gateways) == 0 {
		gateways = c.Gateways
	}
	if prefix, err := netip.ParsePrefix(want.IPv4); err == nil {
		settings.Ip = &types.CustomizationFixedIp{IpAddress: prefix.Addr().String()}
		settings.SubnetMask = subnetMask(prefix.Bits())
		settings.Gateway = family(gateways, true)
	}
	if len(want.IPv6) == 0 {
		return settings
	}
	settings.IpV6Spec = &types.CustomizationIPSettingsIpV6AddressSpec{Gateway: family(gateways, false)}
	for _, ip := range want.IPv6 {
		if prefix, err := netip.ParsePrefix(ip); err == nil {
			settings.IpV6Spec.Ip = append(settings.IpV6Spec.Ip, &types.CustomizationFixedIpV6{
				IpAddress: prefix.Addr().String(), SubnetMask: int32(prefix.Bits()),
			})
		}
	}
	return settings
}

func subnetMask(bits int) string {
	mask := ^uint32(0) << (32 - bits)
	if bits == 0 {
		mask = 0
	}
	return netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String()
}

// family picks the addresses of IPv4 or IPv6.
func family(addresses []string, v4 bool) []string {
	return slices.DeleteFunc(slices.Clone(addresses), func(a string) bool {
		ip, err := netip.ParseAddr(a)
		return err != nil || ip.Is4() != v4
	})
}

func (l *LinuxCustomization) identity(vmName string) *types.CustomizationLinuxPrep {
	return &types.CustomizationLinuxPrep{
		HostName: computerName(l.Hostname, vmName), Domain: cmp.Or(l.Domain, "localdomain"), TimeZone: l.TimeZone,
		HwClockUTC: l.HWClockUTC, ScriptText: string(l.Script),
	}
}

func (w *WindowsCustomization) identity(vmName string) *types.CustomizationSysprep {
	prep := &types.CustomizationSysprep{
		GuiUnattended: types.CustomizationGuiUnattended{
			Password: password(w.AdminPassword), TimeZone: w.TimeZone, AutoLogon: w.AutoLogonCount > 0, AutoLogonCount: w.AutoLogonCount,
		},
		UserData: types.CustomizationUserData{
			FullName: cmp.Or(w.FullName, "Administrator"), OrgName: cmp.Or(w.Organization, "Managed by Terraform"),
			ComputerName: computerName(w.ComputerName, vmName), ProductId: string(w.ProductKey),
		},
	}
	if len(w.RunOnce) > 0 {
		prep.GuiRunOnce = &types.CustomizationGuiRunOnce{CommandList: w.RunOnce}
	}
	switch {
	case w.Domain != "":
		prep.Identification = types.CustomizationIdentification{
			JoinDomain: w.Domain, DomainOU: w.DomainOU, DomainAdmin: w.DomainAdmin, DomainAdminPassword: password(w.DomainAdminPassword),
		}
	default:
		prep.Identification.JoinWorkgroup = cmp.Or(w.Workgroup, "WORKGROUP")
	}
	return prep
}

func password(secret Secret) *types.CustomizationPassword {
	if secret == "" {
		return nil
	}
	return &types.CustomizationPassword{Value: string(secret), PlainText: true}
}

// computerName is the guest's name: as given, or vCenter makes one of the VM's name when that cannot be one as it is.
func computerName(name, vmName string) types.BaseCustomizationName {
	if name == "" && !hostnamePattern.MatchString(vmName) {
		return &types.CustomizationVirtualMachineName{}
	}
	return &types.CustomizationFixedName{Name: strings.TrimSpace(cmp.Or(name, vmName))}
}
