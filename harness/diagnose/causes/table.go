package causes

// The causes, in the order of a packet's path.
const (
	_ Cause = iota

	NoNamespace
	NotANamespace
	NoInterface
	LoopbackDown
	LocalRuleMissing
	IPv6Disabled
	AddressTentative
	AddressDuplicate
	ScopeMissing

	LinkDown
	NoAddress
	PrefixMismatch
	ConnectedRouteMissing
	NoRoute
	RouteUnreachable
	RouteProhibit
	RouteBlackhole
	RouteThrow
	RuleDiverts
	GatewayNowhere
	GatewayWrong
	RouteOutOfWrongLink
	RoutingLoop

	PeerDown
	NoCarrier
	SameNamespace
	ARPOff
	QueueDrops
	MTUExceeded
	MTUMismatch
	MTUBlackHole

	NeighbourWrong
	AddressNowhere
	AddressOffSegment
	ARPIgnored
	ProxyOff
	BridgeDown
	NotAPort
	PortDown
	PortBlocked
	PortIsolated
	HairpinOff
	AddressOnPort
	VLANMismatch
	VNIMismatch
	TunnelPortMismatch
	TunnelRemoteMissing
	MacvlanParent
	DuplicateMAC
	DuplicateAddress

	ForwardingOff
	ReversePathFilter
	FilterOutput
	FilterForward
	FilterInput
	FilterBridge
	FilterIngress
	FilterARP
	EchoIgnored
	TranslationMissing
	NotListening

	HalfUp
	SubnetOverlap
	OddAddress
	BridgeWithoutPorts
	KeptByProcess
	PeerOutOfSight

	count // one more than the last
)

// entry is the data of a cause in addition to its page.
type entry struct {
	word   string
	family Family
	// remark: a healthy network may have it too, so a review does not call the network faulty for it.
	remark bool
	// consequence: it may be a consequence of another cause, whose repair then includes the repair of this one.
	consequence bool
	// masked: any other cause at the same place is the same fault, and more specific.
	masked bool
	// explains are the causes that a walk may meet because of this one.
	explains []Cause
}

// table is the whole vocabulary.
var table = [count]entry{
	NoNamespace:      {word: "no-namespace", family: Source},
	NotANamespace:    {word: "not-a-namespace", family: Source},
	NoInterface:      {word: "no-interface", family: Source},
	LoopbackDown:     {word: "loopback-down", family: Source, remark: true},
	LocalRuleMissing: {word: "local-rule-missing", family: Source},
	IPv6Disabled:     {word: "ipv6-disabled", family: Source},
	AddressTentative: {word: "address-tentative", family: Source},
	AddressDuplicate: {word: "address-duplicate", family: Source},
	ScopeMissing:     {word: "scope-missing", family: Source},

	LinkDown:              {word: "link-down", family: Route, consequence: true},
	NoAddress:             {word: "no-address", family: Route, consequence: true},
	PrefixMismatch:        {word: "prefix-mismatch", family: Route},
	ConnectedRouteMissing: {word: "connected-route-missing", family: Route, consequence: true},
	NoRoute:               {word: "no-route", family: Route, consequence: true},
	RouteUnreachable:      {word: "route-unreachable", family: Route},
	RouteProhibit:         {word: "route-prohibit", family: Route},
	RouteBlackhole:        {word: "route-blackhole", family: Route},
	RouteThrow:            {word: "route-throw", family: Route},
	RuleDiverts:           {word: "rule-diverts", family: Route},
	GatewayNowhere: {word: "gateway-nowhere", family: Route, consequence: true,
		explains: []Cause{AddressNowhere, AddressOffSegment}},
	GatewayWrong: {word: "gateway-wrong", family: Route},
	RouteOutOfWrongLink: {word: "route-out-of-wrong-link", family: Route,
		explains: []Cause{GatewayNowhere, SameNamespace, AddressNowhere, AddressOffSegment, ProxyOff, MacvlanParent}},
	RoutingLoop: {word: "routing-loop", family: Route},

	PeerDown:      {word: "peer-down", family: Link, consequence: true},
	NoCarrier:     {word: "no-carrier", family: Link, explains: []Cause{AddressNowhere}},
	SameNamespace: {word: "same-namespace", family: Link},
	ARPOff:        {word: "arp-off", family: Link},
	QueueDrops:    {word: "queue-drops", family: Link},
	MTUExceeded:   {word: "mtu-exceeded", family: Link},
	MTUMismatch:   {word: "mtu-mismatch", family: Link},
	MTUBlackHole:  {word: "mtu-black-hole", family: Link},

	NeighbourWrong:      {word: "neighbour-wrong", family: Segment},
	AddressNowhere:      {word: "address-nowhere", family: Segment, consequence: true},
	AddressOffSegment:   {word: "address-off-segment", family: Segment},
	ARPIgnored:          {word: "arp-ignored", family: Segment},
	ProxyOff:            {word: "proxy-off", family: Segment},
	BridgeDown:          {word: "bridge-down", family: Segment},
	NotAPort:            {word: "not-a-port", family: Segment},
	PortDown:            {word: "port-down", family: Segment, consequence: true},
	PortBlocked:         {word: "port-blocked", family: Segment},
	PortIsolated:        {word: "port-isolated", family: Segment},
	HairpinOff:          {word: "hairpin-off", family: Segment},
	AddressOnPort:       {word: "address-on-port", family: Segment},
	VLANMismatch:        {word: "vlan-mismatch", family: Segment},
	VNIMismatch:         {word: "vni-mismatch", family: Segment},
	TunnelPortMismatch:  {word: "tunnel-port-mismatch", family: Segment},
	TunnelRemoteMissing: {word: "tunnel-remote-missing", family: Segment},
	MacvlanParent:       {word: "macvlan-parent", family: Segment},
	DuplicateMAC:        {word: "duplicate-mac", family: Segment},
	DuplicateAddress:    {word: "duplicate-address", family: Segment},

	ForwardingOff:     {word: "forwarding-off", family: Destination},
	ReversePathFilter: {word: "reverse-path-filter", family: Destination},
	FilterOutput:      {word: "filter-output", family: Destination},
	FilterForward:     {word: "filter-forward", family: Destination},
	FilterInput:       {word: "filter-input", family: Destination},
	FilterBridge:      {word: "filter-bridge", family: Destination},
	FilterIngress:     {word: "filter-ingress", family: Destination},
	FilterARP:         {word: "filter-arp", family: Destination},
	EchoIgnored:       {word: "echo-ignored", family: Destination},
	TranslationMissing: {word: "translation-missing", family: Destination,
		explains: []Cause{NoRoute, AddressNowhere, GatewayNowhere, GatewayWrong, ForwardingOff}},
	NotListening: {word: "not-listening", family: Destination},

	HalfUp:             {word: "half-up", family: Review, masked: true},
	SubnetOverlap:      {word: "subnet-overlap", family: Review},
	OddAddress:         {word: "odd-address", family: Review},
	BridgeWithoutPorts: {word: "bridge-without-ports", family: Review, remark: true},
	KeptByProcess:      {word: "kept-by-process", family: Review, remark: true},
	PeerOutOfSight:     {word: "peer-out-of-sight", family: Review, remark: true},
}
