package topology

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Arrival is a link that frames sent out of another one reach, and the first obstacle that stops them, if any.
type Arrival struct {
	facts.Port
	Obstacle *finding.Cause
	Bridges  []Passage // the bridges that the frames cross, in order
}

// Passage is a bridge that a frame crosses, with the ports it comes in by and leaves by; nil for the bridge itself.
type Passage struct {
	facts.Port
	In, Out *state.Link
}

// search follows the frames of one link over cables, bridges and tunnels. Of several paths to a link, one without an
// obstacle counts more. So a segment with obstacles is searched twice: the first time only up to them, to find what is
// reached freely; the second time beyond them, to find the rest.
type search struct {
	*Map
	frame   Frame
	under   Underlay
	start   facts.Port
	seen    map[facts.Port]bool
	bridged map[facts.Port]bool
	clear   map[facts.Port]bool // reached freely in the first search; nil during that search
	stopped bool                // the search ended at an obstacle somewhere
	found   []Arrival
	beyond  []facts.Port // links by which frames leave the state
	doubts  []string
}

// meets is what the packet meets in the filters of a bridge. A search without a packet meets none.
func (s *search) meets(at Passage) *finding.Cause {
	if s.frame.empty() {
		return nil
	}
	return s.frame.Filtered(at)
}

// blocks is the cause for a port that does not forward. Who only asks who is there needs no repair of it, and a repair
// asks who is there.
func (s *search) blocks(at facts.Port) *finding.Cause {
	if s.frame.empty() {
		return portBlocked(at)
	}
	return s.PortTrouble(at)
}

// OutOfSight reports whether frames that leave by a link leave the state: a veth whose peer is in a namespace that was
// not read, or a link of a kind that is not followed here, such as a network card, the tap of a virtual machine, a bond
// or a WireGuard tunnel.
func OutOfSight(l *state.Link) bool {
	switch l.Kind {
	case "veth":
		return l.Peer != nil && l.Peer.Hidden
	case "bridge", "vlan", "macvlan", "vxlan", "vrf", "dummy", "ifb", "loopback":
		return false
	}
	return l.Up && l.Carrier && l.IPvlan != "l2"
}

// LeadsAnywhere reports whether a link that leaves the state may lead back to a namespace in it: a tunnel or a bond
// may, a card, a virtual machine or a namespace that was not read does not.
func LeadsAnywhere(l *state.Link) bool {
	switch l.Kind {
	case "", "veth", "macvtap", "ipvtap":
		return false
	case "tun":
		return l.Master == ""
	}
	return true
}

