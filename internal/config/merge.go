package config

import (
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Chosen is the context that the settings use. Its password is not in the settings: it is for its user alone, and a flag may
// still name another one.
type Chosen struct {
	Name string // empty: none
	Context
}

// UnknownContextError says that the file has no context of that name, and which it has.
type UnknownContextError struct {
	Name  string
	Known []string
}

func (e *UnknownContextError) Error() string { return fmt.Sprintf("context %q does not exist", e.Name) }

// Unwrap makes it an sdk.ErrNotFound.
func (e *UnknownContextError) Unwrap() error { return sdk.ErrNotFound }

// Load reads the settings of a command: the environment over a context of the file over the defaults. name is what the flag
// says, which stands above the environment; without it HYPERSDK_CONTEXT chooses; and where the environment names no server,
// the file's current context. The file is read only when it can matter.
//
// What is a context's goes to its server and no other, and what the environment has for another server goes there only. A name
// that the file does not have is an *UnknownContextError.
func Load(name string) (Settings, Chosen, error) {
	s, err := FromEnvironment()
	if err != nil {
		return Settings{}, Chosen{}, err
	}
	byFlag := name != ""
	if !byFlag {
		name = first("", "HYPERSDK_CONTEXT")
	}
	if name == "" && s.VSphere.URL != "" {
		return s, Chosen{}, nil
	}
	file, err := OpenContexts()
	if err != nil {
		return Settings{}, Chosen{}, err
	}
	if name == "" {
		if name = file.Current; name == "" {
			return s, Chosen{}, nil
		}
	}
	c, ok := file.Contexts[name]
	if !ok {
		return Settings{}, Chosen{}, &UnknownContextError{Name: name, Known: file.Names()}
	}
	if s.VSphere.URL != "" && s.VSphere.URL != c.url() {
		if !byFlag {
			return Settings{}, Chosen{}, sdk.WithHint(
				sdk.Invalidf("HYPERSDK_CONTEXT names %s, which is %s, and the environment the server %s", name, c.url(), s.VSphere.URL),
				"unset HYPERSDK_CONTEXT, or HYPERSDK_VSPHERE_SERVER and GOVC_URL; --context %s wins over both", name)
		}
		s.VSphere = VSphere{}
	}
	s.VSphere.under(c)
	return s, Chosen{Name: name, Context: c}, nil
}

// under fills from the context what the environment leaves open.
func (v *VSphere) under(c Context) {
	v.URL = c.url()
	if v.Username == "" {
		v.Username = c.Username
	}
	if v.CAFile == "" && v.Thumbprint == "" && !v.Insecure {
		v.CAFile, v.Thumbprint, v.Insecure = c.CAFile, c.Thumbprint, c.Insecure
	}
}

// url is the server as ParseServer writes it; the file's reader has checked it.
func (c Context) url() string {
	at, _ := ParseServer(c.Server)
	return at.URL
}
