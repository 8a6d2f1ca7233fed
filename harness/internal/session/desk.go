package session

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/state"
)

// desk judges what the learner does: it looks at the lab whenever the kernel tells of a change or a command has ended,
// and keeps what it has to tell until a prompt appears.
type desk struct {
	lab  *lab.Lab
	sc   *scenario.Scenario
	live *lab.Live
	// shown are the blocks of the scenario that a learner reads.
	shown page.Shown
	// hunt is set if the learner looks for faults: a cause is told if he asks for it, not after a command.
	hunt bool
	// changed is called, with the desk unlocked, when the sitting may have changed.
	changed func()

	// begun counts the commands that have begun, as far as the terminals tell, and over is its value when the command
	// began that was taken in last. One runs while they differ.
	begun, over atomic.Int64

	work sync.Mutex // held while the lab is judged; taken before mu
	// before is the state when the last command had ended, verdicts those of the checks then.
	before   *state.State
	verdicts []scenario.Verdict
	compared compared
	// wasDone is set if the step was done already when the last command had ended.
	wasDone bool
	// looking is what there is still to look at; nil where nobody has looked yet.
	looking *looking

	mu      sync.Mutex
	sitting *sitting.Sitting
	last    *state.State // the latest one; whoever changes it holds work, too
	news    []sitting.News
	// untold is the state before the first of the news.
	untold *state.State
	// deaf is why changes are no longer told as they happen, until the learner knows; nil if they are.
	deaf error
	// prompts is how many prompts wait for what there is to tell.
	prompts int
	// owed is set if the last prompt did not wait until the end for what its command had done, and all of it is known.
	owed bool
	// lastLook is the number of the latest look after a command. solved counts the steps that the lab has solved for the
	// learner.
	lastLook, solved int64
	// turn is closed when the last command was taken in; nil before the first. Commands are taken in in their order.
	turn chan struct{}
}

// newDesk takes a first look.
func newDesk(ctx context.Context, l *lab.Lab, live *lab.Live, sc *scenario.Scenario, o sitting.Options) (*desk, error) {
	o.Shown = typeable()
	d := &desk{lab: l, live: live, sc: sc, shown: o.Shown, sitting: sitting.New(sc, o), changed: func() {}}
	d.work.Lock()
	defer d.work.Unlock()
	if err := d.live.Begin(ctx, d.sitting.Checks()); err != nil {
		return nil, err
	}
	if err := d.judge(ctx, lab.Change{Heard: lab.Heard{Everything: true}}, learner{}); err != nil {
		return nil, err
	}
	d.news = nil
	d.ended()
	return d, nil
}

// ready is where the learner is, and what the desk does not learn by itself.
func (d *desk) ready() *wire.Ready {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.sitting.View()
	return &wire.Ready{View: &v, Lacks: d.live.Lacks()}
}

// follow judges whenever the kernel tells of a change, until the lab is closed. Where the kernel tells nothing there is
// nothing to follow.
func (d *desk) follow(ctx context.Context) {
	if d.live.Changes() == nil {
		return
	}
	for heard := range d.live.Changes() {
		d.work.Lock()
		d.judge(ctx, lab.Change{Heard: heard}, learner{}) // an error is one of a lab that ends, or comes again
		if !d.runs() {
			d.ended() // the last command has done this, though later
		}
		d.work.Unlock()
		d.changed()
	}
	if err := d.live.Err(); err != nil {
		d.goesDeaf(err)
		d.changed()
	}
}

// goesDeaf keeps for the learner that changes are no longer told as they happen.
func (d *desk) goesDeaf(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deaf = err
}

// tell calls show with what there is to tell, if there is anything. What show does not take is kept, and so is that the
// desk is deaf as long as there is something else to answer. The caller holds mu.
func (d *desk) tell(show func([]sitting.News) (taken bool)) {
	news, deaf := d.news, d.deaf
	if joined, _ := sitting.Join(news); deaf != nil && joined.Answer == nil && !joined.StepDone {
		said := d.sitting.Judge(sitting.Change{})
		said.Answer = &sitting.Answer{Kind: "deaf", Check: -1,
			Title: "from now on changes are noticed only after a command: " + deaf.Error()}
		news, deaf = append(slices.Clip(news), said), nil
	}
	if len(news) > 0 && show(news) {
		d.news, d.deaf = nil, deaf
	}
}

// begins takes in that a command is about to run. It does not wait.
func (d *desk) begins() {
	d.begun.Add(1)
	d.live.Act()
}

const (
	// holdBack is how long a prompt waits for the checks.
	holdBack = 100 * time.Millisecond
	// lookBack is how long it waits for a look at the lab: after that, what is typed next may be taken for the last
	// command's work.
	lookBack = time.Second
)

// learner is what he has done.
type learner struct {
	acted  bool // ran a command
	looked bool // looked at what the step shows
}

