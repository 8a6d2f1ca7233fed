// Package testimony puts what the kernel said of a probe beside a diagnosis: whether the packets that it dropped while
// the probe was on its way were dropped for the cause that was named. It is pure: it hears nothing itself, and any
// package may import it. It never changes a diagnosis.
package testimony

import (
	"fmt"
	"slices"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
)

// Drop is a packet of the probe, of its answer or of an ICMP error about them that the kernel dropped, or a request for
// a neighbour, for which they wait.
type Drop struct {
	Reason    string `json:"reason"`
	Place     string `json:"place,omitempty"` // the function of the kernel; "" if it does not tell
	Netns     string `json:"netns"`
	Link      string `json:"link,omitempty"`
	Neighbour bool   `json:"neighbour,omitempty"` // a request for a neighbour, or its answer
	Error     bool   `json:"error,omitempty"`     // an ICMP error about a packet
	Times     int    `json:"times"`
}

func (d Drop) String() string {
	text := d.Reason
	if d.Place != "" {
		text += " in " + d.Place
	}
	text += ", in " + d.Netns
	switch {
	case d.Neighbour:
		text += ", of a request for a neighbour"
	case d.Error:
		text += ", of an ICMP error"
	}
	return text
}

// Heard is what became of a probe.
type Heard struct {
	Answered bool
	// Errno is the error with which the kernel refused to send, such as ENETUNREACH; "" for none.
	Errno string
	// Unsent is set if nothing was sent because the outgoing link has no carrier.
	Unsent bool
	Drops  []Drop
}

// Verdict is the result of the comparison.
type Verdict string

// The verdicts.
const (
	Agrees      Verdict = "agrees"
	Contradicts Verdict = "contradicts"
	// Silent: the kernel dropped nothing of which it told.
	Silent Verdict = "silent"
	// Open: it dropped something, and there is no diagnosis that this could confirm or contradict.
	Open Verdict = "open"
)

// Testimony is a verdict, and what it rests on.
type Testimony struct {
	Verdict Verdict
	Says    string
}

// Of compares what was heard with a diagnosis.
func Of(r *diagnose.Report, h Heard) Testimony {
	if c := r.Cause; c != nil {
		return ofCause(c, h)
	}
	stopped := against(h)
	switch {
	case stopped == "":
		return Testimony{Silent, "the kernel dropped nothing"}
	case h.Answered || len(r.Doubts) > 0:
		return Testimony{Open, stopped}
	}
	return Testimony{Contradicts, stopped}
}

func ofCause(c *diagnose.Cause, h Heard) Testimony {
	sign := c.Name.Sign()
	if d, ok := fitting(c, h.Drops); ok {
		return Testimony{Agrees, d.String()}
	}
	stopped := against(h)
	switch {
	case slices.Contains(sign.Errnos, h.Errno), h.Unsent && sign.Unsent:
		return Testimony{Agrees, refusal(h)}
	case stopped == "" && h.Answered:
		return Testimony{Silent, "the kernel dropped nothing"}
	case stopped == "" && (sign.Silent || c.Reply && len(sign.Errnos) > 0):
		return Testimony{Silent, "the kernel dropped nothing, as is usual of " + c.Name.String()}
	case stopped == "":
		return Testimony{Silent, "the kernel dropped nothing, where it usually would"}
	case h.Answered || c.Part || c.Passes:
		return Testimony{Open, stopped}
	}
	return Testimony{Contradicts, stopped}
}

// Suffices reports whether what was heard needs no more to be understood: a drop fits the cause, or, without a cause,
// one stops the packet.
func Suffices(r *diagnose.Report, heard []Drop) bool {
	if r.Cause != nil {
		_, fits := fitting(r.Cause, heard)
		return fits
	}
	return slices.ContainsFunc(heard, Drop.stops)
}

// fitting is the drop that shows a cause best: first one in its namespace, then what follows from it elsewhere.
func fitting(c *diagnose.Cause, heard []Drop) (Drop, bool) {
	sign := c.Name.Sign()
	for _, among := range []struct {
		signs []causes.Drop
		here  bool
	}{{sign.Here, true}, {sign.Elsewhere, false}} {
		for _, d := range heard {
			if (d.Netns == c.Netns || !among.here) && slices.ContainsFunc(among.signs, d.is) {
				return d, true
			}
		}
	}
	return Drop{}, false
}

// is reports whether it is the drop of a sign. Where the kernel hides its addresses there is no place: then the reason
// must do, unless it says nothing.
func (d Drop) is(s causes.Drop) bool {
	return d.Reason == s.Reason && (s.Place == "" || d.Place == s.Place || d.Place == "" && d.Reason != "NOT_SPECIFIED")
}

// against is what kept the probe from getting through, in words; "" if the kernel told of nothing.
func against(h Heard) string {
	for _, d := range h.Drops {
		if d.stops() {
			return d.String()
		}
	}
	return refusal(h)
}

// refusal is why there was no packet, in words.
func refusal(h Heard) string {
	switch {
	case h.Errno != "":
		return fmt.Sprintf("the kernel answers %s, without a drop", h.Errno)
	case h.Unsent:
		return "nothing was sent: the outgoing link has no carrier"
	}
	return ""
}

// noLoss are reasons that say nothing of a loss: copies are dropped where they are not wanted, and what has no reason
// may have been used up.
var noLoss = []string{"NOT_SPECIFIED", "SKB_CONSUMED", "OTHERHOST"}

// stops reports whether the packet is lost with it. A request for a neighbour is sent again, and goes to everybody; an
// error tells of a packet that is lost already.
func (d Drop) stops() bool {
	return !d.Neighbour && !d.Error && !slices.Contains(noLoss, d.Reason)
}
