package journal

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// NameLock holds a name in a directory for this process.
type NameLock struct{ f *os.File }

// LockName takes a name in dir: sdk.ErrConflict when another process has it. The lock dies with the process.
func LockName(dir, name string) (*NameLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, name+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of %q: %w", name, err)
	}
	taken, err := tryLock(f)
	if err == nil && !taken {
		return &NameLock{f: f}, nil
	}
	_ = f.Close()
	if err != nil {
		return nil, fmt.Errorf("lock %q in %s: %w", name, dir, err)
	}
	return nil, sdk.WithHint(sdk.Conflictf("another run writes files named %q in %s", name, filepath.Dir(dir)),
		"wait for it to end, or choose another name or directory")
}

// Release gives the name back.
func (l *NameLock) Release() { _ = l.f.Close() }
