package effects

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// declared is what the commands of a section declare.
type declared struct {
	before, after *state.State
	fresh         *state.Namespace
	anything      bool            // a program may have changed everything
	free          map[string]bool // namespaces in which a program may have changed everything
	names         map[string]bool // namespaces that may appear and disappear
	links         map[place]*touched
	takes         bool            // something was taken away, and what depends on it may go, wherever it is
	origins       bool            // the kernel tells which addresses it made
	from          map[place]place // where a link was before it was moved or renamed
	also          map[place]place // links by alternative names that the section has given them
	rules         []func(state.Difference) bool
}

// place is a link in a namespace.
type place struct{ netns, link string }

// touched is what may change of a link, and because of it.
type touched struct {
	appears, disappears bool
	// loses: what belongs to it may go, as when it goes down, is moved or gets another MTU.
	loses bool
	// noCarrier: the other end may have gone down.
	noCarrier  bool
	properties map[string]bool
}

func newDeclared(before, after *state.State) *declared {
	return &declared{before: before, after: after, free: map[string]bool{}, names: map[string]bool{},
		links: map[place]*touched{}, from: map[place]place{}, also: map[place]place{}}
}

// touch is what may change of a link.
func (d *declared) touch(at place) *touched {
	t := d.links[at]
	if t == nil {
		t = &touched{properties: map[string]bool{}}
		d.links[at] = t
	}
	return t
}

// resolve is the place of a link that a command names, maybe by an alternative name.
func (d *declared) resolve(netns, name string) place {
	for _, s := range []*state.State{d.before, d.after} {
		if l := s.Namespace(netns).Link(name); l != nil {
			return place{netns, l.Name}
		}
	}
	if at, given := d.also[place{netns, name}]; given {
		return at
	}
	return place{netns, name}
}

// allow adds what a command declares beside links.
func (d *declared) allow(rule func(state.Difference) bool) { d.rules = append(d.rules, rule) }

// each calls f for all links of both states that fit.
func (d *declared) each(f func(netns string, l *state.Link)) {
	for _, s := range []*state.State{d.before, d.after} {
		for i := range s.Namespaces {
			n := &s.Namespaces[i]
			for j := range n.Links {
				f(n.Name, &n.Links[j])
			}
		}
	}
}

// conclude adds what follows from what is declared of links, until nothing more follows.
func (d *declared) conclude() {
	for more := true; more; {
		size := d.size()
		d.each(func(netns string, l *state.Link) {
			d.below(netns, l)
			d.master(netns, l)
		})
		more = d.size() > size
	}
}

// size grows with everything that is declared of links.
func (d *declared) size() (n int) {
	for _, t := range d.links {
		n += 1 + len(t.properties)
		for _, b := range []bool{t.appears, t.disappears, t.loses, t.noCarrier} {
			if b {
				n++
			}
		}
	}
	return n
}

// below concludes from the link below, or from the other end of a veth pair.
func (d *declared) below(netns string, l *state.Link) {
	if l.VXLAN != nil && l.VXLAN.Dev != "" {
		if lower := d.links[place{netns, l.VXLAN.Dev}]; lower != nil && (lower.disappears || lower.appears) {
			d.touch(place{netns, l.Name}).properties["vxlan"] = true
		}
	}
	if l.Peer == nil || l.Peer.Name == "" {
		return
	}
	if own := d.links[place{netns, l.Name}]; l.Macvlan == "passthru" && own != nil && own.properties["MAC address"] {
		d.touch(place{l.Peer.Netns, l.Peer.Name}).properties["MAC address"] = true
	}
	lower := d.links[place{l.Peer.Netns, l.Peer.Name}]
	if lower == nil {
		return
	}
	t := d.touch(place{netns, l.Name})
	t.properties[lowerOrPeer] = true
	if lower.disappears && d.after.Namespace(l.Peer.Netns).Link(l.Peer.Name) == nil {
		t.disappears, t.loses = true, true
	}
	t.noCarrier = t.noCarrier || lower.loses
	if l.Kind == "veth" {
		return
	}
	for _, property := range []string{"MTU", "MAC address", state.Up, "GSO maximum size"} {
		if lower.properties[property] {
			t.properties[property], t.loses = true, true
		}
	}
}

const lowerOrPeer = "lower or peer interface"

