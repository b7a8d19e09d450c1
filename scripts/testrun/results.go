package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// results of all groups.
type results struct {
	ran      map[string]bool     // package and test
	output   map[string][]string // of each test until it ends
	lines    []string            // go test's own summary lines
	problems []string
}

func newResults() *results {
	return &results{ran: map[string]bool{}, output: map[string][]string{}}
}

// event takes one line of go test -json. What a failing test printed is shown at once, what a passing one printed never.
func (r *results) event(line []byte) {
	var e struct{ Action, Package, ImportPath, Test, Output string }
	if json.Unmarshal(line, &e) != nil {
		fmt.Println(string(line)) // not JSON: a message of the go command
		return
	}
	key := e.Package + " " + e.Test
	top := e.Test != "" && !strings.Contains(e.Test, "/")
	switch e.Action {
	case "output":
		r.takeOutput(key, e.Test, e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "fail":
		for _, o := range r.output[key] {
			fmt.Print(o)
		}
	case "skip":
		if e.Test != "" {
			r.problems = append(r.problems, fmt.Sprintf("skipped, which is a failure here: %s\n%s", key, strings.Join(r.output[key], "")))
		}
	}
	if e.Action == "fail" || e.Action == "pass" || e.Action == "skip" {
		delete(r.output, key)
		if top {
			r.ran[key] = true
		}
	}
}

func (r *results) takeOutput(key, test, text string) {
	switch {
	case test != "":
		r.output[key] = append(r.output[key], text)
	case strings.HasPrefix(text, "ok ") || strings.HasPrefix(text, "FAIL\t") || strings.HasPrefix(text, "---"):
		r.lines = append(r.lines, text)
		fmt.Print(text)
	case strings.HasPrefix(text, "coverage:") || text == "PASS\n" || text == "FAIL\n" || strings.Contains(text, "coverage: 0.0%"):
	default:
		fmt.Print(text)
	}
}

// compare finds tests that no group ran.
func (r *results) compare(pkgs []pkg) {
	for _, p := range pkgs {
		for _, name := range p.tests {
			if name != "TestMain" && !r.ran[p.path+" "+name] {
				r.problems = append(r.problems, fmt.Sprintf("declared but not run: %s %s", p.path, name))
			}
		}
	}
}

// coverage merges the groups' profiles and counts the statements of internal/.
func coverage(dir string) (covered, statements int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.cover"))
	if err != nil {
		return 0, 0, err
	}
	sort.Strings(files)
	size, hit := map[string]int{}, map[string]bool{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return 0, 0, err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			// path/file.go:1.2,3.4 statements count
			part := strings.Fields(lines.Text())
			if len(part) != 3 || !strings.HasPrefix(part[0], module+"/internal/") {
				continue
			}
			size[part[0]], _ = strconv.Atoi(part[1])
			hit[part[0]] = hit[part[0]] || part[2] != "0"
		}
		if err := f.Close(); err != nil {
			return 0, 0, err
		}
		if err := lines.Err(); err != nil {
			return 0, 0, err
		}
	}
	for block, n := range size {
		statements += n
		if hit[block] {
			covered += n
		}
	}
	return covered, statements, nil
}
