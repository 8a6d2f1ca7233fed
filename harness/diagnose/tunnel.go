package diagnose

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// tunnel takes a frame through a VXLAN tunnel: vxlan_xmit(), drivers/net/vxlan/vxlan_core.c. The encapsulated packet is
// walked through the underlay like any other.
func (s *search) tunnel(at port, obstacle *Cause, bridges []passage) {
	// The remotes, from the forwarding database: vxlan_find_mac(), drivers/net/vxlan/vxlan_core.c.
	v := at.l.VXLAN
	remotes := s.remotes(at)
	if len(remotes) == 0 {
		missing := cause(causes.TunnelRemoteMissing, at.n, at.l, "%s in %s has no remote to send to", at.l.Name,
			at.n.Name).
			proof(ip(at.n, "-d link show dev %s", at.l.Name)+": no remote",
				in(at.n, "bridge fdb show dev %s", at.l.Name)+": no flooding entry")
		for _, far := range s.farEnds(at) {
			missing.fix(s.floodTo(at, far))
		}
		s.farSide(at, cmp.Or(obstacle, missing), bridges)
		return
	}
	if s.tunnels == nested {
		return
	}
	for _, remote := range remotes {
		// A search without a packet asks for the links there, not for causes.
		under := &walk{state: s.state, query: s.query, owners: s.owners, children: s.children, tunnels: s.tunnels + 1,
			trial: true}
		if s.p.dst.IsValid() {
			under.trial, under.turns = s.trial, s.turns
		}
		// Encapsulation: vxlan_xmit_one(), drivers/net/vxlan/vxlan_core.c, one packet for each remote.
		outer := packet{dst: remote, src: v.Local, proto: "udp", dport: uint16(v.DstPort), yields: true}
		if s.p.size != 0 {
			outer.size = s.p.size + headers(remote)
		}
		if remote.IsMulticast() {
			s.group(at, under, outer, obstacle, bridges)
			continue
		}
		// Through the underlay to the remote's VXLAN device: vxlan_rcv(), drivers/net/vxlan/vxlan_core.c.
		there, _, broken := under.travel(at.n, outer)
		s.share(under)
		if broken != nil {
			s.farSide(at, cmp.Or(obstacle, s.toNobody(at, remotes, remote), broken), bridges)
			continue
		}
		if there == nil { // the far end is outside the state
			if obstacle == nil {
				s.beyond = append(s.beyond, at)
			}
			continue
		}
		var lower *state.Link
		if len(under.stations) > 0 {
			lower = under.stations[0].d.dev(at.n)
		}
		s.decapsulate(at, there, cmp.Or(obstacle, s.tooBigFor(at, outer, lower)), bridges)
	}
	if s.p.dst.IsValid() {
		s.leftOut(at, remotes, obstacle, bridges)
	}
}

// leftOut takes the frame on to the far ends that this one does not flood to although they flood to it: they should
// have received it.
func (s *search) leftOut(at port, remotes []netip.Addr, obstacle *Cause, bridges []passage) {
	ours := s.underlay(at)
	for _, far := range s.farEnds(at) {
		theirs := s.underlay(far)
		if !theirs.IsValid() || slices.Contains(remotes, theirs) || !slices.Contains(flooded(far), ours) {
			continue
		}
		s.receive(far, cmp.Or(obstacle, s.elsewhere(at, far)), bridges, 0)
	}
}

// toNobody is the cause for a remote that is nobody's address, while an end of the tunnel that floods to this one is at
// another address; nil otherwise.
func (s *search) toNobody(at port, remotes []netip.Addr, remote netip.Addr) *Cause {
	if len(s.owned(remote)) > 0 {
		return nil
	}
	ours := s.underlay(at)
	for _, far := range s.farEnds(at) {
		if theirs := s.underlay(far); theirs.IsValid() && !slices.Contains(remotes, theirs) &&
			slices.Contains(flooded(far), ours) {
			return s.elsewhere(at, far)
		}
	}
	return nil
}

// elsewhere is the cause for a VXLAN device that does not flood to another one.
func (s *search) elsewhere(at, far port) *Cause {
	theirs := s.underlay(far)
	return cause(causes.TunnelRemoteMissing, at.n, at.l,
		"%s in %s sends to other remotes but not to %s, the end of the tunnel in %s", at.l.Name, at.n.Name, theirs,
		far.n.Name).
		proof(in(at.n, "bridge fdb show dev %s", at.l.Name) + ": no flooding entry for " + theirs.String()).fix(
		s.floodTo(at, far))
}

