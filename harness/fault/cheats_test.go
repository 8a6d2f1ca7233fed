package fault_test

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/fault"
	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/lab"
	"netnscheck/harness/state"
)

var cheated = flag.String("cheated", "veth-pair,bridge,router,vxlan", "try false solutions in these lessons")

// cheat is a way to make a ping succeed that leaves the fault where it is.
type cheat struct {
	name  string
	lines func(*state.State, diagnose.Query) []string
}

var cheats = []cheat{
	{"the address on both ends", func(s *state.State, q diagnose.Query) []string {
		return []string{in(q.From, "addr add %s dev lo", whole(q.To)), in(q.From, "link set lo up")}
	}},
	{"both ends in one namespace", func(s *state.State, q diagnose.Query) []string {
		n, l, a := owner(s, q.To)
		if n == nil || n.Name == q.From || n.Name == state.Host || s.Namespace(q.From).Link(l.Name) != nil {
			return nil
		}
		return []string{in(n.Name, "link set %s netns %s", l.Name, q.From), in(q.From, "addr add %s dev %s", a, l.Name),
			in(q.From, "link set %s up", l.Name), in(q.From, "link set lo up")}
	}},
	{"neighbours by hand", func(s *state.State, _ diagnose.Query) (lines []string) {
		for _, n := range s.Namespaces {
			for _, l := range n.Links {
				for _, a := range l.Addresses {
					lines = append(lines, given(s, n.Name, l, a.Prefix)...)
				}
			}
		}
		return lines
	}},
	{"a rule that comes first", func(s *state.State, _ diagnose.Query) (lines []string) {
		for _, n := range s.Namespaces {
			lines = append(lines, in(n.Name, "rule add pref 1 lookup main"),
				in(n.Name, "-6 rule add pref 1 lookup main"))
		}
		return lines
	}},
	{"routes to single addresses", func(s *state.State, q diagnose.Query) (lines []string) {
		var way, back []diagnose.Hop
		for _, h := range diagnose.Diagnose(s, q).Path {
			if h.Reply {
				back = append(back, h)
			} else {
				way = append(way, h)
			}
		}
		for _, hops := range [][]diagnose.Hop{way, back} {
			for i := 0; i+1 < len(hops); i++ {
				to, next := q.To, hops[i+1]
				if n, _, _ := owner(s, to); n == nil || n.Name != hops[len(hops)-1].Netns {
					to = first(s, hops[len(hops)-1])
				}
				if via := first(s, next); next.Netns != hops[len(hops)-1].Netns && via.Is4() {
					lines = append(lines, in(hops[i].Netns, "route add %s via %s dev %s", to, via, hops[i].Link))
				} else if to.Is4() {
					lines = append(lines, in(hops[i].Netns, "route add %s dev %s", to, hops[i].Link))
				}
			}
		}
		return lines
	}},
}

// kinds are faults that a lesson is expected to have besides those of every network.
var kinds = map[string][]causes.Cause{
	"veth-pair": {causes.LinkDown, causes.ARPOff, causes.EchoIgnored, causes.FilterInput, causes.RuleDiverts},
	"bridge": {causes.DuplicateMAC, causes.NotAPort, causes.PortBlocked, causes.PortDown, causes.PortIsolated,
		causes.DuplicateAddress},
	"router": {causes.ForwardingOff, causes.NoRoute, causes.GatewayNowhere, causes.FilterForward,
		causes.ConnectedRouteMissing},
	"vxlan": {causes.VNIMismatch, causes.TunnelPortMismatch, causes.TunnelRemoteMissing},
}

func in(netns, format string, args ...any) string {
	if netns == state.Host {
		return "ip " + fmt.Sprintf(format, args...)
	}
	return "ip -n " + netns + " " + fmt.Sprintf(format, args...)
}

