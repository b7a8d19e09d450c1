package guest

import (
	"net"
	"regexp"
	"slices"
	"strings"
)

// vmwareOrder is the order in which ESXi fills a guest's PCI slots with adapters, by the name that the slot gives.
var vmwareOrder = []string{"ens160", "ens192", "ens224", "ens256", "ens161", "ens193", "ens225", "ens257"}

// pin pairs interface names with the addresses of the source's adapters: an address that the configuration or an old udev rule
// gives to a name is kept, the rest go in order. Names without an address left, and the other way round, stay unpaired.
func pin(found []iface, nics []NIC, known map[string]string) (pins []iface, unpinned []string) {
	free := []string{}
	for _, nic := range nics {
		if mac, err := net.ParseMAC(nic.MAC); err == nil && len(mac) == 6 {
			free = append(free, mac.String())
		}
	}
	take := func(mac string) bool {
		i := slices.Index(free, strings.ToLower(mac))
		if i >= 0 {
			free = slices.Delete(free, i, i+1)
		}
		return i >= 0
	}
	var open []iface
	for _, i := range inVMwareOrder(found) {
		if i.MAC != "" && take(i.MAC) {
			pins = append(pins, iface{Name: i.Name, MAC: strings.ToLower(i.MAC), By: i.By, matched: true})
			continue
		}
		if mac := known[i.Name]; mac != "" && take(mac) {
			continue // its own rule goes on naming it
		}
		open = append(open, i)
	}
	for _, i := range open {
		if len(free) == 0 {
			unpinned = append(unpinned, i.Name)
			continue
		}
		pins = append(pins, iface{Name: i.Name, MAC: free[0], By: i.By})
		free = free[1:]
	}
	return pins, unpinned
}

// inVMwareOrder sorts names that are all ESXi's own; any other list keeps the order of its configuration.
func inVMwareOrder(found []iface) []iface {
	for _, i := range found {
		if !slices.Contains(vmwareOrder, i.Name) {
			return found
		}
	}
	sorted := slices.Clone(found)
	slices.SortStableFunc(sorted, func(a, b iface) int {
		return slices.Index(vmwareOrder, a.Name) - slices.Index(vmwareOrder, b.Name)
	})
	return sorted
}

// persistentRule is a line of udev's old 70-persistent-net.rules.
var (
	ruleMAC  = regexp.MustCompile(`ATTR\{address\}=="([0-9A-Fa-f:]{17})"`)
	ruleName = regexp.MustCompile(`NAME="([^"]*)"`)
)

// persistentNames reads which address an old udev rules file gives to which name.
func persistentNames(text string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		mac, name := ruleMAC.FindStringSubmatch(line), ruleName.FindStringSubmatch(line)
		if mac != nil && name != nil {
			names[name[1]] = strings.ToLower(mac[1])
		}
	}
	return names
}

// dropPersistent comments out the rules that give one of the pinned names to another address.
func dropPersistent(text string, pins []iface) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		mac, name := ruleMAC.FindStringSubmatch(line), ruleName.FindStringSubmatch(line)
		taken := name != nil && mac != nil && slices.ContainsFunc(pins, func(p iface) bool {
			return p.Name == name[1] && !strings.EqualFold(p.MAC, mac[1])
		})
		if taken && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			line = "#" + line
		}
		out.WriteString(line)
	}
	return out.String()
}

// linkFile is a systemd.link(5) file that names an interface by its address.
func linkFile(p iface) (name string, text string) {
	return "10-hypersdk-" + p.Name + ".link",
		"# Written by hypersdk: keeps the name that this guest's configuration uses.\n[Match]\nMACAddress=" + p.MAC +
			"\nType=ether\n\n[Link]\nName=" + p.Name + "\n"
}
