// Package state is a snapshot of network namespaces as plain values: links, addresses, routes, rules, neighbours,
// queueing disciplines, sysctls, listening sockets. It has their normal form, their differences and the search for the
// nearest name. It is pure: anybody may import it, it imports nothing of this project but scenario/operation and
// nearest, and it never reads the kernel itself (internal/observe does).
package state

import (
	"net/netip"
	"slices"
)

// State is what was read of all namespaces of a lab or of a machine in one sweep; the host namespace first, the others
// by name, and those without a name behind.
type State struct {
	Namespaces []Namespace `json:"namespaces"`
	// NotNamespaces are the names in /run/netns that are no mounted namespaces.
	NotNamespaces []string `json:"not_namespaces,omitempty"`
	// Redacted says that the addresses are not those of the network that was read (Redact).
	Redacted bool `json:"redacted,omitempty"`
	// Asked are the addresses that a diagnosis was asked about when a redacted state was saved, as they are in it.
	Asked []netip.Addr `json:"asked,omitempty"`
	// Strays say what of these is no plain file.
	Strays []Stray `json:"strays,omitempty"`
}

// Stray is what has a name in /run/netns and is no namespace.
type Stray struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Target is where a link leads.
	Target string `json:"target,omitempty"`
}

// The kinds of a Stray. A file is empty, as those are on which `ip netns add` mounts a namespace, a directory too
// unless it is full; a mount is one of something else than a network namespace.
const (
	StrayFile          = "file"
	StrayFullFile      = "full file"
	StrayDirectory     = "directory"
	StrayFullDirectory = "full directory"
	StrayLink          = "link"
	StrayDangling      = "dangling link"
	StrayMount         = "mount"
	StrayFIFO          = "FIFO"
	StraySocket        = "socket"
	StrayDevice        = "device"
)

// Namespace is one network namespace.
type Namespace struct {
	Name string `json:"name"`
	// OtherNames are further names in /run/netns for the same namespace.
	OtherNames []string `json:"other_names,omitempty"`
	// Inode identifies the namespace on its machine while it lives (stat(2) of the nsfs file).
	Inode  uint64  `json:"inode"`
	Links  []Link  `json:"links"` // by index
	Routes []Route `json:"routes,omitempty"`
	// PathMTUs are what the kernel has learned of the way to single addresses: routes with an MTU that last for some
	// minutes (ip route show cache).
	PathMTUs   []Route       `json:"path_mtus,omitempty"`
	Rules      []Rule        `json:"rules,omitempty"`
	Neighbours []Neighbour   `json:"neighbours,omitempty"`
	FDB        []FDBEntry    `json:"fdb,omitempty"`
	Qdiscs     []Qdisc       `json:"qdiscs,omitempty"`
	Sysctls    []Sysctl      `json:"sysctls,omitempty"`
	Listeners  []Listener    `json:"listeners,omitempty"`
	Filters    []FilterTable `json:"filters,omitempty"`
	// Unread says what could not be read, and why.
	Unread []string `json:"unread,omitempty"`
	// Nameless says that only processes or descriptors keep the namespace; PIDs are such processes.
	Nameless bool  `json:"nameless,omitempty"`
	PIDs     []int `json:"pids,omitempty"`
	// NetnsIDs are the ids this namespace uses for others of the State (RTM_GETNSID), by id.
	NetnsIDs []NetnsID `json:"netns_ids,omitempty"`
}

// NetnsID says that the id means the namespace with this name ("" when it is none of the State).
type NetnsID struct {
	ID    int    `json:"id"`
	Netns string `json:"netns"`
}

