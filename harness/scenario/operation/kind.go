package operation

import (
	"math"
	"net/netip"
)

// The options of each kind of link, in the order in which iproute2 tries them.
var (
	bridgeWords = newGrammar(
		`forward_delay hello_time max_age ageing_time stp_state priority vlan_filtering vlan_protocol
		group_fwd_mask group_address fdb_flush vlan_default_pvid vlan_stats_enabled vlan_stats_per_port mcast_router
		mcast_snooping mcast_vlan_snooping! mcast_query_use_ifaddr mcast_querier mcast_hash_elasticity mcast_hash_max
		mcast_last_member_count mcast_startup_query_count mcast_last_member_interval mcast_membership_interval
		mcast_querier_interval mcast_query_interval mcast_query_response_interval mcast_startup_query_interval
		mcast_stats_enabled mcast_igmp_version mcast_mld_version nf_call_iptables nf_call_ip6tables
		nf_call_arptables help`)
	portWords = newGrammar(`fdb_flush state priority cost hairpin guard root_block fastleave learning flood proxy_arp
		proxy_arp_wifi mcast_router mcast_fast_leave mcast_flood bcast_flood mcast_to_unicast group_fwd_mask
		neigh_suppress vlan_tunnel isolated locked backup_port nobackup_port help`)
	vxlanWords = newGrammar(`id vni=id group remote local dev ttl hoplimit=ttl tos dsfield=tos df label flowlabel=label
		ageing maxaddress port srcport=port dstport nolearning learning noproxy proxy norsc rsc nol2miss l2miss nol3miss
		l3miss udpcsum noudpcsum udp6zerocsumtx noudp6zerocsumtx udp6zerocsumrx noudp6zerocsumrx remcsumtx noremcsumtx
		remcsumrx noremcsumrx external noexternal vnifilter novnifilter gbp gpe help`)
	vlanWords = newGrammar(
		"protocol id reorder_hdr gvrp mvrp loose_binding bridge_binding ingress-qos-map egress-qos-map help")
	macvlanWords = newGrammar("mode flag macaddr nopromisc bcqueuelen help")
	ipvlanWords  = newGrammar("mode private vepa bridge help")
	vrfWords     = newGrammar("table help")
	vethWords    = newGrammar("peer! help")
)

// parseKind reads the options after `type KIND` of a new link.
func (op *LinkAdd) parseKind(w *words) error {
	switch op.Kind {
	case "veth":
		return op.parsePeer(w)
	case "bridge":
		op.Bridge = new(BridgeOptions)
		return op.Bridge.parse(w)
	case "vlan":
		op.VLAN = new(VLANOptions)
		return op.VLAN.parse(w)
	case "vxlan":
		op.VXLAN = new(VXLANOptions)
		return op.VXLAN.parse(w)
	case "macvlan", "macvtap":
		op.Macvlan = new(MacvlanOptions)
		return macvlanWords.parse(w, actions{
			"mode": read(w, &op.Macvlan.Mode, oneOf("private", "vepa", "bridge", "passthru", "source")),
		}, nil)
	case "ipvlan", "ipvtap":
		op.IPvlan = new(IPvlanOptions)
		flag := func(keyword string) error { op.IPvlan.Flag = keyword; return nil }
		return ipvlanWords.parse(w, actions{
			"mode":    read(w, &op.IPvlan.Mode, oneOf("l2", "l3", "l3s")),
			"private": flag, "vepa": flag, "bridge": flag,
		}, nil)
	case "vrf":
		op.VRF = new(VRFOptions)
		return vrfWords.parse(w, actions{"table": read(w, &op.VRF.Table, tableNumber)}, nil)
	}
	return grammar(nil).parse(w, nil, nil)
}

// parsePeer reads the word peer and the attributes of the peer.
func (op *LinkAdd) parsePeer(w *words) error {
	if !w.more() {
		return nil
	}
	if word := w.next(); word != "peer" {
		return vethWords.unknown(word)
	}
	op.Peer = new(LinkAttributes)
	// Keywords that may be written once may be written once for each end.
	peer := newWords(w.rest(), FamilyAny)
	return parseAttributes(peer, op.Peer, actions{
		"type": func(keyword string) error { return usage(keyword, "it is written twice") },
	})
}

