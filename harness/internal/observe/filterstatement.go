package observe

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// statement reads a statement other than a plain verdict.
func (u *understanding) statement(name string, e expr.Any, known bool, data []byte) {
	switch {
	case name == "log":
		u.log(data)
		return
	case name == "match":
		u.xtMatch(xtPart(data))
		return
	case name == "target":
		u.xtTarget(xtPart(data))
		return
	case !known:
		clear(u.registers) // it may have written any of them
		u.unknown(name)
		return
	}
	switch e := e.(type) {
	case *expr.Limit:
		u.limit(e)
	case *expr.Reject:
		u.reject(e)
	case *expr.Masq:
		u.rule.Verdict = "masquerade"
		u.say("masquerade" + u.portsText(e.RegProtoMin) + natFlags(e.Random, e.FullyRandom, e.Persistent))
	case *expr.Redir:
		u.rule.Verdict = "redirect"
		if to, ok := u.target(0, e.RegisterProtoMin, 0); ok && e.RegisterProtoMin != 0 {
			u.say("redirect to :" + to)
			return
		}
		u.say("redirect" + u.portsText(e.RegisterProtoMin))
	case *expr.NAT:
		u.nat(e)
	case *expr.Objref:
		const counter = 1 // NFT_OBJECT_COUNTER
		if e.Type != counter {
			u.unknown(name)
			return
		}
		u.say(fmt.Sprintf("counter name %q", e.Name))
	default:
		u.unknown(name)
	}
}

// limit matches some packets and others not, which makes the rule opaque.
func (u *understanding) limit(e *expr.Limit) {
	u.rule.Opaque = true
	if e.Type != expr.LimitTypePkts {
		u.say("[limit]")
		return
	}
	over, burst := "", ""
	if e.Over {
		over = "over "
	}
	const usual = 5
	if e.Burst != usual && e.Burst != 0 {
		burst = fmt.Sprintf(" burst %d packets", e.Burst)
	}
	unit := map[expr.LimitTime]string{1: "second", 60: "minute", 3600: "hour", 86400: "day", 604800: "week"}[e.Unit]
	u.say(fmt.Sprintf("limit rate %s%d/%s%s", over, e.Rate, unit, burst))
}

func (u *understanding) log(data []byte) {
	const group, prefix, level, warning = 1, 2, 5, 4 // NFTA_LOG_GROUP, _PREFIX, _LEVEL
	words := []string{"log"}
	attributes(data, func(kind uint16, data []byte) {
		switch {
		case kind == prefix:
			words = append(words, fmt.Sprintf("prefix %q", text(data)))
		case kind == group:
			words = append(words, fmt.Sprint("group ", port(data)))
		case kind == level && big(data) != warning:
			levels := []string{"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"}
			if n := big(data); int(n) < len(levels) {
				words = append(words, "level "+levels[n])
			}
		}
	})
	u.say(strings.Join(words, " "))
}

var (
	rejectCodes4 = map[uint8]string{0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable",
		3: "port-unreachable",
		9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited"}
	rejectCodes6 = map[uint8]string{0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable",
		5: "policy-fail", 6: "reject-route"}
	rejectCodesX = map[uint8]string{0: "no-route", 1: "port-unreachable", 2: "host-unreachable", 3: "admin-prohibited"}
)

func (u *understanding) reject(e *expr.Reject) {
	u.rule.Verdict = "reject"
	switch {
	case e.Type == unix.NFT_REJECT_TCP_RST:
		u.say("reject with tcp reset")
	case e.Type == unix.NFT_REJECT_ICMPX_UNREACH && e.Code == 1,
		e.Type == unix.NFT_REJECT_ICMP_UNREACH && u.raw.in.family == unix.NFPROTO_IPV4 && e.Code == 3,
		e.Type == unix.NFT_REJECT_ICMP_UNREACH && u.raw.in.family == unix.NFPROTO_IPV6 && e.Code == 4:
		u.say("reject")
	case e.Type == unix.NFT_REJECT_ICMPX_UNREACH:
		u.say("reject with icmpx " + rejectCodesX[e.Code])
	case u.network == "ip6":
		u.implied("icmpv6")
		u.say("reject with icmpv6 " + rejectCodes6[e.Code])
	default:
		u.implied("icmp")
		u.say("reject with icmp " + rejectCodes4[e.Code])
	}
}

// nat reads snat and dnat to one address, one port, or both. Ranges make the rule opaque.
func (u *understanding) nat(e *expr.NAT) {
	u.rule.Verdict = map[expr.NATType]string{expr.NATTypeSourceNAT: "snat", expr.NATTypeDestNAT: "dnat"}[e.Type]
	to := u.registers[slot(e.RegAddrMin)].data
	if e.RegAddrMin != 0 && u.mapped == nil {
		u.rule.Addr, _ = netip.AddrFromSlice(to)
	}
	family := ""
	if u.raw.in.family == unix.NFPROTO_INET && e.RegAddrMin != 0 {
		family = " " + map[uint32]string{unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6"}[e.Family]
	}
	several := e.RegAddrMax != 0 && e.RegAddrMax != e.RegAddrMin || e.RegProtoMax != 0 &&
		e.RegProtoMax != e.RegProtoMin || e.Prefix
	size := map[uint32]int{unix.NFPROTO_IPV4: 4, unix.NFPROTO_IPV6: 16}[e.Family]
	if to, ok := u.target(e.RegAddrMin, e.RegProtoMin, size); ok && !several && size > 0 {
		u.say(u.rule.Verdict + family + " to " + to + natFlags(e.Random, e.FullyRandom, e.Persistent))
		return
	}
	if several || e.RegAddrMin != 0 && !u.rule.Addr.IsValid() {
		u.rule.Addr = netip.Addr{}
		u.unknown("nat")
		return
	}
	port := strings.TrimPrefix(u.portsText(e.RegProtoMin), " to ")
	u.say(u.rule.Verdict + family + " to " + addrPort(u.rule.Addr, port) + natFlags(e.Random, e.FullyRandom,
		e.Persistent))
}

func addrPort(addr netip.Addr, port string) string {
	switch {
	case !addr.IsValid():
		return port
	case addr.Is6() && port != "":
		return "[" + addr.String() + "]" + port
	}
	return addr.String() + port
}

// portsText is the port of a translation, which it records in the rule.
func (u *understanding) portsText(number uint32) string {
	if number == 0 {
		return ""
	}
	data := u.registers[slot(number)].data
	if u.rule.Port = port(data); u.rule.Port == 0 {
		u.rule.Opaque = true
		return " to [port]"
	}
	return fmt.Sprint(" to :", u.rule.Port)
}

func natFlags(random, fully, persistent bool) string {
	var flags []string
	for _, f := range []struct {
		set  bool
		word string
	}{{random, "random"}, {fully, "fully-random"}, {persistent, "persistent"}} {
		if f.set {
			flags = append(flags, f.word)
		}
	}
	if len(flags) == 0 {
		return ""
	}
	return " " + strings.Join(flags, ",")
}
