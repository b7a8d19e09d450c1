package vsphere

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// sessionFile keeps the cookie of a session for the next process of the same user: a file that nobody else may read, named by
// server and user.
type sessionFile struct{ path string }

// keptSession is the file's content.
type keptSession struct {
	URL      string `json:"url"`
	Username string `json:"username"`
	Cookie   string `json:"cookie"`
}

// newSessionFile names the file in a directory, which it makes. Without a directory there is none.
func newSessionFile(dir string, u *url.URL, username string) (*sessionFile, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, sdk.WithHint(sdk.Kind(sdk.ErrInvalid, fmt.Errorf("keep the session: %w", err)), "name another directory, or keep no session")
	}
	sum := sha256.Sum256([]byte(u.Host + "\x00" + username))
	return &sessionFile{path: filepath.Join(dir, hex.EncodeToString(sum[:16])+".json")}, nil
}

// load puts the kept cookie into the jar and says whether there is one. A file that others may read is not believed.
func (f *sessionFile) load(jar http.CookieJar, u *url.URL, username string) (bool, error) {
	info, err := os.Lstat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	shared := info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" // where the user's directory guards it
	if !info.Mode().IsRegular() || shared {
		return false, fmt.Errorf("%s is not a file of its owner alone", f.path)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return false, err
	}
	var kept keptSession
	if err := json.Unmarshal(data, &kept); err != nil {
		return false, fmt.Errorf("%s: %w", f.path, err)
	}
	if kept.URL != u.String() || kept.Username != username || kept.Cookie == "" {
		return false, nil
	}
	jar.SetCookies(u, []*http.Cookie{{Name: soap.SessionCookieName, Value: kept.Cookie, Path: "/", Secure: true}})
	return true, nil
}

// save writes the session's cookie, whole or not at all.
func (f *sessionFile) save(client *soap.Client, username string) error {
	cookie := client.SessionCookie()
	if cookie == nil {
		return errors.New("the server gave no session cookie")
	}
	data, err := json.Marshal(keptSession{URL: client.URL().String(), Username: username, Cookie: cookie.Value})
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(f.path), ".session-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) //nolint:errcheck // renamed, or of no use
	_, err = next.Write(data)
	if err := errors.Join(err, next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), f.path)
}
