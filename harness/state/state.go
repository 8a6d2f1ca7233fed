// Package state describes a snapshot of network namespaces as plain values: links, addresses, routes, rules,
// neighbours, queueing disciplines, sysctls, listening sockets. It computes their normal form and their differences,
// and finds the nearest name. It is pure: any package may import it, it imports only scenario/operation and nearest
// from this project, and it never reads the kernel itself (internal/observe does).
package state

import (
	"net/netip"
	"slices"
)

// State is a snapshot of all namespaces of a lab or a machine: the host namespace first, then the others by name, then
// those without a name.
type State struct {
	Namespaces []Namespace `json:"namespaces"`
	// NotNamespaces are the names in /run/netns that are not mounted namespaces.
	NotNamespaces []string `json:"not_namespaces,omitempty"`
	// Redacted is set if the addresses have been replaced (Redact).
	Redacted bool `json:"redacted,omitempty"`
	// Asked are the addresses a diagnosis was asked about when a redacted state was saved, in their redacted form.
	Asked []netip.Addr `json:"asked,omitempty"`
	// Strays describe those NotNamespaces that are not plain files.
	Strays []Stray `json:"strays,omitempty"`
}

// Stray is an entry of /run/netns that is not a namespace.
type Stray struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Target is the target of a symbolic link.
	Target string `json:"target,omitempty"`
}

// The kinds of a Stray. Files and directories are empty unless they are full; `ip netns add` mounts a namespace on an
// empty file. A mount is a mount of anything but a network namespace.
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
	// OtherNames are further names of the namespace in /run/netns.
	OtherNames []string `json:"other_names,omitempty"`
	// Inode identifies the namespace on its machine while it exists (stat(2) of the nsfs file).
	Inode  uint64  `json:"inode"`
	Links  []Link  `json:"links"` // by index
	Routes []Route `json:"routes,omitempty"`
	// PathMTUs are the path MTUs the kernel has learned for single addresses: routes with an MTU that expire after some
	// minutes (ip route show cache).
	PathMTUs   []Route       `json:"path_mtus,omitempty"`
	Rules      []Rule        `json:"rules,omitempty"`
	Neighbours []Neighbour   `json:"neighbours,omitempty"`
	FDB        []FDBEntry    `json:"fdb,omitempty"`
	Qdiscs     []Qdisc       `json:"qdiscs,omitempty"`
	TCFilters  []TCFilter    `json:"tc_filters,omitempty"`
	Sysctls    []Sysctl      `json:"sysctls,omitempty"`
	Listeners  []Listener    `json:"listeners,omitempty"`
	Filters    []FilterTable `json:"filters,omitempty"`
	// LegacyFilters are the tables of iptables-legacy and ip6tables-legacy, which stand at the same hooks beside the
	// Filters. The handle of a rule is its number in the chain.
	LegacyFilters []FilterTable `json:"legacy_filters,omitempty"`
	// IPSets are the sets of ipset, read with the Filters.
	IPSets []IPSet `json:"ipsets,omitempty"`
	// Connections are those that connection tracking knows, read with the Filters; MoreConnections is set if there were
	// more than are read of a namespace.
	Connections     []Connection `json:"connections,omitempty"`
	MoreConnections bool         `json:"more_connections,omitempty"`
	// Unread names what could not be read, and why.
	Unread []string `json:"unread,omitempty"`
	// Nameless is set if only processes or descriptors keep the namespace alive; PIDs are such processes.
	Nameless bool  `json:"nameless,omitempty"`
	PIDs     []int `json:"pids,omitempty"`
	// NexthopObjects are the objects of `ip nexthop` (since Linux 5.3), by id.
	NexthopObjects []NexthopObject `json:"nexthop_objects,omitempty"`
	// NetnsIDs are the ids of other namespaces in this one (RTM_GETNSID), sorted by id.
	NetnsIDs []NetnsID `json:"netns_ids,omitempty"`
}

