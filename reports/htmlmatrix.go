package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// htmlMatrix has a row for each scenario and a column for each driver, in each guest.
type htmlMatrix struct {
	Groups  []htmlGroup // of columns, by guest; none on this machine
	Columns []htmlColumn
	Rows    []*htmlRow

	columns map[At]int
	rows    map[string]int // by the id of the suite
}

// htmlGroup are the columns of a guest.
type htmlGroup struct {
	Name string
	Span int
}

type htmlColumn struct {
	Head string // the driver
	Name string // the driver and the guest
}

// htmlRow is a scenario or a hand-written suite, wherever it was played.
type htmlRow struct {
	ID, Title, Took string
	Variables       string     // with the values that it was played with
	Cells           []htmlCell // one for each column
	Steps           []htmlStep
	Cases           []htmlCase
	// Details are those of the cases, each once: most drivers and kernels say the same.
	Details []*htmlDetail

	steps   map[htmlStepKey]int
	details map[string]int // by their JSON
	took    time.Duration
}

// htmlCell are the counts of a row in a column, the worst outcome first.
type htmlCell struct{ Counts []htmlCount }

// htmlStep is a section of a scenario, or a spec.
type htmlStep struct {
	Name    string `json:"name"`
	Mistake bool   `json:"mistake,omitempty"`
}

// htmlStepKey tells the sections of a row apart: nth counts specs of the same name.
type htmlStepKey struct {
	step, mistake int
	name          string
	nth           int
}

// htmlCase is a case in the index of the page. Its step, column and details are numbers of the row's and matrix's.
type htmlCase struct {
	Column  int              `json:"column"`
	Step    int              `json:"step"`
	Outcome scenario.Outcome `json:"outcome"`
	Took    string           `json:"took"`
	Why     string           `json:"why,omitempty"`
	Detail  int              `json:"detail"`
}

func htmlMatrixOf(r *Run) *htmlMatrix {
	m := &htmlMatrix{columns: map[At]int{}, rows: map[string]int{}}
	m.addColumns(r)
	for i := range r.Suites {
		m.add(&r.Suites[i])
	}
	for _, row := range m.Rows {
		row.Took = duration(row.took)
	}
	return m
}

// addColumns adds the columns of each guest beside each other, in the order in which drivers first appear.
func (m *htmlMatrix) addColumns(r *Run) {
	var order []At
	var guests, drivers []string
	for i := range r.Suites {
		at := At{r.Suites[i].Driver, r.Suites[i].Guest}
		if slices.Contains(order, at) {
			continue
		}
		order = append(order, at)
		if !slices.Contains(guests, at.Guest) {
			guests = append(guests, at.Guest)
		}
		if !slices.Contains(drivers, at.Driver) {
			drivers = append(drivers, at.Driver)
		}
	}
	slices.SortFunc(order, func(a, b At) int {
		return cmp.Or(cmp.Compare(slices.Index(guests, a.Guest), slices.Index(guests, b.Guest)),
			cmp.Compare(slices.Index(drivers, a.Driver), slices.Index(drivers, b.Driver)))
	})
	for _, at := range order {
		m.columns[at] = len(m.Columns)
		column := htmlColumn{Head: term.OneLine(cmp.Or(at.Driver, "suites"))}
		column.Name = column.Head
		if at.Guest != "" {
			guest := term.OneLine(at.Guest)
			column.Name += " on " + guest
			if n := len(m.Groups); n == 0 || m.Groups[n-1].Name != guest {
				m.Groups = append(m.Groups, htmlGroup{Name: guest})
			}
			m.Groups[len(m.Groups)-1].Span++
		}
		m.Columns = append(m.Columns, column)
	}
}

