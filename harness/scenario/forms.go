package scenario

import (
	"net"
	"net/netip"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario/operation"
)

// form is one sentence that a check can be. Its code spans name the kinds of arguments (see slots); `…` after one lets
// more of the same follow, with commas.
type form struct {
	text  string
	claim func(a arguments) Claim
}

// forms are all sentences, in the order of the format. Their fixed words and the places of their arguments tell them apart.
var forms = append(stateForms, diagnosisForms()...)

var stateForms = []form{
	{"namespace `N` exists", func(a arguments) Claim { return NamespaceExists{Netns: a.text(0)} }},
	{"namespace `N` does not exist", func(a arguments) Claim { return NamespaceExists{Netns: a.text(0), Not: true} }},

	{"`N` has the interface `X`", func(a arguments) Claim { return HasInterface{Iface: Iface{a.text(1), a.text(0)}} }},
	{"`N` does not have the interface `X`", func(a arguments) Claim { return HasInterface{Iface: Iface{a.text(1), a.text(0)}, Not: true} }},
	{"`N` has only the interfaces `X` …", func(a arguments) Claim { return HasOnlyInterfaces{Netns: a.text(0), Names: a.texts(1)} }},

	{"`X` in `N` is up", func(a arguments) Claim { return AdminState{Iface: a.iface(0), Up: true} }},
	{"`X` in `N` is down", func(a arguments) Claim { return AdminState{Iface: a.iface(0)} }},
	{"`X` in `N` has carrier", func(a arguments) Claim { return Carrier{Iface: a.iface(0), Has: true} }},
	{"`X` in `N` has no carrier", func(a arguments) Claim { return Carrier{Iface: a.iface(0)} }},
	{"`X` in `N` is a `veth`", func(a arguments) Claim { return LinkKind{Iface: a.iface(0), Kind: a.text(2)} }},
	{"`X` in `N` is the peer of `Y` in `M`", func(a arguments) Claim { return PeerOf{Iface: a.iface(0), Peer: a.iface(2)} }},

	{"`X` in `N` has the address `192.168.2.102/24`", func(a arguments) Claim { return HasAddress{Iface: a.iface(0), Prefix: a.prefix(2)} }},
	{"`X` in `N` does not have the address `192.168.2.102/24`", func(a arguments) Claim {
		return HasAddress{Iface: a.iface(0), Prefix: a.prefix(2), Not: true}
	}},
	{"`X` in `N` has no address", func(a arguments) Claim { return HasNoAddress{a.iface(0)} }},
	{"`X` in `N` has the MTU `1500`", func(a arguments) Claim { return HasMTU{Iface: a.iface(0), MTU: a.int(2)} }},
	{"`X` in `N` does not have the MTU `1500`", func(a arguments) Claim { return HasMTU{Iface: a.iface(0), MTU: a.int(2), Not: true} }},
	{"`X` in `N` has the MAC address `02:00:00:00:00:01`", func(a arguments) Claim { return HasMAC{Iface: a.iface(0), MAC: a.mac(2)} }},
	{"`X` in `N` does not have the MAC address `02:00:00:00:00:01`", func(a arguments) Claim {
		return HasMAC{Iface: a.iface(0), MAC: a.mac(2), Not: true}
	}},
	{"`X` in `N` is a port of `br0`", func(a arguments) Claim { return PortOf{Iface: a.iface(0), Bridge: a.text(2)} }},
	{"`X` in `N` is not a port of `br0`", func(a arguments) Claim { return PortOf{Iface: a.iface(0), Bridge: a.text(2), Not: true} }},

	{"`N` has the route `default via 10.0.0.1`", func(a arguments) Claim { return a.hasRoute(false) }},
	{"`N` does not have the route `default via 10.0.0.1`", func(a arguments) Claim { return a.hasRoute(true) }},
	{"`N` has the rule `from 10.0.0.0/8 lookup 100`", func(a arguments) Claim { return a.hasRule(false) }},
	{"`N` does not have the rule `from 10.0.0.0/8 lookup 100`", func(a arguments) Claim { return a.hasRule(true) }},
	{"`N` sends packets for `10.0.9.1` to `10.0.0.1`", func(a arguments) Claim {
		return SendsTo{Netns: a.text(0), Dest: a.addr(1), Via: a.addr(2)}
	}},
	{"`N` sends packets for `10.0.9.1` out of `X`", func(a arguments) Claim {
		return SendsTo{Netns: a.text(0), Dest: a.addr(1), Out: a.text(2)}
	}},
	{"`N` sends packets from `10.30.2.2` for `10.0.9.1` to `10.0.0.1`", func(a arguments) Claim {
		return SendsTo{Netns: a.text(0), From: a.addr(1), Dest: a.addr(2), Via: a.addr(3)}
	}},
	{"`N` sends packets from `10.30.2.2` for `10.0.9.1` out of `X`", func(a arguments) Claim {
		return SendsTo{Netns: a.text(0), From: a.addr(1), Dest: a.addr(2), Out: a.text(3)}
	}},
	{"`N` has no route to `10.0.9.1`", func(a arguments) Claim { return NoRouteTo{Netns: a.text(0), Dest: a.addr(1)} }},

	{"`N` has the neighbour `10.0.0.1`", func(a arguments) Claim { return HasNeighbour{Netns: a.text(0), Addr: a.addr(1)} }},
	{"`N` cannot resolve the neighbour `10.0.0.1`", func(a arguments) Claim { return CannotResolve{Netns: a.text(0), Addr: a.addr(1)} }},

	{"`N` reaches `192.168.2.103`", func(a arguments) Claim { return Reaches{Netns: a.text(0), Dest: a.addr(1)} }},
	{"`N` does not reach `192.168.2.103`", func(a arguments) Claim { return Reaches{Netns: a.text(0), Dest: a.addr(1), Not: true} }},
	{"`N` reaches `192.168.2.103` from `10.30.2.2`", func(a arguments) Claim {
		return Reaches{Netns: a.text(0), Dest: a.addr(1), From: a.addr(2)}
	}},
	{"`N` does not reach `192.168.2.103` from `10.30.2.2`", func(a arguments) Claim {
		return Reaches{Netns: a.text(0), Dest: a.addr(1), From: a.addr(2), Not: true}
	}},
	{"`N` reaches `192.168.2.103` with `1472` bytes unfragmented", func(a arguments) Claim {
		return Reaches{Netns: a.text(0), Dest: a.addr(1), Bytes: a.int(2)}
	}},
	{"`N` does not reach `192.168.2.103` with `1472` bytes unfragmented", func(a arguments) Claim {
		return Reaches{Netns: a.text(0), Dest: a.addr(1), Bytes: a.int(2), Not: true}
	}},
	{"`N` connects to `192.168.2.103` on TCP port `80`", func(a arguments) Claim { return a.connects(ConnectOK) }},
	{"`N` does not connect to `192.168.2.103` on TCP port `80`", func(a arguments) Claim { return a.connects(ConnectNot) }},
	{"`N` does not connect to `192.168.2.103` on TCP port `80` (`refused`)", func(a arguments) Claim { return a.connects(ConnectRefused) }},
	{"`N` does not connect to `192.168.2.103` on TCP port `80` (`silence`)", func(a arguments) Claim { return a.connects(ConnectSilence) }},

	{"the sysctl `net.ipv4.ip_forward` in `N` is `1`", func(a arguments) Claim {
		return SysctlIs{Key: a.text(0), Netns: a.text(1), Value: a.text(2)}
	}},
	{"the sysctl `net.ipv4.ip_forward` in `N` is not `1`", func(a arguments) Claim {
		return SysctlIs{Key: a.text(0), Netns: a.text(1), Value: a.text(2), Not: true}
	}},
	{"the attribute `txqueuelen` of `X` in `N` is `500`", func(a arguments) Claim {
		return AttributeIs{Attribute: a.text(0), Iface: a.iface(1), Value: a.text(3)}
	}},
	{"`192.168.2.102/24` on `X` in `N` is `tentative`", func(a arguments) Claim {
		return AddressIs{Prefix: a.prefix(0), Iface: a.iface(1), State: a.text(3)}
	}},
	{"the counter `IpInReceives` in `N` grew by `3`", func(a arguments) Claim {
		return CounterGrew{Counter: a.text(0), Netns: a.text(1), By: a.count(2)}
	}},
	{"the counter `IpInReceives` in `N` did not grow", func(a arguments) Claim {
		return CounterGrew{Counter: a.text(0), Netns: a.text(1)}
	}},
	{"the counter `rx_packets` of `X` in `N` grew by `3`", func(a arguments) Claim {
		return CounterGrew{Counter: a.text(0), Link: a.text(1), Netns: a.text(2), By: a.count(3)}
	}},
	{"the counter `rx_packets` of `X` in `N` did not grow", func(a arguments) Claim {
		return CounterGrew{Counter: a.text(0), Link: a.text(1), Netns: a.text(2)}
	}},
	{"`br0` in `N` has learned `02:00:00:00:00:01` on `p2`", func(a arguments) Claim {
		return Learned{Iface: a.iface(0), MAC: a.mac(2), Port: a.text(3)}
	}},
	{"`N` saw the event `link add X`", func(a arguments) Claim { return a.sawEvent() }},
	{"`N` saw no event", func(a arguments) Claim { return SawEvent{Netns: a.text(0)} }},

	{"the nearest name to `vnic-prodns` is `vnix-prodns` in `N`", func(a arguments) Claim {
		return NearestName{Typo: a.text(0), Name: a.text(1), Netns: a.text(2)}
	}},
}

