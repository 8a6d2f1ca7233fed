package lab

import (
	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// causeIs judges what the diagnosis names first; whether it stops the packet or the reply is the same to a claim.
func causeIs(s *state.State, c scenario.CauseIs) finding {
	r := diagnose.Diagnose(s, query(c.Question))
	named := r.Cause != nil && r.Cause.Name == c.Cause && r.Cause.Netns == c.On.Netns && r.Cause.Link == c.On.Name
	return finding{named, r.Sentence()}
}

// nothingWrong also wants a way to have been looked at: from an address that is not the namespace's own there is none.
func nothingWrong(s *state.State, c scenario.NothingWrong) finding {
	r := diagnose.Diagnose(s, query(c.Question))
	return finding{r.Cause == nil && len(r.Path) > 0, r.Sentence()}
}

func query(q scenario.Question) diagnose.Query {
	return diagnose.Query{From: q.Netns, Source: q.From, To: q.Dest, Size: q.Bytes, Port: uint16(q.Port)}
}
