package sitting

import (
	"fmt"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/page"
)

// Sitting is a learner's way through one scenario. Steps are done in order, and a step that is done stays done: later
// steps may undo what its checks say. A Sitting is for one goroutine at a time.
type Sitting struct {
	sc      *scenario.Scenario
	options Options
	worth   []int
	steps   []progress
	// at is the index of the current step, len(steps) once all are done.
	at   int
	part page.Part // what stands at it
	// checks are those of the current step; acted is set if the learner ran a command in it, looked as Change.Looked.
	checks  []judged
	acted   bool
	looked  bool
	changed []string
	answer  *Answer
	reason  string // the last one that he asked for in this step
}

// Options are how a learner works.
type Options struct {
	// Exam turns hints, reasons, answers and solutions off.
	Exam bool
	// Past is what was remembered of the steps the last time (Sitting.Past); nil at the beginning.
	Past []Past
	// Shown are the blocks that are for the learner's programs; nil for all.
	Shown page.Shown
}

// Past is what is remembered of a step from one session to the next.
type Past struct {
	Done, Solved bool
	Hints        int
	// Reasons is how many reasons the learner was told because he asked (Sitting.Reason). In a challenge they count as
	// hints, elsewhere there are none.
	Reasons int
}

// progress is what is known of a step, whether it is the current one or not.
type progress struct {
	Past
	// checks are those of a step that is done, as they were then.
	checks []Check
}

// judged is what is known of a check of the current step.
type judged struct {
	status Status
	found  string
	// decided is the last status other than Undecided; "" if there was none.
	decided Status
}

// New begins a sitting, or goes on with one. The scenario must have its Source.
func New(sc *scenario.Scenario, o Options) *Sitting {
	s := &Sitting{sc: sc, options: o, worth: Worth(sc), steps: make([]progress, len(sc.Steps))}
	for i := range min(len(o.Past), len(s.steps)) {
		past := o.Past[i]
		past.Hints = min(max(past.Hints, 0), len(sc.Steps[i].Hints))
		past.Reasons = max(past.Reasons, 0)
		past.Done = past.Done && s.at == i
		s.steps[i].Past = past
		if past.Done {
			s.steps[i].checks = held(sc.Steps[i].Checks)
			s.at++
		}
	}
	s.begin()
	return s
}

// held are checks that all hold.
func held(checks []scenario.Check) []Check {
	all := make([]Check, len(checks))
	for i, c := range checks {
		all[i] = Check{Text: c.Text, Status: Holds}
	}
	return all
}

// begin begins the current step.
func (s *Sitting) begin() {
	s.part = page.Step(s.sc, s.at, s.options.Shown)
	s.checks, s.acted, s.looked = make([]judged, len(s.Checks())), false, false
	s.answer, s.reason = nil, ""
	for i := range s.checks {
		s.checks[i].status = Undecided
	}
}

// Step is the index of the current step, the number of steps once all are done.
func (s *Sitting) Step() int { return s.at }

// Done reports whether the current step is done, or all are.
func (s *Sitting) Done() bool { return s.at == len(s.steps) || s.steps[s.at].Done }

// title is the title of a step.
func (s *Sitting) title(i int) string { return page.WithValues(s.sc, s.sc.Steps[i].Title) }

// Checks are the checks to judge now: those of the current step, none if it is done.
func (s *Sitting) Checks() []scenario.Check {
	if s.Done() {
		return nil
	}
	return s.sc.Steps[s.at].Checks
}

// Past is what to remember of the steps.
func (s *Sitting) Past() []Past {
	all := make([]Past, len(s.steps))
	for i, step := range s.steps {
		all[i] = step.Past
	}
	return all
}

// Change is what is known after a change of the network, or after a command.
type Change struct {
	// Verdicts are those of Sitting.Checks, in their order. One without an outcome was not asked for: what is known of
	// its check stays, or is undecided if something changed.
	Verdicts []scenario.Verdict
	// Changed is what changed, in the words of state.Diff.
	Changed []string
	// Acted is set if the learner has run a command.
	Acted bool
	// Looked is set if he has looked at what the step shows. One whose checks all held before it, where something is
	// only looked at, is not done before.
	Looked bool
}