// diagnosisForms are the sentences on a diagnosis, whose question can be put in four ways.
func diagnosisForms() (all []form) {
	for _, way := range []struct {
		words string
		put   func(q *Question, a arguments)
		slots int
	}{
		{"", func(*Question, arguments) {}, 0},
		{" from `10.30.2.2`", func(q *Question, a arguments) { q.From = a.addr(2) }, 1},
		{" with `1472` bytes unfragmented", func(q *Question, a arguments) { q.Bytes = a.int(2) }, 1},
		{" on TCP port `80`", func(q *Question, a arguments) { q.Port = a.int(2) }, 1},
	} {
		words, rest := "from `N` to `192.168.2.103`"+way.words, 2+way.slots
		question := func(a arguments) Question {
			q := Question{Netns: a.text(0), Dest: a.addr(1)}
			way.put(&q, a)
			return q
		}
		all = append(all,
			form{"the cause " + words + " is `link-down` on `X` in `M`", func(a arguments) Claim {
				return CauseIs{Question: question(a), Cause: a.cause(rest), On: a.iface(rest + 1)}
			}},
			form{"the cause " + words + " is `link-down` in `M`", func(a arguments) Claim {
				return CauseIs{Question: question(a), Cause: a.cause(rest), On: Iface{Netns: a.text(rest + 1)}}
			}},
			form{"nothing is wrong " + words, func(a arguments) Claim { return NothingWrong{question(a)} }},
		)
	}
	return all
}

