package compare

import (
	"cmp"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"

	"netnscheck/harness/scenario"
)

// confidence is the chance, at most, that a difference in time is named which is none: for all cases taken together.
const confidence = 0.05

// Time is what can be said about how long cases take. Whether two sets of durations differ is judged by the
// Mann–Whitney U test (golang.org/x/perf/benchmath), which needs several repeats of each side, and more of them the
// more cases are judged at the same time: with 1,000 cases 50 would differ by chance alone.
type Time struct {
	// Old and New are the numbers of repeats, Cases that of the cases that passed in all of them.
	Old   int `json:"old_repeats"`
	New   int `json:"new_repeats"`
	Cases int `json:"cases"`
	// NeedForAll and NeedForOne are how many repeats of each side it takes to judge all cases together, and a single one.
	NeedForAll int `json:"need_for_all"`
	NeedForOne int `json:"need_for_one"`
	// All are all cases together, nil if they cannot be judged or do not differ.
	All *Paces `json:"all,omitempty"`
	// Slower and Faster are the cases that differ, the most different first.
	Slower []Paces `json:"slower"`
	Faster []Paces `json:"faster"`
}

// Paces are how long a case took on both sides, as medians.
type Paces struct {
	Suite string        `json:"suite,omitempty"`
	Case  string        `json:"case,omitempty"`
	Old   time.Duration `json:"old_ns"`
	New   time.Duration `json:"new_ns"`
	// P is the probability of at least such a difference if there is none.
	P float64 `json:"p"`
}

// Ratio is how many times as long it takes now.
func (p *Paces) Ratio() float64 { return float64(p.New) / float64(max(p.Old, 1)) }

// times compares the durations of the cases that passed in every repeat of both sides.
func times(a, b *side) Time {
	t := Time{Old: a.repeats, New: b.repeats, Slower: []Paces{}, Faster: []Paces{}}
	var names []Name
	for _, n := range a.names {
		if !itsOwn(n) && a.passed(n) && b.passed(n) {
			names = append(names, n)
		}
	}
	t.Cases = len(names)
	if t.Cases == 0 {
		return t
	}
	each := confidence / float64(t.Cases)
	t.NeedForAll, t.NeedForOne = needed(confidence), needed(each)
	if p := judge(a.sum(names), b.sum(names), confidence); p != nil {
		t.All = p
	}
	for _, n := range names {
		p := judge(seconds(a.cases[n].took), seconds(b.cases[n].took), each)
		if p == nil {
			continue
		}
		p.Suite, p.Case = n.Suite, n.Case
		if p.New > p.Old {
			t.Slower = append(t.Slower, *p)
		} else {
			t.Faster = append(t.Faster, *p)
		}
	}
	slices.SortStableFunc(t.Slower, func(x, y Paces) int { return cmp.Compare(y.Ratio(), x.Ratio()) })
	slices.SortStableFunc(t.Faster, func(x, y Paces) int { return cmp.Compare(x.Ratio(), y.Ratio()) })
	return t
}

// passed reports whether a case passed in every repeat.
func (s *side) passed(n Name) bool {
	c := s.cases[n]
	return c != nil && c.outcome == scenario.Pass && len(c.took) == s.repeats
}

// sum is how long these cases took together in each repeat, in seconds.
func (s *side) sum(names []Name) []float64 {
	all := make([]float64, s.repeats)
	for _, n := range names {
		for i, took := range s.cases[n].took {
			all[i] += took.Seconds()
		}
	}
	return all
}

func seconds(took []time.Duration) []float64 {
	all := make([]float64, len(took))
	for i, d := range took {
		all[i] = d.Seconds()
	}
	return all
}

// judge compares two sets of durations in seconds; nil if they do not differ at this level.
func judge(old, new []float64, alpha float64) *Paces {
	a, b := sample(old, alpha), sample(new, alpha)
	test := benchmath.AssumeNothing.Compare(a, b)
	if test.P > test.Alpha {
		return nil
	}
	median := func(s *benchmath.Sample) time.Duration {
		return time.Duration(benchmath.AssumeNothing.Summary(s, 1-confidence).Center * float64(time.Second))
	}
	p := &Paces{Old: median(a), New: median(b), P: test.P}
	if p.Old == p.New {
		return nil
	}
	return p
}

func sample(values []float64, alpha float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.Thresholds{CompareAlpha: alpha})
}

// needed is how many repeats of each side it takes before the test can tell two sets apart that do not overlap.
func needed(alpha float64) int {
	for n := 2; ; n++ {
		var low, high []float64
		for i := range n {
			low, high = append(low, float64(i)), append(high, float64(n+i))
		}
		if benchmath.AssumeNothing.Compare(sample(low, alpha), sample(high, alpha)).P <= alpha {
			return n
		}
	}
}
