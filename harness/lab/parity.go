package lab

import (
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Parity holds the state after each step of a scenario as the first driver left it, for comparison with the other
// drivers. The comparison ends at the first step with commands for some drivers only.
type Parity struct {
	left  map[int]leftState
	ended int // the first step that is not compared, from 1; 0 if there is none
}

type leftState struct {
	driver string
	state  *state.State
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
		if p.left == nil {
			p.left = map[int]leftState{}
		}
		p.left[i] = leftState{driver: driver, state: after}
		return "", nil
	}
	if first.driver == driver {
		return "", nil
	}
	return first.driver, state.ParityOf(first.state, after, first.driver, driver)
}

func forSomeDriversAlone(s *scenario.Section) bool {
	for _, b := range s.Blocks {
		if len(b.Drivers) > 0 {
			return true
		}
	}
	return false
}
