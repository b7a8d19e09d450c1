package preflight

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

// maxNameBytes leaves room in a file name (255 bytes) for what is put behind the domain's name.
const maxNameBytes = 200

// nameInvalid: the name becomes a libvirt domain's and the beginning of file names.
func nameInvalid(in Input) []sdk.Finding {
	why := nameTrouble(in.Plan.Name)
	if why == "" {
		return nil
	}
	return found("target.name.invalid", sdk.Critical,
		fmt.Sprintf("the name %q cannot be given to a domain and its files: it %s", in.Plan.Name, why),
		`choose one: target.name = "web-1" (hyperexport --name web-1)`)
}

func nameTrouble(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "is empty"
	case strings.Contains(name, "/"):
		return "contains a slash"
	case strings.HasPrefix(name, "."):
		return "begins with a dot"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "contains a line break or another control character"
	case len(name) > maxNameBytes:
		return fmt.Sprintf("has %d bytes, more than %d", len(name), maxNameBytes)
	}
	return ""
}

// domainExists: a domain with the plan's UUID is this migration's own.
func domainExists(in Input) []sdk.Finding {
	for _, d := range in.otherDomains() {
		if d.Name == in.Plan.Name {
			return found("target.domain.exists", sdk.Critical,
				fmt.Sprintf("the target has a domain %q already (UUID %s, %s)", d.Name, d.UUID, d.State),
				fmt.Sprintf(`choose another name: target.name = "%s-2" (hyperexport --name %s-2), or rename the domain there: virsh domrename`, d.Name, d.Name))
		}
	}
	return nil
}

// macConflict: two domains with one address on one network break both.
func macConflict(in Input) []sdk.Finding {
	var findings []sdk.Finding
	for _, nic := range in.VM.NICs {
		for _, d := range in.otherDomains() {
			if slices.ContainsFunc(d.MACs, func(mac string) bool { return nic.MAC != "" && strings.EqualFold(mac, nic.MAC) }) {
				findings = append(findings, found("target.mac.conflict", sdk.Critical,
					fmt.Sprintf("domain %q at the target has the MAC address %s of adapter %q", d.Name, nic.MAC, nic.Label),
					"remove that domain when it is an earlier copy of this VM, or change its address (virsh edit)")...)
			}
		}
	}
	return findings
}

// otherDomains are those that are not this migration's.
func (in Input) otherDomains() []libvirt.Domain {
	if in.Target == nil {
		return nil
	}
	var others []libvirt.Domain
	for _, d := range in.Target.Domains {
		if !strings.EqualFold(d.UUID, in.Plan.UUID) {
			others = append(others, d)
		}
	}
	return others
}
