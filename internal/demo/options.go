package demo

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Options of a simulated vCenter. The zero value is a small one on a free loopback port.
type Options struct {
	Listen      string // host:port; empty: 127.0.0.1:0
	Datacenters int    // DC0, DC1, …; 0: 1
	Clusters    int    // of each datacenter: DC0_C0, DC0_C1, …; 0: 1
	Hosts       int    // of each cluster; 0: 3
	VMs         int    // of each cluster, with empty disks, besides Guests; 0: 2
	Datastores  int    // of each datacenter: LocalDS_0, LocalDS_1, …; 0: 1
	Username    string // empty: administrator@vsphere.local
	Password    string // empty: a random one
	Guests      []Guest
	CacheDir    string        // for VMDKs made from images, by content hash; empty: the user's cache directory
	Latency     time.Duration // added to each call
	SessionIdle time.Duration // session ends after so much silence; 0: never
	ESXURLs     bool          // lease URLs carry "*" for the host, as those of an ESXi host do that is addressed directly
	Faults      Faults

	Clock func() time.Time  `json:"-"` // what CurrentTime answers and until when there are samples of metrics; nil: time.Now
	Names map[string]string // what clusters and hosts are called instead: DC0_C0, DC0_C0_H0

	DatastoreCluster bool // DC0_POD0 holds all datastores but the first, with Storage DRS on
}

const (
	defaultUsername = "administrator@vsphere.local"
	maxHosts        = 512
	maxVMs          = 20000
)

// withDefaults fills in what was left empty and refuses what cannot be simulated.
func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return o, sdk.Invalidf("listen address %q: %v; give host:port", o.Listen, err)
	}
	o.Datacenters, o.Clusters = max(o.Datacenters, 1), max(o.Clusters, 1)
	if o.Hosts == 0 {
		o.Hosts = 3
	}
	if o.VMs == 0 {
		o.VMs = 2
	}
	o.Datastores = max(o.Datastores, 1)
	clusters := o.Datacenters * o.Clusters
	if o.Hosts < 0 || o.Hosts*clusters > maxHosts || o.VMs < 0 || o.VMs*clusters > maxVMs {
		return o, sdk.Invalidf("%d hosts and %d VMs: give 1 to %d hosts and at most %d VMs", o.Hosts*clusters, o.VMs*clusters, maxHosts, maxVMs)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Username == "" {
		o.Username = defaultUsername
	}
	if o.Password == "" {
		o.Password = randomID()
	}
	if o.CacheDir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return o, sdk.Invalidf("no cache directory: %v; name one", err)
		}
		o.CacheDir = filepath.Join(dir, "hypersdk", "demo")
	}
	var err error
	o.Guests, err = completeGuests(o.Guests)
	return o, err
}

// instanceUUID names the vCenter. It depends on what the inventory is made of and on nothing else, so that a demo that is
// started again is the same vCenter to whoever kept its identity.
func (o Options) instanceUUID() string {
	parts := []string{"vcenter", o.Username}
	for _, g := range o.Guests {
		parts = append(parts, g.Path)
	}
	return identity(parts...).String()
}

// identity derives a UUID from names.
func identity(names ...string) uuid.UUID {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/hypersdk/terraform-provider-hypersdk/internal/demo"))
	return uuid.NewSHA1(space, []byte(strings.Join(names, "\x00")))
}

// randomID is an unguessable name of 128 bits.
func randomID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails, see crypto/rand
	return hex.EncodeToString(raw[:])
}