// parseKind reads the options after `type KIND` of an existing link.
func (op *LinkSet) parseKind(w *words) error {
	switch op.Kind {
	case "bridge":
		op.Bridge = new(BridgeOptions)
		return op.Bridge.parse(w)
	case "bridge_slave":
		op.BridgePort = new(BridgePortOptions)
		return op.BridgePort.parse(w)
	}
	return grammar(nil).parse(w, nil, nil)
}

func (b *BridgeOptions) parse(w *words) error {
	return bridgeWords.parse(w, actions{
		"forward_delay":     readTo(w, &b.ForwardDelay, natural),
		"hello_time":        readTo(w, &b.HelloTime, natural),
		"max_age":           readTo(w, &b.MaxAge, natural),
		"ageing_time":       readTo(w, &b.AgeingTime, natural),
		"stp_state":         readTo(w, &b.STP, natural),
		"priority":          readTo(w, &b.Priority, uint16s),
		"vlan_filtering":    readTo(w, &b.VLANFiltering, nonZero),
		"vlan_default_pvid": readTo(w, &b.VLANDefaultPVID, uint16s),
		"mcast_snooping":    readTo(w, &b.MulticastSnooping, nonZero),
		"group_fwd_mask":    readTo(w, &b.GroupForwardMask, unsigned16),
	}, nil)
}

func (p *BridgePortOptions) parse(w *words) error {
	return portWords.parse(w, actions{
		"state":          readTo(w, &p.State, uint8s),
		"priority":       readTo(w, &p.Priority, uint16s),
		"cost":           readTo(w, &p.Cost, natural),
		"isolated":       readTo(w, &p.Isolated, onOff),
		"learning":       readTo(w, &p.Learning, onOff),
		"flood":          readTo(w, &p.Flood, onOff),
		"hairpin":        readTo(w, &p.Hairpin, onOff),
		"guard":          readTo(w, &p.Guard, onOff),
		"neigh_suppress": readTo(w, &p.NeighSuppress, onOff),
	}, nil)
}

func (v *VLANOptions) parse(w *words) error {
	*v = VLANOptions{ID: -1, Protocol: "802.1Q"}
	return vlanWords.parse(w, actions{
		"id":       read(w, &v.ID, uint16s),
		"protocol": read(w, &v.Protocol, vlanProtocol),
	}, nil)
}

func vlanProtocol(keyword, value string) (string, error) {
	switch value {
	case "802.1q", "802.1Q":
		return "802.1Q", nil
	case "802.1ad", "802.1AD":
		return "802.1ad", nil
	}
	return "", usage(value, "%s takes 802.1Q or 802.1ad", keyword)
}

func (v *VXLANOptions) parse(w *words) error {
	*v = VXLANOptions{ID: -1}
	learning := func(on bool) func(string) error {
		return func(string) error { v.Learning = &on; return nil }
	}
	err := vxlanWords.parse(w, actions{
		"id":         w.once(read(w, &v.ID, between(0, 1<<24-1))),
		"group":      w.once(read(w, &v.Group, w.endpoint(true))),
		"remote":     w.once(read(w, &v.Remote, w.endpoint(false))),
		"local":      w.once(read(w, &v.Local, w.endpoint(false))),
		"dev":        w.once(read(w, &v.Dev, name)),
		"ttl":        w.once(readTo(w, &v.TTL, vxlanTTL)),
		"dstport":    w.once(readTo(w, &v.DstPort, uint16s)),
		"learning":   learning(true),
		"nolearning": learning(false),
		"external":   w.flag(&v.External, true),
		"noexternal": w.flag(&v.External, false),
	}, nil)
	switch {
	case err != nil:
		return err
	case v.External && v.ID >= 0:
		return usage("external", "the id is set for each packet, so it cannot be written too")
	case v.Group.IsValid() && v.Remote.IsValid():
		return usage("group", "it excludes remote")
	}
	return nil
}