// Link is a network interface with its addresses.
type Link struct {
	Index    int      `json:"index"`
	Name     string   `json:"name"`
	AltNames []string `json:"altnames,omitempty"`
	Alias    string   `json:"alias,omitempty"`
	// Kind is IFLA_INFO_KIND, "loopback" for lo, "" for a device without a kind.
	Kind string `json:"kind"`
	Up   bool   `json:"up"` // IFF_UP, administrative
	// Carrier is IFLA_CARRIER 1 on a link that is up.
	Carrier   bool   `json:"carrier"`
	OperState string `json:"operstate"`
	MTU       int    `json:"mtu"`
	MAC       string `json:"mac,omitempty"`
	// MACRandom says that the kernel chose the address (NET_ADDR_RANDOM, /sys/class/net/X/addr_assign_type 1), as far
	// as known.
	MACRandom   bool   `json:"mac_random,omitempty"`
	Broadcast   string `json:"broadcast,omitempty"`
	TxQLen      int    `json:"txqlen"`
	NumTx       int    `json:"numtx"`
	NumRx       int    `json:"numrx"`
	Group       uint32 `json:"group"`
	Promiscuity int    `json:"promiscuity"`
	NoARP       bool   `json:"noarp,omitempty"`
	Promisc     bool   `json:"promisc,omitempty"`
	AllMulti    bool   `json:"allmulti,omitempty"`
	NoMulticast bool   `json:"nomulticast,omitempty"`
	Protodown   bool   `json:"protodown,omitempty"`
	Mode        string `json:"mode,omitempty"` // default, dormant
	GSOMaxSize  int    `json:"gso_max_size,omitempty"`
	Qdisc       string `json:"qdisc,omitempty"`
	// Master is the name of the bridge, vrf or bond above, "" for none.
	Master string `json:"master,omitempty"`
	// Peer is the other end of a veth pair; for vlan, macvlan and the like the lower device. nil when the kernel names
	// none.
	Peer      *LinkRef  `json:"peer,omitempty"`
	Addresses []Address `json:"addresses,omitempty"`
	Bridge    *Bridge   `json:"bridge,omitempty"`
	Port      *Port     `json:"port,omitempty"`
	VLAN      *VLAN     `json:"vlan,omitempty"`
	VXLAN     *VXLAN    `json:"vxlan,omitempty"`
	Macvlan   string    `json:"macvlan_mode,omitempty"`
	IPvlan    string    `json:"ipvlan_mode,omitempty"`
	VRFTable  uint32    `json:"vrf_table,omitempty"`
	// Counters are the link's statistics: rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped,
	// tx_dropped, …
	Counters map[string]uint64 `json:"counters,omitempty"`
}

// LinkRef points to a link, in this or another namespace of the State.
type LinkRef struct {
	Index int `json:"index"`
	// Netns and Name are "" when the namespace is not part of the State; Hidden then says so.
	Netns  string `json:"netns,omitempty"`
	Name   string `json:"name,omitempty"`
	Hidden bool   `json:"hidden,omitempty"`
}

// Address is an address of a link.
type Address struct {
	Prefix    netip.Prefix `json:"prefix"`
	Peer      netip.Prefix `json:"peer"` // not valid when none
	Broadcast netip.Addr   `json:"broadcast"`
	Scope     string       `json:"scope"`
	Label     string       `json:"label,omitempty"`
	// Flags as ip-address(8) names them: tentative, dadfailed, deprecated, permanent, secondary, noprefixroute, nodad,
	// …, in this order.
	Flags []string `json:"flags,omitempty"`
	// ValidLft and PreferredLft are in seconds, ^uint32(0) for ever.
	ValidLft     uint32 `json:"valid_lft"`
	PreferredLft uint32 `json:"preferred_lft"`
	// Proto is IFA_PROTO where the kernel tells it: 1 lo, 2 ra, 3 link-local.
	Proto uint8 `json:"proto,omitempty"`
}

// Route is a route of any table.
type Route struct {
	Family    int          `json:"family"` // 4 or 6
	Type      string       `json:"type"`   // unicast, local, broadcast, unreachable, …
	To        netip.Prefix `json:"to"`     // the default route is 0.0.0.0/0 or ::/0
	From      netip.Prefix `json:"from"`
	TOS       uint8        `json:"tos,omitempty"`
	Table     uint32       `json:"table"`
	Proto     string       `json:"proto"` // kernel, boot, static, ra, … or a number
	Scope     string       `json:"scope"` // global, site, link, host, nowhere or a number
	Src       netip.Addr   `json:"src"`   // preferred source
	Metric    uint32       `json:"metric,omitempty"`
	MTU       int          `json:"mtu,omitempty"`
	MTULock   bool         `json:"mtu_lock,omitempty"`
	Window    int          `json:"window,omitempty"`
	AdvMSS    int          `json:"advmss,omitempty"`
	Pref      string       `json:"pref,omitempty"`
	Nexthops  []Nexthop    `json:"nexthops,omitempty"` // one for an ordinary route, none for a route without a device
	NexthopID uint32       `json:"nhid,omitempty"`
}

// Nexthop is where a route leads.
type Nexthop struct {
	Via    netip.Addr `json:"via"`
	Dev    string     `json:"dev,omitempty"`
	Weight int        `json:"weight,omitempty"`
	// Flags: onlink, linkdown, dead, pervasive.
	Flags []string `json:"flags,omitempty"`
}

