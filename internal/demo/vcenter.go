package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// VCenter is a running simulated vCenter.
type VCenter struct {
	opts         Options
	url          *url.URL
	certificates *certificates
	dir          string // of ours: the CA's file, empty disks
	model        *simulator.Model
	registry     *simulator.Registry
	datastore    *os.Root
	server       *http.Server
	sessions     *sessions
	leases       *leases
	rest         *restService
	events       *eventLog
	machines     map[types.ManagedObjectReference]*machine // of the guests
	stock        map[types.ManagedObjectReference]bool     // the VMs that the inventory began with
	flats        map[string]*image                         // by path on the datastore
	calls        counts
	sent         atomic.Int64
	faults       faultState
	restless     atomic.Bool // hosts have changed since the start
	tasks        longTasks
	clones       clones
	outages      outages
	turns        turns
	told         sync.Map // *told by *simulator.PropertyCollector
	changes      changes
	seed         maphash.Seed // of digests

	emptyMu sync.Mutex
	empties map[int64]*image // by capacity

	done       chan struct{}
	goroutines sync.WaitGroup
	closeOnce  sync.Once
	closeErr   error
}

// Start makes the inventory and the VMDKs and serves. Everything it makes is gone after Close but the cache. Canceling ctx
// stops a start under way; it does not stop a vCenter that runs.
func Start(ctx context.Context, opts Options) (*VCenter, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	images, err := openImages(ctx, opts)
	if err != nil {
		return nil, err
	}
	v := &VCenter{
		opts: opts, leases: &leases{byID: map[string]*lease{}}, done: make(chan struct{}),
		machines: map[types.ManagedObjectReference]*machine{}, stock: map[types.ManagedObjectReference]bool{},
		flats: map[string]*image{}, empties: map[int64]*image{}, seed: maphash.MakeSeed(),
	}
	v.faults.set(opts.Faults)
	if err := v.start(ctx, images); err != nil {
		return nil, errors.Join(err, v.Close()) //nolint:contextcheck // closing has a time-out of its own
	}
	return v, nil
}

// openImages opens the disks of all guests. It comes first: nothing else takes long or fails often.
func openImages(ctx context.Context, opts Options) ([][]*image, error) {
	all := make([][]*image, len(opts.Guests))
	for i, g := range opts.Guests {
		for _, d := range g.Disks {
			img, err := openImage(ctx, d, opts.CacheDir)
			if err != nil {
				return nil, fmt.Errorf("guest %q: %w", g.Path, err)
			}
			all[i] = append(all[i], img)
		}
	}
	return all, nil
}

func (v *VCenter) start(ctx context.Context, images [][]*image) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", v.opts.Listen)
	if err != nil {
		return sdk.Kind(sdk.ErrConflict, err)
	}
	if err := v.prepare(ctx, listener.Addr(), images); err != nil {
		return errors.Join(err, listener.Close())
	}
	v.serve(wire{listener, &v.sent})
	return nil
}

// prepare makes everything that serving needs.
func (v *VCenter) prepare(ctx context.Context, addr net.Addr, images [][]*image) error {
	host, err := reachedAt(v.opts.Listen, addr)
	if err != nil {
		return err
	}
	v.url = listenURL(host)
	if v.certificates, err = newCertificates(v.url.Hostname()); err != nil {
		return err
	}
	if v.dir, err = os.MkdirTemp("", "hypersdk-demo-"); err != nil {
		return err
	}
	if err := os.WriteFile(v.CAFile(), v.certificates.caPEM, 0o600); err != nil {
		return err
	}
	if v.model, err = newModel(v.opts); err != nil {
		return err
	}
	v.registry = v.model.Map()
	v.sessions = &sessions{
		registry: v.registry, idle: v.opts.SessionIdle, ended: v.endLeases, released: v.release, now: time.Now, known: map[string]*activity{},
	}
	for _, ref := range v.registry.AllReference("VirtualMachine") {
		v.stock[ref.Reference()] = true
	}
	if err := v.addGuests(ctx, images); err != nil {
		return err
	}
	if err := v.rename(); err != nil {
		return err
	}
	v.settlePools()
	v.registry.AddHandler(&poolWatch{v: v})
	v.registry.AddHandler(&taskWatch{&v.turns})
	v.registry.AddHandler(&v.changes)
	if v.events, err = newEventLog(v); err != nil {
		return err
	}
	v.configure()
	return nil
}

