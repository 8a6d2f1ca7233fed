package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/state"
)

// RouteQuestion asks the kernel how it routes a packet, as `ip route get` does (RTM_GETROUTE, rtnetlink(7)).
type RouteQuestion struct {
	Netns    string
	To, From netip.Addr // To has a zone if it is link-local; From may be invalid
	In       string     // the link on which it arrives; "" for a packet that the namespace itself sends
	Proto    string     // icmp, ipv6-icmp, tcp, udp
	Port     uint16     // the destination port of tcp and udp
	Mark     uint32
}

// RouteAnswer is the kernel's answer.
type RouteAnswer struct {
	Type string // unicast, local, …
	Via  netip.Addr
	Dev  string
	// Refused is the kernel's error, "" if there is a route.
	Refused string
}

func (a RouteAnswer) String() string {
	if a.Refused != "" {
		return a.Refused
	}
	text := a.Type
	if a.Via.IsValid() {
		text += " via " + a.Via.String()
	}
	return text + " dev " + a.Dev
}

// Witness answers for the kernel from which the state was read; not ok if it cannot be asked. A nil Witness has no
// answers.
type Witness func(RouteQuestion) (a RouteAnswer, ok bool)

// Witnessed is Diagnose with the kernel as a witness. If a cause is found, the kernel is asked for each route that the
// packet and its reply took until then. Where its answer is not the one that follows from the rules and routes of the
// state, the diagnosis goes by the kernel, and has a doubt that says so: kernels differ in what the rules mean (from
// Linux 7.2 on, IPv4 delivers locally after the rule of the table local is deleted, until a rule is added).
func Witnessed(s *state.State, q Query, ask Witness) Report {
	var doubts []string
	for told := s; ; {
		r := Diagnose(told, q)
		var more string
		if r.Cause != nil && ask != nil {
			told, more = corrected(told, r.lookups, ask, doubts)
		}
		if told == nil { // the kernel refuses what the state allows, and the state does not tell why
			r.Cause, r.Then, r.Path = nil, nil, nil
		}
		if more != "" {
			doubts = append(doubts, more)
		}
		if told == nil || more == "" {
			r.Also, r.Doubts = r.remarks(s), append(doubts, r.Doubts...)
			return r
		}
	}
}

// lookedUp is a look-up of the walk, and its result in the state.
type lookedUp struct {
	n    *state.Namespace
	p    packet.Packet
	iif  *state.Link
	told routing.Decision
}

// deliversNothing notes a look-up for what the rules of a namespace decide for all its addresses.
func (w *walk) deliversNothing(n *state.Namespace, family int) {
	for i := range n.Routes {
		if r := &n.Routes[i]; r.Family == family && r.Table == state.TableLocal && r.Type == "local" &&
			r.To.IsSingleIP() {
			own := packet.Packet{Dst: r.To.Addr()}
			w.lookups = append(w.lookups, lookedUp{n: n, p: own, told: routing.Lookup(n, routing.FlowOf(own, nil))})
			return
		}
	}
}

// corrected asks the kernel for the look-ups of a walk. At the first one that it answers otherwise than the state, it
// returns a state that gives the kernel's answer, or none if the kernel refuses the packet, and a doubt that is not
// among the earlier ones. Without a doubt the kernel confirms them all.
func corrected(s *state.State, walked []lookedUp, ask Witness, earlier []string) (*state.State, string) {
	for _, r := range walked {
		if r.told.Unknown || overVRF(r) {
			continue
		}
		q := RouteQuestion{Netns: r.n.Name, To: r.p.Dst, From: routing.FlowOf(r.p, nil).Src, Proto: r.p.Proto,
			Port: r.p.Dport, Mark: r.p.Mark}
		if r.iif != nil {
			q.In = r.iif.Name
		}
		a, ok := ask(q)
		if !ok || r.agrees(a) {
			continue
		}
		doubt := fmt.Sprintf("%s: the kernel's own look-up of the route to %s does not follow from its rules and "+
			"routes: %s; the diagnosis goes by the kernel", r.n.Name, r.p.Dst, a)
		switch {
		case slices.Contains(earlier, doubt):
		case a.Refused != "":
			return nil, doubt
		default:
			return withAnswer(s, r, a), doubt
		}
	}
	return s, ""
}

// overVRF reports whether a VRF has a part in a look-up: which one, the question cannot tell.
func overVRF(r lookedUp) bool {
	return slices.ContainsFunc(r.n.Links, func(l state.Link) bool { return l.VRFTable != 0 })
}

// agrees reports whether the kernel's answer is the state's. How a packet is refused does not matter, nor where the
// kernel refuses one that arrives: that may be forwarding or the reverse path filter, which are no part of the look-up.
func (r lookedUp) agrees(a RouteAnswer) bool {
	d := r.told
	switch {
	case a.Refused != "":
		return !d.Found() || r.iif != nil
	case a.Type != "unicast" && a.Type != "local": // broadcast, multicast, anycast
		return true
	case !d.Found():
		return false
	case d.Local() || a.Type == "local":
		return d.Local() && a.Type == "local"
	}
	hops := d.Route.Nexthops
	if len(hops) == 0 && d.Hop != nil {
		hops = []state.Nexthop{*d.Hop}
	}
	return slices.ContainsFunc(hops, func(h state.Nexthop) bool {
		return h.Dev == a.Dev && (h.Via.WithZone("") == a.Via.WithZone("") || !a.Via.IsValid() && r.own(h.Via))
	})
}

// own reports whether a gateway is an address of the namespace itself. The kernel takes such a route and sends as if it
// had no gateway (rt_set_nexthop() in net/ipv4/route.c: the scope of that next hop is not link).
func (r lookedUp) own(via netip.Addr) bool {
	return slices.ContainsFunc(r.n.Links, func(l state.Link) bool {
		_, has := facts.AddressOf(&l, via)
		return has
	})
}

// withAnswer is a state whose look-up gives the kernel's answer: by a rule before all others, for this destination
// alone, to a table that has only this route. Where no rule looks up the table local and the kernel does, it is that
// rule.
func withAnswer(s *state.State, r lookedUp, a RouteAnswer) *state.State {
	told := *s
	told.Namespaces = slices.Clone(s.Namespaces)
	n := told.Namespace(r.n.Name)
	family := r.p.Family()
	to := netip.PrefixFrom(r.p.Dst.WithZone(""), r.p.Dst.BitLen())
	table := ^uint32(0)
	for slices.ContainsFunc(n.Routes, func(r state.Route) bool { return r.Table == table }) {
		table--
	}
	rule := state.Rule{Family: family, Action: "lookup", Table: table, To: to}
	if a.Type == "local" && !slices.ContainsFunc(routing.InForce(n, family), routing.LooksUpLocal) {
		rule = state.Rule{Family: family, Action: "lookup", Table: state.TableLocal}
	}
	if r.iif != nil && a.Type != "local" {
		rule.IIf = r.iif.Name
	}
	rules := []state.Rule{rule}
	for _, old := range routing.InForce(n, family) {
		rules = append(rules, *old)
	}
	n.Rules = append(rules, slices.DeleteFunc(slices.Clone(n.Rules), func(r state.Rule) bool {
		return r.Family == family
	})...)
	n.Routes = append(slices.Clone(n.Routes), state.Route{Family: family, Table: table, To: to, Type: a.Type,
		Proto: "kernel", Nexthops: []state.Nexthop{{Via: a.Via, Dev: a.Dev}}})
	return &told
}
