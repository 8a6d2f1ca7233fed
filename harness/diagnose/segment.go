package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

func itoa(n int) string { return strconv.Itoa(n) }

// arrival is a link that frames sent out of another one reach, and the first obstacle that stops them, if any.
type arrival struct {
	port
	obstacle *Cause
	bridges  []passage // the bridges that the frames cross, in order
}

// passage is a bridge that a frame crosses, with the ports it comes in by and leaves by; nil for the bridge itself.
type passage struct {
	port
	in, out *state.Link
}

// search follows the frames of one link over cables, bridges and tunnels. Of several paths to a link, one without an
// obstacle counts more. So a segment with obstacles is searched twice: the first time only up to them, to find what is
// reached freely; the second time beyond them, to find the rest.
type search struct {
	*walk
	p       packet
	start   port
	seen    map[port]bool
	bridged map[port]bool
	clear   map[port]bool // reached freely in the first search; nil during that search
	stopped bool          // the search ended at an obstacle somewhere
	found   []arrival
	beyond  []port // links by which frames leave the state
}

// outOfSight reports whether frames that leave by a link leave the state: a veth whose peer is in a namespace that was
// not read, or a link of a kind that is not followed here, such as a network card, the tap of a virtual machine, a bond
// or a WireGuard tunnel.
func outOfSight(l *state.Link) bool {
	switch l.Kind {
	case "veth":
		return l.Peer != nil && l.Peer.Hidden
	case "bridge", "vlan", "macvlan", "vxlan", "vrf", "dummy", "ifb", "loopback":
		return false
	}
	return l.Up && l.Carrier && l.IPvlan != "l2"
}

// leadsAnywhere reports whether a link that leaves the state may lead back to a namespace in it: a tunnel or a bond
// may, a card, a virtual machine or a namespace that was not read does not.
func leadsAnywhere(l *state.Link) bool {
	switch l.Kind {
	case "", "veth", "macvtap", "ipvtap":
		return false
	case "tun":
		return l.Master == ""
	}
	return true
}

// segment finds all links that frames sent out of a link reach, or would reach but for an obstacle. Those without an
// obstacle come first.
func (w *walk) segment(from port, p packet) []arrival {
	// Each driver's ndo_start_xmit hands a frame to the next device, whose __netif_receive_skb_core(), net/core/dev.c,
	// hands it on to a VLAN, a bridge or another upper device (rx_handler), or to the protocols: see send and receive.
	s := w.searched(from, p, nil)
	if s.stopped {
		clear := s.seen
		maps.Copy(clear, s.bridged)
		s = w.searched(from, p, clear)
	}
	w.beyond = s.beyond
	slices.SortStableFunc(s.found, func(a, b arrival) int {
		return boolOrder(a.obstacle != nil) - boolOrder(b.obstacle != nil)
	})
	return s.found
}

// searched is one search of the segment; clear is what the first one reached, nil for the first one.
func (w *walk) searched(from port, p packet, clear map[port]bool) *search {
	s := &search{walk: w, p: p, start: from, seen: map[port]bool{}, bridged: map[port]bool{}, clear: clear}
	s.send(from, nil, nil, 0)
	return s
}

