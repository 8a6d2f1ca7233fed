package causes

import "slices"

// Sign is what the Linux kernel says when a cause stops a packet. Reasons are those of enum skb_drop_reason
// (include/net/dropreason-core.h), which a kernel names itself; a file that is named below is where the kernel gives
// one. Many drops got their reason years after 5.17: until then it is NOT_SPECIFIED, and the place tells.
type Sign struct {
	// Here are the drops in the namespace of the cause: of the packet, or of the request for a neighbour for which it
	// waits.
	Here []Drop
	// Elsewhere are drops that follow from the cause, in whichever namespace.
	Elsewhere []Drop
	// Errnos are errors with which the kernel refuses to make a packet, or with which a connection ends. A reply that
	// cannot be made has no errno: nobody is told.
	Errnos []string
	// Unsent is set if the sender's link has no carrier, perhaps.
	Unsent bool
	// Silent is set if the packet may be lost without a drop.
	Silent bool
}

// Drop is a reason, without SKB_DROP_REASON_, and the function of the kernel that drops, "" for any.
type Drop struct{ Reason, Place string }

// Sign is what the kernel says when the cause stops a packet. It is empty for what a review alone lists, and for
// namespaces that do not exist, from which nothing is sent.
func (c Cause) Sign() Sign {
	if !c.Valid() {
		return Sign{}
	}
	return signs[c]
}

var (
	// A neighbour does not answer (neigh_invalidate and __neigh_event_send in net/core/neighbour.c, arp_error_report in
	// net/ipv4/arp.c, ndisc_error_report in net/ipv6/ndisc.c, without a reason).
	neighbour = []Drop{{"NEIGH_FAILED", ""}, {"NEIGH_QUEUEFULL", ""}, {"NOT_SPECIFIED", "neigh_invalidate"},
		{"NOT_SPECIFIED", "ndisc_error_report"}}
	// A router has no route, or one that refuses (ip_error in net/ipv4/route.c, ip6_pkt_drop in net/ipv6/route.c).
	refused = []Drop{{"IP_INNOROUTES", ""}, {"IP_OUTNOROUTES", ""}, {"NOT_SPECIFIED", "ip_error"},
		{"NOT_SPECIFIED", "ip6_pkt_drop"}}
	// A host that does not forward is no router, and IPv6 forwards nothing from a link-local address (ip_error in
	// net/ipv4/route.c, ip6_forward in net/ipv6/ip6_output.c).
	noRouter = []Drop{{"IP_INADDRERRORS", ""}, {"NOT_SPECIFIED", "ip_error"}, {"NOT_SPECIFIED", "ip6_forward"}}
	// The link takes nothing: noop_qdisc in net/sched/sch_generic.c, or the driver (veth_xmit in drivers/net/veth.c).
	noLink = []Drop{{"QDISC_DROP", ""}, {"DEV_READY", ""}, {"NOT_SPECIFIED", "veth_xmit"}}
	// A packet filter (nft_do_chain in net/netfilter/nf_tables_core.c; nf_hook_slow in net/netfilter/core.c for all
	// filters before Linux 6.7).
	filtered = []Drop{{"NETFILTER_DROP", ""}}
	// The frame is for another MAC address (ip_rcv_core in net/ipv4/ip_input.c, ip6_rcv_core in net/ipv6/ip6_input.c).
	otherMAC = []Drop{{"OTHERHOST", ""}}
	// A bridge takes nothing from the port, or sends nothing to it (br_handle_frame in net/bridge/br_input.c,
	// br_forward and br_flood in net/bridge/br_forward.c).
	port = []Drop{{"BRIDGE_INGRESS_STP_STATE", ""}, {"NO_TX_TARGET", ""}, {"NOT_SPECIFIED", "br_handle_frame"},
		{"NOT_SPECIFIED", "br_handle_frame_finish"}, {"NOT_SPECIFIED", "br_forward"}, {"NOT_SPECIFIED", "br_flood"}}
	tooBig = []Drop{{"PKT_TOO_BIG", ""}, {"NOT_SPECIFIED", "ip_forward"}, {"NOT_SPECIFIED", "ip6_forward"}}
	// net/ipv4/ip_forward.c, net/ipv6/ip6_output.c
	hopsUsedUp = []Drop{{"IP_INHDR", "ip_forward"}, {"IP_INHDR", "ip6_forward"}}
	// net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c, net/ipv4/udp.c
	noSocket = []Drop{{"NO_SOCKET", ""}}
)

