package libvirt

import "regexp"

// bootedLine is what Linux guests say on their console once they are up.
var bootedLine = regexp.MustCompile(`\blogin:\s*$|Reached target .*(?i:multi-user|graphical|login prompts)|\bStartup finished in\b`)

// failureSigns are what firmware, boot loaders, kernels, initramfs and init systems say when they give up. Each stands for a boot
// that does not go on without a person.
var failureSigns = []struct {
	line *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`Kernel panic`), "the kernel panicked"},
	{regexp.MustCompile(`VFS: (Unable to mount root|Cannot open root device)`), "the kernel found no root file system"},
	{regexp.MustCompile(`ALERT!.*does not exist`), "the initramfs found no root file system"},
	{regexp.MustCompile(`G[ai]ve up waiting for root`), "the initramfs found no root file system"},
	{regexp.MustCompile(`^\s*\(initramfs\)`), "the initramfs dropped to a shell"},
	{regexp.MustCompile(`^\s*dracut:/#|Entering emergency mode`), "the initramfs dropped to a shell"},
	{regexp.MustCompile(`(You are in|Welcome to) (emergency|rescue) (mode|shell)`), "the guest went into its emergency mode"},
	{regexp.MustCompile(`Cannot open access to console, the root account is locked`), "the guest went into its emergency mode"},
	{regexp.MustCompile(`^\s*grub( rescue)?>|GNU GRUB.*Minimal|Minimal BASH-like line editing`), "GRUB dropped to its prompt"},
	{regexp.MustCompile(`No bootable device|No bootable option|Boot failed`), "the firmware found nothing to boot"},
	{regexp.MustCompile(`^\s*Shell>|UEFI Interactive Shell`), "the firmware went into its shell"},
	{regexp.MustCompile(`(?i)missing operating system|operating system not found|no active partition`), "the boot sector found no system"},
}

// failureSign returns what the line means when it tells that the boot failed, and nothing otherwise.
func failureSign(line string) string {
	for _, sign := range failureSigns {
		if sign.line.MatchString(line) {
			return sign.why
		}
	}
	return ""
}
