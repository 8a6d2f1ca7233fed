package lab

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
	"netnscheck/harness/state/changes"
)

// answered is what a program or the network has answered to a check, and under which circumstances; the zero value is
// nothing.
type answered struct {
	verdict    scenario.Verdict
	under      *circumstances
	neighbours string
	retries    int
}

// neighbourly are the kinds of changes after which a packet may get through that did not before.
const neighbourly = changes.Neighbours | changes.Forwarding

// circumstances are what an answer depends on, as far as a state shows it.
type circumstances struct {
	normal *state.State
	rest   string
	parts  []any
}

func circumstancesOf(s *state.State) *circumstances {
	c := &circumstances{normal: s.Normal()}
	var rest strings.Builder
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			fmt.Fprintln(&rest, n.Name, l.Name, l.Up, l.Carrier, l.OperState)
			if l.Port != nil {
				fmt.Fprintln(&rest, l.Port.State)
			}
		}
		c.parts = append(c.parts, n.Filters, n.LegacyFilters, n.IPSets, n.Listeners)
	}
	for _, p := range s.Pending() {
		if p.Kind != state.PendingNeighbour {
			fmt.Fprintln(&rest, p)
		}
	}
	fmt.Fprintln(&rest, outdated(s))
	c.rest = rest.String()
	return c
}

func (c *circumstances) same(other *circumstances) bool {
	return c.rest == other.rest && reflect.DeepEqual(c.normal, other.normal) && reflect.DeepEqual(c.parts, other.parts)
}

// neighboursOf are the neighbours in a state, by what is known of them.
func neighboursOf(s *state.State) string {
	var all strings.Builder
	for _, n := range s.Namespaces {
		for _, e := range n.Neighbours {
			fmt.Fprintln(&all, n.Name, e.Dev, e.Addr, e.MAC, e.MAC != "")
		}
	}
	return all.String()
}

// late asks programs and the network, in the order of Lab.evaluateAll: programs first, then those that should stay
// silent, side by side, then those that should answer.
func (n *judging) late(ctx context.Context, verdicts []scenario.Verdict) error {
	v := n.live
	if len(n.programs)+len(n.probes) == 0 {
		return nil
	}
	var reading, programs, silent, loud []int
	for _, i := range n.programs {
		if v.checks[i].Claim.Needs().Class == claim.ByKernel {
			reading = append(reading, i)
		} else {
			programs = append(programs, i)
		}
	}
	for _, i := range n.probes {
		if v.checks[i].Claim.Needs().Class == claim.ByAnswer && !n.doubtful[i] {
			loud = append(loud, i)
		} else {
			silent = append(silent, i)
		}
	}
	for _, i := range reading {
		n.ask(ctx, i, &verdicts[i], 0)
	}
	if len(programs)+len(silent)+len(loud) == 0 {
		return nil
	}
	if err := v.lab.settleAll(ctx); err != nil {
		return err
	}
	done, err := v.unseen(ctx)
	if err != nil {
		return err
	}
	for _, i := range programs {
		n.ask(ctx, i, &verdicts[i], 0)
	}
	var together sync.WaitGroup
	for _, i := range silent {
		together.Go(func() { n.ask(ctx, i, &verdicts[i], probe.Brief) })
	}
	together.Wait()
	for _, i := range loud {
		n.ask(ctx, i, &verdicts[i], probe.Window)
	}
	return done()
}

// ask asks for check i and remembers the answer. If ctx has ended, it leaves the verdict as it is.
func (n *judging) ask(ctx context.Context, i int, to *scenario.Verdict, listen time.Duration) {
	if ctx.Err() != nil {
		return
	}
	c, a := n.live.checks[i].Claim, &n.live.answers[i]
	n.look.askAgain(claim.Unanswered(c, n.state))
	k := &look{lab: n.look.lab, base: n.look.base, state: n.state, whole: n.state}
	f, err := k.at(ctx, c, listen)
	if wait := n.look.lab.doubted(c); err == nil && !f.Holds && wait > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			f, err = k.at(ctx, c, listen)
		}
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		*to, *a = unjudged(c, err), answered{}
		return
	}
	retries := 0
	if a.under != nil && a.under.same(n.now) { // not n.same: probes run side by side
		retries = a.retries + 1
	}
	*to = verdict(c, f)
	*a = answered{verdict: *to, under: n.now, neighbours: neighboursOf(n.state), retries: retries}
}

// forget forgets what was asked in this judgement.
func (n *judging) forget(verdicts []scenario.Verdict) {
	for _, i := range slices.Concat(n.programs, n.probes) {
		verdicts[i], n.live.answers[i] = scenario.Verdict{}, answered{}
	}
}

// doubted is how long to wait until silence can be told from a refusal that is not sent, for a claim that expects one
// of them.
func (l *Lab) doubted(c claim.Claim) time.Duration {
	var expected claim.ConnectOutcome
	var from string
	var dest netip.Addr
	switch c := c.(type) {
	case claim.Connects:
		expected, from, dest = c.Outcome, c.Netns, c.Dest
	case claim.Hears:
		expected, from, dest = c.Outcome, c.Netns, c.Dest
	}
	if expected != claim.ConnectSilence && expected != claim.ConnectRefused {
		return 0
	}
	return l.refusals.patience(from, dest)
}

// unseen begins a time in which traffic and events do not count, nor traces that were left in it. It ends with done.
func (v *Live) unseen(ctx context.Context) (done func() error, err error) {
	var counted []claim.Count
	traced := false
	for _, c := range v.checks {
		if q, ok := c.Claim.Needs().Question.(claim.Count); ok {
			counted = append(counted, q)
		}
		traced = traced || c.Claim.Needs().Class == claim.ByTraces
	}
	before, err := v.read(ctx, counted)
	if err != nil {
		return nil, err
	}
	sources := v.overheard()
	for _, h := range sources {
		h.take(false)
	}
	var there *state.State
	if traced {
		if there, err = v.lab.brief(ctx); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, h := range sources {
			h.take(true)
		}
		after, err := v.read(ctx, counted)
		if err != nil {
			return err
		}
		for q, now := range after {
			if now > before[q] {
				v.base.counters[q] += now - before[q]
			}
		}
		if there == nil {
			return nil
		}
		s, err := v.lab.brief(ctx)
		if err != nil {
			return err
		}
		v.traces.left(there, s)
		return nil
	}, nil
}

// overheard are the sources of events that the feed of the lab hears.
func (v *Live) overheard() (all []*overheard) {
	for _, source := range v.base.feeds {
		if h, ok := source.(*overheard); ok {
			all = append(all, h)
		}
	}
	return all
}

// read reads the counters.
func (v *Live) read(ctx context.Context, counted []claim.Count) (map[claim.Count]uint64, error) {
	k := &look{lab: v.lab}
	values := map[claim.Count]uint64{}
	for _, q := range counted {
		all, err := k.counters(ctx, q)
		if err != nil {
			return nil, err
		}
		values[q] = all[q.Counter]
	}
	return values, nil
}
