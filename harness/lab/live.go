package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/feed"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
	"netnscheck/harness/state/changes"
)

// Live judges the checks of a step while somebody works in the lab: it hears from the kernel what changes and judges
// again what that may concern. Its packets are sent at most once for each change, and only where the state does not
// rule the answer out; they count neither as traffic nor as events. It is for one goroutine at a time.
//
// The learner's own traffic during a probe, which takes milliseconds, is not counted either. A neighbour or an entry
// of a bridge that a probe leaves does not make a check false that denies it.
type Live struct {
	lab  *Lab
	feed *feed.Feed // nil if deaf is set
	deaf error
	// ended ends with Close, and with it what is asked of programs and the network.
	ended context.Context
	end   context.CancelFunc

	// since is how much the kernel had told when Take was called last.
	since atomic.Uint64
	// acting is set once a command has begun in this step: what happens from then on counts.
	acting atomic.Bool

	mu     sync.Mutex // guards the fields below
	checks []scenario.Check
	base   *Baseline
	// settling is set as long as what earlier commands began is not to be counted as the work of this step.
	settling bool
	answers  []answered // by check
	traces   traces
}

// Heard is what the kernel has told: which kinds of things may have changed in which namespaces.
type Heard = changes.Change

// Change is why the checks of a step are judged.
type Change struct {
	Heard
	// Command is set if a command has ended: it may have changed what the kernel does not tell of, such as a sysctl, a
	// rule of iptables-legacy, or a server that listens.
	Command bool
	// Asked is set if the learner wants to know: the network is asked whatever the state says.
	Asked bool
	// State is what Whole has read since Heard was taken from Take; nil if it has not.
	State *state.State
}

// Live begins to hear what changes. It is closed with the lab, or before.
func (l *Lab) Live(ctx context.Context) (*Live, error) {
	v := newLive(l)
	var err error
	switch v.feed, err = feed.Open(l.world); {
	case errors.Is(err, feed.ErrDeaf):
		v.deaf = err
	case err != nil:
		return nil, fmt.Errorf("watch the lab: %w", err)
	}
	if err := v.Begin(ctx, nil); err != nil {
		v.Close()
		return nil, err
	}
	l.live = append(l.live, v)
	return v, nil
}

func newLive(l *Lab) *Live {
	v := &Live{lab: l, traces: traces{}}
	v.ended, v.end = context.WithCancel(context.Background())
	return v
}

// Changes gives what the kernel tells, one value for each burst of changes. Where it tells nothing (see Lacks) nothing
// comes, and the checks are to be judged after each command. It is closed by Close, and by a failure: see Err.
func (v *Live) Changes() <-chan Heard {
	if v.feed == nil {
		return nil
	}
	return v.feed.Changes()
}

// Take returns at once what has changed since the last value of Changes, without waiting for the end of a burst.
func (v *Live) Take() Heard {
	if v.feed == nil {
		return Heard{Everything: true}
	}
	v.since.Store(v.told())
	return v.feed.Take()
}

// told is how much the kernel has told that answers may depend on: not of neighbours, which packets leave.
func (v *Live) told() uint64 {
	if v.feed == nil {
		return 0
	}
	return v.feed.Heard(^neighbourly)
}

// Err is why Changes was closed; nil after Close.
func (v *Live) Err() error {
	if v.feed == nil {
		return nil
	}
	return v.feed.Err()
}

// Lacks are the changes of which nobody tells here, each as a sentence.
func (v *Live) Lacks() []string {
	if v.deaf != nil {
		return []string{fmt.Sprintf("changes are noticed after a command has ended, not while it runs: %v", v.deaf)}
	}
	return v.feed.Lacks()
}

// Begin begins a step: counters and events are counted from now on.
func (v *Live) Begin(ctx context.Context, checks []scenario.Check) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.base != nil {
		v.base.Close()
		v.base = nil
	}
	v.checks, v.answers, v.traces, v.settling = checks, make([]answered, len(checks)), traces{}, true
	v.acting.Store(false)
	return v.rebase(ctx)
}

// Act takes note that a command is about to run: what it does counts, even if what was begun before the step has not
// settled yet. It does not wait for a Judge that runs.
func (v *Live) Act() { v.acting.Store(true) }

// rebase counts from now on, or as before if a command has begun meanwhile.
func (v *Live) rebase(ctx context.Context) error {
	base, err := v.lab.baseline(ctx, v.checks, v.watch)
	if err != nil {
		return fmt.Errorf("begin a step: %w", err)
	}
	if v.base != nil && v.acting.Load() {
		base.Close()
		return nil
	}
	if v.base != nil {
		v.base.Close()
	}
	v.base = base
	return nil
}

// Close ends it, and cuts a judgement short that goes on. The lab goes on.
func (v *Live) Close() {
	v.end()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.base != nil {
		v.base.Close()
		v.base = nil
	}
	if v.feed != nil {
		v.feed.Close()
	}
}

