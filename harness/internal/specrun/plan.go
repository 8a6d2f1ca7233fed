package specrun

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Planned is a unit and the cases of it that the filters select.
type Planned struct {
	Unit   Unit
	Suites []reports.Suite // the cases have no outcome yet
	at     map[string]place
}

// place is where the case with a key is in Suites.
type place struct{ suite, index int }

// Cases is the number of cases that are to run.
func (p *Planned) Cases() int { return len(p.at) }

// CheckFilters says what is wrong with a label filter or a focus.
func CheckFilters(labels, focus string) error {
	if _, err := types.ParseLabelFilter(labels); err != nil {
		return fmt.Errorf("read --label-filter %q: %s", labels, firstLine(err.Error()))
	}
	if _, err := regexp.Compile(focus); err != nil {
		return fmt.Errorf("read --focus %q: %w", focus, err)
	}
	return nil
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return s
}

// Preview asks Ginkgo which specs of the units the filters select, in the order of the units and of the lesson. All units have
// the same filters. Units of which nothing is selected are left out. It can be called once in a process, and nothing runs.
func Preview(units []Unit, register Register) ([]Planned, error) {
	for _, u := range units {
		if err := register(u.Job, nil); err != nil {
			return nil, err
		}
	}
	if len(units) == 0 {
		return nil, nil
	}
	suite, reporter := configuration(units[0].Job)
	report := ginkgo.PreviewSpecs("", suite, reporter)
	groups := groupsOf(report.SpecReports)
	var plan []Planned
	for _, u := range units {
		p := Planned{Unit: u, at: map[string]place{}}
		var err error
		if u.Scenario == nil {
			p.planHandWritten(groups, units)
		} else {
			err = p.planScenario(groups)
		}
		if err != nil {
			return nil, err
		}
		if p.Cases() > 0 {
			plan = append(plan, p)
		}
	}
	return plan, nil
}

// configuration is how Ginkgo is set up in a preview and in a worker.
func configuration(job Job) (types.SuiteConfig, types.ReporterConfig) {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter = job.Labels
	suite.FocusStrings = nil
	if job.Focus != "" {
		suite.FocusStrings = []string{job.Focus}
	}
	suite.RandomSeed = job.Seed
	suite.FailFast = job.FailFast
	suite.Timeout = 0
	suite.GracePeriod = grace
	reporter.NoColor = true
	reporter.Succinct = true
	return suite, reporter
}

// group is a top-level container: its text and its specs in order.
type group struct {
	text  string
	specs []spec
}

type spec struct {
	key      string
	selected bool
	report   types.SpecReport
}

func groupsOf(all types.SpecReports) []group {
	var groups []group
	at := map[string]int{}
	keys := keyring{}
	for _, r := range all {
		if !r.LeafNodeType.Is(types.NodeTypeIt) {
			continue
		}
		text := ""
		if len(r.ContainerHierarchyTexts) > 0 {
			text = r.ContainerHierarchyTexts[0]
		}
		i, ok := at[text]
		if !ok {
			i = len(groups)
			at[text] = i
			groups = append(groups, group{text: text})
		}
		groups[i].specs = append(groups[i].specs, spec{
			key: keys.next(r), selected: !r.State.Is(types.SpecStateSkipped | types.SpecStatePending), report: r,
		})
	}
	return groups
}

// keyring names specs: by their texts, and by a number where several have the same.
type keyring map[string]int

func (k keyring) next(r types.SpecReport) string {
	text := strings.Join(append(append([]string{}, r.ContainerHierarchyTexts...), r.LeafNodeText), "\n")
	k[text]++
	if n := k[text]; n > 1 {
		return fmt.Sprintf("%s\n#%d", text, n)
	}
	return text
}

// of says whether the container is that of the scenario.
func (g *group) of(id string) bool { return g.text == id || strings.HasPrefix(g.text, id+": ") }

