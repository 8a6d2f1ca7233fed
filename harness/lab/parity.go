package lab

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Parity holds the state after each step of a scenario as the drivers left it, each different one once, for comparison
// with that of the next driver. The comparison ends at the first step with commands for some drivers only.
type Parity struct {
	left      map[int][]leftState
	histories map[string]*state.History // by driver: the states that it was the first to leave
	readers   map[string]*state.Reader  // of these histories
	ended     int                       // the first step that is not compared, from 1; 0 if there is none
}

// leftState is a state in the history of the first of the drivers that left it.
type leftState struct {
	drivers []string
	index   int
}

// compare compares the state after step i with those that other drivers left there, and records it. If it is another
// one than the first driver's, disagreement says who disagrees with whom: the first driver is the odd one out if a
// later one agrees with this one. Its own case has been told by then.
func (p *Parity) compare(i int, driver string, s *scenario.Section, after *state.State) (disagreement string,
	differences []string) {
	if p == nil {
		return "", nil
	}
	if forSomeDriversAlone(s) && (p.ended == 0 || i < p.ended-1) {
		p.ended = i + 1
	}
	if p.ended != 0 && i >= p.ended-1 {
		return "", nil
	}
	all := p.left[i]
	if slices.ContainsFunc(all, func(left leftState) bool { return slices.Contains(left.drivers, driver) }) {
		return "", nil
	}
	same := slices.IndexFunc(all, func(left leftState) bool {
		return p.readers[left.drivers[0]].Equals(left.index, after) || len(p.differences(left, driver, after)) == 0
	})
	if same < 0 {
		p.record(i, driver, after)
	} else {
		all[same].drivers = append(all[same].drivers, driver)
	}
	switch {
	case len(all) == 0 || same == 0:
		return "", nil
	case same > 0:
		disagreement = fmt.Sprintf("%s is the odd one out: %s left the same state, which is another one",
			and(all[0].drivers), and(all[same].drivers))
	default:
		var others []string
		for _, left := range all {
			others = append(others, left.drivers...)
		}
		disagreement = fmt.Sprintf("the drivers disagree: %s left another state than %s", driver, and(others))
	}
	return disagreement, p.differences(all[0], driver, after)
}

// differences are those of a state from one that was recorded.
func (p *Parity) differences(left leftState, driver string, after *state.State) []string {
	first := left.drivers[0]
	return state.ParityOf(p.readers[first].At(left.index), after, first, driver)
}

func and(names []string) string { return strings.Join(names, " and ") }

func (p *Parity) record(i int, driver string, after *state.State) {
	if p.left == nil {
		p.left, p.histories = map[int][]leftState{}, map[string]*state.History{}
		p.readers = map[string]*state.Reader{}
	}
	h, ok := p.histories[driver]
	if !ok {
		h = &state.History{}
		p.histories[driver], p.readers[driver] = h, h.Read()
	}
	p.left[i] = append(p.left[i], leftState{[]string{driver}, h.Len()})
	h.Add(after)
}

func forSomeDriversAlone(s *scenario.Section) bool {
	for _, b := range s.Blocks {
		if len(b.Drivers) > 0 {
			return true
		}
	}
	return false
}
