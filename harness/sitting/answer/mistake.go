package answer

import (
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/state"
)

// trace is what is known of a mistake of the step.
type trace struct {
	mistake  *scenario.Mistake
	index    int
	commands []command
	// wrong are those of its commands that are no right ones.
	wrong []command
	// unfinished is set if it changes nothing that the step does not change, too: it is half of the right way.
	unfinished bool
}

func (s *search) traces() (all []trace) {
	for i := range s.step.Mistakes {
		m := &s.step.Mistakes[i]
		t := trace{mistake: m, index: i, commands: written(s.here(m.Blocks)), unfinished: true}
		for _, c := range t.commands {
			if c.among(s.known) && !c.refused {
				continue
			}
			t.wrong = append(t.wrong, c)
			if c.changes() || c.refused && !c.unanswered(1) {
				t.unfinished = false
			}
		}
		all = append(all, t)
	}
	return all
}

// mistake is one of the scenario's own: what the last command was, or what the state became with it.
func (s *search) mistake() *sitting.Answer {
	all := s.traces()
	for _, surely := range []func(trace) bool{
		// The command in the very words, or in the same way wrong as the lesson's, and refused as that is.
		func(t trace) bool { return s.refusedAs(t) },
		// A state that the right way never passes, which the last command led to.
		func(t trace) bool { return s.inState(t, s.After, s.Whole) && (s.Asked || s.arrived(t)) },
		// The command that goes wrong first.
		func(t trace) bool { return s.turned(t, all) },
		// A look at what is half done.
		func(t trace) bool { return s.looked(t) },
		func(t trace) bool { return s.Asked && t.unfinished && s.halfDone(t) && s.causes(t) },
	} {
		found := slices.DeleteFunc(slices.Clone(all), func(t trace) bool { return !surely(t) })
		if begun := slices.DeleteFunc(slices.Clone(found), func(t trace) bool { return !s.begun(t) }); len(begun) > 0 {
			found = begun
		}
		switch {
		case len(found) == 1:
			return s.tell(found[0])
		case len(found) > 1:
			return nil
		}
	}
	return nil
}

// tell is a mistake in the lesson's words.
func (s *search) tell(t trace) *sitting.Answer {
	var names []string
	for _, c := range t.wrong {
		for _, p := range ofCommand(c) {
			names = append(names, p.link)
		}
	}
	return &sitting.Answer{Kind: Mistake, Check: s.about(names...), Title: page.WithValues(s.Scenario, t.mistake.Title),
		Text: page.Mistake(s.Scenario, s.Step, t.index, s.Shown)}
}

// refusedAs reports whether the last command was refused, and a command of the mistake is, in the same words or because
// the same is wrong with it. A ping is no such command: it is the state that it tells of. Nor is one that the step has,
// refused as well.
func (s *search) refusedAs(t trace) bool {
	if s.sole == nil || s.Status == 0 || s.sole.unanswered(s.Status) ||
		slices.ContainsFunc(s.right, func(r command) bool { return r.refused && r.same(*s.sole) }) {
		return false
	}
	return slices.ContainsFunc(t.wrong, func(c command) bool {
		if !c.refused {
			return false
		}
		if c.same(*s.sole) {
			return true
		}
		wrong := shape(c, s.right)
		return wrong != "" && shape(*s.sole, s.right) == wrong
	})
}

// inState reports whether what the mistake's checks say, as far as a state tells it, holds in a state that is not one
// of the right way. A diagnosis counts if they say nothing else of that kind: it follows from what is wrong, but only
// once everything else is there.
func (s *search) inState(t trace, now *state.State, whole *state.State) bool {
	for _, diagnosed := range []bool{false, true} {
		sure := false
		for _, c := range t.mistake.Checks {
			if c.Before || (c.Claim.Needs().Class == claim.ByWhole) != diagnosed || !s.off(c.Claim) {
				continue
			}
			holds, decided := s.holds(c.Claim, now, whole)
			if decided && !holds {
				return false
			}
			sure = sure || holds
		}
		if sure {
			return true
		}
	}
	return false
}

