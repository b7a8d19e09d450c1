package journal

import (
	"errors"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestLockName_IsForOneAtATime(t *testing.T) {
	dir := t.TempDir()
	first, err := LockName(dir, "web 01")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockName(dir, "web 01"); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("a second LockName() = %v, want a conflict", err)
	}
	other, err := LockName(dir, "web 02")
	if err != nil {
		t.Errorf("LockName() of another name = %v", err)
	} else {
		other.Release()
	}
	first.Release()
	again, err := LockName(dir, "web 01")
	if err != nil {
		t.Fatalf("LockName() after Release = %v", err)
	}
	again.Release()
}
