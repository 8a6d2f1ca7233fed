package main

import (
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

//go:embed cases.tsv
var casesTable string

// failure is a measured failure mode that the catalogue has to encode.
type failure struct {
	id, group string
	busybox   bool     // busybox has its own message for it
	inGo      bool     // only a test in Go can encode it
	errnos    []string // of the kernel's refusal; a block without conditions has to state one of them
	places    []place
}

// place is where a failure mode is encoded: a section of a scenario, or a test in Go.
type place struct {
	section *section
	file    string
	line    int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// coverage is where each failure mode is encoded.
type coverage struct {
	failures []failure
	wrong    []string // marks that name no failure mode, or are in the wrong kind of place
}

func readCoverage(root string) (*coverage, error) {
	c := &coverage{}
	for line := range strings.Lines(casesTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("read cases.tsv: %q does not have four fields", line)
		}
		one := failure{id: f[0], group: f[1], busybox: f[2] == "yes", inGo: f[2] == "go"}
		if !slices.Contains([]string{"yes", "no", "go"}, f[2]) {
			return nil, fmt.Errorf("read cases.tsv: %q: the third field must be yes, no or go", line)
		}
		if f[3] != "-" {
			one.errnos = strings.Split(f[3], ",")
		}
		c.failures = append(c.failures, one)
	}
	all, err := scenarios.All()
	if err != nil {
		return nil, err
	}
	for _, sc := range all {
		p := pageOf(sc)
		for i := range p.sections {
			s := &p.sections[i]
			for _, id := range s.cases {
				c.add(id, place{section: s, file: s.file, line: s.Line})
			}
		}
	}
	return c, c.readTests(root)
}

func (c *coverage) add(id string, p place) {
	i := slices.IndexFunc(c.failures, func(f failure) bool { return f.id == id })
	switch {
	case i < 0:
		c.wrong = append(c.wrong, fmt.Sprintf("%s: there is no case %s", p, id))
		return
	case c.failures[i].inGo != (p.section == nil):
		where := map[bool]string{true: "a test in Go", false: "a scenario"}[c.failures[i].inGo]
		c.wrong = append(c.wrong, fmt.Sprintf("%s: the case %s is for %s", p, id, where))
		return
	}
	c.failures[i].places = append(c.failures[i].places, p)
}

// testMark marks a test in Go that encodes a failure mode which no scenario can: // case: go-no-lock
var testMark = regexp.MustCompile(`^// case: ([a-z0-9-]+)$`)

func (c *coverage) readTests(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if mark := testMark.FindStringSubmatch(line); mark != nil {
				c.add(mark[1], place{file: filepath.ToSlash(name), line: i + 1})
			}
		}
		return nil
	})
}

// lacking is what is missing from the encoding of a failure mode, "" if it is complete.
func (f *failure) lacking() string {
	if len(f.places) == 0 {
		return "encoded nowhere"
	}
	if f.inGo {
		return ""
	}
	commands, checks, busybox, errno := false, false, !f.busybox, len(f.errnos) == 0
	for _, p := range f.places {
		checks = checks || len(p.section.Checks) > 0
		for _, b := range p.section.blocks() {
			commands = commands || len(b.Commands) > 0
			busybox = busybox || inItsWords(b)
			errno = errno || len(b.Conditions) == 0 && slices.Contains(f.errnos, b.Errno)
		}
	}
	switch {
	case !commands:
		return "nothing is typed"
	case !checks:
		return "nothing is checked"
	case !errno:
		return "no block for all machines has errno=" + strings.Join(f.errnos, " or ")
	case !busybox:
		return "no block is in busybox's words"
	}
	return ""
}

// inItsWords reports whether a block has busybox's messages: a block for its driver, or one that calls busybox by name.
// A block for all drivers has iproute2's messages, and for busybox only refusal and success are compared.
func inItsWords(b scenario.Block) bool {
	return slices.Contains(b.Drivers, scenario.BusyboxDriver) ||
		slices.ContainsFunc(b.Commands, func(cmd scenario.Command) bool { return slices.Contains(cmd.Argv, "busybox") })
}

// complete returns an error that lists the failure modes that are not encoded and the wrong marks.
func (c *coverage) complete() error {
	wrong := slices.Clone(c.wrong)
	for i := range c.failures {
		if lack := c.failures[i].lacking(); lack != "" {
			wrong = append(wrong, c.failures[i].id+": "+lack)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s; what is wrong or missing:\n  %s", c.count(), strings.Join(wrong, "\n  "))
	}
	return nil
}

// count is a line with the number of encoded failure modes.
func (c *coverage) count() string {
	done := 0
	for i := range c.failures {
		if c.failures[i].lacking() == "" {
			done++
		}
	}
	return fmt.Sprintf("%d of %d failure modes are encoded", done, len(c.failures))
}

// print lists the failure modes and their places.
func (c *coverage) print(out io.Writer) {
	for i := range c.failures {
		f := &c.failures[i]
		where := f.lacking()
		if where == "" {
			for j, p := range f.places {
				where += map[bool]string{true: "", false: ", "}[j == 0] + p.String()
			}
		} else {
			where = "MISSING: " + where
		}
		fmt.Fprintf(out, "%-24s %s\n", f.id, where)
	}
	fmt.Fprintln(out, c.count())
}

// text is docs/cases.md.
func (c *coverage) text() string {
	var b strings.Builder
	b.WriteString(generated)
	fmt.Fprintf(&b, "# The failure modes\n\n%d ways in which network namespaces go wrong, measured by hand, and "+
		"the places where the catalogue encodes them. `make coverage` prints the same list and fails if one is "+
		"missing.\n", len(c.failures))
	group := ""
	for i := range c.failures {
		f := &c.failures[i]
		if f.group != group {
			group = f.group
			fmt.Fprintf(&b, "\n## %s\n\n| case | where | refused with |\n|---|---|---|\n",
				strings.ToUpper(group[:1])+group[1:])
		}
		var where []string
		for _, p := range f.places {
			if p.section == nil {
				where = append(where, fmt.Sprintf("[%s](../%s)", p.file, p.file))
			} else {
				where = append(where, fmt.Sprintf("[%s](../%s): %s", strings.TrimSuffix(filepath.Base(p.file), ".md"),
					p.file, cell(p.section.Title)))
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.id, strings.Join(where, "; "), strings.Join(f.errnos, ", "))
	}
	return b.String()
}
