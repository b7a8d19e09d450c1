package vsphere

import (
	"strconv"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// DefaultReadyWait is how long a new VM's guest may take to tell an address when nobody says.
const DefaultReadyWait = 10 * time.Minute

// CloneItem is a clone in a few flat words: those of a bulk clone's file, of POST /vsphere/clone/bulk and of a form. What is
// empty is as CloneSpec says. References are inventory paths, morefs or unique names.
type CloneItem struct {
	SourceVM          string     `json:"source_vm" yaml:"source_vm"` // a VM or a template, or its instance UUID
	TargetName        string     `json:"target_name" yaml:"target_name"`
	PowerOn           bool       `json:"power_on,omitempty" yaml:"power_on"`
	ResourcePool      string     `json:"resource_pool,omitempty" yaml:"resource_pool"` // of a template without a place: the datacenter's only cluster
	Cluster           string     `json:"cluster,omitempty" yaml:"cluster"`             // its root pool, or where resource_pool is looked for
	Host              string     `json:"host,omitempty" yaml:"host"`
	Folder            string     `json:"folder,omitempty" yaml:"folder"`
	Datastore         string     `json:"datastore,omitempty" yaml:"datastore"`
	DatastoreCluster  string     `json:"datastore_cluster,omitempty" yaml:"datastore_cluster"`
	LinkedClone       bool       `json:"linked_clone,omitempty" yaml:"linked_clone"`
	Snapshot          string     `json:"snapshot,omitempty" yaml:"snapshot"`
	CPUs              int        `json:"cpus,omitempty" yaml:"cpus"`
	MemoryMB          int64      `json:"memory_mb,omitempty" yaml:"memory_mb"`
	Networks          []string   `json:"networks,omitempty" yaml:"networks"` // of the first adapter, the second, …; one more adds an adapter
	Annotation        *string    `json:"annotation,omitempty" yaml:"annotation"`
	CustomizationSpec string     `json:"customization_spec,omitempty" yaml:"customization_spec"` // a saved one of vCenter's, by name
	CloudInit         *CloudInit `json:"cloud_init,omitempty" yaml:"cloud_init"`
	WaitForIP         bool       `json:"wait_for_ip,omitempty" yaml:"wait_for_ip"`   // done is when the guest tells an address
	WaitSeconds       int        `json:"wait_seconds,omitempty" yaml:"wait_seconds"` // at most; 0: DefaultReadyWait

	Where string `json:"-" yaml:"-"` // where it is written, for messages: clones.yaml:7
}

// Validate checks the form of the item, without a call.
func (i *CloneItem) Validate() error {
	switch {
	case !plainText(i.TargetName):
		return sdk.Invalidf("target_name %q has a character that no name can have", i.TargetName)
	case i.WaitForIP && !i.PowerOn:
		return sdk.Invalidf("wait_for_ip needs power_on: a VM that is off has no address")
	case i.WaitSeconds < 0:
		return sdk.Invalidf("wait_seconds %d is negative", i.WaitSeconds)
	case i.WaitSeconds > 0 && !i.WaitForIP:
		return sdk.Invalidf("wait_seconds goes with wait_for_ip")
	case i.Host != "" && i.Cluster != "" && i.ResourcePool == "":
		return sdk.Invalidf("name a host or a cluster, not both: a host's cluster is known")
	}
	for n, network := range i.Networks {
		if strings.TrimSpace(network) == "" {
			return sdk.Invalidf("networks: the name of adapter %d's network is empty", n+1)
		}
	}
	spec := i.spec()
	return spec.Validate()
}

// spec is the item in CloneSpec's words, its cluster left out.
func (i *CloneItem) spec() CloneSpec {
	s := CloneSpec{
		SourceVM: i.SourceVM, TargetName: i.TargetName, Folder: i.Folder, ResourcePool: i.ResourcePool, Host: i.Host,
		Datastore: i.Datastore, DatastoreCluster: i.DatastoreCluster, Snapshot: i.Snapshot, LinkedClone: i.LinkedClone, PowerOn: i.PowerOn,
		VMSettings: VMSettings{CPUs: i.CPUs, MemoryMB: i.MemoryMB, Annotation: i.Annotation},
		CloudInit:  i.CloudInit,
	}
	if i.CustomizationSpec != "" {
		s.Customization = &Customization{Spec: i.CustomizationSpec}
	}
	for n, network := range i.Networks {
		if s.NICs == nil {
			s.NICs = map[string]NICSettings{}
		}
		s.NICs[strconv.Itoa(n)] = NICSettings{Network: network}
	}
	return s
}

func (i *CloneItem) readyWait() time.Duration {
	if i.WaitSeconds > 0 {
		return time.Duration(i.WaitSeconds) * time.Second
	}
	return DefaultReadyWait
}
