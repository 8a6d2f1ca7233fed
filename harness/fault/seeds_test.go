package fault_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/fault"
	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

var seeds = flag.Int("seeds", 100, "how many seeds of each level to play")

// TestSeeds plays seeds of each level, each in one of the lessons, with one to three faults: that something is broken
// is seen, packets do not get through, the diagnosis names one of the faults that are left, and its repair solves the
// challenge of a single fault, unless nothing shows what was lost with it. The finished state is reached in the end.
func TestSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays hundreds of challenges")
	}
	labtest.Needs(t, "ip", "nft")
	all := lessons(t,
		"bridge,complete-commands,container-network,firewall-per-namespace,ipv6,loopback,macvlan,mtu,nat,"+
			"nftables,policy-routing,rate-limit,router,veth-pair,vxlan")
	s := &tally{}
	t.Run("lessons", func(t *testing.T) {
		for i, sc := range all {
			for level := 1; level <= fault.Levels; level++ {
				t.Run(fmt.Sprintf("%s/%d", sc.ID, level), func(t *testing.T) {
					t.Parallel()
					playSeeds(t, sc, level, i, len(all), s)
				})
			}
		}
	})
	t.Logf("%d challenges with %d faults; of the single ones the repairs of the diagnosis solved all %d that hide "+
		"nothing, and %d of %d others", s.played, s.faults, s.repaired, s.guessed, s.lost)
}