// planScenario matches the specs of a scenario with its sections: they come in the same order.
func (p *Planned) planScenario(groups []group) error {
	sc := p.Unit.Scenario
	var g *group
	for i := range groups {
		if groups[i].of(sc.ID) {
			g = &groups[i]
		}
	}
	all := suitesOf(sc, p.Unit.Job.Drivers)
	if g == nil {
		return fmt.Errorf("plan %s: it has no specs", sc.ID)
	}
	next := 0
	for _, s := range all {
		selected := s
		selected.Cases = nil
		for _, c := range s.Cases {
			if next == len(g.specs) {
				return fmt.Errorf("plan %s: there is no spec for %q", sc.ID, c.Name)
			}
			sp := g.specs[next]
			next++
			if c.Name != sp.report.LeafNodeText {
				return fmt.Errorf("plan %s: the spec for %q is called %q", sc.ID, c.Name, sp.report.LeafNodeText)
			}
			if sp.selected {
				p.at[sp.key] = place{len(p.Suites), len(selected.Cases)}
				selected.Cases = append(selected.Cases, c)
			}
		}
		if len(selected.Cases) > 0 {
			distinct(selected.Cases)
			p.Suites = append(p.Suites, selected)
		}
	}
	return nil
}

// suitesOf are the cases of a scenario, one suite for each driver.
func suitesOf(sc *scenario.Scenario, drivers []string) []reports.Suite {
	var all []reports.Suite
	for _, driver := range drivers {
		s := reports.Suite{ID: sc.ID, Title: sc.Title, Driver: driver, File: sc.File, Labels: sc.Requires}
		for i := range sc.Steps {
			step := &sc.Steps[i]
			s.Cases = append(s.Cases, planned(sc, driver, scenario.StepSection, &step.Section, i+1, 0, step.Title))
			for j := range step.Mistakes {
				m := &step.Mistakes[j]
				name := step.Title + " / Mistake: " + m.Title
				s.Cases = append(s.Cases, planned(sc, driver, scenario.MistakeSection, &m.Section, i+1, j+1, name))
			}
		}
		all = append(all, s)
	}
	return all
}

func planned(sc *scenario.Scenario, driver string, kind scenario.SectionKind, s *scenario.Section, step, mistake int, name string) reports.Case {
	return reports.Case{Name: name, SectionResult: scenario.SectionResult{
		Scenario: sc.ID, Driver: driver, Kind: kind, Step: step, Mistake: mistake, Title: s.Title, File: sc.File, Line: s.Line,
	}}
}

// distinct numbers cases that have the same name.
func distinct(cases []reports.Case) {
	seen := map[string]int{}
	for i := range cases {
		name := cases[i].Name
		seen[name]++
		if n := seen[name]; n > 1 {
			cases[i].Name = fmt.Sprintf("%s (%d)", name, n)
		}
	}
}

// planHandWritten takes the containers that belong to no scenario, a suite each. Their texts are `ID: title`, as those of scenarios.
func (p *Planned) planHandWritten(groups []group, units []Unit) {
	for _, g := range groups {
		if belongs(g, units) {
			continue
		}
		s := reports.Suite{ID: cmp.Or(g.text, HandWritten), Title: g.text}
		if id, title, ok := strings.Cut(g.text, ": "); ok {
			s.ID, s.Title = id, title
		}
		for _, sp := range g.specs {
			if !sp.selected {
				continue
			}
			p.at[sp.key] = place{len(p.Suites), len(s.Cases)}
			s.Cases = append(s.Cases, reports.Case{Name: specName(sp.report), SectionResult: scenario.SectionResult{
				Scenario: s.ID, Kind: scenario.StepSection, Title: sp.report.LeafNodeText,
				File: sp.report.LeafNodeLocation.FileName, Line: sp.report.LeafNodeLocation.LineNumber,
			}})
		}
		if len(s.Cases) > 0 {
			distinct(s.Cases)
			p.Suites = append(p.Suites, s)
		}
	}
}

func belongs(g group, units []Unit) bool {
	for _, u := range units {
		if u.Scenario != nil && g.of(u.Scenario.ID) {
			return true
		}
	}
	return false
}

// specName is the text of a spec below its top-level container.
func specName(r types.SpecReport) string {
	texts := []string{r.LeafNodeText}
	if n := len(r.ContainerHierarchyTexts); n > 1 {
		texts = append(append([]string{}, r.ContainerHierarchyTexts[1:]...), r.LeafNodeText)
	}
	return strings.Join(texts, " ")
}
