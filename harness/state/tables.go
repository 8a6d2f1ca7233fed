package state

import "net/netip"

// Route is a route of any table.
type Route struct {
	Family  int          `json:"family"` // 4 or 6
	Type    string       `json:"type"`   // unicast, local, broadcast, unreachable, …
	To      netip.Prefix `json:"to"`     // the default route is 0.0.0.0/0 or ::/0
	From    netip.Prefix `json:"from"`
	TOS     uint8        `json:"tos,omitempty"`
	Table   uint32       `json:"table"`
	Proto   string       `json:"proto"` // kernel, boot, static, ra, … or a number
	Scope   string       `json:"scope"` // global, site, link, host, nowhere or a number
	Src     netip.Addr   `json:"src"`   // preferred source
	Metric  uint32       `json:"metric,omitempty"`
	MTU     int          `json:"mtu,omitempty"`
	MTULock bool         `json:"mtu_lock,omitempty"`
	Window  int          `json:"window,omitempty"`
	AdvMSS  int          `json:"advmss,omitempty"`
	Pref    string       `json:"pref,omitempty"`
	// Metrics are the other metrics, and those above but mtu that are locked, in the words of `ip route`: `initcwnd
	// 10`, `advmss lock 1000`.
	Metrics   []string  `json:"metrics,omitempty"`
	Nexthops  []Nexthop `json:"nexthops,omitempty"` // one for an ordinary route, none for a route without a device
	NexthopID uint32    `json:"nhid,omitempty"`
}

// Nexthop is a next hop of a route.
type Nexthop struct {
	Via    netip.Addr `json:"via"`
	Dev    string     `json:"dev,omitempty"`
	Weight int        `json:"weight,omitempty"`
	// Flags: dead, onlink, pervasive, linkdown, unresolved, and offload, trap of a switch in hardware, in this order.
	Flags []string `json:"flags,omitempty"`
	// Encap is the lightweight tunnel of the next hop as `encap` takes it, without the options that are zero:
	// `ip id 5 dst 10.0.0.9`; "" for none. It is the type with NotDecoded behind it if the rest is not known here.
	Encap string `json:"encap,omitempty"`
}

// NotDecoded ends the Encap of a next hop, parts of which are not known here.
const NotDecoded = "(not decoded)"

// NexthopObject is an object of `ip nexthop`, which routes refer to by its id: one next hop, or a group of them.
type NexthopObject struct {
	ID uint32 `json:"id"`
	// Family is 4 or 6, or 0 for a group.
	Family int `json:"family,omitempty"`
	Nexthop
	Blackhole bool `json:"blackhole,omitempty"`
	// FDB is set for an object that only entries of a vxlan's forwarding table refer to.
	FDB   bool   `json:"fdb,omitempty"`
	Scope string `json:"scope"`
	Proto string `json:"proto"`
	// Group are the members of a group, in their order.
	Group []NexthopMember `json:"group,omitempty"`
	// Resilient is set for a group that keeps its flows (type resilient); nil for an ordinary one.
	Resilient *Resilient `json:"resilient,omitempty"`
}

// NexthopMember is a member of a group of nexthop objects.
type NexthopMember struct {
	ID     uint32 `json:"id"`
	Weight int    `json:"weight"`
}

// Resilient are the settings of a resilient group. Times are in seconds.
type Resilient struct {
	Buckets         int `json:"buckets"`
	IdleTimer       int `json:"idle_timer"`
	UnbalancedTimer int `json:"unbalanced_timer"`
}

// Rule is a policy rule.
type Rule struct {
	Family               int          `json:"family"`
	Priority             uint32       `json:"priority"`
	Not                  bool         `json:"not,omitempty"`
	From                 netip.Prefix `json:"from"` // the zero Prefix for all
	To                   netip.Prefix `json:"to"`
	TOS                  uint8        `json:"tos,omitempty"`
	Mark                 uint32       `json:"mark,omitempty"`
	Mask                 uint32       `json:"mask,omitempty"`
	IIf                  string       `json:"iif,omitempty"`
	OIf                  string       `json:"oif,omitempty"`
	IPProto              string       `json:"ipproto,omitempty"`
	SPort                string       `json:"sport,omitempty"`
	DPort                string       `json:"dport,omitempty"`
	UIDRange             string       `json:"uidrange,omitempty"`
	Table                uint32       `json:"table"`
	Action               string       `json:"action"` // lookup, goto, nop, unreachable, prohibit, blackhole
	Goto                 uint32       `json:"goto,omitempty"`
	SuppressPrefixLength *int         `json:"suppress_prefixlength,omitempty"`
	SuppressIfGroup      *uint32      `json:"suppress_ifgroup,omitempty"`
	L3MDev               bool         `json:"l3mdev,omitempty"`
	// Protocol is kernel, boot, static, … or a number; "" if the kernel does not report it.
	Protocol string `json:"protocol,omitempty"`
}

// Neighbour is an entry of the neighbour table (ARP or NDP).
type Neighbour struct {
	Addr   netip.Addr `json:"addr"`
	Dev    string     `json:"dev"`
	MAC    string     `json:"mac,omitempty"`
	State  string     `json:"state"` // reachable, stale, delay, probe, failed, incomplete, permanent, noarp
	Proxy  bool       `json:"proxy,omitempty"`
	Router bool       `json:"router,omitempty"`
}

// FDBEntry is an entry in the forwarding database of a bridge or a vxlan. It is static if it is neither Learned nor
// Permanent.
type FDBEntry struct {
	MAC    string     `json:"mac"`
	Dev    string     `json:"dev"`              // the port, or the vxlan device
	Master string     `json:"master,omitempty"` // the bridge; "" in the table of a vxlan device itself
	Dst    netip.Addr `json:"dst"`              // vxlan remote
	VLAN   int        `json:"vlan,omitempty"`
	// Learned is set for a dynamic entry, which the kernel learned from traffic or was given as one: it ages.
	Learned bool `json:"learned,omitempty"`
	// Permanent is set for the address of a port or of the bridge itself, and for one that was added as permanent: a
	// bridge takes frames for it for its own, a vxlan device sends them to Dst.
	Permanent bool `json:"permanent,omitempty"`
	// Sticky entries do not move to another port on which the address is seen (NTF_STICKY). ExternLearned were added
	// by a program that learns in the kernel's place, and do not age (NTF_EXT_LEARNED). Offloaded are in the hardware
	// of a switch (NTF_OFFLOADED).
	Sticky        bool `json:"sticky,omitempty"`
	ExternLearned bool `json:"extern_learn,omitempty"`
	Offloaded     bool `json:"offload,omitempty"`
	// NexthopID is the nexthop object that a vxlan device sends to in place of Dst.
	NexthopID uint32 `json:"nhid,omitempty"`
}
