package claim

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario/operation"
)

var compareAddresses = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

func route(t *testing.T, text string) operation.Route {
	t.Helper()
	r, err := operation.ParseRoute(strings.Fields(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestClaims parses each form and requires that the claim's Sentence is the same and parses to the same claim.
func TestClaims(t *testing.T) {
	x := Iface{"X", "N"}
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	rule, err := operation.ParseRule(strings.Fields("from 10.0.0.0/8 lookup 100"))
	if err != nil {
		t.Fatal(err)
	}
	const defaultRoute = "default via 10.0.0.1 dev X"
	cases := map[string]Claim{
		"namespace `N` exists":         NamespaceExists{"N", false},
		"namespace `N` does not exist": NamespaceExists{"N", true},

		"`N` has the interface `X`":            HasInterface{x, false},
		"`N` does not have the interface `X`":  HasInterface{x, true},
		"`N` has only the interfaces `X`":      HasOnlyInterfaces{"N", []string{"X"}},
		"`N` has only the interfaces `X`, `Y`": HasOnlyInterfaces{"N", []string{"X", "Y"}},

		"`X` in `N` is up":                     AdminState{x, true},
		"`X` in `N` is down":                   AdminState{x, false},
		"`X` in `N` has carrier":               Carrier{x, true},
		"`X` in `N` has no carrier":            Carrier{x, false},
		"`X` in `N` is a `veth`":               LinkKind{x, "veth", false},
		"`X` in `N` is the peer of `Y` in `M`": PeerOf{x, Iface{"Y", "M"}},

		"`X` in `N` has the address `192.168.2.102/24`": HasAddress{x, prefix("192.168.2.102/24"),
			false},
		"`X` in `N` does not have the address `fd00::1/64`":            HasAddress{x, prefix("fd00::1/64"), true},
		"`X` in `N` has no address":                                    HasNoAddress{x},
		"`X` in `N` has the MTU `1500`":                                HasMTU{x, 1500, false},
		"`X` in `N` does not have the MTU `1500`":                      HasMTU{x, 1500, true},
		"`X` in `N` has the MAC address `02:00:00:00:00:01`":           HasMAC{x, mac, false},
		"`X` in `N` does not have the MAC address `02:00:00:00:00:01`": HasMAC{x, mac, true},
		"`X` in `N` is a port of `br0`":                                PortOf{x, "br0", false},
		"`X` in `N` is not a port of `br0`":                            PortOf{x, "br0", true},

		"`N` has the route `default via 10.0.0.1 dev X`": HasRoute{"N", defaultRoute, route(t, defaultRoute),
			false},
		"`N` does not have the route `unreachable 10.0.0.0/8`": HasRoute{"N", "unreachable 10.0.0.0/8",
			route(t, "unreachable 10.0.0.0/8"), true},
		"`N` has the rule `from 10.0.0.0/8 lookup 100`": HasRule{"N", "from 10.0.0.0/8 lookup 100", rule,
			false, false},
		"`N` does not have the rule `from 10.0.0.0/8 lookup 100`": HasRule{"N", "from 10.0.0.0/8 lookup 100", rule,
			false, true},
		"`N` sends packets for `10.0.9.1` to `10.0.0.1`": SendsTo{Netns: "N", Dest: addr("10.0.9.1"),
			Via: addr("10.0.0.1")},
		"`N` sends packets for `10.0.9.1` out of `X`": SendsTo{Netns: "N", Dest: addr("10.0.9.1"), Out: "X"},
		"`N` has no route to `10.0.9.1`":              NoRouteTo{Netns: "N", Dest: addr("10.0.9.1")},
		"`N` has the neighbour `10.0.0.1`":            HasNeighbour{Netns: "N", Addr: addr("10.0.0.1")},
		"`N` cannot resolve the neighbour `10.0.0.1`": CannotResolve{"N", addr("10.0.0.1")},
		"`N` sends packets from `10.30.2.2` for `10.0.9.1` to `10.0.0.1`": SendsTo{
			Netns: "N", Packet: Packet{From: addr("10.30.2.2")}, Dest: addr("10.0.9.1"), Via: addr("10.0.0.1")},
		"`N` sends packets from `fd00::2` for `fd01::1` out of `X`": SendsTo{
			Netns: "N", Packet: Packet{From: addr("fd00::2")}, Dest: addr("fd01::1"), Out: "X"},
		"`N` sends packets for `fd00::1` to `fe80::1` out of `X` with the mark `5`": SendsTo{
			Netns: "N", Dest: addr("fd00::1"), Via: addr("fe80::1"), Out: "X", Packet: Packet{Mark: 5}},
		"`N` sends packets for `10.0.9.1` out of `X` with the mark `5`": SendsTo{
			Netns: "N", Dest: addr("10.0.9.1"), Out: "X", Packet: Packet{Mark: 5}},
		"`N` sends packets for `10.0.9.1` to `10.0.0.1` that arrive on `Y`": SendsTo{
			Netns: "N", Dest: addr("10.0.9.1"), Via: addr("10.0.0.1"), Packet: Packet{Iif: "Y"}},
		"`N` sends packets for `10.0.9.1` out of `X` on TCP port `80`": SendsTo{
			Netns: "N", Dest: addr("10.0.9.1"), Out: "X", Packet: Packet{TCP: 80}},
		"`N` sends packets from `fd00::2` for `fd01::1` out of `X` with the mark `5` that arrive on `Y` on UDP port " +
			"`53`": SendsTo{Netns: "N", Dest: addr("fd01::1"), Out: "X",
			Packet: Packet{From: addr("fd00::2"), Mark: 5, Iif: "Y", UDP: 53}},
		"`N` has no route to `10.0.9.1` from `10.30.2.2` with the mark `4294967295` that arrive on `Y` on TCP port " +
			"`80`": NoRouteTo{
			Netns: "N", Dest: addr("10.0.9.1"),
			Packet: Packet{From: addr("10.30.2.2"), Mark: 4294967295, Iif: "Y", TCP: 80}},

		"`N` reaches `192.168.2.103`": Reaches{Netns: "N",
			Dest: addr("192.168.2.103")},
		"`N` reaches `fe80::1%X`": Reaches{Netns: "N",
			Dest: addr("fe80::1%X")},
		"`N` does not reach `192.168.2.103`": Reaches{Netns: "N",
			Dest: addr("192.168.2.103"), Not: true},
		"`N` reaches `10.0.9.1` from `10.30.2.2`": Reaches{Netns: "N", Dest: addr("10.0.9.1"),
			From: addr("10.30.2.2")},
		"`N` does not reach `10.0.9.1` from `10.30.2.2`": Reaches{Netns: "N", Dest: addr("10.0.9.1"),
			From: addr("10.30.2.2"), Not: true},
		"`N` reaches `192.168.2.103` with `1472` bytes unfragmented": Reaches{Netns: "N",
			Dest: addr("192.168.2.103"), Bytes: 1472},
		"`N` does not reach `192.168.2.103` with `1473` bytes unfragmented": Reaches{Netns: "N",
			Dest: addr("192.168.2.103"), Bytes: 1473, Not: true},
		"`N` connects to `10.0.0.1` on TCP port `80`": Connects{"N", addr("10.0.0.1"), 80,
			ConnectOK},
		"`N` does not connect to `10.0.0.1` on TCP port `80`": Connects{"N", addr("10.0.0.1"), 80,
			ConnectNot},
		"`N` does not connect to `10.0.0.1` on TCP port `80` (`refused`)": Connects{"N", addr("10.0.0.1"), 80,
			ConnectRefused},
		"`N` does not connect to `10.0.0.1` on TCP port `80` (`silence`)": Connects{"N", addr("10.0.0.1"), 80,
			ConnectSilence},

		"`N` hears an answer from `10.0.0.1` on UDP port `53`": Hears{"N", addr("10.0.0.1"), 53, ConnectOK},
		"`N` hears an answer from `fe80::1%X` on UDP port `7`": Hears{"N", addr("fe80::1%X"), 7, ConnectOK},
		"`N` hears no answer from `10.0.0.1` on UDP port `53`": Hears{"N", addr("10.0.0.1"), 53,
			ConnectNot},
		"`N` hears no answer from `10.0.0.1` on UDP port `53` (`refused`)": Hears{"N", addr("10.0.0.1"), 53,
			ConnectRefused},
		"`N` hears no answer from `10.0.0.1` on UDP port `53` (`silence`)": Hears{"N", addr("10.0.0.1"), 53,
			ConnectSilence},
		"the sysctl `net.ipv4.ip_forward` in `N` is `1`": SysctlIs{"N", "net.ipv4.ip_forward", "1",
			false},
		"the sysctl `net.ipv4.ip_local_port_range` in `N` is not `1	2`": SysctlIs{"N",
			"net.ipv4.ip_local_port_range", "1	2", true},
		"the attribute `txqueuelen` of `X` in `N` is `500`":   AttributeIs{x, "txqueuelen", "500", false},
		"the attribute `alias` of `X` in `N` is `a  b`":       AttributeIs{x, "alias", "a  b", false},
		"the attribute `alias` of `X` in `N` is ``a`b``":      AttributeIs{x, "alias", "a`b", false},
		"the attribute `offload:tso` of `X` in `N` is `off`":  AttributeIs{x, "offload:tso", "off", false},
		"`fd00::1/64` on `X` in `N` is `tentative`":           AddressIs{x, prefix("fd00::1/64"), "tentative", false},
		"the counter `IpInReceives` in `N` grew by `3`":       CounterGrew{"N", "IpInReceives", "", 3, false},
		"the counter `Ip6InReceives` in `N` did not grow":     CounterGrew{"N", "Ip6InReceives", "", 0, false},
		"the counter `rx_packets` of `X` in `N` grew by `3`":  CounterGrew{"N", "rx_packets", "X", 3, false},
		"the counter `tx_dropped` of `X` in `N` did not grow": CounterGrew{"N", "tx_dropped", "X", 0, false},
		"`br0` in `N` has learned `02:00:00:00:00:01` on `p2`": ForwardingEntry{Iface{"br0", "N"}, mac, "p2",
			LearnedEntry, false},
		"`N` saw the event `link add X`":                     SawEvent{"N", "link", "add", "X"},
		"`N` saw the event `route del default via 10.0.0.1`": SawEvent{"N", "route", "del", "default via 10.0.0.1"},
		"`N` saw no event":                                   SawEvent{Netns: "N"},
		"the nearest name to `vnic-prodns` is `vnix-prodns` in `host`": NearestName{
			"vnic-prodns", "vnix-prodns", "host",
		},
		"the cause from `N` to `10.0.0.1` is `link-down` on `X` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1")}, causes.LinkDown, Iface{"X", "M"},
		},
		"the cause from `N` to `10.0.0.1` is `no-route` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1")}, causes.NoRoute, Iface{"", "M"},
		},
		"nothing is wrong from `N` to `fe80::1%X`": NothingWrong{
			Inquiry{Netns: "N", Dest: addr("fe80::1%X")},
		},
		"the cause from `N` to `10.0.0.1` from `10.9.0.1` is `reverse-path-filter` on `X` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), From: addr("10.9.0.1")}, causes.ReversePathFilter,
			Iface{"X", "M"},
		},
		"the cause from `N` to `10.0.0.1` with `1473` bytes unfragmented is `mtu-exceeded` on `X` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), Bytes: 1473}, causes.MTUExceeded, Iface{"X", "M"},
		},
		"the cause from `N` to `10.0.0.1` on TCP port `80` is `not-listening` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), Port: 80}, causes.NotListening, Iface{"", "M"},
		},
		"the cause from `N` to `10.0.0.1` from `10.9.0.1` is `no-route` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), From: addr("10.9.0.1")}, causes.NoRoute, Iface{"", "M"},
		},
		"the cause from `N` to `10.0.0.1` with `1473` bytes unfragmented is `no-route` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), Bytes: 1473}, causes.NoRoute, Iface{"", "M"},
		},
		"the cause from `N` to `10.0.0.1` on TCP port `80` is `peer-down` on `X` in `M`": CauseIs{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), Port: 80}, causes.PeerDown, Iface{"X", "M"},
		},
		"`N` does not reach `10.0.9.1` from `10.30.2.2` with `1473` bytes unfragmented": Reaches{Netns: "N",
			Dest: addr("10.0.9.1"), From: addr("10.30.2.2"), Bytes: 1473, Not: true},
		"nothing is wrong from `N` to `10.0.0.1` from `10.9.0.1` on TCP port `80`": NothingWrong{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), From: addr("10.9.0.1"), Port: 80},
		},
		"nothing is wrong from `N` to `10.0.0.1` on TCP port `80`": NothingWrong{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), Port: 80},
		},
		"nothing is wrong from `N` to `10.0.0.1` with `1472` bytes unfragmented": NothingWrong{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), Bytes: 1472},
		},
		"nothing is wrong from `N` to `10.0.0.1` from `10.9.0.1`": NothingWrong{
			Inquiry{Netns: "N", Dest: addr("10.0.0.1"), From: addr("10.9.0.1")},
		},
	}
	for sentence, want := range cases {
		got, err := Parse(sentence)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(want, got, compareAddresses); diff != "" {
			t.Errorf("%s: -want +got\n%s", sentence, diff)
		}
		if said := got.Sentence(); said != sentence {
			t.Errorf("%q is said as %q", sentence, said)
		}
		if again, err := Parse(sentence + "."); err != nil || !cmp.Equal(want, again, compareAddresses) {
			t.Errorf("%s with a full stop: %v, %v", sentence, again, err)
		}
	}
}

