package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/term"
)

// Guest is a virtual machine in which suites were played, and how it ended.
type Guest struct {
	// Name is that of the suites' Guest: 6.12, or 6.12+iproute2-6.1.
	Name string `json:"name"`
	// Properties are facts about it: its kernel and programs with their packages, its clock.
	Properties []Property `json:"properties"`
	// Class is how it ended, in a word: passed, failed, panic, hang, could not start. Words says it in a sentence.
	Class string `json:"class"`
	Words string `json:"words,omitempty"`
	// Faults are the complaints of its kernel.
	Faults []Fault       `json:"faults,omitempty"`
	Took   time.Duration `json:"took_ns"`
	// Evidence are files about it: the log of its console, what it wrote.
	Evidence []string `json:"evidence,omitempty"`
	// Again is a command of a shell that boots it again, "" if it was not kept.
	Again string `json:"again,omitempty"`
}

// Fault is a complaint of a kernel: an oops, a warning.
type Fault struct {
	Class string `json:"class"`
	Title string `json:"title"`
	// At is the function and offset where it happened, Process the program that ran, "" if that is not known.
	At      string   `json:"at,omitempty"`
	Process string   `json:"process,omitempty"`
	Trace   []string `json:"trace,omitempty"`
	// File and Line are its first line in the log of the console.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// The classes of an end that are the doing of cases alone.
const (
	GuestPassed = "passed"
	GuestFailed = "failed"
)

// Bad reports whether the guest itself did not end as it should, whatever its cases say.
func (g *Guest) Bad() bool { return g.Class != GuestPassed && g.Class != GuestFailed }

// Describe says how a guest ended, in a few lines: the class with its words, faults with where they happened, files.
func (g *Guest) Describe() string {
	first := term.OneLine(g.Class)
	if g.Words != "" {
		first += ": " + term.OneLine(g.Words)
	}
	return strings.Join(append([]string{first}, g.details()...), "\n")
}

// details are what the class and words leave to tell, one a line.
func (g *Guest) details() (lines []string) {
	for _, f := range g.Faults {
		lines = append(lines, term.OneLine(f.describe()))
		if n := len(f.Trace); n > 0 {
			calls := strings.Join(f.Trace[:min(n, frames)], " < ")
			if n > frames {
				calls += " < …"
			}
			lines = append(lines, "  called by "+term.OneLine(calls))
		}
	}
	for _, file := range g.Evidence {
		lines = append(lines, "evidence: "+term.OneLine(file))
	}
	if g.Again != "" {
		lines = append(lines, "to boot it again: "+term.OneLine(g.Again))
	}
	return lines
}

// frames is how many functions of a call trace are printed; the log has all.
const frames = 6

func (f *Fault) describe() string {
	text := f.Class + ": " + term.Brief(f.Title)
	if f.At != "" {
		text += ", at " + f.At
	}
	if f.Process != "" {
		text += ", in " + f.Process
	}
	if f.File != "" {
		text += fmt.Sprintf(" (%s:%d)", f.File, f.Line)
	}
	return text
}

// properties are those of the suites that were played in a guest.
func (g *Guest) properties() []Property {
	return slices.Concat(g.Properties, []Property{{"end of the kernel", g.Class}})
}

// guest is the guest of a name, nil if there is none.
func (r *Run) guest(name string) *Guest {
	i := slices.IndexFunc(r.Guests, func(g Guest) bool { return g.Name == name })
	if i < 0 || name == "" {
		return nil
	}
	return &r.Guests[i]
}

// guests prints how guests ended that did not end as they should, and the matrix.
func (o *Console) guests(r *Run) {
	if len(r.Guests) == 0 {
		return
	}
	first := true
	for i := range r.Guests {
		g := &r.Guests[i]
		if !g.Bad() && g.Again == "" {
			continue
		}
		if first {
			fmt.Fprintln(o.Out, "\nHow kernels ended:")
			first = false
		}
		fmt.Fprintln(o.Out)
		said := o.paint(red, term.OneLine(g.Class))
		if g.Words != "" {
			said += ": " + term.OneLine(g.Words)
		}
		o.wrap(term.OneLine(g.Name)+"  ", said)
		for _, line := range g.details() {
			o.wrap("   ", line)
		}
	}
	fmt.Fprintf(o.Out, "\n%s\n", strings.Join(term.Columns(r.matrix()), "\n"))
}

// matrix are the counts of cases by guest and driver, with a heading.
func (r *Run) matrix() [][]string {
	type cell struct{ guest, driver string }
	var order []cell
	counts := map[cell]*Counts{}
	for i := range r.Suites {
		s := &r.Suites[i]
		at := cell{s.Guest, s.Driver}
		if s.Driver == "" {
			at.driver = "suites"
		}
		if counts[at] == nil {
			counts[at] = &Counts{}
			order = append(order, at)
		}
		counts[at].Add(s.Count())
	}
	rows := [][]string{{"kernel", "driver", " pass", " fail", "error", "blocked", " skip", "not run"}}
	for _, g := range r.Guests {
		name := g.Name
		for _, at := range order {
			if at.guest != g.Name {
				continue
			}
			c := counts[at]
			row := []string{term.OneLine(name), term.OneLine(at.driver)}
			for i, n := range []int{c.Pass, c.Fail, c.Error, c.Blocked, c.Skip, c.NotRun} {
				row = append(row, right(n, len(rows[0][i+2])))
			}
			rows = append(rows, row)
			name = "" // once is enough
		}
	}
	return rows
}

// right is a number at the right of a column; - stands for 0, so that other numbers are seen.
func right(n, width int) string {
	if n == 0 {
		return fmt.Sprintf("%*s", width, "-")
	}
	return fmt.Sprintf("%*d", width, n)
}
