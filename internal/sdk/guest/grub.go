package guest

import (
	"regexp"
	"strings"
)

// kernelDevice is a device on a kernel command line: root= or resume=, up to a blank or a quote.
var kernelDevice = regexp.MustCompile(`(^|[\s"'])(root|resume)=(/dev/[^\s"']+)`)

// linuxCommand are GRUB's commands that take a kernel command line.
var linuxCommand = regexp.MustCompile(`^\s*(?:linux|linux16|linuxefi|linux_[a-z]+|options)\s`)

// rewriteGrubCfg replaces device names in root= and resume= of grub.cfg's linux commands.
func rewriteGrubCfg(text string, replace func(argument, device string) (string, bool)) string {
	return rewriteLines(text, linuxCommand.MatchString, replace)
}

// rewriteGrubDefault does so in the command lines of /etc/default/grub.
func rewriteGrubDefault(text string, replace func(argument, device string) (string, bool)) string {
	return rewriteLines(text, func(line string) bool {
		return strings.HasPrefix(strings.TrimLeft(line, " \t"), "GRUB_CMDLINE_LINUX")
	}, replace)
}

func rewriteLines(text string, match func(line string) bool, replace func(argument, device string) (string, bool)) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if match(line) {
			line = rewriteKernelDevices(line, replace)
		}
		out.WriteString(line)
	}
	return out.String()
}

func rewriteKernelDevices(line string, replace func(argument, device string) (string, bool)) string {
	return kernelDevice.ReplaceAllStringFunc(line, func(found string) string {
		m := kernelDevice.FindStringSubmatch(found)
		stable, ok := replace(m[2], m[3])
		if !ok {
			return found
		}
		return m[1] + m[2] + "=" + stable
	})
}

// anyKernelDevice is the same with the names that need no rewriting.
var anyKernelDevice = regexp.MustCompile(`(?:^|[\s"'])(root|resume)=([^\s"']+)`)

// grubDevices lists what root= and resume= name in a grub.cfg.
func grubDevices(text string) (devices []kernelArgument) {
	for line := range strings.Lines(text) {
		if !linuxCommand.MatchString(line) {
			continue
		}
		for _, m := range anyKernelDevice.FindAllStringSubmatch(line, -1) {
			devices = append(devices, kernelArgument{Name: m[1], Device: m[2]})
		}
	}
	return devices
}

// kernelArgument is root=DEVICE or resume=DEVICE.
type kernelArgument struct{ Name, Device string }

// resumeLine is initramfs-tools' setting in /etc/initramfs-tools/conf.d/resume, and in the image's conf/conf.d.
var resumeLine = regexp.MustCompile(`(?m)^(\s*RESUME=["']?)(/dev/[^\s"']+)`)

func rewriteResume(text string, replace func(string) (string, bool)) string {
	return resumeLine.ReplaceAllStringFunc(text, func(found string) string {
		m := resumeLine.FindStringSubmatch(found)
		stable, ok := replace(m[2])
		if !ok {
			return found
		}
		return m[1] + stable
	})
}
