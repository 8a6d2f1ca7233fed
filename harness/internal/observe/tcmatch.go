package observe

import (
	"bytes"
	"slices"

	"github.com/vishvananda/netlink/nl"

	"netnscheck/harness/state"
)

// masked are bytes of a header by their offset: of each the bits that count, and their value.
type masked map[int]struct{ mask, value byte }

func (m masked) put(at int, mask, value []byte) {
	for i := range mask {
		if mask[i] != 0 {
			m[at+i] = struct{ mask, value byte }{mask[i], value[i]}
		}
	}
}

// take removes the bytes of a field. It is not ok if there are none.
func (m masked) take(at, size int) (value, mask []byte, ok bool) {
	value, mask = make([]byte, size), make([]byte, size)
	for i := range size {
		b, there := m[at+i]
		ok = ok || there
		value[i], mask[i] = b.value, b.mask
		delete(m, at+i)
	}
	return value, mask, ok
}

// ipPorts are the ports behind an IPv4 header without options, ip6Ports those behind an IPv6 header without extensions.
var (
	ipPorts  = []placed{{20, portField("th", "sport")}, {22, portField("th", "dport")}}
	ip6Ports = []placed{{40, portField("th", "sport")}, {42, portField("th", "dport")}}
)

// networkFields are the fields that u32 and pedit reach from the beginning of the network header.
func networkFields(protocol string) []placed {
	switch protocol {
	case "ip":
		return slices.Concat(ipHeader, ipPorts)
	case "ip6":
		return slices.Concat(ip6Header, ip6Ports)
	}
	return nil
}

// u32 reads struct tc_u32_sel, the keys of a filter. It is false for a hash table, which is no filter.
func (c *classifier) u32(handle uint32, options []byte) bool {
	const terminal, rootTable = 1, 0x800
	filter := true
	var selector []byte
	attributes(options, func(kind uint16, data []byte) {
		switch kind {
		case nl.TCA_U32_DIVISOR:
			filter = false
		case nl.TCA_U32_SEL:
			selector = data
		case nl.TCA_U32_ACT:
			c.filter.Actions = c.reading.parseTCActions(data)
		case nl.TCA_U32_POLICE:
			c.unknown("police")
		case nl.TCA_U32_LINK:
			c.unknown("u32 link")
		case nl.TCA_U32_MARK:
			c.unknown("u32 mark")
		case nl.TCA_U32_INDEV:
			c.filter.Matches = append(c.filter.Matches,
				state.FilterMatch{Key: iifname.key, Values: []string{text(data)}})
		}
	})
	if !filter || len(selector) < 16 {
		return false
	}
	if handle>>20 != rootTable {
		c.unknown("u32 hash table") // only other filters lead there
	}
	if selector[0] != terminal {
		c.unknown("u32 without an end")
	}
	header := masked{}
	for keys := selector[16:]; len(keys) >= 16; keys = keys[16:] {
		if native.Uint32(keys[12:]) != 0 { // relative to a header that another filter has found
			c.unknown("u32 nexthdr")
			continue
		}
		header.put(int(int32(native.Uint32(keys[8:]))), keys[:4], keys[4:8])
	}
	for _, p := range networkFields(c.filter.Protocol) {
		if value, mask, ok := header.take(int(p.at), p.size); ok {
			c.match(p.field, value, mask)
		}
	}
	if len(header) > 0 {
		c.unknown("u32 match")
	}
	return true
}

// flowerKeys are the fields of flower with the attributes of their value and their mask; a key without a mask counts as
// a whole.
var flowerKeys = []struct {
	value, mask uint16
	field
}{
	{nl.TCA_FLOWER_KEY_ETH_DST, nl.TCA_FLOWER_KEY_ETH_DST_MASK, etherDaddr},
	{nl.TCA_FLOWER_KEY_ETH_SRC, nl.TCA_FLOWER_KEY_ETH_SRC_MASK, etherSaddr},
	{nl.TCA_FLOWER_KEY_ETH_TYPE, 0, etherType},
	{nl.TCA_FLOWER_KEY_IP_PROTO, 0, l4proto},
	{nl.TCA_FLOWER_KEY_IPV4_SRC, nl.TCA_FLOWER_KEY_IPV4_SRC_MASK, ipSaddr},
	{nl.TCA_FLOWER_KEY_IPV4_DST, nl.TCA_FLOWER_KEY_IPV4_DST_MASK, ipDaddr},
	{nl.TCA_FLOWER_KEY_IPV6_SRC, nl.TCA_FLOWER_KEY_IPV6_SRC_MASK, ip6Saddr},
	{nl.TCA_FLOWER_KEY_IPV6_DST, nl.TCA_FLOWER_KEY_IPV6_DST_MASK, ip6Daddr},
	{nl.TCA_FLOWER_KEY_TCP_SRC, nl.TCA_FLOWER_KEY_TCP_SRC_MASK, portField("tcp", "sport")},
	{nl.TCA_FLOWER_KEY_TCP_DST, nl.TCA_FLOWER_KEY_TCP_DST_MASK, portField("tcp", "dport")},
	{nl.TCA_FLOWER_KEY_UDP_SRC, nl.TCA_FLOWER_KEY_UDP_SRC_MASK, portField("udp", "sport")},
	{nl.TCA_FLOWER_KEY_UDP_DST, nl.TCA_FLOWER_KEY_UDP_DST_MASK, portField("udp", "dport")},
	{nl.TCA_FLOWER_KEY_ICMPV4_TYPE, nl.TCA_FLOWER_KEY_ICMPV4_TYPE_MASK, icmpType},
	{nl.TCA_FLOWER_KEY_ICMPV6_TYPE, nl.TCA_FLOWER_KEY_ICMPV6_TYPE_MASK, icmpv6Type},
}

