package faults

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// LocalRouteMissing: the route of the type local, which the kernel adds with an address, is gone.
func LocalRouteMissing(at facts.Port, a state.Address) *finding.Cause {
	addr := a.Prefix.Addr()
	c := finding.New(causes.ConnectedRouteMissing, at.N, at.L,
		"%s in %s has the address %s, but there is no route of the type local for it, so %s does not deliver packets "+
			"for it",
		at.L.Name, at.N.Name, addr, at.N.Name).
		Proof(words.AddressShown(at.N, at.L, a), words.IP(at.N, "%sroute show table local",
			words.Six(facts.FamilyOf(addr)))+": nothing for "+
			addr.String())
	command := words.IP(at.N, "route add local %s dev %s table local proto kernel scope host src %s", addr, at.L.Name,
		addr)
	if addr.Is6() {
		command = words.IP(at.N, "-6 route add local %s dev %s table local proto kernel metric 0", addr, at.L.Name)
	}
	return c.Fix(command).Then(func(k *finding.Sketch) {
		n := k.Netns(at.N.Name)
		n.Routes = append(n.Routes, finding.LocalRoute(at.L, addr))
	})
}

func AddressOnPort(holder, bridge facts.Port, addr netip.Addr) *finding.Cause {
	c := finding.New(causes.AddressOnPort, holder.N, holder.L,
		"%s is on %s in %s, which is a port of %s: the bridge, not its port, delivers packets to IP", addr,
		holder.L.Name, holder.N.Name, bridge.L.Name).
		Proof(words.LinkShown(holder.N, holder.L))
	if a, ok := facts.AddressOf(holder.L, addr); ok {
		c.Proof(words.AddressShown(holder.N, holder.L, a)).DeleteAddress(holder, a.Prefix).AddAddress(bridge, a.Prefix)
	}
	return c
}

// OfPort reports whether a port of a bridge has a MAC address: the bridge receives frames for it too.
func OfPort(bridge facts.Port, mac string) bool {
	return slices.ContainsFunc(facts.Ports(bridge.N, bridge.L), func(q *state.Link) bool {
		return strings.EqualFold(q.MAC, mac)
	})
}

// FreshMAC is a locally administered address made of the indexes of the two links.
func FreshMAC(a, b facts.Port) string {
	const hex = "0123456789abcdef"
	digits := func(n int) string { return string([]byte{hex[n>>4&15], hex[n&15]}) }
	return "02:00:5e:" + digits(int(b.N.Inode)>>8) + ":" + digits(int(b.N.Inode)) + ":" + digits(b.L.Index+a.L.Index)
}

// DuplicateAddress is the cause for an address that two links have. It is taken from the one that has no use for it as
// a port of a bridge, or keeps another address while the other one would have none left; in doubt from the second one.
func DuplicateAddress(other, first facts.Port, addr netip.Addr) *finding.Cause {
	family := facts.FamilyOf(addr)
	if first.L.Port != nil && other.L.Port == nil || (first.L.Port == nil) == (other.L.Port == nil) &&
		len(facts.Addresses(first.L, family)) > 1 && len(facts.Addresses(other.L, family)) == 1 {
		other, first = first, other
	}
	c := finding.New(causes.DuplicateAddress, other.N, other.L, "%s is on %s in %s and on %s in %s, on one segment",
		addr,
		first.L.Name, first.N.Name, other.L.Name, other.N.Name)
	for _, o := range []facts.Port{first, other} {
		for _, a := range o.L.Addresses {
			if a.Prefix.Addr() == addr.WithZone("") {
				c.Proof(words.AddressShown(o.N, o.L, a))
				if o == other {
					c.Fix(words.IP(o.N, "addr del %s dev %s", a.Prefix, o.L.Name))
				}
			}
		}
	}
	return c
}

// Mute is the cause for a link with IPv6 off; the kernel removed its IPv6 addresses then.
func Mute(m *topology.Map, at facts.Port) *finding.Cause {
	c := finding.New(causes.IPv6Disabled, at.N, at.L, "IPv6 is off on %s in %s", at.L.Name, at.N.Name)
	if at.L.MTU < 1280 {
		c.Proof(words.LinkShown(at.N, at.L) + " (IPv6 needs 1280: RFC 8200, section 5)")
	} else {
		c.Proof(words.SysctlShown(at.N, facts.OfLink(6, at.L.Name, "disable_ipv6")))
	}
	if lost := repair.AddressFor(m, at, 6); lost.IsValid() && len(facts.Addresses(at.L, 6)) == 0 {
		return c.AddAddress(at, lost)
	}
	return c.Speak6(at)
}

func UnusableAddress(m *topology.Map, at facts.Port, a state.Address) *finding.Cause {
	if facts.Has(a.Flags, "dadfailed") {
		c := finding.New(causes.AddressDuplicate, at.N, at.L,
			"another host on the segment of %s in %s has %s: duplicate address detection failed", at.L.Name, at.N.Name,
			a.Prefix.Addr()).
			Proof(words.AddressShown(at.N, at.L, a)).DeleteAddress(at, a.Prefix)
		repair.GiveAddress(m, c, at, 6)
		return c
	}
	return finding.New(causes.AddressTentative, at.N, at.L,
		"%s on %s in %s is tentative: it is unusable until duplicate address detection ends, 1 to 2 s after the link "+
			"comes up",
		a.Prefix.Addr(), at.L.Name, at.N.Name).
		Proof(words.AddressShown(at.N, at.L, a)).DeleteAddress(at, a.Prefix).AddAddress(at, a.Prefix)
}
