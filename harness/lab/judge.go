package lab

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// finding is what looking at a claim brought: whether it holds, and what is there, in words.
type finding struct {
	holds bool
	found string
}

// Judge evaluates a claim about a state alone. A claim that asks the kernel or the network (a look-up, an echo, a sysctl) cannot be
// judged so and is an error; Lab.Evaluate judges those too.
func Judge(s *state.State, c scenario.Claim) scenario.Verdict {
	f, ok := judgeState(s, c)
	if !ok {
		return unjudged(c, fmt.Errorf("it takes a lab, not a state alone"))
	}
	return verdict(c, f)
}

func verdict(c scenario.Claim, f finding) scenario.Verdict {
	v := scenario.Verdict{Outcome: scenario.Fail, Expected: c.Sentence(), Found: f.found}
	if f.holds {
		v.Outcome = scenario.Pass
	}
	return v
}

func unjudged(c scenario.Claim, err error) scenario.Verdict {
	return scenario.Verdict{Outcome: scenario.Error, Expected: c.Sentence(), Reason: err.Error()}
}

// judgeState evaluates the claims that a state decides; ok is false for the others.
func judgeState(s *state.State, claim scenario.Claim) (f finding, ok bool) {
	if judge := byState(claim); judge != nil {
		return judge(s), true
	}
	return finding{}, false
}

// byState is how a claim is judged that a state alone decides, nil for the others. A missing subject makes a claim false.
func byState(claim scenario.Claim) func(*state.State) finding {
	switch c := claim.(type) {
	case scenario.NamespaceExists:
		return func(s *state.State) finding {
			if s.Namespace(c.Netns) != nil {
				return finding{!c.Not, fmt.Sprintf("the namespace %s exists", c.Netns)}
			}
			return finding{c.Not, noNamespace(s, c.Netns)}
		}
	case scenario.HasInterface:
		return ofNamespace(c.Netns, func(s *state.State, n *state.Namespace) finding {
			if l := n.Link(c.Name); l != nil {
				return finding{!c.Not, fmt.Sprintf("%s is there", c.Name)}
			}
			return finding{c.Not, noLink(s, n, c.Name)}
		})
	case scenario.HasOnlyInterfaces:
		return ofNamespace(c.Netns, func(_ *state.State, n *state.Namespace) finding { return onlyInterfaces(n, c.Names) })
	case scenario.AdminState:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			return finding{l.Up == c.Up, word(l.Up, "it is up", "it is down")}
		})
	case scenario.Carrier:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			has := l.Up && l.Carrier
			return finding{has == c.Has, carrierWords(l)}
		})
	case scenario.LinkKind:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			return finding{l.Kind == c.Kind, "it is a " + word(l.Kind == "", "device without a kind", l.Kind)}
		})
	case scenario.PeerOf:
		return peerOf(c)
	case scenario.HasAddress:
		return ofLink(c.Iface, func(s *state.State, l *state.Link) finding {
			has := slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix == c.Prefix })
			return finding{has != c.Not, addressWords(s, l, c)}
		})
	case scenario.HasNoAddress:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			counted := slices.DeleteFunc(slices.Clone(l.Addresses), func(a state.Address) bool {
				return a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()
			})
			return finding{len(counted) == 0, "its addresses: " + prefixes(counted)}
		})
	case scenario.HasMTU:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			return finding{(l.MTU == c.MTU) != c.Not, fmt.Sprintf("its MTU is %d", l.MTU)}
		})
	case scenario.HasMAC:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			return finding{strings.EqualFold(l.MAC, c.MAC.String()) != c.Not, "its MAC address is " + orNone(l.MAC)}
		})
	case scenario.PortOf:
		return ofLink(c.Iface, func(s *state.State, l *state.Link) finding {
			return finding{portOf(s, c, l) != c.Not, "its master: " + orNone(l.Master)}
		})
	case scenario.HasRoute:
		return ofNamespace(c.Netns, func(_ *state.State, n *state.Namespace) finding {
			return finding{(len(n.MatchRoute(c.Route)) > 0) != c.Not, "the routes: " + routes(n)}
		})
	case scenario.HasRule:
		return ofNamespace(c.Netns, func(_ *state.State, n *state.Namespace) finding {
			return finding{(len(n.MatchRule(c.Rule)) > 0) != c.Not, "the rules: " + list(n.Rules, state.RuleText)}
		})
	case scenario.HasNeighbour:
		return ofNamespace(c.Netns, func(_ *state.State, n *state.Namespace) finding { return hasNeighbour(n, c) })
	case scenario.AddressIs:
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding { return addressIs(l, c) })
	case scenario.Learned:
		return ofLink(c.Iface, func(s *state.State, l *state.Link) finding { return learned(s.Namespace(c.Netns), l.Name, c) })
	case scenario.NearestName:
		return nearestName(c)
	case scenario.CauseIs:
		return func(s *state.State) finding { return causeIs(s, c) }
	case scenario.NothingWrong:
		return func(s *state.State) finding { return nothingWrong(s, c) }
	}
	return nil
}

