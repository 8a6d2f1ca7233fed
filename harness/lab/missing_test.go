package lab_test

import (
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/claim"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// aboutMissing has a claim of each kind about the namespace nix, the interface x0 in it, or the path from it.
var aboutMissing = []string{
	"namespace `nix` exists",
	"`nix` has the interface `x0`", "`nix` does not have the interface `x0`",
	"`nix` has only the interfaces `lo`, `x0`",
	"`x0` in `nix` is up", "`x0` in `nix` is down", "`x0` in `nix` has carrier", "`x0` in `nix` has no carrier",
	"`x0` in `nix` is a `veth`",
	"`x0` in `nix` is the peer of `a0` in `a`", "`a0` in `a` is the peer of `x0` in `nix`",
	"`x0` in `nix` has the address `10.0.0.1/24`", "`x0` in `nix` does not have the address `10.0.0.1/24`",
	"`x0` in `nix` has no address",
	"`10.0.0.1/24` on `x0` in `nix` is `permanent`",
	"`x0` in `nix` does not have the MTU `1400`", "`x0` in `nix` does not have the MAC address `02:00:00:00:00:0b`",
	"`x0` in `nix` is a port of `br0`", "`x0` in `nix` is not a port of `br0`",
	"`br0` in `nix` has learned `02:00:00:00:00:0a` on `x0`",
	"`nix` has the route `default`", "`nix` does not have the route `default`",
	"`nix` does not have the rule `from 10.7.0.0/16 lookup 7`",
	"`nix` has the neighbour `10.0.0.2`", "`nix` cannot resolve the neighbour `10.0.0.2`",
	"`nix` sends packets for `10.0.0.2` out of `x0`", "`nix` has no route to `10.0.0.2`",
	"`nix` reaches `10.0.0.2`", "`nix` does not reach `10.0.0.2`",
	"`nix` does not connect to `10.0.0.2` on TCP port `9`",
	"the sysctl `net.ipv4.ip_forward` in `nix` is not `1`",
	"the attribute `alias` of `x0` in `nix` is `first`", "the attribute `offload:tso` of `x0` in `nix` is `on`",
	"the counter `rx_packets` of `x0` in `nix` did not grow", "the counter `IpInReceives` in `nix` did not grow",
	"`nix` saw the event `link add x0`", "`nix` saw no event",
	"the nearest name to `x1` is `x0` in `nix`",
	"the cause from `nix` to `10.0.0.2` is `no-route` in `nix`", "nothing is wrong from `nix` to `10.0.0.2`",
}

// TestMissingSubjects: a namespace may disappear at any moment of an evaluation. Any claim about it is then false, with
// an explanation: if it never existed, if it went after its name was read or before the state was read, and if it
// exists without the interface in the claim.
func TestMissingSubjects(t *testing.T) {
	ctx := t.Context()
	l := started(t)
	err := l.Do(ctx, lab.Netlink(), "ip netns add a", "ip netns add bare", "ip -n a link add a0 type bridge")
	if err != nil {
		t.Fatal(err)
	}
	without, err := l.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	nix := state.Namespace{Name: "nix", Links: []state.Link{{Name: "x0", Kind: "veth"}}}
	with := &state.State{Namespaces: append([]state.Namespace{nix}, without.Namespaces...)}
	for _, text := range append(aboutMissing, aboutMissingToo()...) {
		claim, err := scenario.ParseClaim(text)
		if err != nil {
			t.Fatal(err)
		}
		judged := func(where string, v scenario.Verdict, words ...string) {
			t.Helper()
			told := len(words) == 0
			for _, word := range words {
				told = told || strings.Contains(v.Found, word)
			}
			if v.Outcome != scenario.Fail || v.Found == "" || !told {
				t.Errorf("%s, %s: %s, found %q %s; want it to be false, and %q", text, where, v.Outcome, v.Found,
					v.Reason, words)
			}
		}
		// A claim with two missing subjects names one of them; a diagnosis names its cause.
		noNix := []string{"there is no namespace nix", "no-namespace"}
		judged("never there", l.Evaluate(ctx, claim, nil), noNix...)
		judged("gone after its name was read", l.EvaluateIn(ctx, claim, []string{"a", "nix"}, nil), noNix...)
		judged("gone before the state was read", l.EvaluateIn(ctx, claim, []string{"a", "nix"}, without), noNix...)
		if lab.ByKernel(claim) {
			judged("gone after its state was read", l.EvaluateIn(ctx, claim, []string{"a", "nix"}, with), noNix...)
		}
		if !lab.ByKernel(claim) {
			judged("in a state of nothing", lab.Judge(&state.State{}, claim))
		}
		// The namespace exists, without the interface.
		if strings.Contains(text, "`x0` in `nix`") {
			there, err := scenario.ParseClaim(strings.ReplaceAll(text, "`nix`", "`bare`"))
			if err != nil {
				t.Fatal(err)
			}
			judged("in a namespace without it", l.EvaluateIn(ctx, there, nil, nil),
				"there is no interface", "has no counter", "no name is near", "the nearest name")
		}
	}
}

// aboutMissingToo has the first form of each check of which aboutMissing has none.
func aboutMissingToo() (sentences []string) {
	subjects := strings.NewReplacer("`N`", "`nix`", "`M`", "`a`", "`X`", "`x0`")
	for _, e := range claim.Entries() {
		fits := func(sentence string) bool {
			return slices.ContainsFunc(e.Forms, func(f claim.Form) bool { return f.Fits(sentence) })
		}
		if !slices.ContainsFunc(aboutMissing, fits) {
			sentences = append(sentences, subjects.Replace(e.Forms[0].Examples()[0]))
		}
	}
	return sentences
}
