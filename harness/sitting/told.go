package sitting

import (
	"errors"
	"fmt"

	"netnscheck/harness/scenario"
)

// errExam is why a learner is told nothing in an exam.
var errExam = errors.New("this is an exam")

// Hint tells the next hint of the current step, as Markdown, and counts it.
func (s *Sitting) Hint() (string, error) {
	const what = "give a hint"
	switch {
	case s.options.Exam:
		return "", fmt.Errorf("%s: %w", what, errExam)
	case s.at == len(s.steps):
		return "", fmt.Errorf("%s: all steps are done", what)
	case s.steps[s.at].Done:
		return "", fmt.Errorf("%s: step %d is done", what, s.at+1)
	}
	step, hints := &s.steps[s.at], s.sc.Steps[s.at].Hints
	switch {
	case len(hints) == 0:
		return "", fmt.Errorf("%s: step %d has none", what, s.at+1)
	case step.Hints == len(hints):
		return "", fmt.Errorf("%s: step %d has no more, there were %d", what, s.at+1, len(hints))
	}
	step.Hints++
	return hints[step.Hints-1].Text, nil
}

// Solve records that the current step is solved for the learner, who then gets no points for it. The caller runs the
// commands, and judges.
func (s *Sitting) Solve() error {
	const what = "solve the step"
	switch {
	case s.options.Exam:
		return fmt.Errorf("%s: %w", what, errExam)
	case s.at == len(s.steps):
		return fmt.Errorf("%s: all are done", what)
	case s.steps[s.at].Done:
		return fmt.Errorf("%s: step %d is done", what, s.at+1)
	}
	s.steps[s.at].Solved = true
	return nil
}

// Explain reports why the learner may not be told reasons, causes and repairs; nil if he may.
func (s *Sitting) Explain() error {
	if s.options.Exam {
		return fmt.Errorf("explain: %w", errExam)
	}
	return nil
}

// Reason takes in why something does not work yet, which the learner has asked for. In a challenge that counts as a
// hint, unless it is what he was told the last time; whether it counts is returned.
func (s *Sitting) Reason(text string) (counts bool) {
	if s.sc.Kind != scenario.Challenge || s.Done() || text == s.reason {
		return false
	}
	s.reason = text
	s.steps[s.at].Reasons++
	return true
}

// Tell takes in an answer for the learner; nil is for none. It returns what he is told of it: nothing in an exam, once
// the step is done, or if the answer is about a check that holds; and no repair in a challenge, unless he had the step
// solved.
func (s *Sitting) Tell(a *Answer) *Answer {
	s.answer = nil
	if a == nil || s.options.Exam || s.Done() || a.Check >= len(s.checks) ||
		a.Check >= 0 && s.checks[a.Check].status == Holds {
		return nil
	}
	told := *a
	if s.sc.Kind == scenario.Challenge && !s.steps[s.at].Solved {
		told.Repair = ""
	}
	s.answer = &told
	return s.answer
}
