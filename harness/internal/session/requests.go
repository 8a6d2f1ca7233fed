package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/sitting/progress"
)

// ask answers a request from outside, beside everything else.
func (s *session) ask(a wire.Ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.asked[a.Number]; cancel != nil || a.End {
		if a.End && cancel != nil {
			cancel()
		}
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.asked[a.Number] = cancel
	go func() {
		s.answer(ctx, a.Request, func(r wire.Reply) error {
			return s.out.Message(wire.FromLab{Answer: &wire.Answer{Number: a.Number, Reply: r}})
		})
		cancel()
		s.mu.Lock()
		delete(s.asked, a.Number)
		s.mu.Unlock()
	}()
}

// answer answers a request, with one reply or more.
func (s *session) answer(ctx context.Context, r wire.Request, reply func(wire.Reply) error) {
	d, reply := s.desk(), fitting(reply)
	one := func(what wire.Reply, err error) error {
		if err != nil {
			what.Error, what.Status = err.Error(), 1
		}
		reply(what)
		return err
	}
	switch r.Do {
	case wire.View:
		one(d.view(ctx, false))
	case wire.Map:
		one(d.view(ctx, true))
	case wire.Check:
		one(d.check(ctx))
	case wire.Hint:
		s.did(progress.Hint, func() error { return one(d.hint()) })
	case wire.Next:
		s.did(progress.Next, func() error { return one(d.goNext(ctx)) })
	case wire.Solve:
		s.did(progress.Solve, func() error { return one(d.solve(ctx)) })
	case wire.Log:
		one(s.log(), nil)
	case wire.Why:
		s.did(progress.Why, func() error { return one(d.why(ctx)) })
	case wire.Reset:
		s.passOn()
		one(wire.Reply{}, nil) // the shell that asks ends with the lab
		act, alone := progress.Reset, slices.Contains(r.Args, wire.StepAlone)
		if alone {
			act = progress.ResetStep
		}
		s.did(act, func() error { return s.reset(context.Background(), alone) })
	case wire.Watch:
		s.watch(ctx, reply)
	case wire.Quit:
		s.passOn() // before the answer: then the shell writes its next prompt
		one(wire.Reply{}, nil)
		s.end()
	default:
		one(wire.Reply{}, fmt.Errorf("ask the lab: it does not know %q", r.Do))
	}
}

// fitting replies without the state if the answer is too large for a message, or says that it is: a learner can bring
// that about, and who asked would wait for ever.
func fitting(reply func(wire.Reply) error) func(wire.Reply) error {
	return func(r wire.Reply) error {
		err := reply(r)
		var long *wire.TooLongError
		if !errors.As(err, &long) {
			return err
		}
		if r.More && r.View != nil && r.View.State != nil {
			smaller := *r.View
			smaller.State = nil
			r.View = &smaller
			return reply(r)
		}
		err = fmt.Errorf("send the answer: it is too large: %w", err)
		return reply(wire.Reply{Error: err.Error(), Status: 1})
	}
}

// view is where the learner is.
func (d *desk) view(ctx context.Context, drawn bool) (wire.Reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen(ctx, drawn)
}

func (d *desk) seen(ctx context.Context, drawn bool) (wire.Reply, error) {
	v := d.sitting.View()
	if drawn {
		s, err := d.lab.State(ctx)
		if err != nil {
			return wire.Reply{}, err
		}
		v.State = s
	}
	return wire.Reply{View: &v}, nil
}

// check judges everything anew, also what the state says cannot be true yet.
func (d *desk) check(ctx context.Context) (wire.Reply, error) {
	if err := d.ask(ctx, false); err != nil {
		return wire.Reply{}, err
	}
	return d.view(ctx, false)
}

// ask judges everything because the learner wants to know, and waits for it.
func (d *desk) ask(ctx context.Context, acted bool) error {
	d.work.Lock()
	defer d.work.Unlock()
	return d.judgeAll(ctx, acted)
}

// judgeAll judges everything. The caller holds work.
func (d *desk) judgeAll(ctx context.Context, acted bool) error {
	return d.judge(ctx, lab.Change{Heard: d.live.Take(), Command: acted, Asked: true}, learner{acted, acted})
}

// hint tells the next hint.
func (d *desk) hint() (wire.Reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, err := d.sitting.Hint()
	if err != nil {
		return wire.Reply{}, err
	}
	v := d.sitting.View()
	return wire.Reply{Text: text, View: &v}, nil
}

// goNext goes on to the next step.
func (d *desk) goNext(ctx context.Context) (wire.Reply, error) {
	d.work.Lock()
	d.mu.Lock()
	err := d.sitting.Next()
	checks := d.sitting.Checks()
	d.mu.Unlock()
	if err == nil {
		err = d.live.Begin(ctx, checks)
	}
	d.work.Unlock()
	if err == nil {
		err = d.ask(ctx, false)
	}
	if err != nil {
		return wire.Reply{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.news = nil
	return d.seen(ctx, false)
}

// solve runs the commands of the step.
func (d *desk) solve(ctx context.Context) (wire.Reply, error) {
	d.mu.Lock()
	step, err := d.sitting.Step(), d.sitting.Solve()
	d.mu.Unlock()
	if err != nil {
		return wire.Reply{}, err
	}
	run, err := d.perform(ctx, step)
	if err != nil {
		return wire.Reply{}, err
	}
	title := page.WithValues(d.sc, d.sc.Steps[step].Title)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.news = nil
	var b strings.Builder
	fmt.Fprintf(&b, "These commands are the step “%s”:\n\n```console\n", title)
	for _, x := range run {
		fmt.Fprintf(&b, "$ %s\n", x.Command)
	}
	b.WriteString("```\n")
	if !d.sitting.Done() {
		b.WriteString("\nThey did not lead to its end, because of what was there before. " +
			"`lab reset --step` begins it anew.\n")
	}
	v := d.sitting.View()
	return wire.Reply{Text: b.String(), View: &v}, nil
}

// perform runs the commands of a step in place of the learner: neither a command that is still being taken in nor the
// next one has done it.
func (d *desk) perform(ctx context.Context, step int) (run []scenario.Exchange, err error) {
	d.work.Lock()
	defer d.work.Unlock()
	if run, err = d.lab.Perform(ctx, d.sc, step); err == nil {
		err = d.judgeAll(ctx, true)
	}
	d.before = d.last
	d.mu.Lock()
	d.solved++
	d.mu.Unlock()
	return run, err
}

// why explains the first check that is open, by the diagnosis if it is about reachability.
func (d *desk) why(ctx context.Context) (wire.Reply, error) {
	d.work.Lock()
	defer d.work.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.sitting.Explain(); err != nil {
		return wire.Reply{}, err
	}
	v := d.sitting.View()
	if v.Step > len(v.Steps) || v.Steps[v.Step-1].Done {
		return wire.Reply{Text: "Everything of this step holds.\n"}, nil
	}
	for i := range d.news { // what is told now need not be told again
		d.news[i].Answer = nil
	}
	told := v.Answer // of the last command
	if told == nil || told.Text == "" {
		facts := d.facts(ctx, nil, "", 0)
		facts.Asked = true
		told = d.sitting.Tell(answer.Find(facts))
	}
	if told != nil {
		text := "**" + told.Title + "**\n\n" + told.Text + "\n"
		if told.Repair != "" {
			text += "\n```console\n$ " + told.Repair + "\n```\n"
		}
		return wire.Reply{Text: d.asReason(text)}, nil
	}
	var why []string
	for i, c := range v.Steps[v.Step-1].Checks {
		if c.Status == sitting.Holds {
			continue
		}
		lines := d.lab.Diagnosis(ctx, d.sitting.Checks()[i].Claim)
		switch {
		case len(lines) > 0:
			why = append(why, "- "+c.Text+"\n\n      "+strings.Join(d.withoutRepair(lines), "\n      "))
		case c.Fail != "":
			why = append(why, "- "+c.Text+"\n\n  "+c.Fail)
		case c.Found != "":
			why = append(why, "- "+c.Text+"\n\n  There is instead: "+c.Found)
		default:
			why = append(why, "- "+c.Text)
		}
	}
	if len(why) == 0 {
		return wire.Reply{}, errors.New("explain what is open: it is not judged yet; `lab check` does that")
	}
	return wire.Reply{Text: d.asReason(strings.Join(why, "\n") + "\n")}, nil
}

// asReason is what a learner is told of why, and that it counts if it does.
func (d *desk) asReason(text string) string {
	if d.sitting.Reason(text) {
		text += "\nThis is a challenge: it counts as a hint.\n"
	}
	return text
}

// withoutRepair is a diagnosis as a learner may read it: the repair of a challenge is its solution.
func (d *desk) withoutRepair(lines []string) []string {
	if d.sc.Kind != scenario.Challenge {
		return lines
	}
	var kept []string
	for _, line := range lines {
		if strings.HasPrefix(line, "repair:") {
			break
		}
		kept = append(kept, line)
	}
	return kept
}
