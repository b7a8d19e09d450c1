package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	contextsVar = "HYPERSDK_CONFIG_FILE"
	maxContexts = 1 << 20 // bytes of the file
)

// Context is one vCenter by name: where it is, who logs in and what is trusted.
type Context struct {
	Server       string `yaml:"server"`
	Username     string `yaml:"username,omitempty"`
	Password     string `yaml:"password,omitempty"`
	PasswordFile string `yaml:"password_file,omitempty"` // read when it is needed
	CAFile       string `yaml:"ca_file,omitempty"`
	Thumbprint   string `yaml:"thumbprint,omitempty"`
	Insecure     bool   `yaml:"insecure,omitempty"`
}

// Contexts is the file of contexts. The commands read it; the provider does not.
type Contexts struct {
	Current  string             `yaml:"current,omitempty"`
	Contexts map[string]Context `yaml:"contexts,omitempty"`

	path string
}

// OpenContexts reads the file that HYPERSDK_CONFIG_FILE names, or hypersdk/config.yaml in the user's configuration directory.
// One that does not exist is empty. It may hold passwords, so one that others can read is sdk.ErrDenied, with the command
// that cures it as a hint.
func OpenContexts() (*Contexts, error) {
	c := &Contexts{Contexts: map[string]Context{}}
	c.path = first("", contextsVar)
	if c.path == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return c, nil //nolint:nilerr // a user without a home has no file
		}
		c.path = filepath.Join(dir, "hypersdk", "config.yaml")
	}
	f, err := os.Open(c.path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, sdk.Kind(sdk.ErrDenied, err)
	}
	defer f.Close() //nolint:errcheck // only read
	if err := checkMode(f); err != nil {
		return nil, err
	}
	return c, c.read(f)
}

func checkMode(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return sdk.Kind(sdk.ErrDenied, err)
	}
	if !info.Mode().IsRegular() {
		return sdk.Invalidf("%s is no file", f.Name())
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return sdk.WithHint(sdk.Kind(sdk.ErrDenied, fmt.Errorf("%s may hold passwords and others can read it (mode %04o)", f.Name(), mode)),
			"chmod 600 %s", shellWord(f.Name()))
	}
	return nil
}

func (c *Contexts) read(r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, maxContexts+1))
	if err != nil {
		return sdk.Kind(sdk.ErrUnavailable, err)
	}
	if len(text) > maxContexts {
		return sdk.Invalidf("%s is no file of contexts: it has over %d bytes", c.path, maxContexts)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return sdk.WithHint(sdk.Invalidf("%s is no file of contexts%s", c.path, lineOf(err)), "hyperctl config set writes it")
	}
	if c.Contexts == nil {
		c.Contexts = map[string]Context{}
	}
	for name, context := range c.Contexts {
		if err := context.check(name); err != nil {
			return fmt.Errorf("%s: %w", c.path, err)
		}
	}
	return nil
}

// lineOf says where a YAML error is, and not what stands there, which may be a password.
func lineOf(err error) string {
	if line := regexp.MustCompile(`line \d+`).FindString(err.Error()); line != "" {
		return ": see " + line
	}
	return ""
}

func (c Context) check(name string) error {
	if !contextName.MatchString(name) {
		return sdk.Invalidf("%q is no name of a context: letters, digits, dots, dashes and underscores, at most 64", name)
	}
	at, err := ParseServer(c.Server)
	switch {
	case err != nil:
		return fmt.Errorf("context %q: %w", name, err)
	case at.URL == "":
		return sdk.Invalidf("context %q has no server", name)
	case at.Username != "" || at.Password != "":
		return sdk.Invalidf("context %q: its server has user info; give username and password apart", name)
	case c.PasswordFile != "" && !filepath.IsAbs(c.PasswordFile):
		return sdk.Invalidf("context %q: its password file %q is no absolute path", name, c.PasswordFile)
	case c.Password != "" && c.PasswordFile != "":
		return sdk.Invalidf("context %q has a password and a password file; it needs one", name)
	}
	return nil
}

var contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Path is where the file is, or would be.
func (c *Contexts) Path() string { return c.path }

// Names are the contexts' names, sorted.
func (c *Contexts) Names() []string {
	var names []string
	for name := range c.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Set adds or replaces a context; the first one becomes the current one.
func (c *Contexts) Set(name string, context Context) error {
	if err := context.check(name); err != nil {
		return err
	}
	c.Contexts[name] = context
	if len(c.Contexts) == 1 {
		c.Current = name
	}
	return nil
}

// Delete removes a context. The current one leaves none behind.
func (c *Contexts) Delete(name string) {
	delete(c.Contexts, name)
	if c.Current == name {
		c.Current = ""
	}
}

// Save writes the file whole, readable for this user alone. A link stays one.
func (c *Contexts) Save() error {
	if c.path == "" {
		return sdk.WithHint(sdk.Invalidf("this user has no directory for settings"), "name a file with %s", contextsVar)
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	path := c.path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return sdk.Kind(sdk.ErrDenied, err)
	}
	return sdk.Kind(sdk.ErrDenied, writeFile(path, text))
}

// writeFile replaces the file at once; os.CreateTemp makes it 0600.
func writeFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".config-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func shellWord(text string) string {
	if regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(text) {
		return text
	}
	return fmt.Sprintf("'%s'", regexp.MustCompile(`'`).ReplaceAllString(text, `'\''`))
}
