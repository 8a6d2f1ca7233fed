package main_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The groups of rows in the table. A row never imports a row of a later group.
const (
	pure       = "pure"
	behindDoor = "behind the door"
	door       = "the door"
	faces      = "faces"
	testsAlone = "for tests alone"
)

var groups = []string{pure, behindDoor, door, faces, testsAlone}

// importRules are the rules of ARCHITECTURE.md, "What may import what".
type importRules struct {
	rows    []importRow
	guarded []string // what a package may import only if its row says so
	kernel  []string // what only rows behind the door, and those for tests alone, may say
}

// importRow is a row of the table: what a package, or a folder of them, may import. Paths are import paths, those of
// the project without the module; "a/..." is a and all below it.
type importRow struct {
	group   string
	pkg     string
	project []string
	guarded []string
}

func readImportRules(t *testing.T) importRules {
	t.Helper()
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, r := range roots {
		if r.IsDir() {
			folders = append(folders, r.Name())
		}
	}
	rules, err := parseImportRules(string(text), folders)
	if err != nil {
		t.Fatalf("ARCHITECTURE.md: %v", err)
	}
	return rules
}

// parseImportRules reads the section "What may import what" of a document. Names of the project whose first element is
// not one of the folders of the root lie below harness.
func parseImportRules(text string, folders []string) (importRules, error) {
	_, section, found := strings.Cut(text, "\n## What may import what\n")
	if !found {
		return importRules{}, fmt.Errorf("no section %q", "What may import what")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rules importRules
	var group string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(section), "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "|"):
			for _, line := range strings.Split(strings.TrimSpace(paragraph), "\n")[2:] {
				cells := strings.Split(strings.Trim(line, "|"), "|")
				if len(cells) != 3 {
					return rules, fmt.Errorf("%d cells instead of 3: %s", len(cells), line)
				}
				if name, isGroup := strings.CutPrefix(strings.TrimSpace(cells[0]), "**"); isGroup {
					if group = strings.TrimSuffix(name, "**"); !slices.Contains(groups, group) {
						return rules, fmt.Errorf("no such group: %q", group)
					}
					continue
				}
				row, err := parseImportRow(group, cells, folders)
				if err != nil {
					return rules, fmt.Errorf("%w: %s", err, line)
				}
				rules.rows = append(rules.rows, row)
			}
		case strings.HasPrefix(paragraph, "Guarded is "):
			rules.guarded = codeSpans(paragraph)
		case strings.HasPrefix(paragraph, "The kernel is touched by "):
			rules.kernel = codeSpans(paragraph)
		}
	}
	return rules, rules.check()
}

func parseImportRow(group string, cells, folders []string) (row importRow, err error) {
	pkg := codeSpans(cells[0])
	if len(pkg) != 1 {
		return row, fmt.Errorf("one name wanted in the first cell")
	}
	row = importRow{group: group, pkg: fromRoot(pkg[0], folders)}
	if strings.TrimSpace(cells[1]) == "everything" {
		row.project = []string{"..."}
	} else if row.project, err = names(cells[1]); err != nil {
		return row, err
	}
	for i, name := range row.project {
		row.project[i] = fromRoot(name, folders)
	}
	row.guarded, err = names(cells[2])
	return row, err
}

// names are the names in a cell; "nothing" stands for none.
func names(cell string) ([]string, error) {
	found := codeSpans(cell)
	if (len(found) == 0) != (strings.TrimSpace(cell) == "nothing") {
		return nil, fmt.Errorf(`names or "nothing" wanted, not %q`, strings.TrimSpace(cell))
	}
	return found, nil
}

func fromRoot(name string, folders []string) string {
	first, _, _ := strings.Cut(name, "/")
	if name == "..." || slices.Contains(folders, first) {
		return name
	}
	return "harness/" + name
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	braces   = regexp.MustCompile(`^(.*)\{(.+)\}$`)
)