// master concludes from a port to its bridge, which takes the lowest MTU and MAC address of its ports, and from a
// bridge or VRF that is gone to its ports.
func (d *declared) master(netns string, l *state.Link) {
	if l.Master == "" {
		return
	}
	if d.links[place{netns, l.Name}] != nil {
		t := d.touch(place{netns, l.Master})
		t.properties["MTU"], t.properties["MAC address"], t.properties["GSO maximum size"] = true, true, true
	}
	if above := d.links[place{netns, l.Master}]; above != nil && above.disappears {
		t := d.touch(place{netns, l.Name})
		t.properties["master"], t.loses = true, true
	}
}

// allows reports whether a difference is declared.
func (d *declared) allows(found state.Difference) bool {
	if d.free[found.Netns] {
		return true
	}
	thing, gone := found.After, false
	if thing == nil {
		thing, gone = found.Before, true
	}
	switch thing := thing.(type) {
	case *state.Namespace:
		return d.names[thing.Name]
	case state.Link:
		t := d.links[place{found.Netns, thing.Name}]
		switch {
		case gone && d.takes && found.Property == "" && !slices.Contains([]string{"veth", "bridge", "dummy"}, thing.Kind):
			return true // such a link dies with what is below it, in another namespace, too
		case t == nil:
			return d.allowedByRule(found)
		case found.Property != "":
			anew := t.appears && (t.disappears || found.Property == Offloads)
			return anew || t.properties[found.Property] || d.allowedByRule(found)
		case gone:
			return t.disappears
		}
		return t.appears
	case state.Address:
		t := d.links[place{found.Netns, found.Link}]
		switch {
		case !d.origins && fromMAC(thing.Prefix), d.expires(found.Netns, thing):
			return true
		case gone && d.takes && thing.Prefix.Addr().Is6():
			return true
		case t == nil:
		case t.properties[state.Up] && thing.Prefix.Addr().IsLoopback():
			return true
		}
		return d.allowedByRule(found)
	case state.Sysctl:
		if found.Property == "" {
			return true // a module was loaded for some other namespace, or a link has IPv6, which takes an MTU of 1280
		}
	case state.Route:
		if d.takes && (gone || thing.NexthopID != 0 || d.instead(found.Netns, thing)) ||
			gone && d.sourceExpires(found.Netns, thing) {
			return true
		}
	case state.NexthopObject:
		if d.takes && (gone || len(thing.Group) > 0) {
			return true
		}
	case File:
		name, isName := strings.CutPrefix(thing.Path, namesDir)
		return isName && d.names[name]
	case state.Neighbour, state.FDBEntry:
		if d.takes && gone {
			return true
		}
	case state.TCFilter:
		if d.takes && (gone || d.insteadOfFilter(found.Netns, thing)) {
			return true
		}
	}
	for _, name := range devices(thing) {
		t := d.links[place{found.Netns, name}]
		if t == nil {
			continue
		}
		switch {
		case found.Property != "":
			if found.Property == "flags" {
				return true
			}
		case gone:
			if t.loses || t.disappears || t.noCarrier && needsCarrier(thing) {
				return true
			}
		case t.made(thing, d.after.Namespace(found.Netns).Link(name)):
			return true
		}
	}
	return d.allowedByRule(found)
}

func (d *declared) allowedByRule(found state.Difference) bool {
	return slices.ContainsFunc(d.rules, func(rule func(state.Difference) bool) bool { return rule(found) })
}

// needsCarrier reports whether a thing does not outlive the carrier of its link: nexthop objects and their routes, and
// neighbours that are not permanent (neigh_carrier_down in net/core/neighbour.c).
func needsCarrier(thing any) bool {
	switch thing := thing.(type) {
	case state.NexthopObject:
		return true
	case state.Neighbour:
		return thing.State != "permanent" && !thing.Proxy
	case state.Route:
		return thing.NexthopID != 0
	}
	return false
}

// fromMAC reports whether an address is a link-local one of the form that the kernel makes from a MAC address, whenever
// a link gets its carrier. Before Linux 5.18 it does not tell which ones it made.
func fromMAC(p netip.Prefix) bool {
	bytes := p.Addr().As16()
	return p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() && p.Bits() == 64 && bytes[11] == 0xff && bytes[12] == 0xfe
}

// instead reports whether a route takes the place of one to the same destination that is gone: what is left of several
// next hops, or a route with another source or MTU.
func (d *declared) instead(netns string, r state.Route) bool {
	n := d.before.Namespace(netns)
	return n != nil && slices.ContainsFunc(n.Routes, func(old state.Route) bool {
		return old.To == r.To && old.Table == r.Table && old.Metric == r.Metric && old.Proto == r.Proto
	})
}

