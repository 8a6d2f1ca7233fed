package diagnose

import (
	"net/netip"
	"strings"

	"netnscheck/harness/state"
)

// noNamespace says why a name is no namespace.
func (w *walk) noNamespace(name string) *Cause {
	n := &state.Namespace{Name: name}
	for _, other := range w.state.NotNamespaces {
		if other == name {
			return cause("not-a-namespace", n, nil, "/run/netns/%s is a file on which no namespace is mounted", name).
				proof("stat -f -c %T /run/netns/"+name+": not nsfs").
				mend("rm /run/netns/"+name, "ip netns add "+name)
		}
	}
	c := cause("no-namespace", n, nil, "there is no namespace %s", name)
	for _, near := range w.state.Nearest(name) {
		if near.Kind == state.KindNamespace {
			c.Says += "; the nearest name is " + near.Name
			break
		}
	}
	var names []string
	for _, n := range w.state.Namespaces {
		names = append(names, n.Name)
	}
	return c.proof("ip netns list: " + strings.Join(names, " ")).mend("ip netns add " + name)
}

// source looks at what stops a packet before any route does.
func (w *walk) source(n *state.Namespace, p *packet) *Cause {
	family := p.family()
	if p.dst.IsLinkLocalUnicast() && p.dst.Is6() && p.dst.Zone() == "" {
		c := cause("scope-missing", n, nil, "%s is link-local: it means another neighbour on each link, so a link has to be named", p.dst)
		for _, l := range ordinary(n) {
			c.mend(in(n, "ping %s%%%s", p.dst, l.Name))
		}
		return c.proof("RFC 4007: an address of link-local scope is ambiguous without a zone")
	}
	if !w.looksUpLocal(n, family) {
		return cause("local-rule-missing", n, nil, "no rule of %s looks up the table local, so the namespace does not know its own addresses", n.Name).
			proof(w.rulesShown(n, family)...).mend(ip(n, "%srule add priority 0 lookup local", six(family)))
	}
	if c := w.ownAddress(n, p); c != nil {
		return c
	}
	if w.isOwn(n, p.dst) || p.dst.IsLoopback() {
		return nil
	}
	if len(ordinary(n)) == 0 {
		return cause("no-interface", n, nil, "%s has no interface but lo, so nothing leads out of it", n.Name).
			proof(ip(n, "-br link show") + ": lo").mend("ip link set IFACE netns " + n.Name)
	}
	if family == 6 {
		return w.source6(n, p)
	}
	return nil
}

func (w *walk) looksUpLocal(n *state.Namespace, family int) bool {
	rules := rulesOf(n, family)
	for _, r := range rules {
		if r.Action == "lookup" && r.Table == state.TableLocal {
			return true
		}
	}
	return len(rules) == 0 && family == 6 // no IPv6 at all has its own cause
}

func (w *walk) rulesShown(n *state.Namespace, family int) (lines []string) {
	for _, r := range rulesOf(n, family) {
		lines = append(lines, ruleShown(n, r))
	}
	if len(lines) == 0 {
		lines = append(lines, ip(n, "%srule show", six(family))+": (nothing)")
	}
	return lines
}

func (w *walk) isOwn(n *state.Namespace, addr netip.Addr) bool {
	for _, o := range w.owned(addr) {
		if o.n == n && (addr.Zone() == "" || o.l.Name == addr.Zone()) {
			return true
		}
	}
	return false
}

// ownAddress judges an address that the namespace has itself: such packets go by lo, whatever link has the address.
func (w *walk) ownAddress(n *state.Namespace, p *packet) *Cause {
	own := w.isOwn(n, p.dst)
	if !own && !p.dst.IsLoopback() {
		return nil
	}
	if lo := n.Link("lo"); lo != nil && !lo.Up {
		return cause("loopback-down", n, lo, "%s is an address of %s itself, packets for it go by lo, and lo is down", p.dst, n.Name).
			proof(linkShown(n, lo)).mend(ip(n, "link set lo up"))
	}
	for _, o := range w.owned(p.dst) {
		if o.n != n || o.l.Kind != "veth" {
			continue
		}
		if peer := w.below(o.l); peer != nil && peer.n == n {
			return cause("same-namespace", n, o.l, "both ends of the pair %s and %s are in %s: packets between them never cross the wire", o.l.Name, peer.l.Name, n.Name).
				proof(linkShown(n, o.l), linkShown(n, peer.l), ip(n, "route get %s", p.dst)+": local "+p.dst.String()+" dev lo").
				mend(ip(n, "link set %s netns OTHER", o.l.Name))
		}
		for _, other := range w.owned(p.dst) {
			if other.n != n && w.sameSegment(o, other) {
				return duplicateAddress(other, o, p.dst)
			}
		}
	}
	return nil
}

