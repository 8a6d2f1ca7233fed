package lab_test

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// means is how telling it is that a check turns red: one that does so only when nothing was done, or when there is nothing left to look
// at, may look at less than it says.
type means string

const (
	ownWay      means = "a change of what it is about"
	leftOut     means = "the section's commands left out"
	subjectGone means = "its subject taken away"
)

// way is one way to break a lab behind a check.
type way struct {
	name string
	by   means
	// commands break the lab after the section; they are made from the state that it left. leftOut has none.
	commands func(*state.State) []string
	// repair carries out what leads out of a mistake.
	repair bool
}

// breakIt carries the way out; an error says that it could not be.
func (w way) breakIt(ctx context.Context, s *lab.Stage) error {
	if w.repair {
		s.Repair(ctx)
		return nil
	}
	before, err := s.Lab.State(ctx)
	if err != nil {
		return err
	}
	lines := w.commands(before)
	if len(lines) == 0 {
		return fmt.Errorf("it does not apply here")
	}
	for _, line := range lines {
		optional := strings.HasPrefix(line, "-")
		if err := s.Lab.Do(ctx, lab.Netlink(), strings.TrimPrefix(line, "-")); err != nil && !optional {
			return fmt.Errorf("%v", err) // not wrapped: that a way cannot be said is no reason to skip the check
		}
	}
	return nil
}

// waysFor are the ways that should make a check fail, the most telling first: something about its subject is changed; a mistake is
// repaired; what brought it about is left out; and last its subject is taken away, which makes the negative claims false too.
func waysFor(section lab.Section, c scenario.Check) []way {
	var all []way
	for _, lines := range direct(c.Claim) {
		all = append(all, way{name: strings.Join(lines, "; "), by: ownWay, commands: func(*state.State) []string { return lines }})
	}
	for _, w := range onState(c.Claim) {
		w.by = ownWay
		all = append(all, w)
	}
	if section.Mistake >= 0 {
		all = append(all, way{name: "the way out of the mistake", by: ownWay, repair: true})
	}
	if !c.Before {
		all = append(all, way{name: string(leftOut), by: leftOut})
	}
	return append(all, withoutSubject(c.Claim)...)
}

