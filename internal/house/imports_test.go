package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hypersdk/terraform-provider-hypersdk"

// doors are what turns a user's wish into one call of the SDK.
var doors = []string{"internal/provider", "internal/api", "internal/tui", "internal/web", "cmd"}

// govmomiRooms are where govmomi may be imported outside of tests.
var govmomiRooms = []string{"internal/sdk/vsphere", "internal/demo"}

// graph has the imports of each package, by path.
type graph map[string][]string

// crossings returns what is wrong with g, in words, sorted.
func crossings(g graph) []string {
	var wrong []string
	for pkg, imports := range g {
		from := strings.TrimPrefix(pkg, module+"/")
		for _, imp := range imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			switch {
			case ours && in("internal/sdk", from) && door(to) != "":
				wrong = append(wrong, fmt.Sprintf("%s imports the door %s: the room knows no door; move what it needs into internal/sdk", from, to))
			case ours && door(from) != "" && door(to) != "" && door(from) != door(to) && door(from) != "cmd":
				wrong = append(wrong, fmt.Sprintf("%s imports %s: a door opens only into the room; move what both need into internal/sdk", from, to))
			case ours && door(from) == "cmd" && in("internal/provider", to):
				wrong = append(wrong, fmt.Sprintf("%s imports %s: only main.go serves the provider", from, to))
			case in("github.com/vmware/govmomi", imp) && !slices.ContainsFunc(govmomiRooms, func(r string) bool { return in(r, from) }):
				wrong = append(wrong, fmt.Sprintf("%s imports %s: only internal/sdk/vsphere talks to vCenter (and internal/demo plays one); add a verb there", from, imp))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// in says whether path is dir or below it.
func in(dir, path string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func door(path string) string {
	for _, d := range doors {
		if in(d, path) {
			return d
		}
	}
	return ""
}

func TestImports_NoCrossings(t *testing.T) {
	g := load(t)
	if len(g[module+"/internal/sdk/vsphere"]) == 0 {
		t.Fatal("the import graph lacks internal/sdk/vsphere: it was not read")
	}
	for _, wrong := range crossings(g) {
		t.Error(wrong)
	}
}

// load reads the imports of every package, without those of tests.
func load(t *testing.T) graph {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", "libvirt_dlopen", "-json=ImportPath,Imports", module+"/...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	g := graph{}
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p.Imports
	}
}

func TestCrossings(t *testing.T) {
	tests := []struct {
		name, from, to, want string
	}{
		{"room to room", "internal/sdk/migrate", module + "/internal/sdk/export", ""},
		{"door to room", "internal/provider", module + "/internal/sdk/migrate", ""},
		{"cmd wires doors", "cmd/hypersdkd", module + "/internal/api", ""},
		{"cmd wires what is no door", "cmd/hyperctl", module + "/internal/demo", ""},
		{"vsphere and govmomi", "internal/sdk/vsphere", "github.com/vmware/govmomi/vim25", ""},
		{"demo and the simulator", "internal/demo/rig", "github.com/vmware/govmomi/simulator", ""},
		{"a name that only begins like a door", "internal/sdk", module + "/internal/apiary", ""},
		{"room to door", "internal/sdk/export", module + "/internal/provider", "the room knows no door"},
		{"the words to a door", "internal/sdk", module + "/internal/api", "the room knows no door"},
		{"room to command", "internal/sdk/guest", module + "/cmd/hyperctl", "the room knows no door"},
		{"door to door", "internal/provider", module + "/internal/api", "a door opens only into the room"},
		{"door to command", "internal/tui", module + "/cmd/hyperctl", "a door opens only into the room"},
		{"command to provider", "cmd/hyperctl", module + "/internal/provider", "only main.go serves"},
		{"govmomi in a door", "internal/provider", "github.com/vmware/govmomi", "only internal/sdk/vsphere talks to vCenter"},
		{"govmomi in the room", "internal/sdk/export", "github.com/vmware/govmomi/nfc", "only internal/sdk/vsphere talks to vCenter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(crossings(graph{module + "/" + tt.from: {"fmt", tt.to}}), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
