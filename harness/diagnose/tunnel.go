package diagnose

import (
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// tunnel takes a frame through a VXLAN tunnel: its underlay is diagnosed as itself.
func (s *search) tunnel(at port, obstacle *Cause, bridges []passage) {
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
		if there == nil { // the far end is out of sight
			if obstacle == nil {
				s.beyond = append(s.beyond, at)
			}
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
func (s *search) farSide(at port, obstacle *Cause, bridges []passage) {
	for _, far := range s.farEnds(at) {
		s.receive(far, obstacle, bridges, 0)
	}
}

// decapsulate hands a frame to the VXLAN device of the far side.
func (s *search) decapsulate(at port, there *state.Namespace, obstacle *Cause, bridges []passage) {
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