// Judge takes in a change. A check is news if the change made it true or false, not if it was true from the beginning
// of the step.
func (s *Sitting) Judge(c Change) News {
	if len(c.Changed) > 0 {
		s.changed = c.Changed
	}
	news := News{Changed: c.Changed, Step: min(s.at+1, len(s.steps)), Steps: len(s.steps)}
	news.Title = s.title(news.Step - 1)
	news.OutOf = len(s.sc.Steps[news.Step-1].Checks)
	if s.Done() {
		news.Holding = news.OutOf
		return news
	}
	s.acted, s.looked = s.acted || c.Acted, s.looked || c.Looked
	for i, check := range s.Checks() {
		var v scenario.Verdict
		if i < len(c.Verdicts) {
			v = c.Verdicts[i]
		}
		switch {
		case v.Outcome == "" && len(c.Changed) > 0:
			s.checks[i].status, s.checks[i].found = Undecided, ""
		case v.Outcome != "" && s.checks[i].judge(check, v, s.acted):
			news.Now = append(news.Now, s.check(i))
		}
		if s.checks[i].status == Holds {
			news.Holding++
		}
	}
	if s.answer != nil && s.answer.Check >= 0 && s.checks[s.answer.Check].status == Holds {
		s.answer = nil
	}
	if news.Holding == news.OutOf && (s.looked || !s.OnlyLooks()) {
		s.finish()
		news.StepDone, news.AllDone = true, s.at == len(s.steps)
	}
	return news
}

// judge takes in a verdict and reports whether it is news. If nobody acted, the check was so from the beginning.
func (j *judged) judge(check scenario.Check, v scenario.Verdict, acted bool) (news bool) {
	switch v.Outcome {
	case scenario.Pass:
		news = j.decided == Open || j.decided == Lost || j.decided == "" && acted && !check.Before
		j.status, j.found = Holds, ""
	case scenario.Fail:
		news = j.decided == Holds
		j.status, j.found = Open, v.Found
		if news || j.decided == Lost {
			j.status = Lost
		}
	default:
		j.status, j.found = Undecided, v.Reason
		return false
	}
	j.decided = j.status
	return news
}

// OnlyLooks reports whether the current step only looks, or is done. One that only looks is done by looking, or when
// the learner goes on.
func (s *Sitting) OnlyLooks() bool { return s.Done() || s.sc.Steps[s.at].OnlyLooks() }

// finish makes the current step a done one. The last step has none to go on to.
func (s *Sitting) finish() {
	step := &s.steps[s.at]
	step.checks = held(s.Checks())
	step.Done, s.answer = true, nil
	if s.at == len(s.steps)-1 {
		s.at++
		s.begin()
	}
}

// Next goes on to the next step. The error says why that cannot be yet.
func (s *Sitting) Next() error {
	if s.at == len(s.steps) {
		return fmt.Errorf("go on to the next step: all %d are done", len(s.steps))
	}
	if !s.steps[s.at].Done {
		open := 0
		for _, c := range s.checks {
			if c.status != Holds {
				open++
			}
		}
		if open > 0 {
			return fmt.Errorf("go on to the next step: %d of the %d checks of step %d %s not hold yet", open,
				len(s.checks), s.at+1, map[bool]string{true: "does", false: "do"}[open == 1])
		}
		s.finish()
		if s.at == len(s.steps) {
			return nil
		}
	}
	s.at++
	s.begin()
	return nil
}

// Pass goes past a step that only looks, with a learner who does what comes later, and reports whether he was at one.
func (s *Sitting) Pass() bool {
	if s.Done() || !s.OnlyLooks() || s.at == len(s.steps)-1 {
		return false
	}
	s.finish()
	s.at++
	s.begin()
	return true
}

// Reset begins all steps again. What was told of them stays told: hints and solutions count as before.
func (s *Sitting) Reset() {
	for i := range s.steps {
		s.steps[i].undo()
	}
	s.at, s.changed = 0, nil
	s.begin()
}

// ResetStep begins the current step again, done or not; once all are done, the last one. See Reset.
func (s *Sitting) ResetStep() {
	s.at = min(s.at, len(s.steps)-1)
	s.steps[s.at].undo()
	s.changed = nil
	s.begin()
}

func (p *progress) undo() { p.Done, p.checks = false, nil }
