package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
)

// completionAge is how long names that were read are offered again.
const completionAge = time.Minute

// CompleteNames returns those of the names that begin with what is typed. They are what ask says, or said for the same vCenter and
// user within the last minute: it is kept in a file in the user's cache directory. Whatever goes wrong, there are no names.
func (c *Connection) CompleteNames(kind, typed string, ask func() ([]string, error)) []string {
	if c.passwordFile == "-" {
		return nil // stdin is the shell's
	}
	file, err := c.completionFile(kind)
	if err != nil {
		return nil
	}
	names, err := readNames(file)
	if err != nil {
		// A failure counts as no names, for the same minute: a wrong password must not lock an account by the press of a key.
		if names, err = ask(); err != nil {
			names = nil
		}
		_ = writeNames(file, names) // without it the next one asks again
	}
	return fitting(names, typed)
}

// fitting are the names that begin with what is typed, sorted, each once. One with a control character is no word of a shell.
func fitting(names []string, typed string) []string {
	var fit []string
	for _, name := range names {
		if strings.HasPrefix(name, typed) && strings.IndexFunc(name, unicode.IsControl) < 0 {
			fit = append(fit, name)
		}
	}
	slices.Sort(fit)
	return slices.Compact(fit)
}

// completionFile names the cache of a kind of thing for this vCenter and user.
func (c *Connection) completionFile(kind string) (string, error) {
	dir := config.CacheDir()
	if dir == "" {
		return "", errors.New("no cache directory")
	}
	s, _, err := c.base()
	if err != nil {
		return "", err
	}
	if err := c.overlayAddress(&s.VSphere); err != nil {
		return "", err
	}
	if s.VSphere.URL == "" {
		return "", errors.New("no vCenter")
	}
	sum := sha256.Sum256([]byte(s.VSphere.URL + "\x00" + s.VSphere.Username + "\x00" + kind))
	return filepath.Join(dir, "completion", hex.EncodeToString(sum[:12])+".json"), nil
}

func readNames(file string) ([]string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if age := time.Since(info.ModTime()); age < 0 || age > completionAge {
		return nil, errors.New("too old")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		return nil, err
	}
	return names, nil
}

// writeNames replaces the file at once: several shells may complete together.
func writeNames(file string, names []string) error {
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".names-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
