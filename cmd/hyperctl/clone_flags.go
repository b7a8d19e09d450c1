package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// maxCloudInit is more than vCenter takes of user data.
const maxCloudInit = 1 << 20

// newVMFlags are the flags that say what a new VM is to be and where it goes: those of clone and of template deploy.
type newVMFlags struct {
	vm            vsphere.CloneItem
	memory        memoryMB
	annotation    string
	userData      string
	metaData      string
	wait          time.Duration
	names, places []string
}

func (f *newVMFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.vm.PowerOn, "power-on", false, "power the new VM on")
	flags.BoolVar(&f.vm.LinkedClone, "linked", false, "share the disks of a snapshot, and hold only what differs")
	flags.StringVar(&f.vm.Snapshot, "snapshot", "", "clone the state of this snapshot: `NAME`, path or moref (default with -linked the current one)")
	flags.StringVar(&f.vm.ResourcePool, "pool", "", "the resource `POOL`: name, path or moref (default the source's; of a template the datacenter's only cluster)")
	flags.StringVar(&f.vm.Cluster, "cluster", "", "the `CLUSTER` whose root pool it is, or in which -pool is looked for")
	flags.StringVar(&f.vm.Host, "host", "", "the ESXi `HOST` (default vCenter chooses)")
	flags.StringVar(&f.vm.Folder, "folder", "", "the VM `FOLDER` (default the source's)")
	flags.StringVar(&f.vm.Datastore, "datastore", "", "the `DATASTORE` (default the source's)")
	flags.StringVar(&f.vm.DatastoreCluster, "datastore-cluster", "", "let vCenter choose a datastore of this `CLUSTER`")
	flags.IntVar(&f.vm.CPUs, "cpus", 0, "`N` virtual CPUs (default the source's)")
	flags.Var(&f.memory, "memory", "memory in MB, or with a unit: 8192, 8GiB (default the source's)")
	flags.StringArrayVar(&f.vm.Networks, "network", nil, "the `NETWORK` of the first adapter; again for the second, … (default the source's)")
	flags.StringVar(&f.annotation, "annotation", "", "the `TEXT` of the VM's notes (default the source's)")
	flags.StringVar(&f.vm.CustomizationSpec, "customization", "", "customize the guest by the specification that vCenter keeps under this `NAME`")
	flags.StringVar(&f.userData, "cloud-init", "", "hand the user data in this `FILE` to cloud-init")
	flags.StringVar(&f.metaData, "cloud-init-meta", "", "hand the metadata in this `FILE` to cloud-init")
	flags.BoolVar(&f.vm.WaitForIP, "wait-ip", false, "wait until the guest tells an address; needs -power-on")
	flags.DurationVar(&f.wait, "timeout", vsphere.DefaultReadyWait, "the `TIME` that -wait-ip waits at most (default 10m)")
	f.names = []string{
		"power-on", "linked", "snapshot", "cpus", "memory", "network", "annotation", "customization", "cloud-init", "cloud-init-meta", "wait-ip", "timeout",
	}
	f.places = []string{"pool", "cluster", "host", "folder", "datastore", "datastore-cluster"}
	cli.Group(flags, "What the new VM is", f.names...)
	cli.Group(flags, "Where it goes", f.places...)
	_ = cmd.MarkFlagFilename("cloud-init")
	_ = cmd.MarkFlagFilename("cloud-init-meta")
}

// complete lets the shell complete what the flags name; source is the flag beside the operand that names the VM with the snapshots.
func (f *newVMFlags) complete(cmd *cobra.Command, conn *cli.Connection, source string) {
	for flag, kind := range map[string]string{
		"pool": "pool", "cluster": "cluster", "host": "host", "folder": "folder", "datastore": "datastore",
		"datastore-cluster": "datastore cluster", "network": "network",
	} {
		completeFlag(cmd, conn, flag, kind)
	}
	completeSnapshots(cmd, conn, source)
}

// given are those of the flags that were given.
func (f *newVMFlags) given(cmd *cobra.Command) []string {
	var given []string
	for _, name := range append(append([]string{}, f.names...), f.places...) {
		if cmd.Flags().Changed(name) {
			given = append(given, "-"+name)
		}
	}
	return given
}

// item is the clone that the flags ask for. It reads the files that they name.
func (f *newVMFlags) item(cmd *cobra.Command, source, target string) (vsphere.CloneItem, error) {
	item := f.vm
	item.SourceVM, item.TargetName, item.MemoryMB = source, target, int64(f.memory)
	if cmd.Flags().Changed("annotation") {
		item.Annotation = &f.annotation
	}
	if cmd.Flags().Changed("timeout") {
		if f.wait < time.Second {
			return item, sdk.Invalidf("-timeout: %s is no time to wait", f.wait)
		}
		if !item.WaitForIP {
			return item, sdk.Invalidf("-timeout goes with -wait-ip")
		}
		item.WaitSeconds = int(f.wait.Round(time.Second) / time.Second)
	}
	if item.WaitForIP && !item.PowerOn {
		return item, sdk.WithHint(sdk.Invalidf("-wait-ip: a VM that is off has no address"), "give -power-on as well")
	}
	var err error
	item.CloudInit, err = cloudInit(f.userData, f.metaData)
	return item, err
}

// cloudInit reads the files; nil when there are none.
func cloudInit(userData, metaData string) (*vsphere.CloudInit, error) {
	if userData == "" && metaData == "" {
		return nil, nil
	}
	var both [2]string
	for i, file := range []string{userData, metaData} {
		if file == "" {
			continue
		}
		text, err := readBounded(file, maxCloudInit)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(text) == "" {
			return nil, sdk.Invalidf("%s is empty", file)
		}
		both[i] = text
	}
	return &vsphere.CloudInit{UserData: vsphere.Secret(both[0]), Metadata: both[1]}, nil
}

// readBounded reads a file that has at most so many bytes.
func readBounded(file string, limit int64) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", sdk.Kind(sdk.ErrInvalid, err)
	}
	if info.IsDir() || info.Size() > limit {
		return "", sdk.Invalidf("%s is no file of at most %s", file, sdk.FormatBytes(limit))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", sdk.Kind(sdk.ErrInvalid, err)
	}
	return string(text), nil
}

// memoryMB is a flag's value in MB: a number, or a size with a unit.
type memoryMB int64

// Set parses the text.
func (m *memoryMB) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if n, err = sdk.ParseSize(text, "MiB"); err != nil {
			return err
		}
	}
	if n <= 0 {
		return sdk.Invalidf("%q is no size of memory; for example 8192 or 8GiB", text)
	}
	*m = memoryMB(n)
	return nil
}

func (m *memoryMB) String() string {
	if *m == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*m), 10)
}

// Type is the word for the value in the help.
func (m *memoryMB) Type() string { return "MB" }
