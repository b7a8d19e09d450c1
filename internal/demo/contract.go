package demo

import (
	"context"
	"time"
)

// Guest is a VM of the simulated vCenter with real disks.
type Guest struct {
	Path      string // inventory path of the VM to make: /DC0/vm/web-01
	GuestID   string // vSphere guest id; empty: debian12_64Guest
	Firmware  string // bios (default) or uefi
	CPUs      int    // 0: 2
	MemoryMB  int64  // 0: 1024
	Hostname  string
	IPs       []string
	Disks     []GuestDisk
	NICs      []GuestNIC // empty: one vmxnet3 on "VM Network"
	PoweredOn bool
}

// GuestDisk is one disk with its bytes.
type GuestDisk struct {
	Image   string // raw or qcow2 file, or a ready streamOptimized VMDK (.vmdk), which is served as it is
	Format  string // raw, qcow2 or vmdk; empty: by the file's name
	Address string // scsi0:0, sata0:1, …; empty: the next unit of a ParaVirtual controller
}

// GuestNIC is one adapter.
type GuestNIC struct {
	MAC     string
	Network string
	Type    string // vmxnet3 (default), e1000, e1000e
}

// Options of a simulated vCenter. The zero value is a small one on a free loopback port.
type Options struct {
	Listen      string // host:port; empty: 127.0.0.1:0
	Hosts       int    // of the cluster; 0: 3
	VMs         int    // without disks, besides Guests; 0: 2
	Username    string // empty: administrator@vsphere.local
	Password    string // empty: a random one
	Guests      []Guest
	CacheDir    string        // for VMDKs made from images, by content hash; empty: the user's cache directory
	Latency     time.Duration // added to each call
	SessionIdle time.Duration // session ends after so much silence; 0: never
	Faults      Faults
}

// Faults are what goes wrong on purpose. They can be changed while the vCenter runs.
type Faults struct {
	BytesPerSec  int64         // of each NFC transfer; 0: as fast as it goes
	CutAfter     int64         // cut the connection of a disk after so many bytes …
	CutTimes     int           // … for the first so many transfers
	LeaseTimeout time.Duration // without progress the lease ends; 0: 5 minutes
	LeaseDelay   time.Duration // a lease stays initializing for so long
	LoseLeaseAt  int64         // end the lease (error state) once so many bytes were served; 0: never
	Truncate     int64         // serve only so many bytes of a disk and then end the transfer cleanly; 0: never
	Garbage      bool          // serve noise instead of a VMDK
	FailProgress int           // refuse the first so many HttpNfcLeaseProgress calls
}

// VCenter is a running simulated vCenter.
type VCenter struct{}

// Start makes the inventory and the VMDKs and serves. Everything it makes is gone after Close but the cache.
func Start(ctx context.Context, opts Options) (*VCenter, error) { panic("contract") }

// URL is https://host:port/sdk, without user.
func (v *VCenter) URL() string { panic("contract") }

// Username and Password log in.
func (v *VCenter) Username() string { panic("contract") }
func (v *VCenter) Password() string { panic("contract") }

// CAFile is a PEM file with the CA that signed the server's certificate.
func (v *VCenter) CAFile() string { panic("contract") }

// Thumbprint is the SHA-256 of the server's certificate, with colons.
func (v *VCenter) Thumbprint() string { panic("contract") }

// Calls counts the SOAP calls so far by method, and transfers under "GET /nfc" and "GET /folder".
func (v *VCenter) Calls() map[string]int { panic("contract") }

// Sessions is the number of logged-in sessions.
func (v *VCenter) Sessions() int { panic("contract") }

// EndSessions ends every session, as an administrator or a restart would.
func (v *VCenter) EndSessions() { panic("contract") }

// SetFaults changes what goes wrong from now on.
func (v *VCenter) SetFaults(f Faults) { panic("contract") }

// Close stops serving and removes what Start made.
func (v *VCenter) Close() error { panic("contract") }
