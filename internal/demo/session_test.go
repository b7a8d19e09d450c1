package demo_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func TestLogin_WrongPassword(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	for name, user := range map[string]*url.Userinfo{
		"wrong password": url.UserPassword(v.Username(), v.Password()+"x"),
		"no password":    url.UserPassword(v.Username(), ""),
		"wrong user":     url.UserPassword("root", v.Password()),
	} {
		t.Run(name, func(t *testing.T) {
			wantFault[*types.InvalidLogin](t, dial(t, v).Login(t.Context(), user))
		})
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("got %d sessions, want none", got)
	}
}

func TestLogin_NoOtherWayIn(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	_, err := methods.LoginByToken(t.Context(), c.Client, &types.LoginByToken{This: *c.ServiceContent.SessionManager})
	wantFault[*types.InvalidLogin](t, err)
}

func TestSession_NothingIsReadWithoutOne(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	var root mo.Folder
	err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), c.ServiceContent.RootFolder, []string{"name"}, &root)
	wantFault[*types.NotAuthenticated](t, err)
	if !soap.IsSoapFault(err) {
		t.Errorf("got %T, want the call itself refused", err)
	}
	if s, err := c.SessionManager.UserSession(t.Context()); s != nil || err != nil {
		t.Errorf("got session %v and %v, want none", s, err)
	}
}

func TestSession_EndsWhenIdle(t *testing.T) {
	v := rig.VCenter(t, demo.Options{SessionIdle: 50 * time.Millisecond, Guests: []demo.Guest{guest(t, webPath)}})
	c := login(t, v)
	if got, want := v.Sessions(), 1; got != want {
		t.Fatalf("got %d sessions, want %d", got, want)
	}
	eventually(t, "the session's end", func() bool { return v.Sessions() == 0 })
	var root mo.Folder
	err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), c.ServiceContent.RootFolder, []string{"name"}, &root)
	wantFault[*types.NotAuthenticated](t, err)
}

func TestSession_IdleOneLosesItsLeaseWithoutAnotherCall(t *testing.T) {
	v := rig.VCenter(t, demo.Options{SessionIdle: time.Second, Guests: []demo.Guest{guest(t, webPath)}})
	c := login(t, v)
	_, info := export(t, findVM(t, c, webPath))
	eventually(t, "the lease's end", func() bool {
		res, _, err := get(t, c, "HEAD", info.DeviceUrl[0].Url, nil) // no cookie: not a sign of life
		return err == nil && res.StatusCode == 404
	})
}

func TestSession_PendingWaitIsNotIdleAndEndsWithIt(t *testing.T) {
	v := rig.VCenter(t, demo.Options{SessionIdle: 100 * time.Millisecond})
	c := login(t, v)
	ended := make(chan error, 1)
	pc, err := property.DefaultCollector(c.Client).Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- property.Wait(t.Context(), pc, c.ServiceContent.RootFolder, []string{"name"},
			func([]types.PropertyChange) bool { return false })
	}()
	eventually(t, "the wait", func() bool { return v.Calls()["WaitForUpdatesEx"] >= 2 })
	select {
	case err := <-ended:
		t.Fatalf("the wait ended while idle: %v", err)
	case <-time.After(300 * time.Millisecond): // three times the limit
	}
	v.EndSessions()
	if err := <-ended; err == nil {
		t.Error("the wait outlived its session without an error")
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("got %d sessions, want none", got)
	}
}

func TestCalls_AreCountedByMethod(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}})
	if got := v.Calls(); len(got) != 0 {
		t.Errorf("got %v before the first call, want none", got)
	}
	c := login(t, v)
	findVM(t, c, webPath)
	findVM(t, c, webPath)
	got := v.Calls()
	if got["Login"] != 1 || got["FindByInventoryPath"] != 2 {
		t.Errorf("got %v, want one Login and two FindByInventoryPath", got)
	}
}
