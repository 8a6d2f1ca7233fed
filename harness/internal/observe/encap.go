package observe

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// encapTypes are the types of lightweight tunnels as ip-route(8) calls them.
var encapTypes = map[uint64]string{
	unix.LWTUNNEL_ENCAP_MPLS: "mpls", unix.LWTUNNEL_ENCAP_IP: "ip", unix.LWTUNNEL_ENCAP_ILA: "ila",
	unix.LWTUNNEL_ENCAP_IP6: "ip6", unix.LWTUNNEL_ENCAP_SEG6: "seg6", unix.LWTUNNEL_ENCAP_BPF: "bpf",
	unix.LWTUNNEL_ENCAP_SEG6_LOCAL: "seg6local", unix.LWTUNNEL_ENCAP_RPL: "rpl", unix.LWTUNNEL_ENCAP_IOAM6: "ioam6",
	unix.LWTUNNEL_ENCAP_XFRM: "xfrm",
}

// encap are the attributes RTA_ENCAP_TYPE and RTA_ENCAP of a next hop. The kernel reports the type last.
type encap struct {
	kind uint64
	data []byte
}

// text is the tunnel in the words of `encap`, "" for none.
func (e encap) text() string {
	if e.kind == 0 {
		return ""
	}
	t := tunnelWords{known: true}
	switch e.kind {
	case unix.LWTUNNEL_ENCAP_IP:
		t.readIP(e.data, "ttl", "tos")
	case unix.LWTUNNEL_ENCAP_IP6:
		t.readIP(e.data, "hoplimit", "tc")
	case unix.LWTUNNEL_ENCAP_MPLS:
		t.readMPLS(e.data)
	case unix.LWTUNNEL_ENCAP_SEG6:
		t.readSeg6(e.data)
	case unix.LWTUNNEL_ENCAP_SEG6_LOCAL:
		t.readSeg6Local(e.data)
	default:
		t.known = false
	}
	kind := encapTypes[e.kind]
	if kind == "" {
		kind, t.known = strconv.FormatUint(e.kind, 10), false
	}
	all := append([]string{kind}, t.words...)
	if !t.known {
		all = append(all, state.NotDecoded)
	}
	return strings.Join(all, " ")
}

// tunnelWords are the options of a lightweight tunnel; known is unset by an attribute that is not understood.
type tunnelWords struct {
	words []string
	known bool
}

func (t *tunnelWords) say(words ...string) { t.words = append(t.words, words...) }

// number says an option unless it is 0.
func (t *tunnelWords) number(word string, n uint64) {
	if n != 0 {
		t.say(word, strconv.FormatUint(n, 10))
	}
}

// address says an option unless it is the unspecified address.
func (t *tunnelWords) address(word string, data []byte) {
	if a, ok := netip.AddrFromSlice(data); ok && !a.IsUnspecified() {
		t.say(word, a.String())
	}
}

// readIP reads the options of ip and of ip6, which have the same numbers (LWTUNNEL_IP_*, LWTUNNEL_IP6_*,
// include/uapi/linux/lwtunnel.h).
func (t *tunnelWords) readIP(data []byte, ttl, tos string) {
	const id, dst, src, ttlOrHops, tosOrClass, flags, padding = 1, 2, 3, 4, 5, 6, 7
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case id:
			t.number("id", bigEndian(data))
		case dst:
			t.address("dst", data)
		case src:
			t.address("src", data)
		case ttlOrHops:
			t.number(ttl, number(data))
		case tosOrClass:
			if n := number(data); n != 0 {
				t.say(tos, fmt.Sprintf("0x%02x", n))
			}
		case flags:
			const checksum, key, sequence = 0x01, 0x04, 0x08 // TUNNEL_CSUM, TUNNEL_KEY, TUNNEL_SEQ
			for _, f := range []struct {
				bit  uint64
				word string
			}{{key, "key"}, {checksum, "csum"}, {sequence, "seq"}} {
				if bigEndian(data)&f.bit != 0 {
					t.say(f.word)
				}
			}
		case padding:
		default:
			t.known = false
		}
	})
}

// readMPLS reads the label stack, each label in the upper 20 bits of a word (RFC 3032), and the TTL.
func (t *tunnelWords) readMPLS(data []byte) {
	ttl := uint64(0)
	var labels []string
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case unix.MPLS_IPTUNNEL_DST:
			for ; len(data) >= 4; data = data[4:] {
				labels = append(labels, strconv.FormatUint(bigEndian(data[:4])>>12, 10))
			}
		case unix.MPLS_IPTUNNEL_TTL:
			ttl = number(data)
		default:
			t.known = false
		}
	})
	t.say(strings.Join(labels, "/"))
	t.number("ttl", ttl)
}

// readSeg6 reads SEG6_IPTUNNEL_SRH: a mode and a segment routing header (struct seg6_iptunnel_encap,
// include/uapi/linux/seg6_iptunnel.h; RFC 8754, section 2).
func (t *tunnelWords) readSeg6(data []byte) {
	const srh, header = 1, 4 + 8
	modes := []string{"inline", "encap", "l2encap", "encap.red", "l2encap.red"}
	attributes(data, func(kind uint16, data []byte) {
		if kind != srh || len(data) < header || int(native.Uint32(data)) >= len(modes) {
			t.known = false
			return
		}
		mode, last := modes[native.Uint32(data)], int(data[4+4])
		var segments []string
		for i := last; i >= 0; i-- { // the header has them in reverse
			from := header + 16*i
			if from+16 > len(data) {
				t.known = false
				return
			}
			segment, _ := netip.AddrFromSlice(data[from : from+16])
			if mode != "inline" || i > 0 { // there the first one stands for the packet's own destination
				segments = append(segments, segment.String())
			}
		}
		t.say("mode", mode, "segs", strings.Join(segments, ","))
		t.known = t.known && header+16*(last+1) == len(data) // or there are options, such as an HMAC
	})
}

// readSeg6Local reads SEG6_LOCAL_* (include/uapi/linux/seg6_local.h).
func (t *tunnelWords) readSeg6Local(data []byte) {
	actions := []string{"", "End", "End.X", "End.T", "End.DX2", "End.DX6", "End.DX4", "End.DT6", "End.DT4", "End.B6",
		"End.B6.Encaps", "End.BM", "End.S", "End.AS", "End.AM", "End.BPF", "End.DT46"}
	const action, table, nh4, nh6, vrfTable = 1, 3, 4, 5, 9
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case action:
			n := number(data)
			if n == 0 || n >= uint64(len(actions)) {
				t.known = false
				return
			}
			t.say("action", actions[n])
		case table:
			t.say("table", state.TableName(uint32(number(data))))
		case vrfTable:
			t.say("vrftable", state.TableName(uint32(number(data))))
		case nh4:
			t.address("nh4", data)
		case nh6:
			t.address("nh6", data)
		default:
			t.known = false
		}
	})
}

// bigEndian is a number in network byte order.
func bigEndian(data []byte) (n uint64) {
	for _, b := range data {
		n = n<<8 | uint64(b)
	}
	return n
}
