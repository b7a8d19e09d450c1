package vsphere_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func hub(t *testing.T, c *vsphere.Client, keep int) *vsphere.EventHub {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h := c.StartEvents(ctx, keep)
	t.Cleanup(func() {
		cancel()
		<-h.Done()
	})
	return h
}

func watch(t *testing.T, h *vsphere.EventHub, spec vsphere.EventsSpec, since int32) *vsphere.EventWatch {
	t.Helper()
	w, err := h.Watch(t.Context(), spec, since)
	fatal(t, err)
	t.Cleanup(w.Close)
	return w
}

// wantEvents reads until so many messages came, and compares them.
func wantEvents(t *testing.T, w *vsphere.EventWatch, want ...string) (last int32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var got []string
	key := int32(0)
	for len(got) < len(want) {
		u, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		if u.Skipped > 0 {
			t.Errorf("%d events were skipped", u.Skipped)
		}
		for _, e := range u.Events {
			if e.Key <= key {
				t.Errorf("event %d came after %d", e.Key, key)
			}
			key = e.Key
			got = append(got, strings.TrimPrefix(e.Message, "User logged event: "))
		}
		last = u.Last
	}
	if g, x := strings.Join(got, ", "), strings.Join(want, ", "); g != x {
		t.Fatalf("got  %s\nwant %s", g, x)
	}
	return last
}

var users = vsphere.EventsSpec{Types: []string{"GeneralUserEvent"}}

func TestEventHub_OneStreamForAll(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	h := hub(t, dial(t, v), 0)
	post := poster(t, v)
	var watches []*vsphere.EventWatch
	for range 50 {
		watches = append(watches, watch(t, h, users, 0))
	}
	post(said("one"), said("two"))
	for _, w := range watches {
		wantEvents(t, w, "one", "two")
	}
	// One read of the newest events, one stream.
	if n := v.Calls()["CreateCollectorForEvents"]; n != 2 {
		t.Errorf("%d collectors for 50 watchers, want 2", n)
	}
}

func TestEventHub_ResumesWithoutGapOrRepeatAcrossARestart(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	h := hub(t, dial(t, v), 0)
	post := poster(t, v)
	w := watch(t, h, users, 0)
	post(said("before"))
	last := wantEvents(t, w, "before")
	w.Close()
	end := v.Outage(true)
	for deadline := time.Now().Add(2 * time.Minute); h.Status().State != vsphere.MirrorLost; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the hub is %s, want lost", h.Status().State)
		}
	}
	end()
	batch := many(150)
	post(batch...)
	again := watch(t, h, users, last)
	wantEvents(t, again, messages(batch)...)
	for deadline := time.Now().Add(2 * time.Minute); h.Status().State != vsphere.MirrorLive; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the hub is %+v, want live", h.Status())
		}
	}
	post(said("after"))
	wantEvents(t, again, "after")
	wantEvents(t, watch(t, h, users, last), append(messages(batch), "after")...)
}

func TestEventHub_BeginsWithWhatVCenterHas(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	poster(t, v)(said("old"), said("older"))
	h := hub(t, dial(t, v), 0)
	spec := users
	spec.Since = "1h"
	wantEvents(t, watch(t, h, spec, 0), "old", "older")
	wantEvents(t, watch(t, h, users, 1), "old", "older")
}

func TestEventHub_Filters(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Clusters: 2, VMs: 1})
	c := dial(t, v)
	h := hub(t, c, 0)
	for name, spec := range map[string]vsphere.EventsSpec{
		"VM": {Entity: stockVM}, "another VM": {Entity: "/DC0/vm/DC0_C1_RP0_VM0"}, "cluster": {Entity: "DC0_C0"}, "host": {Entity: "DC0_C1_H0"},
		"datacenter": {Entity: "/DC0"}, "base type": {Types: []string{"VmEvent"}}, "two types": {Types: []string{"VmPoweredOnEvent", "VmCreatedEvent"}},
		"severity": {Severity: []string{"error", "user"}}, "user": {User: "nobody"}, "all": {},
		"together": {Entity: stockVM, Types: []string{"VmPoweredOnEvent"}, Severity: []string{"info"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Since = "1h"
			listed, err := c.ListEvents(t.Context(), spec)
			fatal(t, err)
			w := watch(t, h, spec, 0)
			for i := len(listed.Events) - 1; i >= 0; {
				u, err := w.Next(t.Context())
				fatal(t, err)
				for _, e := range u.Events {
					if i < 0 || *e != listed.Events[i] {
						t.Fatalf("got %+v, want what the list has", e)
					}
					i--
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if u, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%d events more than the list has, %v", len(u.Events), err)
			}
		})
	}
}