// arguments are the values of a sentence's code spans from left to right. A form asks for them as its slots made them.
type arguments []any

func (a arguments) text(i int) string         { return a[i].(string) }
func (a arguments) int(i int) int             { return a[i].(int) }
func (a arguments) cause(i int) causes.Cause  { return a[i].(causes.Cause) }
func (a arguments) count(i int) uint64        { return a[i].(uint64) }
func (a arguments) addr(i int) netip.Addr     { return a[i].(netip.Addr) }
func (a arguments) prefix(i int) netip.Prefix { return a[i].(netip.Prefix) }
func (a arguments) mac(i int) net.HardwareAddr {
	return a[i].(net.HardwareAddr)
}

// iface is `X` in `N`: two arguments.
func (a arguments) iface(i int) Iface { return Iface{Name: a.text(i), Netns: a.text(i + 1)} }

// texts are the arguments from i on.
func (a arguments) texts(i int) []string {
	var texts []string
	for ; i < len(a); i++ {
		texts = append(texts, a.text(i))
	}
	return texts
}

func (a arguments) hasRoute(not bool) Claim {
	r := a[1].(written[operation.Route])
	return HasRoute{Netns: a.text(0), Text: r.text, Route: r.value, Not: not}
}

func (a arguments) hasRule(not bool) Claim {
	r := a[1].(written[operation.Rule])
	return HasRule{Netns: a.text(0), Text: r.text, Rule: r.value, Not: not}
}

func (a arguments) connects(o ConnectOutcome) Claim {
	return Connects{Netns: a.text(0), Dest: a.addr(1), Port: a.int(2), Outcome: o}
}

func (a arguments) sawEvent() Claim {
	e := a[1].(SawEvent)
	e.Netns = a.text(0)
	return e
}
