package api

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	tokenFile = "token"
	minToken  = 16
	maxToken  = 4 << 10
)

// OwnToken reads the daemon's own token in its state directory and makes it when there is none. The file is readable for its
// user alone; it is written whole or not at all, so a daemon that is killed here keeps one token.
func OwnToken(dir string) (token, path string, err error) {
	path = filepath.Join(dir, tokenFile)
	token, err = ReadToken(path)
	if !errors.Is(err, sdk.ErrNotFound) {
		return token, path, err
	}
	temp, err := os.CreateTemp(dir, tokenFile+".*") // mode 0600
	if err != nil {
		return "", path, fmt.Errorf("make the token: %w", err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // gone already when all went well
	token = randomSecret()
	_, err = io.WriteString(temp, token+"\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", path, fmt.Errorf("make the token: %w", err)
	}
	// A link fails when the file has come to be in the meantime, by another daemon: then that one's token counts.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", path, fmt.Errorf("make the token: %w", err)
	}
	token, err = ReadToken(path)
	return token, path, err
}

// ReadToken reads a token from a file. One that others can read is sdk.ErrDenied, one too short to be a secret sdk.ErrInvalid.
func ReadToken(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", sdk.Kind(sdk.ErrNotFound, err)
	}
	if err != nil {
		return "", sdk.Kind(sdk.ErrDenied, err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return "", sdk.WithHint(sdk.Kind(sdk.ErrDenied, fmt.Errorf("%s holds a token and others can read it (mode %04o)", path, mode)),
			"chmod 600 it, or delete it if it is the daemon's own: a new one is made at the next start")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken || len(text) > maxToken || strings.ContainsAny(token, " \t\r\n") {
		return "", sdk.Invalidf("%s holds no token: it is one word of %d to %d characters", path, minToken, maxToken)
	}
	return token, nil
}
