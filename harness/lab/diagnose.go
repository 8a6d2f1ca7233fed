package lab

import (
	"net/netip"
	"strings"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// causeIs judges what the diagnosis names first; whether it stops the packet or the reply is the same to a claim.
func causeIs(s *state.State, c scenario.CauseIs) finding {
	r := diagnose.Diagnose(s, diagnose.Query{From: c.Netns, To: c.Dest})
	named := r.Cause != nil && r.Cause.Name == c.Cause && r.Cause.Netns == c.Iface.Netns && r.Cause.Link == c.Iface.Name
	return finding{named, causeWords(r)}
}

func nothingWrong(s *state.State, netns string, dest netip.Addr) finding {
	r := diagnose.Diagnose(s, diagnose.Query{From: netns, To: dest})
	return finding{r.Cause == nil, causeWords(r)}
}

// causeWords tells the cause, its place and its sentence, and what the diagnosis could not know.
func causeWords(r diagnose.Report) string {
	words := "the diagnosis finds no cause"
	if c := r.Cause; c != nil {
		words = "the cause is " + c.Name + ", " + c.Place() + ": " + c.Says
	}
	if len(r.Doubts) > 0 {
		words += " (in doubt: " + strings.Join(r.Doubts, "; ") + ")"
	}
	return words
}
