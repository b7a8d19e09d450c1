package migration

import (
	"fmt"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

const (
	anyNetwork     = "*"
	defaultNetwork = "default"
)

// Networks reads the values of --network, and of the flag that names the bridge for all other networks.
func Networks(texts []string, bridgeFlag, bridge string) (map[string]migrate.NetworkSpec, error) {
	networks := map[string]migrate.NetworkSpec{}
	for _, text := range texts {
		source, to, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("--network %q: %w", text, err)
		}
		if _, twice := networks[source]; twice {
			return nil, sdk.Invalidf("--network: %q is mapped twice", source)
		}
		networks[source] = to
	}
	_, mapped := networks[anyNetwork]
	switch {
	case mapped && bridge != "":
		return nil, sdk.Invalidf("--%s and --network %s=… both say where all other networks go", bridgeFlag, anyNetwork)
	case bridge != "":
		networks[anyNetwork] = migrate.NetworkSpec{Bridge: bridge}
	case !mapped:
		networks[anyNetwork] = migrate.NetworkSpec{Network: defaultNetwork}
	}
	return networks, nil
}

// parseNetwork reads SOURCE=network:NAME or SOURCE=bridge:NAME. A vSphere network's name may hold an equals sign, a target's
// hardly does, so the last one counts.
func parseNetwork(text string) (source string, to migrate.NetworkSpec, err error) {
	at := strings.LastIndex(text, "=")
	if at < 1 {
		return "", to, sdk.Invalidf("want SOURCE=network:NAME or SOURCE=bridge:NAME")
	}
	kind, name, _ := strings.Cut(text[at+1:], ":")
	switch {
	case kind == "network" && name != "":
		to.Network = name
	case kind == "bridge" && name != "":
		to.Bridge = name
	default:
		return "", to, sdk.Invalidf("want network:NAME or bridge:NAME after the equals sign, got %q", text[at+1:])
	}
	return text[:at], to, nil
}
