package config

// Settings are what the environment, a file and the flags can set for a command. Only this package reads the environment.
// The provider uses Getenv-backed defaults through FromEnvironment; it reads no file.
type Settings struct {
	VSphere VSphere
	Libvirt Libvirt
}

// VSphere says how to reach a vCenter.
type VSphere struct {
	URL        string // HYPERSDK_VSPHERE_SERVER, GOVC_URL: a host name, host:port or URL; user info in GOVC_URL is accepted and taken apart
	Username   string // HYPERSDK_VSPHERE_USERNAME, GOVC_USERNAME
	Password   string // HYPERSDK_VSPHERE_PASSWORD, GOVC_PASSWORD
	CAFile     string // HYPERSDK_VSPHERE_CA_FILE, GOVC_TLS_CA_CERTS
	Thumbprint string // HYPERSDK_VSPHERE_THUMBPRINT
	Insecure   bool   // HYPERSDK_VSPHERE_INSECURE, GOVC_INSECURE
}

// Libvirt says where domains go.
type Libvirt struct {
	URI string // HYPERSDK_LIBVIRT_URI, LIBVIRT_DEFAULT_URI; default qemu:///system
}

// FromEnvironment reads the settings from the environment. A value that cannot be read is sdk.ErrInvalid and names the
// variable.
func FromEnvironment() (Settings, error) { panic("contract") }