func TestEventHub_SaysWhatItDoesNotRemember(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	h := hub(t, dial(t, v), 20)
	slow, quick := watch(t, h, users, 0), watch(t, h, users, 0)
	batch := many(60)
	poster(t, v)(batch...)
	last := int32(0)
	for got := 0; got < 60; {
		u, err := quick.Next(t.Context())
		fatal(t, err)
		got += len(u.Events) + u.Skipped
		last = u.Last
	}
	u, err := slow.Next(t.Context())
	fatal(t, err)
	if u.Skipped < 40 || len(u.Events) == 0 || len(u.Events) > 20 {
		t.Errorf("got %d events and %d skipped, want the last few and that 40 were missed", len(u.Events), u.Skipped)
	}
	_, err = h.Watch(t.Context(), users, 1)
	gone, ok := errors.AsType[*vsphere.EventsGoneError](err)
	if !ok || !errors.Is(err, sdk.ErrInvalid) || gone.Since != 1 || gone.Oldest <= 1 || gone.Oldest >= last {
		t.Fatalf("got %v, want EventsGoneError", err)
	}
	watch(t, h, users, gone.Oldest)
	spec := users
	spec.Since = "2h"
	if _, err = h.Watch(t.Context(), spec, 0); vsphere.Field(err) != "since" {
		t.Errorf("got %v on %q, want since", err, vsphere.Field(err))
	}
}

func TestEventHub_Refusals(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	h := c.StartEvents(ctx, 0)
	for field, tc := range map[string]struct {
		spec  vsphere.EventsSpec
		since int32
	}{
		"limit": {vsphere.EventsSpec{Limit: 3}, 0}, "until": {vsphere.EventsSpec{Until: "now"}, 0}, "since": {vsphere.EventsSpec{Since: "1h"}, 7},
		"entity": {vsphere.EventsSpec{Entity: "/DC0/vm"}, 0}, "types": {vsphere.EventsSpec{Types: []string{"VmPowerdOnEvent"}}, 0},
		"recursion": {vsphere.EventsSpec{Entity: stockVM, Recursion: "children"}, 0},
	} {
		if _, err := h.Watch(t.Context(), tc.spec, tc.since); vsphere.Field(err) != field {
			t.Errorf("got %v on %q, want %s", err, vsphere.Field(err), field)
		}
	}
	w := watch(t, h, users, 0)
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := w.Next(t.Context()); !errors.Is(err, sdk.ErrConflict) {
			t.Errorf("got %v from a hub that ended, want ErrConflict", err)
		}
	})
	cancel()
	wait.Wait()
	<-h.Done()
	if _, err := h.Watch(t.Context(), users, 0); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v from an ended hub, want ErrConflict", err)
	}
	if made, ended := v.Calls()["CreateCollectorForEvents"], v.Calls()["DestroyCollector"]; made != ended {
		t.Errorf("%d collectors made, %d destroyed", made, ended)
	}
}

func TestEventHub_BeginsWhereThereIsNoCollector(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	other := dial(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 32 {
		go func() {
			_ = other.StreamEvents(ctx, vsphere.EventsSpec{}, func(vsphere.Event) error { return nil }) // ends with ctx
		}()
	}
	for deadline := time.Now().Add(2 * time.Minute); v.Calls()["CreateCollectorForEvents"] < 32 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	poster(t, v)(said("asked"))
	spec := users
	spec.Since = "1h"
	wantEvents(t, watch(t, hub(t, dial(t, v), 0), spec, 0), "asked")
}