// direct are the ways that follow from the claim alone. A command that begins with - may be refused.
func direct(claim scenario.Claim) [][]string {
	switch c := claim.(type) {
	case scenario.NamespaceExists:
		if c.Not {
			return [][]string{{"ip netns add " + c.Netns}, {"-ip netns del " + c.Netns, "ip netns add " + c.Netns}}
		}
		return [][]string{{"ip netns del " + c.Netns}}
	case scenario.HasInterface:
		if c.Not {
			return [][]string{{in(c.Netns, "link add %s type bridge", c.Name)}, {in(c.Netns, "link add %s type veth", c.Name)}}
		}
		return [][]string{{in(c.Netns, "link del %s", c.Name)}, {in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name)}}
	case scenario.HasOnlyInterfaces:
		return [][]string{{in(c.Netns, "link add extra type bridge")}, {in(c.Netns, "link add extra type veth")}}
	case scenario.AdminState:
		return [][]string{{in(c.Netns, "link set %s %s", c.Name, word(c.Up, "down", "up"))}}
	case scenario.Carrier:
		if c.Has {
			return [][]string{{in(c.Netns, "link set %s down", c.Name)}}
		}
	case scenario.LinkKind:
		return [][]string{{in(c.Netns, "link del %s", c.Name), in(c.Netns, "link add %s type %s", c.Name, word(c.Kind == "bridge", "veth", "bridge"))}}
	case scenario.PeerOf:
		return [][]string{
			{in(c.Iface.Netns, "link del %s", c.Iface.Name), in(c.Iface.Netns, "link add %s type veth", c.Iface.Name),
				"-" + in(c.Peer.Netns, "link add %s type veth", c.Peer.Name)},
			{in(c.Iface.Netns, "link set %s down", c.Iface.Name), in(c.Iface.Netns, "link set %s name other", c.Iface.Name)},
		}
	case scenario.HasAddress:
		return [][]string{{in(c.Netns, "addr %s %s dev %s", word(c.Not, "add", "del"), c.Prefix, c.Name)}}
	case scenario.HasNoAddress:
		return [][]string{{in(c.Netns, "addr add 198.51.100.1/24 dev %s", c.Name)}}
	case scenario.HasMTU:
		mtu := c.MTU
		if !c.Not {
			mtu = map[bool]int{true: 1300, false: 1400}[c.MTU == 1400]
		}
		return [][]string{{in(c.Netns, "link set %s mtu %d", c.Name, mtu)}}
	case scenario.HasMAC:
		mac := "02:00:00:00:77:77"
		if c.Not {
			mac = c.MAC.String()
		}
		return [][]string{{in(c.Netns, "link set %s address %s", c.Name, mac)}}
	case scenario.PortOf:
		if c.Not {
			return [][]string{{"-" + in(c.Netns, "link add %s type bridge", c.Bridge), in(c.Netns, "link set %s master %s", c.Name, c.Bridge)}}
		}
		return [][]string{{in(c.Netns, "link set %s nomaster", c.Name)}}
	case scenario.HasRoute:
		if c.Not {
			return [][]string{{in(c.Netns, "route add %s", c.Text)}, {in(c.Netns, "route append %s", c.Text)}, {in(c.Netns, "route add blackhole %s", c.Text)}}
		}
		return [][]string{{in(c.Netns, "route del %s", c.Text)}, {in(c.Netns, "route flush table all")},
			{in(c.Netns, "route flush table local")}, {in(c.Netns, "-6 route flush table all")}}
	case scenario.HasRule:
		verb := word(c.Not, "add", "del")
		return [][]string{{"-" + in(c.Netns, "rule %s %s", verb, c.Text), "-" + in(c.Netns, "-6 rule %s %s", verb, c.Text)}}
	case scenario.SendsTo:
		return [][]string{{in(c.Netns, "route replace unreachable %s", c.Dest.WithZone(""))}, divert(c.Netns, c.Dest), {in(c.Netns, "link set %s down", c.Out)},
			{in(c.Netns, "route flush table local")}, {in(c.Netns, "-6 route flush table local")}}
	case scenario.NoRouteTo:
		return [][]string{
			{in(c.Netns, "link set lo up"), in(c.Netns, "route replace %s dev lo", c.Dest.WithZone(""))},
			{in(c.Netns, "link set lo up"), in(c.Netns, "route replace %s dev lo table 77", c.Dest.WithZone("")), family(c.Dest, c.Netns, "rule add priority 1 lookup 77")},
		}
	case scenario.HasNeighbour:
		return [][]string{{in(c.Netns, "neigh flush all")}, {in(c.Netns, "neigh flush nud permanent")}}
	case scenario.Reaches:
		if c.Not {
			return own(c.Netns, c.Dest)
		}
		return [][]string{{in(c.Netns, "route replace prohibit %s", c.Dest.WithZone(""))}, divert(c.Netns, c.Dest), {in(c.Netns, "link set lo down")},
			{in(c.Netns, "link set %s down", c.Dest.Zone())}}
	case scenario.Connects:
		stopped := [][]string{{in(c.Netns, "route replace prohibit %s", c.Dest)}, divert(c.Netns, c.Dest), {in(c.Netns, "link set lo down")}}
		switch c.Outcome {
		case scenario.ConnectNot:
			serve := execIn(c.Netns, "sh -c 'busybox nc -ll -p %d -e true >/dev/null 2>&1 &'", c.Port)
			var ways [][]string
			for _, w := range own(c.Netns, c.Dest) {
				ways = append(ways, append([]string{serve}, w...))
			}
			return ways
		case scenario.ConnectSilence:
			return append(stopped, own(c.Netns, c.Dest)...)
		}
		return stopped
	case scenario.SysctlIs:
		return sysctlWays(c)
	case scenario.AttributeIs:
		return attributeWays(c)
	case scenario.AddressIs:
		return [][]string{{in(c.Netns, "addr del %s dev %s", c.Prefix, c.Name)}}
	case scenario.CounterGrew:
		return counterWays(c)
	case scenario.Learned:
		return [][]string{{in(c.Netns, "link set %s down", c.Port)}, {in(c.Netns, "link set %s nomaster", c.Port)}}
	case scenario.SawEvent:
		if c.Object == "" {
			return [][]string{{in(c.Netns, "link add extra type bridge")}, {in(c.Netns, "link add extra type veth")}}
		}
	case scenario.NothingWrong:
		return [][]string{{in(c.Netns, "route replace prohibit %s", c.Dest.WithZone(""))}, divert(c.Netns, c.Dest), {in(c.Netns, "link set lo down")},
			{in(c.Netns, "link set %s down", c.Dest.Zone())}}
	case scenario.CauseIs: // another cause comes before it, or none is left
		return append([][]string{{in(c.Netns, "route replace prohibit %s", c.Dest.WithZone(""))}, divert(c.Netns, c.Dest)}, own(c.Netns, c.Dest)...)
	case scenario.NearestName:
		return [][]string{
			{in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name zzzzzzzz", c.Name)},
			{in(c.Netns, "link del %s", c.Name)},
			{"ip netns del " + c.Name},
			{in(c.Netns, "link add %s type bridge", c.Typo)},
			{"ip netns add " + c.Typo},
		}
	}
	return nil
}

