package observe

import (
	"fmt"
	"math"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Matches of xtables that compare a field of the packet: each reads the structure of its header in
// include/uapi/linux/netfilter, at the sizes that are given in xtReaders.

// xtReader reads a match: the least revision and the size of its structure.
type xtReader struct {
	revision uint32
	size     int
	read     func(u *understanding, info []byte) bool
}

var xtReaders = map[string]xtReader{
	"iprange":   {1, 65, (*understanding).xtRange},
	"mac":       {0, 12, (*understanding).xtMAC},
	"pkttype":   {0, 8, (*understanding).xtPacketType},
	"length":    {0, 5, (*understanding).xtLength},
	"ttl":       {0, 2, (*understanding).xtTTL},
	"hl":        {0, 2, (*understanding).xtTTL},
	"dscp":      {0, 2, (*understanding).xtDSCP},
	"mark":      {1, 9, (*understanding).xtMark},
	"connmark":  {1, 9, (*understanding).xtConnmark},
	"physdev":   {0, 66, (*understanding).xtPhysdev},
	"rpfilter":  {0, 1, (*understanding).xtReversePath},
	"statistic": {0, 12, (*understanding).xtStatistic},
}

// xtField reads a match by the table.
func (u *understanding) xtField(name string, revision uint32, info []byte) bool {
	r, ok := xtReaders[name]
	return ok && revision >= r.revision && len(info) >= r.size && r.read(u, info)
}

// xtRange reads struct xt_iprange_mtinfo: four addresses, the source from and to and the destination from and to.
func (u *understanding) xtRange(info []byte) bool {
	const size = 16 // of an address, of which IPv4 has the first four bytes
	fields, length := []field{ipSaddr, ipDaddr}, 4
	if u.raw.in.family == unix.NFPROTO_IPV6 {
		fields, length = []field{ip6Saddr, ip6Daddr}, size
	}
	flags := info[4*size]
	for i, f := range fields {
		if flags&(1<<i) != 0 {
			low, high := info[2*i*size:][:length], info[(2*i+1)*size:][:length]
			from, _ := netip.AddrFromSlice(low)
			to, _ := netip.AddrFromSlice(high)
			u.xtSay(f, flags&(16<<i) != 0, []string{from.String() + "-" + to.String()})
		}
	}
	return true
}

// xtMAC reads struct xt_mac_info.
func (u *understanding) xtMAC(info []byte) bool {
	u.xtSay(etherSaddr, native.Uint32(info[8:]) != 0, []string{macValue(nil, info[:6])})
	return true
}

// xtPacketType reads struct xt_pkttype_info.
func (u *understanding) xtPacketType(info []byte) bool {
	words := []string{"host", "broadcast", "multicast", "other"}
	kind := native.Uint32(info)
	if int(kind) >= len(words) {
		return false
	}
	u.xtSay(pktType, native.Uint32(info[4:]) != 0, []string{words[kind]})
	return true
}

// xtLength reads struct xt_length_info.
func (u *understanding) xtLength(info []byte) bool {
	u.xtSay(metaLength, info[4] != 0,
		[]string{fmt.Sprintf("%d-%d", native.Uint16(info), native.Uint16(info[2:]))})
	return true
}

// xtTTL reads struct ipt_ttl_info and ip6t_hl_info: equal, not equal, less, greater.
func (u *understanding) xtTTL(info []byte) bool {
	const equal, notEqual, less, greater = 0, 1, 2, 3
	f := ipTTL
	if u.raw.in.family == unix.NFPROTO_IPV6 {
		f = ip6HopLimit
	}
	n := int(info[1])
	switch info[0] {
	case equal, notEqual:
		u.xtSay(f, info[0] == notEqual, []string{fmt.Sprintf("%d-%d", n, n)})
	case less:
		if n == 0 {
			return false
		}
		u.xtSay(f, false, []string{fmt.Sprintf("0-%d", n-1)})
	case greater:
		u.xtSay(f, false, []string{fmt.Sprintf("%d-255", n+1)}) // nothing, after 255
	default:
		return false
	}
	return true
}

// xtDSCP reads struct xt_dscp_info, for IPv4.
func (u *understanding) xtDSCP(info []byte) bool {
	const mask = 0xfc
	if u.raw.in.family != unix.NFPROTO_IPV4 {
		return false
	}
	u.xtSay(ipTos, info[1] != 0, []string{fmt.Sprintf("0x%02x/0x%02x", info[0]<<2&mask, mask)})
	return true
}

// xtMark and xtConnmark read struct xt_mark_mtinfo1 and xt_connmark_mtinfo1.
func (u *understanding) xtMark(info []byte) bool { return u.xtMasked(mark, info) }

func (u *understanding) xtConnmark(info []byte) bool { return u.xtMasked(ctMark, info) }

func (u *understanding) xtMasked(f field, info []byte) bool {
	value, mask := native.Uint32(info), native.Uint32(info[4:])
	want := fmt.Sprintf("0x%08x", value)
	if mask != math.MaxUint32 {
		want += fmt.Sprintf("/0x%08x", mask)
	}
	u.xtSay(f, info[8] != 0, []string{want})
	return true
}

// xtPhysdev reads struct xt_physdev_info: two names with their masks, what is inverted, and what is asked.
func (u *understanding) xtPhysdev(info []byte) bool {
	inverted, asked := info[64], info[65]
	for bit, word := range []string{"in", "out", "is-bridged", "is-in", "is-out"} {
		if asked&(1<<bit) == 0 {
			continue
		}
		value := "yes"
		if bit < 2 {
			value = text(info[32*bit:][:unix.IFNAMSIZ])
		}
		u.xtSay(field{key: "physdev " + word}, inverted&(1<<bit) != 0, []string{value})
	}
	return true
}

// xtReversePath reads struct xt_rpfilter_info: a lookup of the route to the source, as the expression fib does it.
func (u *understanding) xtReversePath(info []byte) bool {
	const loose, marked, acceptLocal, inverted = 1, 2, 4, 8
	flags, key := info[0], "fib saddr"
	if flags&acceptLocal != 0 {
		return false
	}
	if flags&marked != 0 {
		key += " . mark"
	}
	if flags&loose == 0 {
		key += " . iif"
	}
	value := map[bool]string{false: "exists", true: "missing"}[flags&inverted != 0]
	u.xtSay(field{key: key + " oif"}, false, []string{value})
	return true
}

// xtStatistic reads struct xt_statistic_info: some packets, by chance or each one of so many. It says which number of
// several has to be drawn, although chance may have other odds.
func (u *understanding) xtStatistic(info []byte) bool {
	const random = 0
	every, f := native.Uint32(info[4:]), distribution("numgen random", 2, 0)
	others := "1"
	switch chance := native.Uint16(info) == random; {
	case chance && (every == 0 || every >= 1<<31), !chance && every == 0 || every == math.MaxUint32:
		return false // each packet, or none
	case !chance:
		f, others = distribution("numgen inc", every+1, 0), fmt.Sprintf("1-%d", every)
	}
	u.xtSay(f, false, []string{map[bool]string{false: "0", true: others}[native.Uint16(info[2:]) != 0]})
	return true
}