// playSeeds plays every so many seeds of a level in one lesson.
func playSeeds(t *testing.T, sc *scenario.Scenario, level, first, every int, s *tally) {
	c, err := lab.Finish(t.Context(), sc, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { c.Lab.Close() }()
	for seed := first; seed < *seeds; seed += every {
		o := fault.Options{Level: level, Faults: 1 + seed/every%3, Seed: fmt.Sprint(seed)}
		if err := play(t.Context(), c, o, s); err != nil {
			t.Errorf("%+v: %v", o, err)
			c.Lab.Close()
			if c, err = lab.Finish(t.Context(), sc, lab.Options{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// tally counts what was played.
type tally struct {
	sync.Mutex
	played, faults, repaired, lost, guessed int
}

func (s *tally) count(faults []fault.Fault, solved bool) {
	s.Lock()
	defer s.Unlock()
	s.played, s.faults = s.played+1, s.faults+len(faults)
	switch {
	case len(faults) > 1:
	case faults[0].Lost != "":
		s.lost++
		if solved {
			s.guessed++
		}
	default:
		s.repaired++
	}
}

// play plays one challenge, and leaves the lab as it was.
func play(ctx context.Context, c *lab.Challenge, o fault.Options, s *tally) error {
	chosen, err := choose(c, &o)
	if err != nil {
		return err
	}
	c.Faults = nil
	if err := forget(ctx, c); err != nil {
		return err
	}
	if err := c.PutIn(ctx, chosen...); err != nil {
		return err
	}
	told := func() string {
		var lines []string
		for _, f := range chosen {
			lines = append(lines, f.Title+" "+f.Name.String(), written(f))
		}
		return strings.Join(lines, "\n")
	}
	if !seen(ctx, c) {
		return fmt.Errorf("nothing is broken:\n%s", told())
	}
	if through, err := flows(ctx, c); err != nil || through && !byLuck(chosen) {
		return fmt.Errorf("packets get through all the same (%v):\n%s", err, told())
	}
	solve := func() ([]string, error) { return repair(ctx, c, chosen) }
	if len(chosen) > 1 {
		odd := o.Seed[len(o.Seed)-1]%2 == 1
		solve = func() ([]string, error) { return mendAll(ctx, c, chosen, odd) }
	}
	did, err := solve()
	if err != nil {
		return fmt.Errorf("%w, after\n    %s\n%s", err, strings.Join(did, "\n    "), told())
	}
	open := unmetOf(ctx, c, promised(c, chosen[0]))
	if len(chosen) == 1 && chosen[0].Lost == "" && len(open) > 0 {
		return fmt.Errorf("after the repair of the diagnosis it is not true that\n  %s\nafter\n    %s\n%s",
			strings.Join(open, "\n  "), strings.Join(did, "\n    "), told())
	}
	s.count(chosen, len(open) == 0)
	now, err := c.Lab.Whole(ctx)
	if err != nil {
		return err
	}
	back, ok := fault.Restore(now, c.Finished)
	if !ok {
		return fmt.Errorf("no way back is known, after\n    %s\n%s", strings.Join(did, "\n    "), told())
	}
	if err := c.Lab.Build(ctx, back); err != nil {
		return fmt.Errorf("%w, after\n    %s\n%s", err, strings.Join(did, "\n    "), told())
	}
	if now, err = c.Lab.Whole(ctx); err != nil {
		return err
	}
	if changes := differences(c.Finished, now); len(changes) > 0 {
		return fmt.Errorf("it is not what it was:\n  %s\n%s", strings.Join(changes, "\n  "), told())
	}
	for i := range c.Finished.Namespaces { // a rule that was deleted has another handle by now
		n := &c.Finished.Namespaces[i]
		n.Filters = now.Namespace(n.Name).Filters
	}
	if open = unmet(ctx, c); len(open) > 0 {
		return fmt.Errorf("all is as it was, but it is not true that\n  %s\n%s", strings.Join(open, "\n  "), told())
	}
	return nil
}

// promised are the goals that the repair of a fault reaches. That of a filter lets pass what the diagnosis was asked
// about, and nothing else: not what is to be refused, nor what leaves the network.
func promised(c *lab.Challenge, f fault.Fault) (goals []scenario.Check) {
	if !strings.HasPrefix(f.Name.String(), "filter-") {
		return c.Goals
	}
	asked := fault.Queries(c.Finished, c.Goals)
	for _, g := range c.Goals {
		if q, ok := fault.QueryOf(g.Claim); ok && slices.Contains(asked, q) {
			goals = append(goals, g)
		}
	}
	return goals
}

// byLuck reports whether packets may get through by luck: of two with one address, the first that answers counts.
func byLuck(faults []fault.Fault) bool {
	return slices.ContainsFunc(faults, func(f fault.Fault) bool {
		return f.Name == causes.DuplicateAddress || f.Name == causes.DuplicateMAC
	})
}

// choose chooses as many of the faults as go together.
func choose(c *lab.Challenge, o *fault.Options) ([]fault.Fault, error) {
	for {
		chosen, err := fault.Choose(c.Finished, c.Goals, *o)
		if err == nil || o.Faults == 1 {
			return chosen, err
		}
		o.Faults--
	}
}

// repair runs what the diagnosis says until it finds no cause. The first one is that of the fault. What the fault has
// taken with it, only its maker knows: there the repairs may end, with another network than there was.
func repair(ctx context.Context, c *lab.Challenge, chosen []fault.Fault) (did []string, err error) {
	ip, err := lab.IPRoute2()
	if err != nil {
		return nil, err
	}
	for range 5 {
		cause, err := diagnosis(ctx, c)
		switch {
		case err != nil:
			return did, err
		case did == nil && (cause == nil || !slices.Contains(chosen[0].Names, cause.Name)):
			return did, fmt.Errorf("the diagnosis says %v, not one of %v", cause, chosen[0].Names)
		case cause == nil || len(cause.Repair) == 0:
			return did, nil
		}
		did = append(append(did, "# "+cause.Name.String()+" "+cause.Place()), cause.Repair...)
		if err := c.Lab.Do(ctx, ip, cause.Repair...); err != nil {
			return did, err
		}
	}
	return did, nil
}

// mendAll mends the faults in the order in which the diagnosis names them, or in another one: it always names one of
// those that are left.
func mendAll(ctx context.Context, c *lab.Challenge, chosen []fault.Fault, another bool) (did []string, err error) {
	left := slices.Clone(chosen)
	for len(left) > 0 {
		cause, err := diagnosis(ctx, c)
		if err != nil {
			return did, err
		}
		i := slices.IndexFunc(left, func(f fault.Fault) bool {
			return cause != nil && slices.Contains(f.Names, cause.Name)
		})
		if i < 0 {
			return did, fmt.Errorf("with %d faults left the diagnosis says %v", len(left), cause)
		}
		if another {
			i = (i + 1) % len(left)
		}
		did = append(did, "# "+cause.Name.String()+" "+cause.Place()+": "+left[i].Title)
		if err := c.Lab.Build(ctx, left[i].Mend); err != nil {
			return did, err
		}
		left = slices.Delete(left, i, i+1)
	}
	return did, nil
}

// diagnosis is the first cause that the diagnosis names for a goal, once no address is tentative; nil for none.
func diagnosis(ctx context.Context, c *lab.Challenge) (*diagnose.Cause, error) {
	for {
		s, err := c.Lab.Whole(ctx)
		if err != nil {
			return nil, err
		}
		var cause *diagnose.Cause
		for _, g := range c.Goals {
			if q, ok := fault.QueryOf(g.Claim); ok && cause == nil {
				cause = diagnose.Diagnose(s, q).Cause
			}
		}
		if cause == nil || cause.Name != causes.AddressTentative || ctx.Err() != nil {
			return cause, ctx.Err()
		}
	}
}
