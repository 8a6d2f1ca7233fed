package claim

import (
	"errors"
	"fmt"
	"net/netip"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/nearest"
	"netnscheck/harness/state"
)

type (
	// CauseIs is the cause from `N` to `D` is `cause` on `X` in `M`; On.Name is "" for a cause in the namespace `M`.
	CauseIs struct {
		Inquiry
		Cause causes.Cause
		On    Iface
	}
	// NothingWrong is nothing is wrong from `N` to `D`.
	NothingWrong struct{ Inquiry }
)

// Inquiry is a question to the diagnosis: the path of an echo from `N` to `D`, with a source address (From valid) and a
// payload with DF set (Bytes > 0), or the path of a TCP connection (Port > 0).
type Inquiry struct {
	Netns string
	Dest  netip.Addr
	From  netip.Addr
	Bytes int
	Port  int
}

// The two claims share one entry, since they ask alike.
func init() {
	const path = "from `N` to `192.168.2.103` [from `10.30.2.2`] [with `1472` bytes unfragmented] [on TCP port `80`]"
	inquiry := func(a arguments) Inquiry {
		return Inquiry{Netns: a.text(0), Dest: a.addr(1), From: a.addr(2), Bytes: a.int(3), Port: a.int(4)}
	}
	cause := func(a arguments, on Iface) Claim {
		return CauseIs{Inquiry: inquiry(a), Cause: a[5].(causes.Cause), On: on}
	}
	add(Entry{
		Place: 280,
		Means: "the diagnosis; a cause on the reply path is named in the same words; " +
			"`nothing is wrong` means no cause on the path, remarks do not count",
		Forms: []Form{
			says("the cause "+path+" is `link-down` on `X` in `M`", func(a arguments) Claim {
				return cause(a, a.iface(6))
			}),
			says("the cause "+path+" is `link-down` in `M`", func(a arguments) Claim {
				return cause(a, Iface{Netns: a.text(6)})
			}),
			denies("nothing is wrong "+path, func(a arguments) Claim { return NothingWrong{inquiry(a)} }),
		},
		Slots: map[string]Slot{"link-down": {causeWord.What, readCause}},
	})
}

var causeWord = matching(`^[a-z0-9]+(-[a-z0-9]+)*$`, "a cause such as link-down")

func readCause(text string) (any, error) {
	if _, err := causeWord.read(text); err != nil {
		return nil, err
	}
	c, ok := causes.Parse(text)
	if !ok {
		return nil, fmt.Errorf("unknown cause %q%s", text, nearest.DidYouMean(text, causes.Words()))
	}
	return c, nil
}

func (c CauseIs) Sentence() string {
	s := "the cause " + c.words() + say(" is %s", c.Cause)
	if c.On.Name != "" {
		return s + " on " + c.On.in()
	}
	return s + say(" in %s", c.On.Netns)
}

func (c NothingWrong) Sentence() string { return "nothing is wrong " + c.words() }

func (q Inquiry) words() string {
	s := say("from %s to %s", q.Netns, q.Dest)
	if q.From.IsValid() {
		s += say(" from %s", q.From)
	}
	if q.Bytes > 0 {
		s += say(" with %s bytes unfragmented", q.Bytes)
	}
	if q.Port > 0 {
		s += say(" on TCP port %s", q.Port)
	}
	return s
}

func (q Inquiry) consistent() error {
	if q.Bytes > 0 && q.Port > 0 {
		return errors.New("bytes unfragmented are those of an echo, and a TCP port has none: leave one out")
	}
	return sameFamily(q.From, q.Dest)
}

// Needs are the needs of both claims.
func (q Inquiry) Needs() Needs { return Needs{Class: ByWhole} }

func (q Inquiry) unsettledBy(s *state.State, p state.Pending) bool { return onTheWay(q.Dest, s, p) }

func (q Inquiry) diagnose(known Evidence) diagnose.Report {
	return diagnose.Witnessed(
		known.State,
		diagnose.Query{From: q.Netns, Source: q.From, To: q.Dest, Size: q.Bytes, Port: uint16(q.Port)},
		known.Witness,
	)
}

// Judge compares the first cause of the diagnosis, whether it stops the packet or the reply.
func (c CauseIs) Judge(known Evidence) Finding {
	r := c.diagnose(known)
	named := r.Cause != nil && r.Cause.Name == c.Cause && r.Cause.Netns == c.On.Netns && r.Cause.Link == c.On.Name
	return finding(named, r.Sentence())
}

// Judge also requires that there was a path to examine: from an address of another namespace there is none.
func (c NothingWrong) Judge(known Evidence) Finding {
	r := c.diagnose(known)
	return finding(r.Cause == nil && len(r.Path) > 0, r.Sentence())
}

// Mutants add an earlier cause, or remove all causes. Some causes lie in the question, whatever the state is.
func (c CauseIs) Mutants() Mutants {
	ways := []Way{by(in(c.Netns, "route replace prohibit %s", c.Dest.WithZone(""))), divert(c.Netns, c.Dest)}
	for _, lines := range own(c.Netns, c.Dest) {
		ways = append(ways, by(lines...))
	}
	return Mutants{Own: ways, Gone: withoutNetns(c.Netns)}
}

func (c NothingWrong) Mutants() Mutants { return Mutants{Own: cutOff(c.Netns, c.Dest)} }
