package rtnetlink

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// kindData is the kind-specific part of a new link (IFLA_INFO_DATA), nil if it is empty.
func (s *session) kindData(op operation.LinkAdd) (*nl.RtAttr, error) {
	data := nl.NewRtAttr(nl.IFLA_INFO_DATA, nil)
	var err error
	switch {
	case op.Peer != nil:
		err = s.putPeer(data, *op.Peer)
	case op.Bridge != nil:
		putBridge(data, *op.Bridge)
	case op.VLAN != nil:
		err = putVLAN(data, *op.VLAN)
	case op.VXLAN != nil:
		err = s.putVXLAN(data, *op.VXLAN)
	case op.Macvlan != nil:
		err = putMacvlan(data, *op.Macvlan)
	case op.IPvlan != nil:
		err = putIPvlan(data, *op.IPvlan)
	case op.VRF != nil:
		data.AddRtAttr(nl.IFLA_VRF_TABLE, nl.Uint32Attr(op.VRF.Table))
	}
	if err != nil || data.Len() == unix.SizeofRtAttr {
		return nil, err
	}
	return data, nil
}

// putPeer describes the peer of a veth link: a link header and attributes like those of the link itself.
func (s *session) putPeer(data *nl.RtAttr, peer operation.LinkAttributes) error {
	nested := data.AddRtAttr(nl.VETH_INFO_PEER, nil)
	nested.AddChild(linkHeader(peer))
	return s.putLinkAttributes(adder(nested), peer)
}

// adder is a put function for nested attributes.
func adder(a *nl.RtAttr) func(int, []byte) {
	return func(attribute int, value []byte) { a.AddRtAttr(attribute, value) }
}

func putBridge(data *nl.RtAttr, o operation.BridgeOptions) {
	for _, n := range []struct {
		attribute int
		value     *int
	}{
		{nl.IFLA_BR_FORWARD_DELAY, o.ForwardDelay}, {nl.IFLA_BR_HELLO_TIME, o.HelloTime},
		{nl.IFLA_BR_MAX_AGE, o.MaxAge},
		{nl.IFLA_BR_AGEING_TIME, o.AgeingTime}, {nl.IFLA_BR_STP_STATE, o.STP},
	} {
		if n.value != nil {
			data.AddRtAttr(n.attribute, nl.Uint32Attr(uint32(*n.value)))
		}
	}
	if o.Priority != nil {
		data.AddRtAttr(nl.IFLA_BR_PRIORITY, nl.Uint16Attr(uint16(*o.Priority)))
	}
	if o.VLANDefaultPVID != nil {
		data.AddRtAttr(nl.IFLA_BR_VLAN_DEFAULT_PVID, nl.Uint16Attr(uint16(*o.VLANDefaultPVID)))
	}
	if o.VLANFiltering != nil {
		data.AddRtAttr(nl.IFLA_BR_VLAN_FILTERING, flag(*o.VLANFiltering))
	}
	if o.MulticastSnooping != nil {
		data.AddRtAttr(nl.IFLA_BR_MCAST_SNOOPING, flag(*o.MulticastSnooping))
	}
	if o.GroupForwardMask != nil {
		data.AddRtAttr(nl.IFLA_BR_GROUP_FWD_MASK, nl.Uint16Attr(*o.GroupForwardMask))
	}
}

func putBridgePort(data *nl.RtAttr, o operation.BridgePortOptions) {
	if o.State != nil {
		data.AddRtAttr(nl.IFLA_BRPORT_STATE, nl.Uint8Attr(uint8(*o.State)))
	}
	if o.Priority != nil {
		data.AddRtAttr(nl.IFLA_BRPORT_PRIORITY, nl.Uint16Attr(uint16(*o.Priority)))
	}
	if o.Cost != nil {
		data.AddRtAttr(nl.IFLA_BRPORT_COST, nl.Uint32Attr(uint32(*o.Cost)))
	}
	for _, f := range []struct {
		attribute int
		value     *bool
	}{
		{nl.IFLA_BRPORT_ISOLATED, o.Isolated}, {nl.IFLA_BRPORT_LEARNING, o.Learning},
		{nl.IFLA_BRPORT_UNICAST_FLOOD, o.Flood},
		{nl.IFLA_BRPORT_MODE, o.Hairpin}, {nl.IFLA_BRPORT_GUARD, o.Guard},
		{nl.IFLA_BRPORT_NEIGH_SUPPRESS, o.NeighSuppress},
	} {
		if f.value != nil {
			data.AddRtAttr(f.attribute, flag(*f.value))
		}
	}
}

