package guest

import (
	"context"
	"errors"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func (a *Appliance) readRelease(ctx context.Context, in *inspected) error {
	text := in.etc.text("os-release")
	if text == "" {
		data, err := a.readFile(ctx, "/usr/lib/os-release", 64<<10)
		if err != nil && !errors.Is(err, sdk.ErrInvalid) {
			return err
		}
		text = string(data)
	}
	release := parseOSRelease(text)
	in.Distro, in.Product, in.Version = release["ID"], release["PRETTY_NAME"], release["VERSION_ID"]
	point := strings.TrimSpace(in.etc.text("debian_version"))
	switch {
	case in.Distro == "" && in.etc.has("debian_version"):
		in.Distro, in.Version = familyDebian, clean(point)
	case in.Distro == "" && in.etc.has("redhat-release"):
		in.Distro, in.Product = "rhel", clean(in.etc.text("redhat-release"))
	case in.Distro == familyDebian && point != "" && point[0] >= '0' && point[0] <= '9':
		in.Version = clean(point)
	}
	in.Family = family(in.Distro, release["ID_LIKE"])
	return nil
}

// parseOSRelease reads os-release(5).
func parseOSRelease(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		values[name] = clean(strings.Trim(value, `"'`))
	}
	return values
}

// families maps a distribution's ID, or one that it says to be like, to the family whose ways it has.
var families = map[string]string{
	"debian": familyDebian, "ubuntu": familyDebian,
	"rhel": "rhel", "fedora": "rhel", "centos": "rhel",
	"suse": "suse", "opensuse": "suse", "sles": "suse",
	"alpine": "alpine", "arch": "arch", "gentoo": "gentoo",
}

func family(distro, like string) string {
	for _, id := range append([]string{distro}, strings.Fields(like)...) {
		if f, ok := families[id]; ok {
			return f
		}
	}
	return "unknown"
}
