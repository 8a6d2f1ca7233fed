package lab

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/feed"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// pair are two namespaces with a veth pair that is up, but has no addresses.
var pair = []string{"ip netns add a", "ip netns add b", "ip -n a link add v type veth peer name w netns b",
	"ip -n a link set v up", "ip -n b link set w up"}

// addresses let the two of pair reach each other.
var addresses = []string{"ip -n a addr add 10.1.0.1/24 dev v", "ip -n b addr add 10.1.0.2/24 dev w"}

// watched is a lab in which somebody works on a step with these checks.
type watched struct {
	*testing.T
	lab    *Lab
	live   *Live
	checks []scenario.Check
}

func newWatched(t *testing.T, lines []string, sentences ...string) *watched {
	t.Helper()
	l, err := Start(t.Context(), scenario.Host{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &watched{T: t, lab: l}
	if w.live, err = l.Live(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(w.live.Lacks()) > 0 {
		t.Fatal(w.live.Lacks())
	}
	for _, s := range sentences {
		c, err := scenario.ParseClaim(s)
		if err != nil {
			t.Fatal(err)
		}
		w.checks = append(w.checks, scenario.Check{Text: s, Claim: c})
	}
	w.do(lines...)
	if err := w.live.Begin(t.Context(), w.checks); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) do(lines ...string) {
	w.Helper()
	if err := w.lab.Do(w.Context(), Netlink(), lines...); err != nil {
		w.Fatal(err)
	}
}

// judge judges after a command and returns the outcomes of the state, and all of them.
func (w *watched) judge(ctx context.Context, c Change) (early, all []scenario.Verdict) {
	w.Helper()
	c.Heard = w.live.Take()
	all, _, err := w.live.Judge(ctx, c, func(v []scenario.Verdict, _ *state.State) { early = v })
	if err != nil {
		w.Fatal(err)
	}
	return early, all
}

// want compares outcomes with words: a pass, a fail, an error or nothing for each check.
func (w *watched) want(what string, got []scenario.Verdict, words string) {
	w.Helper()
	var all []string
	for _, v := range got {
		word := string(v.Outcome)
		if word == "" {
			word = "unknown"
		}
		all = append(all, word)
	}
	if strings.Join(all, " ") != words {
		w.Errorf("%s: want %s, got %v", what, words, got)
	}
}

// TestLive: the state speaks first and without packets, the network after it.
func TestLive(t *testing.T) {
	w := newWatched(t, pair, "`v` in `a` has the address `10.1.0.1/24`", "`a` reaches `10.1.0.2`",
		"`b` does not reach `10.1.0.1`")
	early, all := w.judge(t.Context(), Change{Command: true})
	w.want("without addresses, by the state", early, "fail fail unknown")
	w.want("without addresses", all, "fail fail pass")
	if !strings.Contains(early[1].Found, "address") {
		t.Errorf("why a does not reach it: %v", early[1])
	}
	w.do(addresses...)
	early, all = w.judge(t.Context(), Change{Command: true})
	w.want("with addresses, by the state", early, "pass unknown unknown")
	w.want("with addresses", all, "pass pass fail")
	w.do("ip -n b link set w down")
	early, _ = w.judge(t.Context(), Change{})
	w.want("with a link down, by the state", early[:2], "pass fail")
}

// echoes is how many echo requests have come in.
func (w *watched) echoes(ns string) uint64 {
	w.Helper()
	all, err := (&look{lab: w.lab}).counters(w.Context(), claim.Count{Netns: ns, Counter: "IcmpInEchos"})
	if err != nil {
		w.Fatal(err)
	}
	return all["IcmpInEchos"]
}

// TestLiveSendsOnce: packets are sent when something has changed that they depend on, and not because they have left
// traces themselves, or a command has changed nothing.
func TestLiveSendsOnce(t *testing.T) {
	w := newWatched(t, slices.Concat(pair, addresses), "`a` reaches `10.1.0.2`")
	_, all := w.judge(t.Context(), Change{Command: true})
	w.want("at first", all, "pass")
	sent := w.echoes("b")
	if sent == 0 {
		t.Fatal("nothing was sent")
	}
	for range 3 {
		_, all = w.judge(t.Context(), Change{Command: true}) // also about the neighbours that the probe has made
		w.want("again", all, "pass")
	}
	if now := w.echoes("b"); now != sent {
		t.Errorf("%d packets more, while nothing changed", now-sent)
	}
	w.do("ip -n a link add other type bridge")
	w.judge(t.Context(), Change{})
	if now := w.echoes("b"); now == sent {
		t.Error("nothing was sent after a change")
	}
	sent = w.echoes("b")
	w.judge(t.Context(), Change{Asked: true})
	if now := w.echoes("b"); now == sent {
		t.Error("nothing was sent when the learner asked")
	}
}

// TestLiveDoesNotCount: the packets of a check move no counter of another one, bring no event, and leave no neighbour
// that another one denies. While traffic of the learner is waited for, none is sent.
func TestLiveDoesNotCount(t *testing.T) {
	w := newWatched(t, slices.Concat(pair, addresses), "the counter `IcmpInEchos` in `b` did not grow",
		"`b` saw no event",
		"`a` does not have the neighbour `10.1.0.2`", "`a` reaches `10.1.0.2`")
	w.settle()
	w.do("ip -n a neigh flush dev v", "ip -n b neigh flush dev w")
	if err := w.live.Begin(t.Context(), w.checks); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Change{{Command: true}, {Asked: true}, {}} {
		early, all := w.judge(t.Context(), c)
		w.want("by the state", early[:3], "pass pass pass")
		w.want("in the end", all, "pass pass pass pass")
	}
	w.do("ip netns exec a ping -c1 10.1.0.2", "ip -n b link set lo up")
	early, _ := w.judge(t.Context(), Change{Command: true})
	w.want("after packets of the learner, and a change", early[:2], "fail fail")

	w = newWatched(t, slices.Concat(pair, addresses), "the counter `IcmpInEchos` in `b` grew by at least `1`",
		"`a` reaches `10.1.0.2`")
	_, all := w.judge(t.Context(), Change{Command: true})
	w.want("before the learner has sent anything", all, "fail error")
	if sent := w.echoes("b"); sent > 0 {
		t.Errorf("%d packets were sent in the learner's place", sent)
	}
	w.do("ip netns exec a ping -c1 10.1.0.2")
	_, all = w.judge(t.Context(), Change{Command: true})
	w.want("after it", all, "pass pass")
}

// settle judges until nothing is pending, at the beginning of a step.
func (w *watched) settle() {
	for w.judge(w.Context(), Change{}); w.live.settling; {
		heard := <-w.live.Changes()
		if _, _, err := w.live.Judge(w.Context(), Change{Heard: heard}, nil); err != nil {
			w.Fatal(err)
		}
	}
}

// TestLiveBegin: what earlier commands began does not count as the work of a step, whatever its end takes.
func TestLiveBegin(t *testing.T) {
	w := newWatched(t, pair, "`b` saw no event", "`b` saw the event `link change w`")
	w.settle() // duplicate address detection of the link-local addresses
	early, _ := w.judge(t.Context(), Change{Command: true})
	w.want("after a command that did nothing", early, "pass fail")
	w.do("ip -n b link set w down")
	early, _ = w.judge(t.Context(), Change{Command: true})
	w.want("after one", early, "fail pass")
	if err := w.live.Begin(t.Context(), w.checks); err != nil {
		t.Fatal(err)
	}
	early, _ = w.judge(t.Context(), Change{Command: true})
	w.want("in the next step", early, "pass fail")
}

// TestLiveListensAnew: a command that brings an event which a check denies, or so many that some are lost, spoils the
// step no more than one that makes a counter grow too far: what counts is what comes after it.
func TestLiveListensAnew(t *testing.T) {
	w := newWatched(t, pair, "`b` saw no event", "`a` saw the event `link change v`")
	w.settle()
	w.do("ip -n b link set w mtu 1400")
	early, _ := w.judge(t.Context(), Change{Command: true})
	w.want("after an event", early, "fail fail")
	early, _ = w.judge(t.Context(), Change{Command: true})
	w.want("after a command that does nothing", early, "pass fail")

	w.live.base.feeds["a"].(*overheard).lost = true
	w.do("ip -n a link set v mtu 1400")
	early, _ = w.judge(t.Context(), Change{Command: true})
	w.want("after some were lost", early, "pass error")
	w.do("ip -n a link set v mtu 1500")
	early, _ = w.judge(t.Context(), Change{Command: true})
	w.want("done once more", early, "pass pass")
}

// TestLiveListensOn: a check that waits until the network has settled is no reason to listen anew: what the command did
// is not forgotten, by this check or another one.
func TestLiveListensOn(t *testing.T) {
	w := newWatched(t, pair, "`b` saw no event", "`b` saw the event `link change w`")
	w.settle()
	w.do("ip -n b addr add fd00::2/64 dev w", "ip -n b link set w mtu 1400")
	early, _ := w.judge(t.Context(), Change{Command: true})
	w.want("while the address is tentative", early, "error pass")
	for early[0].Outcome == scenario.Error {
		var err error
		if early, _, err = w.live.Judge(t.Context(), Change{Heard: <-w.live.Changes()}, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.want("when it is not any more", early, "fail pass")
}

// TestLiveKeepsNothing: a step that watches the events in a namespace does not keep it alive.
func TestLiveKeepsNothing(t *testing.T) {
	w := newWatched(t, pair, "`b` saw no event", "`a` does not have the interface `v`")
	w.settle()
	w.judge(t.Context(), Change{Command: true})
	w.do("ip netns del b")
	for {
		verdicts, _, err := w.live.Judge(t.Context(), Change{Heard: <-w.live.Changes()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if verdicts[1].Outcome == scenario.Pass { // else it waits until the test times out
			return
		}
	}
}

// TestLiveUnsettled: a check that denies something is not judged while that may still come, and is judged as soon as
// the kernel tells that it did not.
func TestLiveUnsettled(t *testing.T) {
	w := newWatched(t, pair, "`a` has no route to `fd00::2`", "`a` does not reach `fd00::2`")
	w.do("ip -n b addr add fd00::2/64 dev w", "ip -n a addr add fd00::1/64 dev v")
	_, all := w.judge(t.Context(), Change{Command: true})
	w.want("while the address is tentative", all[1:], "error")
	for all[1].Outcome == scenario.Error {
		var err error
		if all, _, err = w.live.Judge(t.Context(), Change{Heard: <-w.live.Changes()}, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.want("when it is not any more", all, "fail fail")
}

// TestLiveChangesMeanwhile: what changes while the network is asked is judged as it is then, also if nobody took it in
// before.
func TestLiveChangesMeanwhile(t *testing.T) {
	w := newWatched(t, slices.Concat(pair, addresses), "`v` in `a` has the address `10.1.0.1/24`",
		"`a` reaches `10.1.0.2`", "`v` in `a` is up")
	for _, c := range []Change{{Command: true}, {}, {Asked: true}} {
		c.Heard = w.live.Take()
		whole, err := w.lab.Whole(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c.State = range []*state.State{nil, whole} {
			c.Everything = true
			all, _, err := w.live.Judge(t.Context(), c, func(verdicts []scenario.Verdict, _ *state.State) {
				w.want("at first", verdicts[:1], "pass")
				w.do("ip -n a addr del 10.1.0.1/24 dev v")
			})
			if err != nil {
				t.Fatal(err)
			}
			w.want("at the end", all, "fail fail pass")
			w.do(addresses[0])
			w.judge(t.Context(), Change{Command: true})
		}
	}
}

// TestLiveEnds: when a judgement is cut short, what was not reached is unknown, and is asked the next time.
func TestLiveEnds(t *testing.T) {
	w := newWatched(t, slices.Concat(pair, addresses), "`v` in `a` is up", "`a` reaches `10.1.0.2`")
	ctx, cancel := context.WithCancel(t.Context())
	c := Change{Heard: w.live.Take()}
	all, _, err := w.live.Judge(ctx, c, func([]scenario.Verdict, *state.State) { cancel() })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err == nil {
		w.want("cut short", all, "pass unknown")
	}
	_, all = w.judge(t.Context(), Change{})
	w.want("the next time", all, "pass pass")
}

// TestLiveClosed: the end of a Live does not wait for a program that a check has started.
func TestLiveClosed(t *testing.T) {
	w := newWatched(t, pair[:2], "the command `sleep 9` in `a` prints nothing")
	all, _, err := w.live.Judge(t.Context(), Change{}, func([]scenario.Verdict, *state.State) { go w.live.Close() })
	if err == nil {
		w.want("cut short", all, "unknown")
	}
	if _, _, err := w.live.Judge(t.Context(), Change{}, nil); err == nil {
		t.Error("it still judges")
	}
}

// TestLiveDeaf: where the kernel tells nothing, a command is the occasion to judge, and a watch on events ends with the
// name of its namespace.
func TestLiveDeaf(t *testing.T) {
	w := newWatched(t, pair)
	deaf := newLive(w.lab)
	deaf.deaf = feed.ErrDeaf
	defer deaf.Close()
	if lacks := deaf.Lacks(); len(lacks) != 1 || !strings.Contains(lacks[0], "after a command has ended") {
		t.Errorf("it lacks %q", lacks)
	}
	if deaf.Changes() != nil || deaf.Err() != nil {
		t.Error("it promises changes")
	}
	w.live = deaf
	for _, s := range []string{"`b` saw the event `addr add 10.1.0.2/24`", "`w` in `b` has the address `10.1.0.2/24`",
		"`a` does not have the interface `v`"} {
		c, err := scenario.ParseClaim(s)
		if err != nil {
			t.Fatal(err)
		}
		w.checks = append(w.checks, scenario.Check{Text: s, Claim: c})
	}
	if err := deaf.Begin(t.Context(), w.checks); err != nil {
		t.Fatal(err)
	}
	w.do(addresses...)
	_, all := w.judge(t.Context(), Change{Command: true})
	w.want("after commands", all, "pass pass fail")
	w.do("ip netns del b")
	for all[2].Outcome != scenario.Pass {
		_, all = w.judge(t.Context(), Change{Command: true})
	}
}

// TestLiveBeyondTheLimitOfErrors: a refusal that is expected stays one, however often it is asked for: beyond the limit
// of ICMP errors the next one is waited for.
func TestLiveBeyondTheLimitOfErrors(t *testing.T) {
	w := newWatched(t, slices.Concat(pair, addresses),
		"`a` hears no answer from `10.1.0.2` on UDP port `9` (`refused`)")
	for range 9 {
		_, all := w.judge(t.Context(), Change{Asked: true})
		if w.want("a closed port", all, "pass"); t.Failed() {
			return
		}
	}
}
