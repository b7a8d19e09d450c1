package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// poster writes events with a client of its own, so that the SDK's session may end.
func poster(t *testing.T, v *demo.VCenter) func(...types.BaseEvent) {
	t.Helper()
	return func(events ...types.BaseEvent) {
		t.Helper()
		u, err := soap.ParseURL(v.URL())
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(v.Username(), v.Password())
		c, err := govmomi.NewClient(t.Context(), u, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := event.NewManager(c.Client).PostEvent(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func said(text string) types.BaseEvent {
	return &types.GeneralUserEvent{GeneralEvent: types.GeneralEvent{Message: text}}
}

func many(n int) []types.BaseEvent {
	var events []types.BaseEvent
	for i := range n {
		events = append(events, said(fmt.Sprintf("no. %d", i)))
	}
	return events
}

func TestListEvents_PowerOnOfAVM(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	before := v.Calls()
	got, err := c.ListEvents(t.Context(), vsphere.EventsSpec{Entity: stockVM, Types: []string{"VmPoweredOnEvent"}, Since: "1h"})
	if err != nil || len(got.Events) != 1 {
		t.Fatalf("got %+v %v, want one event", got, err)
	}
	e := got.Events[0]
	if e.EventType != "VmPoweredOnEvent" || e.Severity != "info" || e.Category != "vm" || e.Entity != "DC0_C0_RP0_VM0" ||
		e.EntityType != "VirtualMachine" || e.VM != e.Entity || e.Host == "" || e.Datacenter != "DC0" || e.Key == 0 || e.CreatedAt.IsZero() ||
		!strings.Contains(e.Message, "is powered on") {
		t.Errorf("got %+v", e)
	}
	if n := calls(before, v.Calls()); n > 6 { // types, clock, path; collector, page, farewell
		t.Errorf("%d calls, want at most 6", n)
	}
	before = v.Calls()
	if _, err := c.ListEvents(t.Context(), vsphere.EventsSpec{Entity: stockVM, Since: "1h"}); err != nil {
		t.Fatal(err)
	}
	if n := calls(before, v.Calls()); n > 3 {
		t.Errorf("%d calls the second time, want at most 3", n)
	}
}

func TestListEvents_MoreThanAThousand(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	poster(t, v)(many(1207)...)
	got, err := c.ListEvents(t.Context(), vsphere.EventsSpec{Severity: []string{"user"}, Limit: 5000})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Events) != 1207 || got.Truncated {
		t.Fatalf("got %d events, truncated %v, want 1207, all", len(got.Events), got.Truncated)
	}
	for i, e := range got.Events {
		if want := fmt.Sprintf("User logged event: no. %d", 1206-i); e.Message != want {
			t.Fatalf("event %d is %q, want %q: the newest first", i, e.Message, want)
		}
	}
	got, err = c.ListEvents(t.Context(), vsphere.EventsSpec{Severity: []string{"user"}, Limit: 1100})
	if err != nil || len(got.Events) != 1100 || !got.Truncated {
		t.Errorf("got %d events, truncated %v, %v; want 1100 and more there", len(got.Events), got.Truncated, err)
	}
	if made, ended := v.Calls()["CreateCollectorForEvents"], v.Calls()["DestroyCollector"]; made != ended {
		t.Errorf("%d collectors made, %d destroyed", made, ended)
	}
}

func TestListEvents_Filters(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	poster(t, v)(said("hello"), &types.EventEx{EventTypeId: "com.example.backup", Severity: "warning", Message: "backup is late"})
	for name, tc := range map[string]struct {
		spec vsphere.EventsSpec
		want func(vsphere.Event) bool
	}{
		"base type":     {vsphere.EventsSpec{Types: []string{"VmEvent"}}, func(e vsphere.Event) bool { return e.Category == "vm" }},
		"id of EventEx": {vsphere.EventsSpec{Types: []string{"com.example.backup"}}, func(e vsphere.Event) bool { return e.Message == "backup is late" }},
		"severity":      {vsphere.EventsSpec{Severity: []string{"warning"}}, func(e vsphere.Event) bool { return e.Severity == "warning" }},
		"user":          {vsphere.EventsSpec{User: v.Username(), Types: []string{"GeneralUserEvent"}}, func(e vsphere.Event) bool { return e.User == v.Username() }},
		"cluster":       {vsphere.EventsSpec{Entity: "DC0_C0", Types: []string{"VmPoweredOnEvent"}}, func(e vsphere.Event) bool { return e.VM != "" }},
		"moref":         {vsphere.EventsSpec{Entity: "/DC0", Recursion: "children", Types: []string{"VmEvent"}}, func(e vsphere.Event) bool { return e.VM != "" }},
	} {
		got, err := c.ListEvents(t.Context(), tc.spec)
		if err != nil || len(got.Events) == 0 || slices.ContainsFunc(got.Events, func(e vsphere.Event) bool { return !tc.want(e) }) {
			t.Errorf("%s: got %+v %v", name, got, err)
		}
	}
	none, err := c.ListEvents(t.Context(), vsphere.EventsSpec{User: "nobody"})
	if err != nil || len(none.Events) != 0 || none.Events == nil {
		t.Errorf("got %+v %v, want an empty list", none, err)
	}
}

func TestListEvents_Refusals(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	for name, tc := range map[string]struct {
		spec  vsphere.EventsSpec
		kind  error
		field string
		hint  string
	}{
		"type":      {vsphere.EventsSpec{Types: []string{"VmPoweredOnEvnt"}}, sdk.ErrInvalid, "types", "did you mean VmPoweredOnEvent"},
		"lower":     {vsphere.EventsSpec{Types: []string{"vmpoweredonevent"}}, sdk.ErrInvalid, "types", "did you mean VmPoweredOnEvent"},
		"severity":  {vsphere.EventsSpec{Severity: []string{"warn"}}, sdk.ErrInvalid, "severity", "info, user, warning, error"},
		"since":     {vsphere.EventsSpec{Since: "yesterday"}, sdk.ErrInvalid, "since", "24h ago"},
		"order":     {vsphere.EventsSpec{Since: "1h", Until: "2h"}, sdk.ErrInvalid, "since", "RFC 3339"},
		"limit":     {vsphere.EventsSpec{Limit: -1}, sdk.ErrInvalid, "limit", ""},
		"recursion": {vsphere.EventsSpec{Recursion: "deep"}, sdk.ErrInvalid, "recursion", "children"},
		"entity":    {vsphere.EventsSpec{Entity: "DC0_C0_RP0_VM7"}, sdk.ErrNotFound, "entity", "did you mean DC0_C0_RP0_VM0"},
		"path":      {vsphere.EventsSpec{Entity: "/DC0/vm/none"}, sdk.ErrNotFound, "entity", "/DC0/vm exists"},
	} {
		_, err := c.ListEvents(t.Context(), tc.spec)
		if !errors.Is(err, tc.kind) || vsphere.Field(err) != tc.field || !strings.Contains(strings.Join(sdk.Hints(err), " "), tc.hint) {
			t.Errorf("%s: got %v, field %q, hints %q; want %v on %s with %q", name, err, vsphere.Field(err), sdk.Hints(err), tc.kind, tc.field, tc.hint)
		}
	}
	if n := v.Calls()["CreateCollectorForEvents"]; n != 0 {
		t.Errorf("%d collectors for what is refused", n)
	}
}

// following collects the messages of a stream.
type following struct {
	got  chan string
	done chan error
	stop context.CancelFunc
}

func follow(t *testing.T, c *vsphere.Client, spec vsphere.EventsSpec) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{got: make(chan string, 10000), done: make(chan error, 1), stop: cancel}
	go func() {
		f.done <- c.StreamEvents(ctx, spec, func(e vsphere.Event) error {
			f.got <- strings.TrimPrefix(e.Message, "User logged event: ")
			return nil
		})
	}()
	t.Cleanup(cancel)
	return f
}

func (f *following) want(t *testing.T, want ...string) {
	t.Helper()
	for i, w := range want {
		select {
		case got := <-f.got:
			if got != w {
				t.Fatalf("event %d is %q, want %q", i, got, w)
			}
		case err := <-f.done:
			t.Fatalf("the stream ended: %v", err)
		case <-time.After(30 * time.Second):
			t.Fatalf("event %d, %q, did not come", i, w)
		}
	}
}

func messages(events []types.BaseEvent) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.(*types.GeneralUserEvent).Message)
	}
	return out
}

