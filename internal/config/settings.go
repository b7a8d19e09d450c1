package config

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Settings are what the environment, a file and the flags can set for a command. Only this package reads the environment.
// The provider uses Getenv-backed defaults through FromEnvironment; it reads no file.
type Settings struct {
	VSphere VSphere
	Libvirt Libvirt
	Remote  Remote
	Talk    Talk
}

// VSphere says how to reach a vCenter.
type VSphere struct {
	URL        string // HYPERSDK_VSPHERE_SERVER, GOVC_URL: a host name, host:port or URL; user info in it is accepted and taken apart
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

// Remote says where a hypersdkd is that does the work instead of this process.
type Remote struct {
	URL    string // HYPERSDK_DAEMON: http://127.0.0.1:8080
	Token  string // HYPERSDK_DAEMON_TOKEN
	CAFile string // HYPERSDK_DAEMON_CA_FILE
}

// Talk says what a command writes to stderr beside its errors.
type Talk struct {
	LogLevel string // HYPERSDK_LOG_LEVEL; default warn
	Progress string // HYPERSDK_PROGRESS: auto, plain or none; default auto, and plain where TERM is dumb
}

// FromEnvironment reads the settings from the environment. A variable that is set but empty counts as unset. A value that
// cannot be read is sdk.ErrInvalid and names the variable, never the value: it may hold a password.
func FromEnvironment() (Settings, error) {
	var s Settings
	server, serverVar := lookup("HYPERSDK_VSPHERE_SERVER", "GOVC_URL")
	at, err := ParseServer(server)
	if err != nil {
		return Settings{}, invalid(serverVar, err)
	}
	insecure, insecureVar := lookup("HYPERSDK_VSPHERE_INSECURE", "GOVC_INSECURE")
	s.VSphere.Insecure, err = parseBool(insecure)
	if err != nil {
		return Settings{}, invalid(insecureVar, err)
	}
	s.VSphere.URL = at.URL
	s.VSphere.Username = first(at.Username, "HYPERSDK_VSPHERE_USERNAME", "GOVC_USERNAME")
	s.VSphere.Password = first(at.Password, "HYPERSDK_VSPHERE_PASSWORD", "GOVC_PASSWORD")
	s.VSphere.CAFile = first("", "HYPERSDK_VSPHERE_CA_FILE", "GOVC_TLS_CA_CERTS")
	s.VSphere.Thumbprint = first("", "HYPERSDK_VSPHERE_THUMBPRINT")
	s.Libvirt.URI = first("qemu:///system", "HYPERSDK_LIBVIRT_URI", "LIBVIRT_DEFAULT_URI")
	s.Remote = Remote{URL: first("", "HYPERSDK_DAEMON"), Token: first("", "HYPERSDK_DAEMON_TOKEN"), CAFile: first("", "HYPERSDK_DAEMON_CA_FILE")}
	s.Talk = talk()
	return s, nil
}

func talk() Talk {
	progress := "auto"
	if os.Getenv("TERM") == "dumb" {
		progress = "plain"
	}
	return Talk{LogLevel: first("warn", "HYPERSDK_LOG_LEVEL"), Progress: first(progress, "HYPERSDK_PROGRESS")}
}

// RuntimeDir is the directory for files that live as long as a login: XDG_RUNTIME_DIR, or the one for temporary files.
func RuntimeDir() string {
	return first(os.TempDir(), "XDG_RUNTIME_DIR")
}

// CacheDir is this program's directory for what can be read again, below the user's own; empty when there is none.
func CacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "hypersdk")
}

// first returns the first variable's value that is not empty, or the default.
func first(def string, names ...string) string {
	if value, _ := lookup(names...); value != "" {
		return value
	}
	return def
}

func lookup(names ...string) (value, name string) {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

func parseBool(text string) (bool, error) {
	if text == "" {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, sdk.Invalidf("not a boolean; use true or false")
	}
	return value, nil
}

func invalid(name string, err error) error {
	return sdk.Invalidf("environment variable %s: %w", name, err)
}
