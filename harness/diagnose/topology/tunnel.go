package topology

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// tunnel takes a frame through a VXLAN tunnel: vxlan_xmit(), drivers/net/vxlan/vxlan_core.c. The encapsulated packet is
// walked through the underlay like any other.
func (s *search) tunnel(at facts.Port, obstacle *finding.Cause, bridges []Passage) {
	// The remotes, from the forwarding database: vxlan_find_mac(), drivers/net/vxlan/vxlan_core.c.
	v := at.L.VXLAN
	remotes := s.remotes(at)
	if len(remotes) == 0 {
		missing := finding.New(causes.TunnelRemoteMissing, at.N, at.L, "%s in %s has no remote to send to", at.L.Name,
			at.N.Name).
			Proof(words.IP(at.N, "-d link show dev %s", at.L.Name)+": no remote",
				words.In(at.N, "bridge fdb show dev %s", at.L.Name)+": no flooding entry")
		for _, far := range s.FarEnds(at) {
			missing.Fix(s.floodTo(at, far))
		}
		s.farSide(at, cmp.Or(obstacle, missing), bridges)
		return
	}
	if s.under == nil {
		return
	}
	for _, remote := range remotes {
		// Encapsulation: vxlan_xmit_one(), drivers/net/vxlan/vxlan_core.c, one packet for each remote.
		outer := packet.Packet{Dst: remote, Src: v.Local, Proto: "udp", Dport: uint16(v.DstPort),
			Yields: s.fragments(at, remote)}
		if s.frame.P.Size != 0 {
			outer.Size = s.frame.P.Size + headers(remote)
		}
		if remote.IsMulticast() {
			s.group(at, outer, obstacle, bridges)
			continue
		}
		// Through the underlay to the remote's VXLAN device: vxlan_rcv(), drivers/net/vxlan/vxlan_core.c.
		got := s.under.Carry(at.N, outer)
		s.share(got.Doubts)
		if tooBig := s.tooBigFor(at, outer, got.By); tooBig != nil {
			got.Obstacle = tooBig
		}
		switch {
		case got.Obstacle != nil:
			s.farSide(at, cmp.Or(obstacle, s.toNobody(at, remotes, remote), got.Obstacle), bridges)
		case got.To != nil:
			s.decapsulate(at, got.To, obstacle, bridges)
		case obstacle == nil: // the far end is outside the state
			s.beyond = append(s.beyond, at)
		}
	}
	if !s.frame.empty() {
		s.leftOut(at, remotes, obstacle, bridges)
	}
}

// leftOut takes the frame on to the far ends that this one does not flood to although they flood to it: they should
// have received it.
func (s *search) leftOut(at facts.Port, remotes []netip.Addr, obstacle *finding.Cause, bridges []Passage) {
	ours := s.underlay(at)
	for _, far := range s.FarEnds(at) {
		theirs := s.underlay(far)
		if !theirs.IsValid() || slices.Contains(remotes, theirs) || !slices.Contains(flooded(far), ours) {
			continue
		}
		s.receive(far, cmp.Or(obstacle, s.elsewhere(at, far)), bridges, 0)
	}
}

// toNobody is the cause for a remote that is nobody's address, while an end of the tunnel that floods to this one is at
// another address; nil otherwise.
func (s *search) toNobody(at facts.Port, remotes []netip.Addr, remote netip.Addr) *finding.Cause {
	if len(s.Owned(remote)) > 0 {
		return nil
	}
	ours := s.underlay(at)
	for _, far := range s.FarEnds(at) {
		if theirs := s.underlay(far); theirs.IsValid() && !slices.Contains(remotes, theirs) &&
			slices.Contains(flooded(far), ours) {
			return s.elsewhere(at, far)
		}
	}
	return nil
}

// elsewhere is the cause for a VXLAN device that does not flood to another one.
func (s *search) elsewhere(at, far facts.Port) *finding.Cause {
	theirs := s.underlay(far)
	return finding.New(causes.TunnelRemoteMissing, at.N, at.L,
		"%s in %s sends to other remotes but not to %s, the end of the tunnel in %s", at.L.Name, at.N.Name, theirs,
		far.N.Name).
		Proof(words.In(at.N, "bridge fdb show dev %s", at.L.Name) + ": no flooding entry for " + theirs.String()).Fix(
		s.floodTo(at, far))
}

