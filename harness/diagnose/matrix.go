package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/topology"
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

// Place is a namespace, and the address that the others are asked about: its first one that no other namespace has, of
// IPv4 if there is one.
type Place struct {
	Netns   string     `json:"netns"`
	Address netip.Addr `json:"address"`
}

// Obstacle is what stops the packets of some pairs.
type Obstacle struct {
	// Cause is that of the first pair. The packets of the others are stopped alike; for them its repair may need other
	// addresses.
	Cause *Cause `json:"cause"`
	Pairs []Pair `json:"pairs"`
}

// Pair is a namespace that sends, and the one whose address is asked about.
type Pair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Everybody asks of each namespace whether it reaches each other one. Walks without a repair find what stops whom, and
// the cause is worked out once for all that are stopped alike, so what it costs grows with the pairs and with what is
// wrong.
func Everybody(s *state.State) Matrix {
	m := Matrix{Places: []Place{}, Nowhere: []string{}, Obstacles: []Obstacle{}, Doubts: []Pair{}, Unread: unread(s)}
	chart := chartOfState(s)
	shared := map[string]bool{} // namespaces whose address is also that of another one
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		switch addr, alone := addressOf(chart, n); {
		case addr.IsValid():
			m.Places = append(m.Places, Place{n.Name, addr})
			shared[n.Name] = !alone
		case !closed(s, n.Name):
			m.Nowhere = append(m.Nowhere, n.Name)
		}
	}
	stopped := map[string]int{} // by what stops alike
	for _, from := range m.Places {
		for _, to := range m.Places {
			if from == to {
				continue
			}
			pair, q := Pair{from.Netns, to.Netns}, Query{From: from.Netns, To: to.Address}
			w, lost := (&walk{Map: chart, query: q, trial: true}).everyWay()
			arrived := lost == nil && w.reached != nil && w.reached.Name == to.Netns
			switch {
			case arrived && len(w.doubts) == 0:
				continue
			case lost == nil, shared[to.Netns], closed(s, lost.Netns):
				m.Doubts = append(m.Doubts, pair)
				continue
			}
			alike := likeness(chart, q, lost)
			i, met := stopped[alike]
			if !met {
				if i = m.obstacle(Diagnose(s, q).Cause); i < 0 { // it leads to a namespace that was not read
					m.Doubts = append(m.Doubts, pair)
					continue
				}
				stopped[alike] = i
			}
			m.Obstacles[i].Pairs = append(m.Obstacles[i].Pairs, pair)
		}
	}
	return m
}

// likeness tells apart what may have different causes: the place, the rule that proves it, and the network to which the
// packet had no way.
func likeness(chart *topology.Map, q Query, lost *finding.Cause) string {
	to := q.To
	if from := chart.Namespace(q.From); lost.Reply && from != nil {
		to, _ = addressOf(chart, from)
	}
	return fmt.Sprintln(lost.Name, lost.Place(), lost.Reply, chart.NetworkOf(to), lost.Evidence)
}

// obstacle is the index of the obstacle with this cause; -1 for none.
func (m *Matrix) obstacle(c *Cause) int {
	if c == nil {
		return -1
	}
	i := slices.IndexFunc(m.Obstacles, func(o Obstacle) bool {
		return o.Cause.Name == c.Name && o.Cause.Place() == c.Place() && o.Cause.Reply == c.Reply &&
			o.Cause.Says == c.Says && slices.Equal(o.Cause.Repair, c.Repair)
	})
	if i < 0 {
		i = len(m.Obstacles)
		m.Obstacles = append(m.Obstacles, Obstacle{Cause: c})
	}
	return i
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

// addressOf is the address of a namespace that the others are asked about: of IPv4 if it has any, and one that it has
// alone if there is one. An address that is valid on its link only is none to ask for.
func addressOf(chart *topology.Map, n *state.Namespace) (best netip.Addr, alone bool) {
	for _, l := range n.Links {
		for _, a := range l.Addresses {
			addr := a.Prefix.Addr()
			if addr.IsLoopback() || addr.IsLinkLocalUnicast() {
				continue
			}
			own := !slices.ContainsFunc(chart.Owned(addr), func(at facts.Port) bool { return at.N != n })
			if !best.IsValid() || own && !alone || own == alone && addr.Is4() && best.Is6() {
				best, alone = addr, own
			}
		}
	}
	return best, alone
}