// flower reads the keys of a flower filter.
func (c *classifier) flower(options []byte) {
	const skipSoftware = 2
	keys := map[uint16][]byte{}
	attributes(options, func(kind uint16, data []byte) {
		switch kind {
		case nl.TCA_FLOWER_ACT:
			c.filter.Actions = c.reading.parseTCActions(data)
		case nl.TCA_FLOWER_INDEV:
			c.filter.Matches = append(c.filter.Matches,
				state.FilterMatch{Key: iifname.key, Values: []string{text(data)}})
		case nl.TCA_FLOWER_CLASSID:
		case nl.TCA_FLOWER_FLAGS:
			if number(data)&skipSoftware != 0 {
				c.unknown("flower skip_sw")
			}
		case nl.TCA_FLOWER_IN_HW_COUNT:
		default:
			keys[kind] = data
		}
	})
	for _, k := range flowerKeys {
		value, there := keys[k.value]
		mask := keys[k.mask]
		delete(keys, k.value)
		delete(keys, k.mask)
		if !there {
			continue
		}
		if k.mask == 0 || mask == nil {
			mask = bytes.Repeat([]byte{0xff}, len(value))
		}
		if len(value) != k.size {
			c.unknown("flower " + k.key)
			continue
		}
		c.match(k.field, value, mask)
	}
	if len(keys) > 0 {
		c.unknown("flower key")
	}
}

// The headers to which the offsets of pedit may be relative (enum pedit_header_type).
const (
	editNetwork = iota
	editEthernet
	editIP4
	editIP6
	editTCP
	editUDP
)

// edited are the fields that pedit writes, of the bytes that it sets in each header; not ok if it does more.
func edited(headers map[int]masked) (sets []state.FieldValue, ok bool) {
	fields := map[int][]placed{
		editNetwork: networkFields("ip"), editIP4: ipHeader, editIP6: ip6Header, editEthernet: ethernetHeader,
		editTCP: transportHeader([]string{"tcp"}), editUDP: transportHeader([]string{"udp"}),
	}
	ok = true
	for header := editNetwork; header <= editUDP; header++ {
		set := headers[header]
		for _, p := range fields[header] {
			value, mask, there := set.take(int(p.at), p.size)
			if !there {
				continue
			}
			if bits, whole := maskBits(mask); !whole || bits < 8*p.size {
				ok = false
				continue
			}
			sets = append(sets, state.FieldValue{Key: p.key, Value: p.value(nil, value)})
		}
		ok = ok && len(set) == 0
	}
	return sets, ok
}

// editKeys reads struct tc_pedit_sel: of each key the mask of the bits that stay, and those that are turned over. The
// headers and the commands of the keys come beside it, since Linux 4.11.
func editKeys(selector, extended []byte) (verdict int32, headers map[int]masked, ok bool) {
	const sizeofGen, sizeofKey, add, keyHeader, keyCommand = 20, 24, 1, 1, 2
	if len(selector) < sizeofGen+4 {
		return 0, nil, false
	}
	verdict, headers, ok = int32(native.Uint32(selector[8:])), map[int]masked{}, true
	var of []struct{ header, command int }
	attributes(extended, func(_ uint16, data []byte) {
		var one struct{ header, command int }
		attributes(data, func(kind uint16, data []byte) {
			switch kind {
			case keyHeader:
				one.header = int(number(data))
			case keyCommand:
				one.command = int(number(data))
			}
		})
		of = append(of, one)
	})
	count := int(selector[sizeofGen])
	for i, keys := 0, selector[sizeofGen+4:]; i < count && len(keys) >= sizeofKey; i, keys = i+1, keys[sizeofKey:] {
		header := editNetwork
		if i < len(of) {
			header = of[i].header
			ok = ok && of[i].command != add
		}
		ok = ok && native.Uint32(keys[16:]) == 0 // at an offset that the packet tells
		if headers[header] == nil {
			headers[header] = masked{}
		}
		set := make([]byte, 4)
		for j := range set {
			set[j] = ^keys[j]
		}
		headers[header].put(int(int32(native.Uint32(keys[8:]))), set, keys[4:8])
	}
	return verdict, headers, ok
}
