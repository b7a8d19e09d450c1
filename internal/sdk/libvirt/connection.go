package libvirt

// connection is what this package asks of libvirt, in plain values: UUIDs and XML. Two implementations exist, and one suite
// (conformance_test.go) that both pass. Errors carry their sdk kind already. Calls block; see Client.call.
type connection interface {
	close() error
	alive() bool // false once the daemon is known to be gone

	hostCalls
	domainCalls
	networkCalls
	poolCalls
}

type hostCalls interface {
	hostname() (string, error)
	node() (nodeRecord, error)
	domainCapabilities(arch, machine, virtType string) (string, error)
}

type domainCalls interface {
	domains() ([]domainKey, error)
	domainByUUID(uuid string) (domainKey, error)
	domainByName(name string) (domainKey, error)
	domainRecord(uuid string) (domainRecord, error)
	domainState(uuid string) (domainState, error)
	defineDomain(xml string) (domainKey, error)
	createDomain(xml string) (domainKey, error) // transient; ends with this connection where the driver can do that
	startDomain(uuid string) error
	shutdownDomain(uuid string) error
	destroyDomain(uuid string) error
	undefineDomain(uuid string) error
	setAutostart(uuid string, on bool) error
	renameDomain(uuid, name string) error
	bytesRead(uuid, disk string) (int64, error)
	agentCommand(uuid, command string, seconds int) (string, error)
}

type networkCalls interface {
	networks() ([]networkRecord, error)
	createNetwork(xml string) error // transient
	destroyNetwork(name string) error
	leases(network string) ([]lease, error)
}

type poolCalls interface {
	pools() ([]string, error)
	pool(name string) (poolRecord, error)
	refreshPool(name string) error
}

// nodeRecord is the host's size, in bytes. free counts what the kernel would give back at once, caches and buffers; 0: not known.
type nodeRecord struct {
	cpus         int
	memory, free uint64
}

type domainKey struct{ uuid, name string }

// domainRecord is one reading of a domain; xml is the definition that the next start uses.
type domainRecord struct {
	state     domainState
	autostart bool
	xml       string
}

type networkRecord struct {
	name, bridge string
	active       bool
}

type poolRecord struct {
	xml                 string
	active              bool
	capacity, available uint64
}

// lease is an address that libvirt's DHCP server gave out.
type lease struct{ mac, address, hostname string }

// domainState is libvirt's virDomainState with its reason.
type domainState struct{ state, reason int }

// From libvirt's libvirt-domain.h.
const (
	stateRunning     = 1
	stateBlocked     = 2
	statePaused      = 3
	stateShutdown    = 4
	stateShutoff     = 5
	stateCrashed     = 6
	statePMSuspended = 7
)

// String is the word virsh uses, without spaces.
func (s domainState) String() string {
	words := map[int]string{
		stateRunning: "running", stateBlocked: "running", statePaused: "paused", stateShutdown: "shutdown",
		stateShutoff: "shutoff", stateCrashed: "crashed", statePMSuspended: "pmsuspended",
	}
	if word, ok := words[s.state]; ok {
		return word
	}
	return "unknown"
}

// off says that the domain runs no guest.
func (s domainState) off() bool { return s.state == stateShutoff || s.state == stateCrashed }
