// Package tui is the full-screen terminal UI: the VMs of a vCenter as a list, what one can look at, and what one can have done
// to many of them at once.
//
// It refuses to know vCenter or libvirt: everything comes through Backend, which sdk_backend.go implements over the SDK. A
// screen holds no goroutine; what waits is a tea.Cmd, and what streams goes through a feed. What vCenter says is shown with
// its control characters escaped. Start reading in backend.go, then model.go; keymap.go has every key, styles.go the palette.
package tui
