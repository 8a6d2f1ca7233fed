package claim

import "netnscheck/harness/state"

// Carrier is `X` in `N` has carrier, has no carrier.
type Carrier struct {
	Iface
	Has bool
}

func init() {
	add(Entry{
		Place: 50,
		Means: "carrier means up and IFLA_CARRIER 1",
		Forms: []Form{
			says("`X` in `N` has carrier", func(a arguments) Claim { return Carrier{Iface: a.iface(0), Has: true} }),
			denies("`X` in `N` has no carrier", func(a arguments) Claim { return Carrier{Iface: a.iface(0)} }),
		},
	})
}

func (c Carrier) Sentence() string { return c.in() + either(c.Has, " has carrier", " has no carrier") }

func (c Carrier) Needs() Needs { return stateOnly() }

func (c Carrier) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		return finding((l.Up && l.Carrier) == c.Has, carrierWords(l))
	})
}

func carrierWords(l *state.Link) string {
	switch {
	case !l.Up:
		return "it is down"
	case l.Carrier:
		return "it is up with carrier"
	}
	return "it is up without carrier"
}

func (c Carrier) unsettledBy(_ *state.State, p state.Pending) bool {
	return p.Kind == state.PendingCarrier || p.Kind == state.PendingPort // which gives a bridge its carrier
}

func (c Carrier) Mutants() Mutants {
	if c.Has {
		return Mutants{Own: []Way{by(in(c.Netns, "link set %s down", c.Name))}}
	}
	return Mutants{
		Own: []Way{{Name: "carrier restored", Commands: func(s *state.State) []string { return signal(s, c.Iface) }}},
	}
}

// signal gives a link carrier: it sets the link and its peer up, and adds a port to a bridge.
func signal(s *state.State, i Iface) []string {
	n := s.Namespace(i.Netns)
	if n == nil || n.Link(i.Name) == nil {
		return nil
	}
	l := n.Link(i.Name)
	lines := []string{in(i.Netns, "link set %s up", i.Name)}
	if l.Kind == "bridge" {
		return append(
			lines,
			in(i.Netns, "link add extra0 type veth peer name extra1"),
			in(i.Netns, "link set extra0 master %s", i.Name),
			in(i.Netns, "link set extra0 up"),
			in(i.Netns, "link set extra1 up"),
		)
	}
	if l.Peer != nil && l.Peer.Name != "" {
		lines = append(lines, in(l.Peer.Netns, "link set %s up", l.Peer.Name))
	}
	return lines
}
