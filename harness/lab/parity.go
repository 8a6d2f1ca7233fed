package lab

import (
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Parity holds the state that the first driver left after each step of one scenario, so that the others can be compared
// with it. A step with commands for some drivers alone ends the comparison: from there on the drivers went different
// ways.
type Parity struct {
	left  map[int]leftState
	ended int // the first step that is not compared, plus one; 0 when there is none
}

type leftState struct {
	driver string
	state  *state.State
}

// compare notes or compares the state after step i. It returns the driver that it was compared with and the
// differences.
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