func putVLAN(data *nl.RtAttr, o operation.VLANOptions) error {
	protocols := map[string]uint16{"": unix.ETH_P_8021Q, "802.1q": unix.ETH_P_8021Q, "802.1Q": unix.ETH_P_8021Q,
		"802.1ad": unix.ETH_P_8021AD}
	protocol, ok := protocols[o.Protocol]
	if !ok {
		return wrong("argument %q is wrong: protocol is invalid", o.Protocol)
	}
	if o.ID >= 0 {
		data.AddRtAttr(nl.IFLA_VLAN_ID, nl.Uint16Attr(uint16(o.ID)))
	}
	data.AddRtAttr(nl.IFLA_VLAN_PROTOCOL, nl.BEUint16Attr(protocol))
	return nil
}

func (s *session) putVXLAN(data *nl.RtAttr, o operation.VXLANOptions) error {
	if o.ID >= 0 {
		data.AddRtAttr(nl.IFLA_VXLAN_ID, nl.Uint32Attr(uint32(o.ID)))
	}
	put := func(v4, v6 int, a netip.Addr) {
		switch {
		case a.Is4():
			data.AddRtAttr(v4, a.AsSlice())
		case a.Is6():
			data.AddRtAttr(v6, a.AsSlice())
		}
	}
	put(nl.IFLA_VXLAN_GROUP, nl.IFLA_VXLAN_GROUP6, o.Group)
	put(nl.IFLA_VXLAN_GROUP, nl.IFLA_VXLAN_GROUP6, o.Remote)
	put(nl.IFLA_VXLAN_LOCAL, nl.IFLA_VXLAN_LOCAL6, o.Local)
	if o.Dev != "" {
		dev, err := s.index(o.Dev)
		if err != nil {
			return err
		}
		data.AddRtAttr(nl.IFLA_VXLAN_LINK, nl.Uint32Attr(uint32(dev)))
	}
	if o.DstPort != nil {
		data.AddRtAttr(nl.IFLA_VXLAN_PORT, nl.BEUint16Attr(uint16(*o.DstPort)))
	}
	if o.TTL != nil {
		data.AddRtAttr(nl.IFLA_VXLAN_TTL, nl.Uint8Attr(uint8(*o.TTL)))
	}
	if o.External { // iproute2 then turns learning off, unless the command turns it on
		data.AddRtAttr(nl.IFLA_VXLAN_FLOWBASED, flag(true))
		data.AddRtAttr(nl.IFLA_VXLAN_LEARNING, flag(o.Learning != nil && *o.Learning))
	} else if o.Learning != nil {
		data.AddRtAttr(nl.IFLA_VXLAN_LEARNING, flag(*o.Learning))
	}
	return nil
}

func putMacvlan(data *nl.RtAttr, o operation.MacvlanOptions) error {
	if o.Mode == "" {
		return nil
	}
	modes := map[string]uint32{"private": 1, "vepa": 2, "bridge": 4, "passthru": 8, "source": 16} // enum macvlan_mode
	mode, ok := modes[o.Mode]
	if !ok {
		return wrong("argument of \"mode\" must be private, vepa, bridge, passthru or source, not %q", o.Mode)
	}
	data.AddRtAttr(nl.IFLA_MACVLAN_MODE, nl.Uint32Attr(mode))
	return nil
}

func putIPvlan(data *nl.RtAttr, o operation.IPvlanOptions) error {
	modes := map[string]uint16{"l2": 0, "l3": 1, "l3s": 2}                // enum ipvlan_mode
	flags := map[string]uint16{"bridge": 0, "private": 1, "vepa": 1 << 1} // IPVLAN_F_*
	if o.Mode != "" {
		mode, ok := modes[o.Mode]
		if !ok {
			return wrong("argument of \"mode\" must be l2, l3 or l3s, not %q", o.Mode)
		}
		data.AddRtAttr(nl.IFLA_IPVLAN_MODE, nl.Uint16Attr(mode))
	}
	if o.Flag != "" {
		bits, ok := flags[o.Flag]
		if !ok {
			return wrong("argument %q is wrong: neither bridge, private nor vepa", o.Flag)
		}
		data.AddRtAttr(nl.IFLA_IPVLAN_FLAG, nl.Uint16Attr(bits))
	}
	return nil
}

func flag(on bool) []byte {
	if on {
		return nl.Uint8Attr(1)
	}
	return nl.Uint8Attr(0)
}
