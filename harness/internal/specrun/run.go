package specrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Options are how a plan is run.
type Options struct {
	// Procs is how many workers run side by side, at least one.
	Procs int
	// Start starts a worker: a process in which Work reads its job from in and writes to out. stderr takes what the process
	// says when it dies. A process that this one cannot end any more (kill -9) has to see the end of in, and to stop.
	Start func(in, out, stderr *os.File) (Process, error)
	// FailFast stops after the first case that did not pass.
	FailFast bool
	// Grace is how long a worker may take to clean up when it is told to stop, before it is killed.
	Grace time.Duration
	// Started and Ended are told of each case, Kept of labs that a worker keeps, with the commands that enter them
	// from inside that process: it returns when they may be taken down. They are called one at a time; any may be nil.
	Started func(reports.Suite, reports.Case)
	Ended   func(reports.Suite, reports.Case)
	Kept    func(ctx context.Context, unit string, p Process, commands []string)
}

// Process is a worker process.
type Process interface {
	// Wait waits for its end; the error says how it ended, nil for status 0.
	Wait() error
	Kill()
}

// Result is what came of a plan: all its cases, in its order, whatever happened.
type Result struct {
	Suites    []reports.Suite
	Problems  []string
	Leftovers []string
}

// errFailFast is the cause with which a run stops after its first failure.
var errFailFast = errors.New("--fail-fast")

// Run runs the plan, a worker for each unit. When ctx ends, the workers are told to stop, and the cases without a result become
// errors that name the cause.
func Run(ctx context.Context, plan []Planned, o Options) Result {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Options: o, stop: stop}
	units := make([]*unitRun, len(plan))
	queue := make(chan *unitRun, len(plan))
	for i := range plan {
		units[i] = newUnitRun(r, &plan[i])
		queue <- units[i]
	}
	close(queue)
	var workers sync.WaitGroup
	for range max(1, o.Procs) {
		workers.Go(func() {
			for u := range queue {
				if ctx.Err() == nil {
					u.work(ctx)
				}
				u.complete(context.Cause(ctx))
			}
		})
	}
	workers.Wait()
	return merge(ctx, units)
}

func merge(ctx context.Context, units []*unitRun) Result {
	var result Result
	for _, u := range units {
		result.Suites = append(result.Suites, u.suites...)
		result.Problems = append(result.Problems, u.problems...)
		result.Leftovers = append(result.Leftovers, u.leftovers...)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errFailFast) {
		result.Problems = append([]string{"interrupted: " + cause.Error()}, result.Problems...)
	}
	return result
}

// run is what the units of a run share.
type run struct {
	Options
	stop context.CancelCauseFunc

	telling sync.Mutex // one callback at a time
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

func (r *run) kept(ctx context.Context, unit string, p Process, commands []string) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Kept != nil && ctx.Err() == nil {
		r.Kept(ctx, unit, p, commands)
	}
}

// unitRun is a unit while it runs.
type unitRun struct {
	*run
	plan      *Planned
	suites    []reports.Suite
	done      map[place]bool
	begun     map[place]bool
	problems  []string
	leftovers []string
	// died says how the worker ended when it did not come to its end.
	died string
}

func newUnitRun(r *run, p *Planned) *unitRun {
	u := &unitRun{run: r, plan: p, done: map[place]bool{}, begun: map[place]bool{}}
	for _, s := range p.Suites {
		s.Cases = append([]reports.Case{}, s.Cases...)
		u.suites = append(u.suites, s)
	}
	return u
}

// take puts the result of a case where it was planned.
func (u *unitRun) take(m message) {
	at, ok := u.plan.at[m.Key]
	if !ok || u.done[at] || m.Case == nil || m.Interrupted {
		return // left out by the filters, or completed at the end of the unit
	}
	c := &u.suites[at.suite].Cases[at.index]
	planned := *c
	c.SectionResult = m.Case.SectionResult
	if c.Title == "" { // the spec did not come to bring its result along
		c.SectionResult = planned.SectionResult
		c.Outcome, c.Reason, c.Missing = m.Case.Outcome, m.Case.Reason, m.Case.Missing
		c.Problems, c.Duration = m.Case.Problems, m.Case.Duration
	}
	u.settle(at)
}

// cut keeps what an interrupted case told of itself; complete says why it was interrupted.
func (u *unitRun) cut(m message) {
	at, ok := u.plan.at[m.Key]
	if !ok || u.done[at] || m.Case == nil {
		return
	}
	c := &u.suites[at.suite].Cases[at.index]
	c.Checks, c.Transcript, c.Duration = m.Case.Checks, m.Case.Transcript, m.Case.Duration
}

func (u *unitRun) begin(key string) {
	at, ok := u.plan.at[key]
	if !ok {
		return
	}
	u.begun[at] = true
	s := &u.suites[at.suite]
	if s.Started.IsZero() {
		s.Started = time.Now()
	}
	u.started(*s, s.Cases[at.index])
}

func (u *unitRun) settle(at place) {
	u.done[at] = true
	u.ended(u.suites[at.suite], u.suites[at.suite].Cases[at.index])
}

// complete gives each case without a result one.
func (u *unitRun) complete(cause error) {
	for i := range u.suites {
		for j := range u.suites[i].Cases {
			at := place{i, j}
			if u.done[at] {
				continue
			}
			c := &u.suites[i].Cases[j]
			switch {
			case errors.Is(cause, errFailFast):
				c.Outcome, c.Reason = scenario.Skip, NotRunFailFast
			case cause != nil:
				c.Outcome, c.Reason = scenario.Error, "interrupted: "+cause.Error()
			case u.died != "" && u.begun[at]:
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

// die writes down that the worker did not come to its end.
func (u *unitRun) die(format string, args ...any) {
	u.died = fmt.Sprintf(format, args...)
	u.problems = append(u.problems, u.plan.Unit.Job.Unit+": "+u.died)
}
