package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const (
	module = "github.com/hypersdk/terraform-provider-hypersdk"
	tags   = "libvirt_dlopen"
)

// group is a set of tests that run together.
type group struct {
	name     string
	packages string // a pattern for the path inside the module; empty: what no other group has
	race     bool
}

// groups are in the order of running: what is quick and most likely to fail first.
var groups = []group{
	{name: "unit", race: true},
	// Without the race detector: the simulator writes its answers from live objects, and the daemon's mirror reads VMs while they are cloned.
	{name: "daemon", packages: `^(internal/(api|sdk/client)|cmd/hypersdkd)$`},
	{name: "simulator", race: true, packages: `^(internal/demo(/.*)?|internal/sdk/(vsphere|export|preflight)|cmd/.*)$`},
	{name: "tools", packages: `^internal/sdk/(proc|qemuimg|qcow2|vmdk|libvirt)$`},
	{name: "guests", packages: `^internal/sdk/(guest|migrate)$`},      // side by side: an appliance keeps one core busy
	{name: "acceptance", race: true, packages: `^internal/provider$`}, // real terraform
}

func groupNames() []string {
	names := []string{"lint", "generated", "dashboard"}
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// pkg is a package with tests.
type pkg struct {
	path  string
	tests []string
}

func (p pkg) home() string {
	inside := strings.TrimPrefix(strings.TrimPrefix(p.path, module), "/")
	for _, g := range groups {
		if g.packages != "" && regexp.MustCompile(g.packages).MatchString(inside) {
			return g.name
		}
	}
	return groups[0].name
}

// members are the packages of the group. A package without tests is in its group too, so that its coverage counts as none.
func (g group) members(pkgs []pkg) []string {
	var paths []string
	for _, p := range pkgs {
		if g.name == p.home() {
			paths = append(paths, p.path)
		}
	}
	return paths
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)(?:[^a-z(]\w*)?)\(\w+ \*testing\.[TF]\)`)

// listPackages lists every package and the tests that its sources declare for this machine's build.
func listPackages() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-tags", tags, "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var pkgs []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var l struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		p := pkg{path: l.ImportPath}
		for _, file := range append(l.TestGoFiles, l.XTestGoFiles...) {
			src, err := os.ReadFile(filepath.Join(l.Dir, file))
			if err != nil {
				return nil, err
			}
			for _, m := range testFunc.FindAllSubmatch(src, -1) {
				p.tests = append(p.tests, string(m[1]))
			}
		}
		pkgs = append(pkgs, p)
	}
}

func (g group) run(paths []string, profile string, res *results) (timing, error) {
	fmt.Printf("== %s\n", g.name)
	args := []string{"test", "-json", "-p", "2", "-timeout", "45m", "-tags", tags, "-coverprofile", profile}
	if g.race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, paths...)...)
	cmd.Env = append(os.Environ(), "HYPERSDK_TEST_STRICT=1", "TF_ACC=1", "CHECKPOINT_DISABLE=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return timing{}, err
	}
	start, before := time.Now(), len(res.ran)
	if err := cmd.Start(); err != nil {
		return timing{}, fmt.Errorf("go test: %w", err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		res.event(lines.Bytes())
	}
	err = errors.Join(lines.Err(), cmd.Wait())
	return timing{group: g.name, took: time.Since(start), tests: len(res.ran) - before, ok: err == nil}, nil
}
