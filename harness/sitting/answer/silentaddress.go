package answer

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
)

// given is an address that the last command gave to a link.
type given struct {
	at     place
	link   *state.Link // now
	before *state.Link
	prefix netip.Prefix
}

// newAddresses are the addresses that links got, which had none of them before. Those that the kernel makes for a link
// by itself do not count.
func (s *search) newAddresses() (all []given) {
	if s.Before == nil {
		return nil
	}
	for i := range s.After.Namespaces {
		n := &s.After.Namespaces[i]
		for j := range n.Links {
			l := &n.Links[j]
			was := s.Before.Namespace(n.Name).Link(l.Name)
			if was == nil {
				continue
			}
			for _, a := range l.Addresses {
				if p := a.Prefix; byHand(p.Addr()) && !hasAddress(was, p) {
					all = append(all, given{place{l.Name, n.Name}, l, was, p})
				}
			}
		}
	}
	return all
}

func byHand(a netip.Addr) bool { return !a.IsLinkLocalUnicast() && !a.IsLoopback() }

func hasAddress(l *state.Link, p netip.Prefix) bool {
	return slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix == p })
}

// wanted is an open check for an address.
type wanted struct {
	claim.HasAddress
	check int
}

func (s *search) wantedAddresses() (all []wanted) {
	for _, i := range s.open {
		if c, ok := s.step.Checks[i].Claim.(claim.HasAddress); ok {
			all = append(all, wanted{c, i})
		}
	}
	return all
}

// lostByMove: a link was moved, and left its addresses behind.
func (s *search) lostByMove() *sitting.Answer {
	if s.Before == nil {
		return nil
	}
	for i := range s.Before.Namespaces {
		n := &s.Before.Namespaces[i]
		if s.After.Namespace(n.Name) == nil {
			continue
		}
		for j := range n.Links {
			l := &n.Links[j]
			if s.After.Namespace(n.Name).Link(l.Name) != nil {
				continue
			}
			var lost []string
			for _, a := range l.Addresses {
				if byHand(a.Prefix.Addr()) {
					lost = append(lost, a.Prefix.String())
				}
			}
			netns, now := s.arrivedIn(l)
			if len(lost) == 0 || now == nil || slices.ContainsFunc(lost, func(text string) bool {
				return hasAddress(now, netip.MustParsePrefix(text))
			}) {
				continue
			}
			return s.inLessonsWords(&sitting.Answer{Check: s.about(l.Name),
				Title: "The move took the address " + codes(lost) + " from " + in(l.Name, netns),
				Text: "Addresses and routes belong to a namespace: an interface that moves leaves them behind, and " +
					"arrives switched off. Move first, then give the address."})
		}
	}
	return nil
}

// arrivedIn is where a link of the state before is now: the only new one of its name and its MAC address.
func (s *search) arrivedIn(l *state.Link) (netns string, now *state.Link) {
	for i := range s.After.Namespaces {
		n := &s.After.Namespaces[i]
		other := n.Link(l.Name)
		if other == nil || l.MAC == "" || other.MAC != l.MAC || s.Before.Namespace(n.Name).Link(l.Name) != nil {
			continue
		}
		if now != nil {
			return "", nil
		}
		netns, now = n.Name, other
	}
	return netns, now
}

// beforeMove: a link got an address where it is, and the step wants it in another namespace.
func (s *search) beforeMove() *sitting.Answer {
	if s.stuck() {
		return nil
	}
	for _, g := range s.newAddresses() {
		for _, i := range s.open {
			c := s.step.Checks[i].Claim
			if denies(c) {
				continue
			}
			places := placesOf(c)
			at := slices.IndexFunc(places, func(p place) bool { return p.link == g.at.link })
			if at < 0 || slices.Contains(places, g.at) || s.twoOf(g.at.link) {
				continue
			}
			return s.inLessonsWords(&sitting.Answer{Check: i,
				Title: fmt.Sprintf("%s will lose %s when it moves to %s", code(g.at.link), code(g.prefix.String()),
					code(places[at].netns)),
				Text: "Addresses belong to a namespace: an interface that moves leaves them behind. Move first, then " +
					"give the address."})
		}
	}
	return nil
}

// twoOf reports whether several namespaces have a link of this name, or the scenario speaks of it in several.
func (s *search) twoOf(link string) bool {
	there := map[string]bool{}
	for i := range s.After.Namespaces {
		if n := &s.After.Namespaces[i]; n.Link(link) != nil {
			there[n.Name] = true
		}
	}
	wanted := map[string]bool{}
	for _, c := range s.step.Checks {
		for _, p := range placesOf(c.Claim) {
			if p.link == link && !denies(c.Claim) {
				wanted[p.netns] = true
			}
		}
	}
	return len(there) > 1 || len(wanted) > 1
}

// inLessonsWords is an answer about an address that a move loses, in the words of the step's mistake of this kind if it
// has one.
func (s *search) inLessonsWords(a *sitting.Answer) *sitting.Answer {
	all := slices.DeleteFunc(s.traces(), func(t trace) bool { return !t.moves() })
	if len(all) == 1 {
		a.Kind, a.Text = Mistake, s.tell(all[0]).Text
	}
	return a
}

// otherLength: a link got the wanted address with another prefix length.
func (s *search) otherLength() *sitting.Answer {
	all := s.wantedAddresses()
	for _, g := range s.newAddresses() {
		for _, c := range all {
			if c.Not || c.Iface != (claim.Iface{Name: g.at.link, Netns: g.at.netns}) ||
				c.Prefix.Addr() != g.prefix.Addr() {
				continue
			}
			a := &sitting.Answer{Check: c.check, Title: fmt.Sprintf("%s got %s, not %s", in(g.at.link, g.at.netns),
				code(g.prefix.String()), code(c.Prefix.String()))}
			if g.prefix.IsSingleIP() {
				a.Text = fmt.Sprintf(
					"An address without a prefix length is a network of one, %s: nobody else is in it. ",
					code(fmt.Sprintf("/%d", g.prefix.Bits())))
			}
			a.Text += "The length belongs to the address, and a second address does not replace the first one: " +
				"delete " + code(g.prefix.String()) + ", then add " + code(c.Prefix.String()) + "."
			return a
		}
	}
	return nil
}

// beside: a link got an address, and one that it should not have is still there.
func (s *search) beside() *sitting.Answer {
	all := s.wantedAddresses()
	for _, g := range s.newAddresses() {
		for _, c := range all {
			if c.Not && c.Iface == (claim.Iface{Name: g.at.link, Netns: g.at.netns}) && c.Prefix != g.prefix &&
				hasAddress(g.before, c.Prefix) && hasAddress(g.link, c.Prefix) {
				return &sitting.Answer{Check: c.check,
					Title: fmt.Sprintf("%s has %s, and still %s", in(g.at.link, g.at.netns),
						code(g.prefix.String()), code(c.Prefix.String())),
					Text: "A second address does not replace the first one. It stays until it is deleted."}
			}
		}
	}
	return nil
}
