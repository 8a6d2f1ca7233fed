package claim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"netnscheck/harness/nearest"
	"netnscheck/harness/state"
)

// CounterGrew is the counter `C` in `N` grew by `3` (By), grew by at least `3` (AtLeast), or did not grow (By 0). Link
// names the interface of `rx_packets` and the like, or is "".
type CounterGrew struct {
	Netns, Counter, Link string
	By                   uint64
	AtLeast              bool
}

func init() {
	add(Entry{
		Place: 240,
		Means: "since before the section's commands; names as `nstat` has them, " +
			"or `rx_packets`, `tx_dropped`, … `of` an interface",
		Forms: []Form{
			says("the counter `IpInReceives` in `N` grew by `3`", func(a arguments) Claim {
				return CounterGrew{Counter: a.text(0), Netns: a.text(1), By: a.count(2)}
			}),
			says("the counter `IpInReceives` in `N` grew by at least `3`", func(a arguments) Claim {
				return CounterGrew{Counter: a.text(0), Netns: a.text(1), By: a.count(2), AtLeast: true}
			}),
			denies("the counter `IpInReceives` in `N` did not grow", func(a arguments) Claim {
				return CounterGrew{Counter: a.text(0), Netns: a.text(1)}
			}),
			says("the counter `rx_packets` of `X` in `N` grew by `3`", func(a arguments) Claim {
				return CounterGrew{Counter: a.text(0), Link: a.text(1), Netns: a.text(2), By: a.count(3)}
			}),
			says("the counter `rx_packets` of `X` in `N` grew by at least `3`", func(a arguments) Claim {
				return CounterGrew{Counter: a.text(0), Link: a.text(1), Netns: a.text(2), By: a.count(3), AtLeast: true}
			}),
			denies("the counter `rx_packets` of `X` in `N` did not grow", func(a arguments) Claim {
				return CounterGrew{Counter: a.text(0), Link: a.text(1), Netns: a.text(2)}
			}),
		},
		Slots: map[string]Slot{
			"IpInReceives": matching(`^[A-Z][A-Za-z0-9]*$`,
				"a counter as nstat names it, such as IpInReceives (rx_packets and the like are counters of `X`)"),
			"rx_packets": matching(`^[a-z]+(_[a-z0-9]+)*$`, "an interface's counter such as rx_packets"),
			"3":          {"a number from 1", readGrowth},
		},
	})
}

func readGrowth(text string) (any, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return nil, expected(text, "a number from 1 (0 is written: did not grow)")
	}
	return n, nil
}

func (c CounterGrew) Sentence() string {
	s := say("the counter %s", c.Counter)
	if c.Link != "" {
		s += say(" of %s", c.Link)
	}
	s += say(" in %s", c.Netns)
	if c.By == 0 {
		return s + " did not grow"
	}
	return s + either(c.AtLeast, " grew by at least ", " grew by ") + say("%s", c.By)
}

func (c CounterGrew) Needs() Needs {
	return Needs{Class: BySince, Question: Count{Netns: c.Netns, Link: c.Link, Counter: c.Counter}}
}

func (c CounterGrew) Judge(known Evidence) Finding {
	counters := known.Counter.Now
	now, ok := counters[c.Counter]
	if !ok {
		found := fmt.Sprintf("%s has no counter %s", word(c.Link == "", c.Netns, c.Link), c.Counter)
		if near, ok := nearest.Word(c.Counter, slices.Sorted(maps.Keys(counters))); ok {
			found += "; the nearest name is " + near
		}
		return finding(false, found)
	}
	before := known.Counter.Before
	if now < before { // its interface or namespace was made anew
		return finding(false, fmt.Sprintf("it is %d, and was %d before", now, before))
	}
	grown := now - before
	return finding(grown == c.By || c.AtLeast && grown > c.By, fmt.Sprintf("it grew by %d", grown))
}

