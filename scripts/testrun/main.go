// Testrun runs every check and every test of this module in groups, and prints how long each group took, the coverage of
// internal/, and last the summary lines of go test. `make test` calls it.
//
//	go run ./scripts/testrun              everything
//	go run ./scripts/testrun unit tools   these groups only
//
// A package belongs to exactly one group. When everything ran, the tests that the sources declare are compared with those that ran; one that did not run,
// or was skipped, is a failure.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(1)
	}
}

// timing is one row of the table.
type timing struct {
	group string
	took  time.Duration
	tests int
	ok    bool
}

func run(only []string) error {
	for _, name := range only {
		if !slices.Contains(groupNames(), name) {
			return fmt.Errorf("no group %q; there are %v", name, groupNames())
		}
	}
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	pkgs, err := listPackages()
	if err != nil {
		return err
	}
	var rows []timing
	for _, c := range checks() {
		if wanted(c.name) {
			rows = append(rows, c.run())
		}
	}
	dir, err := os.MkdirTemp("", "testrun")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	res := newResults()
	for _, g := range groups {
		if !wanted(g.name) {
			continue
		}
		members := g.members(pkgs)
		if len(members) == 0 {
			continue
		}
		row, err := g.run(members, filepath.Join(dir, g.name+".cover"), res)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if len(only) == 0 {
		res.compare(pkgs)
	}
	return summary(rows, res, dir)
}

// check is a command that is not a test.
type check struct {
	name string
	argv []string
}

func checks() []check {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	tools := filepath.Join(cache, "hypersdk", "tools")
	return []check{
		{"lint", []string{filepath.Join(tools, "golangci-lint"), "run"}},
		{"generated", []string{"env", "TFPLUGINDOCS=" + filepath.Join(tools, "tfplugindocs"), "scripts/generate-docs.sh", "--check"}},
		{"dashboard", []string{"scripts/build-dashboard.sh", "--check"}},
	}
}

func (c check) run() timing {
	fmt.Printf("== %s\n", c.name)
	start := time.Now()
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if err != nil {
		fmt.Printf("%s: %v\n", c.name, err)
	}
	return timing{group: c.name, took: time.Since(start), ok: err == nil}
}

func summary(rows []timing, res *results, coverDir string) error {
	fmt.Printf("\n%-12s %9s %7s\n", "group", "seconds", "tests")
	var total time.Duration
	failed := len(res.problems) > 0
	for _, r := range rows {
		mark := ""
		if !r.ok {
			mark, failed = "  FAILED", true
		}
		fmt.Printf("%-12s %9.1f %7d%s\n", r.group, r.took.Seconds(), r.tests, mark)
		total += r.took
	}
	fmt.Printf("%-12s %9.1f %7d\n", "all", total.Seconds(), len(res.ran))
	if covered, statements, err := coverage(coverDir); err != nil {
		return err
	} else if statements > 0 {
		fmt.Printf("coverage of internal/, each package by its own tests: %.1f %% of %d statements\n",
			100*float64(covered)/float64(statements), statements)
	}
	for _, p := range res.problems {
		fmt.Println(p)
	}
	fmt.Println()
	for _, line := range res.lines {
		fmt.Print(line)
	}
	if failed {
		return fmt.Errorf("failed; see above")
	}
	return nil
}