// onState are the ways that are made from what is there.
func onState(claim scenario.Claim) []way {
	switch c := claim.(type) {
	case scenario.Carrier:
		if !c.Has {
			return []way{{name: "a signal at last", commands: func(s *state.State) []string { return signal(s, c.Iface) }}}
		}
	case scenario.LinkKind:
		return []way{{name: "the name given to another link", commands: func(*state.State) []string {
			return []string{in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name),
				in(c.Netns, "link add %s type %s", c.Name, word(c.Kind == "bridge", "veth", "bridge"))}
		}}}
	case scenario.CannotResolve:
		return []way{{name: "a neighbour by hand", commands: func(s *state.State) []string {
			return eachLink(s, c.Netns, "neigh replace "+c.Addr.WithZone("").String()+" lladdr 02:00:00:00:77:77 dev %s")
		}}}
	case scenario.CounterGrew:
		return []way{
			{name: "a noisy neighbour", commands: func(*state.State) []string { return noise(c.Netns) }},
			{name: "a peer that drops", commands: func(s *state.State) []string { return dropAtPeer(s, c) }},
		}
	case scenario.HasNeighbour, scenario.Reaches, scenario.Connects, scenario.SendsTo, scenario.HasRoute:
		if r, ok := claim.(scenario.HasRoute); ok && r.Not {
			return []way{{name: "the route over any link", commands: func(s *state.State) []string {
				return append(eachLink(s, r.Netns, "link set %s up"), eachLink(s, r.Netns, "route add "+r.Text+" dev %s")...)
			}}, {name: "the route over any link that has one already", commands: func(s *state.State) []string {
				return append(eachLink(s, r.Netns, "link set %s up"), in(r.Netns, "route add %s", r.Text))
			}}, {name: "all links up", commands: func(s *state.State) []string { return eachLink(s, r.Netns, "link set %s up") }}}
		}
		ns := netnsOf(claim)
		return []way{{name: "all links down", commands: func(s *state.State) []string { return eachLink(s, ns, "link set %s down") }}}
	}
	return nil
}

func netnsOf(claim scenario.Claim) string {
	switch c := claim.(type) {
	case scenario.HasNeighbour:
		return c.Netns
	case scenario.Reaches:
		return c.Netns
	case scenario.Connects:
		return c.Netns
	case scenario.SendsTo:
		return c.Netns
	case scenario.HasRoute:
		return c.Netns
	}
	return ""
}

// eachLink makes a command for each link of a namespace; any of them may be refused.
func eachLink(s *state.State, ns, format string) (lines []string) {
	n := s.Namespace(ns)
	if n == nil {
		return nil
	}
	for _, l := range n.Links {
		lines = append(lines, "-"+in(ns, format, l.Name))
	}
	return lines
}

// signal gives a link without carrier one: it and its peer are set up, a bridge gets a port.
func signal(s *state.State, i scenario.Iface) []string {
	n := s.Namespace(i.Netns)
	if n == nil || n.Link(i.Name) == nil {
		return nil
	}
	l := n.Link(i.Name)
	lines := []string{in(i.Netns, "link set %s up", i.Name)}
	if l.Kind == "bridge" {
		return append(lines, in(i.Netns, "link add extra0 type veth peer name extra1"), in(i.Netns, "link set extra0 master %s", i.Name),
			in(i.Netns, "link set extra0 up"), in(i.Netns, "link set extra1 up"))
	}
	if l.Peer != nil && l.Peer.Name != "" {
		lines = append(lines, in(l.Peer.Netns, "link set %s up", l.Peer.Name))
	}
	return lines
}