func TestStreamEvents_EachOnceAcrossLostSessions(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	post := poster(t, v)
	post(said("old"))
	f := follow(t, c, vsphere.EventsSpec{Types: []string{"GeneralUserEvent"}, Since: "1h"})
	f.want(t, "old")
	for round := range 3 {
		text := fmt.Sprintf("round %d", round)
		post(said(text + " before"))
		f.want(t, text+" before")
		v.EndSessions()
		batch := many(150) // more than a page, while nobody listens
		post(batch...)
		f.want(t, messages(batch)...)
	}
	post(said("last"))
	f.want(t, "last")
	f.stop()
	if err := <-f.done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if len(f.got) != 0 {
		t.Errorf("%d events came twice: %q", len(f.got), <-f.got)
	}
}

func TestStreamEvents_PushedNotPolled(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	f := follow(t, dial(t, v), vsphere.EventsSpec{Types: []string{"GeneralUserEvent"}, Since: "1h"})
	post := poster(t, v)
	post(said("first"))
	f.want(t, "first")
	before := v.Calls()
	for i := range 5 {
		post(said(fmt.Sprint(i)))
		f.want(t, fmt.Sprint(i))
	}
	after := v.Calls()
	for _, method := range []string{"QueryEvents", "ReadNextEvents", "CreateCollectorForEvents"} {
		if n := after[method] - before[method]; n != 0 {
			t.Errorf("%d calls of %s for events that are pushed", n, method)
		}
	}
}

