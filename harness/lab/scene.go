package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/capture"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// scene plays one section in one lab and fills in its result.
type scene struct {
	play   *Play
	lab    *Lab
	result *scenario.SectionResult
	base   *Baseline // of the checks that are awaited after the commands
	// unchanged is the state after the previous command if that was refused, nil otherwise.
	unchanged *state.State
	ran       [][]string       // the commands that were run
	programs  bool             // whether one of them was a program, and not done in this process
	refused   []string         // commands whose status nobody compares that were refused, and why
	packets   *capture.Capture // nil if nobody wants them
	// diagnoses are those of the checks of reachability that are not true.
	diagnoses []diagnose.Report
}

// perform evaluates the checks, runs the commands and awaits the checks.
func (s *scene) perform(ctx context.Context, blocks []scenario.Block, checks []scenario.Check) {
	if err := s.lab.settleAll(ctx); err != nil {
		s.error(s.result.Line, err)
		return
	}
	if !s.lookBefore(ctx, checks) {
		return
	}
	// After the first evaluation, whose probes would be counted, and what is still to come of earlier commands.
	s.lab.rest(ctx, checks)
	base, err := s.lab.Baseline(ctx, checks)
	if err != nil {
		s.error(s.result.Line, err)
		return
	}
	defer base.Close()
	s.base = base
	if !s.run(ctx, blocks, exactly) {
		s.block(checks)
		return
	}
	s.await(ctx, checks, base, "after")
}

// repair runs the fix of a mistake and awaits the checks of its step.
func (s *scene) repair(ctx context.Context, m *scenario.Mistake, step *scenario.Section) {
	base, err := s.lab.Baseline(ctx, step.Checks)
	if err != nil {
		s.error(s.result.Line, err)
		return
	}
	defer base.Close()
	s.base = base
	fixed := s.play.anyFor(m.Fix)
	if fixed && !s.run(ctx, m.Fix, exactly) {
		return
	}
	if (!fixed || m.Undo) && !s.run(ctx, step.Blocks, s.afterFix(m, fixed)) {
		return
	}
	s.await(ctx, step.Checks, base, "repaired")
}

// afterFix is how strictly the step's own commands are compared in a repair. After an undo they start from the state
// before the step and must succeed; otherwise the mistake may have done some of them already.
func (s *scene) afterFix(m *scenario.Mistake, fixed bool) strictness {
	if fixed && m.Undo {
		return byStatus
	}
	return notAtAll
}

// lookBefore evaluates the checks before the commands: `- [x]` must be true within its limit, `- [ ]` must be false.
// Checks of traces of packets come first, because the probes of other checks leave such traces too.
func (s *scene) lookBefore(ctx context.Context, checks []scenario.Check) bool {
	var learned, held, open []scenario.Check
	for _, c := range checks {
		switch {
		case c.Before:
			held = append(held, c)
		case c.Claim.Needs().Class == claim.ByTraces:
			learned = append(learned, c)
		default:
			open = append(open, c)
		}
	}
	unlearned := s.falseBefore(ctx, learned, nil)
	s.lab.rest(ctx, held)
	base, err := s.lab.Baseline(ctx, held)
	if err != nil {
		s.error(s.result.Line, err)
		return false
	}
	ok := s.await(ctx, held, base, "before")
	base.Close()
	// A new baseline, so that the probes above are not counted.
	if base, err = s.lab.Baseline(ctx, open); err != nil {
		s.error(s.result.Line, err)
		return false
	}
	defer base.Close()
	return s.falseBefore(ctx, open, base) && ok && unlearned
}

// falseBefore evaluates `- [ ]` checks once, before the commands; negative ones that are true when the state has
// settled.
func (s *scene) falseBefore(ctx context.Context, open []scenario.Check, base *Baseline) bool {
	ok := true
	for i, v := range s.lab.evaluateAll(ctx, open, base, false) {
		c := open[i]
		if v.Outcome == scenario.Pass {
			v = s.lab.trueBefore(ctx, c, v, base)
		}
		if v.Outcome == scenario.Pass && c.Claim.Needs().Class == claim.BySince && !claim.Negative(c.Claim) {
			v = s.lab.countAfresh(ctx, c, v)
		}
		problem := scenario.Problem{Line: c.Line}
		switch v.Outcome {
		case scenario.Fail:
			continue
		case scenario.Pass:
			problem.Message = "a `- [ ]` check that is true before the commands proves nothing: " + c.Text
		default:
			problem.Message = fmt.Sprintf("evaluate the check %s: %s", c.Text, v.Reason)
		}
		v.Outcome = scenario.Error
		s.result.Checks = append(s.result.Checks, checkResult(c, "before", v))
		s.result.AddProblem(scenario.Error, problem)
		ok = false
	}
	return ok
}