// stops reports whether frames that met an obstacle are not followed to a link.
func (s *search) stops(at facts.Port, obstacle *finding.Cause) bool {
	if obstacle == nil {
		return false
	}
	if s.clear == nil {
		s.stopped = true
		return true
	}
	return s.clear[at]
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// send transmits a frame out of a link: dev_hard_start_xmit(), net/core/dev.c, and the ndo_start_xmit of the driver.
func (s *search) send(at facts.Port, obstacle *finding.Cause, bridges []Passage, vlan int) {
	// A link that is down sends nothing.
	l := at.L
	if at != s.start && obstacle == nil && !l.Up {
		obstacle = Down(at)
	}
	switch {
	case l.Kind == "bridge": // br_dev_xmit(), net/bridge/br_device.c
		s.bridge(at, nil, obstacle, bridges, vlan)
	case l.VXLAN != nil: // vxlan_xmit(), drivers/net/vxlan/vxlan_core.c
		s.tunnel(at, obstacle, bridges)
	case l.Macvlan != "" || l.IPvlan == "l2":
		s.macvlan(at, obstacle, bridges)
	case l.VLAN != nil: // vlan_dev_hard_start_xmit(), net/8021q/vlan_dev.c, adds the tag
		if lower := s.Below(l); lower != nil {
			s.send(*lower, obstacle, bridges, l.VLAN.ID)
		}
	default:
		s.cable(at, obstacle, bridges, vlan)
	}
}

// cable takes a frame to the other end of a veth pair: veth_xmit(), drivers/net/veth.c.
func (s *search) cable(at facts.Port, obstacle *finding.Cause, bridges []Passage, vlan int) {
	if obstacle == nil && OutOfSight(at.L) {
		s.beyond = append(s.beyond, at)
	}
	peer := s.Below(at.L)
	if peer == nil || at.L.Kind != "veth" {
		return
	}
	if obstacle == nil && !peer.L.Up {
		if peer.L.Master != "" {
			obstacle = Down(*peer)
		} else {
			obstacle = PeerDown(at, *peer)
		}
	}
	// The peer takes frames up to its MTU and the length of a VLAN tag: __dev_forward_skb() and is_skb_forwardable(),
	// net/core/dev.c.
	if obstacle == nil && s.frame.P.Size > peer.L.MTU+4 {
		obstacle = finding.New(causes.MTUMismatch, peer.N, peer.L,
			"a packet of %d bytes fits %s in %s (MTU %d) but not its other end %s in %s (MTU %d), which drops it "+
				"silently",
			s.frame.P.Size, at.L.Name, at.N.Name, at.L.MTU, peer.L.Name, peer.N.Name, peer.L.MTU).
			Proof(words.LinkShown(at.N, at.L), words.LinkShown(peer.N, peer.L)).Fix(words.IP(peer.N,
			"link set %s mtu %d", peer.L.Name,
			at.L.MTU))
	}
	if obstacle == nil && at != s.start {
		obstacle = DropsAll(at.N, at.L, s.frame.P.Size)
	}
	s.receive(*peer, obstacle, bridges, vlan)
}

// receive takes a frame that comes in by a link to the link's master, if it has one: the rx_handler in
// __netif_receive_skb_core(), net/core/dev.c.
func (s *search) receive(at facts.Port, obstacle *finding.Cause, bridges []Passage, vlan int) {
	if s.seen[at] || s.stops(at, obstacle) {
		return
	}
	s.seen[at] = true
	master := at.N.Link(at.L.Master)
	switch {
	case at.L.Master == "" || master == nil || master.Kind == "vrf": // a VRF affects only routing
		s.deliver(at, obstacle, bridges, vlan)
	case master.Kind == "bridge": // br_handle_frame(), net/bridge/br_input.c
		s.bridge(facts.At(at.N, master), at.L, obstacle, bridges, vlan)
	case obstacle == nil: // a bond: bond_handle_frame(), drivers/net/bonding/bond_main.c, takes the frame or drops it
		s.beyond = append(s.beyond, facts.At(at.N, master))
	}
}

// deliver hands a frame to a link and to the upper devices on it: VLANs take the frames with their tag
// (vlan_do_receive(), net/8021q/vlan_core.c), macvlans and ipvlans those without one (macvlan_handle_frame(),
// drivers/net/macvlan.c).
func (s *search) deliver(at facts.Port, obstacle *finding.Cause, bridges []Passage, vlan int) {
	taken := vlan == 0
	for _, child := range s.Above(at) {
		o := obstacle
		switch {
		case child.L.VLAN != nil && child.L.VLAN.ID == vlan:
			taken = true
		case child.L.VLAN != nil && o == nil:
			o = vlanMismatch(child, vlan)
		case child.L.VLAN == nil && vlan != 0:
			continue
		}
		if o == nil && !child.L.Up {
			o = Down(child)
		}
		s.receive(child, o, bridges, 0)
	}
	// A tag that no VLAN takes: __netif_receive_skb_core() marks the frame PACKET_OTHERHOST, and IP drops it.
	if !taken && obstacle == nil {
		obstacle = finding.New(causes.VLANMismatch, at.N, at.L,
			"frames with the VLAN tag %d come to %s in %s, which has no link for that VLAN", vlan, at.L.Name,
			at.N.Name).
			Proof(words.LinkShown(at.N, at.L))
	}
	if taken && vlan != 0 {
		return // the VLAN took it
	}
	if obstacle == nil && (at.L.Kind == "macvtap" || at.L.Kind == "ipvtap") {
		s.beyond = append(s.beyond, at) // the virtual machine
	}
	s.found = append(s.found, Arrival{at, obstacle, bridges})
}

// bridge takes a frame through a bridge: to the bridge itself, and out of each port but the one it came in by (nil: the
// bridge itself sends it). Where a real bridge knows the port of a MAC address, this one floods.
func (s *search) bridge(br facts.Port, entry *state.Link, obstacle *finding.Cause, bridges []Passage, vlan int) {
	if s.bridged[br] {
		return
	}
	// A bridge that is down disables its ports: br_stp_disable_bridge(), net/bridge/br_stp_if.c.
	if obstacle == nil && !br.L.Up {
		obstacle = finding.New(causes.BridgeDown, br.N, br.L, "the bridge %s in %s is administratively down", br.L.Name,
			br.N.Name).
			Proof(words.LinkShown(br.N, br.L)).SetUp(br)
	}
	// Ingress: br_handle_frame(), net/bridge/br_input.c, drops what comes in by a port that is blocking, listening or
	// disabled; br_allowed_ingress(), net/bridge/br_vlan.c, gives the frame its VLAN.
	if entry != nil && obstacle == nil {
		obstacle = s.blocks(facts.At(br.N, entry))
	}
	vlan, misfit := admitted(br, entry, vlan)
	if obstacle == nil {
		obstacle = misfit
	}
	if s.stops(br, obstacle) {
		return
	}
	s.bridged[br] = true
	// To the bridge itself: br_pass_frame_up(), net/bridge/br_input.c.
	if entry != nil {
		own, passed := obstacle, Passage{br, entry, nil}
		if own == nil {
			own = s.meets(passed)
		}
		s.deliver(br, own, append(slices.Clone(bridges), passed), outside(br, nil, vlan))
	}
	// Egress: should_deliver(), net/bridge/br_forward.c, wants another port than the entry, in the state forwarding,
	// with the frame's VLAN, and not isolated from the entry.
	for _, q := range facts.Ports(br.N, br.L) {
		if q == entry {
			continue
		}
		o := obstacle
		if o == nil && entry != nil && entry.Port != nil && q.Port != nil && entry.Port.Isolated && q.Port.Isolated {
			o = finding.New(causes.PortIsolated, br.N, q,
				"%s and %s cannot reach each other: both are isolated ports of %s in %s", entry.Name, q.Name,
				br.L.Name, br.N.Name).
				Proof(entry.Name+" isolated on",
					q.Name+" isolated on").Fix(words.In(br.N, "bridge link set dev %s isolated off", q.Name))
		}
		if o == nil && !q.Up {
			o = Down(facts.At(br.N, q))
		}
		if o == nil {
			o = s.blocks(facts.At(br.N, q))
		}
		passed := Passage{br, entry, q}
		if o == nil {
			o = s.meets(passed)
		}
		// The MTU of the port: br_dev_queue_push_xmit(), net/bridge/br_forward.c. A bridge sends no ICMP.
		if o == nil && s.frame.P.Size > q.MTU {
			o = finding.New(causes.MTUMismatch, br.N, q,
				"a packet of %d bytes does not fit the port %s in %s (MTU %d); a bridge drops it silently",
				s.frame.P.Size,
				q.Name, br.N.Name, q.MTU).
				Proof(words.LinkShown(br.N, q))
			s.Widen(o, facts.At(br.N, q), s.frame.P.Size)
		}
		if o == nil && !allowed(br, q, vlan) {
			o = notAllowed(br, q, vlan)
		}
		s.send(facts.At(br.N, q), o, append(slices.Clone(bridges), passed), outside(br, q, vlan))
	}
}

// macvlan takes a frame of a macvlan or ipvlan to its siblings and out of its parent. Siblings of macvlans get it in
// the mode bridge alone: macvlan_queue_xmit(), drivers/net/macvlan.c; ipvlan_xmit_mode_l2(),
// drivers/net/ipvlan/ipvlan_core.c.
func (s *search) macvlan(at facts.Port, obstacle *finding.Cause, bridges []Passage) {
	lower := s.Below(at.L)
	if lower == nil {
		return
	}
	for _, sibling := range s.Above(*lower) {
		if sibling == at || at.L.Macvlan != "bridge" && at.L.IPvlan == "" || sibling.L.Macvlan != at.L.Macvlan ||
			sibling.L.IPvlan != at.L.IPvlan {
			continue
		}
		o := obstacle
		if o == nil && !sibling.L.Up {
			o = Down(sibling)
		}
		s.receive(sibling, o, bridges, 0)
	}
	s.seen[*lower] = true // the parent never receives from its children
	s.send(*lower, obstacle, bridges, 0)
}
