package operation

import (
	"net"
	"net/netip"
)

// Family is an address family as in the options -4 and -6.
type Family int

const (
	FamilyAny Family = 0
	FamilyV4  Family = 4
	FamilyV6  Family = 6
)

// NetnsAdd is `ip netns add NAME`.
type NetnsAdd struct{ Name string }

// NetnsDelete is `ip netns del NAME`.
type NetnsDelete struct{ Name string }

// NetnsDeleteAll is `ip -all netns del`.
type NetnsDeleteAll struct{}

// NetnsExecAll is `ip -all netns exec …`: the command runs in each namespace, unless it names another one.
type NetnsExecAll struct{ Each Command }

// NetnsSet is `ip netns set NAME NETNSID`. Auto is the id `auto`.
type NetnsSet struct {
	Name string
	ID   int
	Auto bool
}

// LinkAttributes are the attributes of a new link or its peer. A nil pointer or empty string was not written.
type LinkAttributes struct {
	Name    string
	Index   int
	MTU     *int
	Address net.HardwareAddr
	// Broadcast is the link-layer broadcast address.
	Broadcast net.HardwareAddr
	TxQLen    *int
	Segmentation
	NumTx *int
	NumRx *int
	Alias *string
	Group *uint32
	// Netns is the namespace of the new link: a name, or a process id in decimal (ip-link(8)).
	Netns string
	Up    bool
}

// Segmentation holds limits of what a link cuts into segments or puts together.
type Segmentation struct{ GSOMaxSize, GSOMaxSegs, GROMaxSize *int }

// LinkAdd is `ip link add …`. Kind is the word after `type`. Parse sets the option struct of that kind, even without
// options, and no other. Peer is nil if the word peer was not written.
type LinkAdd struct {
	LinkAttributes
	// Link is the lower device, `link DEV`. LinkNetnsID is the id of the namespace that it, or the peer, is in;
	// LinkNetns is the name of that namespace.
	Link        string
	LinkNetnsID *int
	LinkNetns   string
	Master      string
	Kind        string
	Peer        *LinkAttributes // veth
	Bridge      *BridgeOptions
	VLAN        *VLANOptions
	VXLAN       *VXLANOptions
	Macvlan     *MacvlanOptions
	IPvlan      *IPvlanOptions
	VRF         *VRFOptions
}

// BridgeOptions are the options of `type bridge`. Times are in centiseconds, as in ip-link(8).
type BridgeOptions struct {
	STP               *int
	ForwardDelay      *int
	HelloTime         *int
	MaxAge            *int
	AgeingTime        *int
	Priority          *int
	VLANFiltering     *bool
	VLANDefaultPVID   *int
	MulticastSnooping *bool
	GroupForwardMask  *uint16
}

// VLANOptions are the options of `type vlan`.
type VLANOptions struct {
	ID       int    // -1 if not written
	Protocol string // "802.1Q" (the default) or "802.1ad"
}

// VXLANOptions are the options of `type vxlan`.
type VXLANOptions struct {
	ID       int // -1 if not written
	Remote   netip.Addr
	Group    netip.Addr
	Local    netip.Addr
	Dev      string
	DstPort  *int
	TTL      *int // 0: chosen by the kernel, also written auto
	Learning *bool
	External bool
}

// MacvlanOptions are the options of `type macvlan`: mode private, vepa, bridge, passthru or source.
type MacvlanOptions struct{ Mode string }

// IPvlanOptions are the options of `type ipvlan`: mode l2, l3 or l3s; flag bridge, private or vepa.
type IPvlanOptions struct{ Mode, Flag string }

// VRFOptions are the options of `type vrf`.
type VRFOptions struct{ Table uint32 }

// LinkSet is `ip link set …`, with one or more changes. A nil pointer was not written.
type LinkSet struct {
	Name      string // "" if no device was named
	Group     string // `ip link set group G …`
	Up        *bool
	NewName   string
	MTU       *int
	Address   net.HardwareAddr
	Broadcast net.HardwareAddr
	Master    *string // "" is nomaster
	Netns     string  // name or process id
	TxQLen    *int
	Segmentation
	Alias       *string
	NewGroup    *uint32
	ARP         *bool
	Promisc     *bool
	AllMulti    *bool
	Multicast   *bool
	Carrier     *bool
	Protodown   *bool
	Mode        *string // operational mode: default, dormant
	AddrGenMode *string
	// Kind and its options: `type bridge …`, `type bridge_slave …`.
	Kind       string
	Bridge     *BridgeOptions
	BridgePort *BridgePortOptions
}