// stops reports whether frames that met an obstacle are not followed to a link.
func (s *search) stops(at port, obstacle *Cause) bool {
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

// endpoints are the links of the segment that small frames reach.
func (w *walk) endpoints(from port) (found []port) {
	if !from.l.Up {
		return nil
	}
	for _, a := range w.segment(from, packet{}) {
		if a.obstacle == nil {
			found = append(found, a.port)
		}
	}
	return found
}

// sameSegment reports whether frames of one link reach the other, or would but for an obstacle.
func (w *walk) sameSegment(a, b port) bool {
	return w.segmentOf(a) == w.segmentOf(b)
}

// segmentOf is the link that stands for all links of its segment.
func (w *walk) segmentOf(at port) port {
	if w.segments == nil {
		w.segments = map[port]port{}
	}
	if bridge := at.n.Link(at.l.Master); at.l.Master != "" && bridge != nil && bridge.Kind == "bridge" {
		at = port{at.n, bridge}
	}
	if known, ok := w.segments[at]; ok {
		return known
	}
	w.segments[at] = at
	for _, other := range w.segment(at, packet{}) {
		if _, ok := w.segments[other.port]; !ok {
			w.segments[other.port] = at
		}
	}
	return at
}

// send transmits a frame out of a link: dev_hard_start_xmit(), net/core/dev.c, and the ndo_start_xmit of the driver.
func (s *search) send(at port, obstacle *Cause, bridges []passage, vlan int) {
	// A link that is down sends nothing.
	l := at.l
	if at != s.start && obstacle == nil && !l.Up {
		obstacle = s.down(at)
	}
	switch {
	case l.Kind == "bridge": // br_dev_xmit(), net/bridge/br_device.c
		s.bridge(at, nil, obstacle, bridges, vlan)
	case l.VXLAN != nil: // vxlan_xmit(), drivers/net/vxlan/vxlan_core.c
		s.tunnel(at, obstacle, bridges)
	case l.Macvlan != "" || l.IPvlan == "l2":
		s.macvlan(at, obstacle, bridges)
	case l.VLAN != nil: // vlan_dev_hard_start_xmit(), net/8021q/vlan_dev.c, adds the tag
		if lower := s.below(l); lower != nil {
			s.send(*lower, obstacle, bridges, l.VLAN.ID)
		}
	default:
		s.cable(at, obstacle, bridges, vlan)
	}
}

// down is the cause for a link on the path that is administratively down.
func (s *search) down(at port) *Cause {
	name := causes.PortDown
	if at.l.Master == "" {
		name = causes.LinkDown
	}
	return cause(name, at.n, at.l, "%s in %s is administratively down", at.l.Name, at.n.Name).
		proof(linkShown(at.n, at.l)).setUp(at)
}

// cable takes a frame to the other end of a veth pair: veth_xmit(), drivers/net/veth.c.
func (s *search) cable(at port, obstacle *Cause, bridges []passage, vlan int) {
	if obstacle == nil && outOfSight(at.l) {
		s.beyond = append(s.beyond, at)
	}
	peer := s.below(at.l)
	if peer == nil || at.l.Kind != "veth" {
		return
	}
	if obstacle == nil && !peer.l.Up {
		if peer.l.Master != "" {
			obstacle = s.down(*peer)
		} else {
			obstacle = s.peerDown(at, *peer)
		}
	}
	// The peer takes frames up to its MTU and the length of a VLAN tag: __dev_forward_skb() and is_skb_forwardable(),
	// net/core/dev.c.
	if obstacle == nil && s.p.size > peer.l.MTU+4 {
		obstacle = cause(causes.MTUMismatch, peer.n, peer.l,
			"a packet of %d bytes fits %s in %s (MTU %d) but not its other end %s in %s (MTU %d), which drops it "+
				"silently",
			s.p.size, at.l.Name, at.n.Name, at.l.MTU, peer.l.Name, peer.n.Name, peer.l.MTU).
			proof(linkShown(at.n, at.l), linkShown(peer.n, peer.l)).fix(ip(peer.n, "link set %s mtu %d", peer.l.Name,
			at.l.MTU))
	}
	if obstacle == nil && at != s.start {
		obstacle = dropsAll(at.n, at.l, s.p.size)
	}
	s.receive(*peer, obstacle, bridges, vlan)
}

// receive takes a frame that comes in by a link to the link's master, if it has one: the rx_handler in
// __netif_receive_skb_core(), net/core/dev.c.
func (s *search) receive(at port, obstacle *Cause, bridges []passage, vlan int) {
	if s.seen[at] || s.stops(at, obstacle) {
		return
	}
	s.seen[at] = true
	master := at.n.Link(at.l.Master)
	switch {
	case at.l.Master == "" || master == nil || master.Kind == "vrf": // a VRF affects only routing
		s.deliver(at, obstacle, bridges, vlan)
	case master.Kind == "bridge": // br_handle_frame(), net/bridge/br_input.c
		s.bridge(port{at.n, master}, at.l, obstacle, bridges, vlan)
	case obstacle == nil: // a bond: bond_handle_frame(), drivers/net/bonding/bond_main.c, takes the frame or drops it
		s.beyond = append(s.beyond, port{at.n, master})
	}
}

// deliver hands a frame to a link and to the upper devices on it: VLANs take the frames with their tag
// (vlan_do_receive(), net/8021q/vlan_core.c), macvlans and ipvlans those without one (macvlan_handle_frame(),
// drivers/net/macvlan.c).
func (s *search) deliver(at port, obstacle *Cause, bridges []passage, vlan int) {
	taken := vlan == 0
	for _, child := range s.above(at) {
		o := obstacle
		switch {
		case child.l.VLAN != nil && child.l.VLAN.ID == vlan:
			taken = true
		case child.l.VLAN != nil && o == nil:
			o = vlanMismatch(child, vlan)
		case child.l.VLAN == nil && vlan != 0:
			continue
		}
		if o == nil && !child.l.Up {
			o = s.down(child)
		}
		s.receive(child, o, bridges, 0)
	}
	// A tag that no VLAN takes: __netif_receive_skb_core() marks the frame PACKET_OTHERHOST, and IP drops it.
	if !taken && obstacle == nil {
		obstacle = cause(causes.VLANMismatch, at.n, at.l,
			"frames with the VLAN tag %d come to %s in %s, which has no link for that VLAN", vlan, at.l.Name,
			at.n.Name).
			proof(linkShown(at.n, at.l))
	}
	if taken && vlan != 0 {
		return // the VLAN took it
	}
	if obstacle == nil && (at.l.Kind == "macvtap" || at.l.Kind == "ipvtap") {
		s.beyond = append(s.beyond, at) // the virtual machine
	}
	s.found = append(s.found, arrival{at, obstacle, bridges})
}

// bridge takes a frame through a bridge: to the bridge itself, and out of each port but the one it came in by (nil: the
// bridge itself sends it). Where a real bridge knows the port of a MAC address, this one floods.
func (s *search) bridge(br port, entry *state.Link, obstacle *Cause, bridges []passage, vlan int) {
	if s.bridged[br] {
		return
	}
	// A bridge that is down disables its ports: br_stp_disable_bridge(), net/bridge/br_stp_if.c.
	if obstacle == nil && !br.l.Up {
		obstacle = cause(causes.BridgeDown, br.n, br.l, "the bridge %s in %s is administratively down", br.l.Name,
			br.n.Name).
			proof(linkShown(br.n, br.l)).setUp(br)
	}
	// Ingress: br_handle_frame(), net/bridge/br_input.c, drops what comes in by a port that is blocking, listening or
	// disabled; br_allowed_ingress(), net/bridge/br_vlan.c, gives the frame its VLAN.
	if entry != nil && obstacle == nil {
		obstacle = s.portTrouble(port{br.n, entry})
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
		own, passed := obstacle, passage{br, entry, nil}
		if own == nil {
			own = s.filtered(passed)
		}
		s.deliver(br, own, append(slices.Clone(bridges), passed), outside(br, nil, vlan))
	}
	// Egress: should_deliver(), net/bridge/br_forward.c, wants another port than the entry, in the state forwarding,
	// with the frame's VLAN, and not isolated from the entry.
	for _, q := range ports(br.n, br.l) {
		if q == entry {
			continue
		}
		o := obstacle
		if o == nil && entry != nil && entry.Port != nil && q.Port != nil && entry.Port.Isolated && q.Port.Isolated {
			o = cause(causes.PortIsolated, br.n, q,
				"%s and %s cannot reach each other: both are isolated ports of %s in %s", entry.Name, q.Name,
				br.l.Name, br.n.Name).
				proof(entry.Name+" isolated on",
					q.Name+" isolated on").fix(in(br.n, "bridge link set dev %s isolated off", q.Name))
		}
		if o == nil && !q.Up {
			o = s.down(port{br.n, q})
		}
		if o == nil {
			o = s.portTrouble(port{br.n, q})
		}
		passed := passage{br, entry, q}
		if o == nil {
			o = s.filtered(passed)
		}
		// The MTU of the port: br_dev_queue_push_xmit(), net/bridge/br_forward.c. A bridge sends no ICMP.
		if o == nil && s.p.size > q.MTU {
			o = cause(causes.MTUMismatch, br.n, q,
				"a packet of %d bytes does not fit the port %s in %s (MTU %d); a bridge drops it silently", s.p.size,
				q.Name, br.n.Name, q.MTU).
				proof(linkShown(br.n, q)).fix(ip(br.n, "link set %s mtu %d", q.Name, s.p.size))
		}
		if o == nil && !allowed(br, q, vlan) {
			o = notAllowed(br, q, vlan)
		}
		s.send(port{br.n, q}, o, append(slices.Clone(bridges), passed), outside(br, q, vlan))
	}
}

// filtered runs the packet filters of a bridge. A search without a packet meets none.
func (s *search) filtered(at passage) *Cause {
	if !s.p.dst.IsValid() {
		return nil
	}
	if at.in != nil {
		if c := s.chains(at.n, "ingress", causes.FilterIngress, &s.p, at.in, nil); c != nil {
			return c
		}
	}
	if c := s.filteredBridge(at, seen{packet: s.p}); c != nil || at.out == nil {
		return c
	}
	return s.chains(at.n, "egress", causes.FilterIngress, &s.p, nil, at.out)
}

func ports(n *state.Namespace, br *state.Link) (found []*state.Link) {
	for i := range n.Links {
		if n.Links[i].Master == br.Name {
			found = append(found, &n.Links[i])
		}
	}
	return found
}

// portTrouble is the cause for a port that is not in the state forwarding (spanning tree).
func (w *walk) portTrouble(at port) *Cause {
	if at.l.Port == nil || !at.l.Up || at.l.Port.State == "forwarding" || at.l.Port.State == "" {
		return nil
	}
	if !at.l.Carrier && at.l.Port.State == "disabled" {
		return nil // it has no carrier, which is a cause of its own
	}
	c := cause(causes.PortBlocked, at.n, at.l, "the port %s in %s is %s, not forwarding", at.l.Name, at.n.Name,
		at.l.Port.State).
		proof(in(at.n, "bridge link show dev %s", at.l.Name) + ": state " + at.l.Port.State)
	if w.trial {
		return c
	}
	again := []string{ip(at.n, "link set %s down", at.l.Name), ip(at.n, "link set %s up", at.l.Name)}
	tree := spanned(at)
	switch {
	case wantedByTree(at):
		return c.advise(fmt.Sprintf(
			"fix the other path, for which spanning tree keeps this port as a spare; it opens the port %s after it "+
				"has lost that path", seconds(tree.MaxAge+2*tree.ForwardDelay)))
	// the carrier has just come (linkwatch_do_dev(), net/core/link_watch.c)
	case at.l.Port.State == "disabled" && slices.Contains([]string{"down", "lowerlayerdown"}, at.l.OperState):
		c.Passes = true
		return c.advise("wait: the bridge enables the port as soon as the kernel reports the carrier")
	case tree != nil && at.l.Port.State == "disabled":
		return c.fix(again...)
	case tree != nil:
		c.Passes = true
		return c.advise(fmt.Sprintf(
			"wait: spanning tree lets the port forward after listening and learning, %s after it came up",
			seconds(2*tree.ForwardDelay)))
	case w.inRing(at): // if it forwarded, there could be a broadcast storm
		return c.fix(ip(at.n, "link set %s type bridge stp_state 1", at.l.Master)).fix(again...)
	}
	return c.fix(in(at.n, "bridge link set dev %s state 3", at.l.Name))
}

// seconds formats a time of a bridge, which is in hundredths of a second.
func seconds(hundredths int) string {
	return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64) + " s"
}

