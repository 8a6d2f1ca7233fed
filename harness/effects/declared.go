package effects

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// declared is what the commands of a section declare.
type declared struct {
	before, after *state.State
	anything      bool            // a program may have changed everything
	free          map[string]bool // namespaces in which a program may have changed everything
	names         map[string]bool // namespaces that may appear and disappear
	links         map[place]*touched
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
	if l.Peer == nil || l.Peer.Name == "" {
		return
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
		case fromMAC(thing.Prefix):
			return true
		case t == nil:
		case gone && (t.loses && thing.Prefix.Addr().Is6() || thing.ValidLft != operation.Forever):
			return true
		case t.properties[state.Up] && thing.Prefix.Addr().IsLoopback():
			return true
		}
		return d.allowedByRule(found)
	case state.Sysctl:
		if t := d.links[place{found.Netns, ipv6Link(thing.Key)}]; t != nil && t.loses && found.Property == "" {
			return true // it has IPv6 or not, which takes an MTU of 1280
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
		case t.made(thing):
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

// ipv6Link is the link of an IPv6 sysctl, "" of others.
func ipv6Link(key string) string {
	rest, ok := strings.CutPrefix(key, "net.ipv6.conf.")
	if i := strings.LastIndex(rest, "."); ok && i >= 0 {
		return strings.ReplaceAll(rest[:i], "/", ".")
	}
	return ""
}

// made reports whether the kernel makes such a thing for the link by itself: the routes of its addresses, and the
// default entry of a vxlan link.
func (t *touched) made(thing any) bool {
	switch thing := thing.(type) {
	case state.Route:
		return thing.Proto == "kernel"
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