func TestUnknownClaims(t *testing.T) {
	for sentence, nearest := range map[string]string{
		"":                                       "namespace `N` exists",
		"`a` has interface `b`":                  "`N` has the interface `X`",
		"`a` has the interfce `b`":               "`N` has the interface `X`",
		"`a` has carrier":                        "`X` in `N` has carrier",
		"`a` is down":                            "`X` in `N` is down",
		"`a` is a port of `br0`":                 "`X` in `N` is a port of `br0`",
		"`a` has no address":                     "`X` in `N` has no address",
		"`a` in `b` has the adress `10.0.0.1/8`": "`X` in `N` has the address `192.168.2.102/24`",
		"`a` in `b` is upp":                      "`X` in `N` is up",
		"`a` in `b` is not up":                   "`X` in `N` is down",
		"`a` in `b` isn't up":                    "`X` in `N` is down",
		"`a` in `b` isn’t up":                    "`X` in `N` is down",
		"`a` in `b` is not down":                 "`X` in `N` is up",
		"`br0` in `b` has not learned `02:00:00:00:00:01` on `p1`": "`br0` in `N` does not have the entry " +
			"`02:00:00:00:00:01` on `p2`",
		"`br0` in `b` hasn't learned `02:00:00:00:00:01`": "`br0` in `N` does not have the entry `02:00:00:00:00:01`",
		"`a` connects to `10.7.0.2:80`":                   "`N` connects to `192.168.2.103` on TCP port `80`",
		"`a` does not connect to `[fd00::1]:80`":          "`N` does not connect to `192.168.2.103` on TCP port `80`",
		"`a` sends packets for `10.0.0.1` with mark `5` out of `x`": "`N` sends packets for `10.0.9.1` out of `X` " +
			"with the mark `5`",
		"`a` can reach `10.0.0.1`":                         "`N` reaches `192.168.2.103`",
		"`a` hears an answer from `10.0.0.1` on port `53`": "`N` hears an answer from `10.0.0.1` on UDP port `53`",
		"`a` does not hear an answer from `10.0.0.1` on UDP port `53`": "`N` hears no answer from `10.0.0.1` " +
			"on UDP port `53`",
		"`a` doesn't hear an answer from `10.0.0.1` on UDP port `53`": "`N` hears no answer from `10.0.0.1` on UDP " +
			"port `53`",
		"`a` reachs `10.0.0.1`":         "`N` reaches `192.168.2.103`",
		"namespace testns exists":       "namespace `N` exists",
		"Namespace `testns` exists":     "namespace `N` exists",
		"`x` in `n` has the mtu `1500`": "`X` in `N` has the MTU `1500`",
		"`a` does not connect to `10.0.0.1` on TCP port `1` (`refuse`)": "`N` does not connect to " +
			"`192.168.2.103` on TCP port `80` (`refused`)",
		"`a` has only the interfaces `lo` `eth0`": "`N` has only the interfaces `X` …",
		"the attribute `alias` of `x` in `n` is nt `y`": "the attribute `txqueuelen` of `X` in " +
			"`N` is not `500`",
		"`a` reaches `10.0.0.1` frm `10.0.0.2` with `9` bytes unfragmented": "`N` reaches `192.168.2.103` from " +
			"`10.30.2.2` with `1472` bytes unfragmented",
		"`a` reaches `10.0.0.1` from `10.0.0.2` from `10.0.0.3`": "`N` reaches `192.168.2.103` from `10.30.2.2`",
		"`a` sends packets for `10.0.0.1` out of `x` with mark `5`": "`N` sends packets for `10.0.9.1` out of `X` " +
			"with the mark `5`",
		"`a` sends packets for `10.0.0.1` out off `x`": "`N` sends packets for `10.0.9.1` out of `X`",
		"`a` sends packets for `10.0.0.1` to `10.0.0.9` arriving on `y`": "`N` sends packets for `10.0.9.1` " +
			"to `10.0.0.1` that arrive on `Y`",
		"`a` has no route to `10.0.0.1` with the mark `5` on port `80`": "`N` has no route to `10.0.9.1` " +
			"with the mark `5` on TCP port `80`",
		"`x` is up in `n`":                 "`X` in `N` is up",
		"`a` doesn't reach `10.0.0.1`":     "`N` does not reach `192.168.2.103`",
		"`a` has no route over `10.0.0.1`": "`N` has no route to `10.0.9.1`",
		"nothing wrong from `a` to `10.0.0.1` on port `80`": "nothing is wrong from `N` to `192.168.2.103` " +
			"on TCP port `80`",
	} {
		_, err := Parse(sentence)
		if err == nil {
			t.Errorf("%q is a claim", sentence)
			continue
		}
		if want := "the nearest form is “" + nearest + "”"; !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s", sentence, err, want)
		}
	}
}

