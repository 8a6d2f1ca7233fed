package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// noNamespace is the cause why a name is not that of a namespace.
func (w *walk) noNamespace(name string) *Cause {
	n := &state.Namespace{Name: name}
	if stray, ok := w.state.Stray(name); ok {
		return notANamespace(n, stray)
	}
	c := cause(causes.NoNamespace, n, nil, "there is no namespace %s", name)
	repair := "ip netns add " + quoted(name)
	for _, near := range w.state.Nearest(name) {
		if near.Kind == state.KindNamespace {
			c.Says += "; the nearest name is " + near.Name
			repair = "" // it is misspelt rather than missing
			break
		}
	}
	var names []string
	for _, n := range w.state.Namespaces {
		if n.Name != state.Host {
			names = append(names, n.Name)
		}
	}
	c.proof("ip netns list: " + strings.Join(names, " "))
	if repair == "" {
		return c.advise("check the name of the namespace")
	}
	return c.fix(repair)
}

// notANamespace is the cause for a file in /run/netns that is not a namespace. The repair removes only what certainly
// has no content: an empty file or directory, a symbolic link.
func notANamespace(n *state.Namespace, stray state.Stray) *Cause {
	path := "/run/netns/" + stray.Name
	is := func(format string, args ...any) *Cause {
		return cause(causes.NotANamespace, n, nil, "%s is %s", path, fmt.Sprintf(format, args...))
	}
	again := "ip netns add " + quoted(stray.Name)
	removed := func(c *Cause, how string) *Cause { return c.fix(how+" "+quoted(path), again) }
	kept := func(c *Cause) *Cause {
		return c.proof("ls -ld "+quoted(path)).advise("mv "+quoted(path)+" ELSEWHERE", again)
	}
	link := "readlink " + quoted(path) + ": " + stray.Target
	switch stray.Kind {
	case state.StrayFile:
		return removed(is("a file on which no namespace is mounted").proof("stat -f -c %T "+quoted(path)+": not nsfs"),
			"rm")
	case state.StrayDirectory:
		return removed(is("an empty directory, not a namespace").proof("stat -c %F "+quoted(path)+": directory"),
			"rmdir")
	case state.StrayDangling:
		return removed(is("a link to %s, which does not exist", stray.Target).proof(link), "rm")
	case state.StrayLink:
		return removed(is("a link to %s, which is no namespace", stray.Target).proof(link), "rm")
	case state.StrayMount:
		return is("a mount of something other than a network namespace").
			proof("findmnt " + quoted(path)).advise("umount " + quoted(path))
	case state.StrayFullFile:
		return kept(is("a file that is not empty, not a namespace"))
	case state.StrayFullDirectory:
		return kept(is("a directory that is not empty, not a namespace"))
	}
	return kept(is("a %s, not a namespace", stray.Kind))
}

// source is the cause that stops a packet in the sending namespace before any route lookup.
func (w *walk) source(n *state.Namespace, p *packet) *Cause {
	family := p.family()
	if zone := p.dst.Zone(); zone != "" && n.Link(zone) == nil {
		return cause(causes.NoInterface, n, nil, "%s has no interface %s to reach %s by", n.Name, zone,
			p.dst.WithZone("")).
			proof(ip(n, "-br link show") + ": " + strings.Join(linkNames(n), " "))
	}
	if !w.looksUpLocal(n, family) {
		return w.localRuleMissing(n, family)
	}
	if p.dst.IsLinkLocalUnicast() && p.dst.Is6() && p.dst.Zone() == "" && len(ordinary(n)) > 0 {
		c := cause(causes.ScopeMissing, n, nil,
			"%s is link-local: it may be on any link, so the link has to be named", p.dst)
		for _, l := range ordinary(n) {
			c.advise(in(n, "ping %s%%%s", p.dst, l.Name))
		}
		return c.proof("RFC 4007: an address of link-local scope is ambiguous without a zone")
	}
	if c := w.ownAddress(n, p); c != nil {
		return c
	}
	if w.isOwn(n, p.dst) || p.dst.IsLoopback() {
		return nil
	}
	if len(ordinary(n)) == 0 {
		return cause(causes.NoInterface, n, nil, "%s has no interface but lo", n.Name).
			proof(ip(n, "-br link show") + ": lo").advise("ip link set IFACE netns " + netnsName(n.Name))
	}
	if family == 6 {
		return w.speaks6(n, p)
	}
	return nil
}

func (w *walk) localRuleMissing(n *state.Namespace, family int) *Cause {
	w.deliversNothing(n, family)
	return cause(causes.LocalRuleMissing, n, nil,
		"no rule of %s looks up the table local, so the namespace delivers nothing locally", n.Name).
		proof(w.rulesShown(n, family)...).fix(ip(n, "%srule add priority 0 lookup local", six(family)))
}

