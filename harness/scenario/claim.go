package scenario

import (
	"net"
	"net/netip"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario/operation"
)

// HostName is the name by which a check calls the lab's host namespace.
const HostName = "host"

// Claim is the meaning of a check. The concrete types are the structs of this file; Not in one of them is the negative
// form of the sentence. A claim presupposes its subjects: where a namespace or an interface it is about is missing, the
// claim is false, the negative one too.
type Claim interface {
	// Sentence is the claim in the words of the format, in one canonical form.
	Sentence() string
}

// Iface names an interface and the namespace it is looked for in.
type Iface struct{ Name, Netns string }

type (
	// NamespaceExists is namespace `N` exists.
	NamespaceExists struct {
		Netns string
		Not   bool
	}
	// HasInterface is `N` has the interface `X`; alternative names count.
	HasInterface struct {
		Iface
		Not bool
	}
	// HasOnlyInterfaces is `N` has only the interfaces `X`, `Y`.
	HasOnlyInterfaces struct {
		Netns string
		Names []string
	}
	// AdminState is `X` in `N` is up, is down.
	AdminState struct {
		Iface
		Up bool
	}
	// Carrier is `X` in `N` has carrier, has no carrier.
	Carrier struct {
		Iface
		Has bool
	}
	// LinkKind is `X` in `N` is a `veth`.
	LinkKind struct {
		Iface
		Kind string
	}
	// PeerOf is `X` in `N` is the peer of `Y` in `M`.
	PeerOf struct{ Iface, Peer Iface }
	// HasAddress is `X` in `N` has the address `A/L`.
	HasAddress struct {
		Iface
		Prefix netip.Prefix
		Not    bool
	}
	// HasNoAddress is `X` in `N` has no address; IPv6 link-local ones do not count.
	HasNoAddress struct{ Iface }
	// HasMTU is `X` in `N` has the MTU `1500`.
	HasMTU struct {
		Iface
		MTU int
		Not bool
	}
	// HasMAC is `X` in `N` has the MAC address `…`.
	HasMAC struct {
		Iface
		MAC net.HardwareAddr
		Not bool
	}
	// PortOf is `X` in `N` is a port of `br0`.
	PortOf struct {
		Iface
		Bridge string
		Not    bool
	}
	// HasRoute is `N` has the route `…`.
	HasRoute struct {
		Netns string
		Text  string
		Route operation.Route
		Not   bool
	}
	// HasRule is `N` has the rule `…`.
	HasRule struct {
		Netns string
		Text  string
		Rule  operation.Rule
		Not   bool
	}
	// SendsTo is `N` sends packets for `D` to `G` (Via), or out of `X` (Out); From is the source address or not valid.
	SendsTo struct {
		Netns string
		Dest  netip.Addr
		From  netip.Addr
		Via   netip.Addr
		Out   string
	}
	// NoRouteTo is `N` has no route to `D`.
	NoRouteTo struct {
		Netns string
		Dest  netip.Addr
	}
	// HasNeighbour is `N` has the neighbour `A`.
	HasNeighbour struct {
		Netns string
		Addr  netip.Addr
	}
	// CannotResolve is `N` cannot resolve the neighbour `A`.
	CannotResolve struct {
		Netns string
		Addr  netip.Addr
	}
	// Reaches is `N` reaches `D`, with a source address (From valid) or a payload with DF set (Bytes > 0). Dest may
	// have a zone, an interface name.
	Reaches struct {
		Netns string
		Dest  netip.Addr
		From  netip.Addr
		Bytes int
		Not   bool
	}
	// Connects is `N` connects to `D` on TCP port `P`. Outcome "" means that it connects; "refused", "silence" or
	// "any" are the negative form.
	Connects struct {
		Netns   string
		Dest    netip.Addr
		Port    int
		Outcome ConnectOutcome
	}
	// SysctlIs is the sysctl `K` in `N` is `V`.
	SysctlIs struct {
		Netns, Key, Value string
		Not               bool
	}
	// AttributeIs is the attribute `A` of `X` in `N` is `V`. The format has no negative form; Not is for suites in Go.
	AttributeIs struct {
		Iface
		Attribute, Value string
		Not              bool
	}
	// AddressIs is `A/L` on `X` in `N` is `tentative`. The format has no negative form; Not is for suites in Go.
	AddressIs struct {
		Iface
		Prefix netip.Prefix
		State  string
		Not    bool
	}
	// CounterGrew is the counter `C` in `N` grew by `3` (By), or did not grow (By 0). Link names the interface of
	// `rx_packets` and the like, or is "".
	CounterGrew struct {
		Netns, Counter, Link string
		By                   uint64
	}
	// Learned is `br0` in `N` has learned `MAC` on `p2`.
	Learned struct {
		Iface
		MAC  net.HardwareAddr
		Port string
	}
	// SawEvent is `N` saw the event `link add X`; Object "" is `N` saw no event.
	SawEvent struct {
		Netns                string
		Object, Verb, Detail string
	}
	// NearestName is the nearest name to `typo` is `name` in `N`.
	NearestName struct{ Typo, Name, Netns string }
	// CauseIs is the cause from `N` to `D` is `cause` on `X` in `M`; On.Name is "" for a cause in the namespace `M`.
	CauseIs struct {
		Question
		Cause causes.Cause
		On    Iface
	}
	// NothingWrong is nothing is wrong from `N` to `D`.
	NothingWrong struct{ Question }
)

// Question is what a diagnosis is asked for: the way of an echo from `N` to `D`, with a source address (From valid) or a payload with DF set
// (Bytes > 0), or that of a TCP connection (Port > 0).
type Question struct {
	Netns string
	Dest  netip.Addr
	From  netip.Addr
	Bytes int
	Port  int
}

// ConnectOutcome is how a TCP connection attempt ended.
type ConnectOutcome string

const (
	ConnectOK      ConnectOutcome = ""
	ConnectRefused ConnectOutcome = "refused"
	ConnectSilence ConnectOutcome = "silence"
	ConnectNot     ConnectOutcome = "any"
)