func whole(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// owner is where an address is.
func owner(s *state.State, addr netip.Addr) (*state.Namespace, *state.Link, netip.Prefix) {
	for i := range s.Namespaces {
		for j := range s.Namespaces[i].Links {
			for _, a := range s.Namespaces[i].Links[j].Addresses {
				if a.Prefix.Addr() == addr {
					return &s.Namespaces[i], &s.Namespaces[i].Links[j], a.Prefix
				}
			}
		}
	}
	return nil, nil, netip.Prefix{}
}

// first is the first IPv4 address at a hop.
func first(s *state.State, h diagnose.Hop) netip.Addr {
	if l := s.Namespace(h.Netns).Link(h.Link); l != nil {
		for _, a := range l.Addresses {
			if a.Prefix.Addr().Is4() {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// given are entries for all neighbours in a network of a link, with their right MAC addresses.
func given(s *state.State, netns string, l state.Link, network netip.Prefix) (lines []string) {
	for _, n := range s.Namespaces {
		for _, other := range n.Links {
			for _, a := range other.Addresses {
				if n.Name != netns && network.Contains(a.Prefix.Addr()) && !network.Addr().IsLinkLocalUnicast() &&
					network.Addr() != a.Prefix.Addr() && other.Kind != "loopback" {
					lines = append(lines, in(netns, "neigh replace %s lladdr %s dev %s nud permanent", a.Prefix.Addr(),
						other.MAC, l.Name))
				}
			}
		}
	}
	return lines
}

// TestFalseSolutions puts one fault of each kind in, and tries what makes a ping succeed for some of them: the address
// on both ends, both ends in one namespace, neighbours given by hand, a rule that comes first, routes that lead around.
// None of it solves a challenge, and from where it leads the finished state can be reached by hand.
func TestFalseSolutions(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays some hundred false solutions")
	}
	labtest.Needs(t, "ip", "nft")
	for _, sc := range lessons(t, *cheated) {
		t.Run(sc.ID, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c, err := lab.Finish(ctx, sc, lab.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Lab.Close()
			tried := map[causes.Cause]bool{}
			answered := 0
			for _, f := range fault.Possible(c.Finished, c.Goals) {
				// The false solutions set lo up, which mends it.
				if tried[f.Name] || f.Name == causes.LoopbackDown {
					continue
				}
				tried[f.Name] = true
				for _, cheat := range cheats {
					got, err := cheatIn(ctx, c, f, cheat)
					if err != nil {
						t.Fatalf("%s, %s: %v\n%s", f.Title, cheat.name, err, written(f))
					}
					answered += got
				}
			}
			for _, want := range kinds[sc.ID] {
				if !tried[want] {
					t.Errorf("there is no fault that is %s", want)
				}
			}
			t.Logf("%d kinds of faults; %d false solutions get pings their answers", len(tried), answered)
		})
	}
}

// cheatIn puts a fault in, does what a cheat does as far as it can be done, and leads back. It reports 1 if pings then
// got all their answers.
func cheatIn(ctx context.Context, c *lab.Challenge, f fault.Fault, ch cheat) (answered int, err error) {
	q, ok := broken(c, f)
	if !ok {
		return 0, fmt.Errorf("it breaks nothing")
	}
	if err := c.PutIn(ctx, f); err != nil {
		return 0, err
	}
	ip := lab.Netlink()
	for _, line := range ch.lines(c.Finished, q) {
		_ = c.Lab.Do(ctx, ip, line) // some of it cannot be done with this fault
	}
	reached, solved := true, true
	for _, g := range c.Goals {
		if _, ok := fault.QueryOf(g.Claim); ok {
			reached = reached && holds(ctx, c, g)
		}
		solved = solved && holds(ctx, c, g)
	}
	if solved {
		return 0, fmt.Errorf("it counts as solved")
	}
	s, err := c.Lab.Whole(ctx)
	if err != nil {
		return 0, err
	}
	back, ok := fault.Restore(s, c.Finished)
	if !ok {
		return 0, fmt.Errorf("no way back is known")
	}
	if err := c.Lab.Build(ctx, back); err != nil {
		return 0, err
	}
	if s, err = c.Lab.Whole(ctx); err != nil {
		return 0, err
	}
	if changes := differences(c.Finished, s); len(changes) > 0 {
		return 0, fmt.Errorf("back, it is not what it was:\n  %s", strings.Join(changes, "\n  "))
	}
	if reached {
		answered = 1
	}
	return answered, nil
}
