package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Play runs one scenario with one driver, section by section: all steps in one lab, each mistake in a lab of its own.
// It keeps the outcome of each step and the state after it for later sections.
type Play struct {
	sc     *scenario.Scenario
	driver Driver
	parity *Parity
	opts   PlayOptions

	versions scenario.Versions
	named    []string     // the namespaces in the scenario's commands
	lab      *Lab         // of the steps; nil before the first
	start    *state.State // of that lab, before the first step
	steps    []stepRecord // one for each step played
	kept     []*Lab       // labs with a failure, with PlayOptions.Keep
	left     []error      // from closing the labs of mistakes, for Close
	// unmet returns what this machine lacks for the scenario, or nil.
	unmet func(context.Context) (*scenario.Unavailable, error)
}

// stepRecord is the result of a step that was played.
type stepRecord struct {
	outcome scenario.Outcome
	reason  string
	missing []string     // programs
	after   *state.State // nil if the step did not complete
	// passedOver is set for a skipped step if those after it can be played: it changes nothing, or by has run its
	// commands.
	passedOver bool
	by         *Play
}

// PlayOptions are the options of NewPlay.
type PlayOptions struct {
	World Options
	// Keep leaves the lab of a failed section open until Close; Kept returns how to enter it.
	Keep bool
}

// NewPlay prepares a play. The first lab is started with the first section. The plays of one scenario may share parity,
// one after the other.
func NewPlay(sc *scenario.Scenario, d Driver, parity *Parity, o PlayOptions) *Play {
	return &Play{sc: sc, driver: d, parity: parity, opts: o, versions: versions(), named: namesIn(sc),
		unmet: requirements(sc, o.World.Shared)}
}

// Step plays step i (from 0). Steps are played in order.
func (p *Play) Step(ctx context.Context, i int) (r scenario.SectionResult) {
	p.advance(ctx, i)
	step := &p.sc.Steps[i]
	r = p.newResult(scenario.StepSection, &step.Section, i, 0)
	defer stopwatch(&r)()
	rec := stepRecord{}
	begun := p.mayBegin(ctx, &r, i, step.Blocks, step.Checks)
	if begun && p.canPlay(&r, step.Blocks, nil, step.Checks) {
		p.playStep(ctx, &r, i, &rec)
	}
	rec.reason = r.Reason
	if begun && r.Outcome == scenario.Skip {
		p.passOver(ctx, i, &r, &rec)
	}
	rec.outcome, rec.missing = r.Outcome, r.Missing
	if rec.after != nil {
		p.forget()
	}
	p.steps = append(p.steps, rec)
	return r
}

// forget drops all states but the last one: a mistake needs the state before its step, which is the last step played.
func (p *Play) forget() {
	last := true
	for k := len(p.steps) - 1; k >= 0; k-- {
		switch {
		case p.steps[k].after == nil:
		case last:
			last = false
		default:
			p.steps[k].after = nil
			return // the earlier ones are dropped
		}
	}
}

// advance plays the steps before step i that a filter left out. Their failures are reported by the sections that need
// them.
func (p *Play) advance(ctx context.Context, i int) {
	for len(p.steps) < i {
		p.Step(ctx, len(p.steps))
	}
}

// startSteps starts the lab of the steps, once.
func (p *Play) startSteps(ctx context.Context) (err error) {
	if p.lab != nil {
		return nil
	}
	if p.lab, err = p.startAtSetup(ctx); err != nil {
		return err
	}
	p.start, err = p.lab.State(ctx)
	return err
}

func (p *Play) playStep(ctx context.Context, r *scenario.SectionResult, i int, rec *stepRecord) {
	if err := p.startSteps(ctx); err != nil {
		failToStart(r, err)
		return
	}
	step := &p.sc.Steps[i]
	s := &scene{play: p, lab: p.lab, result: r}
	s.perform(ctx, step.Blocks, step.Checks)
	if r.Outcome == scenario.Pass {
		s.compareDrivers(ctx, i, rec)
	}
	if p.opts.Keep && bad(r.Outcome) {
		p.kept = append(p.kept, p.lab)
	}
}

