package rtnetlink

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// question holds the arguments of `ip route get` and `ip neighbour get`.
type question struct {
	to       netip.Prefix
	from     netip.Addr
	iif, oif string
	mark     uint32
	tos      uint8
	fib      bool
	// proto is an IP protocol; the ports are 0 if they are not written.
	proto        uint8
	sport, dport uint16
	uid          *uint32
}

// parseGet reads the words after get.
func parseGet(op operation.Show) (q question, err error) {
	args := op.Args
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "fibmatch" {
			q.fib = true
			continue
		}
		if prefix, err := parsePrefix(word); err == nil {
			q.to = prefix
			continue
		}
		if len(args) == 0 {
			return q, cannotSay(word)
		}
		value := args[0]
		args = args[1:]
		var n uint64
		switch word {
		case "to":
			q.to, err = parsePrefix(value)
		case "from":
			q.from, err = netip.ParseAddr(value)
		case "iif":
			q.iif = value
		case "oif", "dev":
			q.oif = value
		case "mark":
			n, err = strconv.ParseUint(value, 0, 32)
			q.mark = uint32(n)
		case "uid":
			n, err = strconv.ParseUint(value, 0, 32)
			uid := uint32(n)
			q.uid = &uid
		case "sport":
			n, err = strconv.ParseUint(value, 0, 16)
			q.sport = uint16(n)
		case "dport":
			n, err = strconv.ParseUint(value, 0, 16)
			q.dport = uint16(n)
		case "ipproto":
			q.proto, err = ipProtocol(value)
		case "tos", "dsfield":
			n, err = strconv.ParseUint(value, 0, 8)
			q.tos = uint8(n)
		default:
			return q, cannotSay(word)
		}
		if err != nil {
			return q, cannotSay(value)
		}
	}
	if !q.to.IsValid() {
		return q, cannotSay(op.Object + " get without an address")
	}
	return q, nil
}

func ipProtocol(word string) (uint8, error) {
	if n, ok := operation.IPProtocols.Number(word); ok {
		return uint8(n), nil
	}
	n, err := strconv.ParseUint(word, 0, 8)
	return uint8(n), err
}

func parsePrefix(word string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(word); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(word)
}

// get asks the kernel for the route to a destination, or for one neighbour.
func (s *session) get(op operation.Show) (string, error) {
	q, err := parseGet(op)
	if err != nil {
		return "", err
	}
	oif, err := s.optionalIndex(q.oif)
	if err != nil {
		return "", err
	}
	if op.Object == "neighbour" {
		return s.getNeighbour(q, oif)
	}
	iif, err := s.optionalIndex(q.iif)
	if err != nil {
		return "", err
	}
	header := &nl.RtMsg{}
	header.Family, header.Dst_len, header.Tos = uint8(familyOf(q.to.Addr())), uint8(q.to.Bits()), q.tos
	if header.Family == unix.AF_INET { // IPv6 always reports the table, and refuses the flag
		header.Flags = unix.RTM_F_LOOKUP_TABLE
	}
	if q.fib {
		header.Flags |= unix.RTM_F_FIB_MATCH
	}
	m := s.request(unix.RTM_GETROUTE, 0, header)
	m.Flags &^= unix.NLM_F_ACK
	m.put(unix.RTA_DST, q.to.Addr().AsSlice())
	if q.from.IsValid() {
		header.Src_len = uint8(q.from.BitLen())
		m.put(unix.RTA_SRC, q.from.AsSlice())
	}
	if iif != 0 {
		m.put(unix.RTA_IIF, nl.Uint32Attr(uint32(iif)))
	}
	if oif != 0 {
		m.put(unix.RTA_OIF, nl.Uint32Attr(uint32(oif)))
	}
	if q.mark != 0 {
		m.put(unix.RTA_MARK, nl.Uint32Attr(q.mark))
	}
	if q.uid != nil {
		m.put(unix.RTA_UID, nl.Uint32Attr(*q.uid))
	}
	if q.proto != 0 {
		m.put(unix.RTA_IP_PROTO, []byte{q.proto})
	}
	if q.sport != 0 {
		m.put(unix.RTA_SPORT, binary.BigEndian.AppendUint16(nil, q.sport))
	}
	if q.dport != 0 {
		m.put(unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, q.dport))
	}
	msgs, err := m.ask(unix.RTM_NEWROUTE)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, msg := range msgs {
		if err := s.writeRoute(&text, q, msg); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// writeRoute writes the kernel's answer to `ip route get` as one line.
func (s *session) writeRoute(text *strings.Builder, q question, msg []byte) error {
	h := nl.DeserializeRtMsg(msg)
	attrs, err := attributes(msg, h.Len())
	if err != nil {
		return err
	}
	if h.Type != unix.RTN_UNICAST {
		text.WriteString(state.RouteTypeName(h.Type) + " ")
	}
	text.WriteString(q.to.Addr().String())
	if via := addr(attrs[unix.RTA_GATEWAY]); via.IsValid() {
		fmt.Fprintf(text, " via %s", via)
	}
	if via := attrs[unix.RTA_VIA]; len(via) > 2 {
		fmt.Fprintf(text, " via inet6 %s", addr(via[2:]))
	}
	if oif := number(attrs[unix.RTA_OIF]); oif != 0 {
		name, err := s.nameOf(oif)
		if err != nil {
			return err
		}
		fmt.Fprintf(text, " dev %s", name)
	}
	fmt.Fprintf(text, " table %s", state.TableName(number(attrs[unix.RTA_TABLE])))
	if src := addr(attrs[unix.RTA_PREFSRC]); src.IsValid() {
		fmt.Fprintf(text, " src %s", src)
	}
	text.WriteString("\n")
	return nil
}

// nameOf is the name of the device with this index.
func (s *session) nameOf(index uint32) (string, error) {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(index)
	m := s.request(unix.RTM_GETLINK, 0, header)
	m.Flags &^= unix.NLM_F_ACK
	msgs, err := m.ask(unix.RTM_NEWLINK)
	if err == nil && len(msgs) != 1 {
		err = fmt.Errorf("the kernel reported %d links", len(msgs))
	}
	if err != nil {
		return "", fmt.Errorf("look up the device with index %d: %w", index, err)
	}
	attrs, err := attributes(msgs[0], header.Len())
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(attrs[unix.IFLA_IFNAME]), "\x00"), nil
}

func (s *session) getNeighbour(q question, dev int) (string, error) {
	m := s.request(unix.RTM_GETNEIGH, 0, &netlink.Ndmsg{Family: uint8(familyOf(q.to.Addr())), Index: uint32(dev)})
	m.Flags &^= unix.NLM_F_ACK
	m.put(unix.NDA_DST, q.to.Addr().AsSlice())
	if _, err := m.ask(unix.RTM_NEWNEIGH); err != nil {
		return "", err
	}
	return q.to.Addr().String() + "\n", nil
}
