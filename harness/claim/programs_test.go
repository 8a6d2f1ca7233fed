package claim

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// TestOnlyLooks: what a check runs must not change anything, as far as its words tell.
func TestOnlyLooks(t *testing.T) {
	for _, command := range []string{
		"ss -ltn", "cat /etc/hosts", "ip -br link", "ip link show dev lo", "ip -4 route", "ip route get 10.0.0.1",
		"ip netns list", "ip netns pids a", "ip netns exec a ss -ltn", "ip -n a addr", "ip neigh", "ip nexthop show",
		"ip xfrm state", "ip monitor", "bridge fdb", "bridge -d link show", "bridge -n a vlan s",
		"tc -s qdisc show dev lo",
		"nft list ruleset", "nft -a list chain inet filter input", "nft 'list tables; list sets'", "nft",
		"nft get element inet t s '{ 22 }'", "sysctl -n net.ipv4.ip_forward", "ping -c1 10.0.0.1", "timeout 1 cat",
		"ip link show nosuch extra",
	} {
		if err := checkCommand(command); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	for command, want := range map[string]string{
		"ip link add x type dummy":                   `"ip link add x type dummy" changes something, and a check only looks`,
		"ip -n a addr flush dev x":                   "changes something",
		"ip netns add b":                             "changes something",
		"ip netns exec a ip route add default dev x": "changes something",
		"ip nexthop add id 1 dev x":                  "changes something",
		"ip xfrm policy flush":                       "changes something",
		"bridge fdb add 02:00:00:00:00:01 dev x":     "changes something (add)",
		"bridge -n a vlan del vid 2 dev x":           "changes something (del)",
		"tc qdisc replace dev x root pfifo":          "changes something (replace)",
		"nft add table t":                            "changes something (add)",
		"nft 'list tables; flush ruleset'":           "changes something (flush)",
		"nft 'table ip t { }'":                       "changes something (table)",
		"nft -f rules":                               "changes something (-f)",
		"ip netns exec a nft reset counters":         "changes something (reset)",
		"sysctl -w net.ipv4.ip_forward=1":            "changes something",
		"sudo ss":                                    "leave out sudo",
		"ip netns exec a sudo ss":                    "leave out sudo",
		"ss | grep 80":                               `"|" is no operator here`,
		"ss 'x":                                      "a single quote is not closed",
		" ":                                          "expected a command, found none",
	} {
		if err := checkCommand(command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want … %s", command, err, want)
		}
	}
}

// TestProgramArguments: what the checks of names and commands refuse.
func TestProgramArguments(t *testing.T) {
	for sentence, want := range map[string]string{
		"`n` resolves `10.0.0.1` to `10.0.0.1`":        "found an address, which resolves to itself",
		"`n` resolves `-x` to `10.0.0.1`":              "expected the name of a machine, found \"-x\"",
		"`n` resolves `web lab` to `10.0.0.1`":         "expected the name of a machine",
		"`n` resolves `web.lab` to `10.0.0.1/24`":      "expected an IP address without a prefix length",
		"`n` does not resolve `web.lab` to `10.0.0.1`": "the nearest form is “`N` does not resolve `web.lab`”",
		"the command `ss` in `n` prints ` `":           "for no output write: prints nothing",
		"the command `ss` in `n` prints `(nothing)`":   "for no output write: prints nothing",
		"the command `ss` in `n` print `x`": "the nearest form is “the command `ss -ltn` in `N` prints " +
			"`...:80 ...`”",
		"the command `ss` in `n` prints (nothing)": "the nearest form is “the command `ss -ltn` in `N` prints nothing”",
	} {
		if _, err := Parse(sentence); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s", sentence, err, want)
		}
	}
}

// TestProgramsUnsettled: rules and sockets do not wait for duplicate address detection, nor does a name for that of a
// link-local address.
func TestProgramsUnsettled(t *testing.T) {
	global, local := netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fe80::1")
	for _, c := range []struct {
		sentence string
		pending  state.Pending
		want     bool
	}{
		{"the command `ip netns exec n /usr/sbin/nft list ruleset` in `n` prints nothing",
			state.Pending{Kind: state.PendingDAD, Addr: global}, false},
		{"the command `ss -ltn` in `n` prints nothing", state.Pending{Kind: state.PendingDAD, Addr: global}, false},
		{"the command `ip addr` in `n` prints nothing", state.Pending{Kind: state.PendingDAD, Addr: local}, true},
		{"the chain `ip t c` in `n` does not have the rule `accept`", state.Pending{Kind: state.PendingPort}, false},
		{"the nft set `ip t s` in `n` does not contain `22`", state.Pending{Kind: state.PendingPort}, false},
		{"`n` does not resolve `web.lab`", state.Pending{Kind: state.PendingPort}, true},
		{"`n` does not resolve `web.lab`", state.Pending{Kind: state.PendingDAD, Addr: global}, true},
		{"`n` does not resolve `web.lab`", state.Pending{Kind: state.PendingDAD, Addr: local}, false},
		{"`n` does not resolve `web.lab`", state.Pending{Kind: state.PendingNeighbour}, false},
	} {
		claim, err := Parse(c.sentence)
		if err != nil {
			t.Fatal(err)
		}
		if got := concerns(claim, &state.State{}, c.pending); got != c.want {
			t.Errorf("%s waits for %+v: %v, want %v", c.sentence, c.pending, got, c.want)
		}
	}
}