// endpoint reads the address of a tunnel's end, which must or must not be a multicast group.
func (w *words) endpoint(multicast bool) func(keyword, value string) (netip.Addr, error) {
	return func(keyword, value string) (netip.Addr, error) {
		addr, err := w.address(keyword, value)
		switch {
		case err == nil && multicast && !addr.IsMulticast():
			err = usage(value, "%s takes a multicast address", keyword)
		case err == nil && !multicast && addr.IsMulticast():
			err = usage(value, "%s takes no multicast address", keyword)
		}
		return addr, err
	}
}

func vxlanTTL(keyword, value string) (int, error) {
	switch value {
	case "auto":
		return 0, nil
	case "inherit":
		return 0, &UnknownWord{Word: value}
	}
	return uint8s(keyword, value)
}

func tableNumber(keyword, value string) (uint32, error) {
	if n, ok := tables.Number(value); ok {
		return n, nil
	}
	n, ok := number(value, 0, math.MaxUint32)
	if !ok {
		return 0, usage(value, "%s takes the name or the number of a routing table", keyword)
	}
	return uint32(n), nil
}

func (op LinkAdd) kindArgs() []string {
	switch {
	case op.Peer != nil:
		return append([]string{"peer"}, op.Peer.args()...)
	case op.Bridge != nil:
		return op.Bridge.args()
	case op.VLAN != nil:
		return op.VLAN.args()
	case op.VXLAN != nil:
		return op.VXLAN.args()
	case op.Macvlan != nil:
		var out argv
		out.word("mode", op.Macvlan.Mode)
		return out
	case op.IPvlan != nil:
		var out argv
		out.word("mode", op.IPvlan.Mode)
		out.flag(op.IPvlan.Flag, op.IPvlan.Flag != "")
		return out
	case op.VRF != nil:
		var out argv
		out.uint32("table", &op.VRF.Table)
		return out
	}
	return nil
}

func (op LinkSet) kindArgs() []string {
	switch {
	case op.Bridge != nil:
		return op.Bridge.args()
	case op.BridgePort != nil:
		return op.BridgePort.args()
	}
	return nil
}

func (b BridgeOptions) args() []string {
	var out argv
	out.int("stp_state", b.STP)
	out.int("forward_delay", b.ForwardDelay)
	out.int("hello_time", b.HelloTime)
	out.int("max_age", b.MaxAge)
	out.int("ageing_time", b.AgeingTime)
	out.int("priority", b.Priority)
	out.zeroOne("vlan_filtering", b.VLANFiltering)
	out.int("vlan_default_pvid", b.VLANDefaultPVID)
	out.zeroOne("mcast_snooping", b.MulticastSnooping)
	if b.GroupForwardMask != nil {
		mask := int(*b.GroupForwardMask)
		out.int("group_fwd_mask", &mask)
	}
	return out
}

func (p BridgePortOptions) args() []string {
	var out argv
	out.int("state", p.State)
	out.int("priority", p.Priority)
	out.int("cost", p.Cost)
	out.onOff("isolated", p.Isolated)
	out.onOff("learning", p.Learning)
	out.onOff("flood", p.Flood)
	out.onOff("hairpin", p.Hairpin)
	out.onOff("guard", p.Guard)
	out.onOff("neigh_suppress", p.NeighSuppress)
	return out
}

func (v VLANOptions) args() []string {
	var out argv
	if v.Protocol != "802.1Q" {
		out.word("protocol", v.Protocol)
	}
	if v.ID >= 0 {
		out.int("id", &v.ID)
	}
	return out
}

func (v VXLANOptions) args() []string {
	var out argv
	if v.ID >= 0 && !v.External {
		out.int("id", &v.ID)
	}
	out.addr("group", v.Group)
	out.addr("remote", v.Remote)
	out.addr("local", v.Local)
	out.word("dev", v.Dev)
	out.int("dstport", v.DstPort)
	out.int("ttl", v.TTL)
	out.choice("learning", "nolearning", v.Learning)
	out.flag("external", v.External)
	return out
}
