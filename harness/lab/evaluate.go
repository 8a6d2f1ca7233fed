package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Evaluate looks at a claim once, without waiting. base is what was before the section's commands; it may be nil for a claim that
// does not ask for it. A claim that could not be looked at is an error, never a pass and never a fail.
func (l *Lab) Evaluate(ctx context.Context, c scenario.Claim, base *Baseline) scenario.Verdict {
	return l.EvaluateAll(ctx, []scenario.Check{{Claim: c}}, base)[0]
}

// EvaluateAll looks at the claims of several checks at once, without waiting; they are expected to be true.
func (l *Lab) EvaluateAll(ctx context.Context, checks []scenario.Check, base *Baseline) []scenario.Verdict {
	return l.evaluateAll(ctx, checks, base, true)
}

// evaluateAll looks at the claims of several checks, at the state once for all of them that need it. Counters and events come first, so
// that the probes of one check are not counted by another. expected says whether the claims should be true: the probes that should then
// end in silence come next, side by side, since silence takes its time; the others last, one by one as written, since an answer leaves
// something behind (a neighbour, an entry of a bridge) that the next one may be about.
func (l *Lab) evaluateAll(ctx context.Context, checks []scenario.Check, base *Baseline, expected bool) []scenario.Verdict {
	verdicts := make([]scenario.Verdict, len(checks))
	k := &look{lab: l, base: base}
	judge := func(i int, listen time.Duration) {
		f, err := k.at(ctx, checks[i].Claim, listen)
		if err != nil {
			verdicts[i] = unjudged(checks[i].Claim, err)
		} else {
			verdicts[i] = verdict(checks[i].Claim, f)
		}
	}
	var counted, still, silent, answered []int
	for i, c := range checks {
		switch probes, hears := probing(c.Claim); {
		case counts(c.Claim):
			counted = append(counted, i)
		case !probes:
			still = append(still, i)
		case hears != expected:
			silent = append(silent, i)
		default:
			answered = append(answered, i)
		}
	}
	answer, asked := probe.Window, probe.Brief
	if !expected { // this look is the only one: who should hear something gets the time for it
		answer, asked = probe.Long, probe.Long
	}
	for _, i := range append(counted, still...) {
		judge(i, asked) // of these, only who asks for a neighbour listens
	}
	var together sync.WaitGroup
	for _, i := range silent {
		together.Go(func() { judge(i, probe.Brief) })
	}
	together.Wait()
	for _, i := range answered {
		judge(i, answer)
	}
	return verdicts
}

// probing says whether a claim is judged by packets, and whether it hears an answer when it is true. To be refused is an answer, and to
// be asked for a neighbour changes what others know: neither is looked at beside others.
func probing(claim scenario.Claim) (probes, hears bool) {
	switch c := claim.(type) {
	case scenario.Reaches:
		return true, !c.Not
	case scenario.Connects:
		return true, c.Outcome == scenario.ConnectOK || c.Outcome == scenario.ConnectRefused
	}
	return false, false
}

// look is one look at a lab: the state is read when the first claim asks for it. Probes ask side by side.
type look struct {
	lab  *Lab
	base *Baseline

	mu    sync.Mutex      // of what follows
	there map[string]bool // namespaces that were asked for by name
	state *state.State
	whole *state.State // with the packet filters
}

func (k *look) at(ctx context.Context, claim scenario.Claim, listen time.Duration) (finding, error) {
	name := subject(claim)
	if name == "" {
		s, err := k.snapshotFor(ctx, claim)
		if err != nil {
			return finding{}, err
		}
		if f, ok := judgeState(s, claim); ok {
			return f, nil
		}
		return k.ask(ctx, claim, listen)
	}
	if k.exists(name) {
		if f, err := k.ask(ctx, claim, listen); k.lab.has(name) {
			return f, err
		}
	}
	s, err := k.snapshot(ctx)
	if err != nil {
		return finding{}, err
	}
	return finding{false, noNamespace(s, name)}, nil
}

func (k *look) snapshot(ctx context.Context) (*state.State, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != nil {
		return k.state, nil
	}
	var err error
	k.state, err = k.lab.brief(ctx)
	return k.state, err
}

// snapshotFor is a snapshot with all that a claim needs.
func (k *look) snapshotFor(ctx context.Context, claim scenario.Claim) (*state.State, error) {
	switch claim.(type) {
	case scenario.CauseIs, scenario.NothingWrong:
	default:
		return k.snapshot(ctx)
	}
	if k.whole != nil {
		return k.whole, nil
	}
	var err error
	k.whole, err = k.lab.Whole(ctx)
	return k.whole, err
}

// exists says whether there was a namespace with this name when the look asked for it first.
func (k *look) exists(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	there, asked := k.there[name]
	if !asked {
		there = k.lab.has(name)
		if k.there == nil {
			k.there = map[string]bool{}
		}
		k.there[name] = there
	}
	return there
}

