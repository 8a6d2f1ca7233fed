// Package matrix is which guests a run has: kernels, and for each the versions of iproute2 and the drivers. It reads
// the file of a matrix, kernels.yaml. It is pure; the commands vm and bisect may import it. It never looks for a
// kernel.
package matrix

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"netnscheck/harness/nearest"
)

// File is the name of the file of a matrix.
const File = "kernels.yaml"

// Row is a guest of the matrix.
type Row struct {
	Kernel   string   // as a user names it: 6.12, newest, a file
	IPRoute2 string   // the version, "" for that of Debian's suite in which the programs are found
	Drivers  []string // empty for all
}

// Name is the name of the guest in reports: the kernel's, and the version of iproute2 if one was chosen. It has neither
// spaces nor slashes.
func (r Row) Name() string {
	name := r.Kernel
	if strings.ContainsRune(name, '/') || name == "." || name == ".." {
		name = filepath.Base(filepath.Clean(name))
		if name == "." || name == ".." || name == "/" {
			name = "tree"
		}
	}
	if r.IPRoute2 != "" {
		name += "+iproute2-" + r.IPRoute2
	}
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == '/' || c == '@' {
			return '_'
		}
		return c
	}, name)
}

// Default is the matrix where there is no file: that of the project.
var Default = []Row{
	{Kernel: "5.10"},
	{Kernel: "6.1", Drivers: []string{"netlink", "iproute2"}},
	{Kernel: "6.12", Drivers: []string{"netlink", "iproute2"}},
	{Kernel: "6.18", Drivers: []string{"netlink", "iproute2"}},
	{Kernel: "newest"},
}

// Cross is each kernel with each version of iproute2; without versions, each with that of Debian's suite.
func Cross(kernels, versions []string) []Row {
	if len(versions) == 0 {
		versions = []string{""}
	}
	var rows []Row
	for _, k := range kernels {
		for _, v := range versions {
			rows = append(rows, Row{Kernel: k, IPRoute2: v})
		}
	}
	return rows
}

// Check refuses rows that reports could not tell apart.
func Check(rows []Row) error {
	kernels := map[string]string{} // by the name of the guest
	for _, r := range rows {
		name := r.Name()
		switch other, taken := kernels[name]; {
		case taken && other == r.Kernel:
			return fmt.Errorf("the kernel %s is named twice", name)
		case taken:
			return fmt.Errorf("the kernels %s and %s are both called %s in reports", other, r.Kernel, name)
		}
		kernels[name] = r.Kernel
	}
	return nil
}

// reader reads a file and collects its problems.
type reader struct {
	file    string
	drivers []string
	errs    []error
}

// Parse reads the text of a file of this name. drivers are the known drivers. Each error begins with file and line.
func Parse(file string, text []byte, drivers []string) ([]Row, error) {
	r := &reader{file: file, drivers: drivers}
	parsed, err := parser.ParseBytes(text, 0)
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil:
		return nil, fmt.Errorf("%s:%d: %s", file, syntax.Token.Position.Line, syntax.Message)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	var rows []Row
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		r.keys(doc.Body, map[string]func(ast.Node){"kernels": func(n ast.Node) {
			r.list(n, "a list of kernels, such as [5.10, 6.12]", func(item ast.Node) {
				rows = append(rows, r.rows(item)...)
			})
		}})
	}
	if len(r.errs) == 0 && len(rows) == 0 {
		r.errs = append(r.errs, fmt.Errorf("%s:1: there is no kernel in it", file))
	}
	if len(r.errs) == 0 {
		if err := Check(rows); err != nil {
			r.errs = append(r.errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return rows, nil
}

// rows reads an entry: a kernel, or keys and values. With several versions of iproute2 it is several rows.
func (r *reader) rows(n ast.Node) []Row {
	row, versions := Row{}, []string{}
	if _, isMapping := n.(*ast.MappingNode); !isMapping {
		row.Kernel = r.word(n, "a kernel, such as 6.12 or newest")
		return []Row{row}
	}
	r.keys(n, map[string]func(ast.Node){
		"kernel": func(n ast.Node) { row.Kernel = r.word(n, "a kernel, such as 6.12 or newest") },
		"drivers": func(n ast.Node) {
			r.list(n, "a list of drivers, such as [netlink, iproute2]", func(item ast.Node) {
				row.Drivers = append(row.Drivers, r.driver(item))
			})
		},
		"iproute2": func(n ast.Node) {
			r.list(n, "a list of versions, such as [6.1, newest]", func(item ast.Node) {
				versions = append(versions, r.word(item, "a version, such as 6.1"))
			})
		},
	})
	if row.Kernel == "" && len(r.errs) == 0 {
		r.add(n, "an entry without the key kernel")
	}
	var rows []Row
	for _, one := range Cross([]string{row.Kernel}, versions) {
		one.Drivers = row.Drivers
		rows = append(rows, one)
	}
	return rows
}

func (r *reader) driver(n ast.Node) string {
	name := r.word(n, "a driver: "+strings.Join(r.drivers, ", "))
	if name != "" && !slices.Contains(r.drivers, name) {
		r.add(n, "there is no driver %q%s", name, nearest.DidYouMean(name, r.drivers))
	}
	return name
}

// keys reads a mapping with these keys.
func (r *reader) keys(n ast.Node, known map[string]func(ast.Node)) {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		r.add(n, "expected keys and values, such as kernels: [5.10, 6.12]")
		return
	}
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, v := range mapping.Values {
		key := v.Key.GetToken().Value
		read, ok := known[key]
		if !ok {
			r.add(v.Key, "there is no key %q%s; the keys are %s", key, nearest.DidYouMean(key, names),
				strings.Join(names, ", "))
			continue
		}
		read(v.Value)
	}
}

// list calls f for each item of a list, or for a single value.
func (r *reader) list(n ast.Node, expected string, f func(ast.Node)) {
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			f(item)
		}
		if len(list.Values) == 0 {
			r.add(n, "expected %s", expected)
		}
		return
	}
	r.add(n, "expected %s", expected)
}

// word is the text of a scalar as it is written: 5.10 is no number here.
func (r *reader) word(n ast.Node, expected string) string {
	switch n := n.(type) {
	case *ast.StringNode:
		if n.Value != "" {
			return n.Value
		}
	case *ast.IntegerNode, *ast.FloatNode:
		return strings.TrimSpace(n.GetToken().Value)
	}
	r.add(n, "expected %s", expected)
	return ""
}

func (r *reader) add(n ast.Node, format string, args ...any) {
	line := 1
	if t := n.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}
