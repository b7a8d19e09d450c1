package libvirt

import (
	"encoding/xml"
	"strings"
)

// The namespaces of what we write into metadata elements. They name a format and are never fetched.
const (
	domainNamespace    = "https://github.com/hypersdk/terraform-provider-hypersdk/domain/1"
	bootCheckNamespace = "https://github.com/hypersdk/terraform-provider-hypersdk/bootcheck/1"
)

// Metadata is what we write into a domain's metadata element, so that it can be found again.
type Metadata struct {
	JobKey       string `json:"job_key" xml:"job"`
	SourceVM     string `json:"source_vm" xml:"source"` // inventory path
	InstanceUUID string `json:"instance_uuid" xml:"instance_uuid"`
	VCenterUUID  string `json:"vcenter_uuid" xml:"vcenter_uuid"`
	Version      string `json:"version" xml:"version"` // of hypersdk
}

// bootCheckMark is what the domain of a boot check carries instead: whose it is.
type bootCheckMark struct {
	Job   string `xml:"job"`
	Owner string `xml:"owner"` // of owner.String
}

type metadataElement struct {
	XMLName xml.Name `xml:"https://github.com/hypersdk/terraform-provider-hypersdk/domain/1 domain"`
	Metadata
}

type bootCheckElement struct {
	XMLName xml.Name `xml:"https://github.com/hypersdk/terraform-provider-hypersdk/bootcheck/1 bootcheck"`
	bootCheckMark
}

// marks is what is ours in a domain's metadata.
type marks struct {
	domain    *Metadata
	bootCheck *bootCheckMark
}

// readMarks finds our elements in the inner XML of a metadata element. Anything else in there, broken XML included, is not
// ours and no error.
func readMarks(inner string) marks {
	var m marks
	decoder := xml.NewDecoder(strings.NewReader(inner))
	for {
		token, err := decoder.Token()
		if err != nil {
			return m
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name {
		case xml.Name{Space: domainNamespace, Local: "domain"}:
			var e Metadata
			if decoder.DecodeElement(&e, &start) == nil {
				m.domain = &e
			}
		case xml.Name{Space: bootCheckNamespace, Local: "bootcheck"}:
			var e bootCheckMark
			if decoder.DecodeElement(&e, &start) == nil {
				m.bootCheck = &e
			}
		default:
			if decoder.Skip() != nil {
				return m
			}
		}
	}
}