// Mistake plays mistake j of step i (both from 0) in a lab of its own. The steps before it are played first if they were
// not. Step i may have been left out.
func (p *Play) Mistake(ctx context.Context, i, j int) (r scenario.SectionResult) {
	p.advance(ctx, i)
	mistake := &p.sc.Steps[i].Mistakes[j]
	r = p.newResult(scenario.MistakeSection, &mistake.Section, i, j+1)
	defer stopwatch(&r)()
	awaited := slices.Concat(mistake.Checks, p.sc.Steps[i].Checks) // the latter after the repair
	before := i + 1
	if i < len(p.steps) && p.steps[i].outcome == scenario.Skip && (!p.anyFor(p.sc.Steps[i].Blocks) || p.anyFor(mistake.Fix) &&
		!mistake.Undo) {
		before = i // it needs nothing of its step, which was skipped
	}
	if !p.mayBegin(ctx, &r, before, slices.Concat(mistake.Blocks, mistake.Fix), awaited) ||
		!p.canPlay(&r, mistake.Blocks, mistake.Fix, awaited) {
		return r
	}
	l, err := p.startBefore(ctx, i)
	if err != nil {
		failToStart(&r, err)
		return r
	}
	s := &scene{play: p, lab: l, result: &r}
	s.perform(ctx, mistake.Blocks, mistake.Checks)
	if r.Outcome == scenario.Pass {
		s.repair(ctx, mistake, &p.sc.Steps[i].Section)
	}
	if p.opts.Keep && bad(r.Outcome) {
		p.kept = append(p.kept, l)
		return r
	}
	p.left = append(p.left, l.Close())
	return r
}

// Kept are the threads (Lab.Thread) of the labs left open. Whoever enters one finds there what programs do.
func (p *Play) Kept() []int {
	var threads []int
	for _, l := range p.kept {
		l.world.Lacks() // it mounts the /sys and /etc of programs; what is refused is missing there, too
		threads = append(threads, l.Thread())
	}
	slices.Sort(threads)
	return slices.Compact(threads)
}

