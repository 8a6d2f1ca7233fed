// Package matrix is which guests a run has: kernels, and for each the versions of iproute2 and the drivers. It reads
// the file of a matrix, kernels.yaml. It is pure; the commands vm and bisect may import it. It never looks for a
// kernel.
package matrix

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"netnscheck/harness/nearest"
	"netnscheck/harness/strictyaml"
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

// reader reads an entry of a file.
type reader struct {
	*strictyaml.Reader
	drivers []string
}

// Parse reads the text of a file of this name. drivers are the known drivers. Each error begins with file and line.
func Parse(file string, text []byte, drivers []string) ([]Row, error) {
	var rows []Row
	err := strictyaml.Parse(file, text, func(in *strictyaml.Reader, n strictyaml.Node) {
		r := &reader{in, drivers}
		r.Keys(n, "kernels: [5.10, 6.12]", map[string]func(strictyaml.Node){"kernels": func(n strictyaml.Node) {
			r.List(n, "a list of kernels, such as [5.10, 6.12]", func(item strictyaml.Node) {
				rows = append(rows, r.rows(item)...)
			})
		}})
	})
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, fmt.Errorf("%s:1: there is no kernel in it", file)
	}
	if err := Check(rows); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rows, nil
}

// rows reads an entry: a kernel, or keys and values. With several versions of iproute2 it is several rows.
func (r *reader) rows(n strictyaml.Node) []Row {
	row, versions := Row{}, []string{}
	if _, isMapping := n.(*ast.MappingNode); !isMapping {
		row.Kernel = r.Word(n, "a kernel, such as 6.12 or newest")
		return []Row{row}
	}
	r.Keys(n, "kernels: [5.10, 6.12]", map[string]func(strictyaml.Node){
		"kernel": func(n strictyaml.Node) { row.Kernel = r.Word(n, "a kernel, such as 6.12 or newest") },
		"drivers": func(n strictyaml.Node) {
			r.List(n, "a list of drivers, such as [netlink, iproute2]", func(item strictyaml.Node) {
				row.Drivers = append(row.Drivers, r.driver(item))
			})
		},
		"iproute2": func(n strictyaml.Node) {
			r.List(n, "a list of versions, such as [6.1, newest]", func(item strictyaml.Node) {
				versions = append(versions, r.Word(item, "a version, such as 6.1"))
			})
		},
	})
	if row.Kernel == "" && r.Good() {
		r.Add(n, "an entry without the key kernel")
	}
	var rows []Row
	for _, one := range Cross([]string{row.Kernel}, versions) {
		one.Drivers = row.Drivers
		rows = append(rows, one)
	}
	return rows
}

func (r *reader) driver(n strictyaml.Node) string {
	name := r.Word(n, "a driver: "+strings.Join(r.drivers, ", "))
	if name != "" && !slices.Contains(r.drivers, name) {
		r.Add(n, "there is no driver %q%s", name, nearest.DidYouMean(name, r.drivers))
	}
	return name
}
