package claim

import (
	"net/netip"

	"netnscheck/harness/diagnose"
)

// Reaches is `N` reaches `D`, with a source address (From valid) and a payload with DF set (Bytes > 0). Dest may have a
// zone, an interface name.
type Reaches struct {
	Netns string
	Dest  netip.Addr
	From  netip.Addr
	Bytes int
	Not   bool
}

func init() {
	const asked = " [from `10.30.2.2`] [with `1472` bytes unfragmented]"
	add(Entry{
		Place: 190,
		Means: "ICMP echo, both address families, `fe80::1%X` for link-local; " +
			"with that source address if one is given; bytes are the payload, with DF set",
		Forms: []Form{
			says("`N` reaches `192.168.2.103`"+asked, func(a arguments) Claim { return reaches(a, false) }),
			denies("`N` does not reach `192.168.2.103`"+asked, func(a arguments) Claim { return reaches(a, true) }),
		},
	})
}

func reaches(a arguments, not bool) Claim {
	return Reaches{Netns: a.text(0), Dest: a.addr(1), From: a.addr(2), Bytes: a.int(3), Not: not}
}

func (c Reaches) Sentence() string {
	s := say("%s", c.Netns) + either(c.Not, " does not reach ", " reaches ") + say("%s", c.Dest)
	if c.From.IsValid() {
		s += say(" from %s", c.From)
	}
	if c.Bytes > 0 {
		s += say(" with %s bytes unfragmented", c.Bytes)
	}
	return s
}

func (c Reaches) consistent() error { return sameFamily(c.From, c.Dest) }

func (c Reaches) Needs() Needs {
	q := Echo{Netns: c.Netns, Dest: c.Dest, From: c.From, Bytes: c.Bytes}
	if c.Not {
		return Needs{Class: BySilence, Question: q}
	}
	return Needs{Class: ByAnswer, Question: q, Settles: true}
}

func (c Reaches) Judge(known Evidence) Finding {
	return finding(known.Heard.Answered != c.Not, known.Heard.Found)
}

// Unreached is the query for a diagnosis if the claim is false.
func (c Reaches) Unreached() (diagnose.Query, bool) {
	return diagnose.Query{From: c.Netns, Source: c.From, To: c.Dest, Size: c.Bytes}, !c.Not
}

func (c Reaches) Mutants() Mutants {
	var ways []Way
	if c.Not {
		for _, lines := range own(c.Netns, c.Dest) {
			ways = append(ways, by(lines...))
		}
	} else {
		ways = cutOff(c.Netns, c.Dest)
	}
	return Mutants{Own: append(ways, allDown(c.Netns))}
}