// noise makes packets of all kinds arrive, be forwarded, refused and dropped in a namespace.
func noise(ns string) []string {
	return []string{
		"ip netns add noise77",
		in(ns, "link add x77 type veth peer name y77 netns noise77"),
		in(ns, "addr add 198.18.77.1/24 dev x77"), in(ns, "link set x77 up"), "-" + in(ns, "link set lo up"),
		"ip -n noise77 addr add 198.18.77.2/24 dev y77", "ip -n noise77 link set y77 up", "ip -n noise77 link set lo up",
		"ip -n noise77 route add default via 198.18.77.1", "ip -n noise77 route add 198.18.77.9 via 198.18.77.1",
		"ip -n noise77 addr add 203.0.113.7/32 dev lo",
		"-" + execIn(ns, "nft flush ruleset"),
		"-" + in(ns, "route add 203.0.113.0/24 dev lo"),
		"-" + execIn(ns, "sysctl -w net.ipv4.ip_forward=0"), "-" + execIn(ns, "sysctl -w net.ipv4.icmp_echo_ignore_all=0"),
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

// dropAtPeer lets a link send what its peer does not take.
func dropAtPeer(s *state.State, c scenario.CounterGrew) []string {
	n := s.Namespace(c.Netns)
	if n == nil || n.Link(c.Link) == nil || n.Link(c.Link).Peer == nil || n.Link(c.Link).Peer.Name == "" {
		return nil
	}
	peer := n.Link(c.Link).Peer
	return []string{
		in(peer.Netns, "link set %s up", peer.Name), in(c.Netns, "link set %s up", c.Link), in(peer.Netns, "link set %s mtu 100", peer.Name),
		"-" + execIn(c.Netns, "tc qdisc del dev %s root", c.Link),
		"-" + in(c.Netns, "addr add 198.18.77.1/24 dev %s", c.Link),
		in(c.Netns, "neigh replace 198.18.77.9 lladdr 02:00:00:00:77:77 dev %s", c.Link),
		"-" + execIn(c.Netns, "ping -c1 -W0.1 -s 1000 198.18.77.9"),
	}
}

// withoutSubject takes away the namespace or the interface that a claim presupposes.
func withoutSubject(claim scenario.Claim) (ways []way) {
	add := func(lines ...string) {
		ways = append(ways, way{name: string(subjectGone), by: subjectGone, commands: func(*state.State) []string { return lines }})
	}
	iface := func(i scenario.Iface) {
		add(in(i.Netns, "link del %s", i.Name))
		add("ip netns del " + i.Netns)
	}
	switch c := claim.(type) {
	case scenario.HasAddress:
		iface(c.Iface)
	case scenario.HasMTU:
		iface(c.Iface)
	case scenario.HasMAC:
		iface(c.Iface)
	case scenario.PortOf:
		iface(c.Iface)
	case scenario.AttributeIs:
		iface(c.Iface)
	case scenario.SysctlIs:
		add("ip netns del " + c.Netns)
	case scenario.CauseIs: // some causes are in the question, whatever the state
		add("ip netns del " + c.Netns)
	}
	return ways
}

// divert sends what is for an address away by a policy rule before all others but the local table's.
func divert(ns string, dest netip.Addr) []string {
	return []string{family(dest, ns, "rule add to %s prohibit priority 0", dest.WithZone(""))}
}

func family(addr netip.Addr, ns, format string, args ...any) string {
	return in(ns, word(addr.Is6(), "-6 ", "")+format, args...)
}

// own gives a namespace an address itself, so that it reaches it; the second way also takes away what could stop its packets.
func own(ns string, dest netip.Addr) [][]string {
	bits := strconv.Itoa(dest.BitLen())
	take := []string{"-" + execIn(ns, "sysctl -w net.ipv6.conf.all.disable_ipv6=0"), in(ns, "link set lo up"),
		"-" + in(ns, "addr add %s/%s dev lo%s", dest.WithZone(""), bits, word(dest.Is6(), " nodad", ""))}
	if zone := dest.Zone(); zone != "" {
		take = []string{in(ns, "link set %s up", zone), in(ns, "addr add %s/64 dev %s nodad", dest.WithZone(""), zone)}
	}
	open := append([]string{execIn(ns, "nft flush ruleset"), "-" + execIn(ns, "sysctl -w net.ipv4.icmp_echo_ignore_all=0")}, take...)
	return [][]string{take, open}
}

func sysctlWays(c scenario.SysctlIs) [][]string {
	if c.Not {
		return [][]string{{execIn(c.Netns, "sysctl -w '%s=%s'", c.Key, c.Value)}}
	}
	var ways [][]string
	for _, value := range []string{"0", "1", "2", "77", "4096"} {
		if value != c.Value {
			ways = append(ways, []string{execIn(c.Netns, "sysctl -w %s=%s", c.Key, value)})
		}
	}
	return append(ways, []string{execIn(c.Netns, "sysctl -w '%s=7 77'", c.Key)})
}

func attributeWays(c scenario.AttributeIs) [][]string {
	set := func(format string, args ...any) [][]string {
		return [][]string{{in(c.Netns, "link set "+c.Name+" "+format, args...)}}
	}
	another := [][]string{ // what a link keeps for its life: another link of this name
		{in(c.Netns, "link del %s", c.Name), in(c.Netns, "link add %s index 7777 numtxqueues 3 numrxqueues 3 type veth", c.Name)},
		{in(c.Netns, "link del %s", c.Name), in(c.Netns, "link add %s type bridge", c.Name)},
		{in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name),
			in(c.Netns, "link add %s index 7777 numtxqueues 3 numrxqueues 3 type veth", c.Name)},
	}
	switch c.Attribute {
	case "txqueuelen":
		return set("txqueuelen 77")
	case "alias":
		return set("alias zzz")
	case "altname":
		return [][]string{{in(c.Netns, "link property del dev %s altname %s", c.Name, c.Value)}}
	case "promiscuity":
		return append(set("promisc on"), set("promisc off")...)
	case "arp":
		return set("arp %s", word(c.Value == "on", "off", "on"))
	case "operstate":
		return append(append(set("down"), set("up")...), another...)
	case "group":
		return append(set("group 77"), another...)
	case "qdisc":
		return append([][]string{{execIn(c.Netns, "tc qdisc replace dev %s root tbf rate 1mbit burst 10kb latency 50ms", c.Name)},
			{execIn(c.Netns, "tc qdisc del dev %s root", c.Name)}}, another...)
	case "gso_max_size":
		return append([][]string{{execIn(c.Netns, "ip link set dev %s gso_max_size 8192", c.Name)}}, another...)
	}
	return another
}

// counterWays let counters grow further: of the whole namespace by packets to itself, of a link by packets to nobody.
func counterWays(c scenario.CounterGrew) [][]string {
	if c.Link == "" {
		return [][]string{
			{in(c.Netns, "link set lo up"), execIn(c.Netns, "ping -c1 127.0.0.1")},
			{in(c.Netns, "link set lo up"), execIn(c.Netns, "ping -c1 ::1")},
			{in(c.Netns, "link set lo up"), "-" + in(c.Netns, "route add 198.51.100.9 dev lo"), "-" + execIn(c.Netns, "ping -c1 -W0.1 198.51.100.9")},
		}
	}
	return [][]string{
		{in(c.Netns, "link set %s up", c.Link), "-" + in(c.Netns, "route replace 198.51.100.9 dev %s", c.Link),
			in(c.Netns, "neigh replace 198.51.100.9 lladdr 02:00:00:00:77:77 dev %s", c.Link), "-" + execIn(c.Netns, "ping -c1 -W0.1 198.51.100.9")},
		{in(c.Netns, "link del %s", c.Link), in(c.Netns, "link add %s type veth", c.Link)},
	}
}

func in(netns, format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if netns == scenario.HostName {
		return "ip " + cmd
	}
	return "ip -n " + netns + " " + cmd
}

func execIn(netns, format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if netns == scenario.HostName {
		return cmd
	}
	return "ip netns exec " + netns + " " + cmd
}

func word(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}
