package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// mostElements is how many elements are read of all sets of a namespace. Lists of whole countries have a hundred
// thousand.
const mostElements = 1 << 16

// ipsetLoaded reports whether ip_set is loaded or built in. It has parameters, so that /sys tells also if it is built
// in. Without it there are no sets, and to ask for them would load it.
func ipsetLoaded() bool {
	_, err := os.Stat("/sys/module/ip_set")
	return err == nil
}

// readIPSets reads the sets of ipset (linux/netfilter/ipset/ip_set.h), if there are any.
func (r *reading) readIPSets() error {
	r.IPSets = nil
	sets, err := r.ipsets()
	var refusal unix.Errno
	switch {
	case err == nil:
		r.IPSets = sets
	case errors.As(err, &refusal), errors.Is(err, errInterrupted):
		r.notRead("ipset", err)
	default:
		return err
	}
	return nil
}

// ipsets asks for the names first, with which the kernel tells the number of each set, and then for the elements.
func (r *reading) ipsets() ([]state.IPSet, error) {
	const onlyNames = 2 // IPSET_FLAG_LIST_SETNAME
	names, err := dump(r.netfilter, ipsetCommand(nl.IPSET_CMD_LIST), attribute(ipsetQuestion(6), nl.IPSET_ATTR_FLAGS,
		binary.BigEndian.AppendUint32(nil, onlyNames)), func(body []byte) (string, bool) {
		p, ok := parseIPSet(body)
		return p.Name, ok
	})
	if err != nil || len(names) == 0 {
		return nil, err
	}
	indexes := make(map[string]*int, len(names))
	for _, name := range names {
		indexes[name] = r.ipsetIndex(name)
	}
	sets, err := r.ipsetElements()
	for i := range sets {
		sets[i].Index = indexes[sets[i].Name]
	}
	return sets, err
}

// ipsetIndex is the number of a set, nil if the kernel does not tell.
func (r *reading) ipsetIndex(name string) (index *int) {
	const byName, number = 14, 11 // IPSET_CMD_GET_BYNAME, IPSET_ATTR_INDEX
	question := attribute(ipsetQuestion(7), nl.IPSET_ATTR_SETNAME, append([]byte(name), 0))
	err := r.netfilter.ask(ipsetCommand(byName), 0, question, func(body []byte) {
		attributes(body[min(len(body), sizeofNFGen):], func(kind uint16, data []byte) {
			if n := int(port(data)); kind == number {
				index = &n
			}
		})
	})
	if err != nil {
		return nil
	}
	return index
}

// ipsetElements reads the sets with their elements, a set in several parts if it has many, and no more than
// mostElements: for that it has a conversation of its own.
func (r *reading) ipsetElements() (sets []state.IPSet, err error) {
	var ask *conversation
	if err := inside(r.do, r.Name, func() (err error) {
		ask, err = open(unix.NETLINK_NETFILTER)
		return err
	}); err != nil {
		return nil, err
	}
	defer ask.close()
	left := mostElements
	var header ipsetPart // that of the set being read
	err = ask.once(ipsetCommand(nl.IPSET_CMD_LIST), unix.NLM_F_DUMP, ipsetQuestion(6), func(body []byte) bool {
		part, ok := parseIPSet(body)
		if !ok {
			return true
		}
		if len(sets) == 0 || header.Name != part.Name {
			header = part
			sets = append(sets, part.IPSet)
		}
		set := &sets[len(sets)-1]
		attributes(part.elements, func(_ uint16, data []byte) {
			if set.MoreElements = left == 0; !set.MoreElements {
				left--
				set.Elements = append(set.Elements, header.element(data))
			}
		})
		return !set.MoreElements
	})
	return sets, err
}

func ipsetCommand(command int) uint16 { return unix.NFNL_SUBSYS_IPSET<<8 | uint16(command) }

// ipsetQuestion begins a question in a version of the protocol: 6, or 7 since Linux 4.20.
func ipsetQuestion(version byte) []byte {
	return attribute(make([]byte, sizeofNFGen), nl.IPSET_ATTR_PROTOCOL, []byte{version})
}

