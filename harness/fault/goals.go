package fault

import (
	"net/netip"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Goals are what has to be true in the end: the checks of all steps that hold in the finished network, each once, in
// the order of the file. A ping alone proves little: with both ends of a cable in one namespace, or with one address on
// both, it gets an answer. So for all that is reached there is also the check that nothing is wrong on the way.
//
// Left out are checks of what has happened (counters and events), of traces of packets (neighbours, learned addresses),
// of what a program prints, of names that are alike, and of causes. A check that needs the kernel or the network is
// taken for true, unless the diagnosis knows better; a lab can tell (lab.Challenge).
func Goals(sc *scenario.Scenario, finished *state.State) []scenario.Check {
	var goals []scenario.Check
	add := func(c scenario.Check) {
		if !slices.ContainsFunc(goals, func(other scenario.Check) bool {
			return other.Claim.Sentence() == c.Claim.Sentence()
		}) {
			goals = append(goals, c)
		}
	}
	for _, step := range sc.Steps {
		for _, c := range step.Checks {
			if lasting(c.Claim) && mayHold(c.Claim, finished) {
				c.Before = false
				add(c)
			}
		}
	}
	for _, c := range slices.Clone(goals) {
		if q, ok := queryOf(c.Claim); ok && sound(finished, q) && oneVoice(finished, q) {
			sound := claim.NothingWrong{Inquiry: claim.Inquiry{Netns: q.From, Dest: q.To, From: q.Source, Bytes: q.Size,
				Port: int(q.Port)}}
			add(scenario.Check{Line: c.Line, Text: sound.Sentence(), Claim: sound})
		}
	}
	return goals
}

// oneVoice reports whether the namespaces at both ends of a path have one link in each network, and none that lies on
// another one. Of two, either answers for the addresses of the other (arp_ignore 0), and the diagnosis takes what the
// neighbours learn then for wrong.
func oneVoice(s *state.State, q diagnose.Query) bool {
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		if n.Name != q.From && !hasOwn(n, q.To) {
			continue
		}
		on := map[netip.Prefix]string{}
		for _, l := range n.Links {
			if l.Kind != "veth" && l.Peer != nil && l.Peer.Netns == n.Name {
				return false
			}
			for _, a := range l.Addresses {
				network := a.Prefix.Masked()
				if other, ok := on[network]; ok && other != l.Name && !network.Addr().IsLinkLocalUnicast() {
					return false
				}
				on[network] = l.Name
			}
		}
	}
	return true
}

// lasting reports whether a claim is about what a network is and does, at any time.
func lasting(c claim.Claim) bool {
	switch c.(type) {
	case claim.CauseIs, claim.NearestName:
		return false
	}
	switch needs := c.Needs(); needs.Class {
	case claim.BySince, claim.ByTraces:
		return false
	case claim.ByProgram:
		_, prints := needs.Question.(claim.Output)
		return !prints
	}
	return true
}

// mayHold reports whether a claim is true in a state, as far as that tells.
func mayHold(c claim.Claim, s *state.State) bool {
	if wrong, ok := c.(claim.NothingWrong); ok && !oneVoice(s, diagnose.Query{From: wrong.Netns, To: wrong.Dest}) {
		return false
	}
	needs := c.Needs()
	if needs.Question == nil {
		f := c.Judge(claim.Evidence{State: s})
		return f.Err == nil && f.Holds
	}
	if s.Namespace(needs.Question.Where()) == nil {
		return false
	}
	q, ok := queryOf(c)
	return !ok || diagnose.Diagnose(s, q).Cause == nil
}
