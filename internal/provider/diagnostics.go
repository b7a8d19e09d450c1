package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// detail is an error's text followed by its hints, a paragraph each.
func detail(err error) string {
	return strings.Join(append([]string{err.Error()}, sdk.Hints(err)...), "\n\n")
}

// findingPaths says which argument a finding is about, by the first prefix of its id that is listed.
var findingPaths = []struct {
	prefix string
	path   path.Path
}{
	{"target.network.", path.Root("target").AtName("networks")},
	{"target.bridge.", path.Root("target").AtName("networks")},
	{"target.mac.", path.Root("target").AtName("networks")},
	{"target.pool.", path.Root("target").AtName("pool")},
	{"target.domain.", path.Root("target").AtName("name")},
	{"target.", path.Root("target")},
	{"plan.", path.Root("target")},
}

func findingPath(id string) path.Path {
	for _, f := range findingPaths {
		if strings.HasPrefix(id, f.prefix) {
			return f.path
		}
	}
	return path.Root("source")
}

// addFindings adds the blocking findings as errors and the other warnings as warnings.
func addFindings(diags *diag.Diagnostics, findings, blocking []sdk.Finding) {
	blocks := map[sdk.Finding]bool{}
	for _, f := range blocking {
		blocks[f] = true
		diags.AddAttributeError(findingPath(f.ID), "Pre-flight: "+f.ID, fmt.Sprintf(
			"%s\n\n%s\n\nTo go on all the same, add %q to preflight.ignore.", sentence(f.Text), sentence(f.Action), f.ID))
	}
	for _, f := range findings {
		if blocks[f] || !f.Severity.Worse(sdk.Info) {
			continue
		}
		diags.AddAttributeWarning(findingPath(f.ID), "Pre-flight: "+f.ID, sentence(f.Text)+"\n\n"+sentence(f.Action))
	}
}

// sentence makes a finding's text read as one in Terraform's prose: a capital first, a full stop last.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
