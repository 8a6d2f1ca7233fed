package fault

import (
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Goals are what has to be true in the end: the checks of all steps that hold in the finished network, each once, in
// the order of the file. A ping alone proves little: with both ends of a cable in one namespace, or with one address on
// both, it gets an answer. So for all that is reached there is also the check that nothing is wrong on the way, which
// is that of the finished network.
//
// Left out are checks of what has happened (counters and events), of traces of packets (neighbours, learned addresses),
// of what a program prints, of names that are alike, and of causes. A check that needs the kernel or the network is
// taken for true, unless the state or its diagnosis knows better; a lab can tell (lab.Challenge).
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
				if wrong, ok := c.Claim.(claim.NothingWrong); ok {
					c.Claim = soundPath{wrong, finished}
				}
				c.Before = false
				add(c)
			}
		}
	}
	for _, c := range slices.Clone(goals) {
		if q, ok := queryOf(c.Claim); ok && sound(finished, q) {
			whole := soundPath{claim.NothingWrong{Inquiry: claim.Inquiry{Netns: q.From, Dest: q.To, From: q.Source,
				Bytes: q.Size, Port: int(q.Port)}}, finished}
			add(scenario.Check{Line: c.Line, Text: whole.Sentence(), Claim: whole})
		}
	}
	return goals
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

// Foretold reports whether a state foretells the claims of this kind among Goals: it decides them, or the diagnosis of
// it does. Whether the others hold, only a lab tells.
func Foretold(c claim.Claim) bool {
	_, reached := queryOf(c)
	return reached || c.Needs().Question == nil
}

// mayHold reports whether a claim is true in a state, as far as that tells.
func mayHold(c claim.Claim, s *state.State) bool {
	needs := c.Needs()
	if needs.Question == nil {
		f := c.Judge(claim.Evidence{State: s})
		return f.Err == nil && f.Holds
	}
	n := s.Namespace(needs.Question.Where())
	if n == nil {
		return false
	}
	if setting, ok := c.(claim.SysctlIs); ok {
		was := sysctlOf(n, setting.Key)
		return was == "" || (was == setting.Value) != setting.Not
	}
	q, ok := queryOf(c)
	return !ok || diagnose.Diagnose(s, q).Cause == nil
}
