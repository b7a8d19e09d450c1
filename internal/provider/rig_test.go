package provider

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

const (
	localURI  = "qemu:///system"
	guestPath = "/DC0/vm/web-01"
	address   = "hypersdk_migration.vm"
)

// bench is what an acceptance test stands on: a simulated vCenter with one VM, a storage pool and a domain name of its own.
type bench struct {
	*sim
	dir  string // of the storage pool
	name string // of pool and domain
}

// randomMAC keeps test processes on one host out of each other's way: an address that a domain has is a critical finding.
func randomMAC() string {
	var raw [3]byte
	_, _ = rand.Read(raw[:])
	return fmt.Sprintf("00:50:56:%02x:%02x:%02x", raw[0]&0x3f, raw[1], raw[2])
}

func webGuest(disks ...string) demo.Guest {
	g := demo.Guest{Path: guestPath, Hostname: "web-01", NICs: []demo.GuestNIC{{MAC: randomMAC(), Network: "VM Network"}}}
	for _, d := range disks {
		g.Disks = append(g.Disks, demo.GuestDisk{Image: d, Format: "raw"})
	}
	return g
}

// smallGuest has one disk of 2 MiB and no operating system.
func smallGuest(t *testing.T) demo.Guest {
	t.Helper()
	return webGuest(rig.Disk(t, 2<<20, rig.Mixed))
}

func newBench(t *testing.T, guests ...demo.Guest) *bench {
	t.Helper()
	need.Tools(t, "terraform", "virsh", "qemu-img")
	need.Root(t)
	var raw [4]byte
	_, _ = rand.Read(raw[:])
	b := &bench{sim: newSim(t, demo.Options{Guests: guests}), dir: t.TempDir(), name: "tf-test-" + hex.EncodeToString(raw[:])}
	b.settings = fmt.Sprintf("libvirt = { uri = %q }", localURI)
	t.Cleanup(b.clean)
	b.virsh("pool-define-as", b.name, "dir", "--target", b.dir)
	b.virsh("pool-start", b.name)
	return b
}

// clean removes the domain and the pool, whatever the test left of them.
func (b *bench) clean() {
	for _, args := range [][]string{
		{"destroy", b.name}, {"undefine", b.name, "--nvram", "--managed-save"}, {"pool-destroy", b.name}, {"pool-undefine", b.name},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_ = exec.CommandContext(ctx, "virsh", append([]string{"-q", "-c", localURI}, args...)...).Run()
		cancel()
	}
}

func (b *bench) virsh(args ...string) string {
	b.t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(b.t.Context()), "virsh", append([]string{"-q", "-c", localURI}, args...)...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("virsh %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// disk is the path of the n-th converted disk.
func (b *bench) disk(n int) string {
	return filepath.Join(b.dir, fmt.Sprintf("%s-disk-%d.qcow2", b.name, n))
}

// migration is a resource that moves the VM without a guest engine and leaves the domain off. change replaces parts of it.
func (b *bench) migration(change ...string) string {
	block := fmt.Sprintf(`
resource "hypersdk_migration" "vm" {
  source  = %q
  convert = { engine = "none" }
  target = {
    name     = %q
    pool     = %q
    power    = "off"
    networks = { "*" = { network = "default" } }
  }
  # more
}
`, guestPath, b.name, b.name)
	return strings.NewReplacer(change...).Replace(block)
}

// config is provider and resource; change applies to the resource.
func (b *bench) config(change ...string) string { return b.provider() + b.migration(change...) }

// more adds lines to the resource.
func more(lines string) []string { return []string{"# more", lines} }

// fails is a step whose plan or apply ends with an error of these words; spaces match Terraform's line breaks.
func fails(config, words string) resource.TestStep {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(words), " ", `[\s│]+`)
	return resource.TestStep{Config: config, ExpectError: regexp.MustCompile(pattern)}
}

func wantSameImage(t *testing.T, raw, converted string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "qemu-img", "compare", "-U", "-f", "raw", "-F", "qcow2", raw, converted).CombinedOutput()
	if err != nil {
		t.Errorf("qemu-img compare %s: %v\n%s", converted, err, out)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
