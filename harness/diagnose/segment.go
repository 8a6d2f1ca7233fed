package diagnose

import (
	"net/netip"
	"slices"
	"strconv"

	"netnscheck/harness/state"
)

func itoa(n int) string { return strconv.Itoa(n) }

// arrival is a link that frames sent out of another one come to, and the first thing on the way that stops them.
type arrival struct {
	port
	obstacle *Cause
	bridges  []port // passed on the way
}

// search walks the frames of one link over cables, bridges and tunnels.
type search struct {
	*walk
	p       packet
	start   port
	seen    map[port]bool
	bridged map[port]bool
	found   []arrival
}

// segment finds all links that frames sent out of a link come to, or would come to but for an obstacle. Those without one come first.
func (w *walk) segment(from port, p packet) []arrival {
	s := &search{walk: w, p: p, start: from, seen: map[port]bool{}, bridged: map[port]bool{}}
	s.send(from, nil, nil, 0)
	slices.SortStableFunc(s.found, func(a, b arrival) int {
		return boolOrder(a.obstacle != nil) - boolOrder(b.obstacle != nil)
	})
	return s.found
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// endpoints are the links of the segment that small frames do come to.
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

// sameSegment says whether frames of one link come, or would come but for an obstacle, to the other.
func (w *walk) sameSegment(a, b port) bool {
	return w.segmentOf(a) == w.segmentOf(b)
}

// segmentOf is one link that stands for all that are on a segment.
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

// send lets a frame out of a link.
func (s *search) send(at port, obstacle *Cause, bridges []port, vlan int) {
	l := at.l
	if at != s.start && obstacle == nil && !l.Up {
		obstacle = s.down(at)
	}
	switch {
	case l.Kind == "bridge":
		s.bridge(at, nil, obstacle, bridges, vlan)
	case l.VXLAN != nil:
		s.tunnel(at, obstacle, bridges)
	case l.Macvlan != "":
		s.macvlan(at, obstacle, bridges)
	case l.VLAN != nil:
		if lower := s.below(l); lower != nil {
			s.send(*lower, obstacle, bridges, l.VLAN.ID)
		}
	default:
		s.cable(at, obstacle, bridges, vlan)
	}
}

// down is the cause of a link on the way that is switched off.
func (s *search) down(at port) *Cause {
	name := "port-down"
	if at.l.Master == "" {
		name = "link-down"
	}
	return cause(name, at.n, at.l, "%s in %s is administratively down", at.l.Name, at.n.Name).
		proof(linkShown(at.n, at.l)).setUp(at)
}

// cable takes a frame to the other end of a veth pair.
func (s *search) cable(at port, obstacle *Cause, bridges []port, vlan int) {
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
	// The kernel lets a frame with one VLAN tag more through (is_skb_forwardable, net/core/dev.c).
	if obstacle == nil && s.p.size > peer.l.MTU+4 {
		obstacle = cause("mtu-mismatch", peer.n, peer.l, "a packet of %d bytes fits %s in %s (MTU %d) and not its other end %s in %s (MTU %d), which drops it without a word",
			s.p.size, at.l.Name, at.n.Name, at.l.MTU, peer.l.Name, peer.n.Name, peer.l.MTU).
			proof(linkShown(at.n, at.l), linkShown(peer.n, peer.l)).mend(ip(peer.n, "link set %s mtu %d", peer.l.Name, at.l.MTU))
	}
	if obstacle == nil && at != s.start {
		obstacle = dropsAll(at.n, at.l)
	}
	s.receive(*peer, obstacle, bridges, vlan)
}

// receive is what becomes of a frame that comes in by a link.
func (s *search) receive(at port, obstacle *Cause, bridges []port, vlan int) {
	if s.seen[at] {
		return
	}
	s.seen[at] = true
	if at.l.Master != "" {
		if br := at.n.Link(at.l.Master); br != nil && br.Kind == "bridge" {
			s.bridge(port{at.n, br}, at.l, obstacle, bridges, vlan)
			return
		}
	}
	s.deliver(at, obstacle, bridges, vlan)
}

// deliver hands a frame to a link and to what stands on it: vlans take their tag, macvlans what has none.
func (s *search) deliver(at port, obstacle *Cause, bridges []port, vlan int) {
	taken := vlan == 0
	for _, child := range s.above(at) {
		o := obstacle
		switch {
		case child.l.VLAN != nil && child.l.VLAN.ID == vlan:
			taken = true
		case child.l.VLAN != nil && o == nil:
			o = vlanMismatch(child, vlan)
		case child.l.Macvlan != "" && vlan != 0:
			continue
		}
		if o == nil && !child.l.Up {
			o = s.down(child)
		}
		s.receive(child, o, bridges, 0)
	}
	if !taken && obstacle == nil {
		obstacle = cause("vlan-mismatch", at.n, at.l, "frames with the VLAN tag %d come to %s in %s, where nothing takes them", vlan, at.l.Name, at.n.Name).
			proof(linkShown(at.n, at.l))
	}
	if taken && vlan != 0 {
		return // the vlan has it
	}
	s.found = append(s.found, arrival{at, obstacle, bridges})
}

// bridge takes a frame through a bridge: to itself, and out of each port but the one by which it came (nil: from the bridge itself).
func (s *search) bridge(br port, entry *state.Link, obstacle *Cause, bridges []port, vlan int) {
	if s.bridged[br] {
		return
	}
	s.bridged[br] = true
	if obstacle == nil && !br.l.Up {
		obstacle = cause("bridge-down", br.n, br.l, "the bridge %s in %s is administratively down", br.l.Name, br.n.Name).
			proof(linkShown(br.n, br.l)).setUp(br)
	}
	if entry != nil && obstacle == nil {
		obstacle = portTrouble(port{br.n, entry})
	}
	vlan, misfit := admitted(br, entry, vlan)
	if obstacle == nil {
		obstacle = misfit
	}
	if entry != nil {
		own := obstacle
		if own == nil {
			own = s.filteredBridge(br.n, "input", entry, br.l)
		}
		s.deliver(br, own, append(slices.Clone(bridges), br), outside(br, nil, vlan))
	}
	passed := append(slices.Clone(bridges), br)
	for _, q := range ports(br.n, br.l) {
		if q == entry {
			continue
		}
		o := obstacle
		if o == nil && entry != nil && entry.Port != nil && q.Port != nil && entry.Port.Isolated && q.Port.Isolated {
			o = cause("port-isolated", br.n, q, "%s and %s are isolated from each other: both ports of %s in %s are set so", entry.Name, q.Name, br.l.Name, br.n.Name).
				proof(entry.Name+" isolated on", q.Name+" isolated on").mend(in(br.n, "bridge link set dev %s isolated off", q.Name))
		}
		if o == nil && !q.Up {
			o = s.down(port{br.n, q})
		}
		if o == nil {
			o = portTrouble(port{br.n, q})
		}
		if o == nil && entry != nil {
			o = s.filteredBridge(br.n, "forward", entry, q)
		}
		if o == nil && s.p.size > q.MTU {
			o = cause("mtu-mismatch", br.n, q, "a packet of %d bytes does not fit the port %s in %s (MTU %d), and a bridge cannot say so", s.p.size, q.Name, br.n.Name, q.MTU).
				proof(linkShown(br.n, q)).mend(ip(br.n, "link set %s mtu %d", q.Name, s.p.size))
		}
		if o == nil && !allowed(br, q, vlan) {
			o = notAllowed(br, q, vlan)
		}
		s.send(port{br.n, q}, o, passed, outside(br, q, vlan))
	}
}

func ports(n *state.Namespace, br *state.Link) (found []*state.Link) {
	for i := range n.Links {
		if n.Links[i].Master == br.Name {
			found = append(found, &n.Links[i])
		}
	}
	return found
}

// portTrouble is a port that takes no part in the traffic (spanning tree).
func portTrouble(at port) *Cause {
	if at.l.Port == nil || !at.l.Up || at.l.Port.State == "forwarding" || at.l.Port.State == "" {
		return nil
	}
	if !at.l.Carrier && at.l.Port.State == "disabled" {
		return nil // for want of carrier, which has its own cause
	}
	return cause("port-blocked", at.n, at.l, "the port %s in %s is %s, not forwarding", at.l.Name, at.n.Name, at.l.Port.State).
		proof(in(at.n, "bridge link show dev %s", at.l.Name)+": state "+at.l.Port.State).
		mend(ip(at.n, "link set %s type bridge stp_state 0", at.l.Master), in(at.n, "bridge link set dev %s state 3", at.l.Name))
}

// macvlan takes a frame of a macvlan to its siblings, by its mode, and out of its parent.
func (s *search) macvlan(at port, obstacle *Cause, bridges []port) {
	lower := s.below(at.l)
	if lower == nil {
		return
	}
	if at.l.Macvlan == "bridge" {
		for _, sibling := range s.above(*lower) {
			if sibling == at || sibling.l.Macvlan != "bridge" {
				continue
			}
			o := obstacle
			if o == nil && !sibling.l.Up {
				o = s.down(sibling)
			}
			s.receive(sibling, o, bridges, 0)
		}
	}
	s.seen[*lower] = true // the parent never hears its children
	s.send(*lower, obstacle, bridges, 0)
}

// tunnel takes a frame through a VXLAN tunnel: its underlay is diagnosed as itself.
func (s *search) tunnel(at port, obstacle *Cause, bridges []port) {
	v := at.l.VXLAN
	remotes := s.remotes(at)
	if len(remotes) == 0 {
		missing := cause("tunnel-remote-missing", at.n, at.l, "%s in %s knows no remote to send to", at.l.Name, at.n.Name).
			proof(ip(at.n, "-d link show dev %s", at.l.Name)+": no remote", in(at.n, "bridge fdb show dev %s", at.l.Name)+": no flooding entry")
		for _, far := range s.farEnds(at) {
			missing.mend(in(at.n, "bridge fdb append 00:00:00:00:00:00 dev %s dst %s", at.l.Name, s.underlay(far)))
		}
		s.farSide(at, missing, bridges)
		return
	}
	if s.tunnels == nested {
		return
	}
	for _, remote := range remotes {
		// A search without a packet asks who is there, not why somebody is not.
		under := &walk{state: s.state, query: s.query, owners: s.owners, children: s.children, tunnels: s.tunnels + 1, trial: s.trial || !s.p.dst.IsValid()}
		there, _, broken := under.travel(at.n, packet{dst: remote, src: v.Local, proto: "udp", dport: uint16(v.DstPort)})
		if broken != nil {
			s.farSide(at, broken, bridges)
			continue
		}
		s.decapsulate(at, there, obstacle, bridges)
	}
}

// nested is how many tunnels in each other are followed; one that leads through itself has no end.
const nested = 3

// remotes are where a VXLAN device sends what it floods: its own remote and the entries without a MAC; for an answer, what it has learned
// on the way there.
func (s *search) remotes(at port) (all []netip.Addr) {
	if at.l.VXLAN.Remote.IsValid() {
		all = append(all, at.l.VXLAN.Remote)
	}
	for _, e := range at.n.FDB {
		if e.Dev == at.l.Name && e.Dst.IsValid() && e.MAC == "00:00:00:00:00:00" && !slices.Contains(all, e.Dst) {
			all = append(all, e.Dst)
		}
	}
	if s.p.reply && at.l.VXLAN.Learning {
		for _, far := range s.farEnds(at) {
			if addr := s.underlay(far); addr.IsValid() && !slices.Contains(all, addr) {
				all = append(all, addr)
			}
		}
	}
	return all
}

// underlay is the address by which a tunnel's end is reached.
func (s *search) underlay(at port) netip.Addr {
	if at.l.VXLAN.Local.IsValid() {
		return at.l.VXLAN.Local
	}
	for _, l := range ordinary(at.n) {
		if l.Name == at.l.VXLAN.Dev {
			for _, a := range addresses(l, 4) {
				return a.Prefix.Addr()
			}
		}
	}
	for _, l := range ordinary(at.n) {
		if l == at.l || l.Master != "" {
			continue
		}
		for _, a := range addresses(l, 4) {
			if l.VXLAN == nil && l.Kind != "bridge" {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// farEnds are the other VXLAN devices with the same identifier.
func (s *search) farEnds(at port) (found []port) {
	for i := range s.state.Namespaces {
		n := &s.state.Namespaces[i]
		for j := range n.Links {
			l := &n.Links[j]
			if l.VXLAN != nil && l != at.l && l.VXLAN.ID == at.l.VXLAN.ID {
				found = append(found, port{n, l})
			}
		}
	}
	return found
}

// farSide goes on behind the far ends with an obstacle, so that who is there is known.
func (s *search) farSide(at port, obstacle *Cause, bridges []port) {
	for _, far := range s.farEnds(at) {
		s.receive(far, obstacle, bridges, 0)
	}
}

// decapsulate hands a frame to the VXLAN device of the far side.
func (s *search) decapsulate(at port, there *state.Namespace, obstacle *Cause, bridges []port) {
	v := at.l.VXLAN
	var misfit *port
	for i := range there.Links {
		l := &there.Links[i]
		if l.VXLAN == nil || l == at.l {
			continue
		}
		far := port{there, l}
		if l.VXLAN.ID == v.ID && l.VXLAN.DstPort == v.DstPort {
			if obstacle == nil && !l.Up {
				obstacle = s.down(far)
			}
			s.receive(far, obstacle, bridges, 0)
			return
		}
		if misfit == nil {
			misfit = &far
		}
	}
	if misfit == nil {
		return
	}
	name, what := "vni-mismatch", "VXLAN identifier"
	ours, theirs, option := v.ID, misfit.l.VXLAN.ID, "id"
	if theirs == ours {
		name, what, option = "tunnel-port-mismatch", "UDP port", "dstport"
		ours, theirs = v.DstPort, misfit.l.VXLAN.DstPort
	}
	c := cause(name, misfit.n, misfit.l, "%s in %s has the %s %d, %s in %s has %d", at.l.Name, at.n.Name, what, ours, misfit.l.Name, misfit.n.Name, theirs).
		proof(ip(at.n, "-d link show dev %s", at.l.Name)+": vxlan id "+itoa(v.ID)+" dstport "+itoa(v.DstPort),
			ip(misfit.n, "-d link show dev %s", misfit.l.Name)+": vxlan id "+itoa(misfit.l.VXLAN.ID)+" dstport "+itoa(misfit.l.VXLAN.DstPort))
	s.receive(*misfit, c.mend(rebuildVXLAN(*misfit, option, ours)...), bridges, 0)
}

// rebuildVXLAN are the commands that make a VXLAN device anew, since its identifier and port are for life.
func rebuildVXLAN(at port, option string, value int) []string {
	v := *at.l.VXLAN
	if option == "id" {
		v.ID = value
	} else {
		v.DstPort = value
	}
	add := ip(at.n, "link add %s type vxlan id %d dstport %d", at.l.Name, v.ID, v.DstPort)
	if v.Remote.IsValid() {
		add += " remote " + v.Remote.String()
	}
	if v.Local.IsValid() {
		add += " local " + v.Local.String()
	}
	if v.Dev != "" {
		add += " dev " + v.Dev
	}
	commands := []string{ip(at.n, "link del %s", at.l.Name), add}
	if at.l.Master != "" {
		commands = append(commands, ip(at.n, "link set %s master %s", at.l.Name, at.l.Master))
	}
	for _, a := range at.l.Addresses {
		if !a.Prefix.Addr().IsLinkLocalUnicast() {
			commands = append(commands, ip(at.n, "addr add %s dev %s%s", a.Prefix, at.l.Name, nodad(a.Prefix.Addr())))
		}
	}
	return append(commands, ip(at.n, "link set %s up", at.l.Name))
}