// command takes in that a command has ended, and returns what to tell before the prompt: what is known after a while.
// took is called, perhaps later, with the step of the command and whether it has changed something; not for a command
// that only asks the lab, or none, unless something has changed all the same.
func (d *desk) command(ctx context.Context, r ran, took func(step int, changed bool)) []sitting.News {
	judged := make(chan struct{})
	d.mu.Lock()
	begun := d.begun.Load() // in the order of the turns
	d.prompts++
	before := d.turn
	d.turn = judged
	d.owed = false
	d.mu.Unlock()
	timer := time.NewTimer(holdBack)
	defer timer.Stop()
	asks := r.empty || asksTheLab(r.line)
	looked := make(chan struct{})
	go func() {
		defer close(judged)
		held := over(before) && d.work.TryLock() // then nobody looks at the lab between the look and the judgement
		var left leftBehind
		if !asks {
			left = d.look(ctx)
		}
		close(looked)
		if !held {
			if before != nil {
				<-before
			}
			d.work.Lock()
		}
		defer d.work.Unlock()
		defer d.ended()
		defer d.over.Store(begun)
		if asks {
			d.judge(ctx, lab.Change{Heard: d.live.Take(), Command: true}, learner{})
			return
		}
		change, err := d.since(ctx, left)
		if err != nil {
			took(d.step(), false)
			return
		}
		changed := left.solved == d.solved && len(d.changes(d.before, left.state)) > 0 && !r.onlyLooks()
		if r.nothing && !changed {
			d.judge(ctx, change, learner{})
			return
		}
		err = d.goOn(ctx, r, changed, left.state)
		took(d.step(), changed)
		if err != nil || d.judge(ctx, change, learner{acted: true, looked: !r.nothing && d.looks(r)}) != nil {
			return
		}
		d.comment(ctx, r, changed)
	}()
	select { // before the prompt: what is typed there is another command's
	case <-looked:
	case <-time.After(lookBack):
	}
	late := false
	select {
	case <-judged:
	case <-timer.C:
		late = true
	}
	d.mu.Lock()
	d.prompts--
	var news []sitting.News
	d.tell(func(all []sitting.News) bool { news = all; return true })
	d.mu.Unlock()
	go func() {
		if late {
			<-judged
			d.mu.Lock()
			d.owed = d.turn == judged && len(d.news) > 0
			d.mu.Unlock()
		}
		d.changed()
	}()
	return news
}

// over reports whether a turn is over, or there was none.
func over(turn chan struct{}) bool {
	if turn == nil {
		return true
	}
	select {
	case <-turn:
		return true
	default:
		return false
	}
}

// leftBehind is how a command has left the lab.
type leftBehind struct {
	heard lab.Heard
	state *state.State
	err   error
	last  *state.State // the latest one known before
	nth   int64        // of all looks
	// solved is how many steps the lab had solved for the learner.
	solved int64
}

// look looks at the lab when a command has ended.
func (d *desk) look(ctx context.Context) (at leftBehind) {
	d.mu.Lock()
	at.last, at.solved = d.last, d.solved
	d.lastLook++
	at.nth = d.lastLook
	d.mu.Unlock()
	at.heard = d.live.Take()
	at.state, at.err = d.lab.Whole(ctx)
	return at
}

// since is what there is to judge after a command: how it has left the lab or, if somebody has looked later, how the
// lab is now: only the latest look has heard nothing since. The caller holds work.
func (d *desk) since(ctx context.Context, left leftBehind) (c lab.Change, err error) {
	c = lab.Change{Heard: left.heard, Command: true, State: left.state}
	d.mu.Lock()
	later := d.last != left.last || d.lastLook != left.nth
	d.mu.Unlock()
	if left.err == nil && later {
		c.Heard = c.Heard.Clone()
		c.Heard.Add(d.live.Take())
		c.State, left.err = d.lab.Whole(ctx)
	}
	return c, left.err
}

// takenIn waits until all commands were taken in, without asking anybody any more.
func (d *desk) takenIn() {
	d.live.Close()
	d.mu.Lock()
	turn := d.turn
	d.mu.Unlock()
	if turn != nil {
		<-turn
	}
}

// step is the number of the current step, from 1.
func (d *desk) step() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sitting.Step() + 1
}

// past is what to remember of the steps.
func (d *desk) past() []sitting.Past {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sitting.Past()
}

// late calls show with what there is to tell, and whether the last command is owed it, unless a prompt waits for it.
// What show does not take is kept.
func (d *desk) late(show func(news []sitting.News, owed bool) (taken bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.prompts == 0 {
		d.tell(func(news []sitting.News) bool {
			taken := show(news, d.owed)
			d.owed = d.owed && !taken
			return taken
		})
	}
}

// ended remembers how the last command left the lab, unless the next one runs: what that did is its own. The caller
// holds work.
func (d *desk) ended() {
	runs := d.runs()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wasDone = d.sitting.Done(); !runs {
		d.before = d.last
	}
}

// runs reports whether a command runs, as far as the terminals tell.
func (d *desk) runs() bool { return d.begun.Load() != d.over.Load() }

// looks takes a line at a step that only looks, and reports whether it has been looked at now.
func (d *desk) looks(r ran) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sitting.Done() || !d.sitting.OnlyLooks() {
		return false
	}
	i := d.sitting.Step()
	if d.looking == nil || d.looking.step != i {
		d.looking = lookAt(d.sc, i, d.shown)
	}
	return d.looking.takes(r)
}

