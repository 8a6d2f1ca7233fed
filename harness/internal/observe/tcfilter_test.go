package observe

import (
	"encoding/binary"
	"testing"

	"github.com/vishvananda/netlink/nl"

	"netnscheck/harness/state"
)

// TestTCFilters reads what tc makes of each filter. What this kernel has no module for is left out here, and read from
// messages below.
func TestTCFilters(t *testing.T) {
	needs(t, "tc")
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add eth0 type veth peer name eth1
		a: tc qdisc add dev eth0 clsact
		a: tc qdisc add dev eth1 ingress
	`)
	const on = "filter dev eth0 ingress protocol "
	read := 0
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"dev", "eth0", "ingress", "protocol", "ip", "pref", "10", "u32", "match", "ip", "src", "10.1.0.0/16",
			"match", "ip", "dport", "80", "0xffff", "match", "ip", "protocol", "6", "0xff",
			"action", "mirred", "egress", "redirect", "dev", "eth1"},
			on + "ip pref 10 u32 chain 0 handle 800::800 l4proto tcp ip saddr 10.1.0.0/16 th dport 80 action mirred " +
				"egress redirect dev eth1 stolen"},
		{[]string{"dev", "eth0", "egress", "protocol", "ipv6", "pref", "11", "u32", "match", "ip6", "dst", "fd00:1::/64",
			"action", "mirred", "ingress", "mirror", "dev", "eth1"},
			"filter dev eth0 egress protocol ip6 pref 11 u32 chain 0 handle 800::800 ip6 daddr fd00:1::/64 action mirred " +
				"ingress mirror dev eth1 pipe"},
		{[]string{"dev", "eth1", "ingress", "protocol", "all", "pref", "12", "u32", "match", "u32", "0", "0", "flowid",
			"1:1"}, "filter dev eth1 ingress protocol all pref 12 u32 chain 0 handle 800::800"},
		{[]string{"dev", "eth0", "ingress", "protocol", "ip", "pref", "13", "u32", "match", "ip", "tos", "0x10", "0xff",
			"flowid", "1:1"}, on + "ip pref 13 u32 chain 0 handle 800::800 ip tos 16"},
		{[]string{"dev", "eth0", "ingress", "protocol", "all", "pref", "14", "bpf", "bytecode", "1,6 0 0 4294967295,",
			"flowid", "1:1"}, on + "all pref 14 bpf chain 0 handle 0x1 [not understood: bpf]"},
		{[]string{"dev", "eth0", "ingress", "protocol", "all", "pref", "15", "matchall", "action", "drop"},
			on + "all pref 15 matchall chain 0 handle 0x1 action gact drop"},
		{[]string{"dev", "eth0", "ingress", "protocol", "ip", "pref", "16", "chain", "3", "flower", "ip_proto", "tcp",
			"dst_ip", "10.0.0.0/8", "src_ip", "10.9.9.9", "dst_port", "443", "action", "goto", "chain", "7"},
			on + "ip pref 16 flower chain 3 handle 0x1 ether type ip l4proto tcp ip saddr 10.9.9.9 ip daddr 10.0.0.0/8 " +
				"tcp dport 443 action gact goto chain 7"},
		{[]string{"dev", "eth0", "ingress", "protocol", "ip", "pref", "17", "flower", "ip_flags", "frag", "action",
			"pass"}, on + "ip pref 17 flower chain 0 handle 0x1 ether type ip [not understood: flower key] " +
			"action gact pass"},
		{[]string{"dev", "eth0", "ingress", "protocol", "ip", "pref", "18", "matchall", "action", "pedit", "ex", "munge",
			"ip", "dst", "set", "192.0.2.9", "munge", "tcp", "dport", "set", "8080", "pipe", "action", "csum", "ip"},
			on + "ip pref 18 matchall chain 0 handle 0x1 action pedit ip daddr set 192.0.2.9 tcp dport set 8080 pipe " +
				"action csum [not understood: action csum]"},
		{[]string{"dev", "eth0", "ingress", "protocol", "ip", "pref", "19", "fw"},
			on + "ip pref 19 fw chain 0 [not understood: fw]"},
	} {
		if out, err := try(w, "a", append([]string{"tc", "filter", "add"}, c.argv...)...); err != nil {
			t.Logf("tc filter add %v: %s", c.argv, out)
			continue
		}
		read++
		var got []string
		for _, f := range observed(t, w).Namespace("a").TCFilters {
			got = append(got, state.TCFilterText(f))
		}
		equal(t, got, []string{c.want})
		run(t, w, "a", "tc filter del dev "+c.argv[1]+" "+c.argv[2])
		if c.argv[2] == "ingress" {
			run(t, w, "a", "tc filter del dev "+c.argv[1]+" "+c.argv[2]+" chain 3")
		}
	}
	if read == 0 {
		t.Skip("this kernel takes no filters of tc")
	}
	before := run(t, w, "a", "tc -s qdisc")
	observed(t, w)
	equal(t, run(t, w, "a", "tc -s qdisc"), before)
}

// tcMessage is the kernel's message for a filter of a kind.
func tcMessage(kind string, options []byte) []byte {
	body := make([]byte, sizeofTC)
	native.PutUint32(body[4:], sharedBlock)
	native.PutUint32(body[8:], 1)
	native.PutUint32(body[12:], 5)
	native.PutUint32(body[16:], 7<<16|uint32(nativeOrder(0x0800)))
	body = attribute(body, tcaKind, []byte(kind+"\x00"))
	body = attribute(body, nl.TCA_CHAIN, u32(2))
	return attribute(body, tcaOptions, options)
}

// tcAction is the kernel's list of one action.
func tcAction(kind string, options []byte) []byte {
	action := attribute(nil, nl.TCA_ACT_KIND, []byte(kind+"\x00"))
	return attribute(nil, 1, attribute(action, nl.TCA_ACT_OPTIONS, options))
}

// generic is the beginning of the parameters of all actions.
func generic(verdict uint32) []byte {
	parms := make([]byte, 20)
	native.PutUint32(parms[8:], verdict)
	return parms
}

// TestTCMessages reads kinds of filters and actions that not every kernel has.
func TestTCMessages(t *testing.T) {
	b16 := func(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	edit := func(mask, value []byte, at uint32) []byte {
		return join(mask, value, u32(at), u32(0), u32(0), u32(0))
	}
	gactWith := func(verdict uint32) []byte {
		return tcAction("gact", attribute(nil, nl.TCA_GACT_PARMS, generic(verdict)))
	}
	key := func(header, command uint16) []byte {
		return attribute(nil, 6, attribute(attribute(nil, 1, u16(header)), 2, u16(command)))
	}
	edits := func(count byte, keys, extended []byte) []byte {
		return attribute(nil, nl.TCA_MATCHALL_ACT, tcAction("pedit",
			join(attribute(nil, 4, join(generic(3), []byte{count, 0, 0, 0}, keys)), attribute(nil, 5, extended))))
	}
	const on = "filter ingress block 5 protocol ip pref 7 "
	for _, c := range []struct {
		name, kind string
		options    []byte
		want       string
	}{
		{"flower", "flower", join(attribute(nil, nl.TCA_FLOWER_KEY_IP_PROTO, []byte{17}),
			attribute(nil, nl.TCA_FLOWER_KEY_IPV4_DST, []byte{10, 1, 0, 0}),
			attribute(nil, nl.TCA_FLOWER_KEY_IPV4_DST_MASK, []byte{255, 255, 0, 0}),
			attribute(nil, nl.TCA_FLOWER_KEY_UDP_DST, b16(53)), attribute(nil, nl.TCA_FLOWER_ACT, gactWith(2))),
			"flower chain 2 handle 0x1 l4proto udp ip daddr 10.1.0.0/16 udp dport 53 action gact drop"},
		{"part of a port", "flower", join(attribute(nil, nl.TCA_FLOWER_KEY_TCP_SRC, b16(53)),
			attribute(nil, nl.TCA_FLOWER_KEY_TCP_SRC_MASK, b16(0xff))),
			"flower chain 2 handle 0x1 [not understood: tcp sport]"},
		{"another key", "flower", attribute(nil, nl.TCA_FLOWER_KEY_IP_TTL, []byte{1}),
			"flower chain 2 handle 0x1 [not understood: flower key]"},
		{"chains", "matchall", attribute(nil, nl.TCA_MATCHALL_ACT, gactWith(2<<28|9)),
			"matchall chain 2 handle 0x1 action gact goto chain 9"},
		{"addresses and ports", "matchall", edits(2,
			join(edit([]byte{0, 0, 0, 0}, []byte{192, 0, 2, 9}, 16),
				edit([]byte{255, 255, 0, 0}, []byte{0, 0, 0x1f, 0x90}, 0)),
			join(key(editIP4, 0), key(editTCP, 0))),
			"matchall chain 2 handle 0x1 action pedit ip daddr set 192.0.2.9 tcp dport set 8080 pipe"},
		{"an addition", "matchall", edits(1, edit([]byte{0, 0, 0, 0}, []byte{0, 0, 0, 1}, 16), key(editIP4, 1)),
			"matchall chain 2 handle 0x1 action pedit ip daddr set 0.0.0.1 pipe [not understood: pedit]"},
		{"a part of an address", "matchall", edits(1, edit([]byte{255, 0, 0, 0}, []byte{0, 0, 0, 1}, 16), key(editIP4, 0)),
			"matchall chain 2 handle 0x1 action pedit pipe [not understood: pedit]"},
		{"a program", "bpf", join(attribute(nil, nl.TCA_BPF_NAME, []byte("x.o:[from-netdev]\x00")),
			attribute(nil, nl.TCA_BPF_ID, u32(31))),
			"bpf chain 2 handle 0x1 x.o:[from-netdev] id 31 [not understood: bpf]"},
		{"another kind", "route", u32(0), "route chain 2 handle 0x1 [not understood: route]"},
		{"another action", "matchall", attribute(nil, nl.TCA_MATCHALL_ACT, tcAction("ct", nil)),
			"matchall chain 2 handle 0x1 action ct [not understood: action ct]"},
		{"a mirror that is cut off", "matchall", attribute(nil, nl.TCA_MATCHALL_ACT,
			tcAction("mirred", attribute(nil, nl.TCA_MIRRED_PARMS, generic(4)))),
			"matchall chain 2 handle 0x1 action mirred [not understood: action mirred]"},
	} {
		f, ok := (&reading{}).parseTCFilter(tcMessage(c.kind, c.options))
		f.Hook = "ingress"
		if got := state.TCFilterText(f); !ok || got != on+c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, on+c.want)
		}
	}
	table := attribute(nil, nl.TCA_U32_DIVISOR, u32(1))
	for _, body := range [][]byte{nil, tcMessage("flower", nil), tcMessage("u32", table)} {
		if f, ok := (&reading{}).parseTCFilter(body); ok {
			t.Errorf("%x is read as %+v", body, f)
		}
	}
}

// TestXDP reads the programs of links; only root of the machine may load one.
func TestXDP(t *testing.T) {
	read := func(parts []byte) []state.BPFProgram {
		l, _ := parseLink(attribute(linkMessage("veth", nil), 43, parts))
		return l.XDP
	}
	attached := func(mode byte) []byte { return attribute(nil, nl.IFLA_XDP_ATTACHED, []byte{mode}) }
	equal(t, read(attached(0)), []state.BPFProgram(nil))
	equal(t, read(attribute(attribute(attached(2), nl.IFLA_XDP_PROG_ID, u32(0xfffffff0)), 6, u32(0xfffffff0))),
		[]state.BPFProgram{{Mode: "generic", ID: 0xfffffff0}})
	equal(t, read(attribute(attribute(attached(4), 5, u32(0xfffffff0)), 6, u32(0xfffffff1))),
		[]state.BPFProgram{{Mode: "driver", ID: 0xfffffff0}, {Mode: "generic", ID: 0xfffffff1}})
	equal(t, read(attached(1)), []state.BPFProgram{{Mode: "driver"}})
}
