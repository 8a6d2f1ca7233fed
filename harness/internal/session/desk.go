package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/feed"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
)

// desk judges what the learner does: it looks at the lab whenever the kernel tells of a change or a command has ended,
// and keeps what it has to tell until a prompt appears.
type desk struct {
	lab *lab.Lab
	sc  *scenario.Scenario
	// changed is called, with the desk unlocked, when the sitting may have changed.
	changed func()

	mu      sync.Mutex
	feed    *feed.Feed // nil if the kernel tells nothing
	sitting *sitting.Sitting
	last    *state.State
	base    *lab.Baseline // since the beginning of the step
	next    *lab.Baseline // since the end of the step, for the one after it
	news    []sitting.News
	// asked is set while the checks are judged that take more than the state, again if that has to be repeated.
	asked, again bool
	settled      chan struct{} // closed when asked becomes false
	// prompts is how many prompts wait for what there is to tell.
	prompts int
}

// newDesk takes a first look.
func newDesk(ctx context.Context, l *lab.Lab, sc *scenario.Scenario, o sitting.Options) (*desk, error) {
	d := &desk{lab: l, sc: sc, sitting: sitting.New(sc, o), changed: func() {}, settled: make(chan struct{})}
	close(d.settled)
	var err error
	if d.feed, err = feed.Open(l.World()); err != nil {
		d.feed = nil // commands alone are followed, then
	}
	if d.base, err = l.Baseline(ctx, d.sitting.Checks()); err != nil {
		d.close()
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.look(ctx, false)
	d.news = nil
	return d, nil
}

// ready is where the learner is, and what the desk does not learn by itself.
func (d *desk) ready() *wire.Ready {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.sitting.View()
	if d.feed == nil {
		return &wire.Ready{View: &v,
			Lacks: []string{"this kernel does not tell of changes: only what a command does is seen"}}
	}
	return &wire.Ready{View: &v, Lacks: d.feed.Lacks()}
}

func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.feed != nil {
		d.feed.Close()
	}
	for _, b := range []*lab.Baseline{d.base, d.next} {
		if b != nil {
			b.Close()
		}
	}
}

// follow looks at the lab whenever the kernel tells of a change, until the feed is closed.
func (d *desk) follow(ctx context.Context) {
	if d.feed == nil {
		return
	}
	for range d.feed.Changes() {
		d.mu.Lock()
		d.look(ctx, false)
		d.mu.Unlock()
		d.changed()
	}
}

// holdBack is how long a prompt waits for the checks.
const holdBack = 100 * time.Millisecond

// command takes in that a command has ended, and returns what to tell before the prompt.
func (d *desk) command(ctx context.Context, line string) []sitting.News {
	d.mu.Lock()
	if d.feed != nil {
		d.feed.Take() // it is looked at now
	}
	acted := !asksTheLab(line)
	if acted {
		d.goOn(ctx, line)
	}
	d.look(ctx, acted)
	settled := d.settled
	d.prompts++
	d.mu.Unlock()
	timer := time.NewTimer(holdBack)
	defer timer.Stop()
	select {
	case <-settled:
	case <-timer.C:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.prompts--
	go d.changed()
	return d.tell()
}

// tell takes what there is to tell.
func (d *desk) tell() []sitting.News {
	news := d.news
	d.news = nil
	return news
}

// late calls show with what there is to tell, unless a prompt waits for it. What show does not take is kept.
func (d *desk) late(show func([]sitting.News) (taken bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.prompts == 0 && len(d.news) > 0 && show(d.news) {
		d.news = nil
	}
}

// goOn goes on to the next step when the learner does, without a word: with the step done, a command that changes
// something belongs to the next one, and so does one of its own commands where it only looks.
func (d *desk) goOn(ctx context.Context, line string) {
	i := d.sitting.Step()
	if !d.sitting.Done() || i+1 >= len(d.sc.Steps) {
		return
	}
	if !isOf(&d.sc.Steps[i+1], line) {
		s, err := d.lab.State(ctx)
		if err != nil || len(changes(d.last, s)) == 0 {
			return
		}
	}
	d.step()
}

// step goes on to the next step.
func (d *desk) step() error {
	if err := d.sitting.Next(); err != nil {
		return err
	}
	if d.base != nil {
		d.base.Close()
	}
	d.base, d.next = d.next, nil
	return nil
}

// look reads the state and judges the checks by it; those that take more are judged beside.
func (d *desk) look(ctx context.Context, acted bool) {
	s, err := d.lab.State(ctx)
	if err != nil {
		return // the lab is about to end
	}
	checks := d.sitting.Checks()
	verdicts := make([]scenario.Verdict, len(checks))
	all := true
	for i, c := range checks {
		if byState(c) {
			verdicts[i] = lab.Judge(s, c.Claim)
			all = all && verdicts[i].Outcome == scenario.Pass
		}
	}
	change := sitting.Change{Verdicts: verdicts, Acted: acted}
	if d.last != nil {
		change.Changed = changes(d.last, s)
	}
	d.last = s
	d.judge(ctx, change)
	if all && slices.ContainsFunc(checks, func(c scenario.Check) bool { return !byState(c) }) && !d.sitting.Done() {
		d.ask(ctx)
	}
}

// changes is what a learner changed between two states: not what the kernel learns and settles by itself.
func changes(before, after *state.State) []string { return state.Diff(before.Normal(), after.Normal()) }

// byState reports whether the state tells whether a check is true.
func byState(c scenario.Check) bool {
	needs := c.Claim.Needs()
	return needs.Question == nil && needs.Class != claim.ByWhole
}

// judge takes verdicts in and keeps what is news.
func (d *desk) judge(ctx context.Context, c sitting.Change) {
	news := d.sitting.Judge(c)
	if news.StepDone && d.next == nil {
		if i := d.sitting.Step() + 1; i < len(d.sc.Steps) {
			d.next, _ = d.lab.Baseline(ctx, d.sc.Steps[i].Checks) // without it what is counted stays undecided
		}
	}
	if len(news.Changed) > 0 || len(news.Now) > 0 || news.StepDone {
		d.news = append(d.news, news)
	}
}

// ask judges the checks of the step that take more than the state: questions to the kernel, probes, programs. They are
// asked once for each look, and only when the state says all that it can say of the step.
func (d *desk) ask(ctx context.Context) {
	if d.asked {
		d.again = true
		return
	}
	d.asked, d.settled = true, make(chan struct{})
	go func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for again := true; again; again = d.again {
			d.again = false
			d.askOnce(ctx)
		}
		d.asked = false
		close(d.settled)
		go d.changed()
	}()
}

// askOnce asks with the desk unlocked.
func (d *desk) askOnce(ctx context.Context) {
	at, checks, base := d.sitting.Step(), d.sitting.Checks(), d.base
	verdicts := make([]scenario.Verdict, len(checks))
	d.mu.Unlock()
	var ask []scenario.Check
	var of []int
	for i, c := range checks {
		if !byState(c) {
			ask, of = append(ask, c), append(of, i)
		}
	}
	for i, v := range d.lab.EvaluateAll(ctx, ask, base) {
		verdicts[of[i]] = v
	}
	d.mu.Lock()
	if d.sitting.Step() == at && !d.sitting.Done() {
		d.judge(ctx, sitting.Change{Verdicts: verdicts})
	}
}
