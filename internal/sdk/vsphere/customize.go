package vsphere

// Customization is what vCenter does to the guest at its first start: either a saved specification of vCenter's, or Linux,
// or Windows. The addresses replace those of a saved one.
type Customization struct {
	Spec       string                       `json:"spec,omitempty"` // name of a saved specification
	Linux      *LinuxCustomization          `json:"linux,omitempty"`
	Windows    *WindowsCustomization        `json:"windows,omitempty"`
	Interfaces map[string]InterfaceSettings `json:"interfaces,omitempty"` // by position of the adapter; those not listed use DHCP
	Gateways   []string                     `json:"gateways,omitempty"`   // of the adapters that name none and hold a static address of that family
	DNSServers []string                     `json:"dns_servers,omitempty"`
	DNSDomains []string                     `json:"dns_domains,omitempty"` // searched in this order
}

// LinuxCustomization names a Linux guest.
type LinuxCustomization struct {
	Hostname   string `json:"hostname"`         // empty: the VM's name
	Domain     string `json:"domain,omitempty"` // empty: "localdomain"
	TimeZone   string `json:"time_zone,omitempty"`
	HWClockUTC *bool  `json:"hw_clock_utc,omitempty"`
	Script     Secret `json:"script,omitempty"` // run in the guest before and after; off by default in VMware Tools
}

// WindowsCustomization is what Sysprep is told.
type WindowsCustomization struct {
	ComputerName        string   `json:"computer_name"` // at most 15 characters; empty: the VM's name
	FullName            string   `json:"full_name,omitempty"`
	Organization        string   `json:"organization,omitempty"`
	ProductKey          Secret   `json:"product_key,omitempty"`
	AdminPassword       Secret   `json:"admin_password,omitempty"`
	TimeZone            int32    `json:"time_zone,omitempty"` // Microsoft's index; 0 is the International Date Line, 85 is GMT
	AutoLogonCount      int32    `json:"auto_logon_count,omitempty"`
	RunOnce             []string `json:"run_once,omitempty"`
	Workgroup           string   `json:"workgroup,omitempty"`   // or the four below
	Domain              string   `json:"join_domain,omitempty"` //
	DomainOU            string   `json:"domain_ou,omitempty"`
	DomainAdmin         string   `json:"domain_admin,omitempty"`
	DomainAdminPassword Secret   `json:"domain_admin_password,omitempty"`
}

// InterfaceSettings are the addresses of one adapter.
type InterfaceSettings struct {
	IPv4       string   `json:"ipv4,omitempty"` // 10.0.0.11/24; empty: DHCP
	IPv6       []string `json:"ipv6,omitempty"` // 2001:db8::11/64
	Gateways   []string `json:"gateways,omitempty"`
	DNSServers []string `json:"dns_servers,omitempty"` // Windows only
	DNSDomain  string   `json:"dns_domain,omitempty"`  // Windows only
}
