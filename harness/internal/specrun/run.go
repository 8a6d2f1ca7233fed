package specrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Options control how a plan is run.
type Options struct {
	// Procs is the number of workers that run at the same time, at least one.
	Procs int
	// Start starts a worker: a process in which Work reads its job from in and writes to out. stderr receives its last
	// words. If this process is killed (kill -9), the worker has to see the end of in, and to stop.
	Start func(job Job, in, out, stderr *os.File) (Process, error)
	// FailFast stops the run after the first case that did not pass.
	FailFast bool
	// Retries is how many times at most a unit is played again in which a case failed that nobody expects to fail.
	// Repeat is how many times every unit is played, if it is more than 1. A case that failed and passed is flaky.
	Retries, Repeat int
	// FlakyPasses is set if a flaky case counts as passed; its attempts tell how often it failed.
	FlakyPasses bool
	// Grace is how long a worker may take to clean up before it is killed.
	Grace time.Duration
	// Judge, if it is there, may change the outcome of a case that has ended, before anybody learns of it; the cases of
	// its suite that ended before have theirs. It is called for one case at a time.
	Judge func(*reports.Suite, *reports.Case)
	// Kernel tells of what the kernel complains, which fails the cases that run. It is nil if nobody looks.
	Kernel Kernel
	// Evidence, if it is there, keeps the evidence about a case of a scenario that failed and is not expected to, and
	// returns the path of its folder, or "" for none. It is called before Ended, for one case at a time.
	Evidence func(Failure) (folder string, err error)
	// Started and Ended are called for each case, Kept for the labs that a worker keeps; Kept returns when the labs may
	// be taken down. Only one of them is called at a time; any may be nil.
	Started func(reports.Suite, reports.Case)
	Ended   func(reports.Suite, reports.Case)
	Kept    func(context.Context, KeptLabs)

	patience patience // the zero value is patient; tests set a shorter one
}

// Kernel watches the kernel while cases run, each with a name of its own.
type Kernel interface {
	Begin(name string)
	// End returns what the kernel complained of since the case began, and all that it wrote to its log.
	End(name string) (complaints []scenario.Problem, log []string)
	// Words say whether the log could be read.
	Words() string
}

// KeptLabs are the labs of a unit in which something failed.
type KeptLabs struct {
	Unit   string
	Worker Process
	// Threads are the ids of the threads that live in the labs, as the worker sees them.
	Threads []int
	// Failures say what failed, a few lines each.
	Failures []string
}

// Process is a worker process.
type Process interface {
	// Wait waits for its end; nil is exit status 0. The error follows the words "the worker": "exited with status 1".
	Wait() error
	Kill()
	// Stopped names a process that the worker depends on and that is stopped, such as "the worker was stopped
	// (SIGSTOP)"; "" if all of them run.
	Stopped() string
	// Met returns the resource limits that the worker and its processes have met, in a few words each. It is called
	// after Wait.
	Met() []string
}

// Result is the outcome of a plan: all its cases, in order, whatever happened.
type Result struct {
	Suites    []reports.Suite
	Problems  []string
	Leftovers []string
	// Unable is the reason why this machine cannot run anything: no case has completed. It wraps the kernel's errno.
	Unable error
	// Cut means that the run was cut short: by an interruption, a time limit or a limit of the machine, or by a worker
	// that was stopped or killed, sent an impossible message, or could not be started after others had been.
	Cut bool
}

// errFailFast is the cause of a context that ends after the first failure.
var errFailFast = errors.New("--fail-fast")

// Run runs the plan, with a worker for each unit. When ctx ends, the workers are told to stop, and the cases without a
// result become errors with its cause.
func Run(ctx context.Context, plan []Planned, o Options) Result {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Options: o, stop: stop, proven: make(chan struct{})}
	units := make([]*unitRun, len(plan))
	queue := make(chan *unitRun, len(plan))
	for i := range plan {
		units[i] = newUnitRun(r, &plan[i])
	}
	for _, u := range inTurn(units, o.Procs) {
		queue <- u
	}
	close(queue)
	var workers sync.WaitGroup
	for i := range max(1, o.Procs) {
		workers.Go(func() {
			if i > 0 {
				<-r.proven // the first worker checks alone whether this machine can run anything
			}
			for u := range queue {
				u.skipAbsent()
				if u.plan.Cases() == 0 {
					continue
				}
				if ctx.Err() == nil {
					u.work(ctx)
				}
				r.prove() // in case no case has begun
				u.again(ctx)
				u.complete(context.Cause(ctx))
			}
			r.prove() // in case there was none
		})
	}
	workers.Wait()
	return merge(ctx, units)
}

// inTurn is the order in which units begin: that of the plan or, with several workers, the first unit and then the
// longest ones, so that no long unit runs alone at the end.
func inTurn(units []*unitRun, procs int) []*unitRun {
	if procs < 2 || len(units) < 2 {
		return units
	}
	turn := slices.Clone(units)
	slices.SortStableFunc(turn[1:], func(a, b *unitRun) int { return cmp.Compare(b.plan.Cases(), a.plan.Cases()) })
	return turn
}

