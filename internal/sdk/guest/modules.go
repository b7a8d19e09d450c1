package guest

import (
	"bufio"
	"bytes"
	"path"
	"slices"
	"strings"
)

// virtioDrivers is what a guest needs on virtio hardware; the first two find its disk.
var virtioDrivers = []string{"virtio_pci", "virtio_blk", "virtio_scsi", "virtio_net"}

// fallbackDrivers find the disk when the boot check falls back to other hardware; they are added where the kernel has them.
var fallbackDrivers = []string{"ahci", "sd_mod"}

// kernelModules is what a kernel's directory below /lib/modules says.
type kernelModules struct {
	version string
	dir     string              // in the guest: /usr/lib/modules/VERSION
	paths   map[string]string   // module -> path below dir
	needs   map[string][]string // path below dir -> paths
	builtin map[string]bool
	index   map[string][]byte // modules.dep and its like, by file name
}

// newKernelModules reads the index files that depmod and the kernel's build left.
func newKernelModules(version, dir string, index map[string][]byte) *kernelModules {
	m := &kernelModules{version: version, dir: dir, index: index, builtin: map[string]bool{}}
	m.paths, m.needs = parseModulesDep(index["modules.dep"])
	lines := bufio.NewScanner(bytes.NewReader(index["modules.builtin"]))
	for lines.Scan() {
		if name, _, ok := moduleName(lines.Text()); ok {
			m.builtin[name] = true
		}
	}
	return m
}

// parseModulesDep reads "path: path path" lines. Paths that lead out of the directory are dropped.
func parseModulesDep(data []byte) (paths map[string]string, needs map[string][]string) {
	paths, needs = map[string]string{}, map[string][]string{}
	for line := range strings.Lines(string(data)) {
		file, deps, ok := strings.Cut(strings.TrimSpace(line), ":")
		name, _, isModule := moduleName(file)
		if !ok || !isModule || !local(file) {
			continue
		}
		paths[name] = file
		for dep := range strings.FieldsSeq(deps) {
			if local(dep) {
				needs[file] = append(needs[file], dep)
			}
		}
	}
	return paths, needs
}

func local(file string) bool {
	return file != "" && !path.IsAbs(file) && path.Clean(file) == file && file != ".." && !strings.HasPrefix(file, "../")
}

// moduleName returns the name that modprobe knows a module file by, and the file's suffix.
func moduleName(file string) (name, suffix string, ok bool) {
	base := path.Base(strings.TrimSpace(file))
	for _, suffix := range []string{".ko", ".ko.xz", ".ko.zst", ".ko.gz"} {
		if name, ok := strings.CutSuffix(base, suffix); ok && name != "" {
			return strings.ReplaceAll(name, "-", "_"), suffix, true
		}
	}
	return "", "", false
}

// has says whether the kernel has a driver, as a module or built in.
func (m *kernelModules) has(name string) bool {
	_, module := m.paths[name]
	return module || m.builtin[name]
}

// closure returns the paths of the named modules and all they need, sorted. Names that the kernel does not have are left out.
func (m *kernelModules) closure(names []string) []string {
	var todo, all []string
	for _, name := range names {
		if file, ok := m.paths[name]; ok {
			todo = append(todo, file)
		}
	}
	seen := map[string]bool{}
	for len(todo) > 0 {
		file := todo[0]
		todo = todo[1:]
		if seen[file] {
			continue
		}
		seen[file] = true
		all = append(all, file)
		todo = append(todo, m.needs[file]...)
	}
	slices.Sort(all)
	return all
}

// mergeModuleList adds names to a list of modules, one a line, that does not have them. What is there stays as it is.
func mergeModuleList(list []byte, names []string) []byte {
	have := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			have[strings.ReplaceAll(fields[0], "-", "_")] = true
		}
	}
	out := bytes.Clone(list)
	for _, name := range names {
		if have[name] {
			continue
		}
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
		out = append(out, name+"\n"...)
	}
	return out
}