// Mutants increase counters: those of the namespace by packets to itself, those of a link by packets that nobody
// receives. Where more is as good, they replace what is counted.
func (c CounterGrew) Mutants() Mutants {
	up := in(c.Netns, "link set lo up")
	ways := []Way{
		by(up, execIn(c.Netns, "ping -c1 127.0.0.1")),
		by(up, execIn(c.Netns, "ping -c1 ::1")),
		by(up, "-"+in(c.Netns, "route add 198.51.100.9 dev lo"), "-"+execIn(c.Netns, "ping -c1 -W0.1 198.51.100.9")),
	}
	if c.Link != "" {
		ways = []Way{
			by(in(c.Netns, "link set %s up", c.Link), "-"+in(c.Netns, "route replace 198.51.100.9 dev %s", c.Link),
				in(c.Netns, "neigh replace 198.51.100.9 lladdr 02:00:00:00:77:77 dev %s", c.Link),
				"-"+execIn(c.Netns, "ping -c1 -W0.1 198.51.100.9")),
			by(in(c.Netns, "link del %s", c.Link), in(c.Netns, "link add %s type veth", c.Link)),
		}
	}
	if c.AtLeast { // no traffic makes less of it, but what is made anew counts from zero
		anew := by("ip netns del "+c.Netns, "ip netns add "+c.Netns)
		if c.Link != "" {
			anew = ways[1]
		}
		return Mutants{Own: []Way{anew}}
	}
	return Mutants{Own: append(ways,
		Way{Name: "other traffic", Commands: func(*state.State) []string { return noise(c.Netns) }},
		Way{Name: "drops at the peer", Commands: func(s *state.State) []string { return c.drops(s, true) }},
		Way{Name: "drops of what the peer sends", Commands: func(s *state.State) []string { return c.drops(s, false) }},
	)}
}

// noise makes a namespace receive, forward, reject and drop packets of all kinds.
func noise(ns string) []string {
	return []string{
		"ip netns add noise77",
		in(ns, "link add x77 type veth peer name y77 netns noise77"),
		in(ns, "addr add 198.18.77.1/24 dev x77"), in(ns, "link set x77 up"), "-" + in(ns, "link set lo up"),
		"ip -n noise77 addr add 198.18.77.2/24 dev y77",
		"ip -n noise77 link set y77 up", "ip -n noise77 link set lo up",
		"ip -n noise77 route add default via 198.18.77.1", "ip -n noise77 route add 198.18.77.9 via 198.18.77.1",
		"ip -n noise77 addr add 203.0.113.7/32 dev lo",
		"-" + execIn(ns, "nft flush ruleset"),
		"-" + in(ns, "route add 203.0.113.0/24 dev lo"),
		"-" + execIn(ns, "sysctl -w net.ipv4.ip_forward=0"),
		"-" + execIn(ns, "sysctl -w net.ipv4.icmp_echo_ignore_all=0"),
		"-ip netns exec noise77 ping -c1 -W0.1 203.0.113.9",
		"-" + execIn(ns, "sysctl -w net.ipv4.ip_forward=1"),
		"-ip netns exec noise77 ping -c1 -W0.1 198.18.77.9",
		"-" + execIn(ns, "sysctl -w net.ipv4.conf.x77.rp_filter=1"),
		"-ip netns exec noise77 ping -c1 -W0.1 -I 203.0.113.7 198.18.77.1",
		"-" + execIn(ns, "ping -c1 -W0.1 127.0.0.1"),
		"-" + execIn(ns, "busybox traceroute -n -q1 -m1 -w1 127.0.0.1"),
		"-" + execIn(ns, "tc qdisc replace dev lo root tbf rate 8bit burst 1b limit 1b"),
		"-" + execIn(ns, "ping -c1 -W0.1 127.0.0.1"),
	}
}

// drops makes a link send packets that are larger than the MTU of its peer, or the other way round.
func (c CounterGrew) drops(s *state.State, toPeer bool) []string {
	n := s.Namespace(c.Netns)
	if n == nil || n.Link(c.Link) == nil || n.Link(c.Link).Peer == nil || n.Link(c.Link).Peer.Name == "" {
		return nil
	}
	from, to := Iface{c.Link, c.Netns}, Iface{n.Link(c.Link).Peer.Name, n.Link(c.Link).Peer.Netns}
	if !toPeer {
		from, to = to, from
	}
	return []string{
		in(to.Netns, "link set %s up", to.Name), in(from.Netns, "link set %s up", from.Name),
		in(to.Netns, "link set %s mtu 100", to.Name),
		"-" + execIn(from.Netns, "tc qdisc del dev %s root", from.Name),
		"-" + in(from.Netns, "addr add 198.18.77.1/24 dev %s", from.Name),
		in(from.Netns, "neigh replace 198.18.77.9 lladdr 02:00:00:00:77:77 dev %s", from.Name),
		"-" + execIn(from.Netns, "ping -c1 -W0.1 -s 1000 198.18.77.9"),
	}
}
