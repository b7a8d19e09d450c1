//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

//go:embed scenarios
var files embed.FS

const (
	username = "bench@vsphere.local"
	password = "bench" // of a simulator on loopback
	golden   = "/DC0/vm/DC0_C0_RP0_VM0"
)

// scenario is one configuration and the inventory it meets.
type scenario struct {
	name       string
	dir        string // below scenarios
	n          int    // objects
	vars       map[string]string
	latency    time.Duration
	cloneDelay time.Duration
	readOnly   bool
	alone      bool // Terraform without any provider's process
}

// scenarios are those that terraform-provider-vsphere was measured with.
func scenarios() []scenario {
	return []scenario{
		{name: "clones", dir: "clones", n: 10},
		{name: "clones", dir: "clones", n: 50},
		{name: "clones", dir: "clones", n: 100},
		{name: "linked", dir: "clones", n: 50, vars: map[string]string{"linked": "true"}},
		{name: "alone", dir: "alone", n: 50, alone: true},
		{name: "slow", dir: "clones", n: 50, latency: 20 * time.Millisecond, cloneDelay: 2 * time.Second},
		{name: "pools", dir: "pools", n: 100},
		{name: "data", dir: "data", n: 100, readOnly: true},
	}
}

// phases are terraform's commands in their order.
func (s scenario) phases(parallelism int) []phase {
	common := []string{"-no-color", "-input=false", fmt.Sprintf("-parallelism=%d", parallelism)}
	phases := []phase{
		{"apply", append([]string{"apply", "-auto-approve"}, common...)},
		{"no-op plan", append([]string{"plan", "-detailed-exitcode"}, common...)},
	}
	if !s.readOnly {
		phases = append(phases, phase{"destroy", append([]string{"destroy", "-auto-approve"}, common...)})
	}
	return phases
}

// measure runs the phases against a vCenter of their own.
func (s scenario) measure(ctx context.Context, o options) ([]measured, error) {
	hosts := 8
	if s.readOnly {
		hosts = s.n
	}
	work, err := os.MkdirTemp("", "terraformbench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work) //nolint:errcheck // scratch
	vc, err := demo.Start(ctx, demo.Options{
		Hosts: hosts, VMs: 1, Username: username, Password: password, CacheDir: work,
		Latency: max(s.latency, o.latency), Faults: demo.Faults{CloneDelay: max(s.cloneDelay, o.cloneDelay)},
	})
	if err != nil {
		return nil, err
	}
	defer vc.Close() //nolint:errcheck,contextcheck // closing has a time-out of its own
	if err := snapshotGolden(ctx, vc); err != nil {
		return nil, err
	}
	if err := s.write(work); err != nil {
		return nil, err
	}
	env, err := s.environment(work, o.provider, vc)
	if err != nil {
		return nil, err
	}
	var rows []measured
	for _, p := range s.phases(o.parallelism) {
		fmt.Fprintf(os.Stderr, "%s %d, %s…\n", s.name, s.n, p.name)
		row, err := p.run(ctx, work, env, vc, !s.alone)
		if err != nil {
			return nil, err
		}
		row.scenario, row.n = s.name, s.n
		if p.name == "apply" {
			rounds := (s.n + o.parallelism - 1) / o.parallelism
			row.floor = time.Duration(rounds) * max(s.cloneDelay, o.cloneDelay)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// snapshotGolden gives the VM that is cloned the snapshot that linked clones hang on.
func snapshotGolden(ctx context.Context, vc *demo.VCenter) error {
	client, err := vsphere.Dial(ctx, vsphere.Config{
		URL: vc.URL(), Username: vc.Username(), Password: vsphere.Secret(vc.Password()), CAFile: vc.CAFile(),
	})
	if err != nil {
		return err
	}
	defer client.Close(ctx) //nolint:errcheck // the vCenter ends with it
	_, _, err = client.CreateSnapshot(ctx, vsphere.SnapshotSpec{VM: golden, Name: "base"}, nil)
	return err
}

// write puts the configuration into the working directory.
func (s scenario) write(work string) error {
	text, err := fs.ReadFile(files, "scenarios/"+s.dir+".tf")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "main.tf"), text, 0o600)
}

// environment makes terraform use this program in the provider's place.
func (s scenario) environment(work, provider string, vc *demo.VCenter) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	provider, err = filepath.Abs(provider)
	if err != nil {
		return nil, err
	}
	plugins := filepath.Join(work, "plugins")
	if err := os.Mkdir(plugins, 0o700); err != nil {
		return nil, err
	}
	if err := os.Symlink(self, filepath.Join(plugins, "terraform-provider-hypersdk")); err != nil {
		return nil, err
	}
	rc := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hypersdk/hypersdk\" = %q\n  }\n  direct {}\n}\n", plugins)
	rcFile := filepath.Join(work, "terraform.rc")
	if err := os.WriteFile(rcFile, []byte(rc), 0o600); err != nil {
		return nil, err
	}
	env := append(os.Environ(),
		"TF_CLI_CONFIG_FILE="+rcFile, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", realEnv+"="+provider,
		usageEnv+"="+filepath.Join(work, "usage"), fmt.Sprintf("TF_VAR_n=%d", s.n), "TF_VAR_golden="+golden,
		"HYPERSDK_VSPHERE_SERVER="+vc.URL(), "HYPERSDK_VSPHERE_USERNAME="+vc.Username(),
		"HYPERSDK_VSPHERE_PASSWORD="+vc.Password(), "HYPERSDK_VSPHERE_CA_FILE="+vc.CAFile())
	for name, value := range s.vars {
		env = append(env, "TF_VAR_"+name+"="+value)
	}
	return env, nil
}
