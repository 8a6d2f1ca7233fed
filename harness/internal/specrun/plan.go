package specrun

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Planned is a job and its cases that a filter selects.
type Planned struct {
	Job    Job
	Suites []reports.Suite // the cases have no outcome yet, except those of absent drivers
	at     map[string]place
}

// place is the position of a case in Suites.
type place struct{ suite, index int }

// Cases is the number of planned cases that a worker plays.
func (p *Planned) Cases() int { return len(p.at) }

// Plan plans the selected cases of each job, in the order of the jobs and of their scenarios. Jobs without a selected
// case are left out. The specs of suites written in Go are listed by Ginkgo, without running them.
func Plan(jobs []Job, f Filter, register Register) ([]Planned, error) {
	var plan []Planned
	for _, job := range jobs {
		p := Planned{Job: job, at: map[string]place{}}
		if job.Scenario != nil {
			p.planScenario(f)
		} else if err := p.planHandWritten(f, register); err != nil {
			return nil, err
		}
		if len(p.Suites) > 0 {
			plan = append(plan, p)
		}
	}
	return plan, nil
}

// add plans the cases of a suite; ids are theirs. Those of an absent driver are skipped already.
func (p *Planned) add(s reports.Suite, ids []string) {
	if len(ids) == 0 {
		return
	}
	distinct(s.Cases)
	i := slices.IndexFunc(p.Job.Absent, func(a Absence) bool { return a.Driver == s.Driver })
	if i >= 0 {
		p.skip(&s, p.Job.Absent[i])
	} else {
		for i, id := range ids {
			p.at[id] = place{len(p.Suites), i}
		}
		p.Job.Cases = append(p.Job.Cases, ids...)
	}
	p.Suites = append(p.Suites, s)
}

func (p *Planned) skip(s *reports.Suite, a Absence) {
	s.Absent = a.Reason
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Outcome, c.Reason, c.Missing = scenario.Skip, a.Reason, slices.Clone(a.Missing)
	}
}

// distinct numbers cases with the same name.
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

// planScenario plans one suite for each driver.
func (p *Planned) planScenario(f Filter) {
	sc := p.Job.Scenario
	for _, driver := range p.Job.Drivers {
		s := reports.Suite{ID: sc.ID, Title: sc.Title, Driver: driver, File: sc.File, Labels: sc.Requires,
			Points: sc.Points}
		for _, v := range sc.Vars {
			s.Variables = append(s.Variables, reports.Property{Name: v.Name, Value: v.Value})
		}
		var ids []string
		for _, c := range sc.Cases(driver) {
			if !f.selects(c.ID, sc.Texts(c), append(sc.Labels(), c.Labels()...)) {
				continue
			}
			ids = append(ids, c.ID)
			s.Cases = append(s.Cases, reports.Case{Name: c.Name, SectionResult: scenario.SectionResult{
				Scenario: sc.ID, Driver: driver, Kind: c.Kind, Step: c.Step, Mistake: c.Mistake,
				Title: c.Section.Title, File: sc.File, Line: c.Section.Line, Points: c.Points,
			}})
		}
		p.add(s, ids)
	}
}

// planHandWritten plans one suite for each top-level container. The text of a container is `ID: title`, as for
// scenarios; the id of a spec is its full text.
func (p *Planned) planHandWritten(f Filter, register Register) error {
	if err := register(p.Job, Tell{}); err != nil {
		return err
	}
	suite, reporter := configuration(p.Job)
	var all []reports.Suite
	var ids [][]string // of each suite
	known := map[string]bool{}
	for _, r := range ginkgo.PreviewSpecs("", suite, reporter).SpecReports {
		id := r.FullText()
		switch {
		case !r.LeafNodeType.Is(types.NodeTypeIt):
			continue
		case known[id]:
			return fmt.Errorf("plan %s: two specs are called %q", p.Job.Unit, id)
		}
		known[id] = true
		if r.State.Is(types.SpecStateSkipped|types.SpecStatePending) || !f.selects(id, []string{id}, r.Labels()) {
			continue
		}
		s := suiteOf(r)
		i := slices.IndexFunc(all, func(other reports.Suite) bool { return other.ID == s.ID && other.Title == s.Title })
		if i < 0 {
			i, all, ids = len(all), append(all, s), append(ids, nil)
		}
		ids[i] = append(ids[i], id)
		all[i].Cases = append(all[i].Cases, reports.Case{Name: specName(r), SectionResult: scenario.SectionResult{
			Scenario: s.ID, Kind: scenario.StepSection, Title: r.LeafNodeText,
			File: r.LeafNodeLocation.FileName, Line: r.LeafNodeLocation.LineNumber,
		}})
	}
	for i, s := range all {
		p.add(s, ids[i])
	}
	return nil
}

// suiteOf is the suite of a spec: its top-level container.
func suiteOf(r types.SpecReport) reports.Suite {
	text := ""
	if len(r.ContainerHierarchyTexts) > 0 {
		text = r.ContainerHierarchyTexts[0]
	}
	if id, title, ok := strings.Cut(text, ": "); ok {
		return reports.Suite{ID: id, Title: title}
	}
	return reports.Suite{ID: cmp.Or(text, HandWritten), Title: text}
}

// specName is the text of a spec below its top-level container.
func specName(r types.SpecReport) string {
	texts := []string{r.LeafNodeText}
	if n := len(r.ContainerHierarchyTexts); n > 1 {
		texts = append(append([]string{}, r.ContainerHierarchyTexts[1:]...), r.LeafNodeText)
	}
	return strings.Join(texts, " ")
}

// configuration configures Ginkgo for listing specs and for a worker's run. A scenario's tree has only the specs of the
// selected cases; in suites written in Go, a focus selects the specs whose texts are the ids of the cases.
func configuration(job Job) (types.SuiteConfig, types.ReporterConfig) {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter = ""
	suite.FocusStrings = nil
	if job.Scenario == nil {
		for _, id := range job.Cases {
			suite.FocusStrings = append(suite.FocusStrings, "^ "+regexp.QuoteMeta(id)+"$")
		}
	}
	suite.RandomSeed = job.Seed
	suite.FailFast = job.FailFast
	suite.Timeout = 0
	suite.GracePeriod = grace
	reporter.NoColor = true
	reporter.Succinct = true
	return suite, reporter
}
