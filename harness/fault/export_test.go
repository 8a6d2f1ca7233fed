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

// QueryOf is what a goal asks the diagnosis.
var QueryOf = queryOf

// Restored is the state after what Restore returns, as the bench carries it out.
func Restored(now, finished *state.State) *state.State { return restored(now, finished).State }

// ChosenMACs is a state in which MAC addresses that are what they were count as chosen by the kernel, if they were.
var ChosenMACs = chosenMACs