// addGuests makes the guests' VMs in their order, so that their references are the same at each start.
func (v *VCenter) addGuests(ctx context.Context, images [][]*image) error {
	inv, err := newInventory(ctx, v.model)
	if err != nil {
		return err
	}
	if v.datastore, err = os.OpenRoot(inv.datastore.Summary.Url); err != nil {
		return err
	}
	if v.opts.DatastoreCluster {
		if err := inv.fillCluster(ctx); err != nil {
			return err
		}
	}
	v.registry.AddHandler(newPowerWatch(v.machine))
	for i, g := range v.opts.Guests {
		m, err := inv.addGuest(ctx, i, g, images[i])
		if err != nil {
			return fmt.Errorf("guest %q: %w", g.Path, err)
		}
		v.machines[m.vm.Self] = m
		for name, img := range m.flats {
			v.flats[name] = img
		}
		if err := v.powerOn(ctx, inv.client, m); err != nil {
			return fmt.Errorf("guest %q: power on: %w", g.Path, err)
		}
	}
	v.configureClusters() // they count the guests, too
	return nil
}

// powerOn brings the guest into its first state.
func (v *VCenter) powerOn(ctx context.Context, client *vim25.Client, m *machine) error {
	if !m.guest.PoweredOn {
		sim := backgroundContext(v.model.Service)
		sim.WithLock(m.vm, func() { m.report(sim) })
		return nil
	}
	task, err := object.NewVirtualMachine(client, m.vm.Self).PowerOn(ctx)
	if err != nil {
		return err
	}
	return task.Wait(ctx)
}

// configure tells the simulator's service what its own server would have told it.
func (v *VCenter) configure() {
	svc := v.model.Service
	svc.Listen = &url.URL{Scheme: v.url.Scheme, Host: v.url.Host, Path: v.url.Path, User: url.UserPassword(v.opts.Username, v.opts.Password)}
	manager := v.registry.SessionManager()
	manager.ServiceHostName = v.url.Host
	manager.ValidLogin = func(req *types.Login) bool { return v.validLogin(req.UserName, req.Password) }
	manager.TLS = func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{v.certificates.server}} }
	v.registry.OptionManager().UpdateOptions(&types.UpdateOptions{ChangedValue: []types.BaseOptionValue{
		&types.OptionValue{Key: "vcsim.server.url", Value: v.url.String()},
	}})
	v.keepMore()
	v.registry.Handler = v.handle
	svc.RegisterSDK(v.registry, vim25.Path+"/vimService")
	svc.ServeMux.HandleFunc(vim25.Path+"/vimServiceVersions.xml", svc.ServiceVersions)
	v.rest = v.newREST()
	svc.ServeMux.Handle("/rest/com/vmware/cis/", v.rest)
	svc.ServeMux.HandleFunc("/folder/", v.serveFolder)
	svc.ServeMux.HandleFunc("/nfc/{lease}/{file}", v.serveNFC)
}

// serve starts the server: HTTP/1.1 as vCenter's, since a lease's transfers are chunked.
func (v *VCenter) serve(listener net.Listener) {
	v.server = &http.Server{
		Handler:           http.HandlerFunc(v.front),
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // cut transfers are no news
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{v.certificates.server}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		},
		Protocols: new(http.Protocols),
	}
	v.server.Protocols.SetHTTP1(true)
	v.goroutines.Go(func() { _ = v.server.ServeTLS(listener, "", "") }) // ends with Close
	if v.opts.SessionIdle > 0 {
		v.goroutines.Go(func() { v.sessions.watch(v.done) })
	}
}

// maxRequest bounds the body of a SOAP call.
const maxRequest = 16 << 20

