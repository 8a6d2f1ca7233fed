package observe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// field is a field or property of a packet that a rule can match.
type field struct {
	key   string // of state.FilterMatch
	words string // of nft(8), if different from the key
	size  int
	value func(s *ruleset, data []byte) string // "" for an unknown value
	// number reads the field if it is one that can be masked, ordered is set if the order of its bytes is that of its
	// values.
	number  func(data []byte) uint64
	ordered bool
}

func (f field) text() string {
	if f.words != "" {
		return f.words
	}
	return f.key
}

var (
	ipSaddr    = field{key: "ip saddr", size: 4, value: addressValue}
	ipDaddr    = field{key: "ip daddr", size: 4, value: addressValue}
	ip6Saddr   = field{key: "ip6 saddr", size: 16, value: addressValue}
	ip6Daddr   = field{key: "ip6 daddr", size: 16, value: addressValue}
	ipProtocol = field{key: "l4proto", words: "ip protocol", size: 1, value: named(protocolWords)}
	ip6Nexthdr = field{key: "l4proto", words: "ip6 nexthdr", size: 1, value: named(protocolWords)}
	l4proto    = field{key: "l4proto", words: "meta l4proto", size: 1, value: named(protocolWords)}
	nfproto    = field{key: "nfproto", words: "meta nfproto", size: 1,
		value: named(map[uint64]string{unix.NFPROTO_IPV4: "ipv4", unix.NFPROTO_IPV6: "ipv6"})}
	metaProto  = field{key: "ether type", words: "meta protocol", size: 2, value: named(etherWords)}
	etherType  = field{key: "ether type", size: 2, value: named(etherWords)}
	etherSaddr = field{key: "ether saddr", size: 6, value: macValue}
	etherDaddr = field{key: "ether daddr", size: 6, value: macValue}
	arpOp      = field{key: "arp operation", size: 2, value: named(arpWords)}
	mark       = field{key: "mark", words: "meta mark", size: 4, value: markValue, number: number}
	saddrType  = field{key: "fib saddr type", size: 4, value: typeValue}
	daddrType  = field{key: "fib daddr type", size: 4, value: typeValue}
	iifname    = field{key: "iifname", size: unix.IFNAMSIZ, value: nameValue}
	oifname    = field{key: "oifname", size: unix.IFNAMSIZ, value: nameValue}
	iif        = field{key: "iifname", words: "iif", size: 4, value: indexValue}
	oif        = field{key: "oifname", words: "oif", size: 4, value: indexValue}
	ctState    = field{key: "ct state", size: 4, value: stateValue}
	ctStatus   = field{key: "ct status", size: 4, value: unknownValue} // an exact status has several bits
	icmpType   = field{key: "icmp type", size: 1, value: named(icmpWords)}
	icmpv6Type = field{key: "icmpv6 type", size: 1, value: named(icmpv6Words)}
)

// portField is a port of tcp or udp, or of th: of one of several protocols.
func portField(protocol, which string) field {
	return field{key: protocol + " " + which, size: 2, value: func(_ *ruleset, data []byte) string {
		return fmt.Sprint(port(data))
	}}
}

var metaFields = map[expr.MetaKey]field{
	expr.MetaKeyL4PROTO: l4proto, expr.MetaKeyNFPROTO: nfproto, expr.MetaKeyPROTOCOL: metaProto, expr.MetaKeyMARK: mark,
	expr.MetaKeyIIFNAME: iifname, expr.MetaKeyOIFNAME: oifname, expr.MetaKeyIIF: iif, expr.MetaKeyOIF: oif,
	expr.MetaKeyLEN: metaLength, expr.MetaKeyPKTTYPE: pktType, expr.MetaKeyIIFGROUP: iifGroup,
	expr.MetaKeyOIFGROUP: oifGroup, expr.MetaKeyIIFTYPE: iifType, expr.MetaKeyOIFTYPE: oifType,
	metaKeyIIFKind: iifKind, metaKeyOIFKind: oifKind, expr.MetaKeySKUID: skuid, expr.MetaKeySKGID: skgid,
}

// Keys of enum nft_meta_keys that the library lacks.
const (
	metaKeyIIFKind expr.MetaKey = 26
	metaKeyOIFKind expr.MetaKey = 27
)

