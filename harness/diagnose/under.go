package diagnose

import (
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/state"
)

// nested is the maximum number of nested tunnels that are followed: a tunnel through itself would have no end.
const nested = 3

// below walks the packets of tunnels through the network below them.
type below struct {
	net     *facts.Net
	tunnels int // that its packets are in
	query   Query
	trial   bool
	turns   *turns
}

// asked is below for frames that only ask who is there.
func asked(n *facts.Net, tunnels int) topology.Underlay {
	if tunnels > nested {
		return nil
	}
	return below{net: n, tunnels: tunnels, trial: true}
}

// chartOfState is the chart of a state.
func chartOfState(s *state.State) *topology.Map {
	n := facts.NetOf(s)
	return topology.New(n, asked(n, 1))
}

// underlay is the network below the tunnels of a packet.
func (w *walk) underlay() topology.Underlay {
	if w.tunnels == nested {
		return nil
	}
	return below{w.Net, w.tunnels + 1, w.query, w.trial, w.turns}
}

func (b below) walk() *walk {
	return &walk{Map: topology.New(b.net, asked(b.net, b.tunnels+1)), query: b.query, tunnels: b.tunnels,
		trial: b.trial,
		turns: b.turns}
}

func (b below) Carry(from *state.Namespace, outer packet.Packet) topology.Carried {
	w := b.walk()
	to, _, lost := w.travel(from, nil, outer)
	obstacle := w.proven(lost)
	if lost != obstacle {
		to = nil // it may have gone anywhere
	}
	c := topology.Carried{To: to, Obstacle: obstacle, Doubts: w.doubts}
	if len(w.stations) > 0 {
		c.By = w.stations[0].d.Dev(from)
	}
	return c
}

// Spread has no route lookup: the link is given (ip_route_output_key_hash_rcu(), net/ipv4/route.c).
func (b below) Spread(from facts.Port, outer packet.Packet, member func(facts.Port) bool) (s topology.Spread) {
	w := b.walk()
	s.Broken = w.hook(from.N, "output", causes.FilterOutput, &outer, nil, from.L)
	all := w.segment(from, outer)
	for _, a := range all.Arrivals {
		if !member(a.Port) {
			continue
		}
		if s.Broken == nil && a.Obstacle == nil {
			a.Obstacle = w.hook(a.N, "input", causes.FilterInput, &outer, a.L, nil)
		}
		s.Arrivals = append(s.Arrivals, a)
	}
	s.Beyond, s.Doubts = len(all.Beyond) > 0, w.doubts
	return s
}

// segment is what a packet reaches on the segment of a link.
func (w *walk) segment(from facts.Port, p packet.Packet) topology.Segment {
	r := w.Map.Segment(from, topology.Frame{P: p, Sender: w.Namespace(w.query.From), Under: w.underlay(),
		Filtered: func(at topology.Passage) *finding.Cause { return w.filtered(at, p) }})
	w.doubtAll(r.Doubts)
	return r
}