// NetnsID is the id of the namespace with this name ("" if that is outside the State).
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
	// Carrier is set if the link is up and IFLA_CARRIER is 1.
	Carrier   bool   `json:"carrier"`
	OperState string `json:"operstate"`
	MTU       int    `json:"mtu"`
	MAC       string `json:"mac,omitempty"`
	// MACRandom is set if the kernel is known to have chosen the address (NET_ADDR_RANDOM,
	// /sys/class/net/X/addr_assign_type 1).
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
	// Master is the name of the bridge, VRF or bond that the link belongs to, "" for none.
	Master string `json:"master,omitempty"`
	// Peer is the other end of a veth pair, or the lower device of a vlan, macvlan and the like; nil if the kernel
	// names none.
	Peer      *LinkRef  `json:"peer,omitempty"`
	Addresses []Address `json:"addresses,omitempty"`
	Bridge    *Bridge   `json:"bridge,omitempty"`
	Port      *Port     `json:"port,omitempty"`
	VLAN      *VLAN     `json:"vlan,omitempty"`
	VXLAN     *VXLAN    `json:"vxlan,omitempty"`
	Macvlan   string    `json:"macvlan_mode,omitempty"`
	IPvlan    string    `json:"ipvlan_mode,omitempty"`
	VRFTable  uint32    `json:"vrf_table,omitempty"`
	// XDP are the programs that see the frames that arrive before anything else does.
	XDP []BPFProgram `json:"xdp,omitempty"`
	// Counters are the link's statistics: rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped,
	// tx_dropped, …
	Counters map[string]uint64 `json:"counters,omitempty"`
}

// LinkRef refers to a link in the same or another namespace.
type LinkRef struct {
	Index int `json:"index"`
	// Netns and Name are "" and Hidden is set if the namespace is outside the State.
	Netns  string `json:"netns,omitempty"`
	Name   string `json:"name,omitempty"`
	Hidden bool   `json:"hidden,omitempty"`
}

// Address is an address of a link.
type Address struct {
	Prefix    netip.Prefix `json:"prefix"`
	Peer      netip.Prefix `json:"peer"` // the zero Prefix for none
	Broadcast netip.Addr   `json:"broadcast"`
	Scope     string       `json:"scope"`
	Label     string       `json:"label,omitempty"`
	// Flags as ip-address(8) names them: tentative, dadfailed, deprecated, permanent, secondary, noprefixroute, nodad,
	// …, in this order.
	Flags []string `json:"flags,omitempty"`
	// ValidLft and PreferredLft are in seconds, or Forever.
	ValidLft     uint32 `json:"valid_lft"`
	PreferredLft uint32 `json:"preferred_lft"`
	// Proto is IFA_PROTO if the kernel reports it (since 5.18): 1 lo, 2 ra, 3 link-local.
	Proto uint8 `json:"proto,omitempty"`
}

// Qdisc is a queueing discipline of a link.
type Qdisc struct {
	Dev    string `json:"dev"`
	Kind   string `json:"kind"`
	Handle string `json:"handle"`
	Parent string `json:"parent"`
	// Default is set if the kernel attached it by default.
	Default bool `json:"default,omitempty"`
	// Options are the settings in a readable form.
	Options string `json:"options,omitempty"`
}

// Sysctl is a value under /proc/sys, with its key in dotted form.
type Sysctl struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Listener is a socket that accepts connections or datagrams.
type Listener struct {
	Proto string     `json:"proto"` // tcp, udp
	Addr  netip.Addr `json:"addr"`
	Port  uint16     `json:"port"`
	// V6Only is set if a socket bound to :: receives IPv6 only (IPV6_V6ONLY).
	V6Only bool `json:"v6only,omitempty"`
}

