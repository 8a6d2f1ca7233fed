package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "netnscheck"

// uses are names that only some files may use.
var uses = []struct {
	selectors []string // what stands behind the dot
	pkg       string   // the package they are taken from, by its last element
	only      []string // folders, or single files
}{
	{[]string{"RunSpecs"}, "ginkgo", []string{"harness/internal/specrun", "suites/subtests_test.go"}},
	{[]string{"Setns"}, "unix", []string{"harness/internal/netns"}},
	{[]string{"Set", "Setns"}, "netns", []string{"harness/internal/netns"}},
	{[]string{"NewPinger", "New"}, "ping", []string{"harness/internal/probe/goping.go"}},
}

// netTypes are the only names of package net for pure packages: those of a link-layer address.
var netTypes = []string{"HardwareAddr", "ParseMAC"}

type sourceFile struct {
	path   string // relative to the module's root, with slashes
	pkg    string // the folder
	test   bool
	syntax *ast.File
	fset   *token.FileSet
}

// TestImports holds every package to its row of the table in ARCHITECTURE.md, and every row to its packages.
func TestImports(t *testing.T) {
	rules := readImportRules(t)
	files := sourceFiles(t)
	if len(files) < 20 {
		t.Fatalf("only %d Go files found", len(files))
	}
	imported := map[string][]string{}
	for _, f := range files {
		imported[f.pkg] = append(imported[f.pkg], "") // a package of tests alone is one too
		if f.test {                                   // tests may start programs and look at what is below them
			continue
		}
		for path, pos := range imports(t, f) {
			imported[f.pkg] = append(imported[f.pkg], path)
			if why := rules.forbidden(f.pkg, path); why != "" {
				t.Errorf("%s:%d: %s must not import %s: %s", f.path, f.fset.Position(pos).Line, f.pkg, path, why)
			}
		}
	}
	for pkg := range imported {
		if rules.of(pkg) == nil {
			t.Errorf("ARCHITECTURE.md, %q, has no row for %s", "What may import what", pkg)
		}
	}
	for _, wide := range rules.tooWide(imported) {
		t.Errorf("ARCHITECTURE.md, %q, allows what nobody does: %s", "What may import what", wide)
	}
}

func TestNamesUsedInOnePlaceOnly(t *testing.T) {
	rules := readImportRules(t)
	for _, f := range sourceFiles(t) {
		names := localNames(t, f)
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := sel.X.(*ast.Ident)
			if !ok || names[from.Name] == "" {
				return true
			}
			for _, u := range uses {
				if names[from.Name] == u.pkg && slices.Contains(u.selectors, sel.Sel.Name) && !matches(f.pkg, u.only) &&
					!matches(f.path, u.only) {
					t.Errorf("%s:%d: %s.%s is used outside %s", f.path, f.fset.Position(n.Pos()).Line, from.Name,
						sel.Sel.Name, list(u.only))
				}
			}
			row := rules.of(f.pkg)
			if row != nil && row.group == pure && !f.test && names[from.Name] == "net" &&
				!slices.Contains(netTypes, sel.Sel.Name) {
				t.Errorf("%s:%d: the pure package %s uses net.%s", f.path, f.fset.Position(n.Pos()).Line, f.pkg,
					sel.Sel.Name)
			}
			return true
		})
		for _, spec := range f.syntax.Imports {
			if spec.Name != nil && spec.Name.Name == "." && !f.test {
				t.Errorf("%s: a dot import hides where names come from", f.path)
			}
		}
	}
}

// TestForbidden: each of these imports is refused, and its counterpart allowed.
func TestForbidden(t *testing.T) {
	rules := readImportRules(t)
	for _, c := range []struct {
		pkg, path string
		allowed   bool
	}{
		{"harness/scenario", "os", false},
		{"harness/scenario", "github.com/vishvananda/netlink", false},
		{"harness/scenario", "netnscheck/harness/lab", false},
		{"harness/scenario", "netnscheck/harness/scenario/operation", true},
		{"harness/state", "net/netip", true},
		{"harness/state", "os/exec", false},
		{"harness/state", "netnscheck/reports", false},
		{"harness/lab", "github.com/vishvananda/netlink", false},
		{"harness/lab", "github.com/onsi/ginkgo/v2", false},
		{"harness/lab", "netnscheck/harness/internal/netns", true},
		{"harness/internal/probe", "netnscheck/harness/lab", false},
		{"harness/internal/iproute2", "netnscheck/harness/internal/labtest", false},
		{"harness/internal/labtest", "netnscheck/harness/internal/netns", true},
		{"harness/internal/probe", "github.com/go-ping/ping", true},
		{"harness/internal/observe", "github.com/onsi/gomega", false},
		{"harness/internal/observe", "github.com/google/nftables/expr", true},
		{"harness/internal/rtnetlink", "github.com/google/nftables/expr", false},
		{"harness/internal/specrun", "github.com/onsi/ginkgo/v2", true},
		{"harness/internal/specrun", "github.com/vishvananda/netlink", false},
		{"harness/internal/specrun", "netnscheck/harness/lab", false},
		{"harness/internal/specrun", "github.com/onsi/ginkgo/v2/types", true},
		{"reports", "github.com/onsi/ginkgo/v2/types", false},
		{"reports", "github.com/onsi/ginkgo/v2", false},
		{"suites", "os/exec", false},
		{"suites/conformance", "netnscheck/harness/internal/netns", false},
		{"suites/conformance", "golang.org/x/sys/unix", false},
		{"harness", "os/exec", false},
		{"harness", "golang.org/x/sys/unix", false},
		{"harness", "netnscheck/suites", false},
		{"harness", "netnscheck/harness/internal/cmd", true},
		{"harness/internal/cmd", "netnscheck/suites", true},
		{"harness/internal/cmd/run", "netnscheck/reports", true},
		{"harness/internal/cmd/run", "os/exec", false},
		{"harness/internal/cmd/run", "golang.org/x/sys/unix", false},
		{"harness/lab", "netnscheck/harness/internal/cmd/status", false},
		{"harness/internal/worker", "netnscheck/harness/internal/cmd/machine", false},
		{"reports", "netnscheck/harness/internal/cmd/screen", false},
	} {
		if why := rules.forbidden(c.pkg, c.path); (why == "") != c.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v (%s)", c.pkg, c.path, why == "", c.allowed, why)
		}
	}
}

func imports(t *testing.T, f sourceFile) map[string]token.Pos {
	found := map[string]token.Pos{}
	for _, spec := range f.syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		found[path] = spec.Pos()
	}
	return found
}

// localNames are the names by which a file calls the packages it imports, and the last element of their paths.
func localNames(t *testing.T, f sourceFile) map[string]string {
	names := map[string]string{}
	for _, spec := range f.syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		elements := strings.Split(path, "/")
		last := elements[len(elements)-1]
		if len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" && len(elements) > 1 {
			last = elements[len(elements)-2]
		}
		if strings.HasPrefix(path, module+"/") {
			last = "our " + last
		}
		if spec.Name != nil {
			names[spec.Name.Name] = last
		} else {
			names[strings.TrimPrefix(last, "our ")] = last
		}
	}
	return names
}

// sourceFiles are the parsed Go files of the module.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); path != ".." && err == nil {
				return filepath.SkipDir // another module
			}
			if name := d.Name(); path != ".." &&
				(strings.HasPrefix(name, ".") || name == "testdata" || name == "vendor") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		fset := token.NewFileSet()
		syntax, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(path), "../")
		files = append(files, sourceFile{
			path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go"),
			syntax: syntax, fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