// Judge judges the checks after a change. It reads the state, unless the change has it, and hands it to early (unless
// that is nil) with the verdicts that follow from it, before it asks programs and the network for the others; then it
// returns all of them and the state in which they hold. early must not call the Live.
//
// A verdict without an outcome is not known: its check was not judged again, and what was said of it before still holds
// as far as anybody knows. A negative check that something pending may still decide is not judged either, and has an
// error that says so; the end of what is pending is another change. After a command that made a counter grow too far,
// that counter is counted anew. When ctx ends, the checks that were not reached are unknown.
func (v *Live) Judge(ctx context.Context, c Change, early func([]scenario.Verdict, *state.State)) ([]scenario.Verdict,
	*state.State, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.base == nil {
		return nil, nil, errors.New("judge the checks: the lab is no longer watched")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(v.ended, stop)()
	if v.deaf != nil {
		if err := v.base.unwatch(v.lab); err != nil {
			return nil, nil, fmt.Errorf("judge the checks: %w", err)
		}
	}
	s, told := c.State, v.since.Load()
	if s == nil || v.deaf != nil { // what was recorded may have kept something alive
		var err error
		told = v.told()
		if s, err = v.lab.Whole(ctx); err != nil {
			return nil, nil, fmt.Errorf("judge the checks: %w", err)
		}
	}
	if v.settling = v.settling && !c.Command && !c.Asked && !v.acting.Load(); v.settling {
		if err := v.rebase(ctx); err != nil {
			return nil, nil, err
		}
		v.settling = v.counts() && len(s.Pending()) > 0
	}
	verdicts, s, err := v.judge(ctx, c, s, told, early)
	if err != nil {
		return nil, nil, fmt.Errorf("judge the checks: %w", err)
	}
	if c.Command {
		if err := errors.Join(v.recount(ctx, verdicts), v.listenAnew(verdicts)); err != nil {
			return nil, nil, fmt.Errorf("judge the checks: %w", err)
		}
	}
	return verdicts, s, nil
}

// mostAnew is how often the checks are judged anew because something changed meanwhile.
const mostAnew = 2

// judge judges the checks as they are in one state. What somebody was asked for while the network changed tells nothing
// of either state, and all checks together could then hold although they never did at one time: they are judged anew.
// If it goes on changing, the answers are not known. Where the kernel tells of changes and has told of none since the
// state was read (told), it is not read again.
func (v *Live) judge(ctx context.Context, c Change, s *state.State, told uint64,
	early func([]scenario.Verdict, *state.State)) ([]scenario.Verdict, *state.State, error) {
	for anew := 0; ; anew++ {
		v.traces.keep(s)
		n := newJudging(v, c, s)
		verdicts := n.early(ctx)
		if early != nil && anew == 0 {
			early(slices.Clone(verdicts), s)
		}
		n.look.hurry(ctx, s.Pending())
		if err := n.late(ctx, verdicts); err != nil {
			return nil, nil, err
		}
		if len(n.programs)+len(n.probes) == 0 || ctx.Err() != nil {
			return verdicts, s, nil
		}
		if v.undisturbed(s, told) {
			return verdicts, s, nil
		}
		told = v.told()
		now, err := v.lab.Whole(ctx)
		if err != nil {
			return nil, nil, err
		}
		if circumstancesOf(now).same(n.now) {
			return verdicts, s, nil
		}
		if n.forget(verdicts); anew == mostAnew {
			return verdicts, s, nil
		}
		s = now
	}
}

// undisturbed reports whether nothing has changed since a state was read but what packets leave, as far as the kernel
// tells, and it tells here of all that it tells anywhere. An outdated neighbour is replaced by packets.
func (v *Live) undisturbed(s *state.State, told uint64) bool {
	return v.feed != nil && v.feed.Err() == nil && len(v.feed.Lacks()) == 0 && !outdated(s) && v.told() == told
}

// counts reports whether a check is about counters or events.
func (v *Live) counts() bool {
	for _, c := range v.checks {
		if c.Claim.Needs().Class == claim.BySince {
			return true
		}
	}
	return false
}

// watch records the events in a namespace without keeping it alive.
func (v *Live) watch(ns string) (eventSource, error) {
	if v.feed == nil {
		return observe.Watch(v.lab.world, ns)
	}
	h := &overheard{hearer: v.feed.Hear(ns)}
	var err error
	if h.recorder, err = observe.Record(v.lab.world, ns); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// overheard are the events in a namespace as the feed of the lab hears them.
type overheard struct {
	hearer   *feed.Hearer
	recorder *observe.Recorder
	lost     bool
}

// Events does not wait: a later event is another change.
func (h *overheard) Events(time.Duration) ([]observe.Event, error) {
	h.take(false)
	if h.lost {
		return nil, observe.ErrLost
	}
	return h.recorder.Recorded(), nil
}

func (h *overheard) take(passOver bool) {
	messages, complete := h.hearer.Heard()
	h.lost = h.lost || !complete
	for _, m := range messages {
		h.recorder.Hear(m.Kind, m.Flags, m.Body, passOver)
	}
}

func (h *overheard) Close() { h.hearer.Close() }