// BridgePortOptions are the options of `type bridge_slave`.
type BridgePortOptions struct {
	State         *int
	Priority      *int
	Cost          *int
	Isolated      *bool
	Learning      *bool
	Flood         *bool
	Hairpin       *bool
	Guard         *bool
	NeighSuppress *bool
}

// LinkProperty is `ip link property add|del dev DEV altname NAME…`, or `ip link set … altname` in a scenario.
type LinkProperty struct {
	Name     string
	AltNames []string
	Delete   bool
}

// LinkDelete is `ip link del DEV`.
type LinkDelete struct {
	Name string
	Kind string
}

// Verb is iproute2's word for how a change treats an existing object.
type Verb string

const (
	Add     Verb = "add"
	Change  Verb = "change"
	Replace Verb = "replace"
	Append  Verb = "append"
	Prepend Verb = "prepend"
	Delete  Verb = "del"
)

// AddressChange is `ip address add|change|replace|del`. Without Dev the request has index 0, which the kernel refuses
// with ENODEV.
type AddressChange struct {
	Verb   Verb
	Prefix netip.Prefix // the local address with its prefix length, by default /32 or /128; not valid if missing
	// AnyLength is set to delete an IPv4 address whatever its prefix length is, because none was written.
	AnyLength bool
	Dev       string
	Peer      netip.Prefix
	Broadcast string // "", an address, "+" or "-"
	Anycast   netip.Addr
	Label     string
	Scope     string // "", global, link, host, site or a number
	Metric    *uint32
	// ValidLft and PreferredLft are in seconds; Forever is ^uint32(0).
	ValidLft      *uint32
	PreferredLft  *uint32
	NoDAD         bool
	HomeAddress   bool
	MngTmpAddr    bool
	NoPrefixRoute bool
	Optimistic    bool
	AutoJoin      bool
}

// Forever is an infinite lifetime.
const Forever = ^uint32(0)

// AddressFlush is `ip address flush …`: every filter that is set must match.
type AddressFlush struct {
	Family Family
	Dev    string
	To     netip.Prefix
	Scope  string
	Label  string
	Up     bool
}

// Nexthop is one `nexthop …` of a route.
type Nexthop struct {
	Via    netip.Addr
	Dev    string
	Weight int
	OnLink bool
	Encap  *Encap
	// LinkDown and Dead are words of a ParseShownRoute alone.
	LinkDown bool
	Dead     bool
}

// Unusable reports whether the next hop is written with a flag of the kernel, linkdown or dead.
func (h Nexthop) Unusable() bool { return h.LinkDown || h.Dead }

// Route is a route as in `ip route` and in the check "has the route". A field that was not written is zero or nil.
type Route struct {
	Family Family // from -4, -6 or the addresses; FamilyAny if unknown
	// Type is "" for unicast, or unreachable, prohibit, blackhole, throw, local, broadcast, nat or multicast.
	Type string
	// Default is set for the word default or all, or a prefix of length 0; To is then not valid.
	Default  bool
	To       netip.Prefix
	TOS      *uint8
	Via      netip.Addr
	Dev      string
	Src      netip.Addr
	From     netip.Prefix
	Table    string // name or number; "" not written
	Metric   *uint32
	Proto    string
	Scope    string
	OnLink   bool
	MTU      *int
	MTULock  bool
	AdvMSS   *int
	Window   *int
	Pref     string
	Nexthops []Nexthop
	// VRF is the name of a VRF link, whose table it is. Expires is in seconds. They and Metrics are words of a
	// RouteChange alone.
	VRF     string
	Expires *uint32
	Metrics []RouteMetric
	// NexthopID is the id of a nexthop object (nhid).
	NexthopID *uint32
	Encap     *Encap
	// LinkDown and Dead are words of a ParseShownRoute alone: flags of a next hop that the kernel sets.
	LinkDown bool
	Dead     bool
}

