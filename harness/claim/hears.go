package claim

import "net/netip"

// Hears is `N` hears an answer from `D` on UDP port `P`. Outcome "" means that it does; "refused", "silence" or "any"
// are the negative form.
type Hears struct {
	Netns   string
	Dest    netip.Addr
	Port    int
	Outcome ConnectOutcome
}

func init() {
	ending := func(o ConnectOutcome) func(a arguments) Claim {
		return func(a arguments) Claim {
			return Hears{Netns: a.text(0), Dest: a.addr(1), Port: a.int(2), Outcome: o}
		}
	}
	add(Entry{
		Place: 202,
		Means: "one datagram of the harness's own, on port 53 a DNS query, and one that comes back from that address " +
			"and port; an ICMP error is no answer: `refused` is port unreachable, `silence` neither",
		Forms: []Form{
			says("`N` hears an answer from `10.0.0.1` on UDP port `53`", ending(ConnectOK)),
			denies("`N` hears no answer from `10.0.0.1` on UDP port `53`", ending(ConnectNot)),
			denies("`N` hears no answer from `10.0.0.1` on UDP port `53` (`refused`)", ending(ConnectRefused)),
			denies("`N` hears no answer from `10.0.0.1` on UDP port `53` (`silence`)", ending(ConnectSilence)),
		},
		Slots: map[string]Slot{"10.0.0.1": scopedAddr, "53": udpPort},
		Fixed: []string{"refused", "silence"},
	})
}

func (c Hears) Sentence() string {
	return say("%s", c.Netns) + either(c.Outcome != ConnectOK, " hears no answer from ", " hears an answer from ") +
		say("%s on UDP port %s", c.Dest, c.Port) + c.Outcome.inBrackets()
}

func (c Hears) Needs() Needs {
	return Needs{Class: c.Outcome.class(), Question: Datagram{Netns: c.Netns, Dest: c.Dest, Port: c.Port}}
}

func (c Hears) Judge(known Evidence) Finding {
	return finding(known.Heard.ended(c.Outcome), known.Heard.Found)
}

// Mutants of a negative claim give the namespace the address itself, and a program that answers.
func (c Hears) Mutants() Mutants {
	ways := []Way{
		by(in(c.Netns, "route replace prohibit %s", c.Dest.WithZone(""))),
		divert(c.Netns, c.Dest),
		by(in(c.Netns, "link set lo down")),
	}
	switch c.Outcome {
	case ConnectNot:
		serve := execIn(c.Netns,
			`perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(Proto => "udp", LocalHost => "::", `+
				`LocalPort => %d, V6Only => 0) or die; fork and exit; close STDOUT; close STDERR; `+
				`$s->send($b) while $s->recv($b, 1500)'`, c.Port)
		ways = nil
		for _, lines := range own(c.Netns, c.Dest) {
			ways = append(ways, by(append([]string{serve}, lines...)...))
		}
	case ConnectSilence:
		ways = nil
		for _, lines := range own(c.Netns, c.Dest) {
			ways = append(ways, by(lines...))
		}
	}
	return Mutants{Own: append(ways, allDown(c.Netns))}
}
