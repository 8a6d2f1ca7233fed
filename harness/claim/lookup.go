package claim

import "net/netip"

// SendsTo is `N` sends packets for `D` to `G` (Via), or out of `X` (Out); From is the source address or not valid.
type SendsTo struct {
	Netns string
	Dest  netip.Addr
	From  netip.Addr
	Via   netip.Addr
	Out   string
}

func init() {
	add(Entry{
		Place: 150,
		Means: "what the kernel's own route look-up answers, with that source address if one is given",
		Forms: []Form{
			says("`N` sends packets for `10.0.9.1` to `10.0.0.1`", func(a arguments) Claim {
				return SendsTo{Netns: a.text(0), Dest: a.addr(1), Via: a.addr(2)}
			}),
			says("`N` sends packets for `10.0.9.1` out of `X`", func(a arguments) Claim {
				return SendsTo{Netns: a.text(0), Dest: a.addr(1), Out: a.text(2)}
			}),
			says("`N` sends packets from `10.30.2.2` for `10.0.9.1` to `10.0.0.1`", func(a arguments) Claim {
				return SendsTo{Netns: a.text(0), From: a.addr(1), Dest: a.addr(2), Via: a.addr(3)}
			}),
			says("`N` sends packets from `10.30.2.2` for `10.0.9.1` out of `X`", func(a arguments) Claim {
				return SendsTo{Netns: a.text(0), From: a.addr(1), Dest: a.addr(2), Out: a.text(3)}
			}),
		},
	})
}

func (c SendsTo) Sentence() string {
	s := say("%s sends packets", c.Netns)
	if c.From.IsValid() {
		s += say(" from %s", c.From)
	}
	s += say(" for %s", c.Dest)
	if c.Via.IsValid() {
		return s + say(" to %s", c.Via)
	}
	return s + say(" out of %s", c.Out)
}

func (c SendsTo) consistent() error { return sameFamily(c.From, c.Dest) }

func (c SendsTo) Needs() Needs {
	return Needs{Class: ByKernel, Question: Lookup{Netns: c.Netns, Dest: c.Dest, From: c.From, Out: c.Out}}
}

func (c SendsTo) Judge(known Evidence) Finding {
	r := known.Route
	holds := r.Refusal == "" && (c.Out == "" || r.Dev == r.Out)
	if c.Via.IsValid() {
		// Without a gateway the next hop is the destination.
		hop := r.Via
		if !hop.IsValid() {
			hop = c.Dest
		}
		holds = holds && hop.WithZone("") == c.Via.WithZone("")
	}
	return finding(holds, lookupWords(r))
}

func lookupWords(r Route) string {
	if r.Refusal != "" {
		return "the route look-up answers: " + r.Refusal
	}
	text := "the route look-up answers: " + word(r.Type == "unicast", "", r.Type+" ")
	if r.Via.IsValid() {
		text += "via " + r.Via.String() + " "
	}
	return text + "dev " + r.Dev
}

func (c SendsTo) Mutants() Mutants {
	return Mutants{
		Own: []Way{by(in(c.Netns, "route replace unreachable %s", c.Dest.WithZone(""))), divert(c.Netns, c.Dest),
			by(in(c.Netns, "link set %s down", c.Out)), by(in(c.Netns, "route flush table local")),
			by(in(c.Netns, "-6 route flush table local")), allDown(c.Netns)},
	}
}
