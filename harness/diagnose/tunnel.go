package diagnose

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// tunnel takes a frame through a VXLAN tunnel: its underlay is diagnosed as itself.
func (s *search) tunnel(at port, obstacle *Cause, bridges []passage) {
	v := at.l.VXLAN
	remotes := s.remotes(at)
	if len(remotes) == 0 {
		missing := cause(causes.TunnelRemoteMissing, at.n, at.l, "%s in %s knows no remote to send to", at.l.Name,
			at.n.Name).
			proof(ip(at.n, "-d link show dev %s", at.l.Name)+": no remote",
				in(at.n, "bridge fdb show dev %s", at.l.Name)+": no flooding entry")
		for _, far := range s.farEnds(at) {
			missing.mend(s.floodTo(at, far))
		}
		s.farSide(at, cmp.Or(obstacle, missing), bridges)
		return
	}
	if s.tunnels == nested {
		return
	}
	for _, remote := range remotes {
		// A search without a packet asks who is there, not why somebody is not.
		under := &walk{state: s.state, query: s.query, owners: s.owners, children: s.children, tunnels: s.tunnels + 1,
			trial: true}
		if s.p.dst.IsValid() {
			under.trial, under.turns = s.trial, s.turns
		}
		outer := packet{dst: remote, src: v.Local, proto: "udp", dport: uint16(v.DstPort), yields: true}
		if s.p.size != 0 {
			outer.size = s.p.size + headers(remote)
		}
		if remote.IsMulticast() {
			s.group(at, under, outer, obstacle, bridges)
			continue
		}
		there, _, broken := under.travel(at.n, outer)
		s.share(under)
		if broken != nil {
			s.farSide(at, cmp.Or(obstacle, broken), bridges)
			continue
		}
		if there == nil { // the far end is out of sight
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

// leftOut takes the frame on to the far ends that flood to this one and that it does not flood to, as one that should
// have come there.
func (s *search) leftOut(at port, remotes []netip.Addr, obstacle *Cause, bridges []passage) {
	ours := s.underlay(at)
	for _, far := range s.farEnds(at) {
		theirs := s.underlay(far)
		if !theirs.IsValid() || slices.Contains(remotes, theirs) || !slices.Contains(flooded(far), ours) {
			continue
		}
		missing := cause(causes.TunnelRemoteMissing, at.n, at.l,
			"%s in %s sends to others and not to %s, the end of the tunnel in %s", at.l.Name, at.n.Name, theirs,
			far.n.Name).
			proof(in(at.n, "bridge fdb show dev %s", at.l.Name) + ": no flooding entry for " + theirs.String()).mend(
			s.floodTo(at, far))
		s.receive(far, cmp.Or(obstacle, missing), bridges, 0)
	}
}

func (s *search) floodTo(at, far port) string {
	return in(at.n, "bridge fdb append 00:00:00:00:00:00 dev %s dst %s", at.l.Name, s.underlay(far))
}

// flooded are the remotes of a VXLAN device for all that nobody has told it about.
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

// headers is the size of what a tunnel puts around a packet: Ethernet, VXLAN, UDP, and IP of the remote's family.
func headers(remote netip.Addr) int {
	if remote.Is4() {
		return 50
	}
	return 70
}

// tooBigFor judges a packet that with the headers of a tunnel does not fit the link below it (skb_tunnel_check_pmtu):
// only farther on, the tunnel's own packets may be fragmented.
func (s *search) tooBigFor(at port, outer packet, lower *state.Link) *Cause {
	if s.p.reply || lower == nil || outer.size <= lower.MTU {
		return nil
	}
	c := cause(causes.MTUExceeded, at.n, lower,
		"a packet of %d bytes that must not be fragmented goes into the tunnel %s in %s, and with its headers of %d "+
			"bytes it does not fit %s below it (MTU %d)",
		s.p.size, at.l.Name, at.n.Name, headers(outer.dst), lower.Name, lower.MTU).
		proof(linkShown(at.n, at.l), linkShown(at.n, lower)).mend(ip(at.n, "link set %s mtu %d", lower.Name,
		outer.size))
	if from := s.state.Namespace(s.query.From); from != nil { // it has learned the small size
		c.mend(forget(from, s.p.family()))
	}
	return c
}

// group takes a frame to all who hear a multicast group: those on the segment of the lower link. No route is asked
// (ip_route_output_key_hash_rcu).
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
	outer.size = min(outer.size, lower.MTU) // what is larger goes in fragments
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

// share takes over what is not known of the way below: the packet depends on it too. A search without a packet depends
// on nothing.
func (s *search) share(under *walk) {
	if s.p.dst.IsValid() {
		for _, d := range under.doubts {
			s.doubt("%s", d)
		}
	}
}

// nested is how many tunnels in each other are followed; one that leads through itself has no end.
const nested = 3

// remotes are where a VXLAN device sends a frame: its own remote and the entries without a MAC, by which it floods; the
// entries of those whose MAC address the sender need not ask for; for an answer, what it has learned on the way there.
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

// knows says whether the sender has been told that somebody has a MAC address: then it sends there without asking.
func (s *search) knows(mac string) bool {
	return slices.ContainsFunc(s.start.n.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == s.start.l.Name && e.State == "permanent" && strings.EqualFold(e.MAC, mac)
	})
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
func (s *search) farSide(at port, obstacle *Cause, bridges []passage) {
	for _, far := range s.farEnds(at) {
		s.receive(far, obstacle, bridges, 0)
	}
}

// decapsulate hands a frame to the VXLAN device of the far side, or to those that are not for it, which is then an
// obstacle.
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
	slices.SortStableFunc(others, func(a, b port) int { // the same identifier is more alike
		return boolOrder(a.l.VXLAN.ID != at.l.VXLAN.ID) - boolOrder(b.l.VXLAN.ID != at.l.VXLAN.ID)
	})
	for _, other := range others {
		s.receive(other, cmp.Or(obstacle, misfit(at, other)), bridges, 0)
	}
}

// misfit is that two ends of a tunnel do not have the same identifier, or not the same port.
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
		mend(rebuildVXLAN(far, option, ours)...)
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
