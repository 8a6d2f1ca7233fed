package main_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestExportedNamesAreForOutsiders: the exported names of a public package mention no type of an internal package,
// which other modules could neither name nor implement.
func TestExportedNamesAreForOutsiders(t *testing.T) {
	public, imports := publicPackages(t)
	if len(public) < 10 {
		t.Fatalf("only %d packages for outsiders found: %q", len(public), public)
	}
	for _, path := range public {
		pkg, err := imports.Import(path)
		if err != nil {
			t.Fatalf("import %s: %v", path, err)
		}
		for _, found := range internalsIn(pkg) {
			t.Error(found)
		}
	}
}

// TestPromises: docs/go.md makes one promise for each package that it names, and all of them exist.
func TestPromises(t *testing.T) {
	text, err := os.ReadFile("../docs/go.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| package | promise |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	promised := map[string]bool{}
	for row := range strings.Lines(table) {
		packages := strings.Split(strings.Split(row, "|")[1], "`")
		for i := 1; i < len(packages); i += 2 {
			path := packages[i]
			if _, err := os.Stat("../" + path); err != nil || promised[path] {
				t.Errorf("there is no %s, or two rows promise something for it: %v", path, err)
			}
			promised[path] = true
		}
	}
	if !promised["harness/lab"] || len(promised) < 5 {
		t.Errorf("promises only for %v", promised)
	}
}

// TestInternalsIn: internal types are found, and others are not reported.
func TestInternalsIn(t *testing.T) {
	hidden := types.NewPackage(module+"/harness/internal/hidden", "hidden")
	name := types.NewTypeName(token.NoPos, hidden, "T", nil)
	types.NewNamed(name, types.NewStruct(nil, nil), nil)
	hidden.Scope().Insert(name)
	hidden.MarkComplete()
	for source, want := range map[string]string{
		"func F(a int, b ...map[string]*hidden.T) {}":                                      "F",
		"func F() (func(hidden.T), error) { panic(0) }":                                    "F",
		"type I interface { M(hidden.T) }":                                                 "I.M",
		"type S struct { F []hidden.T }":                                                   "S.F",
		"type S struct { *hidden.T }":                                                      "S.T",
		"type A = hidden.T":                                                                "A",
		"type S struct{}; func (*S) M() chan hidden.T":                                     "S.M",
		"var V [2]hidden.T":                                                                "V",
		"type s struct{}; func (s) M(hidden.T); var V s":                                   "V.M",
		"type G[P any] struct{}; func F(G[hidden.T])":                                      "F",
		"type s struct { F hidden.T }; type S struct {s}":                                  "S.s.F",
		"type S struct { f hidden.T }":                                                     "",
		"type S struct{}; func (S) m(hidden.T)":                                            "",
		"func f(hidden.T) {}; type t struct { F hidden.T }; type R struct { N *R; S []R }": "",
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", "package p; import \""+hidden.Path()+"\"; var _ hidden.T; "+source,
			0)
		if err != nil {
			t.Fatal(err)
		}
		config := types.Config{Importer: importerOf(func(string) (*types.Package, error) {
			return hidden, nil
		}), IgnoreFuncBodies: true}
		pkg, err := config.Check("p", fset, []*ast.File{file}, nil)
		if err != nil && !strings.Contains(err.Error(), "missing function body") {
			t.Fatalf("%s: %v", source, err)
		}
		found := internalsIn(pkg)
		if want == "" && found == nil || len(found) == 1 && strings.HasPrefix(found[0], "p."+want+" ") {
			continue
		}
		t.Errorf("%s: found %q, want %q", source, found, want)
	}
}

// publicPackages are the import paths of the packages that other modules may import, and an importer of their export
// data.
func publicPackages(t *testing.T) ([]string, types.Importer) {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Export", "./...")
	list.Dir, list.Stderr = "..", os.Stderr
	out, err := list.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Start(); err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	var public []string
	for decoder := json.NewDecoder(out); ; {
		var p struct{ ImportPath, Name, Export string }
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/") && p.Name != "main" && p.Export != "" &&
			!isInternal(p.ImportPath) {
			public = append(public, p.ImportPath)
		}
	}
	if err := list.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(public)
	return public, importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
}

func isInternal(path string) bool {
	return strings.HasPrefix(path, module+"/") && slices.Contains(strings.Split(path, "/"), "internal")
}

type importerOf func(path string) (*types.Package, error)

func (f importerOf) Import(path string) (*types.Package, error) { return f(path) }

// internalsIn lists the exported names of a package that mention types of internal packages.
func internalsIn(pkg *types.Package) []string {
	s := search{pkg: pkg, seen: map[types.Type]bool{}}
	for _, name := range pkg.Scope().Names() {
		if o := pkg.Scope().Lookup(name); o.Exported() {
			s.inType(pkg.Name()+"."+name, o.Type())
		}
	}
	return s.found
}

// search searches types for those of internal packages.
type search struct {
	pkg   *types.Package
	seen  map[types.Type]bool // named types of the package itself
	found []string
}

func (s *search) inType(where string, t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		s.inType(where, types.Unalias(t))
	case *types.Named:
		s.inNamed(where, t)
	case *types.Pointer:
		s.inType(where, t.Elem())
	case *types.Slice:
		s.inType(where, t.Elem())
	case *types.Array:
		s.inType(where, t.Elem())
	case *types.Chan:
		s.inType(where, t.Elem())
	case *types.Map:
		s.inType(where, t.Key())
		s.inType(where, t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			s.inType(where, v.Type())
		}
	case *types.Signature:
		s.inType(where, t.Params())
		s.inType(where, t.Results())
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() || f.Embedded() {
				s.inType(where+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if m.Exported() {
				s.inType(where+"."+m.Name(), m.Type())
			}
		}
	}
}

// inNamed searches the named types of this package only: each package is searched by itself.
func (s *search) inNamed(where string, t *types.Named) {
	for arg := range t.TypeArgs().Types() {
		s.inType(where, arg)
	}
	pkg := t.Obj().Pkg()
	switch {
	case pkg == nil:
	case isInternal(pkg.Path()):
		s.found = append(s.found, fmt.Sprintf("%s shows others %s, which they may not import", where, t))
	case pkg == s.pkg && !s.seen[t]:
		s.seen[t] = true
		s.inType(where, t.Underlying())
		for m := range t.Methods() {
			if m.Exported() {
				s.inType(where+"."+m.Name(), m.Type())
			}
		}
	}
}
