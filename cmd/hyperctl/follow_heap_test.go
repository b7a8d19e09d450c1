package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// The lines of output after which heapctl tells how many bytes live on its heap.
const (
	heapWarm = 1000
	heapEnd  = 10000
	heapLive = 200 // of them happen while it follows; the simulator takes long for more
)

// heapctl is hyperctl that counts the lines it prints, and tells on stderr how many bytes live on its heap.
func heapctl() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := commands("test")
	root.SetOut(new(heapTeller))
	cli.Run(ctx, root, os.Args[1:])
}

type heapTeller struct{ lines int }

func (h *heapTeller) Write(p []byte) (int, error) {
	before := h.lines
	h.lines += bytes.Count(p, []byte("\n"))
	for _, mark := range []int{heapWarm, heapEnd} {
		if before < mark && h.lines >= mark {
			var stats runtime.MemStats
			runtime.GC()
			runtime.GC() // what the first one only prepared: finalizers, pools
			runtime.ReadMemStats(&stats)
			fmt.Fprintf(os.Stderr, "heap %d %d\n", mark, stats.HeapAlloc)
		}
	}
	return len(p), nil
}

// post writes so many events, by several clients at once.
func post(t *testing.T, v *demo.VCenter, n int) {
	t.Helper()
	const clients = 4
	var posting sync.WaitGroup
	for range clients {
		posting.Go(func() {
			u, err := soap.ParseURL(v.URL())
			if err != nil {
				t.Error(err)
				return
			}
			u.User = url.UserPassword(v.Username(), v.Password())
			c, err := govmomi.NewClient(t.Context(), u, true)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range n / clients {
				e := &types.GeneralUserEvent{GeneralEvent: types.GeneralEvent{Message: fmt.Sprintf("no. %d: %s", i, strings.Repeat("x", 200))}}
				if err := event.NewManager(c.Client).PostEvent(t.Context(), e); err != nil {
					t.Error(err)
					return
				}
			}
			_ = c.Logout(t.Context())
		})
	}
	posting.Wait()
}

func TestEventsFollow_TenThousandInFlatMemory(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	cmd, _, _ := program(t, v, "events", "-follow", "-since", "1h", "-json", "-types", "GeneralUserEvent")
	path, err := exec.LookPath("heapctl")
	if err != nil {
		t.Fatal(err)
	}
	var talk lockedBuffer
	cmd.Path, cmd.Args[0], cmd.Stderr = path, "heapctl", &talk
	post(t, v, heapEnd-heapLive)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first events are there", func() bool { return strings.Contains(talk.String(), "\n") })
	post(t, v, heapLive)
	eventually(t, "ten thousand events are there", func() bool { return strings.Contains(talk.String(), fmt.Sprintf("heap %d ", heapEnd)) })
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	var warm, end, base, grown int
	if _, err := fmt.Sscanf(talk.String(), "heap %d %d\nheap %d %d\n", &warm, &base, &end, &grown); err != nil {
		t.Fatalf("%v:\n%s", err, talk.String())
	}
	// The stream remembers ten thousand keys, of four bytes each and what a map needs; an event with its text is ten times as much.
	if grown -= base; grown > 1<<20 {
		t.Errorf("%d bytes more live on the heap after %d events than after %d", grown, end, warm)
	}
}
