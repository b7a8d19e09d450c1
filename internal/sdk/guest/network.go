package guest

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// iface is an Ethernet interface that the guest's configuration names.
type iface struct {
	Name string
	MAC  string // what the configuration matches it by; empty: by its name alone
	By   string // ifupdown, netplan, networkd, networkmanager

	matched bool // the configuration itself names the address
}

// plainName is what a kernel takes for an interface and we write into a file: at most 15 bytes (IFNAMSIZ).
var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,14}$`)

// virtualName are interfaces that software makes.
var virtualName = regexp.MustCompile(`^(lo|dummy|bond|br|virbr|docker|veth|tun|tap|wg|vlan|team|ppp|sit|gre|vxlan)[0-9-]*$|^(br|docker|veth|virbr)-?`)

func ethernetName(name string) bool {
	return plainName.MatchString(name) && !virtualName.MatchString(name)
}

// configuredInterfaces lists the Ethernet interfaces that files below /etc configure, in the order of their appearance, each
// once, and which tools' files these are.
func configuredInterfaces(etc tree) (found []iface, tools []string) {
	add := func(i iface) {
		if !slices.Contains(tools, i.By) {
			tools = append(tools, i.By)
		}
		if i.Name != "" && !slices.ContainsFunc(found, func(have iface) bool { return have.Name == i.Name }) {
			found = append(found, i)
		}
	}
	for _, name := range etc.names() {
		text := string(etc[name].Data)
		switch dir, base := path.Split(name); {
		case name == "network/interfaces", dir == "network/interfaces.d/":
			eachInterface(ifupdownInterfaces(text), "ifupdown", add)
		case dir == "netplan/" && strings.HasSuffix(base, ".yaml"):
			eachInterface(netplanInterfaces(text), "netplan", add)
		case dir == "systemd/network/" && strings.HasSuffix(base, ".network"):
			eachInterface(networkdInterfaces(text), "networkd", add)
		case dir == "NetworkManager/system-connections/" && strings.HasSuffix(base, ".nmconnection"):
			eachInterface(keyfileInterfaces(text), "networkmanager", add)
		}
	}
	return found, tools
}

func eachInterface(found []iface, by string, add func(iface)) {
	for _, i := range found {
		i.By = by
		add(i)
	}
}

// ifupdownInterfaces reads interfaces(5). Bridges, bonds and VLANs are left out by the options in their stanza.
func ifupdownInterfaces(text string) []iface {
	var names []string
	virtual := map[string]bool{}
	current := ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		switch option := strings.ReplaceAll(fields[0], "_", "-"); {
		case option == "auto", option == "allow-hotplug", option == "allow-auto":
			names = append(names, fields[1:]...)
		case option == "iface" && len(fields) > 1:
			current = fields[1]
			names = append(names, current)
		case option == "bridge-ports", option == "bond-slaves", option == "vlan-raw-device":
			virtual[current] = true
			if option != "vlan-raw-device" {
				names = append(names, fields[1:]...)
			}
		}
	}
	var found []iface
	for _, name := range names {
		name, _, _ = strings.Cut(name, ":") // an alias
		if ethernetName(name) && !virtual[name] && name != "none" {
			found = append(found, iface{Name: name})
		}
	}
	return found
}

// netplanInterfaces reads the ethernets of a netplan file.
func netplanInterfaces(text string) []iface {
	var file struct {
		Network struct {
			Ethernets yaml.Node `yaml:"ethernets"`
		} `yaml:"network"`
	}
	if yaml.Unmarshal([]byte(text), &file) != nil || file.Network.Ethernets.Kind != yaml.MappingNode {
		return nil
	}
	var found []iface
	nodes := file.Network.Ethernets.Content
	for i := 0; i+1 < len(nodes); i += 2 {
		var settings struct {
			Match struct {
				MAC  string `yaml:"macaddress"`
				Name string `yaml:"name"`
			} `yaml:"match"`
			SetName string `yaml:"set-name"`
		}
		if nodes[i+1].Decode(&settings) != nil {
			continue
		}
		name := nodes[i].Value
		for _, better := range []string{settings.Match.Name, settings.SetName} {
			if better != "" {
				name = better
			}
		}
		if !ethernetName(name) {
			continue
		}
		found = append(found, iface{Name: name, MAC: settings.Match.MAC})
	}
	return found
}

// networkdInterfaces reads the [Match] of a .network file. Patterns match whatever the name becomes.
func networkdInterfaces(text string) []iface {
	match := iniSection(text, "Match")
	var found []iface
	for name := range strings.FieldsSeq(match["Name"]) {
		if ethernetName(name) {
			found = append(found, iface{Name: name, MAC: match["MACAddress"]})
		}
	}
	if found == nil {
		found = []iface{{}} // networkd is in use
	}
	return found
}

// keyfileInterfaces reads a connection of NetworkManager.
func keyfileInterfaces(text string) []iface {
	connection := iniSection(text, "connection")
	ethernet := iniSection(text, "ethernet")
	name := connection["interface-name"]
	if (connection["type"] != "ethernet" && connection["type"] != "802-3-ethernet") || !ethernetName(name) {
		return []iface{{}}
	}
	return []iface{{Name: name, MAC: ethernet["mac-address"]}}
}

func iniSection(text, section string) map[string]string {
	values := map[string]string{}
	current := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			current = line[1 : len(line)-1]
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && current == section {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return values
}