// ofNamespace judges something about a namespace that has to be there.
func ofNamespace(name string, judge func(*state.State, *state.Namespace) finding) func(*state.State) finding {
	return func(s *state.State) finding {
		if n := s.Namespace(name); n != nil {
			return judge(s, n)
		}
		return finding{false, noNamespace(s, name)}
	}
}

// ofLink judges something about an interface that has to be there.
func ofLink(i scenario.Iface, judge func(*state.State, *state.Link) finding) func(*state.State) finding {
	return ofNamespace(i.Netns, func(s *state.State, n *state.Namespace) finding {
		if l := n.Link(i.Name); l != nil {
			return judge(s, l)
		}
		return finding{false, noLink(s, n, i.Name)}
	})
}

func noNamespace(s *state.State, name string) string {
	text := "there is no namespace " + name
	for _, c := range s.Nearest(name) {
		if c.Kind == state.KindNamespace {
			return text + "; the nearest name is " + c.Name
		}
	}
	return text
}

// noLink says where an interface is instead, or what it may be called.
func noLink(s *state.State, n *state.Namespace, name string) string {
	text := fmt.Sprintf("there is no interface %s in %s", name, n.Name)
	for i := range s.Namespaces {
		if other := &s.Namespaces[i]; other != n && other.Link(name) != nil {
			return fmt.Sprintf("%s; it is in %s", text, other.Name)
		}
	}
	for _, c := range s.Nearest(name) {
		if c.Kind == state.KindInterface {
			return fmt.Sprintf("%s; the nearest name is %s in %s", text, c.Name, c.Netns)
		}
	}
	return text
}

// fallbackTunnels are put into every namespace by some kernels (net.core.fb_tunnels_only_for_init_net).
var fallbackTunnels = []string{"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"}

