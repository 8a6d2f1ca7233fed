package rtnetlink

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// addLink creates a link, and its peer if it has one, with all their attributes in one request.
func (s *session) addLink(op operation.LinkAdd) error {
	header := linkHeader(op.LinkAttributes)
	m := s.request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, header)
	if err := s.putLinkAttributes(m.put, op.LinkAttributes); err != nil {
		return err
	}
	if op.Link != "" {
		lower, err := s.index(op.Link)
		if err != nil {
			return err
		}
		m.put(unix.IFLA_LINK, nl.Uint32Attr(uint32(lower)))
	}
	if op.LinkNetns != "" {
		id, err := s.idOf(op.LinkNetns)
		if err != nil {
			return err
		}
		op.LinkNetnsID = &id
	}
	if op.LinkNetnsID != nil {
		m.put(unix.IFLA_LINK_NETNSID, nl.Uint32Attr(uint32(int32(*op.LinkNetnsID))))
	}
	if op.Master != "" {
		master, err := s.index(op.Master)
		if err != nil {
			return err
		}
		m.put(unix.IFLA_MASTER, nl.Uint32Attr(uint32(master)))
	}
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, []byte(op.Kind))
	data, err := s.kindData(op)
	if err != nil {
		return err
	}
	if data != nil {
		info.AddChild(data)
	}
	m.AddData(info)
	return m.send()
}

func linkHeader(a operation.LinkAttributes) *nl.IfInfomsg {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(a.Index)
	if a.Up {
		header.Flags, header.Change = unix.IFF_UP, unix.IFF_UP
	}
	return header
}

// putLinkAttributes adds the attributes that a link and its peer have in common.
func (s *session) putLinkAttributes(put func(int, []byte), a operation.LinkAttributes) error {
	if a.Name != "" {
		put(unix.IFLA_IFNAME, nl.ZeroTerminated(a.Name))
	}
	if a.MTU != nil {
		put(unix.IFLA_MTU, nl.Uint32Attr(uint32(*a.MTU)))
	}
	if a.Address != nil {
		put(unix.IFLA_ADDRESS, a.Address)
	}
	if a.Broadcast != nil {
		put(unix.IFLA_BROADCAST, a.Broadcast)
	}
	if a.TxQLen != nil {
		put(unix.IFLA_TXQLEN, nl.Uint32Attr(uint32(*a.TxQLen)))
	}
	for _, limit := range []struct {
		attribute int
		value     *int
	}{{unix.IFLA_GSO_MAX_SIZE, a.GSOMaxSize}, {unix.IFLA_GSO_MAX_SEGS, a.GSOMaxSegs},
		{unix.IFLA_GRO_MAX_SIZE, a.GROMaxSize}} {
		if limit.value != nil {
			put(limit.attribute, nl.Uint32Attr(uint32(*limit.value)))
		}
	}
	if a.NumTx != nil {
		put(unix.IFLA_NUM_TX_QUEUES, nl.Uint32Attr(uint32(*a.NumTx)))
	}
	if a.NumRx != nil {
		put(unix.IFLA_NUM_RX_QUEUES, nl.Uint32Attr(uint32(*a.NumRx)))
	}
	if a.Alias != nil {
		put(unix.IFLA_IFALIAS, []byte(*a.Alias))
	}
	if a.Group != nil {
		put(unix.IFLA_GROUP, nl.Uint32Attr(*a.Group))
	}
	if a.Netns != "" {
		return s.putNetns(put, a.Netns)
	}
	return nil
}

// deleteLink is `ip link del`. The kernel deletes the peer of a veth link as well.
func (s *session) deleteLink(op operation.LinkDelete) error {
	index, err := s.optionalIndex(op.Name)
	if err != nil {
		return err
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(index)
	m := s.request(unix.RTM_DELLINK, 0, header)
	if op.Kind != "" {
		info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
		info.AddRtAttr(nl.IFLA_INFO_KIND, []byte(op.Kind))
		m.AddData(info)
	}
	return m.send()
}

// changeProperty adds or deletes alternative names (`ip link property`).
func (s *session) changeProperty(op operation.LinkProperty) error {
	index, err := s.index(op.Name)
	if err != nil {
		return err
	}
	kind, flags := unix.RTM_NEWLINKPROP, unix.NLM_F_EXCL|unix.NLM_F_CREATE|unix.NLM_F_APPEND
	if op.Delete {
		kind, flags = unix.RTM_DELLINKPROP, 0
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(index)
	m := s.request(kind, flags, header)
	list := nl.NewRtAttr(unix.IFLA_PROP_LIST|unix.NLA_F_NESTED, nil)
	for _, name := range op.AltNames {
		list.AddRtAttr(unix.IFLA_ALT_IFNAME, nl.ZeroTerminated(name))
	}
	m.AddData(list)
	return m.send()
}