func TestStreamEvents_AsksWhereThereIsNoCollector(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c, other := dial(t, v), dial(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	for range 32 {
		go func() {
			_ = other.StreamEvents(ctx, vsphere.EventsSpec{}, func(vsphere.Event) error { return nil }) // ends with ctx
		}()
	}
	defer cancel()
	deadline := time.Now().Add(30 * time.Second)
	for v.Calls()["CreateCollectorForEvents"] < 32 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	poster(t, v)(said("asked"))
	f := follow(t, c, vsphere.EventsSpec{Types: []string{"GeneralUserEvent"}, Since: "1h"})
	f.want(t, "asked")
	if n := v.Calls()["QueryEvents"]; n == 0 {
		t.Error("nothing was asked")
	}
	if _, err := c.ListEvents(t.Context(), vsphere.EventsSpec{}); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}

func TestStreamEvents_EndsWithItsUser(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	enough := errors.New("enough")
	err := dial(t, v).StreamEvents(t.Context(), vsphere.EventsSpec{Since: "1h"}, func(vsphere.Event) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("got %v, want the user's error", err)
	}
	if made, ended := v.Calls()["CreateCollectorForEvents"], v.Calls()["DestroyCollector"]; made != ended {
		t.Errorf("%d collectors made, %d destroyed", made, ended)
	}
	err = dial(t, v).StreamEvents(t.Context(), vsphere.EventsSpec{Limit: 3}, nil)
	if !errors.Is(err, sdk.ErrInvalid) || vsphere.Field(err) != "limit" {
		t.Errorf("got %v, want ErrInvalid on limit", err)
	}
}
