package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// networks: each adapter's network must have a place at the target that is there and works.
func networks(in Input) []sdk.Finding {
	if in.Target == nil {
		return nil
	}
	var findings []sdk.Finding
	for _, name := range sourceNetworks(in.VM.NICs) {
		findings = append(findings, network(in, name)...)
	}
	return findings
}

func network(in Input, source string) []sdk.Finding {
	to, ok := in.Plan.Networks[source]
	if !ok {
		to, ok = in.Plan.Networks["*"]
	}
	kind, name, _ := strings.Cut(to, ":")
	switch {
	case ok && kind == "network" && name != "":
		return libvirtNetwork(in, source, name)
	case ok && kind == "bridge" && name != "":
		return bridge(in, source, name)
	}
	return found("target.network.unmapped", sdk.Critical,
		fmt.Sprintf("%s: network %q has no place at the target", adapters(in.VM.NICs, source), source),
		fmt.Sprintf("name one: target.networks = { %q = { network = %q } } (hyperexport --network %q)",
			source, example(in.Target.Networks), source+"=network:"+example(in.Target.Networks)))
}

func libvirtNetwork(in Input, source, name string) []sdk.Finding {
	i := slices.IndexFunc(in.Target.Networks, func(n libvirt.Network) bool { return n.Name == name })
	if i < 0 {
		names := make([]string, 0, len(in.Target.Networks))
		for _, n := range in.Target.Networks {
			names = append(names, n.Name)
		}
		there := "there is none"
		if len(names) > 0 {
			there = "there is " + quoted(names)
		}
		return found("target.network.missing", sdk.Critical,
			fmt.Sprintf("%s: target %s has no network %q; %s", adapters(in.VM.NICs, source), in.Target.URI, name, there),
			fmt.Sprintf("define it (virsh net-define), or name another: target.networks = { %q = { network = %q } }", source, example(in.Target.Networks)))
	}
	if in.Target.Networks[i].Active {
		return nil
	}
	return found("target.network.inactive", sdk.Critical,
		fmt.Sprintf("%s: network %q at the target is not active", adapters(in.VM.NICs, source), name),
		fmt.Sprintf("start it: virsh -c %s net-start %s", in.Target.URI, name))
}

func bridge(in Input, source, name string) []sdk.Finding {
	exists, known := in.Target.Bridges[name]
	if exists || !known {
		return nil
	}
	return found("target.bridge.missing", sdk.Critical,
		fmt.Sprintf("%s: the target has no bridge %q", adapters(in.VM.NICs, source), name),
		fmt.Sprintf("make it (ip link add %s type bridge), or name another: target.networks = { %q = { bridge = \"br0\" } }", name, source))
}

// sourceNetworks are the names of the adapters' networks, each once, in the adapters' order.
func sourceNetworks(nics []vsphere.NIC) []string {
	var names []string
	for _, n := range nics {
		if !slices.Contains(names, n.Network) {
			names = append(names, n.Network)
		}
	}
	return names
}

// adapters names those on a network.
func adapters(nics []vsphere.NIC, network string) string {
	var labels []string
	for _, n := range nics {
		if n.Network == network {
			labels = append(labels, n.Label)
		}
	}
	return "adapter " + quoted(labels)
}

// example is a network of the target for a hint.
func example(networks []libvirt.Network) string {
	if len(networks) == 0 {
		return "default"
	}
	return networks[0].Name
}