func merge(ctx context.Context, units []*unitRun) Result {
	var result Result
	for _, u := range units {
		result.Suites = append(result.Suites, u.suites...)
		result.Problems = append(result.Problems, u.problems...)
		result.Leftovers = append(result.Leftovers, u.leftovers...)
		result.Cut = result.Cut || u.died != "" || u.limited
	}
	cause := context.Cause(ctx)
	var unable *UnableError
	switch {
	case cause == nil, errors.Is(cause, errFailFast):
	case errors.As(cause, &unable):
		result.Unable = unable
	default:
		result.Cut = true
		result.Problems = append([]string{"interrupted: " + cause.Error()}, result.Problems...)
	}
	return result
}

// run is the state that the units of a run share.
type run struct {
	Options
	stop context.CancelCauseFunc

	telling sync.Mutex // one callback at a time

	proving sync.Mutex
	proven  chan struct{} // closed when a case has begun, or the first unit has ended without one
	results atomic.Int64  // completed cases
	seconds atomic.Int64  // units that were played a second time for their packets
}

func (r *run) hasResult() bool { return r.results.Load() > 0 }

// prove lets the other workers begin.
func (r *run) prove() {
	r.proving.Lock()
	defer r.proving.Unlock()
	if !r.isProven() {
		close(r.proven)
	}
}

func (r *run) isProven() bool {
	select {
	case <-r.proven:
		return true
	default:
		return false
	}
}

func (r *run) started(s reports.Suite, c reports.Case) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Started != nil {
		r.Started(s, c)
	}
}

func (r *run) ended(s reports.Suite, c reports.Case) {
	if r.FailFast && c.Outcome.Bad() {
		r.stop(errFailFast)
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Ended != nil {
		r.Ended(s, c)
	}
}

func (r *run) kept(ctx context.Context, k KeptLabs) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Kept != nil && ctx.Err() == nil {
		r.Kept(ctx, k)
	}
}

// unitRun is a unit in progress.
type unitRun struct {
	*run
	plan    *Planned
	suites  []reports.Suite
	account *account // of the worker's messages; nil before it is started
	settled map[place]bool
	held    map[place]bool // they have a result, of which nobody has learned yet
	// doubted are failed cases, of which nobody learns before they were played a second time; gathered is the evidence.
	// waiting are they, and the cases after the first of them.
	doubted  []place
	waiting  []place
	gathered map[place]*evidence.Bundle
	// accused are cases during which the kernel complained, and of what: they stay failed, although such a complaint
	// often comes but once. logs is all that it wrote while a case ran that failed.
	accused map[place][]scenario.Problem
	logs    map[place][]string

	problems  []string
	leftovers []string
	// died is how the worker ended prematurely, "" if it did not.
	died string
	// interrupted: a case was cut short; limited: a case met a limit of the machine.
	interrupted, limited bool
}

func newUnitRun(r *run, p *Planned) *unitRun {
	u := &unitRun{run: r, plan: p, settled: map[place]bool{}, held: map[place]bool{},
		gathered: map[place]*evidence.Bundle{}, accused: map[place][]scenario.Problem{}, logs: map[place][]string{}}
	for _, s := range p.Suites {
		s.Cases = append([]reports.Case{}, s.Cases...)
		u.suites = append(u.suites, s)
	}
	return u
}

// take records the result of a case.
func (u *unitRun) take(at place, told *scenario.SectionResult) {
	c := &u.suites[at.suite].Cases[at.index]
	record(c, told)
	i := slices.IndexFunc(c.Problems, func(p scenario.Problem) bool { return p.Limit })
	u.limited = u.limited || i >= 0
	// In a sandbox the limit may be the doing of a program, and says nothing about the machine.
	if i >= 0 && u.account.job.Shared && u.account.job.Rehearse && !u.hasResult() {
		u.stop(&UnableError{errors.New(c.Problems[i].Message)})
		return
	}
	u.results.Add(1)
	if u.Options.holds() {
		u.hold(at)
		return
	}
	if u.doubts(at) {
		u.doubted = append(u.doubted, at)
	}
	if len(u.doubted) > 0 {
		u.waiting = append(u.waiting, at) // everybody learns of the cases in their order
		return
	}
	u.settle(at)
}

// nameOf names a case among all of the run.
func (u *unitRun) nameOf(at place) string {
	s := &u.suites[at.suite]
	return fmt.Sprintf("%s “%s”", s.Name(), s.Cases[at.index].Name)
}