// looksUpLocal reports whether a rule looks up the table local.
func (w *walk) looksUpLocal(n *state.Namespace, family int) bool {
	return slices.ContainsFunc(inForce(n, family), looksUpLocal)
}

func looksUpLocal(r *state.Rule) bool { return r.Action == "lookup" && r.Table == state.TableLocal }

func (w *walk) rulesShown(n *state.Namespace, family int) (lines []string) {
	for _, r := range rulesOf(n, family) {
		lines = append(lines, ruleShown(n, r))
	}
	if len(lines) == 0 {
		lines = append(lines, ip(n, "%srule show", six(family))+": (nothing)")
	}
	return lines
}

// isOwn reports whether a namespace has an address; for a link-local one, on the link of its zone.
func (w *walk) isOwn(n *state.Namespace, addr netip.Addr) bool {
	for _, o := range w.owned(addr) {
		if o.n == n && (addr.Zone() == "" || o.l.Name == addr.Zone()) {
			return true
		}
	}
	return false
}

// ownAddress is the cause that stops a packet for an address of its own namespace: it goes by lo, whatever link has the
// address.
func (w *walk) ownAddress(n *state.Namespace, p *packet) *Cause {
	own := w.isOwn(n, p.dst)
	if !own && !p.dst.IsLoopback() {
		return nil
	}
	if lo := n.Link("lo"); lo != nil && !lo.Up {
		return cause(causes.LoopbackDown, n, lo,
			"%s is an address of %s itself, packets for it go by lo, and lo is down", p.dst, n.Name).
			proof(linkShown(n, lo)).setUp(port{n, lo})
	}
	for _, o := range w.owned(p.dst) {
		if o.n != n || o.l.Kind != "veth" {
			continue
		}
		if peer := w.below(o.l); peer != nil && peer.n == n {
			c := cause(causes.SameNamespace, n, o.l,
				"both ends of the pair %s and %s are in %s: packets between them never cross the pair", o.l.Name,
				peer.l.Name, n.Name).
				proof(linkShown(n, o.l), linkShown(n, peer.l), ip(n, "route get %s", p.dst)+": local "+p.dst.String()+
					" dev lo")
			return w.moveOut(c, o)
		}
		for _, other := range w.owned(p.dst) {
			if other.n != n && !settled(o, other, p.dst) && w.sameSegment(o, other) {
				return duplicateAddress(other, o, p.dst)
			}
		}
	}
	return nil
}

// duplicateAddress is the cause for an address that two links have. It is taken from the one that has no use for it as
// a port of a bridge, or keeps another address while the other one would have none left; in doubt from the second one.
func duplicateAddress(other, first port, addr netip.Addr) *Cause {
	family := familyOf(addr)
	if first.l.Port != nil && other.l.Port == nil || (first.l.Port == nil) == (other.l.Port == nil) &&
		len(addresses(first.l, family)) > 1 && len(addresses(other.l, family)) == 1 {
		other, first = first, other
	}
	c := cause(causes.DuplicateAddress, other.n, other.l, "%s is on %s in %s and on %s in %s, on one segment", addr,
		first.l.Name, first.n.Name, other.l.Name, other.n.Name)
	for _, o := range []port{first, other} {
		for _, a := range o.l.Addresses {
			if a.Prefix.Addr() == addr.WithZone("") {
				c.proof(addressShown(o.n, o.l, a))
				if o == other {
					c.fix(ip(o.n, "addr del %s dev %s", a.Prefix, o.l.Name))
				}
			}
		}
	}
	return c
}

// bound sets the source address of the query, if the namespace has it and may use it.
func (w *walk) bound(n *state.Namespace, p *packet) bool {
	for _, o := range w.owned(w.query.Source) {
		if a, _ := addressOf(o.l, w.query.Source); o.n == n && usable(a) && w.query.Source.Is4() == p.dst.Is4() {
			p.src = w.query.Source.WithZone("")
			return true
		}
	}
	return false
}

// unbound is the cause why nothing can be sent from the source address of the query. If the namespace does not have it,
// the query is wrong: a doubt, not a cause.
func (w *walk) unbound(n *state.Namespace) *Cause {
	for _, o := range w.owned(w.query.Source) {
		if a, _ := addressOf(o.l, w.query.Source); o.n == n && !usable(a) {
			return w.unusableAddress(o, a)
		}
	}
	w.doubt("nothing can be sent to %s from %s, which is no address of %s of that family", w.query.To,
		w.query.Source, n.Name)
	return nil
}