// stuck reports whether the state is that of one of the step's mistakes.
func (s *search) stuck() bool {
	return slices.ContainsFunc(s.traces(), func(t trace) bool { return s.inState(t, s.After, s.Whole) })
}

// arrived reports whether the last command led to the state of the mistake, or is one of its wrong commands.
func (s *search) arrived(t trace) bool {
	if s.Before != nil && !s.inState(t, s.Before, s.Before) {
		return true
	}
	return slices.ContainsFunc(s.commands, func(c command) bool { return c.changes() && c.among(t.wrong) })
}

// turned reports whether the last command is the one with which the mistake leaves the right way. If it is a command of
// another mistake, too, only the state can tell them apart.
func (s *search) turned(t trace, all []trace) bool {
	first := slices.IndexFunc(t.wrong, func(c command) bool { return !c.refused && c.changes() })
	if first < 0 || s.sole == nil || s.Status != 0 {
		return false
	}
	last := *s.sole
	if !last.changes() || last.among(s.known) {
		return false
	}
	if !t.wrong[first].same(last) {
		wrong := shape(t.wrong[first], s.right)
		if wrong == "" || shape(last, s.right) != wrong {
			return false
		}
	}
	return !slices.ContainsFunc(all, func(other trace) bool {
		return other.index != t.index && last.among(other.wrong)
	})
}

// looked reports whether the last command is a ping of the mistake, in the state that the mistake is about.
func (s *search) looked(t trace) bool {
	if s.sole == nil || !s.sole.unanswered(s.Status) {
		return false
	}
	return slices.ContainsFunc(t.commands, func(c command) bool {
		return c.refused && c.pings(*s.sole)
	}) && s.halfDone(t)
}

// halfDone reports whether all that the mistake's checks say holds, as far as the state tells it. If the learner only
// asks, some of it must not have been so before the step.
func (s *search) halfDone(t trace) bool {
	known := false
	for _, c := range t.mistake.Checks {
		holds, decided := s.holds(c.Claim, s.After, s.Whole)
		if decided && !holds {
			return false
		}
		known = known || decided
	}
	return known && (s.begun(t) || s.sole != nil && s.sole.unanswered(s.Status))
}

// causes reports whether the mistake names the cause of something that the step's checks are about, and that is the
// cause.
func (s *search) causes(t trace) bool {
	return slices.ContainsFunc(t.mistake.Checks, func(c scenario.Check) bool {
		cause, ok := c.Claim.(claim.CauseIs)
		if !ok {
			return false
		}
		holds, _ := s.holds(cause, s.After, s.Whole)
		return holds && slices.ContainsFunc(s.step.Checks, func(own scenario.Check) bool {
			switch own := own.Claim.(type) {
			case claim.Reaches:
				return !own.Not && own.Netns == cause.Netns && own.Dest == cause.Dest && own.Bytes == cause.Bytes
			case claim.Connects:
				return own.Netns == cause.Netns && own.Dest == cause.Dest && own.Port == cause.Port
			case claim.NothingWrong:
				return own.Inquiry == cause.Inquiry
			}
			return false
		})
	})
}

// begun reports whether a check of the mistake that was false before the step holds, as far as the state tells it.
func (s *search) begun(t trace) bool {
	return slices.ContainsFunc(t.mistake.Checks, func(c scenario.Check) bool {
		holds, _ := s.holds(c.Claim, s.After, s.Whole)
		return holds && !c.Before
	})
}

// moves reports whether the mistake gives a link its address before it moves it.
func (t trace) moves() bool {
	given := map[string]bool{}
	for _, c := range t.commands {
		switch op := c.op.(type) {
		case operation.AddressChange:
			given[op.Dev] = given[op.Dev] || op.Verb != operation.Delete
		case operation.LinkSet:
			if op.Netns != "" && given[op.Name] {
				return true
			}
		}
	}
	return false
}
