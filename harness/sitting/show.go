package sitting

import (
	"slices"

	"netnscheck/harness/sitting/page"
)

// View is what the learner sees now. The caller adds the State, if it was asked for.
func (s *Sitting) View() View {
	v := View{
		Scenario: s.sc.ID, Title: page.WithValues(s.sc, s.sc.Title), Kind: s.sc.Kind, Exam: s.options.Exam,
		Step: s.at + 1, Intro: s.part.Before, Prose: s.part.Prose, Answer: s.answer, Changed: slices.Clone(s.changed),
	}
	for i, step := range s.steps {
		shown := Step{Title: s.title(i), Done: step.Done, OutOf: s.worth[i], Hints: step.Helped(),
			Points: step.Earned(s.worth[i], 0), Solved: step.Solved, Checks: slices.Clone(step.checks)}
		if i == s.at && !step.Done {
			v.Looks = s.OnlyLooks()
			for c := range s.checks {
				shown.Checks = append(shown.Checks, s.check(c))
			}
		}
		v.Steps = append(v.Steps, shown)
		v.Points, v.OutOf = v.Points+shown.Points, v.OutOf+shown.OutOf
	}
	if s.at < len(s.steps) && !s.options.Exam {
		hints := s.sc.Steps[s.at].Hints
		told := s.steps[s.at].Hints
		for _, h := range hints[:told] {
			v.Hints = append(v.Hints, h.Text)
		}
		v.HintsLeft = len(hints) - told
	}
	return v
}

// check is a check of the current step. In an exam it has no reason. The author's word is about something that the
// learner did, so it is not said before the first command.
func (s *Sitting) check(i int) Check {
	of, known := s.sc.Steps[s.at].Checks[i], s.checks[i]
	c := Check{Text: of.Text, Status: known.status}
	if s.options.Exam || known.status == Holds {
		return c
	}
	c.Found = known.found
	if s.acted && known.status != Undecided {
		c.Fail = of.Fail.Text
	}
	return c
}
