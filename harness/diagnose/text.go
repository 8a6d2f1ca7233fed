package diagnose

import (
	"fmt"
	"strings"
)

// transport is the protocol of the port.
func (q *Query) transport() string {
	if q.UDP {
		return "udp"
	}
	return "tcp"
}

// Headline says in a sentence whether the namespace reaches the address.
func (r *Report) Headline() string {
	what := r.To.String()
	if r.Source.IsValid() {
		what += " from " + r.Source.String()
	}
	switch {
	case r.Port != 0:
		what += fmt.Sprintf(" on %s port %d", strings.ToUpper(r.transport()), r.Port)
	case r.Size != 0:
		what += fmt.Sprintf(" with %d bytes of data", r.Size)
	}
	switch {
	case r.Cause != nil && r.Cause.Part:
		return r.From + " reaches " + what + " with only a part of its flows"
	case r.Cause != nil && r.Cause.Reply:
		return r.From + " reaches " + what + ", but the reply does not come back"
	case r.Cause != nil:
		return r.From + " does not reach " + what
	case len(r.Doubts) > 0 && len(r.Path) == 0:
		return "whether " + r.From + " reaches " + what + " could not be judged"
	case len(r.Doubts) > 0:
		return "whether " + r.From + " reaches " + what + " could not be judged; as far as is known nothing is wrong"
	}
	return "nothing keeps " + r.From + " from reaching " + what
}

// Text is the whole answer for people: the headline, the path, the cause with its evidence and repair, what else is
// wrong, and the doubts.
func (r *Report) Text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", r.Headline())
	for _, h := range r.Path {
		way, place, decision := "->", h.Netns, h.Decision
		if h.Reply {
			way = "<-"
		}
		if h.Link != "" {
			place += "  " + h.Link
		}
		if h.Stop {
			way, decision = "x ", decision+" (stopped here)"
		}
		line("  %s %s: %s", way, place, decision)
	}
	for _, l := range r.Cause.Lines() {
		line("%s", l)
	}
	for _, c := range r.Then {
		for _, l := range c.Lines() {
			line("%s", strings.Replace(l, "cause: ", "then:  ", 1))
		}
	}
	for i := range r.Also {
		c := &r.Also[i]
		line("also:     %s: %s: %s", c.Name, c.Place(), c.Says)
	}
	for _, d := range r.Doubts {
		line("in doubt: %s", d)
	}
	for _, u := range r.Unread {
		line("not read: %s", u)
	}
	return b.String()
}
