package state

import "net/netip"

// FilterTable is a table of the packet filter (nf_tables, including iptables-nft) with all its chains. Dormant tables
// are left out.
type FilterTable struct {
	Family string        `json:"family"` // ip, ip6, inet, arp, bridge, netdev
	Name   string        `json:"name"`
	Chains []FilterChain `json:"chains"`
}

// FilterChain is a chain; Hook is "" for one that is only jumped to.
type FilterChain struct {
	Name string `json:"name"`
	// Type is filter, nat or route; Hook prerouting, input, forward, output, postrouting, ingress or egress.
	Type     string       `json:"type,omitempty"`
	Hook     string       `json:"hook,omitempty"`
	Priority int          `json:"priority,omitempty"`
	Policy   string       `json:"policy,omitempty"` // accept or drop
	Devices  []string     `json:"devices,omitempty"`
	Rules    []FilterRule `json:"rules,omitempty"`
}

// FilterRule is a rule: its conditions and its verdict. A rule that distinguishes several kinds of packets (by a
// verdict map, by pairs of values, by ports of several protocols) becomes several FilterRules in a row, with the same
// handle and text.
type FilterRule struct {
	Handle uint64 `json:"handle,omitempty"`
	// Text is the rule as nft(8) prints it, as far as it is understood.
	Text    string        `json:"text"`
	Matches []FilterMatch `json:"matches,omitempty"`
	// Verdict is accept, drop, reject, return, jump, goto, masquerade, snat, dnat, redirect, or "" if packets go on to
	// the next rule.
	Verdict string `json:"verdict,omitempty"`
	// Target is the chain of a jump or goto.
	Target string `json:"target,omitempty"`
	// Addr and Port are the new values that snat and dnat set; zero if they leave the old one.
	Addr netip.Addr `json:"addr"`
	Port uint16     `json:"port,omitempty"`
	// Changes are what the rule changes of the packets that it matches, in their order.
	Changes []FilterChange `json:"changes,omitempty"`
	// Opaque is set if it is unknown which packets the rule matches or where it sends them: an expression is not
	// understood, or depends on more than the packet, as a limit does.
	Opaque bool `json:"opaque,omitempty"`
}

// FilterMatch is one condition of a rule.
type FilterMatch struct {
	// Key is the compared field, in the words of nft(8): iifname, oifname, ip saddr, ip daddr, ip6 saddr, ip6 daddr,
	// l4proto, tcp dport, tcp sport, udp dport, udp sport, icmp type, icmpv6 type, ct state, ct status, mark, nfproto,
	// ether saddr, ether daddr, ether type, arp operation, tcp flags, ip ttl, ip6 hoplimit, ip tos (with the bits of
	// dscp and ecn), ip frag-off, icmp code, icmpv6 code, length, pkttype, iifgroup, oifgroup, iiftype, oiftype,
	// iifkind, oifkind, skuid, skgid, ct mark, ct direction, ct zone, ct state or status (with snat and dnat among the
	// states), physdev in, physdev out, physdev is-bridged, physdev is-in, physdev is-out; `fib saddr . iif oif`, whose
	// value is the name of a link or missing; `numgen random mod 2`, `jhash mod 2` or `symhash mod 2`, of which nothing
	// tells the value, for packets that a rule distributes; or `ipset src,dst`, whose value is an IPSet with an @
	// before its name, and src or dst is where each part of its elements is compared.
	Key string `json:"key"`
	Not bool   `json:"not,omitempty"`
	// Values are names, addresses, prefixes (A/L), ranges (A-B), numbers, or numbers with the mask under which they are
	// compared (0x1/0xff). One of them has to match; an empty list
	// matches nothing.
	Values []string `json:"values"`
}

// FilterChange is a change that a rule makes to a packet or its connection.
type FilterChange struct {
	// Key is mark, ct mark or ct zone, notrack for an exemption from connection tracking, or a field of a header.
	Key string `json:"key"`
	// Value is the new value; "" if it is not known. Of a mark, it is set by exclusive or on the bits of the old one
	// that Keep has.
	Value string `json:"value,omitempty"`
	Keep  uint32 `json:"keep,omitempty"`
}
