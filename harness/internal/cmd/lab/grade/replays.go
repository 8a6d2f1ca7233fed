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
		// A replay that died or was late may have been the victim of another one, which took the memory or the
		// processors: on its own it gets a second chance.
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

// replayAll replays the work of these learners, and returns those whose replay may have suffered from the others: it
// died, or was late beside them.
func (o *options) replayAll(ctx context.Context, all []handed, results []replayed, todo []int, procs int) (again []int,
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
	done, alone := 0, min(procs, len(todo)) == 1
	for range min(procs, len(todo)) {
		together.Go(func() {
			for i := range next {
				r, end, fatal := o.replay(ctx, &all[i])
				mu.Lock()
				if results[i] = r; end == died || end == late && !alone {
					again = append(again, i)
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
	return again, err
}

// progress shows how far it is, on a terminal.
func (o *options) progress(text string) {
	if o.screen.Progress != nil {
		io.WriteString(o.screen.Progress, "\r\x1b[K"+text)
	}
}

var errTooLong = errors.New("the replay did not end in time")

// ending is how a replay ended.
type ending int

const (
	inTime ending = iota
	late          // a limit of time was met
	died          // without a result
)

// replay replays the work of one learner; fatal is an error that the others would have, too.
func (o *options) replay(ctx context.Context, h *handed) (r replayed, end ending, fatal error) {
	limited, cancel := context.WithTimeoutCause(ctx, replay.Longest(o.limit), errTooLong)
	defer cancel()
	answer, err := replay.Question.Ask(limited,
		replay.Request{Scenario: h.scenario, Challenge: h.challenge, Commands: h.commands,
			Shell: h.shell, Whole: h.whole, Limit: o.limit}, inside.Needs{TUN: worker.NeedsTUN(h.scenario)})
	var start *inside.StartError
	switch {
	case ctx.Err() != nil:
		return r, inTime, nil // replayAll says so
	case errors.As(err, &start):
		return r, inTime, fmt.Errorf("grade the class: %w", machine.Asked(err))
	case err != nil:
		r.err = fmt.Errorf("its replay ended without a result: %s", untrusted.Shown(err.Error()))
		return r, died, nil
	case answer.Lacks:
		return r, inTime, status.Cannotf("grade the class: %s", untrusted.Shown(answer.Failed))
	case answer.Failed != "":
		r.err = errors.New(untrusted.Shown(answer.Failed))
		return r, inTime, nil
	case answer.Late:
		end = late
	}
	r.Result, r.err = answer.Result(h.page())
	return r, end, nil
}
