package claim

import (
	"net/netip"

	"netnscheck/harness/diagnose"
)

// Connects is `N` connects to `D` on TCP port `P`. Outcome "" means that it connects; "refused", "silence" or "any" are
// the negative form.
type Connects struct {
	Netns   string
	Dest    netip.Addr
	Port    int
	Outcome ConnectOutcome
}

// ConnectOutcome is how an attempt ended to connect by TCP, or to get an answer by UDP.
type ConnectOutcome string

const (
	ConnectOK      ConnectOutcome = ""
	ConnectRefused ConnectOutcome = "refused"
	ConnectSilence ConnectOutcome = "silence"
	ConnectNot     ConnectOutcome = "any"
)

// inBrackets is the end of a sentence about the outcome.
func (o ConnectOutcome) inBrackets() string {
	if o == ConnectRefused || o == ConnectSilence {
		return say(" (%s)", o)
	}
	return ""
}

// class is ByAnswer also for what is refused: a reset or an ICMP error is an answer of the network.
func (o ConnectOutcome) class() Class {
	if o == ConnectOK || o == ConnectRefused {
		return ByAnswer
	}
	return BySilence
}

func init() {
	ending := func(o ConnectOutcome) func(a arguments) Claim {
		return func(a arguments) Claim {
			return Connects{Netns: a.text(0), Dest: a.addr(1), Port: a.int(2), Outcome: o}
		}
	}
	add(Entry{
		Place: 200,
		Means: "a connection of the harness's own; `refused` is an answer that says so, `silence` none at all",
		Forms: []Form{
			says("`N` connects to `192.168.2.103` on TCP port `80`", ending(ConnectOK)),
			denies("`N` does not connect to `192.168.2.103` on TCP port `80`", ending(ConnectNot)),
			denies("`N` does not connect to `192.168.2.103` on TCP port `80` (`refused`)", ending(ConnectRefused)),
			denies("`N` does not connect to `192.168.2.103` on TCP port `80` (`silence`)", ending(ConnectSilence)),
		},
		Fixed: []string{"refused", "silence"},
	})
}

func (c Connects) Sentence() string {
	return say("%s", c.Netns) + either(c.Outcome != ConnectOK, " does not connect to ", " connects to ") +
		say("%s on TCP port %s", c.Dest, c.Port) + c.Outcome.inBrackets()
}

func (c Connects) Needs() Needs {
	return Needs{Class: c.Outcome.class(), Question: Connect{Netns: c.Netns, Dest: c.Dest, Port: c.Port}}
}

func (c Connects) Judge(known Evidence) Finding {
	return finding(known.Heard.ended(c.Outcome), known.Heard.Found)
}

// ended reports whether an attempt ended so.
func (h Heard) ended(o ConnectOutcome) bool {
	switch o {
	case ConnectOK:
		return h.Answered
	case ConnectRefused:
		return h.Refused
	case ConnectSilence:
		return h.Silence
	}
	return !h.Answered
}

// Unreached is the query for a diagnosis if the claim is false.
func (c Connects) Unreached() (diagnose.Query, bool) {
	return diagnose.Query{From: c.Netns, To: c.Dest, Port: uint16(c.Port)}, c.Outcome == ConnectOK
}

func (c Connects) Mutants() Mutants {
	ways := []Way{
		by(in(c.Netns, "route replace prohibit %s", c.Dest)),
		divert(c.Netns, c.Dest),
		by(in(c.Netns, "link set lo down")),
	}
	switch c.Outcome {
	case ConnectNot:
		serve := execIn(c.Netns, "sh -c 'busybox nc -ll -p %d -e true >/dev/null 2>&1 &'", c.Port)
		ways = nil
		for _, lines := range own(c.Netns, c.Dest) {
			ways = append(ways, by(append([]string{serve}, lines...)...))
		}
	case ConnectSilence:
		for _, lines := range own(c.Netns, c.Dest) {
			ways = append(ways, by(lines...))
		}
	}
	return Mutants{Own: append(ways, allDown(c.Netns))}
}
