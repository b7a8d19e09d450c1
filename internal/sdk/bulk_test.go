package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func items(n int, do func(ctx context.Context, i int) error) []sdk.BulkItem {
	var list []sdk.BulkItem
	for i := range n {
		list = append(list, sdk.BulkItem{Name: fmt.Sprintf("vm-%d", i), Do: func(ctx context.Context, _ sdk.ProgressFunc) error { return do(ctx, i) }})
	}
	return list
}

func TestRunBulk_RunsAsManyAtOnceAsItMay(t *testing.T) {
	const limit = 3
	var running, most atomic.Int32
	full := make(chan struct{})
	var once sync.Once
	_, err := sdk.RunBulk(t.Context(), "clone", limit, items(20, func(context.Context, int) error {
		now := running.Add(1)
		defer running.Add(-1)
		for {
			before := most.Load()
			if now <= before || most.CompareAndSwap(before, now) {
				break
			}
		}
		if now == limit {
			once.Do(func() { close(full) })
		}
		<-full // nobody goes on before the limit is reached: fewer would wait for ever
		return nil
	}), nil)
	if err != nil || most.Load() != limit {
		t.Errorf("%v, at most %d at once; want %d", err, most.Load(), limit)
	}
}

func TestRunBulk_SaysWhatBecameOfEach(t *testing.T) {
	var mu sync.Mutex
	last := map[string]sdk.Progress{}
	r, err := sdk.RunBulk(t.Context(), "clone", 2, items(4, func(_ context.Context, i int) error {
		switch i {
		case 1:
			return sdk.Skip("it exists already")
		case 2:
			return sdk.Conflictf("the name is taken")
		}
		return nil
	}), func(p sdk.Progress) {
		mu.Lock()
		defer mu.Unlock()
		last[p.Stage+" "+p.Item] = p
	})
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || len(partial.Done) != 3 || !errors.Is(partial.Failed["vm-2"], sdk.ErrConflict) {
		t.Errorf("error = %v", err)
	}
	if got, want := err.Error(), "clone: 3 done, 1 failed: vm-2: the name is taken"; got != want {
		t.Errorf("error = %q; want %q", got, want)
	}
	for i := range r.Items {
		r.Items[i].TookSeconds = 0
	}
	text, jerr := json.Marshal(r)
	want := `{"total":4,"succeeded":2,"skipped":1,"failed":1,"canceled":0,"items":[` +
		`{"name":"vm-0","status":"succeeded","took_seconds":0},{"name":"vm-1","status":"skipped","message":"it exists already","took_seconds":0},` +
		`{"name":"vm-2","status":"failed","message":"the name is taken","took_seconds":0},{"name":"vm-3","status":"succeeded","took_seconds":0}]}`
	if jerr != nil || string(text) != want {
		t.Errorf("%v, got %s\nwant %s", jerr, text, want)
	}
	for item, status := range map[string]sdk.Status{"clone vm-0": sdk.Succeeded, "clone vm-1": sdk.Skipped, "clone vm-2": sdk.Failed} {
		if last[item].Status != status {
			t.Errorf("the last report of %s is %+v; want %s", item, last[item], status)
		}
	}
}

func TestRunBulk_NothingDoneIsNotPartial(t *testing.T) {
	var partial *sdk.PartialError
	_, err := sdk.RunBulk(t.Context(), "clone", 0, items(2, func(context.Context, int) error { return sdk.NotFoundf("no such template") }), nil)
	if errors.As(err, &partial) || !errors.Is(err, sdk.ErrNotFound) || !strings.Contains(err.Error(), "all 2 failed") {
		t.Errorf("error = %v", err)
	}
	_, err = sdk.RunBulk(t.Context(), "clone", 0, items(1, func(context.Context, int) error { return sdk.NotFoundf("no such template") }), nil)
	if got, want := err.Error(), `clone "vm-0": no such template`; got != want {
		t.Errorf("error = %q; want %q", got, want)
	}
	if r, err := sdk.RunBulk(t.Context(), "clone", 0, nil, nil); err != nil || r.Total != 0 {
		t.Errorf("of nothing: %+v, %v", r, err)
	}
}

func TestRunBulk_ACancelBeginsNothingMore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var begun atomic.Int32
	r, err := sdk.RunBulk(ctx, "clone", 1, items(5, func(ctx context.Context, i int) error {
		begun.Add(1)
		if i == 0 {
			return nil
		}
		cancel()
		return fmt.Errorf("the task was canceled: %w", ctx.Err())
	}), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if begun.Load() != 2 || r.Succeeded != 1 || r.Canceled != 4 {
		t.Errorf("%d begun, result %+v", begun.Load(), r)
	}
}

func TestRunBulk_DoneSaysHow(t *testing.T) {
	r, err := sdk.RunBulk(t.Context(), "stop", 0, items(1, func(context.Context, int) error { return sdk.Done("powered off %s", "hard") }), nil)
	if err != nil || r.Succeeded != 1 || r.Items[0].Status != sdk.Succeeded || r.Items[0].Message != "powered off hard" {
		t.Errorf("got %v and %+v", err, r)
	}
}
