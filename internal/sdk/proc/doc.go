// Package proc runs the tools of a KVM host: qemu-img, guestfish, virt-v2v and the like.
//
// There is no shell: arguments go to the tool as they are. Every tool leads its own process group, which ends as a whole when
// the context does; what the tool prints is bounded in memory and handed on line by line. A secret is never an argument: it
// goes through Stdin. This is the only package that starts processes, and the only one beside internal/config that
// looks at the environment: env.go lists the names that a tool inherits. Start reading in cmd.go.
package proc
