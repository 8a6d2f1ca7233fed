package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// TestWitnessed: where the kernel's look-ups are not those of the model, the diagnosis goes by the kernel and says so.
func TestWitnessed(t *testing.T) {
	a, b := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.2.0.1")
	withoutLocal := func(s *state.State) {
		n := s.Namespace("b")
		n.Rules = slices.DeleteFunc(slices.Clone(n.Rules), func(r state.Rule) bool { return r.Priority == 0 })
	}
	withoutDefault := func(s *state.State) {
		n := s.Namespace("a")
		n.Routes = slices.DeleteFunc(n.Routes, func(r state.Route) bool { return r.To.Bits() == 0 })
	}
	local := func(q RouteQuestion) bool { return q.Netns == "b" && q.To == b }
	for _, c := range []struct {
		what   string
		change func(*state.State)
		// answer is the kernel's where it can be asked.
		answer func(RouteQuestion) (RouteAnswer, bool)
		cause  causes.Cause // 0 for none
		doubt  string
	}{
		{"both say that the rule of the table local is missing", withoutLocal, func(q RouteQuestion) (RouteAnswer,
			bool) {
			return RouteAnswer{Type: "unicast", Dev: "eth0"}, local(q)
		}, causes.LocalRuleMissing, ""},
		{"from 7.2 on the kernel delivers without that rule", withoutLocal, func(q RouteQuestion) (RouteAnswer, bool) {
			return RouteAnswer{Type: "local", Dev: "lo"}, local(q)
		}, causes.Cause(0), "b: the kernel's own look-up of the route to 10.2.0.1 does not follow from its rules and " +
			"routes: local dev lo; the diagnosis goes by the kernel"},
		{"the kernel cannot be asked", withoutLocal, func(RouteQuestion) (RouteAnswer, bool) {
			return RouteAnswer{}, false
		}, causes.LocalRuleMissing, ""},
		{"the kernel routes what the state does not", withoutDefault,
			func(q RouteQuestion) (RouteAnswer, bool) {
				return RouteAnswer{Type: "unicast", Via: netip.MustParseAddr("10.1.0.254"), Dev: "eth0"},
					q.Netns == "a" && q.To == b
			}, causes.Cause(0), "unicast via 10.1.0.254 dev eth0"},
		{"the kernel refuses for another reason", withoutDefault,
			func(q RouteQuestion) (RouteAnswer, bool) {
				return RouteAnswer{Refused: "permission denied (EACCES)"}, q.Netns == "a"
			}, causes.NoRoute, ""},
		{"the kernel refuses what the state allows", withoutLocal, func(q RouteQuestion) (RouteAnswer, bool) {
			return RouteAnswer{Refused: "permission denied (EACCES)"}, q.Netns == "a"
		}, causes.Cause(0), "a: the kernel's own look-up of the route to 10.2.0.1"},
		{"the reverse path filter refuses what arrives", withoutLocal, func(q RouteQuestion) (RouteAnswer, bool) {
			return RouteAnswer{Refused: "invalid cross-device link (EXDEV)"}, q.In != ""
		}, causes.LocalRuleMissing, ""},
	} {
		s := routed()
		c.change(s)
		before := state.Diff(s, routed())
		r := Witnessed(s, Query{From: "a", To: b}, c.answer)
		if got := r.Cause; c.cause != 0 && (got == nil || got.Name != c.cause) || c.cause == 0 && got != nil {
			t.Errorf("%s: the cause is %v, want %v", c.what, got, c.cause)
		}
		if text := strings.Join(r.Doubts, "\n"); (c.doubt == "") != (text == "") || !strings.Contains(text, c.doubt) {
			t.Errorf("%s: the doubts are %q, want %q", c.what, r.Doubts, c.doubt)
		}
		if after := state.Diff(s, routed()); !slices.Equal(before, after) {
			t.Errorf("%s: the state was changed: %v", c.what, after)
		}
	}
	if r := Witnessed(routed(), Query{From: "a", To: b}, nil); r.Cause != nil || len(r.Path) < 4 {
		t.Errorf("without a witness: %+v", r)
	}
	// A witness that never agrees is heard once for each look-up.
	asked := 0
	s := routed()
	withoutLocal(s)
	r := Witnessed(s, Query{From: "b", To: a}, func(RouteQuestion) (RouteAnswer, bool) {
		asked++
		return RouteAnswer{Type: "unicast", Dev: "nowhere"}, true
	})
	if asked == 0 || asked > 100 || len(r.Doubts) == 0 {
		t.Errorf("asked %d times: %+v", asked, r)
	}
}