// TestLackingSpans: a sentence whose arguments lack their backquotes is told of them, another one is not.
func TestLackingSpans(t *testing.T) {
	for sentence, lacks := range map[string]bool{
		"namespace testns exists":                      true,
		"`a` reaches 10.0.0.1":                         true,
		"`a` has the route 10.9.0.0/16 via 10.7.0.2":   true,
		"`a` in left is up":                            true,
		"`a` reaches `10.0.0.1":                        true,
		"`a` is down":                                  false,
		"`a` doesn't reach":                            false,
		"`br0` in `n` has learned `02:00:00:00:00:01`": false,
		"`x` in `n` has the mtu `1500`":                false,
	} {
		_, err := Parse(sentence)
		if err == nil || strings.Contains(err.Error(), "with its arguments in code spans") != lacks {
			t.Errorf("%q: %v, is told of code spans: want %v", sentence, err, lacks)
		}
	}
}

// TestOtherLimits: a limit in other words is told how it is written; a namespace may be called as one.
func TestOtherLimits(t *testing.T) {
	_, err := ParseItem("`a` reaches `10.0.0.1` in `3s`")
	if want := "the limit of a check is written within `3s`, found in `3s`"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := ParseItem("the cause from `a` to `10.0.0.1` is `no-route` in `5s`"); err != nil {
		t.Error(err)
	}
}