// codeSpans are the names between backquotes, with a/{b,c} as a/b and a/c.
func codeSpans(text string) []string {
	var found []string
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		if parts := braces.FindStringSubmatch(span[1]); parts != nil {
			for last := range strings.SplitSeq(parts[2], ",") {
				found = append(found, parts[1]+last)
			}
			continue
		}
		found = append(found, span[1])
	}
	return found
}

// check reports errors in the rules themselves.
func (r importRules) check() error {
	if len(r.rows) == 0 || len(r.guarded) == 0 || len(r.kernel) == 0 {
		return fmt.Errorf("%d rows, %d guarded packages, %d that touch the kernel: none may be missing",
			len(r.rows), len(r.guarded), len(r.kernel))
	}
	seen := map[string]bool{}
	for _, row := range r.rows {
		if seen[row.pkg] {
			return fmt.Errorf("two rows for %s", row.pkg)
		}
		seen[row.pkg] = true
		for _, name := range row.project {
			other := r.of(name)
			switch {
			case name == "...":
			case other == nil:
				return fmt.Errorf("%s: no row for %s", row.pkg, name)
			case other.group == testsAlone:
				return fmt.Errorf("%s: %s is for tests alone", row.pkg, name)
			case slices.Index(groups, other.group) > slices.Index(groups, row.group):
				return fmt.Errorf("%s, of %q, must not import %s, of %q", row.pkg, row.group, name, other.group)
			}
		}
		for _, path := range row.guarded {
			switch {
			case row.group == pure:
				return fmt.Errorf("%s is pure, and must not import %s", row.pkg, path)
			case !matches(path, r.guarded):
				return fmt.Errorf("%s: %s is not guarded", row.pkg, path)
			case matches(path, r.kernel) && row.group != behindDoor && row.group != testsAlone:
				return fmt.Errorf("%s: only rows behind the door touch the kernel, by %s", row.pkg, path)
			}
		}
	}
	return nil
}

// of is the row nearest to a package: its own, or that of the nearest folder; nil if there is none.
func (r importRules) of(pkg string) *importRow {
	var nearest *importRow
	for i := range r.rows {
		row := &r.rows[i]
		if row.pkg == pkg {
			return row
		}
		if matches(pkg, []string{row.pkg}) && (nearest == nil || len(row.pkg) > len(nearest.pkg)) {
			nearest = row
		}
	}
	return nearest
}

// forbidden is the reason why a package may not import a path; "" if it may.
func (r importRules) forbidden(pkg, path string) string {
	row := r.of(pkg)
	if row == nil {
		return "ARCHITECTURE.md has no row for " + pkg
	}
	if ours, is := strings.CutPrefix(path, module+"/"); is {
		if other := r.of(ours); other != nil && other.group == testsAlone {
			return "it is for tests alone"
		}
		if !matches(ours, row.project) {
			return "of the project it may import only " + list(row.project)
		}
		return ""
	}
	if matches(path, r.guarded) && !matches(path, row.guarded) {
		return "of what is guarded it may import only " + list(row.guarded)
	}
	return ""
}

// tooWide lists what rows allow and none of their packages imports, given the imports of each package.
func (r importRules) tooWide(imports map[string][]string) []string {
	var found []string
	for i := range r.rows {
		row, used := &r.rows[i], []string{}
		packages := 0
		for pkg, paths := range imports {
			if r.of(pkg) == row {
				packages++
				used = append(used, paths...)
			}
		}
		if packages == 0 {
			found = append(found, row.pkg+": there is no such package")
			continue
		}
		for _, name := range row.project {
			if name != "..." && !slices.ContainsFunc(used, func(path string) bool {
				ours, is := strings.CutPrefix(path, module+"/")
				return is && matches(ours, []string{name})
			}) {
				found = append(found, row.pkg+": nothing in it imports "+name)
			}
		}
		for _, name := range row.guarded {
			if !slices.ContainsFunc(used, func(path string) bool { return matches(path, []string{name}) }) {
				found = append(found, row.pkg+": nothing in it imports "+name)
			}
		}
	}
	return found
}

