// Package topology finds out who is on a segment: which links the frames of one reach over cables, bridges, VLANs,
// macvlans and tunnels, and what stops them on the way. It imports state, the facts, packets, findings and words; the
// diagnosis and the review import it. Of packet filters, and of the network below a tunnel, it knows what its caller
// says.
package topology

import (
	"maps"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// Neighbours are the links of a segment in other namespaces, also those that frames do not reach for an obstacle.
func (m *Map) Neighbours(at facts.Port) (all []facts.Port) {
	for _, a := range m.Segment(at, Frame{}).Arrivals {
		if a.N != at.N {
			all = append(all, a.Port)
		}
	}
	return all
}

// Frame is a packet that is sent to a segment. Without a packet, small frames of nobody ask who is there.
type Frame struct {
	P packet.Packet
	// Sender is the namespace that asked for the packet.
	Sender *state.Namespace
	// Filtered runs the packet filters of a bridge on the packet's way.
	Filtered func(Passage) *finding.Cause
	// Under carries the packet where it goes through a tunnel; nil if it is in too many tunnels.
	Under Underlay
}

func (f Frame) empty() bool { return !f.P.Dst.IsValid() }

// Segment is what a frame reaches.
type Segment struct {
	Arrivals []Arrival
	Beyond   []facts.Port // links by which frames leave the state
	Doubts   []string     // what the underlay of tunnels depends on
}

// Underlay takes the packets of a tunnel through the network below it.
type Underlay interface {
	// Carry takes one from a namespace to its destination.
	Carry(from *state.Namespace, outer packet.Packet) Carried
	// Spread takes one out of a link to the members of its group.
	Spread(from facts.Port, outer packet.Packet, member func(facts.Port) bool) Spread
}

// Carried is where a packet of a tunnel gets: the namespace that takes it in, nil if it is outside the state; the link
// that it is sent by first; what stops it.
type Carried struct {
	To       *state.Namespace
	By       *state.Link
	Obstacle *finding.Cause
	Doubts   []string
}

// Spread is where a packet to a group gets: what stops it at its sender, and the links of members, with their
// obstacles.
type Spread struct {
	Broken   *finding.Cause
	Arrivals []Arrival
	Beyond   bool // it leaves the state, too
	Doubts   []string
}

// Map is a network of which each segment can be searched.
type Map struct {
	*facts.Net
	under    Underlay                  // of frames without a packet; nil if they are in too many tunnels
	segments map[facts.Port]facts.Port // to the link that stands for the segment
}

// New is the map of a network.
func New(n *facts.Net, under Underlay) *Map { return &Map{Net: n, under: under} }

// Segment finds all links that a frame sent out of a link reaches, or would reach but for an obstacle. Those without an
// obstacle come first.
func (m *Map) Segment(from facts.Port, f Frame) Segment {
	// Each driver's ndo_start_xmit hands a frame to the next device, whose __netif_receive_skb_core(), net/core/dev.c,
	// hands it on to a VLAN, a bridge or another upper device (rx_handler), or to the protocols: see send and receive.
	s := m.searched(from, f, nil)
	if s.stopped {
		clear := s.seen
		maps.Copy(clear, s.bridged)
		doubts := s.doubts
		s = m.searched(from, f, clear)
		s.doubts = append(doubts, s.doubts...)
	}
	slices.SortStableFunc(s.found, func(a, b Arrival) int {
		return boolOrder(a.Obstacle != nil) - boolOrder(b.Obstacle != nil)
	})
	return Segment{s.found, s.beyond, s.doubts}
}

// searched is one search of the segment; clear is what the first one reached, nil for the first one.
func (m *Map) searched(from facts.Port, f Frame, clear map[facts.Port]bool) *search {
	under := f.Under
	if f.empty() {
		under = m.under
	}
	s := &search{Map: m, frame: f, under: under, start: from, clear: clear,
		seen: map[facts.Port]bool{}, bridged: map[facts.Port]bool{}}
	s.send(from, nil, nil, 0)
	return s
}

// Endpoints are the links of the segment that small frames reach.
func (m *Map) Endpoints(from facts.Port) (found []facts.Port) {
	if !from.L.Up {
		return nil
	}
	for _, a := range m.Segment(from, Frame{}).Arrivals {
		if a.Obstacle == nil {
			found = append(found, a.Port)
		}
	}
	return found
}

// SameSegment reports whether frames of one link reach the other, or would but for an obstacle.
func (m *Map) SameSegment(a, b facts.Port) bool {
	return m.SegmentOf(a) == m.SegmentOf(b)
}

// SegmentOf is the link that stands for all links of its segment.
func (m *Map) SegmentOf(at facts.Port) facts.Port {
	if m.segments == nil {
		m.segments = map[facts.Port]facts.Port{}
	}
	if bridge := at.N.Link(at.L.Master); at.L.Master != "" && bridge != nil && bridge.Kind == "bridge" {
		at = facts.At(at.N, bridge)
	}
	if known, ok := m.segments[at]; ok {
		return known
	}
	m.segments[at] = at
	for _, other := range m.Segment(at, Frame{}).Arrivals {
		if _, ok := m.segments[other.Port]; !ok {
			m.segments[other.Port] = at
		}
	}
	return at
}
