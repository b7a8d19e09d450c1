package guest

import (
	"context"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// FixWithVirtV2V runs virt-v2v-in-place over the disks (overlays) instead of Inspect and Fix. It rebuilds the initramfs with the
// guest's own tools inside its appliance, which takes minutes without hardware acceleration, and does not list its edits.
// Progress are its messages.
func FixWithVirtV2V(ctx context.Context, disks []Disk, log *slog.Logger, report sdk.ProgressFunc) (*FixResult, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if _, err := diskArgs(Spec{Disks: disks}); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hypersdk-v2v-")
	if err != nil {
		return nil, fmt.Errorf("virt-v2v: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	domain, err := domainXML(disks)
	if err != nil {
		return nil, fmt.Errorf("virt-v2v: %w", err)
	}
	file := filepath.Join(dir, "guest.xml")
	if err := os.WriteFile(file, domain, 0o600); err != nil {
		return nil, fmt.Errorf("virt-v2v: %w", err)
	}
	result := &FixResult{Edits: []Edit{}}
	_, err = proc.Run(ctx, proc.Cmd{
		Name: "virt-v2v-in-place", Args: []string{"-i", "libvirtxml", file}, Env: environment(ctx, dir, defaultMemoryMB*2),
		Line: func(line string) {
			log.Debug("virt-v2v", "line", line)
			report.Report(sdk.Progress{Message: clean(line)})
			if text, ok := strings.CutPrefix(line, "virt-v2v-in-place: warning: "); ok {
				result.Findings = append(result.Findings, sdk.Finding{
					ID: "virt_v2v.warning", Severity: sdk.Warning, Text: clean(text), Action: "Read virt-v2v's manual on this guest.",
				})
			}
		},
	})
	if err != nil {
		return nil, sdk.WithHint(fmt.Errorf("virt-v2v: %w", err), "the built-in engine knows Debian and Ubuntu: engine = builtin")
	}
	result.Edits = append(result.Edits, Edit{Path: "/", Action: "modify", Reason: "virt-v2v-in-place converted the guest; it does not list its edits"})
	result.Findings = append(result.Findings, sdk.Finding{
		ID: "virt_v2v.bootloader", Severity: sdk.Info, Text: "virt-v2v leaves root=/dev/sdX on GRUB's command line where it finds no way to regenerate it",
		Action: "Let the boot check decide; name the root by UUID in the guest when it fails.",
	})
	return result, nil
}

// v2vDomain is as much of a libvirt domain as virt-v2v reads: the disks, on the bus that the guest knows, so that names change.
type v2vDomain struct {
	XMLName xml.Name  `xml:"domain"`
	Type    string    `xml:"type,attr"`
	Name    string    `xml:"name"`
	Memory  int       `xml:"memory"`
	VCPU    int       `xml:"vcpu"`
	OS      string    `xml:"os>type"`
	Disks   []v2vDisk `xml:"devices>disk"`
}

type v2vDisk struct {
	Type   string `xml:"type,attr"`
	Device string `xml:"device,attr"`
	Driver struct {
		Name string `xml:"name,attr"`
		Type string `xml:"type,attr"`
	} `xml:"driver"`
	Source struct {
		File string `xml:"file,attr"`
	} `xml:"source"`
	Target struct {
		Dev string `xml:"dev,attr"`
		Bus string `xml:"bus,attr"`
	} `xml:"target"`
}

func domainXML(disks []Disk) ([]byte, error) {
	d := v2vDomain{Type: "kvm", Name: "guest", Memory: 1 << 20, VCPU: 1, OS: "hvm"}
	for i, disk := range disks {
		path, err := filepath.Abs(disk.Path)
		if err != nil {
			return nil, err
		}
		var x v2vDisk
		x.Type, x.Device = "file", "disk"
		x.Driver.Name, x.Driver.Type = "qemu", disk.Format
		x.Source.File = path
		x.Target.Dev, x.Target.Bus = "sd"+letters(i), "scsi"
		d.Disks = append(d.Disks, x)
	}
	return xml.MarshalIndent(d, "", "  ")
}
