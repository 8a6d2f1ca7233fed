package diagnose

import (
	"net/netip"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// Matrix is which namespaces of a state reach which others, with an echo.
type Matrix struct {
	// Places are the namespaces that have an address, in the order of the state; never nil.
	Places []Place `json:"places"`
	// Nowhere are the namespaces left out, which have none; never nil.
	Nowhere []string `json:"nowhere"`
	// Obstacles are what keeps some from others, in the order in which they were met; never nil.
	Obstacles []Obstacle `json:"obstacles"`
	// Doubts are the pairs for which it is undecided; never nil.
	Doubts []Pair `json:"doubts"`
	// Unread are the parts of the state that could not be read, each with its namespace; never nil.
	Unread []string `json:"unread"`
}

// Place is a namespace, and the address that the others are asked about: its first one, of IPv4 if it has any.
type Place struct {
	Netns   string     `json:"netns"`
	Address netip.Addr `json:"address"`
}

// Obstacle is what stops the packets of some pairs.
type Obstacle struct {
	// Cause is that of the first pair. The packets of the others are stopped at the same place by the same kind of
	// cause; what it says may be about other addresses there.
	Cause *Cause `json:"cause"`
	Pairs []Pair `json:"pairs"`
}

// Pair is a namespace that sends, and the one whose address is asked about.
type Pair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Everybody asks of each namespace whether it reaches each other one. The cause of an obstacle is worked out once, so
// what it costs grows with the pairs and with what is wrong.
func Everybody(s *state.State) Matrix {
	m := Matrix{Places: []Place{}, Nowhere: []string{}, Obstacles: []Obstacle{}, Doubts: []Pair{}, Unread: unread(s)}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		if first := firstAddress(n); first.IsValid() {
			m.Places = append(m.Places, Place{n.Name, first})
		} else {
			m.Nowhere = append(m.Nowhere, n.Name)
		}
	}
	type stop struct {
		name  causes.Cause
		place string
		reply bool
	}
	known := map[stop]int{}
	chart := chartOfState(s)
	for _, from := range m.Places {
		for _, to := range m.Places {
			if from == to {
				continue
			}
			pair, q := Pair{from.Netns, to.Netns}, Query{From: from.Netns, To: to.Address}
			w, lost := (&walk{Map: chart, query: q, trial: true}).everyWay()
			switch {
			case lost == nil && len(w.doubts) == 0:
				continue
			case lost == nil || closed(s, lost.Netns):
				m.Doubts = append(m.Doubts, pair)
				continue
			}
			at := stop{lost.Name, lost.Place(), lost.Reply}
			i, met := known[at]
			if !met {
				cause := Diagnose(s, q).Cause
				if cause == nil { // it leads to a namespace that was not read
					m.Doubts = append(m.Doubts, pair)
					continue
				}
				i = len(m.Obstacles)
				known[at] = i
				m.Obstacles = append(m.Obstacles, Obstacle{Cause: cause})
			}
			m.Obstacles[i].Pairs = append(m.Obstacles[i].Pairs, pair)
		}
	}
	return m
}

// Outcome is the outcome for all pairs: sound only if everybody reaches everybody.
func (m *Matrix) Outcome() Outcome {
	switch {
	case len(m.Obstacles) > 0:
		return Faulty
	case len(m.Doubts)+len(m.Unread) > 0:
		return Unsure
	}
	return Sound
}

// firstAddress is the first address of a namespace, of IPv4 if it has any. One that is valid on its link only is none to
// ask for.
func firstAddress(n *state.Namespace) (first netip.Addr) {
	for _, l := range n.Links {
		for _, a := range l.Addresses {
			addr := a.Prefix.Addr()
			switch {
			case addr.IsLoopback() || addr.IsLinkLocalUnicast():
			case addr.Is4():
				return addr
			case !first.IsValid():
				first = addr
			}
		}
	}
	return first
}
