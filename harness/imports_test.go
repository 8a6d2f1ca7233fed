package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "netnscheck"

// layer says what a package of the project may import. Standard library packages that are not guarded are open to all.
type layer struct {
	packages string   // one import path below the module, or a folder with all below it: "harness/internal/..."
	project  []string // packages of the project, in the same two forms
	guarded  []string // guarded packages it may import: the reach of the kernel, of Ginkgo, of the terminal
}

// layers are the rules of ARCHITECTURE.md, "What may import what". The first one that fits a package holds. The linter has the
// same rules in .golangci.yml.
var layers = []layer{
	// Pure: values and functions of values.
	{"harness/nearest", nil, nil},
	{"harness/term", nil, nil},
	{"harness/scenario/operation", []string{"harness/nearest"}, nil},
	{"harness/scenario", []string{"harness/scenario/operation", "harness/nearest"}, nil},
	{"harness/state", []string{"harness/scenario", "harness/scenario/operation", "harness/nearest"}, nil},
	{"harness/state/drawing", []string{"harness/state", "harness/term"}, nil},
	{"harness/diagnose/causes", nil, nil},
	{"harness/diagnose", []string{"harness/state", "harness/scenario/operation", "harness/nearest"}, nil},
	{"scenarios", []string{"harness/scenario"}, []string{"os"}},
	{"scenarios/...", nil, nil},
	{"reports", []string{"harness/scenario", "harness/state", "harness/term"},
		[]string{"os", "syscall", "github.com/onsi/ginkgo/v2/types"}},

	// The door to the kernel, and what is behind it.
	{"harness/lab", []string{"harness/scenario", "harness/scenario/operation", "harness/state", "harness/diagnose", "harness/nearest", "harness/internal/..."},
		[]string{"os", "syscall"}},
	{"harness/internal/specrun", []string{"harness/scenario", "harness/state", "harness/term", "reports"},
		[]string{"os", "os/signal", "syscall", "github.com/onsi/ginkgo/v2/...", "github.com/onsi/gomega/..."}},
	{"harness/internal/observe", []string{"harness/state", "harness/internal/netns"},
		[]string{"os", "golang.org/x/sys/unix", "github.com/vishvananda/...", "github.com/google/nftables/expr"}},
	{"harness/internal/...", []string{"harness/scenario", "harness/scenario/operation", "harness/state", "harness/nearest", "harness/internal/..."},
		[]string{"os", "os/exec", "os/signal", "os/user", "syscall", "golang.org/x/sys/unix",
			"golang.org/x/term", "golang.org/x/net/...",
			"github.com/vishvananda/...", "github.com/go-ping/..."}},

	// The specs, the command line, and the maker of the documents.
	{"docs/generate", []string{"scenarios", "harness/lab", "harness/scenario", "harness/state"}, []string{"os"}},
	{"suites", []string{"scenarios", "harness/lab", "harness/scenario", "harness/scenario/operation", "harness/state", "harness/diagnose"},
		[]string{"github.com/onsi/ginkgo/v2/...", "github.com/onsi/gomega/..."}},
	{"suites/conformance", []string{"harness/lab", "harness/scenario", "harness/state"},
		[]string{"github.com/onsi/ginkgo/v2/...", "github.com/onsi/gomega/..."}},
	{"harness", []string{"..."}, []string{"os", "os/signal", "syscall", "golang.org/x/term", "github.com/spf13/...", "github.com/charmbracelet/glamour/..."}},
}

// guardedPackages reach out of the process, or belong to one place.
var guardedPackages = []string{
	"os", "os/...", "syscall", "net/http/...", "plugin", "golang.org/x/...",
	"github.com/vishvananda/...", "github.com/go-ping/...", "github.com/google/nftables/...", "github.com/onsi/...", "github.com/spf13/...", "github.com/charmbracelet/...",
}

// kernelPackages touch the kernel. Only these folders may import them, whatever the layers say.
var (
	kernelPackages = []string{"os/exec", "golang.org/x/sys/...", "github.com/vishvananda/...", "github.com/go-ping/...", "github.com/google/nftables/..."}
	kernelFolders  = []string{
		"harness/internal/sandbox", "harness/internal/netns", "harness/internal/uplink", "harness/internal/program",
		"harness/internal/iproute2", "harness/internal/rtnetlink", "harness/internal/busybox", "harness/internal/observe", "harness/internal/probe",
		"harness/internal/kernel",
	}
)

