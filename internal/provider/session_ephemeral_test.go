package provider

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// vsphereProvider is a provider block that reaches the simulated vCenter; more are further lines of its vsphere object.
func vsphereProvider(v *demo.VCenter, more ...string) string {
	return fmt.Sprintf("provider \"hypersdk\" {\n vsphere = {\n  server = %q\n  username = %q\n  password = %q\n  ca_file = %q\n  %s\n }\n}\n",
		v.URL(), v.Username(), v.Password(), v.CAFile(), strings.Join(more, "\n"))
}

// sessionExample is the published example, at a VM that the simulated vCenter has; the cookie is copied to a file as well.
func sessionExample(t *testing.T, stolen string) string {
	t.Helper()
	example, err := os.ReadFile("../../examples/ephemeral-resources/hypersdk_session/ephemeral-resource.tf")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(
		"web-01/web-01.vmx?dcPath=DC1&dsName=ds1", "DC0_C0_RP0_VM0/DC0_C0_RP0_VM0.vmx?dcPath=DC0&dsName=LocalDS_0",
		`command = "`, `command = "printf %s \"$COOKIE\" > `+stolen+` && `,
	).Replace(string(example))
}

func TestSession_ServesAnotherToolAndLeavesNothing(t *testing.T) {
	need.Tools(t, "curl")
	v := rig.VCenter(t, demo.Options{})
	stolen := filepath.Join(t.TempDir(), "cookie")
	w := newWorkspace(t, vsphereProvider(v)+sessionExample(t, stolen))
	w.terraform(0, "plan", "-out=plan", "-input=false")
	out := w.apply()
	if !strings.Contains(out, "Apply complete! Resources: 1 added") {
		t.Errorf("the other tool was not served:\n%s", out)
	}
	cookie, err := os.ReadFile(stolen)
	if err != nil {
		t.Fatal(err)
	}
	_, id, ok := strings.Cut(string(cookie), "vmware_soap_session=")
	if !ok || id == "" {
		t.Fatalf("cookie %q, want vmware_soap_session=…", cookie)
	}
	wantNowhere(t, w.dir, id)
	if strings.Contains(out, id) {
		t.Error("the session's id is in Terraform's output")
	}
	if got := v.Sessions(); got != 0 {
		t.Errorf("%d vCenter sessions left, want 0", got)
	}
	if made := v.Calls(); made["Login"] != made["Logout"] || made["Login"] < 4 {
		t.Errorf("%d logins and %d logouts, want two of each for every run", made["Login"], made["Logout"])
	}
}

// wantNowhere fails when a file below dir holds the secret.
func wantNowhere(t *testing.T, dir, secret string) {
	t.Helper()
	looked := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s holds the secret", path)
		}
		looked++
		return err
	})
	if err != nil || looked == 0 {
		t.Fatalf("looked at %d files: %v", looked, err)
	}
}

func TestSession_RefusesWithoutVCenter(t *testing.T) {
	w := newWorkspace(t, "provider \"hypersdk\" {}\nephemeral \"hypersdk_session\" \"this\" {}\n"+
		"resource \"terraform_data\" \"x\" {\n provisioner \"local-exec\" {\n  command = \"true\"\n  environment = { X = ephemeral.hypersdk_session.this.cookie }\n }\n}\n")
	if out := w.terraform(1, "plan", "-input=false"); !strings.Contains(out, "HYPERSDK_VSPHERE_SERVER") {
		t.Errorf("the error does not say what to set:\n%s", out)
	}
}

func TestSession_UnknownVCenterIsSaid(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	w := newWorkspace(t, "resource \"terraform_data\" \"host\" {\n input = "+fmt.Sprintf("%q", v.URL())+"\n}\n"+
		strings.Replace(vsphereProvider(v), fmt.Sprintf("%q", v.URL()), "terraform_data.host.output", 1)+
		"ephemeral \"hypersdk_session\" \"this\" {}\n")
	out := w.terraform(1, "plan", "-input=false")
	if !strings.Contains(out, "vCenter is not known yet") {
		t.Errorf("the plan does not say why:\n%s", out)
	}
	if n := v.Calls()["Login"]; n != 0 {
		t.Errorf("%d logins, want none", n)
	}
}
