package lab

import "netnscheck/harness/state"

// traces are the neighbours and the learned entries of bridges that probes have left.
type traces map[trace]bool

type trace struct{ netns, dev, entry string }

// tracesIn are all neighbours and forwarding entries of a state.
func tracesIn(s *state.State) traces {
	all := traces{}
	for _, n := range s.Namespaces {
		for _, e := range n.Neighbours {
			all[neighbourTrace(n.Name, e)] = true
		}
		for _, e := range n.FDB {
			all[entryTrace(n.Name, e)] = true
		}
	}
	return all
}

func neighbourTrace(netns string, e state.Neighbour) trace {
	return trace{netns, e.Dev, e.Addr.String()}
}

func entryTrace(netns string, e state.FDBEntry) trace { return trace{netns, e.Dev, e.MAC} }

// left adds what is there after probes and was not before.
func (t traces) left(before, after *state.State) {
	there := tracesIn(before)
	for one := range tracesIn(after) {
		if !there[one] {
			t[one] = true
		}
	}
}

// keep forgets what is gone by now.
func (t traces) keep(s *state.State) {
	if len(t) == 0 {
		return
	}
	there := tracesIn(s)
	for one := range t {
		if !there[one] {
			delete(t, one)
		}
	}
}

// without is the state without the traces.
func (t traces) without(s *state.State) *state.State {
	if len(t) == 0 {
		return s
	}
	clean := *s
	clean.Namespaces = append([]state.Namespace(nil), s.Namespaces...)
	for i := range clean.Namespaces {
		n := &clean.Namespaces[i]
		var neighbours []state.Neighbour
		for _, e := range n.Neighbours {
			if !t[neighbourTrace(n.Name, e)] {
				neighbours = append(neighbours, e)
			}
		}
		var entries []state.FDBEntry
		for _, e := range n.FDB {
			if !t[entryTrace(n.Name, e)] {
				entries = append(entries, e)
			}
		}
		n.Neighbours, n.FDB = neighbours, entries
	}
	return &clean
}
