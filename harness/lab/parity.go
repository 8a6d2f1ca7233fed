package lab

import (
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Parity holds the state after each step of a scenario as the first driver left it, for comparison with the other
// drivers. The comparison ends at the first step with commands for some drivers only.
type Parity struct {
	left      map[int]leftState
	histories map[string]*state.History // by driver: the states that it was the first to leave
	readers   map[string]*state.Reader  // of these histories
	ended     int                       // the first step that is not compared, from 1; 0 if there is none
}

// leftState is a state in the history of a driver.
type leftState struct {
	driver string
	index  int
}

// compare records the state after step i, or compares it with the recorded one. It returns the driver whose state it
// was compared with, and the differences.
func (p *Parity) compare(i int, driver string, s *scenario.Section, after *state.State) (other string,
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
	first, ok := p.left[i]
	if !ok {
		p.record(i, driver, after)
		return "", nil
	}
	if first.driver == driver {
		return "", nil
	}
	left := p.readers[first.driver]
	if left.Equals(first.index, after) {
		return first.driver, nil
	}
	return first.driver, state.ParityOf(left.At(first.index), after, first.driver, driver)
}

func (p *Parity) record(i int, driver string, after *state.State) {
	if p.left == nil {
		p.left, p.histories = map[int]leftState{}, map[string]*state.History{}
		p.readers = map[string]*state.Reader{}
	}
	h, ok := p.histories[driver]
	if !ok {
		h = &state.History{}
		p.histories[driver], p.readers[driver] = h, h.Read()
	}
	p.left[i] = leftState{driver, h.Len()}
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
