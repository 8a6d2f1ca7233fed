package observe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// Fields that are numbers: of headers in network order, of the kernel's own structures in native order, in which ranges
// are compared only after a conversion (byteorder).

// inNetworkOrder reads a number of a header.
func inNetworkOrder(data []byte) (n uint64) {
	for _, b := range data {
		n = n<<8 | uint64(b)
	}
	return n
}

// counted is a field that is a number in native order.
func counted(key string, size int) field {
	words := key
	if !strings.Contains(key, " ") {
		words = "meta " + key
	}
	return field{key: key, words: words, size: size, number: number, value: func(_ *ruleset, data []byte) string {
		return strconv.FormatUint(number(data), 10)
	}}
}

// carried is a field of a header that is a number.
func carried(key string, size int) field {
	return field{key: key, size: size, number: inNetworkOrder, ordered: true, value: func(_ *ruleset, data []byte) string {
		return strconv.FormatUint(inNetworkOrder(data), 10)
	}}
}

var (
	ipVersion   = carried("ip version", 1) // with the length of the header
	ipTos       = carried("ip tos", 1)
	ipLength    = carried("ip length", 2)
	ipFragOff   = carried("ip frag-off", 2)
	ipTTL       = carried("ip ttl", 1)
	ip6HopLimit = carried("ip6 hoplimit", 1)
	icmpCode    = carried("icmp code", 1)
	icmpv6Code  = carried("icmpv6 code", 1)
	tcpFlags    = carried("tcp flags", 1)
	metaLength  = counted("length", 4)
	iifGroup    = counted("iifgroup", 4)
	oifGroup    = counted("oifgroup", 4)
	iifType     = counted("iiftype", 2)
	oifType     = counted("oiftype", 2)
	skuid       = counted("skuid", 4)
	skgid       = counted("skgid", 4)
	ctZone      = counted("ct zone", 2)
	pktType     = field{key: "pkttype", words: "meta pkttype", size: 1, value: named(pktTypeWords)}
	iifKind     = field{key: "iifkind", words: "meta iifkind", size: unix.IFNAMSIZ, value: nameValue}
	oifKind     = field{key: "oifkind", words: "meta oifkind", size: unix.IFNAMSIZ, value: nameValue}
	ctMark      = field{key: "ct mark", size: 4, value: markValue, number: number}
	ctDirection = field{key: "ct direction", size: 1,
		value: named(map[uint64]string{0: "original", 1: "reply"})}
)

var pktTypeWords = map[uint64]string{0: "host", 1: "broadcast", 2: "multicast", 3: "other"}

var ctFields = map[expr.CtKey]field{expr.CtKeySTATE: ctState, expr.CtKeySTATUS: ctStatus, expr.CtKeyMARK: ctMark,
	expr.CtKeyDIRECTION: ctDirection, expr.CtKeyZONE: ctZone}

// distribution is a number that spreads packets evenly over a modulus.
func distribution(how string, modulus, offset uint32) field {
	key := fmt.Sprintf("%s mod %d", how, modulus)
	if offset != 0 {
		key += fmt.Sprintf(" offset %d", offset)
	}
	return counted(key, 4)
}

// numgen are the kinds of numbers that numgen makes.
var numgen = map[uint32]string{unix.NFT_NG_INCREMENTAL: "inc", unix.NFT_NG_RANDOM: "random"}

// hashed is the hash of fields, or of the packet.
func (u *understanding) hashed(e *expr.Hash) {
	if e.Type == expr.HashTypeSym {
		u.load(e.DestRegister, e.Modulus > 0, "hash", distribution("symhash", e.Modulus, e.Offset))
		return
	}
	f := distribution("jhash", e.Modulus, e.Offset)
	fields := u.fieldsFrom(e.SourceRegister, int(e.Length))
	var of []string
	for _, from := range fields {
		of = append(of, from.text())
	}
	f.words = strings.Replace(f.key, "jhash", "jhash "+strings.Join(of, " . "), 1)
	u.load(e.DestRegister, e.Modulus > 0 && len(fields) > 0, "hash", f)
}

// byteorder converts a number between native and network order.
func (u *understanding) byteorder(data []byte) {
	const source, destination, size = 1, 2, 5 // NFTA_BYTEORDER_SREG, _DREG, _SIZE
	var from, to, of uint32
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case source:
			from = big(data)
		case destination:
			to = big(data)
		case size:
			of = big(data)
		}
	})
	r := u.registers[slot(from)]
	delete(u.registers, slot(to))
	if len(r.fields) != 1 || r.mask != nil || int(of) != r.fields[0].size || r.fields[0].ordered {
		u.unknown("byteorder")
		return
	}
	u.registers[slot(to)] = register{fields: []field{turned(r.fields[0])}}
}

// turned is a field of native order whose bytes are in network order.
func turned(f field) field {
	value := f.value
	f.value = func(s *ruleset, data []byte) string {
		data = slices.Clone(data)
		if native.Uint16([]byte{1, 0}) == 1 {
			slices.Reverse(data)
		}
		return value(s, data)
	}
	f.number, f.ordered = inNetworkOrder, true
	return f
}

// compareMasked reads a comparison of some bits of a number: (field & mask) ^ xor with data.
func (u *understanding) compareMasked(from register, op expr.CmpOp, data []byte) {
	f := from.fields[0]
	if f.number == nil || len(data) != len(from.mask) || op != expr.CmpOpEq && op != expr.CmpOpNeq {
		u.unknown("bitwise")
		return
	}
	mask, value := f.number(from.mask), f.number(data)^f.number(from.xor)
	if value&^mask != 0 {
		u.unknown("bitwise")
		return
	}
	hex := func(n uint64) string { return fmt.Sprintf("0x%0*x", 2*f.size, n) }
	m := state.FilterMatch{Not: op == expr.CmpOpNeq, Values: []string{hex(value) + "/" + hex(mask)}}
	operator := map[bool]string{true: "!= ", false: "== "}[m.Not]
	switch {
	case f.key == ipTos.key && mask == 0xfc:
		f.words, operator = "ip dscp", strings.TrimPrefix(operator, "== ")
		u.match(f, operator, m, fmt.Sprintf("0x%02x", value>>2))
	case f.key == ipTos.key && mask == 0x03:
		f.words, operator = "ip ecn", strings.TrimPrefix(operator, "== ")
		u.match(f, operator, m, fmt.Sprint(value))
	case f.key == tcpFlags.key && value == 0:
		u.match(f, map[bool]string{true: "", false: "! "}[m.Not], m, flagWords(mask))
	case f.key == tcpFlags.key:
		u.match(f, strings.TrimPrefix(operator, "== "), m, flagWords(value)+" / "+flagWords(mask))
	default:
		u.match(f, "& "+hex(mask)+" "+operator, m, hex(value))
	}
}

// flagWords are the flags of a TCP segment as nft prints them.
func flagWords(flags uint64) string {
	var all []string
	for i, word := range []string{"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"} {
		if flags&(1<<i) != 0 {
			all = append(all, word)
		}
	}
	return strings.Join(all, ",")
}