// speaks6 is the cause for a link with IPv6 off, if the namespace has no IPv6 route to the destination.
func (w *walk) speaks6(n *state.Namespace, p *packet) *Cause {
	var mute []*state.Link
	for _, l := range ordinary(n) {
		if off6(n, l) && l.Master == "" && (p.dst.Zone() == "" || l.Name == p.dst.Zone()) {
			mute = append(mute, l)
		}
	}
	if len(mute) == 0 || lookup(n, flow{dst: p.dst, oif: p.dst.Zone()}).found() {
		return nil
	}
	l := mute[0]
	if likely := w.likelyLink(n, p.dst); len(mute) > 1 && likely != nil && slices.Contains(mute, likely) {
		l = likely
	}
	return w.mute(port{n, l})
}

// muteStraight finds a link with IPv6 off that leads directly to the destination.
func (w *walk) muteStraight(n *state.Namespace, p packet, links []*state.Link) *Cause {
	if p.family() == 4 {
		return nil
	}
	for _, l := range links {
		if off6(n, l) && l.Master == "" && slices.ContainsFunc(w.neighbours(port{n, l}), func(at port) bool {
			return w.isOwn(at.n, p.dst)
		}) {
			return w.mute(port{n, l})
		}
	}
	return nil
}

// mute is the cause for a link with IPv6 off; the kernel removed its IPv6 addresses then.
func (w *walk) mute(at port) *Cause {
	c := cause(causes.IPv6Disabled, at.n, at.l, "IPv6 is off on %s in %s", at.l.Name, at.n.Name)
	if at.l.MTU < 1280 {
		c.proof(linkShown(at.n, at.l) + " (IPv6 needs 1280: RFC 8200, section 5)")
	} else {
		c.proof(sysctlShown(at.n, ofLink(6, at.l.Name, "disable_ipv6")))
	}
	if lost := w.addressFor(at, 6); lost.IsValid() && len(addresses(at.l, 6)) == 0 {
		return c.addAddress(at, lost)
	}
	return c.speak6(at)
}

// off6 reports whether IPv6 is off on a link: by disable_ipv6, or by an MTU below IPV6_MIN_MTU (addrconf_notify(),
// net/ipv6/addrconf.c).
func off6(n *state.Namespace, l *state.Link) bool {
	return l.MTU < 1280 || sysctl(n, ofLink(6, l.Name, "disable_ipv6")) == "1"
}

// sourceMissing is the cause why an IPv6 packet has no source address: tentative and duplicate addresses do not count.
func (w *walk) sourceMissing(n *state.Namespace, p packet, d decision) *Cause {
	if p.family() == 4 || d.local() || p.src.IsValid() {
		return nil
	}
	return w.noSource(n, p, d)
}

// notBeyond: a router forwards a packet with a link-local source only out of the link it came in by (RFC 4291, section
// 2.5.6; ip6_forward(), net/ipv6/ip6_output.c).
func (w *walk) notBeyond(from, router *state.Namespace, iif *state.Link, p packet, d decision) *Cause {
	if p.family() == 4 || !p.src.IsLinkLocalUnicast() || d.hop == nil || d.hop.Dev == iif.Name {
		return nil
	}
	w.hop(router, iif, p, "its source %s is link-local, so it is not forwarded to another link", p.src)
	return w.noSource(from, p, lookup(from, flowOf(p, nil)))
}

// noSource is the cause why a namespace has no source address for an IPv6 packet.
func (w *walk) noSource(n *state.Namespace, p packet, d decision) *Cause {
	links := ordinary(n)
	if out := d.dev(n); out != nil {
		links = slices.Insert(links, 0, out)
	}
	for _, l := range links {
		for _, a := range l.Addresses {
			if a.Prefix.Addr().Is6() && !usable(a) &&
				a.Prefix.Addr().IsLinkLocalUnicast() == p.dst.IsLinkLocalUnicast() {
				return w.unusableAddress(port{n, l}, a)
			}
		}
	}
	return w.noAddress(n, p, ordinary(n))
}

func (w *walk) unusableAddress(at port, a state.Address) *Cause {
	if has(a.Flags, "dadfailed") {
		c := cause(causes.AddressDuplicate, at.n, at.l,
			"another host on the segment of %s in %s has %s: duplicate address detection failed", at.l.Name, at.n.Name,
			a.Prefix.Addr()).
			proof(addressShown(at.n, at.l, a)).deleteAddress(at, a.Prefix)
		w.giveAddress(c, at, 6)
		return c
	}
	return cause(causes.AddressTentative, at.n, at.l,
		"%s on %s in %s is tentative: it is unusable until duplicate address detection ends, 1 to 2 s after the link "+
			"comes up",
		a.Prefix.Addr(), at.l.Name, at.n.Name).
		proof(addressShown(at.n, at.l, a)).deleteAddress(at, a.Prefix).addAddress(at, a.Prefix)
}

func linkNames(n *state.Namespace) (names []string) {
	for i := range n.Links {
		names = append(names, n.Links[i].Name)
	}
	return names
}
