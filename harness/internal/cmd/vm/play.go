package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/reports"
)

// play plays what was chosen in the guests of the rows, and reports over all.
func (o *options) play(ctx context.Context, rows []matrix.Row) error {
	filter, err := o.choice.Filter()
	if err != nil {
		return err
	}
	wanted, err := o.reporting.Wanted()
	if err != nil {
		return err
	}
	if err := o.baseline.Read(ctx); err != nil {
		return err
	}
	if err := o.expect.Read(ctx); err != nil {
		return err
	}
	what, err := o.choice.Read(ctx)
	if err != nil {
		return err
	}
	drivers, err := machine.KnownDrivers(nil)
	if err != nil {
		return err
	}
	settings := play.Settings{Filter: filter, Seed: o.choice.Seed, FailFast: o.choice.FailFast}
	plan, err := play.PlanWith(what, settings, drivers)
	if err != nil {
		return err
	}
	for i := range plan {
		o.choice.Again("harness vm", plan[i].Suites)
	}
	rows, suites, without, err := busy(rows, plan)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return o.choice.NothingSelected()
	}
	for _, row := range rows {
		if err := o.demands.Check(plan, row.Drivers...); err != nil {
			return fmt.Errorf("plan the guest %s: %w", row.Name(), err)
		}
	}
	o.guests.Keep = o.keepFailed
	live := newLive(o.screen, rows)
	if len(without) > 0 && !o.reporting.Quiet {
		live.say("left out: %s, for whose drivers nothing is chosen", reports.And(without))
	}
	rig, err := guests.Open(o.guests, func(text string) { live.say("%s", text) })
	if err != nil {
		return err
	}
	defer rig.Close()
	if err := rig.Ready(ctx, rows); err != nil {
		return err
	}
	told, err := o.reporting.Open(ctx, o.screen, wanted)
	if err != nil {
		return err
	}
	if o.reporting.Quiet {
		live.quiet()
	}
	live.plan(told, suites, o.sideBySide(len(rows)), o.guests.Clock())
	if len(o.choice.Taken) > 0 {
		live.say("whatever these kernels have, blocks are played as on one %s", play.TakenWords(o.choice.Taken))
	}
	p := &party{options: o, rig: rig, work: guests.NewWork(&o.choice, what, plan), live: live}
	p.work.Demand(&o.demands)
	p.work.Repeat(&o.again)
	r := p.run(ctx, rows, longestFirst(rows, suites))
	live.stop()
	lost := told.Finish(r)
	if o.compare {
		told.Say("\n%s", strings.TrimSuffix(reports.Compare(r, o.screen.Columns), "\n"))
	}
	return o.baseline.Judge(told, r, o.screen.Columns, verdict(ctx, r, lost))
}

// busy are the rows with a case to play, their suites, and the names of the rows without one.
func busy(all []matrix.Row, plan []specrun.Planned) (rows []matrix.Row, suites []reports.Suite, without []string,
	err error) {
	for _, row := range all {
		account, err := specrun.NewElsewhere(plan, row.Drivers)
		if err != nil {
			return nil, nil, nil, err
		}
		if account.Cases() == 0 {
			without = append(without, row.Name())
			continue
		}
		rows = append(rows, row)
		for _, s := range account.Suites {
			s.Guest = row.Name()
			suites = append(suites, s)
		}
	}
	return rows, suites, without, nil
}

// longestFirst are the numbers of the rows, those with the most cases first: a long guest that begins last would be
// waited for alone.
func longestFirst(rows []matrix.Row, suites []reports.Suite) []int {
	cases := map[string]int{}
	for i := range suites {
		cases[suites[i].Guest] += len(suites[i].Cases)
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cases[rows[b].Name()] - cases[rows[a].Name()] })
	return order
}

// party is the guests of one run.
type party struct {
	*options
	rig  *guests.Rig
	work *guests.Work
	live *live
}