// judge judges the checks after a change. The caller holds work.
func (d *desk) judge(ctx context.Context, c lab.Change, by learner) error {
	d.mu.Lock()
	done := d.sitting.Done()
	d.mu.Unlock()
	early := func(verdicts []scenario.Verdict, s *state.State) {
		change := sitting.Change{Verdicts: verdicts, Acted: by.acted, Looked: by.looked}
		if d.last != nil {
			change.Changed = d.changes(d.last, s)
		}
		d.takeIn(change, s)
	}
	if done { // the checks of the next step are not the learner's yet
		if c.State == nil {
			var err error
			if c.State, err = d.lab.Whole(ctx); err != nil {
				return err
			}
		}
		early(nil, c.State)
		return nil
	}
	verdicts, whole, err := d.live.Judge(ctx, c, early)
	if err != nil {
		return err
	}
	d.verdicts = verdicts
	change := sitting.Change{Verdicts: verdicts, Acted: by.acted, Looked: by.looked}
	if whole != d.last { // something has changed meanwhile, and the verdicts are about this later state
		change.Changed = d.changes(d.last, whole)
	}
	d.takeIn(change, whole)
	d.mu.Lock()
	defer d.mu.Unlock()
	// When a step is done, counters and events count for the next one.
	if i := d.sitting.Step() + 1; d.sitting.Done() && i < len(d.sc.Steps) {
		return d.live.Begin(ctx, d.sc.Steps[i].Checks)
	}
	return nil
}

// comment keeps what is to be told of a command that did not reach its goal. In a shell that does not tell its lines
// the state alone speaks. The caller holds work.
func (d *desk) comment(ctx context.Context, r ran, changed bool) {
	if r.line == "" && !changed {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := answer.Find(d.facts(ctx, d.before, r.fromHost(), r.status))
	if found != nil && d.hunt && found.Kind == answer.Cause {
		found = nil
	}
	if found == nil && !d.sitting.Done() && d.sitting.OnlyLooks() {
		found = answer.Elsewhere(d.facts(ctx, d.before, r.fromHost(), r.status))
	}
	if i := d.sitting.Step(); found == nil && changed && !d.sitting.Done() && d.sitting.OnlyLooks() && d.allHold() &&
		belongs(d.sc, i, d.shown, r) < 0 && !ofMistake(&d.sc.Steps[i], r) {
		found = &sitting.Answer{Kind: "look", Check: -1, Title: "this step only looks; `lab next` goes on without it"}
	}
	told := d.sitting.Tell(found)
	if told == nil {
		return
	}
	if len(d.news) == 0 {
		d.news = append(d.news, d.sitting.Judge(sitting.Change{}))
	}
	d.news[len(d.news)-1].Answer = told
}

// allHold reports whether all checks of the step were true when they were judged last, and none is news.
func (d *desk) allHold() bool {
	return !slices.ContainsFunc(d.verdicts, func(v scenario.Verdict) bool { return v.Outcome == scenario.Fail }) &&
		!slices.ContainsFunc(d.news, func(n sitting.News) bool { return len(n.Now) > 0 })
}

func (d *desk) facts(ctx context.Context, before *state.State, line string, status int) answer.Facts {
	return answer.Facts{Scenario: d.sc, Step: d.sitting.Step(), Exam: d.sitting.Explain() != nil, Before: before,
		Shown: d.shown, After: d.last, Whole: d.last, Witness: d.lab.Witness(ctx, d.last),
		Line: line, Status: status, Verdicts: d.verdicts}
}

// takeIn takes in verdicts and the state that they are about, and keeps what is news. What changed since the last news
// were told is told as one change: a look may come while a link is on its way from one namespace to another. The caller
// holds work.
func (d *desk) takeIn(c sitting.Change, s *state.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.news) == 0 {
		d.untold = d.last
	}
	d.last = s
	if d.sitting.Done() && len(c.Verdicts) > 0 {
		c.Verdicts = nil // the early ones have done the step
	}
	news := d.sitting.Judge(c)
	if len(news.Changed) > 0 && len(d.news) > 0 && d.untold != nil {
		for i := range d.news {
			d.news[i].Changed = nil
		}
		news.Changed = difference(d.untold, s)
	}
	if len(news.Changed) > 0 || len(news.Now) > 0 || news.StepDone {
		d.news = append(d.news, news)
	}
}

// compared are two states, and what a learner changed between them.
type compared struct {
	before, after *state.State
	changes       []string
}

// changes is what a learner changed between two states: not what the kernel learns and settles by itself. The caller
// holds work.
func (d *desk) changes(before, after *state.State) []string {
	if d.compared.before != before || d.compared.after != after {
		d.compared = compared{before, after, difference(before, after)}
	}
	return slices.Clone(d.compared.changes)
}

// difference is what a learner is told of two states.
func difference(before, after *state.State) []string {
	return append(state.Diff(before.Normal(), after.Normal()), state.DiffFilters(before, after)...)
}