// placed is a field with its offset in the header.
type placed struct {
	at uint32
	field
}

var (
	ethernetHeader = []placed{{0, etherDaddr}, {6, etherSaddr}, {12, etherType}}
	ipHeader       = []placed{{0, ipVersion}, {1, ipTos}, {2, ipLength}, {6, ipFragOff}, {8, ipTTL}, {9, ipProtocol},
		{12, ipSaddr}, {16, ipDaddr}}
	ip6Header = []placed{{6, ip6Nexthdr}, {7, ip6HopLimit}, {8, ip6Saddr}, {24, ip6Daddr}}
	arpHeader = []placed{{6, arpOp}}
)

// transportHeader are the fields in the header of a protocol, or of several protocols with ports. Without a condition
// on the protocol there is one in the same lookup, or none at all.
func transportHeader(protocols []string) []placed {
	ports := "th"
	for _, p := range protocols {
		switch {
		case len(protocols) == 1 && p == "icmp":
			return []placed{{0, icmpType}, {1, icmpCode}}
		case len(protocols) == 1 && p == "ipv6-icmp":
			return []placed{{0, icmpv6Type}, {1, icmpv6Code}}
		case p != "tcp" && p != "udp":
			return nil
		case len(protocols) == 1:
			ports = p
		}
	}
	header := []placed{{0, portField(ports, "sport")}, {2, portField(ports, "dport")}}
	if ports == "tcp" {
		header = append(header, placed{13, tcpFlags})
	}
	return header
}

// covered are the adjacent fields that these bytes of a header consist of. nft loads adjacent fields at once, and only
// as many bytes of an address as its prefix has.
func covered(header []placed, at, size uint32) []field {
	var found []field
	for _, p := range header {
		if size > 0 && p.at == at {
			found = append(found, p.field)
			taken := min(size, uint32(p.size))
			at, size = at+taken, size-taken
			if size == 0 && int(taken) < p.size && p.size != 4 && p.size != 16 {
				return nil // a part of a field without prefixes
			}
		}
	}
	if size > 0 {
		return nil
	}
	return found
}

func addressValue(_ *ruleset, data []byte) string {
	addr, ok := netip.AddrFromSlice(data)
	if !ok {
		return ""
	}
	return addr.String()
}

func macValue(_ *ruleset, data []byte) string { return net.HardwareAddr(data).String() }

func markValue(_ *ruleset, data []byte) string { return fmt.Sprintf("0x%08x", number(data)) }

// typeValue is the type of an address by the routes of the namespace (RTN_UNSPEC and others).
func typeValue(_ *ruleset, data []byte) string {
	if n := number(data); n < uint64(len(typeWords)) {
		return typeWords[n]
	}
	return ""
}

// nameValue is the name of an interface, or a prefix of names with a star.
func nameValue(_ *ruleset, data []byte) string {
	if bytes.IndexByte(data, 0) < 0 && len(data) < unix.IFNAMSIZ {
		return string(data) + "*"
	}
	return text(data)
}

// indexValue is the name of the interface with this index: nft prints the name, although the kernel compares indexes.
func indexValue(s *ruleset, data []byte) string { return s.links[int(number(data))] }

// bitWord is the name of a bit.
type bitWord struct {
	bit  uint64
	word string
}

var (
	// stateBits are the states of connection tracking.
	stateBits = []bitWord{{1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "untracked"}}
	// statusBits are the status flags of a connection (enum ip_conntrack_status).
	statusBits = []bitWord{{1, "expected"}, {2, "seen-reply"}, {4, "assured"}, {8, "confirmed"}, {16, "snat"},
		{32, "dnat"}}
)

// bits are the bit names of a field that is a mask, nil for any other.
func (f field) bits() []bitWord {
	switch f.key {
	case ctState.key:
		return stateBits
	case ctStatus.key:
		return statusBits
	}
	return nil
}

// stateValue is a single state: a connection has exactly one.
func stateValue(_ *ruleset, data []byte) string {
	if words := maskWords(stateBits, number(data)); len(words) == 1 {
		return words[0]
	}
	return ""
}

