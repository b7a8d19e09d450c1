package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Server is a vCenter's address taken apart.
type Server struct {
	URL      string // https://host[:port][/path], without user info; empty when nothing was given
	Username string
	Password string
}

// ParseServer takes apart a host name, host:port or URL, with or without user info. User and password may be percent-encoded
// or plain, as other vSphere tools accept them. Errors are sdk.ErrInvalid and do not show the text, which may hold a password.
func ParseServer(text string) (Server, error) {
	if text == "" {
		return Server{}, nil
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "https", text
	}
	if scheme != "https" && scheme != "http" {
		return Server{}, sdk.Invalidf("the scheme of the server's URL is neither https nor http")
	}
	authority, path := rest, ""
	// A plain password may hold a slash, so the path begins after the last @.
	at := strings.LastIndex(rest, "@")
	if i := strings.IndexAny(rest[at+1:], "/?#"); i >= 0 {
		authority, path = rest[:at+1+i], rest[at+1+i:]
	}
	if strings.ContainsAny(path, "?#") {
		return Server{}, sdk.Invalidf("the server's URL has a query or a fragment")
	}
	host := authority
	var s Server
	if at >= 0 {
		s.Username, s.Password, _ = strings.Cut(authority[:at], ":")
		s.Username, s.Password = unescape(s.Username), unescape(s.Password)
		host = authority[at+1:]
	}
	if err := checkHost(host); err != nil {
		return Server{}, err
	}
	s.URL = scheme + "://" + host + strings.TrimRight(path, "/")
	return s, nil
}

// checkHost wants a name or an address, a bracketed one for IPv6, and a port that can be.
func checkHost(host string) error {
	u, err := url.Parse("https://" + host)
	if err != nil || u.Hostname() == "" || u.Host != host {
		return sdk.Invalidf("the server is not a host name, host:port or URL")
	}
	if strings.Contains(u.Hostname(), ":") && net.ParseIP(strings.SplitN(u.Hostname(), "%", 2)[0]) == nil {
		return sdk.Invalidf("the server is not a host name, host:port or URL")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return sdk.Invalidf("the server's port is not between 1 and 65535")
		}
	}
	return nil
}

func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