// has asks for one namespace's name alone, which is much cheaper than the state, and than all names where there are many.
func (l *Lab) has(name string) bool {
	h, err := l.world.Open(name)
	if err != nil {
		return false
	}
	h.Close()
	return true
}

// subject is the namespace that a claim on the kernel is about.
func subject(claim scenario.Claim) string {
	switch c := claim.(type) {
	case scenario.SendsTo:
		return c.Netns
	case scenario.NoRouteTo:
		return c.Netns
	case scenario.CannotResolve:
		return c.Netns
	case scenario.Reaches:
		return c.Netns
	case scenario.Connects:
		return c.Netns
	case scenario.SysctlIs:
		return c.Netns
	case scenario.AttributeIs:
		return c.Netns
	case scenario.CounterGrew:
		return c.Netns
	case scenario.SawEvent:
		return c.Netns
	}
	return ""
}

// ask judges the claims that the kernel or the network has to answer.
func (k *look) ask(ctx context.Context, claim scenario.Claim, listen time.Duration) (finding, error) {
	l := k.lab
	switch c := claim.(type) {
	case scenario.SendsTo:
		return k.sendsTo(ctx, c)
	case scenario.NoRouteTo:
		r, err := probe.Lookup(ctx, l.world, c.Netns, c.Dest, netip.Addr{})
		return finding{r.Errno == syscall.ENETUNREACH, lookupWords(r)}, err
	case scenario.CannotResolve:
		entry, dev, err := probe.Resolve(ctx, l.world, c.Netns, c.Addr, listen)
		unresolved := entry == "failed" || entry == "incomplete"
		return finding{unresolved, word(entry == "", "no entry came to be", fmt.Sprintf("the entry on %s is %s", dev, entry))}, err
	case scenario.Reaches:
		r, err := probe.Echo(ctx, l.world, c.Netns, probe.EchoRequest{Dest: c.Dest, From: c.From, Bytes: c.Bytes}, listen)
		return finding{r.Reached != c.Not, r.Found}, err
	case scenario.Connects:
		r, err := probe.Connect(ctx, l.world, c.Netns, probe.ConnectRequest{Dest: c.Dest, Port: c.Port}, listen)
		return finding{endedAs(r, c.Outcome), r.Found}, err
	case scenario.SysctlIs:
		return l.sysctlIs(ctx, c)
	case scenario.AttributeIs:
		s, err := k.snapshot(ctx)
		if err != nil {
			return finding{}, err
		}
		return l.attributeIs(s, c)
	case scenario.CounterGrew:
		return l.counterGrew(ctx, c, k.base)
	case scenario.SawEvent:
		return k.base.saw(c)
	}
	return finding{}, fmt.Errorf("not judged: nothing here evaluates %T", claim)
}

func (k *look) sendsTo(ctx context.Context, c scenario.SendsTo) (finding, error) {
	r, err := probe.Lookup(ctx, k.lab.world, c.Netns, c.Dest, c.From)
	if err != nil {
		return finding{}, err
	}
	out := c.Out
	if out != "" && out != r.Dev { // it may be an alternative name
		s, err := k.snapshot(ctx)
		if err != nil {
			return finding{}, err
		}
		if n := s.Namespace(c.Netns); n != nil && n.Link(out) != nil {
			out = n.Link(out).Name
		}
	}
	holds := r.Errno == 0 && (out == "" || r.Dev == out)
	if c.Via.IsValid() {
		// A packet for a neighbour goes to the neighbour itself.
		hop := r.Via
		if !hop.IsValid() {
			hop = c.Dest
		}
		holds = holds && hop.WithZone("") == c.Via.WithZone("")
	}
	return finding{holds, lookupWords(r)}, nil
}

func lookupWords(r probe.LookupResult) string {
	if r.Errno != 0 {
		return "the route look-up answers: " + r.Errno.Error()
	}
	text := "the route look-up answers: " + word(r.Type == "unicast", "", r.Type+" ")
	if r.Via.IsValid() {
		text += "via " + r.Via.String() + " "
	}
	return text + "dev " + r.Dev
}

func endedAs(r probe.ConnectResult, want scenario.ConnectOutcome) bool {
	switch want {
	case scenario.ConnectOK:
		return r.Connected
	case scenario.ConnectRefused:
		return r.Refused
	case scenario.ConnectSilence:
		return r.Silence
	}
	return !r.Connected
}

// sysctlIs reads the value in the namespace. A key that does not exist is no subject, so the claim is false.
func (l *Lab) sysctlIs(ctx context.Context, c scenario.SysctlIs) (finding, error) {
	value, err := observe.Sysctl(ctx, l.world, c.Netns, c.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return finding{false, "there is no sysctl " + c.Key}, nil
	}
	if err != nil {
		return finding{}, err
	}
	found := strings.Join(strings.Fields(value), " ")
	return finding{(found == strings.Join(strings.Fields(c.Value), " ")) != c.Not, "its value is " + found}, nil
}
