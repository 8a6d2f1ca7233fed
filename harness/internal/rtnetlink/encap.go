package rtnetlink

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// The types of lightweight tunnels (enum lwtunnel_encap_types, linux/lwtunnel.h).
var encapTypes = map[string]uint16{"mpls": nl.LWTUNNEL_ENCAP_MPLS, "ip": nl.LWTUNNEL_ENCAP_IP,
	"ip6": nl.LWTUNNEL_ENCAP_IP6, "seg6": nl.LWTUNNEL_ENCAP_SEG6, "seg6local": nl.LWTUNNEL_ENCAP_SEG6_LOCAL}

// encapAttributes are the options that are one attribute each. The numbers are those of linux/lwtunnel.h,
// linux/mpls_iptunnel.h and linux/seg6_local.h; ip and ip6 have the same ones.
var encapAttributes = map[string]map[string]int{
	"ip": {"id": nl.LWTUNNEL_IP6_ID, "dst": nl.LWTUNNEL_IP6_DST, "src": nl.LWTUNNEL_IP6_SRC,
		"ttl": nl.LWTUNNEL_IP6_HOPLIMIT, "tos": nl.LWTUNNEL_IP6_TC},
	"ip6": {"id": nl.LWTUNNEL_IP6_ID, "dst": nl.LWTUNNEL_IP6_DST, "src": nl.LWTUNNEL_IP6_SRC,
		"hoplimit": nl.LWTUNNEL_IP6_HOPLIMIT, "tc": nl.LWTUNNEL_IP6_TC},
	"mpls": {"": unix.MPLS_IPTUNNEL_DST, "ttl": unix.MPLS_IPTUNNEL_TTL},
	"seg6local": {"action": nl.SEG6_LOCAL_ACTION, "table": nl.SEG6_LOCAL_TABLE, "vrftable": nl.SEG6_LOCAL_VRFTABLE,
		"nh4": nl.SEG6_LOCAL_NH4, "nh6": nl.SEG6_LOCAL_NH6, "iif": nl.SEG6_LOCAL_IIF, "oif": nl.SEG6_LOCAL_OIF},
}

// tunnelFlags are in network byte order (TUNNEL_… in linux/if_tunnel.h).
var tunnelFlags = map[string]uint16{"csum": 0x01, "key": 0x04, "seq": 0x08}

// seg6Modes are those of linux/seg6_iptunnel.h.
var seg6Modes = map[string]uint32{"inline": 0, "encap": 1, "l2encap": 2, "encap.red": 3, "l2encap.red": 4}

// putEncap adds a lightweight tunnel as a nest and its type, with the numbers of these attributes.
func (s *session) putEncap(put func(int, []byte), nest, kind int, e *operation.Encap) error {
	if e == nil {
		return nil
	}
	tunnel := nl.NewRtAttr(nest|unix.NLA_F_NESTED, nil)
	if e.Type == "seg6" {
		tunnel.AddRtAttr(nl.SEG6_IPTUNNEL_SRH, segmentRouting(e))
	} else if err := s.putEncapOptions(tunnel, e); err != nil {
		return err
	}
	put(nest|unix.NLA_F_NESTED, tunnel.Serialize()[unix.SizeofRtAttr:])
	put(kind, nl.Uint16Attr(encapTypes[e.Type]))
	return nil
}

func (s *session) putEncapOptions(tunnel *nl.RtAttr, e *operation.Encap) error {
	var flags uint16
	for _, o := range e.Options {
		if bit, ok := tunnelFlags[o.Word]; ok {
			flags |= bit
			continue
		}
		value, err := s.encapValue(e.Type, o)
		if err != nil {
			return err
		}
		tunnel.AddRtAttr(encapAttributes[e.Type][o.Word], value)
	}
	if flags != 0 {
		tunnel.AddRtAttr(nl.LWTUNNEL_IP6_FLAGS, binary.BigEndian.AppendUint16(nil, flags))
	}
	return nil
}

// encapValue is the value of an option as the kernel reads it.
func (s *session) encapValue(kind string, o operation.EncapOption) ([]byte, error) {
	switch o.Word {
	case "":
		return labelStack(o.Value), nil
	case "id":
		id, err := strconv.ParseUint(o.Value, 10, 64)
		return binary.BigEndian.AppendUint64(nil, id), err
	case "src", "dst", "nh4", "nh6":
		a, err := netip.ParseAddr(o.Value)
		return a.AsSlice(), err
	case "table", "vrftable":
		table, err := s.table(o.Value)
		return nl.Uint32Attr(table), err
	case "iif", "oif":
		index, err := s.index(o.Value)
		return nl.Uint32Attr(uint32(index)), err
	case "action":
		action, _ := operation.SRv6Actions.Number(o.Value)
		return nl.Uint32Attr(action), nil
	}
	n, err := strconv.ParseUint(o.Value, 0, 8) // ttl, hoplimit, tos, tc
	return []byte{byte(n)}, err
}

// labelStack is the wire form of MPLS labels separated by slashes (RFC 3032, 2.1).
func labelStack(text string) (stack []byte) {
	labels := strings.Split(text, "/")
	for i, label := range labels {
		n, _ := strconv.ParseUint(label, 10, 20)
		entry := uint32(n) << 12
		if i == len(labels)-1 {
			entry |= 1 << 8 // the bottom of the stack
		}
		stack = binary.BigEndian.AppendUint32(stack, entry)
	}
	return stack
}

// segmentRouting is a struct seg6_iptunnel_encap: the mode and a segment routing header (RFC 8754, 2), whose segments
// are in reverse order. Inline, the header has one more, for the packet's own destination.
func segmentRouting(e *operation.Encap) []byte {
	mode, _ := e.Option("mode")
	list, _ := e.Option("segs")
	segments := strings.Split(list, ",")
	if mode == "inline" {
		segments = append(segments, "::")
	}
	const routingType, unit, fixed = 4, 8, 8
	last := byte(len(segments) - 1)
	length := fixed + len(segments)*net128
	b := nl.Uint32Attr(seg6Modes[mode])
	b = append(b, 0, byte(length/unit-1), routingType, last, last, 0, 0, 0)
	for i := range segments {
		a, err := netip.ParseAddr(segments[len(segments)-1-i])
		if err != nil {
			a = netip.IPv6Unspecified()
		}
		b = append(b, a.AsSlice()...)
	}
	return b
}

const net128 = 16 // the bytes of an IPv6 address
