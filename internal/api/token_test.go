package api_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestOwnToken_IsMadeOnceForThisUserAlone(t *testing.T) {
	dir := t.TempDir()
	token, path, err := api.OwnToken(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if len(token) < 40 || filepath.Dir(path) != dir {
		t.Errorf("token of %d characters in %s", len(token), path)
	}
	again, _, err := api.OwnToken(dir)
	if err != nil || again != token {
		t.Errorf("the second start has another token (%v)", err)
	}
	if other, _, err := api.OwnToken(t.TempDir()); err != nil || other == token {
		t.Errorf("two daemons have one token (%v)", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the directory holds %v (%v)", left, err)
	}
}

func TestReadToken_Refusals(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		kind error
	}{
		"others can read it": {"a-token-of-good-length", 0o644, sdk.ErrDenied},
		"empty":              {"", 0o600, sdk.ErrInvalid},
		"too short":          {"tiny-1234", 0o600, sdk.ErrInvalid},
		"two words":          {"a-token-of-good length", 0o600, sdk.ErrInvalid},
		"endless":            {strings.Repeat("x", 10000), 0o600, sdk.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := api.ReadToken(path)
			if !errors.Is(err, tt.kind) {
				t.Errorf("error %v, want %v", err, tt.kind)
			}
			if tt.text != "" && err != nil && strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
	if _, err := api.ReadToken(filepath.Join(t.TempDir(), "none")); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}