// TestOtherChecks: what an attribute's message points to is a check.
func TestOtherChecks(t *testing.T) {
	for name, form := range checkOf {
		if _, err := Parse(form); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := Parse("the attribute `" + name + "` of `x` in `n` is `1`")
		if err == nil || !strings.Contains(err.Error(), "it has a check of its own: “"+form+"”") {
			t.Errorf("the attribute %s: %v", name, err)
		}
	}
	for _, name := range attributeNames() {
		if checkOf[name] != "" {
			t.Errorf("%s is an attribute", name)
		}
	}
}

func TestBadArguments(t *testing.T) {
	for sentence, want := range map[string]string{
		"`n` has the route `10.9.0.1/16 via 10.7.0.2`": "10.9.0.1/16 has bits behind its prefix length, which no " +
			"route has: " +
			"write 10.9.0.0/16",
		"`n` does not have the route `fd00::1/64`": "write fd00::/64",
		"namespace `a/b` exists": "expected the name of a namespace, found " +
			"\"a/b\"",
		"namespace `..` exists": "expected the name of a namespace",
		"`n` has the interface `a b`": "expected the name of an interface, " +
			"found \"a b\"",
		"`n` has the interface `eth0:1`":            "expected the name of an interface",
		"`n` has only the interfaces `lo`, `lo`":    "the interface lo is named twice",
		"`x` in `n` has the address `10.0.0.1`":     "the prefix length is missing in \"10.0.0.1\"",
		"`x` in `n` has the address `10.0.0.1/33`":  "expected an address with its prefix length",
		"`x` in `n` has the address `fe80::1%x/64`": "expected an address with its prefix length",
		"`x` in `n` has the MTU `big`": "expected an MTU from 1 to 2147483647, found " +
			"\"big\"",
		"`x` in `n` has the MTU `0`":                      "expected an MTU",
		"`x` in `n` has the MAC address `02:00:00:00:00`": "expected a MAC address such as",
		"`x` in `n` is a `veth pair`":                     "expected a link kind",
		"`n` has the route `via`":                         "\"via\" is no route",
		"`n` has the route ` `":                           "is no route",
		"`n` has the route `defualt via 10.0.0.1`": "is no route: cannot say defualt, did you " +
			"mean default?",
		"`n` has the rule `form 10.0.0.0/8`": "is no rule: cannot say form, did you mean from?",
		"`n` has the rule `lookup`":          "\"lookup\" is no rule",
		"`n` sends packets for `10.0.0.0/8` to `10.0.0.1`": "expected an IP address without a prefix " +
			"length, found \"10.0.0.0/8\"",
		"`n` sends packets for `fe80::1%x` out of `x`": "expected an IP address " +
			"without an interface",
		"`n` sends packets from `fd00::1` for `10.0.0.1` out of `x`": "two address families",
		"`n` sends packets for `10.0.0.1` out of `x` with the mark `five`": "decimal or as 0x5, found " +
			"\"five\"",
		"`n` sends packets for `10.0.0.1` out of `x` with the mark `0x100000000`":       "expected a mark from 1",
		"`n` sends packets for `10.0.0.1` out of `x` with the mark `0x0`":               "leave it out",
		"`n` sends packets for `10.0.0.1` out of `x` on TCP port `80` on UDP port `80`": "leave one port out",
		"`n` sends packets for `10.0.0.1` out of `x` on UDP port `domain`":              "expected a UDP port from 1",
		"`n` sends packets for `10.0.0.1` out of `x` that arrive on `a b`": "expected the name of an " +
			"interface",
		"`n` has no route to `10.0.0.1` from `fd00::1`": "two address families",
		"`n` reaches `testns`": "expected an IP address without a prefix " +
			"length, such as",
		"`n` reaches `10.0.0.1` from `fd00::1`":                  "two address families",
		"`n` reaches `10.0.0.1` with `0` bytes unfragmented":     "expected a payload in bytes from 1 to 65507",
		"`n` connects to `10.0.0.1` on TCP port `http`":          "expected a TCP port from 1 to 65535",
		"`n` connects to `10.0.0.1` on TCP port `65536`":         "expected a TCP port",
		"`n` hears no answer from `10.0.0.1/8` on UDP port `53`": "expected an IP address without a prefix length",
		"`n` hears no answer from `10.0.0.1` on UDP port `dns`":  "expected a UDP port from 1 to 65535",
		"the sysctl `ip_forward` in `n` is `1`":                  "expected a sysctl such as net.ipv4.ip_forward",
		"the attribute `txqlen` of `x` in `n` is `1`":            "unknown attribute \"txqlen\"",
		"the attribute `operstat` of `x` in `n` is `up`":         "did you mean operstate?",
		"the attribute `txqueuelen` of `x` in `n` is `long`":     "expected a number for txqueuelen",
		"the attribute `arp` of `x` in `n` is `yes`":             "unknown value of arp \"yes\"",
		"`fd00::1/64` on `x` in `n` is `tentativ`": "unknown address state \"tentativ\", did you mean " +
			"tentative?",
		"the counter `rx_packets` in `n` grew by `3`":          "expected a counter as nstat names it",
		"the counter `IpInReceives` of `x` in `n` grew by `3`": "expected an interface's counter",
		"the counter `IpInReceives` in `n` grew by `0`":        "0 is written: did not grow",
		"the counter `IpInReceives` in `n` grew by `-1`":       "expected a number from 1",
		"`n` saw the event `link add`":                         "expected an event such as link add X",
		"`n` saw the event `lnk add x`":                        "unknown event object \"lnk\", did you mean link?",
		"`n` saw the event `link new x`":                       "unknown event \"new\"",
		"nothing is wrong from `n` to `10.0.0.1` with `9` bytes unfragmented on TCP port `80`": "leave " +
			"one out",
		"nothing is wrong from `n` to `10.0.0.1` from `fd00::1`": "two address families",
		"nothing is wrong from `n` to `10.0.0.1` on TCP port `http`": "check: expected a " +
			"TCP port",
		"the cause from `n` to `10.0.0.1` is `Link down` in `n`": "expected a cause such as link-down",
		"the cause from `n` to `10.0.0.1` is `no-rout` in `n`":   `unknown cause "no-rout", did you mean no-route?`,
		"namespace `n` exists within `5s`":                       "a limit (within) belongs to a check",
	} {
		_, err := Parse(sentence)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s", sentence, err, want)
		}
	}
}

