package vsphere

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestParseURL(t *testing.T) {
	for raw, want := range map[string]string{
		"vc.example.com":                 "https://vc.example.com/sdk",
		"vc.example.com:8989":            "https://vc.example.com:8989/sdk",
		" https://vc.example.com ":       "https://vc.example.com/sdk",
		"https://vc.example.com/":        "https://vc.example.com/sdk",
		"https://vc.example.com/sdk":     "https://vc.example.com/sdk",
		"https://vc.example.com/sdk/":    "https://vc.example.com/sdk",
		"https://[2001:db8::1]:443":      "https://[2001:db8::1]:443/sdk",
		"":                               "",
		"http://vc.example.com":          "",
		"https://":                       "",
		"https://vc.example.com/ui":      "",
		"https://vc.example.com?x=1":     "",
		"https://root:hunter2@vc/sdk":    "",
		"root:hunter2@vc.example.com":    "",
		"https://root:hunter2@[vc:x/sdk": "",
	} {
		u, err := parseURL(raw)
		if want == "" {
			if !errors.Is(err, sdk.ErrInvalid) || strings.Contains(err.Error()+strings.Join(sdk.Hints(err), ""), "hunter2") {
				t.Errorf("%q: got %v %v, want ErrInvalid without the password", raw, u, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: got %v %v, want %s", raw, u, err, want)
		}
	}
}

func TestSecret_NeverShows(t *testing.T) {
	cfg := Config{URL: "vc", Password: "hunter2"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("dial", "config", cfg, "password", cfg.Password)
	if all := fmt.Sprintf("%v %+v %#v %s %q", cfg, cfg, cfg, cfg.Password, cfg.Password) + log.String(); strings.Contains(all, "hunter2") {
		t.Errorf("the secret shows: %s", all)
	}
}

func TestEscapeName(t *testing.T) {
	for written, stored := range map[string]string{
		"web-01": "web-01", "50% off": "50%25 off", "a%2fb": "a%2fb", "a%2Fb": "a%2fb", `a\b`: "a%5cb", "%": "%25", "%2": "%252", "%25": "%25",
	} {
		if got := escapeName(written); got != stored {
			t.Errorf("%q: got %q, want %q", written, got, stored)
		}
	}
	if got := unescapeName("a%2fb%5cc%25%252f"); got != `a/b\c%%2f` {
		t.Errorf("got %q", got)
	}
}

func TestClassify(t *testing.T) {
	obj := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-42"}
	for name, c := range map[string]struct {
		err  error
		want error
		text string
	}{
		"login":       {soap.WrapVimFault(&types.InvalidLogin{}), sdk.ErrDenied, ""},
		"privilege":   {soap.WrapVimFault(&types.NoPermission{Object: &obj, PrivilegeId: "VApp.Export"}), sdk.ErrDenied, "privilege VApp.Export is missing on VirtualMachine vm-42"},
		"session":     {soap.WrapVimFault(&types.NotAuthenticated{}), sdk.ErrDenied, ""},
		"gone":        {soap.WrapVimFault(&types.ManagedObjectNotFound{Obj: obj}), sdk.ErrNotFound, "VirtualMachine vm-42 does not exist"},
		"power":       {soap.WrapVimFault(&types.InvalidPowerState{ExistingState: "poweredOn", RequestedState: "poweredOff"}), sdk.ErrConflict, "the power state is poweredOn, not poweredOff"},
		"task":        {soap.WrapVimFault(&types.TaskInProgress{}), sdk.ErrConflict, ""},
		"name":        {soap.WrapVimFault(&types.DuplicateName{}), sdk.ErrConflict, ""},
		"file locked": {soap.WrapVimFault(&types.FileLocked{}), sdk.ErrConflict, ""},
		"host":        {soap.WrapVimFault(&types.HostNotConnected{}), sdk.ErrUnavailable, ""},
		"timed out":   {soap.WrapVimFault(&types.Timedout{}), sdk.ErrUnavailable, ""},
		"argument":    {soap.WrapVimFault(&types.InvalidArgument{}), sdk.ErrInvalid, ""},
		"network":     {&url.Error{Op: "Post", Err: errors.New("connection refused")}, sdk.ErrUnavailable, ""},
		"certificate": {&url.Error{Op: "Post", Err: &untrustedError{host: "vc", thumbprint: "AB", cause: errors.New("x")}}, sdk.ErrDenied, "vc is not trusted"},
		"canceled":    {&url.Error{Op: "Post", Err: context.Canceled}, context.Canceled, ""},
	} {
		got := classify(fmt.Errorf("call: %w", c.err))
		if !errors.Is(got, c.want) || !strings.Contains(got.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", name, got, c.want, c.text)
		}
		if c.want == context.Canceled && errors.Is(got, sdk.ErrUnavailable) { //nolint:errorlint // the table's value
			t.Errorf("%s: a cancellation became unavailable", name)
		}
	}
}

func TestSortDisks(t *testing.T) {
	disks := func() []Disk {
		return []Disk{
			{Key: 1, Address: "nvme0:0"}, {Key: 2, Address: "ide0:0"}, {Key: 3, Address: "sata0:10"}, {Key: 4, Address: "sata0:2"},
			{Key: 5, Address: "scsi1:0"}, {Key: 6, Address: "scsi0:12"}, {Key: 7, Address: "scsi0:2"},
		}
	}
	order := func(d []Disk) (keys []int32) {
		for _, disk := range d {
			keys = append(keys, disk.Key)
		}
		return keys
	}
	got := disks()
	sortDisks(got, nil)
	if want := []int32{7, 6, 5, 4, 3, 2, 1}; !slices.Equal(order(got), want) {
		t.Errorf("got %v, want %v", order(got), want)
	}
	got = disks()
	sortDisks(got, &types.VirtualMachineBootOptions{BootOrder: []types.BaseVirtualMachineBootOptionsBootableDevice{
		&types.VirtualMachineBootOptionsBootableEthernetDevice{DeviceKey: 4000},
		&types.VirtualMachineBootOptionsBootableDiskDevice{DeviceKey: 1}, &types.VirtualMachineBootOptionsBootableDiskDevice{DeviceKey: 3},
	}})
	if want := []int32{1, 3, 7, 6, 5, 4, 2}; !slices.Equal(order(got), want) {
		t.Errorf("configured: got %v, want %v", order(got), want)
	}
}

func TestDiskOfKey(t *testing.T) {
	vm := &VM{Disks: []Disk{
		{Address: "scsi0:1", Controller: "pvscsi"}, {Address: "scsi1:1", Controller: "lsilogic"}, {Address: "sata0:1", Controller: "ahci"},
	}}
	for key, want := range map[string]string{
		"/vm-42/ParaVirtualSCSIController0:1":     "scsi0:1",
		"/vm-42/VirtualLsiLogicController1:1":     "scsi1:1",
		"/vm-42/VirtualAHCIController0:1":         "sata0:1",
		"/vm-42/VirtualLsiLogicController0:1":     "", // the controller there is another
		"/vm-42/ParaVirtualSCSIController0:2":     "",
		"/vm-42/nvram":                            "",
		"":                                        "",
		"/vm-42/ParaVirtualSCSIController0:1/../": "",
	} {
		d, err := diskOfKey(vm, key)
		if want == "" {
			if !errors.Is(err, sdk.ErrConflict) {
				t.Errorf("%s: got %v %v, want ErrConflict", key, d, err)
			}
			continue
		}
		if err != nil || d.Address != want {
			t.Errorf("%s: got %v %v, want %s", key, d, err, want)
		}
	}
}

func TestRenewalInterval(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		5 * time.Minute: 30 * time.Second, time.Minute: 15 * time.Second, 6 * time.Second: 2 * time.Second, time.Second: 500 * time.Millisecond,
	} {
		if got := renewalInterval(timeout); got != want {
			t.Errorf("%s: got %s, want %s", timeout, got, want)
		}
	}
}

// serverFunc answers calls.
type serverFunc func(req, res soap.HasFault) error

func (f serverFunc) RoundTrip(_ context.Context, req, res soap.HasFault) error { return f(req, res) }

// renewing runs a lease's renewals against answers for so long, in fake time, and returns how it stands.
func renewing(t *testing.T, timeout, after time.Duration, answer func(at time.Duration) error) (renewals int, err error) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := &Client{log: slog.New(slog.DiscardHandler), vim: &vim25.Client{RoundTripper: serverFunc(func(soap.HasFault, soap.HasFault) error {
			renewals++
			return answer(time.Since(start))
		})}}
		l := newLease(c, &VM{Name: "web"}, types.ManagedObjectReference{Type: "HttpNfcLease", Value: "lease-1"})
		l.timeout = timeout
		ctx, cancel := context.WithTimeout(t.Context(), after)
		defer cancel()
		l.renew(ctx)
		err = l.Err()
	})
	return renewals, err
}

