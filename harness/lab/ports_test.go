package lab_test

import (
	"testing"

	"netnscheck/harness/scenario"
)

// TestProbesByTheirOwnRules: a rule for a protocol and a port routes what a probe sends, so the look-up before it has
// to know both.
func TestProbesByTheirOwnRules(t *testing.T) {
	l := started(t, append(street, "ip -n a route del default", "ip -n a route add default via 10.0.1.1 table 9")...)
	for _, c := range []struct{ claim, rule string }{
		{"`a` does not connect to `10.0.2.2` on TCP port `9` (`refused`)", "ipproto tcp dport 9"},
		{"`a` hears no answer from `10.0.2.2` on UDP port `9` (`refused`)", "ipproto udp dport 9"},
		{"`a` reaches `10.0.2.2`", "ipproto icmp"},
		{"`a` reaches `10.0.2.2` with `1472` bytes unfragmented", "ipproto icmp"},
	} {
		do(t, l, "ip -n a rule add "+c.rule+" lookup 9")
		awaitAll(t.Context(), t, l, c.claim, "`a` has no route to `10.0.2.2`")
		do(t, l, "ip -n a rule del "+c.rule+" lookup 9")
		if v := l.Evaluate(t.Context(), claimOf(t, c.claim), nil); v.Outcome != scenario.Fail {
			t.Errorf("%s, without the rule: %s, %s %s", c.claim, v.Outcome, v.Found, v.Reason)
		}
	}
}
