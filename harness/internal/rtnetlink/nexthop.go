package rtnetlink

import (
	"fmt"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// nexthopHeader is a struct nhmsg (linux/nexthop.h).
type nexthopHeader struct {
	family, protocol uint8
	flags            uint32
}

func (*nexthopHeader) Len() int { return unix.SizeofNhmsg }

func (h *nexthopHeader) Serialize() []byte {
	b := []byte{h.family, 0, h.protocol, 0} // its scope and a reserved byte are not for requests
	return append(b, nl.Uint32Attr(h.flags)...)
}

// changeNexthop is `ip nexthop add|replace|del`.
func (s *session) changeNexthop(op operation.NexthopChange) error {
	kind, flags := unix.RTM_NEWNEXTHOP, 0
	switch op.Verb {
	case operation.Add:
		flags = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	case operation.Replace:
		flags = unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	case operation.Delete:
		kind = unix.RTM_DELNEXTHOP
	}
	header := &nexthopHeader{family: uint8(family(op.Family))}
	if op.OnLink {
		header.flags = unix.RTNH_F_ONLINK
	}
	if op.Proto != "" {
		var err error
		if header.protocol, err = s.protocol(op.Proto); err != nil {
			return err
		}
	}
	m := s.request(kind, flags, header)
	if err := s.putNexthop(m, op); err != nil {
		return err
	}
	putGroup(m, op)
	return m.send()
}

func (s *session) putNexthop(m message, op operation.NexthopChange) error {
	if op.ID != nil {
		m.put(unix.NHA_ID, nl.Uint32Attr(*op.ID))
	}
	if op.Dev != "" {
		dev, err := s.index(op.Dev)
		if err != nil {
			return noSuchDevice(op.Dev)
		}
		m.put(unix.NHA_OIF, nl.Uint32Attr(uint32(dev)))
	}
	if op.Via.IsValid() {
		m.put(unix.NHA_GATEWAY, op.Via.AsSlice())
	}
	if op.Blackhole {
		m.put(unix.NHA_BLACKHOLE, nil)
	}
	if op.FDB {
		m.put(nhaFDB, nil)
	}
	return s.putEncap(m.put, unix.NHA_ENCAP, unix.NHA_ENCAP_TYPE, op.Encap)
}

// Attributes of a nexthop that the package unix lacks (linux/nexthop.h).
const (
	nhaFDB      = 11
	nhaResGroup = 12

	resBuckets, resIdleTimer, resUnbalancedTimer = 1, 2, 3
)

// noSuchDevice is the refusal of `ip nexthop`, a usage error.
func noSuchDevice(name string) error {
	return &Refused{Errno: unix.ENODEV, Message: fmt.Sprintf("argument %q is wrong: Device does not exist", name),
		Status: 255}
}

// putGroup adds the members of a group (struct nexthop_grp: the id, the weight less one) and its type.
func putGroup(m message, op operation.NexthopChange) {
	if len(op.Group) > 0 {
		var members []byte
		for _, member := range op.Group {
			members = append(members, nl.Uint32Attr(member.ID)...)
			members = append(members, byte(max(member.Weight, 1)-1), 0, 0, 0)
		}
		m.put(unix.NHA_GROUP, members)
	}
	if op.GroupType == "" {
		return
	}
	groupType := uint16(0)
	if op.GroupType == "resilient" {
		groupType = 1
		options := nl.NewRtAttr(nhaResGroup|unix.NLA_F_NESTED, nil)
		const perSecond = 100 // clock_t
		if op.Buckets != nil {
			options.AddRtAttr(resBuckets, nl.Uint16Attr(uint16(*op.Buckets)))
		}
		if op.IdleTimer != nil {
			options.AddRtAttr(resIdleTimer, nl.Uint32Attr(uint32(*op.IdleTimer)*perSecond))
		}
		if op.UnbalancedTimer != nil {
			options.AddRtAttr(resUnbalancedTimer, nl.Uint32Attr(uint32(*op.UnbalancedTimer)*perSecond))
		}
		if op.Buckets != nil || op.IdleTimer != nil || op.UnbalancedTimer != nil {
			m.AddData(options)
		}
	}
	m.put(unix.NHA_GROUP_TYPE, nl.Uint16Attr(groupType))
}

// flushNexthops is `ip nexthop flush`. Without a filter groups are deleted before the others.
func (s *session) flushNexthops(op operation.NexthopFlush) error {
	if op.ID != nil {
		if err := s.deleteNexthop(*op.ID).send(); err != nil {
			return refusedWith(1, err)
		}
		return nil
	}
	if op == (operation.NexthopFlush{Family: op.Family}) {
		if err := s.flushNexthops(operation.NexthopFlush{Family: op.Family, Groups: true}); err != nil {
			return err
		}
	}
	var dev, master int
	var err error
	if op.Dev != "" {
		if dev, err = s.index(op.Dev); err != nil {
			return noSuchDevice(op.Dev)
		}
	}
	if op.Master != "" {
		if master, err = s.index(op.Master); err != nil {
			return noSuchDevice(op.Master)
		}
	}
	dumped, err := s.dump(unix.RTM_GETNEXTHOP, unix.RTM_NEWNEXTHOP,
		func() nl.NetlinkRequestData { return &nexthopHeader{family: uint8(family(op.Family))} },
		func(m message) {
			if dev != 0 {
				m.put(unix.NHA_OIF, nl.Uint32Attr(uint32(dev)))
			}
			if op.Groups {
				m.put(unix.NHA_GROUPS, nil)
			}
			if master != 0 {
				m.put(unix.NHA_MASTER, nl.Uint32Attr(uint32(master)))
			}
			if op.FDB {
				m.put(nhaFDB, nil)
			}
		})
	if err != nil {
		return err
	}
	for _, msg := range dumped {
		attrs, err := attributes(msg, unix.SizeofNhmsg)
		if err != nil {
			return err
		}
		if op.Proto != nil && *op.Proto != 0 && int(msg[2]) != *op.Proto {
			continue
		}
		if err := s.deleteNexthop(number(attrs[unix.NHA_ID])).send(); err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

func (s *session) deleteNexthop(id uint32) message {
	m := s.request(unix.RTM_DELNEXTHOP, 0, &nexthopHeader{})
	m.put(unix.NHA_ID, nl.Uint32Attr(id))
	return m
}

// showNexthops is `ip nexthop show` and `get`: the ids, and what the kernel says about them in numbers.
func (s *session) showNexthops(op operation.Show) (string, error) {
	if op.Verb == "get" {
		change, err := operation.Parse(append([]string{"ip", "nexthop", "del"}, op.Args...))
		if err != nil {
			return "", wrong("%v", err)
		}
		wanted, ok := change.Op.(operation.NexthopChange)
		if !ok || wanted.ID == nil {
			return "", wrong("an id is required")
		}
		m := s.request(unix.RTM_GETNEXTHOP, 0, &nexthopHeader{})
		m.Flags &^= unix.NLM_F_ACK
		m.put(unix.NHA_ID, nl.Uint32Attr(*wanted.ID))
		msgs, err := m.ask(unix.RTM_NEWNEXTHOP)
		return nexthopText(msgs), err
	}
	dumped, err := s.dump(unix.RTM_GETNEXTHOP, unix.RTM_NEWNEXTHOP,
		func() nl.NetlinkRequestData { return &nexthopHeader{} }, nil)
	return nexthopText(dumped), err
}

func nexthopText(msgs [][]byte) string {
	var text strings.Builder
	for _, msg := range msgs {
		attrs, err := attributes(msg, unix.SizeofNhmsg)
		if err != nil {
			continue
		}
		fmt.Fprintf(&text, "id %d", number(attrs[unix.NHA_ID]))
		if group := attrs[unix.NHA_GROUP]; group != nil {
			const size = 8
			separator := " group "
			for ; len(group) >= size; group = group[size:] {
				fmt.Fprintf(&text, "%s%d", separator, number(group))
				separator = "/"
			}
		}
		if via := addr(attrs[unix.NHA_GATEWAY]); via.IsValid() {
			fmt.Fprintf(&text, " via %s", via)
		}
		if dev := number(attrs[unix.NHA_OIF]); dev != 0 {
			fmt.Fprintf(&text, " dev %d", dev)
		}
		if _, ok := attrs[unix.NHA_BLACKHOLE]; ok {
			text.WriteString(" blackhole")
		}
		text.WriteString("\n")
	}
	return text.String()
}
