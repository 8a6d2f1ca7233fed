package grade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	class "netnscheck/harness/grade"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/replay"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/worker"
)

// replayed is what became of a replay: a result, or why there is none.
type replayed struct {
	class.Result
	err error
}

// grade replays the work of all learners, several side by side, and fills the table in their order. The error is that
// of this machine or of the user, who has interrupted it.
func (o *options) grade(ctx context.Context, c *class.Class, all []handed) error {
	results := make([]replayed, len(all))
	var todo []int
	for i, h := range all {
		if h.Of != nil && h.bad == nil {
			todo = append(todo, i)
		}
	}
	again, err := o.replayAll(ctx, all, results, todo, o.procs)
	if err == nil && len(again) > 0 {
		// A replay that died may have been the victim of another one, for instance where memory ran out: on its own it
		// gets a second chance.
		_, err = o.replayAll(ctx, all, results, again, 1)
	}
	o.progress("")
	if err != nil {
		return err
	}
	for i, h := range all {
		w := class.Work{Name: h.Name, Seed: h.Seed, Past: h.past, Exam: h.exam}
		if h.Of == nil {
			c.Miss(h.Name, h.Seed)
			continue
		}
		w.File = h.Of.Path
		switch r := results[i]; {
		case h.bad != nil:
			c.Refuse(w, h.bad.Error())
		case r.err != nil:
			c.Refuse(w, r.err.Error())
		default:
			if r.First != nil && h.remark != "" {
				r.Trouble = joined(r.Trouble, h.remark)
			}
			c.Grade(w, r.Result)
		}
	}
	return nil
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// replayAll replays the work of these learners, and returns those whose replay has died.
func (o *options) replayAll(ctx context.Context, all []handed, results []replayed, todo []int, procs int) (died []int,
	err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	go func() {
		defer close(next)
		for _, i := range todo {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	var mu sync.Mutex
	var together sync.WaitGroup
	done := 0
	for range min(procs, len(todo)) {
		together.Go(func() {
			for i := range next {
				r, dead, fatal := o.replay(ctx, &all[i])
				mu.Lock()
				if results[i] = r; dead {
					died = append(died, i)
				}
				if fatal != nil && err == nil {
					err = fatal
					cancel(fatal)
				}
				done++
				o.progress(fmt.Sprintf("graded %d of %d", done, len(todo)))
				mu.Unlock()
			}
		})
	}
	together.Wait()
	if err == nil && ctx.Err() != nil {
		err = status.With(status.Cut, fmt.Errorf("grade the class: interrupted: %w", context.Cause(ctx)))
	}
	return died, err
}

// progress shows how far it is, on a terminal.
func (o *options) progress(text string) {
	if o.screen.Progress != nil {
		io.WriteString(o.screen.Progress, "\r\x1b[K"+text)
	}
}

var errTooLong = errors.New("the replay did not end in time")

// replay replays the work of one learner. dead is set if the replay ended without a result; fatal is an error that the
// others would have, too.
func (o *options) replay(ctx context.Context, h *handed) (r replayed, dead bool, fatal error) {
	limited, cancel := context.WithTimeoutCause(ctx, replay.Longest(o.limit), errTooLong)
	defer cancel()
	answer, err := replay.Question.Ask(limited,
		replay.Request{Scenario: h.scenario, Challenge: h.challenge, Commands: h.commands,
			Shell: h.shell, Whole: h.whole, Limit: o.limit}, inside.Needs{TUN: worker.NeedsTUN(h.scenario)})
	var start *inside.StartError
	switch {
	case ctx.Err() != nil:
		return r, false, nil // replayAll says so
	case errors.As(err, &start):
		return r, false, fmt.Errorf("grade the class: %w", machine.Asked(err))
	case err != nil:
		r.err = fmt.Errorf("its replay ended without a result: %s", untrusted.Shown(err.Error()))
		return r, true, nil
	case answer.Lacks:
		return r, false, status.Cannotf("grade the class: %s", untrusted.Shown(answer.Failed))
	case answer.Failed != "":
		r.err = errors.New(untrusted.Shown(answer.Failed))
		return r, false, nil
	}
	r.Result, r.err = answer.Result(h.page())
	return r, false, nil
}
