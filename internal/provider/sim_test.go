package provider

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// sim is what the acceptance tests stand on: a simulated vCenter with real terraform before it and, once somebody has logged
// in, a session that is everybody else's.
type sim struct {
	t  *testing.T
	vc *demo.VCenter
	c  *vsphere.Client // nil before login

	settings string // more lines of the provider block
	ran      bool
}

func newSim(t *testing.T, opts demo.Options) *sim {
	t.Helper()
	need.Tools(t, "terraform")
	b := &sim{t: t, vc: rig.VCenter(t, opts)}
	t.Cleanup(func() {
		if n := b.vc.Sessions(); b.ran && n != 0 && !t.Failed() { // a process that a test killed cannot log out
			t.Errorf("%d sessions are left behind", n)
		}
	})
	return b
}

// newSimWithAdmin is newSim, logged in.
func newSimWithAdmin(t *testing.T, opts demo.Options) *sim {
	t.Helper()
	b := newSim(t, opts)
	b.login()
	return b
}

// login begins the session beside Terraform's; it ends with the test.
func (b *sim) login() *vsphere.Client {
	b.t.Helper()
	client, err := vsphere.Dial(b.t.Context(), vsphere.Config{
		URL: b.vc.URL(), Username: b.vc.Username(), Password: vsphere.Secret(b.vc.Password()), CAFile: b.vc.CAFile(),
	})
	b.must(err)
	b.c = client
	b.t.Cleanup(func() {
		if err := client.Close(context.WithoutCancel(b.t.Context())); err != nil {
			b.t.Errorf("log out: %v", err)
		}
	})
	return client
}

// provider is a provider block that reaches the simulated vCenter; change replaces parts of it.
func (b *sim) provider(change ...string) string {
	return strings.NewReplacer(change...).Replace(fmt.Sprintf(`
provider "hypersdk" {
  vsphere = {
    server   = %q
    username = %q
    password = %q
    ca_file  = %q
  }
  %s
}
`, b.vc.URL(), b.vc.Username(), b.vc.Password(), b.vc.CAFile(), b.settings))
}

// run drives real terraform through the steps, with the provider inside the test's process. Every step that applies ends with
// a plan that must be empty, and the last one is followed by a destroy. In the end no session is left.
func (b *sim) run(steps ...resource.TestStep) {
	b.t.Helper()
	b.runCase(resource.TestCase{Steps: steps})
}

// runCase is run with more to say than steps.
func (b *sim) runCase(c resource.TestCase) {
	b.t.Helper()
	b.ran = true
	var served []*Provider
	defer func() {
		for _, p := range served {
			p.Close(context.WithoutCancel(b.t.Context()))
		}
	}()
	c.ProtoV6ProviderFactories = map[string]func() (tfprotov6.ProviderServer, error){
		"hypersdk": func() (tfprotov6.ProviderServer, error) {
			p := New("test")
			served = append(served, p)
			return providerserver.NewProtocol6WithError(p)()
		},
	}
	resource.UnitTest(b.t, c)
}

func (b *sim) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}
