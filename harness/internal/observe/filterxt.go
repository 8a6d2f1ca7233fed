package observe

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// iptables-nft uses matches and targets of xtables if there is no expression of nf_tables, and iptables-legacy nothing
// else: C structures in native byte order (include/uapi/linux/netfilter).

// xtPart is the name, the revision and the structure of a match or target, whose attributes have the same numbers.
func xtPart(data []byte) (name string, revision uint32, info []byte) {
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case unix.NFTA_MATCH_NAME:
			name = text(data)
		case unix.NFTA_MATCH_REV:
			revision = big(data)
		case unix.NFTA_MATCH_INFO:
			info = data
		}
	})
	return name, revision, info
}

func (u *understanding) xtMatch(name string, revision uint32, info []byte) {
	understood := false
	switch {
	case name == "comment":
		u.say(fmt.Sprintf("comment %q", text(info)))
		return
	case name == "tcp" && len(info) >= 12 && info[8] == 0:
		understood = u.xtPorts("tcp", info, info[11]&^invertedFlags) && u.xtFlags(info)
	case name == "udp" && len(info) >= 9:
		understood = u.xtPorts("udp", info, info[8])
	case name == "multiport" && revision == 1 && len(info) >= 48:
		understood = u.xtMultiport(info)
	case (name == "icmp" || name == "icmp6") && len(info) >= 4:
		understood = u.xtICMP(name, info)
	case name == "conntrack" && revision >= 1 && len(info) >= 152:
		understood = u.xtConntrack(revision, info)
	case name == "addrtype" && revision == 1 && len(info) >= 8:
		understood = u.xtAddrtype(info)
	case name == "set" && revision >= 1 && len(info) >= 4:
		understood = xtOnlyMembers(revision, info) && u.xtSet(info)
	case name == "state" && len(info) >= 4:
		understood = u.xtStates(uint64(native.Uint32(info)), false)
	default:
		understood = u.xtField(name, revision, info)
	}
	if !understood {
		u.unknown("xt match " + name)
	}
}

// xtPorts reads struct xt_tcp and xt_udp: the source ports from and to, the destination ports from and to.
func (u *understanding) xtPorts(protocol string, info []byte, inverted byte) bool {
	if inverted > 3 {
		return false
	}
	for i, which := range []string{"sport", "dport"} {
		low, high := native.Uint16(info[4*i:]), native.Uint16(info[4*i+2:])
		not := inverted&(1<<i) != 0
		if low == 0 && high == 0xffff && !not {
			continue
		}
		f := portField(protocol, which)
		u.xtSay(f, not, []string{f.span(u.ruleset, bigPort(low), bigPort(high))})
	}
	return true
}

// invertedFlags is the bit of struct xt_tcp that inverts the condition on its flags.
const invertedFlags = 4

// xtFlags reads the mask of flags and their values in struct xt_tcp.
func (u *understanding) xtFlags(info []byte) bool {
	if mask := info[9]; mask != 0 {
		u.xtSay(tcpFlags, info[11]&invertedFlags != 0,
			[]string{fmt.Sprintf("0x%02x/0x%02x", info[10], mask)})
	}
	return true
}

// xtMultiport reads struct xt_multiport_v1: flags, count, 15 ports, 15 marks of the ports that begin a range, inverted.
func (u *understanding) xtMultiport(info []byte) bool {
	which := map[byte]string{0: "sport", 1: "dport"}[info[0]]
	if which == "" || len(u.protocols) != 1 || info[1] == 0 || info[1] > 15 {
		return false
	}
	f := portField(u.protocols[0], which)
	var values []string
	for i := 0; i < int(info[1]); i++ {
		low := native.Uint16(info[2+2*i:])
		high := low
		if info[32+i] != 0 && i+1 < int(info[1]) {
			i++
			high = native.Uint16(info[2+2*i:])
		}
		values = append(values, f.span(u.ruleset, bigPort(low), bigPort(high)))
	}
	u.xtSay(f, info[47] != 0, values)
	return true
}

