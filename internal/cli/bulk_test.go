package cli_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestBulkView(t *testing.T) {
	r := &sdk.BulkResult{Total: 2, Succeeded: 1, Failed: 1, Items: []sdk.BulkOutcome{
		{Name: "web-1", Status: sdk.Succeeded, TookSeconds: 4.2},
		{Name: "web-2", Status: sdk.Failed, TookSeconds: 0.1, Message: "the name is taken"},
	}}
	for form, want := range map[string]string{
		"table": "NAME   STATUS      TOOK  MESSAGE\nweb-1  succeeded  4.2 s  -\nweb-2  failed     0.1 s  the name is taken\n",
		"csv":   "name,status,message,took_seconds\nweb-1,succeeded,,4.2\nweb-2,failed,the name is taken,0.1\n",
	} {
		cmd := &cobra.Command{Use: "x"}
		out := cli.AddOutput(cmd)
		if err := cmd.ParseFlags([]string{"-o", form}); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := out.Print(&got, cli.BulkView(r)); err != nil || got.String() != want {
			t.Errorf("%s: %v, got\n%swant\n%s", form, err, got.String(), want)
		}
	}
}

func TestConcurrent(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "64": 64, "": 0, "0": 0, "65": 0, "x": 0} {
		cmd := &cobra.Command{Use: "x"}
		c := cli.AddConcurrent(cmd)
		err := cmd.ParseFlags([]string{"--max-concurrent=" + text})
		if want == 0 && err == nil || want > 0 && (err != nil || int(*c) != want) {
			t.Errorf("--max-concurrent=%s: %d, %v", text, *c, err)
		}
	}
	if c := cli.AddConcurrent(&cobra.Command{}); int(*c) != sdk.DefaultConcurrent {
		t.Errorf("the default is %d", *c)
	}
}

func TestConsent_RefusesInAPipe(t *testing.T) {
	cmd := &cobra.Command{Use: "x"}
	cmd.SetIn(bytes.NewBufferString("yes\n"))
	cmd.SetErr(&bytes.Buffer{})
	consent := cli.AddConsent(cmd)
	err := consent.Ask(t.Context(), "Delete 3 VMs?", "")
	if !errors.Is(err, sdk.ErrInvalid) || len(sdk.Hints(err)) != 1 {
		t.Errorf("error = %v, hints %q", err, sdk.Hints(err))
	}
	if err := cmd.ParseFlags([]string{"--yes"}); err != nil {
		t.Fatal(err)
	}
	if err := consent.Ask(t.Context(), "Delete 3 VMs?", ""); err != nil {
		t.Errorf("with --yes: %v", err)
	}
}

func TestPlannedView(t *testing.T) {
	var got bytes.Buffer
	cmd := &cobra.Command{Use: "x"}
	if err := cli.AddOutput(cmd).Print(&got, cli.PlannedView(nil, "power on web-1", "wait\x1b")); err != nil || got.String() != "would power on web-1\nwould wait\\x1b\n" {
		t.Errorf("%v, got %q", err, got.String())
	}
}