// countAfresh counts again from now on while a check is true: what earlier steps have begun may be counted, and ends.
func (l *Lab) countAfresh(ctx context.Context, c scenario.Check, v scenario.Verdict) scenario.Verdict {
	for start := time.Now(); v.Outcome == scenario.Pass && time.Since(start) < paced(scenario.DefaultLimit); {
		base, err := l.Baseline(ctx, []scenario.Check{c})
		if err != nil {
			return unjudged(c.Claim, err)
		}
		v = l.evaluateAll(ctx, []scenario.Check{c}, base, false)[0]
		base.Close()
	}
	return v
}

// whenChecked says, by phase, when checks are judged.
var whenChecked = map[string]string{
	"before": "before the commands", "after": "after the commands", "repaired": "after the repair",
}

// await awaits the checks and reports whether all of them passed.
func (s *scene) await(ctx context.Context, checks []scenario.Check, base *Baseline, phase string) bool {
	s.unchanged = nil // the state may change while waiting
	s.during("the checks " + whenChecked[phase] + ", with the harness's own probes")
	ok := true
	for i, a := range s.lab.Await(ctx, checks, base) {
		c := checks[i]
		result := checkResult(c, phase, a.Verdict)
		result.Waited = a.Waited
		s.result.Checks = append(s.result.Checks, result)
		if a.Outcome == scenario.Pass {
			continue
		}
		ok = false
		problem := scenario.Problem{Line: c.Line}
		if a.Outcome != scenario.Fail {
			problem.Message = fmt.Sprintf("evaluate the check %s: %s", c.Text, a.Reason)
			s.result.AddProblem(scenario.Error, problem)
			continue
		}
		problem.Message, problem.Found = "not true "+whenChecked[phase]+": "+c.Text, a.Found
		problem.Hint = result.Hint
		problem.Diagnosis, s.refused = s.refused, nil // they are told once
		if d := s.lab.diagnose(ctx, c.Claim); d != nil {
			problem.Diagnosis = append(problem.Diagnosis, d.Cause.Lines()...)
			s.diagnoses = append(s.diagnoses, *d)
		}
		s.fail(problem)
	}
	return ok
}

// block records the checks that were not evaluated because a command went wrong.
func (s *scene) block(checks []scenario.Check) {
	for _, c := range checks {
		v := scenario.Verdict{Outcome: scenario.Blocked, Reason: "a command before it went wrong"}
		if s.result.Outcome == scenario.Skip {
			v = scenario.Verdict{Outcome: scenario.Skip, Reason: s.result.Reason}
		}
		s.result.Checks = append(s.result.Checks, checkResult(c, "after", v))
	}
}

// fail adds a failure, with what did not come to rest: that may be its reason.
func (s *scene) fail(p scenario.Problem) {
	p.Diagnosis = append(p.Diagnosis, restless(s.lab.settler.Stuck())...)
	s.result.AddProblem(scenario.Fail, p)
}

// strictness is how strictly a command's result is compared.
type strictness int

const (
	exactly  strictness = iota // status and output
	byStatus                   // status only: in another lab the output may differ
	notAtAll                   // nothing: the step's commands after a mistake, which may have done some of them
)

// run runs the commands for this driver and settles the links. It stops at the first command with a wrong status.
func (s *scene) run(ctx context.Context, blocks []scenario.Block, how strictness) bool {
	ok := s.commands(ctx, blocks, how)
	if err := s.lab.settle(ctx); err != nil && ok {
		s.error(s.result.Line, err)
		return false
	}
	return ok
}

func (s *scene) commands(ctx context.Context, blocks []scenario.Block, how strictness) bool {
	for _, b := range blocks {
		if !s.play.isFor(b) {
			continue
		}
		for _, cmd := range b.Commands {
			if !s.command(ctx, b, cmd, how) {
				return false
			}
		}
	}
	return true
}