// Bridge are the settings of a bridge. Times are in hundredths of a second. VLANProtocol is "" if the kernel has no
// VLAN tables for bridges (CONFIG_BRIDGE_VLAN_FILTERING).
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
	MulticastQuerier  bool   `json:"mcast_querier,omitempty"`
	GroupForwardMask  uint16 `json:"group_fwd_mask,omitempty"`
	// NFCallIPTables, NFCallIP6Tables and NFCallARPTables are set if the bridge itself passes what it bridges to the
	// filters of IP and ARP. The sysctls net.bridge.bridge-nf-call-… do so for all bridges of a namespace.
	NFCallIPTables  bool `json:"nf_call_iptables,omitempty"`
	NFCallIP6Tables bool `json:"nf_call_ip6tables,omitempty"`
	NFCallARPTables bool `json:"nf_call_arptables,omitempty"`
	// VLANs are those of the bridge itself: whose frames it takes for its own namespace.
	VLANs []PortVLAN `json:"vlans,omitempty"`
}

// PortStates are the states of a bridge port, by their numbers (BR_STATE_… in linux/if_bridge.h).
var PortStates = []string{"disabled", "listening", "learning", "forwarding", "blocking"}

// Port are the settings of a bridge port.
type Port struct {
	State            string `json:"state"` // one of PortStates
	Cost             int    `json:"cost"`
	Priority         int    `json:"priority"`
	Isolated         bool   `json:"isolated,omitempty"`
	Hairpin          bool   `json:"hairpin,omitempty"`
	Guard            bool   `json:"guard,omitempty"`
	RootBlock        bool   `json:"root_block,omitempty"`
	FastLeave        bool   `json:"fastleave,omitempty"`
	NoLearning       bool   `json:"no_learning,omitempty"`
	NoFlood          bool   `json:"no_flood,omitempty"`
	NoMulticastFlood bool   `json:"no_mcast_flood,omitempty"`
	NoBroadcastFlood bool   `json:"no_bcast_flood,omitempty"`
	MulticastUnicast bool   `json:"mcast_to_unicast,omitempty"`
	NeighSuppress    bool   `json:"neigh_suppress,omitempty"`
	ProxyARP         bool   `json:"proxy_arp,omitempty"`
	ProxyARPWiFi     bool   `json:"proxy_arp_wifi,omitempty"`
	VLANTunnel       bool   `json:"vlan_tunnel,omitempty"`
	Locked           bool   `json:"locked,omitempty"`
	// VLANs is the port's VLAN table.
	VLANs []PortVLAN `json:"vlans,omitempty"`
	// ForwardTimer is how long a listening or learning port stays in its state, in hundredths of a second; 0 if it does
	// not leave it by itself.
	ForwardTimer int `json:"-"`
}

// PortVLAN is an entry in the VLAN table of a bridge port or of a bridge.
type PortVLAN struct {
	ID       int  `json:"id"`
	PVID     bool `json:"pvid,omitempty"`
	Untagged bool `json:"untagged,omitempty"`
}

// VLAN is the tag of a vlan link.
type VLAN struct {
	ID       int    `json:"id"`
	Protocol string `json:"protocol"`
}

// VXLAN are the settings of a vxlan link.
type VXLAN struct {
	ID       int        `json:"id"`
	Remote   netip.Addr `json:"remote"` // unicast remote or multicast group
	Local    netip.Addr `json:"local"`
	Dev      string     `json:"dev,omitempty"`
	DstPort  int        `json:"dstport"`
	Learning bool       `json:"learning"`
	DF       string     `json:"df,omitempty"` // "" (unset), set or inherit: don't fragment, of the outer packets
}

// Namespace is the namespace with this name, which may be one of its OtherNames; nil if there is none. Looking up a
// link in nil finds none.
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

// Stray is the entry of /run/netns with this name that is not a namespace; not ok if there is none. In a state from
// before strays were recorded it is a plain file.
func (s *State) Stray(name string) (stray Stray, ok bool) {
	for _, one := range s.Strays {
		if one.Name == name {
			return one, true
		}
	}
	return Stray{Name: name, Kind: StrayFile}, slices.Contains(s.NotNamespaces, name)
}

// Link is the link with this name or alternative name; nil if there is none, or if the namespace is nil.
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
