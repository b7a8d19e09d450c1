//go:build cgo && libvirt_dlopen

package libvirt

func dial(t target) (connection, error) { return dialCgo(t) }
