// Package proof tests the diagnosis against the real kernel: it builds random networks, makes faults in them, and
// compares the diagnosis with what was done. It consists of tests, and nothing imports it.
package proof_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

var (
	seed       = flag.Uint64("seed", 0, "seed of the random networks; 0 takes one by chance")
	topologies = flag.Int("topologies", 200, "how many random networks to build")
	only       = flag.String("cause", "", "make this cause alone")
	first      = flag.Int("first", 0, "number of the first network")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64()>>1 | 1
	}
	sandbox.Enter()
	if !sandbox.Inside() {
		if err := lend(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(lab.TestMain(m))
}

// workers is the number of networks at a time; most of the time they wait for probes without an answer.
const workers = 6

// TestPropertySingleFault: a healthy network gives no cause and no alarm; one fault in it is named, placed, and fixed
// by its repair.
func TestPropertySingleFault(t *testing.T) {
	run(t, "one fault", *topologies, func(ctx context.Context, rng *rand.Rand, i int, s *score) error {
		makers := slices.Clone(faults)
		if *only != "" {
			makers = slices.DeleteFunc(makers, func(m maker) bool { return m.cause.String() != *only })
		}
		m := makers[i%len(makers)]
		network, p, f := fitting(rng, m.make)
		if f == nil {
			return fmt.Errorf("no random network has a place for %s", m.cause)
		}
		f.cause = m.cause
		return inNetwork(ctx, network, func(n *live) error { return n.single(ctx, p, f, s) })
	})
}

// TestPropertyTwoFaults: of two faults on one path the one that stops the packet first is named, the other one after
// its repair.
func TestPropertyTwoFaults(t *testing.T) {
	run(t, "two faults", (*topologies+3)/4, func(ctx context.Context, rng *rand.Rand, i int, s *score) error {
		network, p, pair := fittingTwo(rng)
		return inNetwork(ctx, network, func(n *live) error { return n.double(ctx, p, pair[0], pair[1], s) })
	})
}

// inLine are the causes of which two may be on one path: each stops every packet, at one place, and does not affect the
// other.
var inLine = []causes.Cause{causes.RouteUnreachable, causes.RouteProhibit, causes.RouteBlackhole, causes.RuleDiverts,
	causes.NoRoute, causes.GatewayNowhere, causes.PeerDown, causes.QueueDrops,
	causes.NeighbourWrong, causes.BridgeDown, causes.PortDown, causes.PortBlocked, causes.PortIsolated,
	causes.ForwardingOff, causes.FilterOutput, causes.FilterForward,
	causes.FilterInput, causes.FilterBridge, causes.FilterIngress, causes.EchoIgnored, causes.ARPIgnored}

// fittingTwo makes random networks until two faults of different kinds can be made on one path, one after the other.
func fittingTwo(rng *rand.Rand) (*topology, path, [2]*fault) {
	for {
		network := randomTopology(rng)
		paths := network.paths()
		p := paths[rng.IntN(len(paths))]
		var two []*fault
		for range 12 {
			m := faults[rng.IntN(len(faults))]
			f := m.make
			if !slices.Contains(inLine, m.cause) {
				continue
			}
			made := f(network, p)
			// which removes addresses too
			if made == nil || p.family == 6 && (m.cause == causes.PeerDown || m.cause == causes.BridgeDown) ||
				made.alone || made.byHand != "" || made.port != 0 || // the other one may stop echoes alone
				len(two) == 1 && (two[0].at/perHop == made.at/perHop || two[0].cause == m.cause) {
				continue
			}
			made.cause = m.cause
			if two = append(two, made); len(two) == 2 {
				slices.SortFunc(two, func(a, b *fault) int { return a.at - b.at })
				return network, p, [2]*fault(two)
			}
		}
	}
}

// double makes two faults: the first one is named first, the second one after the repair, unless that fixed it too.
func (n *live) double(ctx context.Context, p path, a, b *fault, s *score) error {
	what := fmt.Sprintf("%s and %s from %s, made by\n    %s", a.cause, b.cause, p,
		strings.Join(slices.Concat(b.does, a.does), "\n    "))
	for _, f := range []*fault{b, a} { // the farther one first: what breaks may not be changed any more from there
		if err := n.breakIt(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	q := a.query(p)
	for _, f := range []*fault{a, b} {
		l := s.line(f.cause)
		r, err := n.settled(ctx, q)
		if err != nil {
			return err
		}
		if f == b && r.Cause == nil {
			break
		}
		s.count(&l.tried)
		if !f.named(r.Cause) || !slices.Contains(f.places, r.Cause.Place()) {
			return fmt.Errorf("%s\n    should be %s, %s, but it is told: %s", what, f.cause,
				strings.Join(f.places, " or "), told(r))
		}
		s.count(&l.named)
		s.count(&l.placed)
		s.count(&l.toRepair)
		if err := n.fix(ctx, r.Cause); err != nil {
			return fmt.Errorf("%s; told: %s: %w", what, told(r), err)
		}
		s.count(&l.repaired)
	}
	// A consequence of the first fault on the reply path is uncovered last.
	r, err := n.settled(ctx, q)
	for i := 0; i < 3 && err == nil && r.Cause != nil; i++ {
		if err = n.fix(ctx, r.Cause); err == nil {
			r, err = n.settled(ctx, q)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	got, found, err := n.reaches(ctx, q, true)
	if err == nil && !got {
		return fmt.Errorf("%s: the repairs do not help: %s; now told: %s", what, found, told(r))
	}
	return err
}

// do runs commands by the real programs.
func (n *live) do(ctx context.Context, lines []string) error {
	driver, err := lab.IPRoute2()
	if err != nil {
		return err
	}
	return n.lab.Do(ctx, driver, lines...)
}

// fix runs the printed repair of a cause.
func (n *live) fix(ctx context.Context, c *diagnose.Cause) error {
	if len(c.Repair) == 0 {
		return errors.New("there is no command that fixes it")
	}
	return n.do(ctx, c.Repair)
}

// fitting makes random networks until a fault can be made in one.
func fitting(rng *rand.Rand, make faulty) (*topology, path, *fault) {
	for range 400 {
		network := randomTopology(rng)
		paths := network.paths()
		for range 6 {
			p := paths[rng.IntN(len(paths))]
			if f := make(network, p); f != nil {
				return network, p, f
			}
		}
	}
	return nil, path{}, nil
}

// run gives each network to a worker and prints the score.
func run(t *testing.T, title string, networks int, one func(context.Context, *rand.Rand, int, *score) error) {
	if testing.Short() {
		t.Skip("-short: it builds hundreds of random networks")
	}
	if _, err := lab.IPRoute2(); err != nil {
		lab.Lacking(t, err)
	}
	t.Logf("seed %d", *seed)
	s := &score{lines: map[causes.Cause]*line{}}
	var lacks lacks
	numbers := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range numbers {
				err := one(t.Context(), rand.New(rand.NewPCG(*seed, uint64(i))), i, s)
				if err != nil && !lacks.take(err) {
					t.Errorf("network %d of seed %d: %v", i, *seed, err)
				}
			}
		})
	}
	for i := range networks {
		numbers <- *first + i
	}
	close(numbers)
	all.Wait()
	t.Logf("%s\n%s", title, s)
	if lacks.networks > 0 {
		lab.Lacking(t, fmt.Sprintf("%d of %d networks were left out: not installed are %s", lacks.networks, networks,
			strings.Join(slices.Sorted(maps.Keys(lacks.programs)), ", ")))
	}
}

// lacks are the networks in which a fault could not be made, or fixed, for lack of a program.
type lacks struct {
	sync.Mutex
	networks int
	programs map[string]bool
}

// take notes an error for lack of a program, and reports whether it was one.
func (l *lacks) take(err error) bool {
	var lacking *scenario.Unavailable
	if !errors.As(err, &lacking) {
		return false
	}
	l.Lock()
	defer l.Unlock()
	if l.programs == nil {
		l.programs = map[string]bool{}
	}
	l.networks++
	for _, name := range lacking.Programs {
		l.programs[name] = true
	}
	return true
}

// single makes one fault and compares the diagnosis with it.
func (n *live) single(ctx context.Context, p path, f *fault, s *score) error {
	l := s.line(f.cause)
	what := fmt.Sprintf("%s from %s, made by\n    %s\n    should be %s, %s", f.cause, p, strings.Join(f.does, "\n    "),
		f.cause, strings.Join(f.places, " or "))
	if err := n.breakIt(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	q := f.query(p)
	if f.from == "" && q.To.Zone() == "" && !q.To.IsLinkLocalUnicast() {
		got := true
		for try := 0; got && try < 3; try++ { // a neighbour that still asked may have been heard meanwhile
			var err error
			if got, _, err = n.reaches(ctx, q, false); err == nil && got {
				err = n.forget(ctx)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			if f.passes {
				break
			}
		}
		if got && !f.passes {
			return fmt.Errorf("%s: the fault stops nothing", what)
		}
	}
	r, err := n.diagnose(ctx, q)
	if err != nil {
		return err
	}
	s.count(&l.tried)
	if !f.named(r.Cause) {
		return fmt.Errorf("%s, but it is told: %s", what, told(r))
	}
	s.count(&l.named)
	if !slices.Contains(f.places, r.Cause.Place()) {
		return fmt.Errorf("%s, but it is told: %s", what, told(r))
	}
	s.count(&l.placed)
	if err := n.confirm(ctx, &r, s); err != nil {
		return fmt.Errorf("%s; told: %s: %w", what, told(r), err)
	}
	if f.byHand != "" {
		return nil
	}
	s.count(&l.toRepair)
	if err := n.repair(ctx, r, q); err != nil {
		return fmt.Errorf("%s; told: %s: %w", what, told(r), err)
	}
	s.count(&l.repaired)
	return nil
}

func (f *fault) named(c *diagnose.Cause) bool {
	return c != nil && (c.Name == f.cause || slices.Contains(f.names, c.Name))
}

func (n *live) diagnose(ctx context.Context, q diagnose.Query) (diagnose.Report, error) {
	s, err := n.lab.Whole(ctx)
	if err != nil {
		return diagnose.Report{}, err
	}
	r, alone := diagnose.Witnessed(s, q, n.lab.Witness(ctx, s)), diagnose.Diagnose(s, q)
	// From Linux 7.2 on the model of the rules is wrong where the first one was deleted; elsewhere the kernel agrees.
	if alone.Cause == nil || alone.Cause.Name != causes.LocalRuleMissing {
		for _, doubt := range r.Doubts {
			if strings.Contains(doubt, "goes by the kernel") {
				return r, fmt.Errorf("told without the kernel: %s; but %s", told(alone), doubt)
			}
		}
	}
	return r, nil
}

// settled diagnoses once link-local addresses are no longer tentative: a repair may route by a link on which they still
// are.
func (n *live) settled(ctx context.Context, q diagnose.Query) (diagnose.Report, error) {
	for end := time.Now().Add(time.Minute); ; {
		r, err := n.diagnose(ctx, q)
		if err != nil || r.Cause == nil || r.Cause.Name != causes.AddressTentative || time.Now().After(end) {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// repair runs the printed commands; then the pair has to reach each other, and the diagnosis to find no cause.
func (n *live) repair(ctx context.Context, r diagnose.Report, q diagnose.Query) error {
	if err := n.fix(ctx, r.Cause); err != nil {
		return fmt.Errorf("the repair does not run: %w", err)
	}
	got, found, err := n.reaches(ctx, q, true)
	if err != nil {
		return err
	}
	after, err := n.diagnose(ctx, q)
	if err != nil {
		return err
	}
	if !got {
		return fmt.Errorf("the repair does not help: %s; now told: %s", found, told(after))
	}
	if after.Cause != nil {
		return fmt.Errorf("the pair reaches after the repair, and is told: %s", told(after))
	}
	return nil
}