// uses are names that only some files may use.
var uses = []struct {
	selectors []string // what stands behind the dot
	pkg       string   // the package they are taken from, by its last element
	only      []string // folders, or single files
}{
	{[]string{"RunSpecs"}, "ginkgo", []string{"harness/internal/specrun", "suites/suites_test.go"}},
	{[]string{"Setns"}, "unix", []string{"harness/internal/netns"}},
	{[]string{"Set", "Setns"}, "netns", []string{"harness/internal/netns"}},
	{[]string{"NewPinger", "New"}, "ping", []string{"harness/internal/probe"}},
}

// netTypes is all that a pure package may use of package net: the type of a link-layer address.
var netTypes = []string{"HardwareAddr", "ParseMAC"}

// forTests is a package that is imported by tests alone.
const forTests = "harness/internal/labtest"

type sourceFile struct {
	path   string // relative to the module's root, with slashes
	pkg    string // the folder
	test   bool
	syntax *ast.File
	fset   *token.FileSet
}

func TestImports(t *testing.T) {
	files := sourceFiles(t)
	if len(files) < 20 {
		t.Fatalf("only %d Go files found", len(files))
	}
	for _, f := range files {
		if f.test { // tests may start programs and look at what is below them
			continue
		}
		l := layerOf(f.pkg)
		if l == nil {
			t.Errorf("%s: no rule says what the package %s may import: add one to layers", f.path, f.pkg)
			continue
		}
		for path, pos := range imports(t, f) {
			if why := forbidden(*l, f.pkg, path); why != "" {
				t.Errorf("%s:%d: %s must not import %s: %s", f.path, f.fset.Position(pos).Line, f.pkg, path, why)
			}
		}
	}
}

// forbidden says why a package may not import a path, "" if it may.
func forbidden(l layer, pkg, path string) string {
	if rest, ours := strings.CutPrefix(path, module+"/"); ours {
		if rest == forTests {
			return "it is for tests alone"
		}
		if !matches(rest, l.project) {
			return "it may import of the project only " + list(l.project)
		}
		return ""
	}
	if matches(path, kernelPackages) && !matches(pkg, kernelFolders) {
		return "only " + list(kernelFolders) + " touch the kernel"
	}
	if matches(path, guardedPackages) && !matches(path, l.guarded) {
		return "of the guarded packages it may import only " + list(l.guarded)
	}
	return ""
}

func TestNamesUsedInOnePlaceOnly(t *testing.T) {
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
				if names[from.Name] == u.pkg && slices.Contains(u.selectors, sel.Sel.Name) && !matches(f.pkg, u.only) && !matches(f.path, u.only) {
					t.Errorf("%s:%d: %s.%s is used outside %s", f.path, f.fset.Position(n.Pos()).Line, from.Name, sel.Sel.Name, list(u.only))
				}
			}
			pure := layerOf(f.pkg) != nil && layerOf(f.pkg).guarded == nil && !f.test
			if pure && names[from.Name] == "net" && !slices.Contains(netTypes, sel.Sel.Name) {
				t.Errorf("%s:%d: the pure package %s uses net.%s", f.path, f.fset.Position(n.Pos()).Line, f.pkg, sel.Sel.Name)
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

// TestForbidden shows the rules at work: each of these must be refused, and its counterpart allowed.
func TestForbidden(t *testing.T) {
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
		{"reports", "github.com/onsi/ginkgo/v2/types", true},
		{"reports", "github.com/onsi/ginkgo/v2", false},
		{"suites", "os/exec", false},
		{"suites/conformance", "netnscheck/harness/internal/netns", false},
		{"suites/conformance", "golang.org/x/sys/unix", false},
		{"harness", "os/exec", false},
		{"harness", "golang.org/x/sys/unix", false},
		{"harness", "netnscheck/suites", true},
	} {
		l := layerOf(c.pkg)
		if l == nil {
			t.Errorf("no rule for %s", c.pkg)
			continue
		}
		if why := forbidden(*l, c.pkg, c.path); (why == "") != c.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v (%s)", c.pkg, c.path, why == "", c.allowed, why)
		}
	}
}

func layerOf(pkg string) *layer {
	for i := range layers {
		if matches(pkg, []string{layers[i].packages}) {
			return &layers[i]
		}
	}
	return nil
}

// matches says whether a path is one of the patterns or, where a pattern ends in `...`, lies in that folder or is it.
func matches(path string, patterns []string) bool {
	for _, p := range patterns {
		if folder, all := strings.CutSuffix(p, "..."); all {
			if strings.HasPrefix(path+"/", folder) {
				return true
			}
		} else if path == p {
			return true
		}
	}
	return false
}

func list(s []string) string {
	if len(s) == 0 {
		return "nothing"
	}
	return strings.Join(s, ", ")
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

// sourceFiles are the Go files of the module, parsed.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != ".." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "vendor") {
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
			path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go"), syntax: syntax, fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
