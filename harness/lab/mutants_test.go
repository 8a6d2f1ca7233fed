package lab_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

func TestMain(m *testing.M) { os.Exit(lab.TestMain(m)) }

var mutantsOf = flag.String("mutants", "veth-pair", "break the labs of these scenarios: an id, or all")

// TestMutants breaks a lab for each check of the catalogue, in a way that should make the check fail, and requires that
// it does. A check that still passes proves nothing. `make mutants` runs it for the whole catalogue.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it breaks the lab behind each check of a lesson")
	}
	s := score{}
	t.Run("checks", func(t *testing.T) {
		for _, section := range sectionsOf(t, *mutantsOf) {
			for _, c := range section.Checks() {
				t.Run(fmt.Sprintf("%s:%d", section.Scenario.ID, c.Line), func(t *testing.T) {
					t.Parallel()
					s.count(t, section, c, mutate(t, section, c))
				})
			}
		}
	})
	s.print()
	if s.killed == 0 {
		t.Error("not one check was seen red")
	}
}

func sectionsOf(t *testing.T, id string) (sections []lab.Section) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if id != "all" && sc.ID != id {
			continue
		}
		for i := range sc.Steps {
			sections = append(sections, lab.Section{Scenario: sc, Step: i, Mistake: -1})
			for j := range sc.Steps[i].Mistakes {
				sections = append(sections, lab.Section{Scenario: sc, Step: i, Mistake: j})
			}
		}
	}
	if len(sections) == 0 {
		t.Fatalf("-mutants %s: there is no such scenario", id)
	}
	return sections
}

// fate is the result for one check.
type fate struct {
	way     *way   // that made it fail; nil if none did
	skipped string // why nothing was tried
	log     []string
}

// mutate tries one way after another, each in a new lab, until the check fails.
func mutate(t *testing.T, section lab.Section, c scenario.Check) (f fate) {
	ctx := t.Context()
	for _, w := range waysFor(section, c) {
		err := seeRed(ctx, section, c, w)
		var unavailable *scenario.Unavailable
		var cannot *scenario.CannotSay
		switch {
		case err == nil:
			f.way = &w
			return f
		case errors.As(err, &unavailable), errors.As(err, &cannot), errors.Is(err, lab.ErrUnplayable):
			f.skipped = err.Error()
			return f
		}
		f.log = append(f.log, fmt.Sprintf("%s: %v", w.name, err))
	}
	return f
}

// seeRed requires that the check passes in a new lab, breaks the lab, and requires that it fails: false, not undecided.
func seeRed(ctx context.Context, section lab.Section, c scenario.Check, w way) (err error) {
	stage, err := section.Prepare(ctx)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer func() { err = errors.Join(err, stage.Lab.Close()) }()
	base, err := stage.Lab.Baseline(ctx, []scenario.Check{c})
	if err != nil {
		return err
	}
	defer base.Close()
	if w.by != leftOut {
		if err := stage.Play(ctx); err != nil {
			return fmt.Errorf("play: %w", err)
		}
		if a := stage.Lab.Await(ctx, []scenario.Check{c}, base)[0]; a.Outcome != scenario.Pass {
			return fmt.Errorf("it is not true to begin with: found %s %s", a.Found, a.Reason)
		}
		if err := w.breakIt(ctx, stage); err != nil {
			return err
		}
	}
	return awaitRed(ctx, stage.Lab, c, base)
}

// awaitRed waits until the check is false, because the kernel does some work asynchronously (loss of carrier, the
// removal of a namespace).
func awaitRed(ctx context.Context, l *lab.Lab, c scenario.Check, base *lab.Baseline) error {
	limit := time.After(scenario.DefaultLimit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		v := l.Evaluate(ctx, c.Claim, base)
		if v.Outcome == scenario.Fail {
			return nil
		}
		select {
		case <-limit:
			return fmt.Errorf("it stays %s: %s %s", v.Outcome, v.Found, v.Reason)
		case <-tick.C:
		}
	}
}

// score counts the checks by the means that made them fail, and by the kind of their claim.
type score struct {
	sync.Mutex
	killed, skipped int
	red             map[means][]string // their places
	alive           []string
	kinds           map[string][2]int // killed, all
}

func (s *score) count(t *testing.T, section lab.Section, c scenario.Check, f fate) {
	s.Lock()
	defer s.Unlock()
	if s.kinds == nil {
		s.kinds, s.red = map[string][2]int{}, map[means][]string{}
	}
	place := fmt.Sprintf("%s:%d: %s", section.Scenario.File, c.Line, c.Text)
	kind := reflect.TypeOf(c.Claim).Name()
	k := s.kinds[kind]
	switch {
	case f.skipped != "":
		s.skipped++
		t.Skip(f.skipped)
	case f.way != nil:
		s.killed++
		k[0]++
		s.red[f.way.by] = append(s.red[f.way.by], place)
		t.Logf("red by %s", f.way.name)
	default:
		s.alive = append(s.alive, place)
		t.Errorf("%s\nnothing makes this check fail:\n%s", place, strings.Join(f.log, "\n"))
	}
	k[1]++
	s.kinds[kind] = k
}

// print prints the score for `make mutants`.
func (s *score) print() {
	for _, kind := range slices.Sorted(maps.Keys(s.kinds)) {
		fmt.Printf("%-20s %4d of %4d\n", kind, s.kinds[kind][0], s.kinds[kind][1])
	}
	all := s.killed + len(s.alive)
	if all > 0 {
		fmt.Printf("mutants: %d of %d checks turn red when their lab is broken (%.1f %%); %d could not be tried here\n",
			s.killed, all, 100*float64(s.killed)/float64(all), s.skipped)
		fmt.Printf("%d by %s, %d only by %s, %d only by %s\n",
			len(s.red[ownWay]), ownWay, len(s.red[leftOut]), leftOut, len(s.red[subjectGone]), subjectGone)
	}
	for _, by := range []means{leftOut, subjectGone} {
		slices.Sort(s.red[by])
		for _, place := range s.red[by] {
			fmt.Printf("only by %s: %s\n", by, place)
		}
	}
	for _, place := range s.alive {
		fmt.Println("stays green:", place)
	}
}