// The errnos of routes are those of fib_props in net/ipv4/fib_semantics.c and fib6_prop in net/ipv6/route.c.
var signs = [count]Sign{
	NoInterface:  {Errnos: []string{"ENETUNREACH", "EADDRNOTAVAIL"}},
	LoopbackDown: {Here: noLink, Errnos: []string{"ENETUNREACH", "ENETDOWN"}},
	LocalRuleMissing: {Here: all(refused, noRouter, neighbour), Elsewhere: neighbour,
		Errnos: []string{"ENETUNREACH", "EHOSTUNREACH"}},
	// ip6_rcv_core in net/ipv6/ip6_input.c
	IPv6Disabled: {Here: []Drop{{"IPV6DISABLED", ""}}, Elsewhere: neighbour,
		Errnos: []string{"ENETUNREACH", "EADDRNOTAVAIL", "EACCES"}},
	AddressTentative: {Elsewhere: all(neighbour, noRouter), Errnos: []string{"EADDRNOTAVAIL"}, Silent: true},
	AddressDuplicate: {Elsewhere: all(neighbour, noRouter), Errnos: []string{"EADDRNOTAVAIL"}, Silent: true},
	ScopeMissing:     {Here: neighbour, Errnos: []string{"EINVAL", "ENETUNREACH"}},

	LinkDown: {Here: noLink, Elsewhere: all(noLink, neighbour), Errnos: []string{"ENETUNREACH", "ENETDOWN"},
		Unsent: true},
	// IP_INHDR in ip6_rcv_core: the unspecified address as a source
	NoAddress: {Here: neighbour, Elsewhere: all(neighbour, []Drop{{"IP_INHDR", "ip6_rcv_core"}}),
		Errnos: []string{"ENETUNREACH", "EADDRNOTAVAIL"}},
	PrefixMismatch: {Here: all(refused, neighbour), Elsewhere: neighbour, Errnos: []string{"ENETUNREACH"}},
	ConnectedRouteMissing: {Here: all(refused, noRouter, neighbour), Elsewhere: neighbour,
		Errnos: []string{"ENETUNREACH"}},
	NoRoute:          {Here: refused, Errnos: []string{"ENETUNREACH"}},
	RouteUnreachable: {Here: refused, Errnos: []string{"EHOSTUNREACH"}},
	RouteProhibit:    {Here: refused, Errnos: []string{"EACCES"}},
	// dst_discard in include/net/dst.h has no place of its own
	RouteBlackhole: {Here: refused, Errnos: []string{"EINVAL"}, Silent: true},
	RouteThrow:     {Here: refused, Errnos: []string{"ENETUNREACH"}},
	RuleDiverts: {Here: all(refused, noRouter), Elsewhere: all(refused, noRouter, neighbour, hopsUsedUp),
		Errnos: []string{"ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL"}},
	GatewayNowhere:      {Here: neighbour, Errnos: []string{"EHOSTUNREACH"}},
	GatewayWrong:        {Elsewhere: all(noRouter, refused, neighbour, hopsUsedUp)},
	RouteOutOfWrongLink: {Here: all(neighbour, noLink), Elsewhere: all(noRouter, refused), Unsent: true},
	RoutingLoop:         {Elsewhere: hopsUsedUp},

	PeerDown:  {Here: noLink, Elsewhere: all(noLink, neighbour), Unsent: true},
	NoCarrier: {Here: noLink, Elsewhere: all(noLink, neighbour), Unsent: true},
	// IP_LOCAL_SOURCE in net/ipv4/fib_frontend.c: what arrives comes from an address of its own
	SameNamespace: {Here: all(noLink, neighbour, []Drop{{"IP_LOCAL_SOURCE", ""}}), Unsent: true},
	ARPOff:        {Elsewhere: all(neighbour, otherMAC)},
	QueueDrops: {Here: []Drop{{"QDISC_DROP", ""}, {"QDISC_OVERLIMIT", ""}, {"QDISC_CONGESTED", ""},
		{"TC_EGRESS", ""}}, Elsewhere: neighbour, Errnos: []string{"ENOBUFS"}},
	MTUExceeded: {Here: tooBig, Errnos: []string{"EMSGSIZE"}},
	// ____dev_forward_skb in include/linux/netdevice.h: the receiving end of a veth pair takes no more than its MTU
	MTUMismatch: {Elsewhere: all(tooBig, []Drop{{"NOT_SPECIFIED", "__dev_forward_skb"},
		{"NOT_SPECIFIED", "__dev_forward_skb2"}, {"NOT_SPECIFIED", "veth_xmit"}}),
		Errnos: []string{"EMSGSIZE", "ENOBUFS"}},
	MTUBlackHole: {Here: tooBig},

	NeighbourWrong:    {Elsewhere: all(otherMAC, neighbour, port), Silent: true},
	AddressNowhere:    {Elsewhere: neighbour},
	AddressOffSegment: {Elsewhere: neighbour},
	ARPIgnored:        {Elsewhere: neighbour},
	ProxyOff:          {Elsewhere: neighbour},
	BridgeDown:        {Here: all(port, noLink), Elsewhere: neighbour, Unsent: true},
	NotAPort:          {Elsewhere: neighbour, Unsent: true},
	PortDown:          {Here: noLink, Elsewhere: neighbour, Unsent: true},
	// a bridge has no carrier if none of its ports forwards (br_port_state_selection in net/bridge/br_stp.c)
	PortBlocked:   {Here: port, Elsewhere: neighbour, Unsent: true, Silent: true},
	PortIsolated:  {Here: port, Elsewhere: neighbour, Silent: true},
	HairpinOff:    {Here: port, Silent: true},
	AddressOnPort: {Here: neighbour, Elsewhere: neighbour},
	VLANMismatch:  {Here: port, Elsewhere: neighbour, Silent: true},
	// vxlan_rcv and vxlan_xmit in drivers/net/vxlan/vxlan_core.c, __udp4_lib_rcv in net/ipv4/udp.c
	VNIMismatch: {Elsewhere: all([]Drop{{"VXLAN_VNI_NOT_FOUND", ""}, {"NOT_SPECIFIED", "vxlan_rcv"}},
		neighbour)},
	TunnelPortMismatch: {Elsewhere: all(noSocket, neighbour)},
	TunnelRemoteMissing: {Here: []Drop{{"NO_TX_TARGET", ""}, {"NOT_SPECIFIED", "vxlan_xmit"}},
		Elsewhere: neighbour},
	MacvlanParent:    {Here: noLink, Elsewhere: neighbour, Unsent: true, Silent: true},
	DuplicateMAC:     {Elsewhere: all(port, neighbour, otherMAC), Silent: true},
	DuplicateAddress: {Elsewhere: all(neighbour, noSocket), Errnos: []string{"ECONNREFUSED"}, Silent: true},

	ForwardingOff: {Here: noRouter},
	// fib_validate_source in net/ipv4/fib_frontend.c; ARP is silent there (arp_process in net/ipv4/arp.c)
	ReversePathFilter: {Here: []Drop{{"IP_RPFILTER", ""}}, Elsewhere: neighbour, Silent: true},
	FilterOutput: {Here: filtered, Elsewhere: neighbour,
		Errnos: []string{"EPERM", "ECONNREFUSED", "EHOSTUNREACH", "EACCES"}},
	FilterForward: {Here: filtered, Errnos: []string{"ECONNREFUSED"}},
	FilterInput:   {Here: filtered, Elsewhere: neighbour, Errnos: []string{"ECONNREFUSED"}},
	FilterBridge:  {Here: filtered, Elsewhere: neighbour},
	// sch_handle_ingress and do_xdp_generic in net/core/dev.c
	FilterIngress: {Here: all(filtered, []Drop{{"TC_INGRESS", ""}, {"XDP", ""}}), Elsewhere: neighbour},
	FilterARP:     {Here: filtered, Elsewhere: neighbour},
	// icmp_echo in net/ipv4/icmp.c takes the request, and does not answer
	EchoIgnored: {Silent: true},
	// the packet leaves, and what comes back is for nobody, or does not come back
	TranslationMissing: {Elsewhere: all(refused, noRouter, neighbour, []Drop{{"IP_RPFILTER", ""}}), Silent: true},
	NotListening:       {Here: noSocket, Errnos: []string{"ECONNREFUSED"}},
}

// all joins lists.
func all(lists ...[]Drop) []Drop { return slices.Concat(lists...) }