func (m *htmlMatrix) add(s *Suite) {
	n, there := m.rows[s.ID]
	if !there {
		n = len(m.Rows)
		m.rows[s.ID] = n
		m.Rows = append(m.Rows, &htmlRow{
			ID: term.OneLine(s.ID), Title: term.OneLine(s.Title), Variables: htmlVariables(s),
			Cells: make([]htmlCell, len(m.Columns)), steps: map[htmlStepKey]int{}, details: map[string]int{},
		})
	}
	row, column := m.Rows[n], m.columns[At{s.Driver, s.Guest}]
	row.took += s.Duration()
	count := s.Count()
	for _, o := range scenario.Outcomes {
		if n := *count.of(o); n > 0 {
			row.Cells[column].Counts = append(row.Cells[column].Counts, htmlCount{o, n})
		}
	}
	for i, step := range row.stepsOf(s) {
		c := &s.Cases[i]
		row.Cases = append(row.Cases, htmlCase{
			Column: column, Step: step, Outcome: known(c.Outcome), Took: duration(c.Duration),
			Why: term.Brief(c.Headline()), Detail: row.detail(c),
		})
	}
}

func htmlVariables(s *Suite) string {
	var values []string
	for _, v := range s.Variables {
		values = append(values, term.OneLine(v.Name+" = "+v.Value))
	}
	return strings.Join(values, ", ")
}

// stepsOf are the numbers of the row's steps that are those of a suite's cases. New ones are added.
func (row *htmlRow) stepsOf(s *Suite) []int {
	var numbers []int
	seen := map[htmlStepKey]int{}
	for i := range s.Cases {
		c := &s.Cases[i]
		key := htmlStepKey{step: c.Step, mistake: c.Mistake}
		if s.Driver == "" || c.Step == 0 {
			key.name = c.Name
		}
		seen[key]++
		key.nth = seen[key]
		n, there := row.steps[key]
		if !there {
			n = len(row.Steps)
			row.steps[key] = n
			row.Steps = append(row.Steps, htmlStep{Name: term.Brief(c.Name), Mistake: c.Mistake > 0})
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// failure is an entry of the list of what did not pass.
func (m *htmlMatrix) failure(f *Alike) htmlFailure {
	c := f.Case
	suite := term.OneLine(f.Suite.ID)
	if c.Step > 0 {
		suite += fmt.Sprintf(", step %d", c.Step)
	}
	return htmlFailure{
		Outcome: known(c.Outcome), Name: term.Brief(c.Name), Suite: suite, Played: played(f.At),
		Where: term.OneLine(c.Where(scenario.Problem{})), Took: duration(c.Duration), Why: term.Brief(c.Headline()),
		Refs: m.refs(f), Said: f.Said, Transcript: Transcript(c.Transcript), Checks: Checks(c.Checks),
		Evidence: c.evidenceLink(),
	}
}

// refs names the cases of an entry as the script finds them: ROW.STEP.COLUMN, the first one first.
func (m *htmlMatrix) refs(f *Alike) string {
	row := m.rows[f.Suite.ID]
	var step int
	for i, n := range m.Rows[row].stepsOf(f.Suite) {
		if &f.Suite.Cases[i] == f.Case {
			step = n
		}
	}
	var refs []string
	for _, at := range f.At {
		refs = append(refs, fmt.Sprintf("%d.%d.%d", row, step, m.columns[at]))
	}
	return strings.Join(refs, " ")
}

// htmlIndex is what the script needs to know of all cases: for the filter, and to find their details.
type htmlIndex struct {
	Columns []string       `json:"columns"`
	Rows    []htmlIndexRow `json:"rows"`
}

type htmlIndexRow struct {
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Variables string     `json:"variables,omitempty"`
	Steps     []htmlStep `json:"steps"`
	Cases     []htmlCase `json:"cases"`
}

func (m *htmlMatrix) index() htmlIndex {
	index := htmlIndex{Columns: []string{}, Rows: []htmlIndexRow{}}
	for _, c := range m.Columns {
		index.Columns = append(index.Columns, c.Name)
	}
	for _, row := range m.Rows {
		index.Rows = append(index.Rows, htmlIndexRow{row.ID, row.Title, row.Variables, row.Steps, row.Cases})
	}
	return index
}