// insteadOfFilter reports whether a filter of tc is one from before, which may have sent packets to a link that is
// gone.
func (d *declared) insteadOfFilter(netns string, f state.TCFilter) bool {
	n := d.before.Namespace(netns)
	return n != nil && slices.ContainsFunc(n.TCFilters, func(old state.TCFilter) bool {
		return old.Dev == f.Dev && old.Hook == f.Hook && old.Chain == f.Chain && old.Priority == f.Priority &&
			old.Handle == f.Handle
	})
}

// expires reports whether an address of the namespace lives for a limited time: it goes, or is deprecated, by itself.
func (d *declared) expires(netns string, a state.Address) bool {
	for _, s := range []*state.State{d.before, d.after} {
		if n := s.Namespace(netns); n != nil {
			for _, l := range n.Links {
				if slices.ContainsFunc(l.Addresses, func(b state.Address) bool {
					return a.Prefix == b.Prefix && (b.ValidLft != state.Forever || b.PreferredLft != state.Forever)
				}) {
					return true
				}
			}
		}
	}
	return false
}

// sourceExpires reports whether the source of a route, or the address that it leads to, lives for a limited time.
func (d *declared) sourceExpires(netns string, r state.Route) bool {
	n := d.before.Namespace(netns)
	if n == nil {
		return false
	}
	for _, l := range n.Links {
		for _, a := range l.Addresses {
			if a.ValidLft != state.Forever && (a.Prefix.Addr() == r.Src || r.Proto == "kernel" && sameNet(a.Prefix, r.To)) {
				return true
			}
		}
	}
	return false
}

// made reports whether the kernel makes such a thing for a link, as it is now, by itself: the routes of its addresses,
// and the default entry of a vxlan link.
func (t *touched) made(thing any, l *state.Link) bool {
	switch thing := thing.(type) {
	case state.Route:
		return thing.Proto == "kernel" && l != nil && slices.ContainsFunc(l.Addresses, func(a state.Address) bool {
			return sameNet(a.Prefix, thing.To) || sameNet(a.Peer, thing.To) || thing.To.Addr().IsMulticast()
		})
	case state.FDBEntry:
		return t.appears
	}
	return false
}

// sysctl allows what setting a sysctl changes: the key, those of all links for `all` and `default`, and what hangs on
// forwarding and on IPv6.
func (d *declared) sysctl(netns, key string) {
	forwarding := key == "net.ipv4.ip_forward" || strings.HasSuffix(key, ".forwarding")
	family, rest, _ := strings.Cut(key, ".conf.")
	link, what := "", ""
	if i := strings.LastIndex(rest, "."); i >= 0 {
		link, what = rest[:i], rest[i+1:]
	}
	everywhere := link == "all" || link == "default" || key == "net.ipv4.ip_forward"
	d.allow(func(found state.Difference) bool {
		if found.Netns != netns {
			return false
		}
		switch thing := either(found).(type) {
		case state.Sysctl:
			switch {
			case thing.Key == key:
				return true
			case forwarding && (thing.Key == "net.ipv4.ip_forward" || strings.HasSuffix(thing.Key, ".forwarding") ||
				strings.HasSuffix(thing.Key, ".accept_redirects")):
				return everywhere || strings.Contains(thing.Key, ".conf."+link+".")
			}
			return everywhere && strings.HasPrefix(thing.Key, family+".conf.") && strings.HasSuffix(thing.Key, "."+what)
		case state.Address:
			return what == "disable_ipv6" && thing.Prefix.Addr().Is6() && (everywhere || found.Link == link)
		case state.Route:
			return what == "disable_ipv6" && thing.Family == 6
		case state.Neighbour:
			return what == "disable_ipv6" && thing.Addr.Is6()
		case state.NexthopObject:
			return what == "disable_ipv6" && thing.Family != 4
		}
		return false
	})
}

// either is the thing that a difference is about.
func either(found state.Difference) any {
	if found.After != nil {
		return found.After
	}
	return found.Before
}

// sameNet reports whether two prefixes overlap: their addresses depend on each other.
func sameNet(a, b netip.Prefix) bool {
	return a.IsValid() && b.IsValid() && a.Masked().Overlaps(b.Masked())
}