// RouteChange is `ip route add|change|replace|append|prepend|del ROUTE`.
type RouteChange struct {
	Verb  Verb
	Route Route
}

// RouteFlush is `ip route flush …`, with Cache `ip route flush cache`. Without a family the filter selects IPv4 unless
// it has an IPv6 address, without a table the table main; Table "all" is every table.
type RouteFlush struct {
	Cache  bool
	Filter Route
}

// Rule is a policy rule as in `ip rule` and in the check "has the rule".
type Rule struct {
	// Family is the family of -4 or -6. Without them `ip rule` requests an IPv4 rule whatever the addresses are, and
	// the kernel refuses IPv6 ones. ParseRule, which has no such options, takes it from the addresses.
	Family               Family
	Not                  bool
	Priority             *uint32
	From                 netip.Prefix // not valid if `all` or not written
	FromAll              bool
	To                   netip.Prefix
	TOS                  *uint8
	Mark                 *uint32
	Mask                 *uint32
	IIf                  string
	OIf                  string
	IPProto              string
	SPort                string
	DPort                string
	UIDRange             string
	Table                string // lookup TABLE; "" not written
	Type                 string // "", unreachable, prohibit, blackhole
	Goto                 *uint32
	SuppressPrefixLength *int
	SuppressIfGroup      *uint32
	L3MDev               bool
	Protocol             string
}

// RuleChange is `ip rule add|del RULE`.
type RuleChange struct {
	Verb Verb
	Rule Rule
}

// RuleFlush is `ip rule flush`.
type RuleFlush struct{ Family Family }

// NeighbourChange is `ip neighbour add|change|replace|del`. Dev is "" only for a proxy.
type NeighbourChange struct {
	Verb    Verb
	Address netip.Addr
	LLAddr  net.HardwareAddr
	Dev     string
	State   string // nud: permanent (the default), reachable, stale, noarp, failed, …
	Proxy   bool
	Router  bool
}

// NeighbourFlush is `ip neighbour flush …`.
type NeighbourFlush struct {
	Family Family
	Dev    string
	To     netip.Prefix
	State  string // "" for all except permanent and noarp, "all", or a state
}

// SysctlSet is `sysctl -w KEY=VALUE …`. Keys are in dotted form; a dot in an interface name is written as a slash, as
// in sysctl(8).
type SysctlSet struct {
	Values []SysctlValue
	Quiet  bool
}

// SysctlValue is one KEY=VALUE.
type SysctlValue struct{ Key, Value string }

// SysctlShow is `sysctl KEY…` (Names false) or `sysctl -n KEY…`.
type SysctlShow struct {
	Keys      []string
	ValueOnly bool
}

// Ping is `ping …` (iputils).
type Ping struct {
	Dest     string // an address, with %zone for link-local ones, or a name
	Family   Family
	Count    int     // 0: endless
	Deadline float64 // -w, seconds; 0: none
	Timeout  float64 // -W, seconds; 0: the default, 10
	Interval float64 // -i, seconds; 0: the default, 1
	Size     int     // -s, bytes of payload; -1: the default, 56
	PMTU     string  // -M: do, want, dont, probe; "" default
	Source   string  // -I: an address or an interface
	Numeric  bool
	Quiet    bool
	TTL      int // -t; 0: default
	// SecondSource is the address if Source is an interface, or the interface if it is an address.
	SecondSource string
	Flood        bool   // -f: a request after each answer, and at least a hundred in a second
	Adaptive     bool   // -A: a request after each answer
	Broadcast    bool   // -b: Dest may be a broadcast address
	Direct       bool   // -r: without the routing table
	NoLoop       bool   // -L: no copies of multicast requests to the host itself
	Preload      int    // -l: requests sent before the first answer; 0: one
	Pattern      string // -p: the payload, in base 16
	TOS          uint8  // -Q
	Mark         uint32 // -m
}

// Show is an `ip` command that changes nothing: link, addr, route show, route get, netns list, …
type Show struct {
	Options []string
	Object  string   // link, address, route, rule, neighbour, netns, …
	Verb    string   // show, get, list, identify, …
	Args    []string // the rest
}

// Run is another program (nft, tc, bridge, sh, …), started as written.
type Run struct{ Argv []string }
