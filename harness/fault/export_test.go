package fault

import "netnscheck/harness/state"

// Carried is the state after faults as the bench carries them out.
func Carried(s *state.State, faults ...Fault) *state.State {
	b := newBench(s)
	for _, f := range faults {
		f.does(b)
	}
	return b.State
}
