package manifest

// Pipeline says which stages run. A stage that a manifest does not have is skipped, so all four are always written.
type Pipeline struct {
	Inspect  InspectStage  `json:"inspect"`
	Fix      FixStage      `json:"fix"`
	Convert  ConvertStage  `json:"convert"`
	Validate ValidateStage `json:"validate"`
}

// InspectStage finds out what the guest is.
type InspectStage struct {
	Enabled          bool `json:"enabled"`
	CollectGuestInfo bool `json:"collect_guest_info,omitempty"`
}

// The ways to rewrite fstab.
const (
	FstabStabilizeAll = "stabilize-all"
	FstabBypathOnly   = "bypath-only"
	FstabNoop         = "noop"
)

// FixStage makes the guest boot on KVM.
type FixStage struct {
	Enabled           bool   `json:"enabled"`
	FstabMode         string `json:"fstab_mode,omitempty"`      // empty: stabilize-all
	Backup            *bool  `json:"backup,omitempty"`          // nil: true
	UpdateGrub        *bool  `json:"update_grub,omitempty"`     // nil: true
	RegenInitramfs    *bool  `json:"regen_initramfs,omitempty"` // nil: true
	PrintFstab        bool   `json:"print_fstab,omitempty"`
	RemoveVMwareTools bool   `json:"remove_vmware_tools,omitempty"`
	EnableRDP         *bool  `json:"enable_rdp,omitempty"` // nil: when the guest is Windows
}

// ConvertStage writes the images of the output.
type ConvertStage struct {
	Enabled       bool `json:"enabled"`
	Compress      bool `json:"compress,omitempty"`
	CompressLevel int  `json:"compress_level,omitempty"` // 1 to 9; 0: the consumer's choice
}

// ValidateStage checks the images of the output.
type ValidateStage struct {
	Enabled             bool  `json:"enabled"`
	CheckImageIntegrity *bool `json:"check_image_integrity,omitempty"` // nil: true
}
