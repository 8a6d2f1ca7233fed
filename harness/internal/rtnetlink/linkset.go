package rtnetlink

import (
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// setLink is `ip link set`: one request for all changes of a command.
func (s *session) setLink(op operation.LinkSet) error {
	index, err := s.optionalIndex(op.Name)
	if err != nil {
		return err
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(index)
	setFlags(header, op)
	m := s.request(unix.RTM_NEWLINK, 0, header)
	if op.Name == "" && op.Group != "" {
		group, err := s.group(op.Group)
		if err != nil {
			return err
		}
		m.put(unix.IFLA_GROUP, nl.Uint32Attr(group))
	}
	if err := s.putLinkAttributes(m.put, operation.LinkAttributes{
		Name: op.NewName, MTU: op.MTU, Address: op.Address, Broadcast: op.Broadcast, TxQLen: op.TxQLen, Alias: op.Alias,
		Group: op.NewGroup, Netns: op.Netns, Segmentation: op.Segmentation,
	}); err != nil {
		return err
	}
	if err := s.putMaster(m, op.Master); err != nil {
		return err
	}
	if op.Carrier != nil {
		m.put(unix.IFLA_CARRIER, flag(*op.Carrier))
	}
	if op.Protodown != nil {
		m.put(unix.IFLA_PROTO_DOWN, flag(*op.Protodown))
	}
	if err := putModes(m, op); err != nil {
		return err
	}
	putKind(m, op)
	return m.send()
}

// setFlags sets the flags in the link's header. `arp on` clears a flag, IFF_NOARP.
func setFlags(header *nl.IfInfomsg, op operation.LinkSet) {
	noARP := op.ARP
	if noARP != nil {
		not := !*noARP
		noARP = &not
	}
	for _, f := range []struct {
		on   *bool
		flag uint32
	}{
		{op.Up, unix.IFF_UP}, {noARP, unix.IFF_NOARP}, {op.Promisc, unix.IFF_PROMISC}, {op.AllMulti, unix.IFF_ALLMULTI},
		{op.Multicast, unix.IFF_MULTICAST},
	} {
		if f.on == nil {
			continue
		}
		header.Change |= f.flag
		if *f.on {
			header.Flags |= f.flag
		}
	}
}

func (s *session) putMaster(m message, name *string) error {
	if name == nil {
		return nil
	}
	master, err := s.optionalIndex(*name) // 0: nomaster
	if err != nil {
		return refuse(255, err, "argument %q is wrong: Device does not exist", *name)
	}
	m.put(unix.IFLA_MASTER, nl.Uint32Attr(uint32(master)))
	return nil
}

func putModes(m message, op operation.LinkSet) error {
	if op.Mode != nil {
		modes := map[string]uint8{"default": 0, "dormant": 1} // IF_LINK_MODE_*
		mode, ok := modes[*op.Mode]
		if !ok {
			return wrong("argument %q is wrong: Invalid link mode", *op.Mode)
		}
		m.put(unix.IFLA_LINKMODE, nl.Uint8Attr(mode))
	}
	if op.AddrGenMode != nil {
		modes := map[string]uint8{"eui64": 0, "none": 1, "stable_secret": 2, "random": 3} // IN6_ADDR_GEN_MODE_*
		mode, ok := modes[*op.AddrGenMode]
		if !ok {
			return wrong("argument %q is wrong: Invalid address generation mode", *op.AddrGenMode)
		}
		spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
		spec.AddRtAttr(unix.AF_INET6, nil).AddRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, nl.Uint8Attr(mode))
		m.AddData(spec)
	}
	return nil
}

// putKind adds the options of `type bridge …`, or of `type bridge_slave …` for a bridge port.
func putKind(m message, op operation.LinkSet) {
	if op.Kind == "" {
		return
	}
	kindAttribute, dataAttribute := nl.IFLA_INFO_KIND, nl.IFLA_INFO_DATA
	kind := op.Kind
	if op.BridgePort != nil {
		kindAttribute, dataAttribute, kind = nl.IFLA_INFO_SLAVE_KIND, nl.IFLA_INFO_SLAVE_DATA, "bridge"
	}
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(kindAttribute, []byte(kind))
	data := nl.NewRtAttr(dataAttribute, nil)
	if op.Bridge != nil {
		putBridge(data, *op.Bridge)
	}
	if op.BridgePort != nil {
		putBridgePort(data, *op.BridgePort)
	}
	if data.Len() > unix.SizeofRtAttr {
		info.AddChild(data)
	}
	m.AddData(info)
}

// group is the number of a link group given by name or number (/etc/iproute2/group).
func (s *session) group(word string) (uint32, error) {
	if n, err := strconv.ParseUint(word, 0, 32); err == nil {
		return uint32(n), nil
	}
	n, ok := s.lookName("group", word)
	if !ok {
		return 0, wrong("argument %q is wrong: Invalid \"group\" value", word)
	}
	return n, nil
}
