package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// hosts are the names that this daemon answers for, and the origins whose pages may talk to it. An address needs no permission:
// a name is what DNS rebinding needs.
type hosts struct {
	names    map[string]bool
	origins  map[string]bool
	loopback bool // listens there alone, so that other addresses are not its own
}

func newHosts(names, origins []string, loopback bool) *hosts {
	h := &hosts{names: map[string]bool{}, origins: map[string]bool{}, loopback: loopback}
	for _, name := range names {
		h.names[strings.ToLower(strings.TrimSuffix(name, "."))] = true
	}
	for _, origin := range origins {
		h.origins[strings.ToLower(strings.TrimSuffix(origin, "/"))] = true
	}
	return h
}

func (h *hosts) allows(host string) bool {
	if isLoopback(host) || h.names[strings.ToLower(strings.TrimSuffix(host, "."))] {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil && !h.loopback
}

// sameOrigin says whether a page of the origin came from here. localhost and 127.0.0.1 of one port are the same.
func (h *hosts) sameOrigin(origin string, r *http.Request) bool {
	if h.origins[strings.ToLower(origin)] {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false // "null" among them: a sandboxed frame of any site has it
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if u.Scheme != scheme {
		return false
	}
	theirs, theirPort := splitHost(u.Host)
	ours, ourPort := splitHost(r.Host)
	if def := map[string]string{"http": "80", "https": "443"}[scheme]; def != "" {
		theirPort, ourPort = orElse(theirPort, def), orElse(ourPort, def)
	}
	return theirPort == ourPort && (strings.EqualFold(theirs, ours) || isLoopback(theirs) && isLoopback(ours))
}

func orElse(text, def string) string {
	if text == "" {
		return def
	}
	return text
}

// splitHost takes host:port apart; an IPv6 address loses its brackets.
func splitHost(text string) (host, port string) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return strings.Trim(text, "[]"), ""
	}
	return host, port
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