// xtICMP reads struct ipt_icmp and ip6t_icmp: the type (255 is any), the codes from and to, inverted.
func (u *understanding) xtICMP(name string, info []byte) bool {
	f := icmpType
	if name == "icmp6" {
		f = icmpv6Type
	}
	if info[1] != 0 || info[2] != 0xff {
		return false
	}
	if info[0] != 0xff {
		u.xtSay(f, info[3] != 0, []string{f.value(u.ruleset, info[:1])})
	}
	return true
}

// xtConntrack reads struct xt_conntrack_mtinfo1 to 3, if they match the state only.
func (u *understanding) xtConntrack(revision uint32, info []byte) bool {
	const stateFlag, alias = 1, 1 << 13
	flags, inverted, mask := native.Uint16(info[146:]), native.Uint16(info[148:]), uint64(native.Uint16(info[150:]))
	if revision == 1 {
		mask = uint64(info[150])
	}
	if flags&^alias != stateFlag {
		return false
	}
	if mask&^(2|4|8|1) != 0 {
		return u.xtStatesAndMore(mask, inverted&stateFlag != 0)
	}
	return u.xtStates(mask, inverted&stateFlag != 0)
}

// xtAddrtype reads struct xt_addrtype_info_v1: a mask of types for the source and one for the destination, 0 for any,
// and flags.
func (u *understanding) xtAddrtype(info []byte) bool {
	flags := native.Uint32(info[4:])
	if flags > 3 { // restricted to one link
		return false
	}
	for i, f := range []field{saddrType, daddrType} {
		mask, words := native.Uint16(info[2*i:]), []string{}
		if mask>>len(typeWords) != 0 {
			return false
		}
		for bit, word := range typeWords {
			if mask&(1<<bit) != 0 {
				words = append(words, word)
			}
		}
		if len(words) > 0 {
			u.xtSay(f, flags&(1<<i) != 0, words)
		}
	}
	return true
}

// xtStatesAndMore reads a mask of states of the match conntrack, in which the translations and untracked have bits of
// their own.
func (u *understanding) xtStatesAndMore(mask uint64, not bool) bool {
	words := maskWords([]bitWord{{1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "snat"},
		{128, "dnat"}, {256, "untracked"}}, mask)
	if words == nil {
		return false
	}
	u.xtSay(field{key: "ct state or status"}, not, words)
	return true
}

// xtSet reads struct xt_set_info_match_v1 and later ones, as far as they are alike: struct xt_set_info, the number of
// the set, how many parts its elements have, and flags: not in the set, and for each part whether it is that of the
// source.
func (u *understanding) xtSet(info []byte) bool {
	const not = 1
	index, parts, flags := int(native.Uint16(info)), int(info[2]), info[3]
	i := slices.IndexFunc(u.ipsets, func(s state.IPSet) bool { return s.Index != nil && *s.Index == index })
	if i < 0 {
		return false
	}
	var of []string
	for part := 1; part <= parts; part++ {
		of = append(of, map[bool]string{true: "src", false: "dst"}[flags&(1<<part) != 0])
	}
	f := field{key: "ipset " + strings.Join(of, ",")}
	u.xtSay(f, flags&not != 0, []string{"@" + u.ipsets[i].Name})
	return true
}

// xtOnlyMembers reports whether struct xt_set_info_match_v1 to v4 asks for nothing but members of a set: neither for
// the counters of an element, nor for those that are excepted.
func xtOnlyMembers(revision uint32, info []byte) bool {
	const packets, bytes, flags, counters, excepted = 16, 32, 40, 1 << 5, 1 << 7
	return revision < 3 || revision == 4 && len(info) >= 44 && info[packets] == 0 && info[bytes] == 0 &&
		native.Uint32(info[flags:])&(counters|excepted) == 0
}

