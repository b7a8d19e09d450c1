package export

// Disk is one exported disk.
type Disk struct {
	ID           string `json:"id"`
	Address      string `json:"address"`
	VirtualBytes int64  `json:"virtual_bytes"`          // capacity
	Path         string `json:"path,omitempty"`         // the converted image
	Format       string `json:"format,omitempty"`       // of Path
	Bytes        int64  `json:"bytes,omitempty"`        // file size of Path
	SHA256       string `json:"sha256,omitempty"`       // of the file at Path, hex
	SourcePath   string `json:"source_path,omitempty"`  // the kept VMDK; for an OVA the OVA itself
	SourceBytes  int64  `json:"source_bytes,omitempty"` // of the VMDK as served
	SourceSHA256 string `json:"source_sha256,omitempty"`
	WireBytes    int64  `json:"wire_bytes"` // received for it in this run; 0 when a resume skipped it
	Transport    string `json:"transport"`  // nfc
}

// Result is what an export made.
type Result struct {
	Disks []Disk   `json:"disks"`           // in the spec's order
	Files []string `json:"files"`           // every file made: images, VMDKs, OVF, .mf, OVA
	Notes []string `json:"notes,omitempty"` // what was done otherwise than asked, and why
}
