package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
)

// Play runs one scenario with one driver, section by section: all steps in one lab, each mistake in a lab of its own.
// It keeps the outcome of each step and the state after it for later sections.
type Play struct {
	sc     *scenario.Scenario
	driver Driver
	parity *Parity
	opts   PlayOptions

	named []string     // the namespaces in the scenario's commands
	lab   *Lab         // of the steps; nil before the first
	start *view        // of that lab, before the first step
	steps []stepRecord // one for each step played
	kept  []*Lab       // labs with a failure, with PlayOptions.Keep
	left  []error      // from closing the labs of mistakes, for Close
	here  *environment
}

// stepRecord is the result of a step that was played.
type stepRecord struct {
	outcome scenario.Outcome
	reason  string
	missing []string // programs
	after   *view    // nil if the step did not complete
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
	// StrictOutput fails a command that succeeds, whose output is not compared, and that prints something on standard
	// error. In scenarios of conformance that is so without it.
	StrictOutput bool
	// Capture, if it is there, is handed the packets of each section that is played, with what happened before it ends.
	Capture func(of *scenario.SectionResult, c Captured)
	// Taken tells of features whether blocks with= and without= take them for present, whatever the kernel has.
	Taken map[string]bool
	// OnFailure, if it is there, is told what a section that failed has left, while its lab is still there.
	OnFailure func(*scenario.SectionResult, *Remains)
}

// NewPlay prepares a play. The first lab is started with the first section. The plays of one scenario may share parity,
// one after the other.
func NewPlay(sc *scenario.Scenario, d Driver, parity *Parity, o PlayOptions) *Play {
	return &Play{sc: sc, driver: d, parity: parity, opts: o, named: namesIn(sc),
		here: &environment{sc: sc, shared: o.World.Shared, taken: o.Taken}}
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
	p.start, err = p.lab.view(ctx)
	return err
}

func (p *Play) playStep(ctx context.Context, r *scenario.SectionResult, i int, rec *stepRecord) {
	if err := p.startSteps(ctx); err != nil {
		failToStart(r, err)
		return
	}
	step := &p.sc.Steps[i]
	s := &scene{play: p, lab: p.lab, result: r}
	s.capture()
	s.perform(ctx, step.Blocks, step.Checks)
	s.endCapture()
	if r.Outcome == scenario.Pass {
		s.compareDrivers(ctx, i, rec)
	}
	s.tellFailure(ctx, i)
	if p.opts.Keep && bad(r.Outcome) {
		p.kept = append(p.kept, p.lab)
	}
}

// Mistake plays mistake j of step i (both from 0) in a lab of its own. The steps before it are played first if they
// were not. Step i may have been left out.
func (p *Play) Mistake(ctx context.Context, i, j int) (r scenario.SectionResult) {
	p.advance(ctx, i)
	mistake := &p.sc.Steps[i].Mistakes[j]
	r = p.newResult(scenario.MistakeSection, &mistake.Section, i, j+1)
	defer stopwatch(&r)()
	if _, err := p.here.look(ctx); err != nil { // what follows asks for whom the blocks are
		r.AddProblem(scenario.Error, problemOf(r.Line, err))
		return r
	}
	awaited := slices.Concat(mistake.Checks, p.sc.Steps[i].Checks) // the latter after the repair
	before := i + 1
	if i < len(p.steps) && p.steps[i].outcome == scenario.Skip &&
		(!p.anyFor(p.sc.Steps[i].Blocks) || p.anyFor(mistake.Fix) && !mistake.Undo) {
		before = i // it needs nothing of its step, which was skipped
	}
	repair := mistake.Fix
	if !p.anyFor(mistake.Fix) || mistake.Undo {
		repair = slices.Concat(repair, p.sc.Steps[i].Blocks)
	}
	if !p.mayBegin(ctx, &r, before, slices.Concat(mistake.Blocks, repair), awaited) ||
		!p.canPlay(&r, mistake.Blocks, repair, awaited) {
		return r
	}
	l, err := p.startBefore(ctx, i)
	if err != nil {
		failToStart(&r, err)
		return r
	}
	s := &scene{play: p, lab: l, result: &r}
	s.capture()
	s.perform(ctx, mistake.Blocks, mistake.Checks)
	if r.Outcome == scenario.Pass {
		s.repair(ctx, mistake, &p.sc.Steps[i].Section)
	}
	s.endCapture()
	if r.Outcome == scenario.Pass {
		s.unsaid(ctx, p.viewBefore(i), awaited)
	}
	s.tellFailure(ctx, i)
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
	return func() {
		r.Duration = time.Since(start)
		boundOutput(r.Transcript)
	}
}
