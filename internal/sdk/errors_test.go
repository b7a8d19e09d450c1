package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestKinds(t *testing.T) {
	tests := []struct {
		name string
		err  error
		kind error
		text string
	}{
		{"invalid", sdk.Invalidf("port %d", 0), sdk.ErrInvalid, "port 0"},
		{"not found", sdk.NotFoundf("vm %q", "a"), sdk.ErrNotFound, `vm "a"`},
		{"conflict", sdk.Conflictf("busy"), sdk.ErrConflict, "busy"},
		{"unavailable", sdk.Unavailablef("again"), sdk.ErrUnavailable, "again"},
		{"foreign", sdk.Kind(sdk.ErrDenied, fs.ErrPermission), sdk.ErrDenied, "permission denied"},
		{"wrapped", fmt.Errorf("clone: %w", sdk.Kind(sdk.ErrDenied, errors.New("no"))), sdk.ErrDenied, "clone: no"},
		{"under a hint", sdk.WithHint(sdk.Invalidf("x"), "do y"), sdk.ErrInvalid, "x"},
	}
	kinds := []error{sdk.ErrInvalid, sdk.ErrNotFound, sdk.ErrConflict, sdk.ErrDenied, sdk.ErrUnavailable}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err.Error() != tt.text {
				t.Errorf("text %q, want %q", tt.err, tt.text)
			}
			for _, k := range kinds {
				if got, want := errors.Is(tt.err, k), k == tt.kind; got != want { //nolint:errorlint // the kinds themselves are compared
					t.Errorf("errors.Is(%v) = %v, want %v", k, got, want)
				}
			}
		})
	}
}

func TestKind_KeepsTheForeignError(t *testing.T) {
	if err := sdk.Kind(sdk.ErrUnavailable, context.DeadlineExceeded); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no longer the deadline", err)
	}
	err := sdk.Invalidf("open: %w", fs.ErrNotExist)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is no longer fs.ErrNotExist", err)
	}
}

func TestNilStaysNil(t *testing.T) {
	if err := sdk.Kind(sdk.ErrInvalid, nil); err != nil {
		t.Errorf("Kind: got %v, want nil", err)
	}
	if err := sdk.WithHint(nil, "x"); err != nil {
		t.Errorf("WithHint: got %v, want nil", err)
	}
	if got := sdk.Hints(nil); got != nil {
		t.Errorf("Hints: got %q, want none", got)
	}
}

func TestHints_OutermostFirstThroughTheWholeTree(t *testing.T) {
	deep := sdk.WithHint(sdk.NotFoundf("tool"), "install %s", "it")
	other := sdk.WithHint(errors.New("disk"), "free some")
	err := sdk.WithHint(fmt.Errorf("export: %w", errors.Join(sdk.Kind(sdk.ErrDenied, deep), other)), "try again")
	want := []string{"try again", "install it", "free some"}
	if got := sdk.Hints(err); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(err.Error(), "try again") {
		t.Errorf("%q contains a hint", err)
	}
}

func TestPartialError(t *testing.T) {
	err := fmt.Errorf("bulk: %w", &sdk.PartialError{
		Done:   []string{"web-1", "web-2"},
		Failed: map[string]error{"web-3": sdk.WithHint(sdk.Conflictf("exists"), "rename it")},
	})
	if got, want := err.Error(), "bulk: 2 done, 1 failed: web-3: exists"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, sdk.ErrConflict) {
		t.Error("the kind of the failure is lost")
	}
	if got := sdk.Hints(err); len(got) != 1 {
		t.Errorf("hints %q, want the failure's", got)
	}
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || len(partial.Done) != 2 {
		t.Errorf("got %+v, want what is done", partial)
	}
}
