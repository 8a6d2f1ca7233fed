package finding

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

// Change is one change of a sketch.
type Change func(*Sketch)

// Sketch is a copy of a state in which namespaces are copied before they are changed.
type Sketch struct {
	*state.State
	copied map[*state.Namespace]bool
}

func After(s *state.State, changes []Change) *state.State {
	own := *s
	own.Namespaces = slices.Clone(s.Namespaces)
	k := &Sketch{&own, map[*state.Namespace]bool{}}
	for _, c := range changes {
		c(k)
	}
	k.carriers()
	return k.State
}

// Netns is a namespace that may be changed, with its links and addresses. If there is none of the name, it is a
// namespace outside the sketch.
func (k *Sketch) Netns(name string) *state.Namespace {
	n := k.Namespace(name)
	if n == nil {
		return &state.Namespace{Name: name}
	}
	return k.own(n)
}

// own copies one of the sketch's namespaces, once, so that it may be changed.
func (k *Sketch) own(n *state.Namespace) *state.Namespace {
	if !k.copied[n] {
		k.copied[n] = true
		n.Links = slices.Clone(n.Links)
		for i := range n.Links {
			n.Links[i].Addresses = slices.Clone(n.Links[i].Addresses)
		}
		n.Routes, n.Rules = slices.Clone(n.Routes), slices.Clone(n.Rules)
		n.Sysctls, n.Neighbours = slices.Clone(n.Sysctls), slices.Clone(n.Neighbours)
	}
	return n
}

// Link is a link that may be changed, and its namespace. If there is none of the name, it is a link outside the sketch.
func (k *Sketch) Link(netns, name string) (*state.Namespace, *state.Link) {
	n := k.Netns(netns)
	if l := n.Link(name); l != nil {
		return n, l
	}
	return n, &state.Link{Name: name}
}

// carriers updates the carrier of each veth and each bridge.
func (k *Sketch) carriers() {
	w := facts.NetOf(k.State)
	each := func(kind string, carrier func(*state.Namespace, *state.Link) bool) {
		for i := range k.Namespaces {
			for j := range k.Namespaces[i].Links {
				l := &k.Namespaces[i].Links[j]
				if has := carrier(&k.Namespaces[i], l); l.Kind == kind && l.Carrier != has {
					n := k.own(&k.Namespaces[i])
					n.Links[j].Carrier = has
					if n.Links[j].Port != nil && has {
						n.Links[j].Port = forwarding(n.Links[j].Port)
					}
				}
			}
		}
	}
	each("veth", func(_ *state.Namespace, l *state.Link) bool {
		peer := w.Below(l)
		return l.Up && (peer == nil && l.Carrier || peer != nil && peer.L.Up)
	})
	each("bridge", func(n *state.Namespace, l *state.Link) bool {
		return l.Up && slices.ContainsFunc(facts.Ports(n, l), func(q *state.Link) bool { return q.Up && q.Carrier })
	})
}

func forwarding(p *state.Port) *state.Port {
	q := *p
	q.State = "forwarding"
	return &q
}

// Connect adds the routes that the kernel adds with the addresses of a link: to itself, which IPv4 has on a link that
// is down too (fib_add_ifaddr(), net/ipv4/fib_frontend.c), and to their networks if the link is up.
func Connect(n *state.Namespace, l *state.Link) {
	for _, a := range l.Addresses {
		family := facts.FamilyOf(a.Prefix.Addr())
		hop := []state.Nexthop{{Dev: l.Name}}
		own := LocalRoute(l, a.Prefix.Addr())
		if (l.Up || family == 4) && !slices.ContainsFunc(n.Routes, func(r state.Route) bool {
			return r.Type == own.Type && r.To == own.To && len(r.Nexthops) == 1 && r.Nexthops[0].Dev == l.Name
		}) {
			n.Routes = append(n.Routes, own)
		}
		if !l.Up || facts.Has(a.Flags, "noprefixroute") {
			continue
		}
		if to := facts.Covered(a); !to.IsSingleIP() {
			n.Routes = append(n.Routes, state.Route{Family: family, Type: "unicast", To: to, Table: state.TableMain,
				Nexthops: hop})
		}
	}
}

// LocalRoute is the route of the type local that the kernel adds with an address.
func LocalRoute(l *state.Link, addr netip.Addr) state.Route {
	return state.Route{
		Family: facts.FamilyOf(addr), Type: "local", To: netip.PrefixFrom(addr, addr.BitLen()), Table: state.TableLocal,
		Nexthops: []state.Nexthop{{Dev: l.Name}},
	}
}
