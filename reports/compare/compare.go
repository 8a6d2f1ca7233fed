// Package compare tells what a new run has, case by case, that an old one had not: what fails now, what is not tested
// any more, what takes longer. It is a function of reports, for the commands alone to import; it never reads a file
// and never decides an exit status. (How kernels differ within one run is reports.Compare.)
package compare

import (
	"fmt"
	"slices"
	"time"

	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Version is the version of the JSON form of a Comparison, whose schema is docs/schema/compare-1.json. It is
// incremented when readers of the old form would misunderstand the new one.
const Version = 1

// Kind is a kind of change between two runs.
type Kind string

// The kinds, in the order in which they are listed.
const (
	NewlyFailing  Kind = "newly failing"  // fail, error, flaky or xpass, and was none of these before, or was not there
	Gone          Kind = "gone"           // not in the plan any more
	NewlyNotRun   Kind = "newly not run"  // blocked or not run, and was played before
	NewlySkipped  Kind = "newly skipped"  // skipped, and was played before
	NewlyExpected Kind = "newly expected" // fails as an expectation says, and was not expected to before
	NewlyPassing  Kind = "newly passing"  // passes, and did not before
	New           Kind = "new"            // not in the plan before, and not failing
)

// Kinds are all kinds.
var Kinds = []Kind{NewlyFailing, Gone, NewlyNotRun, NewlySkipped, NewlyExpected, NewlyPassing, New}

// Regression reports whether a change of this kind makes the new run worse. What is not tested any more counts like
// what fails: nobody knows whether it still works, and a gate that takes a skip for a success stays green for ever once
// a program is missing. A skip that is meant is accepted by taking the new report for the old one.
func (k Kind) Regression() bool {
	switch k {
	case NewlyFailing, Gone, NewlyNotRun, NewlySkipped:
		return true
	}
	return false
}

// Change is a case that is not what it was.
type Change struct {
	Kind  Kind   `json:"kind"`
	Suite string `json:"suite"` // reports.Suite.Name
	Case  string `json:"case"`
	// Old and New are the outcomes, "" where the case is not in the plan.
	Old scenario.Outcome `json:"old,omitempty"`
	New scenario.Outcome `json:"new,omitempty"`
	// Reason is why the new outcome is no success, in a line.
	Reason string `json:"reason,omitempty"`
	// File and Line are the place of the case, or of its problem.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Nearest is, of a case that is gone, the new one that it was probably renamed to.
	Nearest *Name `json:"nearest,omitempty"`
}

// Name names a case.
type Name struct {
	Suite string `json:"suite"`
	Case  string `json:"case"`
}

// Side is the old or the new run, or several repeats of it.
type Side struct {
	Files   []string  `json:"files"`
	Started time.Time `json:"started"` // of the first
	// Outcomes are the numbers of cases by outcome, over all repeats.
	Outcomes map[scenario.Outcome]int `json:"outcomes"`
}

// Fact is a property of the run, such as its kernel, that differs between the sides.
type Fact struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Comparison is what differs between two runs.
type Comparison struct {
	Version int  `json:"version"`
	Old     Side `json:"old"`
	New     Side `json:"new"`
	// Regressions is the number of changes that make the new run worse (Kind.Regression).
	Regressions int `json:"regressions"`
	// StillFailing is the number of cases that failed before, and fail.
	StillFailing int      `json:"still_failing"`
	Changes      []Change `json:"changes"`
	Properties   []Fact   `json:"properties"`
	Time         Time     `json:"time"`

	sizes map[string]int // of suites, the cases on either side
}

// Reports compares the reports of two runs. Several reports of a side are repeats of one run: they have to have the
// same cases. It is an error if they have not, and if a side is one shard of a plan and the other is not the same one.
func Reports(old, new []reports.Saved) (*Comparison, error) {
	a, err := gather(old)
	if err != nil {
		return nil, err
	}
	b, err := gather(new)
	if err != nil {
		return nil, err
	}
	if err := sameShard(old[0], new[0]); err != nil {
		return nil, err
	}
	c := &Comparison{
		Version: Version, Old: a.Side, New: b.Side, Changes: []Change{}, Properties: differing(old[0], new[0]),
		Time: times(a, b), sizes: map[string]int{},
	}
	added := b.without(a)
	for _, name := range a.names {
		c.sizes[name.Suite]++
		if was := a.cases[name]; b.cases[name] == nil {
			change := was.change(Gone, name, was.outcome, "")
			change.Nearest = renamed(name, added, b)
			if !itsOwn(name) {
				c.Changes = append(c.Changes, change)
			}
		}
	}
	for _, name := range b.names {
		is, was := b.cases[name], a.cases[name]
		if was == nil {
			was = &record{}
			c.sizes[name.Suite]++
		}
		if kind := kindOf(was.outcome, is.outcome); kind != "" {
			c.Changes = append(c.Changes, is.change(kind, name, was.outcome, is.outcome))
		} else if failing(is.outcome) {
			c.StillFailing++
		}
	}
	slices.SortStableFunc(c.Changes, func(a, b Change) int {
		return slices.Index(Kinds, a.Kind) - slices.Index(Kinds, b.Kind)
	})
	for _, change := range c.Changes {
		if change.Kind.Regression() {
			c.Regressions++
		}
	}
	return c, nil
}

// Of are the changes of a kind.
func (c *Comparison) Of(k Kind) (all []Change) {
	for _, change := range c.Changes {
		if change.Kind == k {
			all = append(all, change)
		}
	}
	return all
}

// failing reports whether a case itself went wrong. An outcome that is not known is taken for one.
func failing(o scenario.Outcome) bool {
	return o != "" && o.Bad() && o != scenario.Blocked && o != scenario.NotRun
}

// played reports whether an outcome says what the case does.
func played(o scenario.Outcome) bool {
	return failing(o) || o == scenario.Pass || o == scenario.XFail
}

// kindOf is the kind of a change from one outcome to another, "" stands for a case that is not there. The kind is "" if
// nothing is worth telling.
func kindOf(was, is scenario.Outcome) Kind {
	switch {
	case was == is, failing(was) && failing(is):
		return ""
	case failing(is):
		return NewlyFailing
	case was == "":
		return New
	case (is == scenario.Blocked || is == scenario.NotRun) && played(was):
		return NewlyNotRun
	case is == scenario.Skip && played(was):
		return NewlySkipped
	case is == scenario.XFail:
		return NewlyExpected
	case is == scenario.Pass:
		return NewlyPassing
	}
	return "" // from one reason for not being played to another
}

// renamed is the new case that one which is gone was probably renamed to: the nearest name in its suite, or the same
// case in the suite of the nearest name. nil if none is near.
func renamed(gone Name, added []Name, b *side) *Name {
	var cases, suites []string
	for _, n := range added {
		switch {
		case n.Suite == gone.Suite:
			cases = append(cases, n.Case)
		case n.Case == gone.Case:
			suites = append(suites, n.Suite)
		}
	}
	if near, ok := nearest.Word(gone.Case, cases); ok {
		return &Name{gone.Suite, near}
	}
	if near, ok := nearest.Word(gone.Suite, suites); ok {
		return &Name{near, gone.Case}
	}
	return nil
}

// differing are the properties that differ, but for those of shards: they have been compared before, and whether the
// whole was played in shards makes no difference.
func differing(old, new reports.Saved) []Fact {
	facts := []Fact{}
	value := func(r *reports.Run, name string) string {
		i := slices.IndexFunc(r.Properties, func(p reports.Property) bool { return p.Name == name })
		if i < 0 {
			return ""
		}
		return r.Properties[i].Value
	}
	for _, p := range slices.Concat(old.Properties, new.Properties) {
		f := Fact{p.Name, value(old.Run, p.Name), value(new.Run, p.Name)}
		if p.Name == reports.ShardProperty || p.Name == reports.ShardsProperty {
			continue
		}
		if f.Old != f.New && !slices.Contains(facts, f) {
			facts = append(facts, f)
		}
	}
	return facts
}

func sameShard(old, new reports.Saved) error {
	shard := func(r reports.Saved) string {
		if r.Shard == nil {
			return "the whole"
		}
		return "shard " + r.Shard.String()
	}
	if a, b := shard(old), shard(new); a != b {
		return fmt.Errorf("compare %s with %s: one is %s and the other %s of a plan; `harness report merge` "+
			"makes one report of all shards", old.File, new.File, a, b)
	}
	return nil
}