// command runs one command and compares its result. It returns false if the section cannot continue.
func (s *scene) command(ctx context.Context, b scenario.Block, cmd scenario.Command, how strictness) bool {
	var err error
	before := s.unchanged
	s.unchanged = nil
	refused := mustChangeNothing(b, cmd)
	if refused && before == nil {
		if err = s.lab.settle(ctx); err == nil {
			before, err = s.lab.State(ctx)
		}
		if err != nil {
			s.error(cmd.Line, err)
			return false
		}
	}
	s.ran = append(s.ran, cmd.Argv)
	s.programs = s.programs || !inProcess(s.play.driver, cmd)
	cmd.Apart = s.play.strict() && how != notAtAll && !cmd.Compared
	s.during("during: " + cmd.Text)
	x, err := s.lab.carryOut(ctx, s.play.driver, cmd)
	s.during("after: " + cmd.Text)
	if err == nil && s.base != nil {
		err = s.base.unwatch(s.lab)
	}
	var problem scenario.Problem
	if err == nil {
		problem, err = s.answer(ctx, x, b, cmd, how)
	}
	if err == nil && how == notAtAll && x.Status != 0 && !cmd.Status.Refusal() {
		s.refused = append(s.refused, fmt.Sprintf("refused: %s: exit status %s", cmd.Text, foundStatus(x)))
	}
	x.Note = problem.Message
	if problem.Message != "" {
		problem.Message += ": " + cmd.Text
	}
	s.result.Transcript = append(s.result.Transcript, x)
	if err != nil {
		if lacking := unavailable(err); lacking != nil {
			s.result.Outcome, s.result.Reason = scenario.Skip, fmt.Sprintf("line %d: %s", cmd.Line, lacking.Reason)
			s.result.Missing = lacking.Programs
			return false
		}
		s.error(cmd.Line, fmt.Errorf("run %q: %w", cmd.Text, err))
		return false
	}
	if problem.Message != "" {
		s.fail(problem)
		return rightStatus(x, b, cmd)
	}
	if !refused || x.Status == 0 {
		return true
	}
	if err := s.lab.settle(ctx); err != nil {
		s.error(cmd.Line, err)
		return false
	}
	after, err := s.lab.State(ctx)
	if err != nil {
		s.error(cmd.Line, err)
		return false
	}
	if changes := state.Diff(before.Normal(), after.Normal()); len(changes) > 0 {
		s.fail(scenario.Problem{Line: cmd.Line,
			Message: "a refused command changed something: " + cmd.Text, Found: strings.Join(changes, "; ")})
	}
	s.unchanged = after
	return true
}

// answer compares the result of a command. Lines about fallback tunnels that nobody has touched are passed over where
// the output does not match with them: machines differ in the modules that they have loaded.
func (s *scene) answer(ctx context.Context, x scenario.Exchange, b scenario.Block, cmd scenario.Command,
	how strictness) (scenario.Problem, error) {
	problem := answer(x, b, cmd, s.play.driver.Name(), how)
	if problem.Message == "" || !slices.ContainsFunc(state.FallbackTunnels, func(name string) bool {
		return strings.Contains(x.Output, name)
	}) {
		return problem, nil
	}
	now, err := s.lab.brief(ctx)
	if err != nil {
		return problem, err
	}
	x.Output = state.WithoutLinks(x.Output, now.UntouchedFallback())
	return answer(x, b, cmd, s.play.driver.Name(), how), nil
}

// mustChangeNothing reports whether a command is expected to be refused and must not change the state: that holds for
// ip, bridge and tc, also inside `ip netns exec`, except in blocks marked partial.
func mustChangeNothing(b scenario.Block, cmd scenario.Command) bool {
	if b.Partial || (!cmd.Status.Any && cmd.Status.Code == 0) {
		return false
	}
	_, words := operation.Enter(cmd.Argv)
	return len(words) > 0 && slices.Contains([]string{"ip", "bridge", "tc"}, filepath.Base(words[0]))
}

// compareDrivers records the state after a step and compares it with the state that another driver left.
func (s *scene) compareDrivers(ctx context.Context, i int, rec *stepRecord) {
	after := s.unsaid(ctx, s.play.viewBefore(i), s.play.sc.Steps[i].Checks)
	if after == nil {
		return
	}
	rec.after = after
	if s.result.Outcome != scenario.Pass {
		return // what it left is not what others are compared with
	}
	disagreement, differences := s.play.parity.compare(i, s.play.driver.Name(), &s.play.sc.Steps[i].Section,
		after.state)
	if disagreement != "" {
		s.fail(scenario.Problem{Line: s.result.Line, Message: disagreement, Found: strings.Join(differences, "; ")})
	}
}

func (s *scene) error(line int, err error) {
	s.result.AddProblem(scenario.Error, problemOf(line, err))
}

func checkResult(c scenario.Check, phase string, v scenario.Verdict) scenario.CheckResult {
	r := scenario.CheckResult{Line: c.Line, Text: c.Text, Phase: phase, Verdict: v}
	if v.Outcome == scenario.Fail {
		r.Hint = c.Fail.Text
	}
	return r
}