// run plays in all guests in this order, some of them side by side, and returns the run with every planned case.
func (p *party) run(ctx context.Context, rows []matrix.Row, order []int) *reports.Run {
	r := &reports.Run{Started: time.Now(), Properties: []reports.Property{
		{Name: "seed", Value: strconv.FormatInt(p.choice.Seed, 10)},
	}}
	r.Hostname, _ = os.Hostname() // optional in a report
	played := make([]guests.Played, len(rows))
	queue := make(chan int, len(rows))
	for _, i := range order {
		queue <- i
	}
	close(queue)
	var jobs sync.WaitGroup
	for range p.sideBySide(len(rows)) {
		jobs.Go(func() {
			for i := range queue {
				folder := guests.Folder(p.reporting.Output, rows[i])
				played[i] = p.rig.Play(ctx, rows[i], p.work, folder, func(n guests.News) { p.live.news(i, n) })
				p.judge(&played[i])
				p.keep(&played[i], folder)
				p.live.ended(i, &played[i])
			}
		})
	}
	jobs.Wait()
	var left guests.LeftOut
	for i := range played {
		r.Guests = append(r.Guests, played[i].Guest)
		r.Suites = append(r.Suites, played[i].Suites...)
		r.Problems = append(r.Problems, played[i].Problems...)
		r.Unmet += played[i].Unmet
		left.Add(&played[i])
	}
	r.Problems = append(r.Problems, p.expect.Idle(r.Suites)...)
	r.LeftOut = left.All()
	r.Duration = time.Since(r.Started)
	return r
}

// judge gives the cases of a guest the outcomes that they have with the expectations.
func (p *party) judge(played *guests.Played) {
	on := p.expect.On(played.Guest.Properties)
	for i := range played.Suites {
		for j := range played.Suites[i].Cases {
			p.expect.Judge(on, &played.Suites[i], &played.Suites[i].Cases[j])
		}
	}
}

// keep names the command that boots a guest again in which something failed, if it was kept, and removes what boots the
// others.
func (p *party) keep(played *guests.Played, folder string) {
	if !p.keepFailed || played.Unable {
		return
	}
	var c reports.Counts
	for i := range played.Suites {
		c.Add(played.Suites[i].Count())
	}
	if played.Guest.Bad() || c.Bad() > 0 {
		played.Guest.Again = played.Command
		return
	}
	os.Remove(filepath.Join(folder, "initrd"))
}

// verdict is the exit status of a run as an error; lost is the error of its reports. What cut it short comes first, as
// in a run on this machine, then failures, then demands that were not met, then guests that could not start.
func verdict(ctx context.Context, r *reports.Run, lost error) error {
	unable := map[string]bool{}
	bad, cut := len(r.Problems) > r.Unmet, ctx.Err() != nil || lost != nil
	var why string
	for i := range r.Guests {
		g := &r.Guests[i]
		switch {
		case g.Class == guests.NotStarted:
			unable[g.Name], why = true, g.Name+": "+g.Words
		case g.Class == guests.NoResult:
			cut = true
		case g.Bad():
			bad = true
		}
	}
	passed := map[string]int{}
	for i := range r.Suites {
		c := r.Suites[i].Count()
		passed[r.Suites[i].Guest] += c.Pass + c.XFail
		bad = bad || c.Bad() > 0 && !unable[r.Suites[i].Guest]
	}
	var idle []string // kernels of which nothing is known
	for i := range r.Guests {
		if name := r.Guests[i].Name; passed[name] == 0 {
			idle = append(idle, name)
		}
	}
	switch {
	case cut:
		return &status.Error{Status: status.Cut, Cause: lost}
	case bad:
		return &status.Error{Status: status.Failed}
	case r.Unmet > 0:
		return &status.Error{Status: status.Cannot}
	case len(unable) == 1:
		return status.Cannotf("start the guest %s", why)
	case len(unable) > 0:
		return status.Cannotf("start the guests: %d of %d could not start", len(unable), len(r.Guests))
	case len(idle) > 0:
		return status.Cannotf("nothing could be run on %s: all cases were skipped", reports.And(idle))
	}
	return nil
}