// blame fails a case during which the kernel complained.
func (u *unitRun) blame(at place, told *scenario.SectionResult) {
	if u.Kernel == nil {
		return
	}
	planned := &u.suites[at.suite].Cases[at.index]
	complaints, log := u.Kernel.End(u.nameOf(at))
	if len(complaints) > 0 {
		u.accused[at] = complaints
	}
	if len(log) > 0 && (len(complaints) > 0 || wrong(told.Outcome)) {
		u.logs[at] = log
	}
	for _, p := range complaints {
		p.File, p.Line = planned.File, planned.Line
		told.AddProblem(scenario.Fail, p)
	}
}

// record puts the result of a case into the case of the plan, whoever told it. What the plan knows stays.
func record(c *reports.Case, told *scenario.SectionResult) {
	c.Outcome, c.Reason, c.Missing, c.Problems = told.Outcome, told.Reason, told.Missing, told.Problems
	c.Lacking, c.Excluded = told.Lacking, told.Excluded
	c.Checks, c.Transcript, c.Duration = told.Checks, told.Transcript, told.Duration
}

// cut keeps the partial result of an interrupted case; complete adds the reason.
func (u *unitRun) cut(at place, told *scenario.SectionResult) {
	c := &u.suites[at.suite].Cases[at.index]
	c.Checks, c.Transcript, c.Duration = told.Checks, told.Transcript, told.Duration
	u.interrupted = true
}

// skipAbsent ends the cases of drivers that this machine does not have.
func (u *unitRun) skipAbsent() {
	for i := range u.suites {
		if u.suites[i].Absent == "" {
			continue
		}
		for j := range u.suites[i].Cases {
			u.settle(place{i, j})
		}
	}
}

func (u *unitRun) begin(at place) {
	s := &u.suites[at.suite]
	if s.Started.IsZero() {
		s.Started = time.Now()
	}
	if u.Kernel != nil {
		u.Kernel.Begin(u.nameOf(at))
	}
	u.started(*s, s.Cases[at.index])
}

func (u *unitRun) settle(at place) {
	u.settled[at] = true
	u.judged(at)
	u.keepEvidence(at)
	u.ended(u.suites[at.suite], u.suites[at.suite].Cases[at.index])
}

func (u *unitRun) judged(at place) {
	if u.Judge == nil {
		return
	}
	u.telling.Lock()
	defer u.telling.Unlock()
	u.Judge(&u.suites[at.suite], &u.suites[at.suite].Cases[at.index])
}

// failures say what has failed, that of the running case last, whose end the worker sends when its labs are gone.
func (u *unitRun) failures() (all []string) {
	for _, s := range u.suites {
		for _, c := range s.Cases {
			if c.Outcome == scenario.Fail || c.Outcome == scenario.Error {
				why := []string{c.Reason}
				for i, p := range c.Problems {
					why = append(why[:i], placed(p))
				}
				all = append(all, fmt.Sprintf("%s (%s)\n%s", c.Name, c.Driver, strings.Join(why, "\n")))
			}
		}
	}
	if at := u.account.running; at != nil && u.account.owed {
		c := u.suites[at.suite].Cases[at.index]
		all = append(all, fmt.Sprintf("%s (%s)\n%s", c.Name, c.Driver, u.account.why))
	}
	return all
}

// placed is a problem behind its place.
func placed(p scenario.Problem) string {
	if p.Line == 0 {
		return p.Text()
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text())
}

// complete gives every case without a result an outcome.
func (u *unitRun) complete(cause error) {
	var unable *UnableError
	for i := range u.suites {
		for j := range u.suites[i].Cases {
			at := place{i, j}
			if u.settled[at] {
				continue
			}
			c := &u.suites[i].Cases[j]
			switch {
			case errors.As(cause, &unable):
				c.Outcome, c.Reason = scenario.NotRun, unable.Error()
				continue // reported once for the whole run
			case errors.Is(cause, errFailFast):
				c.Outcome, c.Reason = scenario.NotRun, NotRunFailFast
			case cause != nil:
				c.Outcome, c.Reason = scenario.NotRun, "interrupted: "+cause.Error()
			case u.died != "" && u.account != nil && u.account.begun[at]:
				c.Outcome, c.Reason = scenario.Error, u.died
			case u.died != "":
				c.Outcome, c.Reason = scenario.NotRun, topOf(u.died)
			default:
				c.Outcome, c.Reason = scenario.Error, "the worker ended without reporting it"
			}
			u.settle(at)
		}
	}
}

// topOf is the reason of a worker's death without a stack trace.
func topOf(died string) string {
	lines := strings.SplitN(died, "\n", 3)
	return strings.Join(lines[:min(len(lines), 2)], " ")
}

// fail records an error before the unit's first result. In the run's first unit it means that the machine cannot run
// anything.
func (u *unitRun) fail(job Job, err error) {
	if job.Rehearse {
		u.stop(&UnableError{err})
		return
	}
	u.die("%v", err)
}

// die records that the worker ended prematurely.
func (u *unitRun) die(format string, args ...any) {
	u.died = fmt.Sprintf(format, args...)
	u.problems = append(u.problems, u.plan.Job.Unit+": "+u.died)
}
