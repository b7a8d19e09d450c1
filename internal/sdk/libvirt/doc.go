// Package libvirt is the target side of a migration: it defines domains, looks after their lives, reads what a host can do, and
// boots a throw-away domain to see whether a guest comes up. It talks to one daemon over one connection: libvirt's own C
// library when built with cgo and the tag libvirt_dlopen, and otherwise a pure-Go client of the same protocol over the local
// socket; both satisfy the unexported interface connection and pass one suite. It refuses remote hosts: disks must lie where
// the daemon reads them. Start reading at client.go, then domainxml.go and bootcheck.go.
package libvirt