// Rule is a policy rule.
type Rule struct {
	Family               int          `json:"family"`
	Priority             uint32       `json:"priority"`
	Not                  bool         `json:"not,omitempty"`
	From                 netip.Prefix `json:"from"` // not valid: all
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
	L3MDev               bool         `json:"l3mdev,omitempty"`
	// kernel, boot, static, … or a number; "" where the kernel does not tell
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

// FDBEntry is an entry of a bridge's or a vxlan's forwarding database.
type FDBEntry struct {
	MAC    string     `json:"mac"`
	Dev    string     `json:"dev"` // the port, or the vxlan device
	Master string     `json:"master,omitempty"`
	Dst    netip.Addr `json:"dst"` // vxlan remote
	VLAN   int        `json:"vlan,omitempty"`
	// Learned says that the kernel learned it by itself; Permanent that it is the port's own or was set so.
	Learned   bool `json:"learned,omitempty"`
	Permanent bool `json:"permanent,omitempty"`
}

// Qdisc is a queueing discipline of a link.
type Qdisc struct {
	Dev    string `json:"dev"`
	Kind   string `json:"kind"`
	Handle string `json:"handle"`
	Parent string `json:"parent"`
	// Default says that the kernel put it there by itself.
	Default bool `json:"default,omitempty"`
	// Options is a readable form of what the discipline is set to.
	Options string `json:"options,omitempty"`
}

// Sysctl is a value under /proc/sys, key in dotted form.
type Sysctl struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Listener is a socket that waits for connections or datagrams.
type Listener struct {
	Proto string     `json:"proto"` // tcp, udp
	Addr  netip.Addr `json:"addr"`
	Port  uint16     `json:"port"`
	// V6Only says that one on all addresses hears IPv6 alone (IPV6_V6ONLY).
	V6Only bool `json:"v6only,omitempty"`
}

// Bridge are the settings of a bridge.
type Bridge struct {
	STP               int    `json:"stp"`
	ForwardDelay      int    `json:"forward_delay"`
	HelloTime         int    `json:"hello_time"`
	MaxAge            int    `json:"max_age"`
	AgeingTime        int    `json:"ageing_time"`
	Priority          int    `json:"priority"`
	VLANFiltering     bool   `json:"vlan_filtering,omitempty"`
	VLANProtocol      string `json:"vlan_protocol,omitempty"`
	DefaultPVID       int    `json:"default_pvid,omitempty"`
	MulticastSnooping bool   `json:"mcast_snooping,omitempty"`
	GroupForwardMask  uint16 `json:"group_fwd_mask,omitempty"`
}

// Port are the settings of a bridge port.
type Port struct {
	State         string     `json:"state"` // disabled, listening, learning, forwarding, blocking
	Cost          int        `json:"cost"`
	Priority      int        `json:"priority"`
	Isolated      bool       `json:"isolated,omitempty"`
	Hairpin       bool       `json:"hairpin,omitempty"`
	Guard         bool       `json:"guard,omitempty"`
	NoLearning    bool       `json:"no_learning,omitempty"`
	NoFlood       bool       `json:"no_flood,omitempty"`
	NeighSuppress bool       `json:"neigh_suppress,omitempty"`
	VLANs         []PortVLAN `json:"vlans,omitempty"`
}

// PortVLAN is a VLAN allowed on a bridge port.
type PortVLAN struct {
	ID       int  `json:"id"`
	PVID     bool `json:"pvid,omitempty"`
	Untagged bool `json:"untagged,omitempty"`
}

// VLAN is what a vlan link tags with.
type VLAN struct {
	ID       int    `json:"id"`
	Protocol string `json:"protocol"`
}

// VXLAN is what a vxlan link is set to.
type VXLAN struct {
	ID       int        `json:"id"`
	Remote   netip.Addr `json:"remote"` // unicast remote or multicast group
	Local    netip.Addr `json:"local"`
	Dev      string     `json:"dev,omitempty"`
	DstPort  int        `json:"dstport"`
	Learning bool       `json:"learning"`
}

// Namespace finds a namespace by its name or another name of it; nil when there is none, and then nothing is found in
// it either.
func (s *State) Namespace(name string) *Namespace {
	if s == nil {
		return nil
	}
	for i := range s.Namespaces {
		if s.Namespaces[i].Name == name {
			return &s.Namespaces[i]
		}
	}
	for i := range s.Namespaces {
		for _, other := range s.Namespaces[i].OtherNames {
			if other == name {
				return &s.Namespaces[i]
			}
		}
	}
	return nil
}

// Stray says what has the name in /run/netns instead of a namespace; not ok when nothing has. Of an old state, that
// is a plain file.
func (s *State) Stray(name string) (stray Stray, ok bool) {
	for _, one := range s.Strays {
		if one.Name == name {
			return one, true
		}
	}
	return Stray{Name: name, Kind: StrayFile}, slices.Contains(s.NotNamespaces, name)
}

// Link finds a link by its name or an alternative name; nil when there is none, or no such namespace.
func (n *Namespace) Link(name string) *Link {
	if n == nil {
		return nil
	}
	for i := range n.Links {
		if n.Links[i].Name == name {
			return &n.Links[i]
		}
	}
	for i := range n.Links {
		for _, alt := range n.Links[i].AltNames {
			if alt == name {
				return &n.Links[i]
			}
		}
	}
	return nil
}
