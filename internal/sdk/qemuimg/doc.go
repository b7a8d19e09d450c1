// Package qemuimg asks qemu-img about disk images and has it change them: probe, overlay, check, compare, commit, convert.
//
// A format is never guessed, because a guest that can write the first bytes of a raw disk could make it look like a qcow2 with a
// backing file of its choice. For the same reason an image that refers to another file is refused wherever no backing file
// is expected, and where one is, its own format has to be recorded. Paths are made absolute, so that no name reads as a
// protocol or an option. Progress reports carry neither stage nor item: the caller knows them.
package qemuimg