// floodTo is the command that makes a VXLAN device flood to another one: in place of its remote, if no end of the
// tunnel is there.
func (s *search) floodTo(at, far facts.Port) string {
	if remote := at.L.VXLAN.Remote; remote.IsValid() && !remote.IsMulticast() &&
		!slices.ContainsFunc(s.FarEnds(at), func(end facts.Port) bool { return s.underlay(end) == remote }) {
		return words.IP(at.N, "link set %s type vxlan remote %s", at.L.Name, s.underlay(far))
	}
	return words.In(at.N, "bridge fdb append 00:00:00:00:00:00 dev %s dst %s", at.L.Name, s.underlay(far))
}

// flooded are the remotes to which a VXLAN device sends frames for unknown MAC addresses.
func flooded(at facts.Port) (all []netip.Addr) {
	if at.L.VXLAN.Remote.IsValid() {
		all = append(all, at.L.VXLAN.Remote)
	}
	for _, e := range at.N.FDB {
		if e.Dev == at.L.Name && e.Dst.IsValid() && e.MAC == "00:00:00:00:00:00" {
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

// headersOf is headers for a tunnel whatever its remote is.
func headersOf(v *state.VXLAN) int {
	return headers(cmp.Or(v.Remote, v.Local, netip.IPv4Unspecified()))
}

// fragments reports whether the packets of a tunnel to a remote are fragmented where they are too large: only over
// IPv4, and unless they must not be (vxlan_xmit_one(), drivers/net/vxlan/vxlan_core.c). What inherits its flag has that
// of the packet inside.
func (s *search) fragments(at facts.Port, remote netip.Addr) bool {
	df := at.L.VXLAN.DF
	return remote.Is4() && (df == "" || df == "inherit" && s.frame.P.Family() == 4 && s.yields())
}

// yields reports whether the packet itself may be fragmented, as a reply may.
func (s *search) yields() bool { return s.frame.P.Yields || s.frame.P.Reply }

// tooBigFor is the cause for a packet that with the headers of a tunnel does not fit the link below it. Beyond that
// link, the tunnel's packets may be fragmented.
func (s *search) tooBigFor(at facts.Port, outer packet.Packet, lower *state.Link) *finding.Cause {
	if lower == nil || outer.Size <= lower.MTU {
		return nil
	}
	// The sender is told, or asks the route, which knows it from the first such packet on: skb_tunnel_check_pmtu(),
	// net/ipv4/ip_tunnel_core.c. A router that forwards IPv4 asks neither, and nor does it tell.
	p, master := s.frame.P, at.N.Link(at.L.Master)
	local := p.Reply && s.IsOwn(at.N, p.Src) || !p.Reply && s.frame.Sender == at.N
	bridged := master != nil && master.Kind == "bridge"
	told := p.Family() == 6 || local || bridged && !s.yields()
	if outer.Yields && !told || s.yields() && (outer.Yields || told) {
		return nil // in fragments: of the tunnel's packet, or as the sender makes them
	}
	name, end := causes.MTUExceeded, ""
	if !told {
		name, end = causes.MTUBlackHole, "; it is dropped, and the sender is not told"
	}
	kind := " that must not be fragmented"
	if s.yields() {
		kind = ""
	}
	return finding.New(name, at.N, lower,
		"a packet of %d bytes%s goes into the tunnel %s in %s, and with its headers of %d bytes it does not fit %s "+
			"below it (MTU %d)%s",
		p.Size, kind, at.L.Name, at.N.Name, headers(outer.Dst), lower.Name, lower.MTU, end).
		Proof(words.LinkShown(at.N, at.L), words.LinkShown(at.N, lower)).
		Advise(smaller(s.start, lower.MTU-headers(outer.Dst)))
}

// group takes a frame to the members of a multicast group on the segment of the lower link. There is no route lookup:
// the link is given (ip_route_output_key_hash_rcu(), net/ipv4/route.c).
func (s *search) group(at facts.Port, outer packet.Packet, obstacle *finding.Cause, bridges []Passage) {
	lower := at.N.Link(at.L.VXLAN.Dev)
	if lower == nil {
		return
	}
	if !lower.Up {
		down := finding.New(causes.LinkDown, at.N, lower,
			"%s, by which the tunnel %s in %s sends, is administratively down",
			lower.Name, at.L.Name, at.N.Name).
			Proof(words.LinkShown(at.N, lower)).SetUp(facts.At(at.N, lower))
		s.farSide(at, cmp.Or(obstacle, down), bridges)
		return
	}
	if !outer.Src.IsValid() {
		outer.Src = facts.FirstAddress(lower, outer.Family())
	}
	tooBig := s.tooBigFor(at, outer, lower)
	outer.Size = min(outer.Size, lower.MTU) // larger packets are fragmented
	got := s.under.Spread(facts.At(at.N, lower), outer, func(heard facts.Port) bool {
		return slices.ContainsFunc(heard.N.Links, func(l state.Link) bool {
			return l.VXLAN != nil && l.VXLAN.Dev == heard.L.Name && l.VXLAN.Remote == outer.Dst
		})
	})
	s.share(got.Doubts)
	for _, heard := range got.Arrivals {
		s.decapsulate(at, heard.N, cmp.Or(obstacle, got.Broken, tooBig, heard.Obstacle), bridges)
	}
	if got.Beyond && obstacle == nil {
		s.beyond = append(s.beyond, at)
	}
}

// share takes over the doubts of the underlay, on which the packet depends too. A search without a packet depends on
// none.
func (s *search) share(doubts []string) {
	if !s.frame.empty() {
		s.doubts = append(s.doubts, doubts...)
	}
}

// remotes are the addresses a VXLAN device sends a frame to: its default remote and the flooding entries, of the
// all-zero MAC address; the entries for MAC addresses that the sender has permanent neighbour entries for; for a reply,
// what the device has learned from the first packet.
func (s *search) remotes(at facts.Port) (all []netip.Addr) {
	if at.L.VXLAN.Remote.IsValid() {
		all = append(all, at.L.VXLAN.Remote)
	}
	for _, e := range at.N.FDB {
		if e.Dev == at.L.Name && e.Dst.IsValid() && (e.MAC == "00:00:00:00:00:00" || s.knows(e.MAC)) &&
			!slices.Contains(all, e.Dst) {
			all = append(all, e.Dst)
		}
	}
	if s.frame.P.Reply && at.L.VXLAN.Learning {
		for _, far := range s.FarEnds(at) {
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
	return slices.ContainsFunc(s.start.N.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == s.start.L.Name && e.State == "permanent" && strings.EqualFold(e.MAC, mac)
	})
}

// underlay is the address of a VXLAN device in the underlay: its local one, or one of the link below it.
func (s *search) underlay(at facts.Port) netip.Addr {
	if at.L.VXLAN.Local.IsValid() {
		return at.L.VXLAN.Local
	}
	for _, l := range facts.Ordinary(at.N) {
		if l.Name == at.L.VXLAN.Dev {
			for _, a := range facts.Addresses(l, 4) {
				return a.Prefix.Addr()
			}
		}
	}
	for _, l := range facts.Ordinary(at.N) {
		if l == at.L || l.Master != "" {
			continue
		}
		for _, a := range facts.Addresses(l, 4) {
			if l.VXLAN == nil && l.Kind != "bridge" {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// farSide goes on beyond the far ends with an obstacle, so that the links there are known.
func (s *search) farSide(at facts.Port, obstacle *finding.Cause, bridges []Passage) {
	for _, far := range s.FarEnds(at) {
		s.receive(far, obstacle, bridges, 0)
	}
}

// decapsulate hands a frame to the VXLAN device of its port and identifier on the far side (vxlan_rcv(),
// drivers/net/vxlan/vxlan_core.c), or else to the other ones there with an obstacle.
func (s *search) decapsulate(at facts.Port, there *state.Namespace, obstacle *finding.Cause, bridges []Passage) {
	var others []facts.Port
	for i := range there.Links {
		l := &there.Links[i]
		if l.VXLAN == nil || l == at.L {
			continue
		}
		far := facts.At(there, l)
		if l.VXLAN.ID == at.L.VXLAN.ID && l.VXLAN.DstPort == at.L.VXLAN.DstPort {
			if obstacle == nil && !l.Up {
				obstacle = Down(far)
			}
			s.receive(far, obstacle, bridges, 0)
			return
		}
		others = append(others, far)
	}
	slices.SortStableFunc(others, func(a, b facts.Port) int { // those with the same identifier first
		return boolOrder(a.L.VXLAN.ID != at.L.VXLAN.ID) - boolOrder(b.L.VXLAN.ID != at.L.VXLAN.ID)
	})
	for _, other := range others {
		s.receive(other, cmp.Or(obstacle, misfit(at, other)), bridges, 0)
	}
}

// misfit is the cause for two ends of a tunnel with different identifiers or UDP ports.
func misfit(at, far facts.Port) *finding.Cause {
	v, other := at.L.VXLAN, far.L.VXLAN
	name, what, option, ours, theirs := causes.VNIMismatch, "VXLAN identifier", "id", v.ID, other.ID
	if theirs == ours {
		name, what, option, ours, theirs = causes.TunnelPortMismatch, "UDP port", "dstport", v.DstPort, other.DstPort
	}
	return finding.New(name, far.N, far.L, "%s in %s has the %s %d, %s in %s has %d", at.L.Name, at.N.Name, what, ours,
		far.L.Name, far.N.Name, theirs).
		Proof(words.IP(at.N, "-d link show dev %s",
			at.L.Name)+": vxlan id "+strconv.Itoa(v.ID)+" dstport "+strconv.Itoa(v.DstPort),
			words.IP(far.N, "-d link show dev %s",
				far.L.Name)+": vxlan id "+strconv.Itoa(other.ID)+" dstport "+strconv.Itoa(other.DstPort)).
		Fix(rebuildVXLAN(far, option, ours)...)
}

// rebuildVXLAN are the commands that recreate a VXLAN device, whose identifier and port cannot be changed
// (vxlan_changelink(), drivers/net/vxlan/vxlan_core.c), with all that it had: what was set of it, its addresses and the
// routes out of it.
func rebuildVXLAN(at facts.Port, option string, value int) []string {
	v := *at.L.VXLAN
	if option == "id" {
		v.ID = value
	} else {
		v.DstPort = value
	}
	own := ""
	if !at.L.MACRandom && at.L.MAC != "" {
		own += " address " + at.L.MAC
	}
	if at.L.MTU != usualMTU(at) {
		own += " mtu " + strconv.Itoa(at.L.MTU)
	}
	add := words.IP(at.N, "link add %s%s type vxlan id %d dstport %d", at.L.Name, own, v.ID, v.DstPort)
	if v.Remote.IsValid() {
		add += " remote " + v.Remote.String()
	}
	if v.Local.IsValid() {
		add += " local " + v.Local.String()
	}
	if v.Dev != "" {
		add += " dev " + v.Dev
	}
	commands := []string{words.IP(at.N, "link del %s", at.L.Name), add}
	if at.L.Master != "" {
		commands = append(commands, words.IP(at.N, "link set %s master %s", at.L.Name, at.L.Master))
	}
	for _, a := range at.L.Addresses {
		if !a.Prefix.Addr().IsLinkLocalUnicast() {
			commands = append(commands, words.IP(at.N, "addr add %s dev %s%s", a.Prefix, at.L.Name,
				words.Nodad(a.Prefix.Addr())))
		}
	}
	commands = append(commands, words.IP(at.N, "link set %s up", at.L.Name))
	for _, r := range at.N.Routes {
		if r.Proto != "kernel" && len(r.Nexthops) == 1 && r.Nexthops[0].Dev == at.L.Name {
			r.Nexthops = []state.Nexthop{{Via: r.Nexthops[0].Via, Dev: at.L.Name}}
			commands = append(commands, words.IP(at.N, "%sroute add %s", words.Six(r.Family), state.RouteText(r)))
		}
	}
	return commands
}

// usualMTU is the MTU that a VXLAN device has unless another one is set (vxlan_config_apply(),
// drivers/net/vxlan/vxlan_core.c).
func usualMTU(at facts.Port) int {
	lower := at.N.Link(at.L.VXLAN.Dev)
	if at.L.VXLAN.Dev == "" || lower == nil {
		return 1500
	}
	return lower.MTU - headersOf(at.L.VXLAN)
}
