package main

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// keysOf collects the keys of the events that come as lines of JSON.
type keysOf struct {
	mu   sync.Mutex
	keys []int32
}

func (k *keysOf) read(t *testing.T, r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var e vsphere.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Errorf("%s: %v", lines.Text(), err)
		}
		k.mu.Lock()
		k.keys = append(k.keys, e.Key)
		k.mu.Unlock()
	}
}

func (k *keysOf) all() []int32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys)
}

// powerAll switches all VMs, which makes an event of each.
func powerAll(t *testing.T, v *demo.VCenter, action vsphere.PowerAction) {
	t.Helper()
	withClient(t, v, func(c *vsphere.Client) {
		vms, err := c.FindVMs(t.Context(), []string{"*"})
		if err == nil {
			_, err = sdk.RunBulk(t.Context(), "power", 8, c.VMItems(vsphere.VMPowerSpec{Action: action}, vms), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

func withClient(t *testing.T, v *demo.VCenter, do func(*vsphere.Client)) {
	t.Helper()
	c, err := vsphere.Dial(t.Context(), vsphere.Config{URL: v.URL(), Username: v.Username(), Password: vsphere.Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context()) //nolint:errcheck // the simulator's
	do(c)
}

// vCenter dies under events -follow and comes back; more happens than a page of events holds, before and after the follower is back.
func TestEventsFollow_OverARestartedVCenter(t *testing.T) {
	const vms, page = 26, 100
	types := []string{"VmPoweredOnEvent", "VmPoweredOffEvent"}
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: vms})
	cmd, _, _ := program(t, v, "events", "-follow", "-since", "1h", "-json", "-types", strings.Join(types, ","))
	var talk lockedBuffer
	cmd.Stdout, cmd.Stderr = nil, &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got keysOf
	var reading sync.WaitGroup
	reading.Go(func() { got.read(t, out) })
	powerAll(t, v, vsphere.ActionOff)
	eventually(t, "the events before the restart are there", func() bool { return len(got.all()) >= vms })
	end := v.Outage(true)
	eventually(t, "the outage is noticed", func() bool { return talk.lines() > 0 })
	end()
	for _, action := range []vsphere.PowerAction{vsphere.ActionOn, vsphere.ActionOff, vsphere.ActionOn, vsphere.ActionOff} {
		powerAll(t, v, action)
	}
	var want []int32
	withClient(t, v, func(c *vsphere.Client) {
		r, err := c.ListEvents(t.Context(), vsphere.EventsSpec{Types: types, Limit: 10000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Events {
			want = append(want, e.Key)
		}
	})
	slices.Sort(want)
	if len(want) < 5*vms || 4*vms <= page {
		t.Fatalf("only %d events happened", len(want))
	}
	eventually(t, "all events are there", func() bool { return len(got.all()) >= len(want) })
	told := talk.String()
	if talk.lines() != 1 || !strings.Contains(told, "events are interrupted; they go on from the last one as soon as vCenter answers: last_key=") {
		t.Errorf("got on stderr, want one line that says so:\n%s", told)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	if code := codeOf(t, cmd.Wait()); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if keys := got.all(); !slices.Equal(keys, want) {
		t.Errorf("%d events came, want %d, each once and in order:\n%v\n%v", len(keys), len(want), keys, want)
	}
	if rest := strings.TrimPrefix(talk.String(), told); rest != "hyperctl: follow events: interrupted\n" {
		t.Errorf("the end is %q", rest)
	}
}

// lockedBuffer is written by a process and read meanwhile.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *lockedBuffer) lines() int { return strings.Count(b.String(), "\n") }