// Close takes the labs down. The error lists what could not be removed.
func (p *Play) Close() error {
	labs := p.kept
	if p.lab != nil {
		labs = append(labs, p.lab)
	}
	errs := p.left
	p.lab, p.kept, p.left = nil, nil, nil
	closed := map[*Lab]bool{}
	for _, l := range labs {
		if !closed[l] {
			closed[l] = true
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// mayBegin decides whether the steps before a section, of which there are `before`, allow to play it. If not it sets
// the outcome and the reason.
func (p *Play) mayBegin(ctx context.Context, r *scenario.SectionResult, before int, blocks []scenario.Block,
	checks []scenario.Check) bool {
	lacking, err := p.unmet(ctx)
	if err != nil {
		r.AddProblem(scenario.Error, problemOf(r.Line, err))
		return false
	}
	if lacking != nil {
		p.leaveOut(r, lacking, blocks, checks)
		return false
	}
	for i, rec := range p.steps[:min(before, len(p.steps))] {
		title := p.sc.Steps[i].Title
		switch {
		case rec.outcome == scenario.Blocked:
			r.Outcome, r.Reason = scenario.Blocked, rec.reason
			return false
		case bad(rec.outcome):
			r.Outcome, r.Reason = scenario.Blocked, fmt.Sprintf("needs step %d “%s”, which did not pass", i+1, title)
			return false
		case rec.outcome == scenario.Skip && !rec.passedOver:
			reason := fmt.Sprintf("needs step %d “%s”, which was skipped: %s", i+1, title, rec.reason)
			p.leaveOut(r, &scenario.Unavailable{Reason: reason, Programs: rec.missing}, blocks, checks)
			return false
		}
	}
	return true
}

// canPlay decides whether this driver can play a section with these blocks, this fix and these checks.
func (p *Play) canPlay(r *scenario.SectionResult, blocks, fix []scenario.Block, checks []scenario.Check) bool {
	if len(blocks) > 0 && !p.anyFor(blocks) {
		r.Outcome, r.Reason = scenario.Skip, "has no command for the driver "+p.driver.Name()+" and the versions here"
		return false
	}
	return p.canSay(r, slices.Concat(blocks, fix), checks)
}

// leaveOut skips a section for something that is lacking before it. The missing programs of its own commands and checks
// are listed too, so that the section can be played once all listed programs are installed.
func (p *Play) leaveOut(r *scenario.SectionResult, lacking *scenario.Unavailable, blocks []scenario.Block,
	checks []scenario.Check) {
	r.Outcome, r.Reason = scenario.Skip, lacking.Reason
	if len(lacking.Programs) == 0 {
		return
	}
	own := p.lacking(blocks, checks)
	if own == nil || len(own.Programs) > 0 {
		r.Missing = slices.Clone(lacking.Programs)
	}
	if own != nil {
		r.Missing = union(r.Missing, own.Programs)
	}
}

// canSay examines all commands and checks of a section before the first one runs, so that none is left half done.
func (p *Play) canSay(r *scenario.SectionResult, blocks []scenario.Block, checks []scenario.Check) bool {
	lacking := p.lacking(blocks, checks)
	if lacking == nil {
		return true
	}
	r.Outcome, r.Reason, r.Missing = scenario.Skip, lacking.Reason, lacking.Programs
	return false
}

// lacking is the reason why the driver cannot run the commands, or why the checks cannot be evaluated: the first
// command that the driver does not implement, or all missing programs. It is nil if there is none.
func (p *Play) lacking(blocks []scenario.Block, checks []scenario.Check) *scenario.Unavailable {
	line := 0
	var programs []string
	note := func(at int, err error) (other bool) {
		var lacking *scenario.Unavailable
		switch {
		case err == nil:
		case errors.As(err, &lacking) && len(lacking.Programs) > 0:
			line, programs = cmp.Or(line, at), union(programs, lacking.Programs)
		default:
			return true
		}
		return false
	}
	for _, b := range blocks {
		if !b.For(p.driver.Name(), p.versions) {
			continue
		}
		for _, cmd := range b.Commands {
			if err := p.cannot(cmd); note(cmd.Line, err) {
				return &scenario.Unavailable{Reason: fmt.Sprintf("line %d: %v", cmd.Line, err)}
			}
		}
	}
	for _, c := range checks {
		if err := p.cannotAsk(c); note(c.Line, err) {
			return &scenario.Unavailable{Reason: fmt.Sprintf("line %d: %v", c.Line, err)}
		}
	}
	if len(programs) == 0 {
		return nil
	}
	missing := program.NotInstalled(programs...)
	missing.Reason = fmt.Sprintf("line %d: %s", line, missing.Reason)
	return missing
}

// union is a followed by the elements of b that are not in a.
func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// cannot is the reason why the driver cannot run a command, as far as it is known without a lab.
func (p *Play) cannot(cmd scenario.Command) error {
	if p.opts.World.Shared {
		if err := program.Renamable(cmd.Argv, p.named); err != nil {
			return err
		}
	}
	return p.driver.CanSay(cmd)
}

// cannotAsk is the reason why a check cannot be evaluated, as far as it is known without a lab: a missing program.
func (p *Play) cannotAsk(c scenario.Check) error {
	question, ok := c.Claim.Needs().Question.(claim.ToProgram)
	if !ok {
		return nil
	}
	if p.opts.World.Shared {
		if err := program.Renamable(question.Argv(), p.named); err != nil {
			return err
		}
	}
	return program.Installed(scenario.Command{Argv: question.Argv()})
}

// namesIn are the namespaces in a scenario's commands.
func namesIn(sc *scenario.Scenario) (names []string) {
	add := func(blocks []scenario.Block) {
		for _, b := range blocks {
			for _, cmd := range b.Commands {
				names = append(names, program.NamesIn(cmd.Argv)...)
			}
		}
	}
	if sc.Setup != nil {
		add(sc.Setup.Blocks)
	}
	for _, step := range sc.Steps {
		add(step.Blocks)
		for _, m := range step.Mistakes {
			add(m.Blocks)
			add(m.Fix)
		}
	}
	return names
}

// anyFor reports whether any of the blocks is for this driver and these versions.
func (p *Play) anyFor(blocks []scenario.Block) bool {
	for _, b := range blocks {
		if b.For(p.driver.Name(), p.versions) {
			return true
		}
	}
	return false
}

func (p *Play) newResult(kind scenario.SectionKind, s *scenario.Section, step, mistake int) scenario.SectionResult {
	points := 0
	if kind == scenario.StepSection {
		points = p.sc.Steps[step].Points
	}
	return scenario.SectionResult{
		Scenario: p.sc.ID, Driver: p.driver.Name(), Kind: kind, Step: step + 1, Mistake: mistake,
		Title: s.Title, File: p.sc.File, Line: s.Line, Points: points, Outcome: scenario.Pass,
	}
}

func failToStart(r *scenario.SectionResult, err error) {
	if lacking := unavailable(err); lacking != nil {
		r.Outcome, r.Reason, r.Missing = scenario.Skip, lacking.Reason, lacking.Programs
		return
	}
	r.AddProblem(scenario.Error, problemOf(r.Line, err))
}

// problemOf turns an error into a problem. If the machine reached a limit, the message has the limit and the remedy.
func problemOf(line int, err error) scenario.Problem {
	p := scenario.Problem{Line: line, Message: err.Error()}
	if why, remedy, ok := kernel.Limit(err); ok {
		p.Message, p.Limit = fmt.Sprintf("%v: %s; %s", err, why, remedy), true
	}
	return p
}

// unavailable is the reason to skip in an error, or nil if the error is a failure.
func unavailable(err error) *scenario.Unavailable {
	var cannot *scenario.CannotSay
	var lacking *scenario.Unavailable
	switch {
	case errors.As(err, &cannot):
		return &scenario.Unavailable{Reason: cannot.Error()}
	case errors.As(err, &lacking):
		return lacking
	}
	return nil
}

func bad(o scenario.Outcome) bool { return o == scenario.Fail || o == scenario.Error }

func stopwatch(r *scenario.SectionResult) func() {
	start := time.Now()
	return func() { r.Duration = time.Since(start) }
}