func TestLease_RenewsUntilStopped(t *testing.T) {
	n, err := renewing(t, time.Minute, 10*time.Minute, func(time.Duration) error { return nil })
	if n < 39 || n > 40 || err != nil {
		t.Errorf("got %d renewals and %v in ten minutes, want one each 15 s", n, err)
	}
}

func TestLease_SurvivesRefusedRenewals(t *testing.T) {
	_, err := renewing(t, time.Minute, 10*time.Minute, func(at time.Duration) error {
		if at > time.Minute && at < 100*time.Second {
			return sdk.Unavailablef("no route to host")
		}
		return nil
	})
	if err != nil {
		t.Errorf("got %v, want the lease kept through 40 s without vCenter", err)
	}
}

func TestLease_IsLostAfterItsTimeout(t *testing.T) {
	_, err := renewing(t, time.Minute, 10*time.Minute, func(at time.Duration) error {
		if at > time.Minute {
			return sdk.Unavailablef("no route to host")
		}
		return nil
	})
	if !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("got %v, want the lease lost", err)
	}
}

func TestLease_IsLostWhenItIsGone(t *testing.T) {
	n, err := renewing(t, time.Minute, 10*time.Minute, func(time.Duration) error {
		return classify(notFound(types.ManagedObjectReference{Type: "HttpNfcLease", Value: "lease-1"}))
	})
	if n != 1 || err == nil {
		t.Errorf("got %d renewals and %v, want the lease lost at the first", n, err)
	}
}