// TestQualifiers: a qualifier may stand in another place, once. The claim says it in the place that the form has.
func TestQualifiers(t *testing.T) {
	const said = "`N` reaches `10.0.9.1` from `10.30.2.2` with `1472` bytes unfragmented"
	const sends = "`N` sends packets from `10.0.0.2` for `10.0.9.1` out of `X` with the mark `5` that arrive on `Y`"
	for sentence, want := range map[string]string{
		"`N` reaches `10.0.9.1` with `1472` bytes unfragmented from `10.30.2.2`":                             said,
		"`N` sends packets from `10.0.0.2` for `10.0.9.1` out of `X` that arrive on `Y` with the mark `0x5`": sends,
		"`N` sends packets with the mark `5` that arrive on `Y` for `10.0.9.1` out of `X` from `10.0.0.2`":   sends,
		"`N` sends packets for `10.0.9.1` from `10.0.0.2` with the mark `5` that arrive on `Y` out of `X`":   sends,
	} {
		if c, err := Parse(sentence); err != nil || c.Sentence() != want {
			t.Errorf("%s: read as %v, %v; want %s", sentence, c, err, want)
		}
	}
	for _, f := range forms() {
		if !f.Fits(said) {
			continue
		}
		want := []string{"`N` reaches `192.168.2.103` from `10.30.2.2`",
			"`N` reaches `192.168.2.103` with `1472` bytes unfragmented"}
		if diff := cmp.Diff(want, f.Uses(said)); diff != "" {
			t.Errorf("it uses: -want +got\n%s", diff)
		}
		if diff := cmp.Diff(append([]string{"`N` reaches `192.168.2.103`"}, want...), f.Examples()); diff != "" {
			t.Errorf("the examples of “%s”: -want +got\n%s", f.Sentence, diff)
		}
		return
	}
	t.Errorf("no form fits %q", said)
}

func FuzzParse(f *testing.F) {
	for _, form := range forms() {
		for _, example := range form.Examples() {
			f.Add(example)
		}
	}
	for _, s := range []string{"", "`", "``", "``` a`` ```", "namespace `N` exists within `5s`",
		"`N` reaches `fe80::1%X`.", "`a`,`b`,(`c`)", "within `1s`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		claim, err := Parse(text)
		if err != nil {
			unknown := strings.HasPrefix(err.Error(), "unknown check “")
			if !unknown && !strings.HasPrefix(err.Error(), "check: ") && !strings.Contains(err.Error(), "within") &&
				!strings.Contains(err.Error(), "at once") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		again, err := Parse(claim.Sentence())
		if err != nil {
			t.Fatalf("%q is said as %q: %v", text, claim.Sentence(), err)
		}
		if diff := cmp.Diff(claim, again, compareAddresses); diff != "" {
			t.Errorf("%q is said as %q: %s", text, claim.Sentence(), diff)
		}
	})
}
