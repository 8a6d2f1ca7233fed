package lab

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// TestWitness: the kernel is asked where a cause was found, and believed. The state that is handed in lacks a route
// that the kernel has, as one that was read before the route came.
func TestWitness(t *testing.T) {
	l, err := Start(t.Context(), scenario.Host{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Do(t.Context(), Netlink(), "ip netns add a", "ip netns add b", "ip netns add r",
		"ip link add eth0 netns a type veth peer name a0 netns r",
		"ip link add eth0 netns b type veth peer name b0 netns r",
		"ip -n a addr add 10.1.0.1/24 dev eth0", "ip -n b addr add 10.2.0.1/24 dev eth0",
		"ip -n r addr add 10.1.0.254/24 dev a0", "ip -n r addr add 10.2.0.254/24 dev b0",
		"ip -n a link set eth0 up", "ip -n b link set eth0 up", "ip -n r link set a0 up", "ip -n r link set b0 up",
		"ip netns exec r sysctl -w net.ipv4.ip_forward=1",
		"ip -n a route add default via 10.1.0.254", "ip -n b route add default via 10.2.0.254"); err != nil {
		t.Fatal(err)
	}
	s, err := l.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask, q := l.Witness(t.Context(), s), diagnose.Query{From: "a", To: netip.MustParseAddr("10.2.0.1")}
	for what, change := range map[string]func(*state.State){
		"a's default route": func(s *state.State) { without(s.Namespace("a"), "0.0.0.0/0") },
		"b's default route": func(s *state.State) { without(s.Namespace("b"), "0.0.0.0/0") },
		"b's rule of the table local": func(s *state.State) {
			n := s.Namespace("b")
			for i, r := range n.Rules {
				if r.Family == 4 && r.Priority == 0 {
					n.Rules = append(n.Rules[:i:i], n.Rules[i+1:]...)
					return
				}
			}
		},
		"r's route to b": func(s *state.State) { without(s.Namespace("r"), "10.2.0.0/24") },
	} {
		told, err := l.Whole(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		change(told)
		if r := diagnose.Diagnose(told, q); r.Cause == nil {
			t.Errorf("without %s nothing is wrong: this test proves nothing", what)
		}
		r := diagnose.Witnessed(told, q, ask)
		if r.Cause != nil || len(r.Doubts) != 1 || !strings.Contains(r.Doubts[0], "goes by the kernel") {
			t.Errorf("the state lacks %s: the cause is %v, the doubts are %q", what, r.Cause, r.Doubts)
		}
	}
	// A live judgement goes by the kernel, too: what the state rules out is asked all the same.
	told, err := l.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	without(told.Namespace("a"), "0.0.0.0/0")
	reached, err := claim.Parse("`a` reaches `10.2.0.1`")
	if err != nil {
		t.Fatal(err)
	}
	n := &judging{look: &look{lab: l}, state: told}
	if why, _ := n.ruledOut(t.Context(), reached); why != nil {
		t.Errorf("ruled out by %v, though the kernel has a route", why)
	}
	// What the kernel confirms stays a cause, without a doubt.
	if err := l.Do(t.Context(), Netlink(), "ip -n a route del default"); err != nil {
		t.Fatal(err)
	}
	if s, err = l.Whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := diagnose.Witnessed(s, q, l.Witness(t.Context(), s)); r.Cause == nil || len(r.Doubts) > 0 {
		t.Errorf("without a route: the cause is %v, the doubts are %q", r.Cause, r.Doubts)
	}
	n.state = s
	if why, certain := n.ruledOut(t.Context(), reached); why == nil || !certain {
		t.Errorf("without a route: ruled out by %v, certain: %v", why, certain)
	}
}

// without takes the routes to a destination out of a state.
func without(n *state.Namespace, to string) {
	var left []state.Route
	for _, r := range n.Routes {
		if r.To != netip.MustParsePrefix(to) {
			left = append(left, r)
		}
	}
	n.Routes = left
}