func TestSession_WrongPasswordIsTriedOnce(t *testing.T) {
	logins := 0
	s := newSession(serverFunc(func(soap.HasFault, soap.HasFault) error {
		return soap.WrapVimFault(&types.NotAuthenticated{})
	}), 1, func(context.Context) error {
		logins++
		return soap.WrapVimFault(&types.InvalidLogin{})
	}, slog.New(slog.DiscardHandler))
	for range 3 {
		err := s.RoundTrip(t.Context(), &methods.CurrentTimeBody{}, &methods.CurrentTimeBody{})
		if !errors.Is(err, sdk.ErrDenied) {
			t.Errorf("got %v, want ErrDenied", err)
		}
	}
	if logins != 1 {
		t.Errorf("got %d logins, want 1, or the account gets locked", logins)
	}
}

func TestSession_RepeatsReadsOnlyAfterADeadConnection(t *testing.T) {
	for _, c := range []struct {
		req  soap.HasFault
		want int
	}{{&methods.CurrentTimeBody{}, 2}, {&methods.PowerOnVM_TaskBody{}, 1}} {
		n := 0
		s := newSession(serverFunc(func(soap.HasFault, soap.HasFault) error {
			n++
			return &url.Error{Op: "Post", Err: errors.New("EOF")}
		}), 1, nil, slog.New(slog.DiscardHandler))
		if err := s.RoundTrip(t.Context(), c.req, &methods.CurrentTimeBody{}); !errors.Is(err, sdk.ErrUnavailable) || n != c.want {
			t.Errorf("%T: got %d calls and %v, want %d", c.req, n, err, c.want)
		}
	}
}

func TestSession_BoundsCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		s := newSession(serverFunc(func(soap.HasFault, soap.HasFault) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}), 1, nil, slog.New(slog.DiscardHandler))
		for range 5 {
			go func() { _ = s.RoundTrip(t.Context(), &methods.CurrentTimeBody{}, &methods.CurrentTimeBody{}) }()
		}
		time.Sleep(10 * time.Second)
		if got := most.Load(); got != 1 {
			t.Errorf("got %d calls at once, want 1", got)
		}
	})
}
