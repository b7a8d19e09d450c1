// Package vsphere is a session at one vCenter and every verb on it. It is the only importer of govmomi's client.
//
// It refuses to trust a server that the caller did not say to trust, to guess between two objects of one name, and to
// destroy: the verbs on a source VM are reading, exporting, a graceful shutdown, a power-on and the connection of its
// adapters. A login that ended is renewed once, under the callers' feet. Start reading in client.go, then session.go for
// what happens to every call; source.go is the way disks leave.
package vsphere
