package demo

import "encoding/xml"

// The elements of an OVF 1 envelope (DMTF DSP0243) that vCenter writes for a VM, with its own vmw: extensions. The names
// carry their prefixes, which newEnvelope declares.

type envelope struct {
	XMLName    xml.Name       `xml:"Envelope"`
	Namespaces []xml.Attr     `xml:",any,attr"`
	References []fileRef      `xml:"References>File"`
	Disks      diskSection    `xml:"DiskSection"`
	Networks   networkSection `xml:"NetworkSection"`
	System     virtualSystem  `xml:"VirtualSystem"`
}

type fileRef struct {
	Href string `xml:"ovf:href,attr"`
	ID   string `xml:"ovf:id,attr"`
	Size int64  `xml:"ovf:size,attr"`
}

type diskSection struct {
	Info  string    `xml:"Info"`
	Disks []diskRef `xml:"Disk"`
}

type diskRef struct {
	Capacity int64  `xml:"ovf:capacity,attr"`
	Units    string `xml:"ovf:capacityAllocationUnits,attr"`
	ID       string `xml:"ovf:diskId,attr"`
	FileRef  string `xml:"ovf:fileRef,attr,omitempty"`
	Format   string `xml:"ovf:format,attr"`
}

type networkSection struct {
	Info     string    `xml:"Info"`
	Networks []network `xml:"Network"`
}

type network struct {
	Name        string `xml:"ovf:name,attr"`
	Description string `xml:"Description"`
}

type virtualSystem struct {
	ID         string             `xml:"ovf:id,attr"`
	Info       string             `xml:"Info"`
	Name       string             `xml:"Name"`
	Annotation *annotationSection `xml:"AnnotationSection"`
	OS         osSection          `xml:"OperatingSystemSection"`
	Hardware   hardwareSection    `xml:"VirtualHardwareSection"`
}

type annotationSection struct {
	Info       string `xml:"Info"`
	Annotation string `xml:"Annotation"`
}

type osSection struct {
	ID          int    `xml:"ovf:id,attr"`
	Type        string `xml:"vmw:osType,attr"`
	Info        string `xml:"Info"`
	Description string `xml:"Description"`
}

type hardwareSection struct {
	Info   string      `xml:"Info"`
	System vssdSystem  `xml:"System"`
	Items  []item      `xml:"Item"`
	Config []vmwConfig `xml:"vmw:Config"`
	Extra  []vmwConfig `xml:"vmw:ExtraConfig"`
}

type vssdSystem struct {
	ElementName string `xml:"vssd:ElementName"`
	InstanceID  int    `xml:"vssd:InstanceID"`
	Identifier  string `xml:"vssd:VirtualSystemIdentifier"`
	Type        string `xml:"vssd:VirtualSystemType"`
}

// item is a CIM_ResourceAllocationSettingData; DSP0243 wants its elements in alphabetical order.
type item struct {
	Address         string          `xml:"rasd:Address,omitempty"`
	AddressOnParent string          `xml:"rasd:AddressOnParent,omitempty"`
	Units           string          `xml:"rasd:AllocationUnits,omitempty"`
	Automatic       string          `xml:"rasd:AutomaticAllocation,omitempty"`
	Connection      string          `xml:"rasd:Connection,omitempty"`
	Description     string          `xml:"rasd:Description,omitempty"`
	ElementName     string          `xml:"rasd:ElementName"`
	HostResource    string          `xml:"rasd:HostResource,omitempty"`
	InstanceID      int             `xml:"rasd:InstanceID"`
	Parent          string          `xml:"rasd:Parent,omitempty"`
	SubType         string          `xml:"rasd:ResourceSubType,omitempty"`
	ResourceType    int             `xml:"rasd:ResourceType"`
	Quantity        int64           `xml:"rasd:VirtualQuantity,omitempty"`
	CoresPerSocket  *coresPerSocket `xml:"vmw:CoresPerSocket"`
}

type coresPerSocket struct {
	Required bool  `xml:"ovf:required,attr"`
	Count    int32 `xml:",chardata"`
}

type vmwConfig struct {
	Required bool   `xml:"ovf:required,attr"`
	Key      string `xml:"vmw:key,attr"`
	Value    string `xml:"vmw:value,attr"`
}

func newEnvelope() *envelope {
	const (
		ovf  = "http://schemas.dmtf.org/ovf/envelope/1"
		cim  = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
		vmw  = "http://www.vmware.com/schema/ovf"
		info = "The list of virtual disks"
	)
	attr := func(name, value string) xml.Attr { return xml.Attr{Name: xml.Name{Local: name}, Value: value} }
	return &envelope{
		Namespaces: []xml.Attr{
			attr("xmlns", ovf), attr("xmlns:ovf", ovf),
			attr("xmlns:rasd", cim+"CIM_ResourceAllocationSettingData"),
			attr("xmlns:vssd", cim+"CIM_VirtualSystemSettingData"),
			attr("xmlns:vmw", vmw),
		},
		Disks:    diskSection{Info: info},
		Networks: networkSection{Info: "The list of logical networks"},
		System:   virtualSystem{Info: "A virtual machine"},
	}
}