// xtStates reads a mask of states. Its bits are those of nf_tables except for untracked.
func (u *understanding) xtStates(mask uint64, not bool) bool {
	words := maskWords(stateBits, mask)
	if mask&64 != 0 || words == nil {
		return false
	}
	operator := ""
	if not {
		operator = "! "
	}
	u.match(ctState, operator, state.FilterMatch{Not: not, Values: words}, strings.Join(words, ","))
	return true
}

func (u *understanding) xtSay(f field, not bool, values []string) {
	operator, text := "", values[0]
	if not {
		operator = "!= "
	}
	if len(values) > 1 {
		text = "{ " + strings.Join(values, ", ") + " }"
	}
	u.match(f, operator, state.FilterMatch{Not: not, Values: values}, text)
}

func (u *understanding) xtTarget(name string, revision uint32, info []byte) {
	switch name {
	case "LOG", "NFLOG":
		u.say("log")
	case "TCPMSS", "CHECKSUM", "CLASSIFY", "TRACE", "AUDIT", "TEE", "IDLETIMER", "RATEEST", "SECMARK", "CONNSECMARK":
		u.say("xt target " + name) // what they change has no part in whether the packet arrives
	case "REJECT":
		u.rule.Verdict = "reject"
		u.say(u.xtReject(info))
	case "MASQUERADE":
		u.rule.Verdict = "masquerade"
		u.say("masquerade")
	case "SNAT", "DNAT", "REDIRECT":
		u.xtNAT(name, revision, info)
	default:
		if !u.xtChange(name, revision, info) {
			u.unknown("xt target " + name)
		}
	}
}

// xtReject reads struct ipt_reject_info and ip6t_reject_info, an enumeration.
func (u *understanding) xtReject(info []byte) string {
	words, usual := []string{"net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable", "",
		"net-prohibited", "host-prohibited",
		"tcp reset", "admin-prohibited"}, "port-unreachable"
	protocol := "icmp "
	if u.raw.in.family == unix.NFPROTO_IPV6 {
		words = []string{"no-route", "admin-prohibited", "", "addr-unreachable", "port-unreachable", "", "tcp reset",
			"policy-fail", "reject-route"}
		protocol = "icmpv6 "
	}
	if len(info) < 4 || int(native.Uint32(info)) >= len(words) {
		return "reject"
	}
	switch w := words[native.Uint32(info)]; w {
	case usual, "":
		return "reject"
	case "tcp reset":
		return "reject with tcp reset"
	default:
		return "reject with " + protocol + w
	}
}

// xtNAT reads struct nf_nat_ipv4_multi_range_compat (revision 0 of IPv4), nf_nat_range and nf_nat_range2: flags, the
// addresses from and to, the ports from and to.
func (u *understanding) xtNAT(name string, revision uint32, info []byte) {
	const hasAddress, hasPort = 1, 2
	size := 16
	if revision == 0 && u.raw.in.family == unix.NFPROTO_IPV4 {
		size = 4
		info = info[min(4, len(info)):] // the number of ranges, which is 1
	}
	u.rule.Verdict = strings.ToLower(name)
	if len(info) < 4+2*size+4 {
		u.unknown("xt target " + name)
		return
	}
	flags, low, high, ports := native.Uint32(info), info[4:4+size], info[4+size:4+2*size], info[4+2*size:]
	if u.raw.in.family == unix.NFPROTO_IPV4 {
		low, high = low[:4], high[:4]
	}
	if flags&hasAddress != 0 && string(low) != string(high) || flags&hasPort != 0 &&
		string(ports[:2]) != string(ports[2:4]) {
		u.unknown("xt target " + name)
		return
	}
	to := ""
	if flags&hasPort != 0 {
		u.rule.Port = binary.BigEndian.Uint16(ports)
		to = fmt.Sprint(":", u.rule.Port)
	}
	if flags&hasAddress != 0 {
		u.rule.Addr, _ = netip.AddrFromSlice(low)
	}
	if to = addrPort(u.rule.Addr, to); to != "" {
		to = " to " + to
	}
	u.say(u.rule.Verdict + to)
}