// floodTo is the command that makes a VXLAN device flood to another one: in place of its remote, if no end of the
// tunnel is there.
func (s *search) floodTo(at, far port) string {
	if remote := at.l.VXLAN.Remote; remote.IsValid() && !remote.IsMulticast() &&
		!slices.ContainsFunc(s.farEnds(at), func(end port) bool { return s.underlay(end) == remote }) {
		return ip(at.n, "link set %s type vxlan remote %s", at.l.Name, s.underlay(far))
	}
	return in(at.n, "bridge fdb append 00:00:00:00:00:00 dev %s dst %s", at.l.Name, s.underlay(far))
}

// flooded are the remotes to which a VXLAN device sends frames for unknown MAC addresses.
func flooded(at port) (all []netip.Addr) {
	if at.l.VXLAN.Remote.IsValid() {
		all = append(all, at.l.VXLAN.Remote)
	}
	for _, e := range at.n.FDB {
		if e.Dev == at.l.Name && e.Dst.IsValid() && e.MAC == "00:00:00:00:00:00" {
			all = append(all, e.Dst)
		}
	}
	return all
}

// headers is the size in bytes of a tunnel's encapsulation: Ethernet, VXLAN, UDP, and IP of the remote's family.
func headers(remote netip.Addr) int {
	if remote.Is4() {
		return 50
	}
	return 70
}

// tooBigFor is the cause for a packet that with the headers of a tunnel does not fit the link below it
// (skb_tunnel_check_pmtu(), net/ipv4/ip_tunnel_core.c). Beyond that link, the tunnel's packets may be fragmented.
func (s *search) tooBigFor(at port, outer packet, lower *state.Link) *Cause {
	if s.p.reply || lower == nil || outer.size <= lower.MTU {
		return nil
	}
	c := cause(causes.MTUExceeded, at.n, lower,
		"a packet of %d bytes that must not be fragmented goes into the tunnel %s in %s, and with its headers of %d "+
			"bytes it does not fit %s below it (MTU %d)",
		s.p.size, at.l.Name, at.n.Name, headers(outer.dst), lower.Name, lower.MTU).
		proof(linkShown(at.n, at.l), linkShown(at.n, lower)).fix(ip(at.n, "link set %s mtu %d", lower.Name,
		outer.size))
	if from := s.state.Namespace(s.query.From); from != nil { // it has cached the smaller MTU
		c.fix(forget(from, s.p.family()))
	}
	return c
}

// group takes a frame to the members of a multicast group on the segment of the lower link. There is no route lookup:
// the link is given (ip_route_output_key_hash_rcu(), net/ipv4/route.c).
func (s *search) group(at port, under *walk, outer packet, obstacle *Cause, bridges []passage) {
	lower := at.n.Link(at.l.VXLAN.Dev)
	if lower == nil {
		return
	}
	if !lower.Up {
		down := cause(causes.LinkDown, at.n, lower, "%s, by which the tunnel %s in %s sends, is administratively down",
			lower.Name, at.l.Name, at.n.Name).
			proof(linkShown(at.n, lower)).setUp(port{at.n, lower})
		s.farSide(at, cmp.Or(obstacle, down), bridges)
		return
	}
	if !outer.src.IsValid() {
		outer.src = firstAddress(lower, outer.family())
	}
	tooBig := s.tooBigFor(at, outer, lower)
	outer.size = min(outer.size, lower.MTU) // larger packets are fragmented
	broken := under.hook(at.n, "output", causes.FilterOutput, &outer, nil, lower)
	for _, heard := range under.segment(port{at.n, lower}, outer) {
		joined := func(l state.Link) bool {
			return l.VXLAN != nil && l.VXLAN.Dev == heard.l.Name && l.VXLAN.Remote == outer.dst
		}
		if !slices.ContainsFunc(heard.n.Links, joined) {
			continue
		}
		o := cmp.Or(obstacle, broken, tooBig, heard.obstacle)
		if o == nil {
			o = under.hook(heard.n, "input", causes.FilterInput, &outer, heard.l, nil)
		}
		s.decapsulate(at, heard.n, o, bridges)
	}
	s.share(under)
	if len(under.beyond) > 0 && obstacle == nil {
		s.beyond = append(s.beyond, at)
	}
}

// share takes over the doubts of the underlay, on which the packet depends too. A search without a packet depends on
// none.
func (s *search) share(under *walk) {
	if s.p.dst.IsValid() {
		for _, d := range under.doubts {
			s.doubt("%s", d)
		}
	}
}

// nested is the maximum number of nested tunnels that are followed: a tunnel through itself would have no end.
const nested = 3