// spanned are the settings of a port's bridge if it runs spanning tree, nil otherwise.
func spanned(at port) *state.Bridge {
	bridge := at.n.Link(at.l.Master)
	if bridge == nil || bridge.Bridge == nil || bridge.Bridge.STP == 0 {
		return nil
	}
	return bridge.Bridge
}

// inRing reports whether frames that leave a bridge by a port come back to it by another one, or would but for an
// obstacle.
func (w *walk) inRing(at port) bool {
	s := (&walk{state: w.state, trial: true}).searched(at, packet{}, map[port]bool{})
	return s.bridged[port{at.n, at.n.Link(at.l.Master)}]
}

// wantedByTree reports whether spanning tree blocks a port, rather than delays it.
func wantedByTree(at port) bool {
	return spanned(at) != nil && at.l.Port != nil && at.l.Port.State == "blocking"
}

// macvlan takes a frame of a macvlan or ipvlan to its siblings and out of its parent. Siblings of macvlans get it in
// the mode bridge alone: macvlan_queue_xmit(), drivers/net/macvlan.c; ipvlan_xmit_mode_l2(),
// drivers/net/ipvlan/ipvlan_core.c.
func (s *search) macvlan(at port, obstacle *Cause, bridges []passage) {
	lower := s.below(at.l)
	if lower == nil {
		return
	}
	for _, sibling := range s.above(*lower) {
		if sibling == at || at.l.Macvlan != "bridge" && at.l.IPvlan == "" || sibling.l.Macvlan != at.l.Macvlan ||
			sibling.l.IPvlan != at.l.IPvlan {
			continue
		}
		o := obstacle
		if o == nil && !sibling.l.Up {
			o = s.down(sibling)
		}
		s.receive(sibling, o, bridges, 0)
	}
	s.seen[*lower] = true // the parent never receives from its children
	s.send(*lower, obstacle, bridges, 0)
}
