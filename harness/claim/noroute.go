package claim

import "net/netip"

// NoRouteTo is `N` has no route to `D`.
type NoRouteTo struct {
	Netns string
	Dest  netip.Addr
	Packet
}

func init() {
	add(Entry{
		Place: 160,
		Means: "the look-up answers ENETUNREACH (an unreachable, prohibit or blackhole route is another answer); a " +
			"source that is no address of `N` is not answered so, unless the packets arrive",
		Forms: []Form{
			denies("`N` has no route to `10.0.9.1` [from `10.30.2.2`]"+asked, func(a arguments) Claim {
				return NoRouteTo{Netns: a.text(0), Dest: a.addr(1), Packet: packet(a.addr(2), a, 3)}
			}),
		},
		Slots: askedSlots,
	})
}

func (c NoRouteTo) Sentence() string {
	return say("%s has no route to %s", c.Netns, c.Dest) + c.source() + c.words()
}

func (c NoRouteTo) consistent() error { return c.Packet.consistent(c.Dest) }

func (c NoRouteTo) Needs() Needs {
	return Needs{Class: ByKernel, Question: Lookup{Netns: c.Netns, Dest: c.Dest, Packet: c.Packet}}
}

func (c NoRouteTo) Judge(known Evidence) Finding {
	return known.arriving(c.Netns, c.Packet, func(r Route) Finding { return finding(r.None, lookupWords(r)) })
}

func (c NoRouteTo) Mutants() Mutants {
	up := in(c.Netns, "link set lo up")
	return Mutants{Own: []Way{
		by(up, in(c.Netns, "route replace %s dev lo", c.Dest.WithZone(""))),
		by(
			up,
			in(c.Netns, "route replace %s dev lo table 77", c.Dest.WithZone("")),
			family(c.Dest, c.Netns, "rule add priority 1 lookup 77"),
		),
	}}
}
