package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// vcsimFlags is what the command line of vcsim says.
type vcsimFlags struct {
	detach, stop, status bool
	serveDetached        bool

	guests       []string
	passwordFile string
	rate         cli.Size
	cutAfter     cli.Size
	loseLeaseAt  cli.Size
	truncate     cli.Size
	options      demo.Options
}

func vcsimCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vcsim",
		Short: "Run a simulated vCenter whose VMs can have real disks",
		Long: `Run a simulated vCenter whose VMs can have real disks.

It listens on the loopback interface, serves TLS with an authority of its own,
and once ready prints the variables that a client needs on stdout, to be
evaluated by a shell. It runs until it is interrupted; with -detach it goes to
the background.`,
		Example: `  hyperctl vcsim
  eval "$(hyperctl vcsim -detach -guest /DC0/vm/web-01=debian.qcow2)"
  hyperctl vcsim -detach -guest /DC0/vm/db=root.qcow2,firmware=uefi,disk=data.raw
  hyperctl vcsim -status
  hyperctl vcsim -stop`,
		Args: cli.NoArgs,
	}
	f := &vcsimFlags{}
	f.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return runVCSim(cmd, f) }
	return cmd
}

func (f *vcsimFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.detach, "detach", false, "go to the background once ready")
	flags.BoolVar(&f.stop, "stop", false, "end the one in the background, and wait until it is gone")
	flags.BoolVar(&f.status, "status", false, "print the variables of the one in the background again")
	flags.BoolVar(&f.serveDetached, "serve-detached", false, "be the one in the background")
	_ = flags.MarkHidden("serve-detached")

	flags.StringArrayVar(&f.guests, "guest", nil, "a VM with real disks (repeatable): `PATH=IMAGE[,KEY=VALUE…]`."+
		" The image is raw, qcow2 or a stream-optimized VMDK."+
		" Of the VM: firmware=bios|uefi, guest-id, cpus, memory (MB),"+
		" hostname, ip, power=on|off. disk=IMAGE begins another disk;"+
		" address=scsi0:1, controller and format belong to the disk before them."+
		" nic=TYPE begins an adapter; mac and network belong to it")
	flags.IntVar(&f.options.Hosts, "hosts", 0, "`N` ESXi hosts in the cluster (default 3)")
	flags.IntVar(&f.options.VMs, "vms", 0, "`N` VMs without disks, besides the guests (default 2)")
	flags.StringVar(&f.options.Listen, "listen", "", "`HOST:PORT` (default a free port of 127.0.0.1)")
	flags.StringVar(&f.options.Username, "username", "", "`USER` that may log in (default administrator@vsphere.local)")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` with the user's password, - for stdin (default a random password)")
	flags.StringVar(&f.options.CacheDir, "cache-dir", "", "`DIR` for VMDKs made from images (default the user's cache directory)")
	f.bindFaults(cmd)
}

// bindFaults binds what goes wrong on purpose.
func (f *vcsimFlags) bindFaults(cmd *cobra.Command) {
	flags, faults := cmd.Flags(), &f.options.Faults
	flags.DurationVar(&f.options.Latency, "latency", 0, "add this to each call: 20ms")
	flags.DurationVar(&f.options.SessionIdle, "session-idle", 0, "end a session after so much silence")
	flags.Var(&f.rate, "rate", "bytes per second of each disk transfer: 10MiB")
	flags.Var(&f.cutAfter, "cut-after", "cut the transfer of a disk after so many bytes …")
	flags.IntVar(&faults.CutTimes, "cut-times", 0, "… for the first `N` transfers (default 1 with -cut-after)")
	flags.DurationVar(&faults.LeaseTimeout, "lease-timeout", 0, "end a lease without progress after this (default 5m)")
	flags.DurationVar(&faults.LeaseDelay, "lease-delay", 0, "a lease takes so long to become ready")
	flags.Var(&f.loseLeaseAt, "lose-lease-at", "end the lease once so many bytes were served")
	flags.Var(&f.truncate, "truncate", "end each transfer after so many bytes, as if it were whole")
	flags.BoolVar(&faults.Garbage, "garbage", false, "serve noise instead of disks")
	flags.IntVar(&faults.FailProgress, "fail-progress", 0, "refuse the first `N` lease renewals")
	flags.DurationVar(&faults.CloneDelay, "clone-delay", 0, "a clone takes so long, tells its progress and can be cancelled")
	flags.BoolVar(&f.options.ESXURLs, "esx-urls", false, "lease URLs name no host, like those of an ESXi host that is addressed directly")
	cli.Group(flags, "What goes wrong on purpose", "latency", "session-idle", "rate", "cut-after", "cut-times",
		"lease-timeout", "lease-delay", "lose-lease-at", "truncate", "garbage", "fail-progress", "clone-delay", "esx-urls")
}

// parse turns the flags into options.
func (f *vcsimFlags) parse(stdin io.Reader) (demo.Options, error) {
	o := f.options
	o.Faults.BytesPerSec, o.Faults.CutAfter = int64(f.rate), int64(f.cutAfter)
	o.Faults.LoseLeaseAt, o.Faults.Truncate = int64(f.loseLeaseAt), int64(f.truncate)
	if o.Faults.CutAfter > 0 && o.Faults.CutTimes == 0 {
		o.Faults.CutTimes = 1
	}
	for flag, n := range map[string]int{"hosts": o.Hosts, "vms": o.VMs, "cut-times": o.Faults.CutTimes, "fail-progress": o.Faults.FailProgress} {
		if n < 0 {
			return o, sdk.Invalidf("-%s: %d is negative", flag, n)
		}
	}
	for _, text := range f.guests {
		g, err := parseGuest(text)
		if err != nil {
			return o, fmt.Errorf("-guest %q: %w", text, err)
		}
		o.Guests = append(o.Guests, g)
	}
	if f.passwordFile != "" {
		password, err := cli.ReadPassword(f.passwordFile, stdin)
		if err != nil {
			return o, fmt.Errorf("-password-file: %w", err)
		}
		o.Password = password
	}
	return absolute(o)
}

// absolute makes the paths independent of the working directory, which a process in the background gives up.
func absolute(o demo.Options) (demo.Options, error) {
	var err error
	if o.CacheDir != "" {
		if o.CacheDir, err = filepath.Abs(o.CacheDir); err != nil {
			return o, err
		}
	}
	for i := range o.Guests {
		for j := range o.Guests[i].Disks {
			d := &o.Guests[i].Disks[j]
			if d.Image, err = filepath.Abs(d.Image); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

func runVCSim(cmd *cobra.Command, f *vcsimFlags) error {
	ctx, out, talk := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if f.stop && f.status || f.detach && (f.stop || f.status) {
		return sdk.Invalidf("-detach, -stop and -status: choose one")
	}
	switch {
	case f.serveDetached:
		return serveDetached(ctx, cmd.InOrStdin(), out)
	case f.stop:
		return stopVCSim(ctx, talk)
	case f.status:
		return vcsimStatus(out, talk)
	}
	options, err := f.parse(cmd.InOrStdin())
	if err != nil {
		return err
	}
	if f.detach {
		return detachVCSim(ctx, options, out, talk)
	}
	return serve(ctx, options, func(s simulator) error {
		if err := s.exports(out); err != nil {
			return err
		}
		fmt.Fprintf(talk, "serving %s until interrupted\n", s.URL)
		return nil
	})
}

// simulator is what a client needs to know of a running one.
type simulator struct {
	PID       int       `json:"pid"`
	URL       string    `json:"url"`
	Username  string    `json:"username"`
	Password  string    `json:"password"`
	CAFile    string    `json:"ca_file"`
	StartedAt time.Time `json:"started_at"`
}

// serve runs a simulator until ctx ends, which is how it is meant to end. ready is called once it answers.
func serve(ctx context.Context, options demo.Options, ready func(simulator) error) error {
	v, err := demo.Start(ctx, options)
	if err != nil {
		return err
	}
	err = ready(simulator{URL: v.URL(), Username: v.Username(), Password: v.Password(), CAFile: v.CAFile(), StartedAt: time.Now().UTC()})
	if err == nil {
		<-ctx.Done()
	}
	if cerr := v.Close(); err == nil { //nolint:contextcheck // it closes because ctx has ended
		err = cerr
	}
	return err
}

// exports writes the variables for a shell to evaluate.
func (s simulator) exports(w io.Writer) error {
	vars := [][2]string{
		{"GOVC_URL", s.URL},
		{"GOVC_USERNAME", s.Username},
		{"GOVC_PASSWORD", s.Password},
		{"GOVC_TLS_CA_CERTS", s.CAFile},
		{"HYPERSDK_VSPHERE_SERVER", s.URL},
		{"HYPERSDK_VSPHERE_USERNAME", s.Username},
		{"HYPERSDK_VSPHERE_PASSWORD", s.Password},
		{"HYPERSDK_VSPHERE_CA_FILE", s.CAFile},
	}
	for _, v := range vars {
		if _, err := fmt.Fprintf(w, "export %s=%s\n", v[0], shellQuote(v[1])); err != nil {
			return err
		}
	}
	return nil
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