// ipsetPart is a set, or the part of one that fits into a message; only the first part has more than the name and
// elements.
type ipsetPart struct {
	state.IPSet
	netmask  byte // of all its addresses, 0 for none
	elements []byte
}

func parseIPSet(body []byte) (p ipsetPart, ok bool) {
	if len(body) < sizeofNFGen {
		return p, false
	}
	attributes(body[sizeofNFGen:], func(kind uint16, data []byte) {
		switch kind {
		case nl.IPSET_ATTR_SETNAME:
			p.Name = text(data)
		case nl.IPSET_ATTR_TYPENAME:
			p.Type = text(data)
		case nl.IPSET_ATTR_FAMILY:
			p.Family = map[uint64]int{unix.NFPROTO_IPV4: 4, unix.NFPROTO_IPV6: 6}[number(data)]
		case nl.IPSET_ATTR_DATA:
			attributes(data, func(kind uint16, data []byte) {
				if kind == nl.IPSET_ATTR_NETMASK {
					p.netmask = byte(number(data))
				}
			})
		case nl.IPSET_ATTR_ADT:
			p.elements = data
		}
	})
	return p, p.Name != ""
}

// element reads an element of the set.
func (p *ipsetPart) element(data []byte) (e state.IPSetElement) {
	parts := map[uint16][]byte{}
	attributes(data, func(kind uint16, data []byte) { parts[kind] = data })
	flags := big(parts[nl.IPSET_ATTR_CADT_FLAGS])
	e.NoMatch = flags&nl.IPSET_FLAG_NOMATCH != 0
	e.PhysDev = flags&nl.IPSET_FLAG_PHYSDEV != 0
	_, words, _ := strings.Cut(p.Type, ":")
	address, prefix := uint16(nl.IPSET_ATTR_IP), uint16(nl.IPSET_ATTR_CIDR)
	for word := range strings.SplitSeq(words, ",") {
		value := "?" // of a kind that is not known here
		switch word {
		case "ip", "net":
			value = ipsetAddress(parts[address], parts[prefix], p.netmask)
			address, prefix = nl.IPSET_ATTR_IP2, nl.IPSET_ATTR_CIDR2
		case "port":
			value = ipsetPort(parts)
		case "mac":
			value = hardware(parts[nl.IPSET_ATTR_ETHER])
		case "mark":
			value = fmt.Sprintf("0x%x", big(parts[nl.IPSET_ATTR_MARK]))
		case "iface":
			value = text(parts[nl.IPSET_ATTR_IFACE])
		case "set":
			e.Set = text(parts[nl.IPSET_ATTR_NAME])
			continue
		}
		e.Values = append(e.Values, value)
	}
	return e
}

// ipsetAddress is an address, or a network with the size of its own or else that of the whole set.
func ipsetAddress(data, size []byte, netmask byte) string {
	var a netip.Addr
	attributes(data, func(_ uint16, data []byte) { a, _ = netip.AddrFromSlice(data) })
	bits := a.BitLen()
	switch {
	case !a.IsValid():
		return "?"
	case size != nil:
		bits = int(number(size))
	case netmask != 0:
		bits = int(netmask)
	}
	if bits == a.BitLen() {
		return a.String()
	}
	return netip.PrefixFrom(a, bits).String()
}

// ipsetPort is a port with its protocol, if the set has those.
func ipsetPort(parts map[uint16][]byte) string {
	n, protocol := port(parts[nl.IPSET_ATTR_PORT]), parts[nl.IPSET_ATTR_PROTO]
	switch {
	case len(protocol) != 1:
		return fmt.Sprint(n)
	case protocol[0] == unix.IPPROTO_ICMP || protocol[0] == unix.IPPROTO_ICMPV6:
		return fmt.Sprintf("%s:%d/%d", l4proto.value(nil, protocol), n>>8, n&0xff)
	}
	return fmt.Sprintf("%s:%d", l4proto.value(nil, protocol), n)
}
