package lab_test

import (
	"testing"
	"time"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestFalseForGood: what cannot become true any more is false long before its limit.
func TestFalseForGood(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"namespace `c` exists", "`a0` in `a` is down", "`a0` in `a` has the address `10.9.9.9/24`",
		"`a` has the route `default via 10.0.1.9`", "`a` sends packets for `10.9.9.9` to `10.0.1.9`",
		"the sysctl `net.ipv4.ip_forward` in `a` is `1`", "`a0` in `a` does not have the MTU `1500`",
		"`a` reaches `10.0.1.99`", "`a` does not reach `10.0.1.1`", "`a` connects to `10.0.2.2` on TCP port `9`",
		"`a` reaches `10.0.2.99`", "the cause from `a` to `10.0.1.1` is `link-down` on `a0` in `a`",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			l := started(t, street...)
			a := l.Await(t.Context(), []scenario.Check{{Claim: claimOf(t, text), Within: time.Minute}}, nil)[0]
			if a.Outcome != scenario.Fail || a.Waited > time.Minute/2 {
				t.Errorf("%s after %v, found %s %s", a.Outcome, a.Waited, a.Found, a.Reason)
			}
		})
	}
}

// TestNotFalseForGood: what becomes true in the end is awaited, however long it was false.
func TestNotFalseForGood(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits for what the kernel does seconds later")
	}
	t.Parallel()
	iproute2, err := lab.IPRoute2()
	if err != nil {
		lab.Lacking(t, err)
	}
	for name, c := range map[string]struct {
		driver lab.Driver
		build  []string
		check  string
	}{
		"a program in the background": {iproute2, []string{"sh -c '(sleep 1; ip netns add late) >/dev/null 2>&1 &'"},
			"namespace `late` exists"},
		"the life of an address": {lab.Netlink(),
			[]string{"ip addr add 10.0.0.1/24 dev lo valid_lft 2 preferred_lft 2"},
			"`lo` in `host` does not have the address `10.0.0.1/24`"},
		"an address that is deprecated": {lab.Netlink(),
			[]string{"ip addr add 10.0.0.1/24 dev lo valid_lft 60 preferred_lft 1"},
			"`10.0.0.1/24` on `lo` in `host` is `deprecated`"},
		"duplicate address detection": {lab.Netlink(), probation, "`a` reaches `fd00::2`"},
		"ports that listen":           {lab.Netlink(), spanning, "`a` reaches `10.0.0.2`"},
		"the carrier of a bridge":     {lab.Netlink(), spanning, "`br0` in `sw` has carrier"},
		"an entry that ages":          {lab.Netlink(), ageing, "`a` reaches `10.0.0.2`"},
		"a neighbour with an old MAC": {lab.Netlink(), moved, "`a` reaches `10.0.0.2`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := started(t)
			doBy(t, l, c.driver, c.build...)
			check := scenario.Check{Claim: claimOf(t, c.check), Within: time.Minute}
			if a := l.Await(t.Context(), []scenario.Check{check}, nil)[0]; a.Outcome != scenario.Pass {
				t.Errorf("%s after %v, found %s %s", a.Outcome, a.Waited, a.Found, a.Reason)
			}
		})
	}
}

// ageing is a station behind a bridge that has learned its MAC address from another port.
var ageing = []string{"ip netns add sw", "ip netns add a", "ip netns add b", "ip netns add c",
	"ip -n sw link add br0 type bridge ageing_time 500", "ip -n sw link set br0 addrgenmode none up",
	"ip -n sw link add p0 master br0 type veth peer name a0 netns a", "ip -n sw link set p0 up",
	"ip -n sw link add p1 master br0 type veth peer name b0 netns b", "ip -n sw link set p1 up",
	"ip -n sw link add p2 master br0 type veth peer name c0 netns c", "ip -n sw link set p2 up",
	"ip -n a addr add 10.0.0.1/24 dev a0", "ip -n a link set a0 address 02:00:00:00:00:0a addrgenmode none up",
	"ip -n b addr add 10.0.0.2/24 dev b0", "ip -n b link set b0 address 02:00:00:00:00:0b addrgenmode none up",
	"ip -n c addr add 10.0.0.3/24 dev c0", "ip -n c link set c0 address 02:00:00:00:00:0b addrgenmode none up",
	"ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:0b dev a0",
	"ip -n b neigh add 10.0.0.1 lladdr 02:00:00:00:00:0a dev b0",
	"ip netns exec c ping -c 1 -w 5 10.0.0.1"}

// moved is a neighbour whose MAC address has changed since it was learned.
var moved = []string{"ip netns add a", "ip netns add b", "ip -n a link add a0 type veth peer name b0 netns b",
	"ip -n a addr add 10.0.0.1/24 dev a0", "ip -n a link set a0 up",
	"ip -n b addr add 10.0.0.2/24 dev b0", "ip -n b link set b0 up",
	"ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:0b nud stale dev a0"}

// TestARouterIsAskedAgainBeforeACheckIsFalse: the router has asked for the neighbour in vain, and the check waits for
// it.
func TestARouterIsAskedAgainBeforeACheckIsFalse(t *testing.T) {
	t.Parallel()
	l := started(t, street...)
	do(t, l, "ip -n b addr del 10.0.2.2/24 dev b0")
	reached := scenario.Check{Claim: claimOf(t, "`a` reaches `10.0.2.2`"), Within: time.Minute}
	if a := l.Await(t.Context(), []scenario.Check{reached}, nil)[0]; a.Outcome != scenario.Fail {
		t.Fatalf("nobody there: %s, found %s %s", a.Outcome, a.Found, a.Reason)
	}
	do(t, l, "ip -n b addr add 10.0.2.2/24 dev b0", "ip -n b route add default via 10.0.2.1")
	if a := l.Await(t.Context(), []scenario.Check{reached}, nil)[0]; a.Outcome != scenario.Pass {
		t.Errorf("somebody there: %s, found %s %s", a.Outcome, a.Found, a.Reason)
	}
}

// TestFalseBeforeTheLabRested: a packet may have been lost a moment before the router found the neighbour, in a state
// that is over when the state is read. Only what is asked in a lab that was seen to rest before is false for good.
func TestFalseBeforeTheLabRested(t *testing.T) {
	t.Parallel()
	l := started(t, street...)
	absent := scenario.Check{Claim: claimOf(t, "namespace `c` exists"), Within: time.Minute}
	if a := l.Await(t.Context(), []scenario.Check{absent}, nil)[0]; a.Outcome != scenario.Fail {
		t.Fatalf("the lab does not come to rest: %s, found %s %s", a.Outcome, a.Found, a.Reason)
	}
	for text, want := range map[string]int{
		"`a0` in `a` is down":                                            1, // judged by the very snapshot
		"`a` reaches `10.0.2.2`":                                         2,
		"`a` does not reach `10.0.1.1`":                                  2,
		"`a` connects to `10.0.2.2` on TCP port `9`":                     2,
		"`a` sends packets for `10.9.9.9` to `10.0.1.9`":                 2,
		"the cause from `a` to `10.0.1.1` is `link-down` on `a0` in `a`": 2,
	} {
		if looks := l.FinalAfterRest(t.Context(), scenario.Check{Claim: claimOf(t, text)}); looks != want {
			t.Errorf("%s: false for good after %d looks, want %d", text, looks, want)
		}
	}
}
