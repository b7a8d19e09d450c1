//go:build linux

package exportbench

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/nfc"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
)

// curl writes the disk of a lease into a file.
func (b *bench) curl(ctx context.Context) (usage, error) { return b.fetch(ctx, false) }

// curlAndSync also waits until the file is on the disk, as an export does.
func (b *bench) curlAndSync(ctx context.Context) (usage, error) { return b.fetch(ctx, true) }

func (b *bench) fetch(ctx context.Context, sync bool) (usage, error) {
	file := filepath.Join(b.out, "curl.vmdk")
	defer os.Remove(file) //nolint:errcheck // not needed
	var u usage
	err := b.withLease(ctx, func(url string) error {
		began := time.Now()
		// The URL is all that one needs to read the disk: it does not belong on a command line.
		cmd := exec.CommandContext(ctx, "curl", "--silent", "--show-error", "--fail", "--http1.1", "--config", "-")
		cmd.Stdin = strings.NewReader(fmt.Sprintf("url = %q\ncacert = %q\noutput = %q\n", url, b.server.CAFile(), file))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("curl: %w: %s", err, out)
		}
		u.CPUSeconds = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if sync {
			if err := syncFile(file); err != nil {
				return err
			}
		}
		u.Seconds = time.Since(began).Seconds()
		return nil
	})
	if err != nil {
		return u, err
	}
	st, err := os.Stat(file)
	if err != nil {
		return u, err
	}
	u.WireBytes = st.Size()
	return u, nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return f.Sync()
}

// withLease opens a lease on the benchmark's VM without our SDK and hands on the URL of its disk.
func (b *bench) withLease(ctx context.Context, use func(url string) error) error {
	c, err := b.login(ctx)
	if err != nil {
		return err
	}
	defer c.Logout(context.WithoutCancel(ctx)) //nolint:errcheck // the server ends with the benchmark
	ref, err := object.NewSearchIndex(c.Client).FindByInventoryPath(ctx, benchVM)
	if err != nil {
		return err
	}
	vm, ok := ref.(*object.VirtualMachine)
	if !ok {
		return fmt.Errorf("%s is %v, want a VM", benchVM, ref)
	}
	lease, err := vm.Export(ctx)
	if err != nil {
		return err
	}
	info, err := lease.Wait(ctx, nil)
	if err == nil {
		err = useDisk(info, use)
	}
	if err != nil {
		_ = lease.Abort(context.WithoutCancel(ctx), nil)
		return err
	}
	return lease.Complete(ctx)
}

func useDisk(info *nfc.LeaseInfo, use func(url string) error) error {
	for _, d := range info.DeviceUrl {
		if d.Disk != nil && *d.Disk {
			return use(d.Url)
		}
	}
	return fmt.Errorf("the lease has no disk")
}

func (b *bench) login(ctx context.Context) (*govmomi.Client, error) {
	u, err := soap.ParseURL(b.server.URL())
	if err != nil {
		return nil, err
	}
	sc := soap.NewClient(u, false)
	if err := sc.SetRootCAs(b.server.CAFile()); err != nil {
		return nil, err
	}
	vc, err := vim25.NewClient(ctx, sc)
	if err != nil {
		return nil, err
	}
	c := &govmomi.Client{Client: vc, SessionManager: session.NewManager(vc)}
	return c, c.Login(ctx, url.UserPassword(b.server.Username(), b.server.Password()))
}