func onlyInterfaces(n *state.Namespace, want []string) finding {
	var have []string
	missing := slices.Clone(want)
	extra := false
	for i := range n.Links {
		l := &n.Links[i]
		named := slices.IndexFunc(missing, func(name string) bool { return n.Link(name) == l })
		switch {
		case named >= 0:
			missing = slices.Delete(missing, named, named+1)
		case slices.Contains(fallbackTunnels, l.Name):
			continue
		default:
			extra = true
		}
		have = append(have, l.Name)
	}
	return finding{len(missing) == 0 && !extra, "its interfaces: " + strings.Join(have, ", ")}
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

func peerOf(c scenario.PeerOf) func(*state.State) finding {
	return ofLink(c.Peer, func(s *state.State, other *state.Link) finding {
		return ofLink(c.Iface, func(_ *state.State, l *state.Link) finding {
			switch {
			case l.Kind != "veth":
				return finding{false, fmt.Sprintf("%s is no veth", c.Iface.Name)}
			case l.Peer == nil || l.Peer.Hidden:
				return finding{false, fmt.Sprintf("the peer of %s is out of sight", c.Iface.Name)}
			}
			return finding{l.Peer.Name == other.Name && l.Peer.Netns == c.Peer.Netns,
				fmt.Sprintf("the peer of %s is %s in %s", c.Iface.Name, l.Peer.Name, l.Peer.Netns)}
		})(s)
	})
}

// portOf compares masters by link, since a bridge may be called by an alternative name.
func portOf(s *state.State, c scenario.PortOf, l *state.Link) bool {
	bridge := s.Namespace(c.Netns).Link(c.Bridge)
	return bridge != nil && l.Master == bridge.Name
}

// addressWords names the addresses of the link, and where the wanted one is instead.
func addressWords(s *state.State, l *state.Link, c scenario.HasAddress) string {
	text := "its addresses: " + prefixes(l.Addresses)
	for i := range s.Namespaces {
		for j := range s.Namespaces[i].Links {
			other := &s.Namespaces[i].Links[j]
			for _, a := range other.Addresses {
				if other != l && a.Prefix.Addr() == c.Prefix.Addr() {
					return fmt.Sprintf("%s; %s is on %s in %s", text, a.Prefix, other.Name, s.Namespaces[i].Name)
				}
			}
		}
	}
	return text
}

func hasNeighbour(n *state.Namespace, c scenario.HasNeighbour) finding {
	for _, e := range n.Neighbours {
		if e.Addr.WithZone("") == c.Addr.WithZone("") && e.MAC != "" && e.State != "failed" && !e.Proxy {
			return finding{true, state.NeighbourText(e)}
		}
	}
	return finding{false, "the neighbours: " + list(n.Neighbours, state.NeighbourText)}
}

func addressIs(l *state.Link, c scenario.AddressIs) finding {
	for _, a := range l.Addresses {
		if a.Prefix == c.Prefix {
			return finding{slices.Contains(a.Flags, c.State) != c.Not, state.AddressText(a)}
		}
	}
	return finding{false, "its addresses: " + prefixes(l.Addresses)}
}

func learned(n *state.Namespace, bridge string, c scenario.Learned) finding {
	port := c.Port
	if l := n.Link(port); l != nil {
		port = l.Name // it may be written by an alternative name
	}
	var entries []string
	for _, e := range n.FDB {
		if e.Master != bridge && e.Dev != bridge {
			continue
		}
		if e.Learned && e.Dev == port && strings.EqualFold(e.MAC, c.MAC.String()) {
			return finding{true, state.FDBText(e)}
		}
		if e.Learned {
			entries = append(entries, state.FDBText(e))
		}
	}
	return finding{false, "learned: " + orNone(strings.Join(entries, ", "))}
}

// nearestName holds if the name is nearer than any other one.
func nearestName(c scenario.NearestName) func(*state.State) finding {
	return ofNamespace(c.Netns, func(s *state.State, _ *state.Namespace) finding {
		found := s.Nearest(c.Typo)
		if len(found) == 0 {
			return finding{false, "no name is near to " + c.Typo}
		}
		best := found[0]
		ties := 0
		for _, other := range found {
			if other.Distance == best.Distance {
				ties++
			}
		}
		holds := best.Name == c.Name && best.Netns == c.Netns && ties == 1
		words := fmt.Sprintf("the nearest name is %s in %s", best.Name, best.Netns)
		if ties > 1 {
			words = fmt.Sprintf("%d names are as near, %s in %s among them", ties, best.Name, best.Netns)
		}
		return finding{holds, words}
	})
}

// routes are those a person would look at: not the table local.
func routes(n *state.Namespace) string {
	const local = 255
	return list(slices.DeleteFunc(slices.Clone(n.Routes), func(r state.Route) bool { return r.Table == local }), state.RouteText)
}

func prefixes(addresses []state.Address) string {
	return list(addresses, func(a state.Address) string { return a.Prefix.String() })
}

func list[T any](items []T, text func(T) string) string {
	var words []string
	for _, item := range items {
		words = append(words, text(item))
	}
	return orNone(strings.Join(words, ", "))
}

func orNone(text string) string { return word(text == "", "none", text) }

func word(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}