func duplicateAddress(other, first port, addr netip.Addr) *Cause {
	c := cause("duplicate-address", other.n, other.l, "%s is on %s in %s and on %s in %s, on one segment", addr, first.l.Name, first.n.Name, other.l.Name, other.n.Name)
	for _, o := range []port{first, other} {
		for _, a := range o.l.Addresses {
			if a.Prefix.Addr() == addr.WithZone("") {
				c.proof(addressShown(o.n, o.l, a))
				if o == other {
					c.mend(ip(o.n, "addr del %s dev %s", a.Prefix, o.l.Name))
				}
			}
		}
	}
	return c
}

// source6 looks at the IPv6 addresses that the packet could have as its source.
func (w *walk) source6(n *state.Namespace, p *packet) *Cause {
	links := ordinary(n)
	var able, disabled []*state.Link
	for _, l := range links {
		if p.dst.Zone() != "" && l.Name != p.dst.Zone() {
			continue
		}
		if off6(n, l) {
			disabled = append(disabled, l)
		} else {
			able = append(able, l)
		}
	}
	covering, unusable := w.covering6(able, p.dst)
	if !covering && unusable != nil {
		return unusable(n)
	}
	if len(disabled) == 0 || covering || (len(able) > 0 && lookup(n, flow{dst: p.dst, oif: p.dst.Zone()}).found()) {
		return nil
	}
	l := disabled[0]
	if len(disabled) > 1 {
		for _, d := range disabled {
			if len(addresses(d, 4)) > 0 && d.Up {
				l = d
				break
			}
		}
	}
	c := cause("ipv6-disabled", n, l, "%s does not speak IPv6", l.Name)
	if l.MTU < 1280 {
		return c.proof(linkShown(n, l) + " (IPv6 needs 1280: RFC 8200, section 5)").mend(ip(n, "link set %s mtu 1500", l.Name))
	}
	key := ofLink(6, l.Name, "disable_ipv6")
	return c.proof(in(n, "sysctl %s", key) + ": 1").mend(in(n, "sysctl -w %s=0", key))
}

// off6 says that a link does not speak IPv6.
func off6(n *state.Namespace, l *state.Link) bool {
	return l.MTU < 1280 || sysctl(n, ofLink(6, l.Name, "disable_ipv6")) == "1"
}

// covering6 says whether a usable address covers the destination, and if only unusable ones do, why they are.
func (w *walk) covering6(links []*state.Link, dst netip.Addr) (ok bool, why func(*state.Namespace) *Cause) {
	for _, l := range links {
		for _, a := range l.Addresses {
			if !a.Prefix.Addr().Is6() || !covers(a, dst) {
				continue
			}
			if usable(a) {
				return true, why
			}
			why = func(n *state.Namespace) *Cause { return unusableAddress(n, l, a) }
		}
	}
	return false, why
}

func unusableAddress(n *state.Namespace, l *state.Link, a state.Address) *Cause {
	if has(a.Flags, "dadfailed") {
		return cause("address-duplicate", n, l, "somebody else on the segment of %s has %s: duplicate address detection failed", l.Name, a.Prefix.Addr()).
			proof(addressShown(n, l, a)).
			mend(ip(n, "addr del %s dev %s", a.Prefix, l.Name), ip(n, "addr add ANOTHER/%d dev %s", a.Prefix.Bits(), l.Name))
	}
	return cause("address-tentative", n, l, "%s is tentative: nobody may use it before duplicate address detection has ended, 1 to 2 s after the link comes up", a.Prefix.Addr()).
		proof(addressShown(n, l, a)).
		mend(ip(n, "addr replace %s dev %s nodad", a.Prefix, l.Name))
}