// remotes are the addresses a VXLAN device sends a frame to: its default remote and the flooding entries, of the
// all-zero MAC address; the entries for MAC addresses that the sender has permanent neighbour entries for; for a reply,
// what the device has learned from the first packet.
func (s *search) remotes(at port) (all []netip.Addr) {
	if at.l.VXLAN.Remote.IsValid() {
		all = append(all, at.l.VXLAN.Remote)
	}
	for _, e := range at.n.FDB {
		if e.Dev == at.l.Name && e.Dst.IsValid() && (e.MAC == "00:00:00:00:00:00" || s.knows(e.MAC)) &&
			!slices.Contains(all, e.Dst) {
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

// knows reports whether the sender has a permanent neighbour entry with a MAC address: it sends there without a
// request.
func (s *search) knows(mac string) bool {
	return slices.ContainsFunc(s.start.n.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == s.start.l.Name && e.State == "permanent" && strings.EqualFold(e.MAC, mac)
	})
}

// underlay is the address of a VXLAN device in the underlay: its local one, or one of the link below it.
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

// farSide goes on beyond the far ends with an obstacle, so that the links there are known.
func (s *search) farSide(at port, obstacle *Cause, bridges []passage) {
	for _, far := range s.farEnds(at) {
		s.receive(far, obstacle, bridges, 0)
	}
}

// decapsulate hands a frame to the VXLAN device of its port and identifier on the far side (vxlan_rcv(),
// drivers/net/vxlan/vxlan_core.c), or else to the other ones there with an obstacle.
func (s *search) decapsulate(at port, there *state.Namespace, obstacle *Cause, bridges []passage) {
	var others []port
	for i := range there.Links {
		l := &there.Links[i]
		if l.VXLAN == nil || l == at.l {
			continue
		}
		far := port{there, l}
		if l.VXLAN.ID == at.l.VXLAN.ID && l.VXLAN.DstPort == at.l.VXLAN.DstPort {
			if obstacle == nil && !l.Up {
				obstacle = s.down(far)
			}
			s.receive(far, obstacle, bridges, 0)
			return
		}
		others = append(others, far)
	}
	slices.SortStableFunc(others, func(a, b port) int { // those with the same identifier first
		return boolOrder(a.l.VXLAN.ID != at.l.VXLAN.ID) - boolOrder(b.l.VXLAN.ID != at.l.VXLAN.ID)
	})
	for _, other := range others {
		s.receive(other, cmp.Or(obstacle, misfit(at, other)), bridges, 0)
	}
}

// misfit is the cause for two ends of a tunnel with different identifiers or UDP ports.
func misfit(at, far port) *Cause {
	v, other := at.l.VXLAN, far.l.VXLAN
	name, what, option, ours, theirs := causes.VNIMismatch, "VXLAN identifier", "id", v.ID, other.ID
	if theirs == ours {
		name, what, option, ours, theirs = causes.TunnelPortMismatch, "UDP port", "dstport", v.DstPort, other.DstPort
	}
	return cause(name, far.n, far.l, "%s in %s has the %s %d, %s in %s has %d", at.l.Name, at.n.Name, what, ours,
		far.l.Name, far.n.Name, theirs).
		proof(ip(at.n, "-d link show dev %s", at.l.Name)+": vxlan id "+itoa(v.ID)+" dstport "+itoa(v.DstPort),
			ip(far.n, "-d link show dev %s", far.l.Name)+": vxlan id "+itoa(other.ID)+" dstport "+itoa(other.DstPort)).
		fix(rebuildVXLAN(far, option, ours)...)
}

// rebuildVXLAN are the commands that recreate a VXLAN device, whose identifier and port cannot be changed
// (vxlan_changelink(), drivers/net/vxlan/vxlan_core.c), with all that it had: what was set of it, its addresses and the
// routes out of it.
func rebuildVXLAN(at port, option string, value int) []string {
	v := *at.l.VXLAN
	if option == "id" {
		v.ID = value
	} else {
		v.DstPort = value
	}
	own := ""
	if !at.l.MACRandom && at.l.MAC != "" {
		own += " address " + at.l.MAC
	}
	if at.l.MTU != usualMTU(at) {
		own += " mtu " + itoa(at.l.MTU)
	}
	add := ip(at.n, "link add %s%s type vxlan id %d dstport %d", at.l.Name, own, v.ID, v.DstPort)
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
	commands = append(commands, ip(at.n, "link set %s up", at.l.Name))
	for _, r := range at.n.Routes {
		if r.Proto != "kernel" && len(r.Nexthops) == 1 && r.Nexthops[0].Dev == at.l.Name {
			r.Nexthops = []state.Nexthop{{Via: r.Nexthops[0].Via, Dev: at.l.Name}}
			commands = append(commands, ip(at.n, "%sroute add %s", six(r.Family), state.RouteText(r)))
		}
	}
	return commands
}

// usualMTU is the MTU that a VXLAN device has unless another one is set (vxlan_config_apply(),
// drivers/net/vxlan/vxlan_core.c).
func usualMTU(at port) int {
	lower := at.n.Link(at.l.VXLAN.Dev)
	if at.l.VXLAN.Dev == "" || lower == nil {
		return 1500
	}
	return lower.MTU - headers(cmp.Or(at.l.VXLAN.Remote, at.l.VXLAN.Local, netip.IPv4Unspecified()))
}
