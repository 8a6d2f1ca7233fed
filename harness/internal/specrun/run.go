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

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Options are how a plan is run.
type Options struct {
	// Procs is how many workers run side by side, at least one.
	Procs int
	// Start starts a worker: a process in which Work reads its job from in and writes to out. stderr takes what the
	// process says when it dies. A process that this one cannot end any more (kill -9) has to see the end of in, and to
	// stop.
	Start func(job Job, in, out, stderr *os.File) (Process, error)
	// FailFast stops after the first case that did not pass.
	FailFast bool
	// Grace is how long a worker may take to clean up when it is told to stop, before it is killed.
	Grace time.Duration
	// Started and Ended are told of each case, Kept of labs that a worker keeps, with the threads that live in them as
	// that process sees them: it returns when the labs may be taken down. They are called one at a time; any may be
	// nil.
	Started func(reports.Suite, reports.Case)
	Ended   func(reports.Suite, reports.Case)
	Kept    func(ctx context.Context, unit string, p Process, threads []int)

	patience patience // patient, unless a test cannot wait for it
}

// Process is a worker process.
type Process interface {
	// Wait waits for its end; the error says how it ended, in words that follow "the worker": "exited with status 1".
	// nil is status 0.
	Wait() error
	Kill()
	// Stopped says which of the processes that have to run for the worker to go on does not, "" when they all run: "the
	// worker was stopped (SIGSTOP)".
	Stopped() string
	// Met are the limits of what all that the worker started may take that were met, in a few words each; asked after
	// Wait.
	Met() []string
}

// Result is what came of a plan: all its cases, in its order, whatever happened.
type Result struct {
	Suites    []reports.Suite
	Problems  []string
	Leftovers []string
	// Unable says why this machine cannot run anything: no case has come to a result. It wraps what the kernel said.
	Unable error
	// Cut says that something else than the cases decided what came of them: an interruption, a limit of time or of the
	// machine, a worker that was stopped or killed, that sent what cannot be, or that could not be started after others
	// had been.
	Cut bool
}

// errFailFast is the cause with which a run stops after its first failure.
var errFailFast = errors.New("--fail-fast")

// Run runs the plan, a worker for each unit. When ctx ends, the workers are told to stop, and the cases without a
// result become errors that name the cause.
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
				<-r.proven // the first worker finds out alone whether this machine can run anything
			}
			for u := range queue {
				if ctx.Err() == nil {
					u.work(ctx)
				}
				r.prove() // or it has another reason
				u.complete(context.Cause(ctx))
			}
		})
	}
	workers.Wait()
	return merge(ctx, units)
}

// inTurn is the order in which units begin: that of the plan or, side by side, the longest ones behind the first, so
// that none of them runs on alone at the end.
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

// run is what the units of a run share.
type run struct {
	Options
	stop context.CancelCauseFunc

	telling sync.Mutex // one callback at a time

	proving sync.Mutex
	proven  chan struct{} // closed when a case has begun, or the first unit has ended without
	results atomic.Int64  // cases that have come to one
}

func (r *run) hasResult() bool { return r.results.Load() > 0 }

// prove says that the others need not wait any more.
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
	if r.FailFast && c.Outcome != scenario.Pass && c.Outcome != scenario.Skip {
		r.stop(errFailFast)
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Ended != nil {
		r.Ended(s, c)
	}
}

func (r *run) kept(ctx context.Context, unit string, p Process, threads []int) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Kept != nil && ctx.Err() == nil {
		r.Kept(ctx, unit, p, threads)
	}
}

// unitRun is a unit while it runs.
type unitRun struct {
	*run
	plan    *Planned
	suites  []reports.Suite
	account *account // what its worker has told; nil before it has one
	settled map[place]bool

	problems  []string
	leftovers []string
	// died says how the worker ended when it did not come to its end.
	died string
	// interrupted says that a case was cut short, limited that one met a limit of the machine.
	interrupted, limited bool
}

func newUnitRun(r *run, p *Planned) *unitRun {
	u := &unitRun{run: r, plan: p, settled: map[place]bool{}}
	for _, s := range p.Suites {
		s.Cases = append([]reports.Case{}, s.Cases...)
		u.suites = append(u.suites, s)
	}
	return u
}

// take puts the result of a case where it was planned.
func (u *unitRun) take(at place, told *scenario.SectionResult) {
	c := &u.suites[at.suite].Cases[at.index]
	c.Outcome, c.Reason, c.Missing, c.Problems = told.Outcome, told.Reason, told.Missing, told.Problems
	c.Checks, c.Transcript, c.Duration = told.Checks, told.Transcript, told.Duration
	i := slices.IndexFunc(c.Problems, func(p scenario.Problem) bool { return p.Limit })
	u.limited = u.limited || i >= 0
	// In a sandbox a program may have made it so.
	if i >= 0 && u.account.job.Shared && u.account.job.Rehearse && !u.hasResult() {
		u.stop(&UnableError{errors.New(c.Problems[i].Message)})
		return
	}
	u.results.Add(1)
	u.settle(at)
}

// cut keeps what an interrupted case told of itself; complete says why it was interrupted.
func (u *unitRun) cut(at place, told *scenario.SectionResult) {
	c := &u.suites[at.suite].Cases[at.index]
	c.Checks, c.Transcript, c.Duration = told.Checks, told.Transcript, told.Duration
	u.interrupted = true
}

func (u *unitRun) begin(at place) {
	s := &u.suites[at.suite]
	if s.Started.IsZero() {
		s.Started = time.Now()
	}
	u.started(*s, s.Cases[at.index])
}

func (u *unitRun) settle(at place) {
	u.settled[at] = true
	u.ended(u.suites[at.suite], u.suites[at.suite].Cases[at.index])
}

// complete gives each case without a result one.
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
				c.Outcome, c.Reason = scenario.Error, "not run: "+unable.Error()
				continue // it is told once, of all
			case errors.Is(cause, errFailFast):
				c.Outcome, c.Reason = scenario.Skip, NotRunFailFast
			case cause != nil:
				c.Outcome, c.Reason = scenario.Error, "interrupted: "+cause.Error()
			case u.died != "" && u.account != nil && u.account.begun[at]:
				c.Outcome, c.Reason = scenario.Error, u.died
			case u.died != "":
				c.Outcome, c.Reason = scenario.Error, "not run: "+topOf(u.died)
			default:
				c.Outcome, c.Reason = scenario.Error, "the worker ended without a word about it"
			}
			u.settle(at)
		}
	}
}

// topOf is how a worker died without the stack that may come with it.
func topOf(died string) string {
	lines := strings.SplitN(died, "\n", 3)
	return strings.Join(lines[:min(len(lines), 2)], " ")
}

// fail says why the unit's worker did not come to its first result. If that is the run's first unit, the machine cannot
// run anything.
func (u *unitRun) fail(job Job, err error) {
	if job.Rehearse {
		u.stop(&UnableError{err})
		return
	}
	u.die("%v", err)
}

// die writes down that the worker did not come to its end.
func (u *unitRun) die(format string, args ...any) {
	u.died = fmt.Sprintf(format, args...)
	u.problems = append(u.problems, u.plan.Job.Unit+": "+u.died)
}