// front sees each request first: it adds the latency and keeps count of the session's activity.
func (v *VCenter) front(w http.ResponseWriter, r *http.Request) {
	if v.outages.away() {
		panic(http.ErrAbortHandler) // the connection is cut
	}
	if !v.delay(r.Context()) {
		return
	}
	if r.URL.Path == vim25.Path || r.URL.Path == vim25.Path+"/vimService" {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	}
	v.sessions.sweep()
	if cookie, err := r.Cookie(soap.SessionCookieName); err == nil && v.sessions.alive(cookie.Value) {
		end := v.sessions.begin(cookie.Value)
		defer end()
	}
	if r.Method == http.MethodPost && r.URL.Path == vim25.Path {
		v.serveSOAP(w, r)
		return
	}
	v.model.Service.ServeMux.ServeHTTP(w, r)
}

// delay waits for the latency and says whether the call is still wanted.
func (v *VCenter) delay(ctx context.Context) bool {
	if v.opts.Latency <= 0 {
		return true
	}
	select {
	case <-time.After(v.opts.Latency):
		return true
	case <-ctx.Done():
	case <-v.done:
	}
	return false
}

// reachedAt is the host and port that clients are told: an address that listens everywhere is reached at loopback.
func reachedAt(listen string, addr net.Addr) (string, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// URL is https://host:port/sdk, without user.
func (v *VCenter) URL() string { return v.url.String() }

// Username logs in, with Password.
func (v *VCenter) Username() string { return v.opts.Username }

// Password logs in, with Username.
func (v *VCenter) Password() string { return v.opts.Password }

// CAFile is a PEM file with the CA that signed the server's certificate.
func (v *VCenter) CAFile() string { return filepath.Join(v.dir, "ca.pem") }

// Thumbprint is the SHA-256 of the server's certificate, with colons.
func (v *VCenter) Thumbprint() string { return v.certificates.thumbprint() }

// Calls counts the SOAP calls so far by method, transfers under "GET /nfc" and "GET /folder", and calls of the REST service
// by what they do: "REST login", "REST GET tag", "REST list-attached-tags-on-objects".
func (v *VCenter) Calls() map[string]int { return v.calls.all() }

// Sessions is the number of logged-in sessions, those of the REST service among them.
func (v *VCenter) Sessions() int {
	v.sessions.sweep()
	return len(v.sessions.list()) + v.rest.count()
}

// EndSessions ends every session, as an administrator or a restart would.
func (v *VCenter) EndSessions() {
	v.sessions.terminateAll()
	v.rest.endAll()
}

// SetFaults changes what goes wrong from now on. What was counted towards a fault starts anew; open leases keep their
// time-out.
func (v *VCenter) SetFaults(f Faults) { v.faults.set(f) }

// endLeases ends the leases of a session.
func (v *VCenter) endLeases(session string) {
	for _, l := range v.leases.of(session) {
		l.fail(backgroundContext(v.model.Service), notAuthenticated(l.Self), "The session is not authenticated.")
	}
}

// Close stops serving and removes what Start made. It is safe to call twice.
func (v *VCenter) Close() error {
	v.closeOnce.Do(func() { v.closeErr = v.close() })
	return v.closeErr
}

func (v *VCenter) close() error {
	close(v.done)
	var errs []error
	if v.server != nil {
		v.endLeases("")
		v.EndSessions()
		errs = append(errs, v.shutdown())
	}
	v.goroutines.Wait()
	if v.datastore != nil {
		errs = append(errs, v.datastore.Close())
	}
	if v.model != nil {
		v.model.Remove()
	}
	if v.dir != "" {
		errs = append(errs, os.RemoveAll(v.dir))
	}
	return errors.Join(errs...)
}

// shutdown waits for the handlers; those that wait for updates are told to stop, again and again because one may just have
// begun to.
func (v *VCenter) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	stopped := make(chan struct{})
	var nagging sync.WaitGroup
	nagging.Go(func() {
		for {
			v.sessions.cancelAllWaits()
			select {
			case <-stopped:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	_ = v.server.Shutdown(ctx) // connections that are still busy are closed next
	close(stopped)
	nagging.Wait()
	return v.server.Close()
}