// matches reports whether a path matches one of the patterns; a pattern that ends in `...` matches its folder and all
// below.
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

// A document with one group each, as TestImportRules changes it.
const sampleRules = `
## What may import what

| package | of the project | guarded |
|---|---|---|
| **pure** | values | |
| ` + "`a` | nothing | nothing |" + `
| **behind the door** | | |
| ` + "`internal/...` | `a` | `os`, `os/exec` |" + `
| ` + "`internal/{x}` | nothing | nothing |" + `
| **faces** | | |
| ` + "`docs/f` | `a`, `internal/y` | `os` |" + `
| ` + "`harness` | everything | nothing |" + `
| **for tests alone** | | |
| ` + "`t` | nothing | `os/exec` |" + `

Guarded is ` + "`os/...`." + `

The kernel is touched by ` + "`os/exec`." + `

## Next
`

// TestImportRules: errors in a table are reported, and a correct table is read.
func TestImportRules(t *testing.T) {
	folders := []string{"docs", "harness"}
	rules, err := parseImportRules(sampleRules, folders)
	if err != nil {
		t.Fatal(err)
	}
	for pkg, want := range map[string]string{
		"harness/a": "harness/a", "harness/internal/x": "harness/internal/x",
		"harness/internal/y/z": "harness/internal/...", "docs/f": "docs/f",
	} {
		if got := rules.of(pkg); got == nil || got.pkg != want {
			t.Errorf("the row of %s is %v, want that of %s", pkg, got, want)
		}
	}
	imports := map[string][]string{
		"harness/a": nil, "harness/internal/x": nil, "harness/internal/y": {"os", "os/exec", module + "/harness/a"},
		"docs/f": {"os", module + "/harness/a", module + "/harness/internal/y"}, "harness": nil,
		"harness/t": {"os/exec"},
	}
	if wide := rules.tooWide(imports); wide != nil {
		t.Errorf("too wide: %v", wide)
	}
	for _, c := range []struct{ pkg, path, want string }{
		{"harness/internal/y", "os", "harness/internal/...: nothing in it imports os"},
		{"docs/f", module + "/harness/a", "docs/f: nothing in it imports harness/a"},
		{"harness/t", "", "harness/t: there is no such package"},
	} {
		fewer := maps.Clone(imports)
		if c.path == "" {
			delete(fewer, c.pkg)
		} else {
			fewer[c.pkg] = slices.DeleteFunc(slices.Clone(fewer[c.pkg]), func(path string) bool {
				return path == c.path
			})
		}
		if wide := rules.tooWide(fewer); !slices.Equal(wide, []string{c.want}) {
			t.Errorf("without %s in %s: %v, want %s", c.path, c.pkg, wide, c.want)
		}
	}
	for _, c := range []struct{ old, new, want string }{
		{"`a` | nothing | nothing", "`a` | nothing | `os`", "harness/a is pure, and must not import os"},
		{"`a` | nothing | nothing", "`a` | `internal/x` | nothing",
			`harness/a, of "pure", must not import harness/internal/x`},
		{"`a` | nothing | nothing", "`a` | | nothing", `names or "nothing" wanted, not ""`},
		{"`a` | nothing | nothing", "`a` | nothing", "2 cells instead of 3"},
		{"`t` | nothing", "`a` | nothing", "two rows for harness/a"},
		{"`internal/y`", "`b`", "docs/f: no row for harness/b"},
		{"`internal/y`", "`t`", "docs/f: harness/t is for tests alone"},
		{"`os` |", "`os/exec` |", "docs/f: only rows behind the door touch the kernel, by os/exec"},
		{"`os` |", "`net` |", "docs/f: net is not guarded"},
		{"**faces**", "**face**", `no such group: "face"`},
		{"Guarded is", "Guarded:", "none may be missing"},
		{"What may import", "Who imports", "no section"},
	} {
		changed := strings.Replace(sampleRules, c.old, c.new, 1)
		if _, err := parseImportRules(changed, folders); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %s: %v, want %s", c.new, err, c.want)
		}
	}
}
