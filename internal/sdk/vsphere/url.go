package vsphere

import (
	"net/url"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// parseURL turns what a person writes (host, host:port, https://host/sdk) into the SDK's URL. What it refuses it does not
// repeat whole, because a password may be in it.
func parseURL(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, sdk.WithHint(sdk.Invalidf("no vCenter URL"), "give one like https://vcenter.example.com")
	}
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("the vCenter URL cannot be parsed"),
			"write it like https://vcenter.example.com:443, without user and password")
	}
	switch {
	case u.User != nil:
		return nil, sdk.WithHint(sdk.Invalidf("the vCenter URL for %s carries a user or password", u.Hostname()),
			"give user name and password apart from the URL")
	case u.Scheme != "https":
		return nil, sdk.WithHint(sdk.Invalidf("the vCenter URL has scheme %q", u.Scheme),
			"use https; a certificate can be trusted by CA file or thumbprint")
	case u.Hostname() == "":
		return nil, sdk.Invalidf("the vCenter URL has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, sdk.Invalidf("the vCenter URL for %s has a query or fragment", u.Hostname())
	}
	switch strings.TrimSuffix(u.Path, "/") {
	case "", "/sdk":
		u.Path = "/sdk"
	default:
		return nil, sdk.WithHint(sdk.Invalidf("the vCenter URL has path %q", u.Path), "leave the path out, or use /sdk")
	}
	u.RawPath = ""
	return u, nil
}