func unknownValue(*ruleset, []byte) string { return "" }

// maskWords are the bit names of a mask; nil if some of its bits have none.
func maskWords(bits []bitWord, mask uint64) (words []string) {
	for _, s := range bits {
		if mask&s.bit != 0 {
			words = append(words, s.word)
			mask &^= s.bit
		}
	}
	if mask != 0 {
		return nil
	}
	return words
}

// named prints a number in network order by its name, or as a number.
func named(words map[uint64]string) func(*ruleset, []byte) string {
	return func(_ *ruleset, data []byte) string {
		var n uint64
		for _, b := range data {
			n = n<<8 | uint64(b)
		}
		if word, ok := words[n]; ok {
			return word
		}
		if len(data) == 2 {
			return fmt.Sprintf("0x%04x", n)
		}
		return strconv.FormatUint(n, 10)
	}
}

// span is all values from low to high: one value, a prefix, a prefix of names, or a range.
func (f field) span(s *ruleset, low, high []byte) string {
	if bytes.Equal(low, high) {
		return f.value(s, low)
	}
	bits, block := commonPrefix(low, high)
	switch {
	case f.key == iifname.key || f.key == oifname.key:
		if name := text(low); block && bits == 8*len(name) {
			return name + "*"
		}
		return ""
	case block && (f.size == 16 || f.size == 4) && f.isAddress():
		return f.value(s, low) + "/" + fmt.Sprint(bits)
	}
	return f.between(s, low, high)
}

// between prints a range.
func (f field) between(s *ruleset, low, high []byte) string {
	if !f.ordered && (f.key == iifname.key || f.key == oifname.key || f.number != nil || f.key == saddrType.key ||
		f.key == daddrType.key || f.bits() != nil) {
		return "" // these are not in network order, so their order is not that of the bytes
	}
	return f.value(s, low) + "-" + f.value(s, high)
}

func (f field) isAddress() bool {
	return strings.HasPrefix(f.key, "ip") && strings.HasSuffix(f.key, "addr")
}

// commonPrefix is the length of the common prefix of low and high in bits; block is set if they are its first and last
// value.
func commonPrefix(low, high []byte) (bits int, block bool) {
	for bits < 8*len(low) && bit(low, bits) == bit(high, bits) {
		bits++
	}
	for i := bits; i < 8*len(low); i++ {
		if bit(low, i) || !bit(high, i) {
			return bits, false
		}
	}
	return bits, true
}

func bit(data []byte, i int) bool { return data[i/8]&(0x80>>(i%8)) != 0 }

// maskBits is the length of a prefix mask; not ok for any other mask.
func maskBits(mask []byte) (bits int, ok bool) {
	for bits < 8*len(mask) && bit(mask, bits) {
		bits++
	}
	for i := bits; i < 8*len(mask); i++ {
		if bit(mask, i) {
			return 0, false
		}
	}
	return bits, true
}

var typeWords = []string{"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable",
	"prohibit"}

var protocolWords = map[uint64]string{
	1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 50: "esp", 51: "ah", 58: "ipv6-icmp", 89: "ospf",
	112: "vrrp", 132: "sctp", 136: "udplite",
}

var etherWords = map[uint64]string{unix.ETH_P_IP: "ip", unix.ETH_P_ARP: "arp", unix.ETH_P_IPV6: "ip6",
	unix.ETH_P_8021Q: "8021q"}

var arpWords = map[uint64]string{1: "request", 2: "reply", 3: "rrequest", 4: "rreply", 8: "inrequest", 9: "inreply",
	10: "nak"}

var icmpWords = map[uint64]string{
	0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request",
	9: "router-advertisement", 10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem",
	13: "timestamp-request", 14: "timestamp-reply", 15: "info-request", 16: "info-reply", 17: "address-mask-request",
	18: "address-mask-reply",
}

var icmpv6Words = map[uint64]string{
	1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
	129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report", 132: "mld-listener-done",
	133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit", 136: "nd-neighbor-advert",
	137: "nd-redirect", 138: "router-renumbering", 141: "ind-neighbor-solicit", 142: "ind-neighbor-advert",
	143: "mld2-listener-report",
}

func bigPort(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
