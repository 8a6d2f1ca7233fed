package claim

import (
	"net/netip"

	"netnscheck/harness/state"
)

// Needs is what has to be known before a claim can be judged.
type Needs struct {
	Class Class
	// Question is what the kernel or the network is asked; nil where a state alone decides.
	Question Question
	// Settles says that the claim costs next to nothing when it is true, and does not depend on what the probes of
	// other claims left behind: whoever carries a section out again waits for it.
	Settles bool
}

// Class says what a claim is judged by, and so when it is looked at beside others.
type Class int

const (
	_         Class = iota // a claim says which one
	ByState                // the state
	ByTraces               // the state, where packets leave traces: a neighbour, an address that a bridge has learned
	ByWhole                // the state with the packet filters
	ByKernel               // an answer of the kernel; no packet that another claim would hear or count
	BySince                // what happened since before the section's commands: looked at before any probe
	BySilence              // packets; when the claim is true they end in silence
	ByAnswer               // packets; when the claim is true there is an answer, if only a refusal
)

// told are the needs of a claim that the state decides.
func told() Needs { return Needs{Class: ByState, Settles: true} }

// Question is what a claim asks of the kernel or the network. Questions are comparable.
type Question interface {
	// Where is the namespace that is asked.
	Where() string
}

type (
	// Lookup asks the kernel for the route to a destination, with a source address if From is valid.
	Lookup struct {
		Netns      string
		Dest, From netip.Addr
		// Out is an interface whose own name is asked for too, "" for none: it may be written by an alternative name.
		Out string
	}
	// Resolve lets the kernel ask for a neighbour.
	Resolve struct {
		Netns string
		Addr  netip.Addr
	}
	// Echo sends an ICMP echo request: with a source address if From is valid, with so many bytes and DF set if
	// Bytes > 0.
	Echo struct {
		Netns      string
		Dest, From netip.Addr
		Bytes      int
	}
	// Connect attempts a TCP connection.
	Connect struct {
		Netns string
		Dest  netip.Addr
		Port  int
	}
	// Sysctl reads a sysctl.
	Sysctl struct{ Netns, Key string }
	// Offload reads whether a feature of an interface is on. The state is read too, since it says what is there.
	Offload struct {
		Iface
		Feature string
	}
	// Count reads a counter of an interface or, where Link is "", of the namespace, and what it was before.
	Count struct{ Netns, Link, Counter string }
	// Watch is for what happened in the namespace; None says that nothing is expected, which takes a moment to say.
	Watch struct {
		Netns string
		None  bool
	}
)

func (q Lookup) Where() string  { return q.Netns }
func (q Resolve) Where() string { return q.Netns }
func (q Echo) Where() string    { return q.Netns }
func (q Connect) Where() string { return q.Netns }
func (q Sysctl) Where() string  { return q.Netns }
func (q Offload) Where() string { return q.Netns }
func (q Count) Where() string   { return q.Netns }
func (q Watch) Where() string   { return q.Netns }

// Evidence is what is known: the state where the class of the claim says so, and the answer to its question.
type Evidence struct {
	State   *state.State
	Route   Route           // to Lookup
	Entry   NeighbourEntry  // to Resolve
	Heard   Heard           // to Echo and Connect
	Setting Setting         // to Sysctl
	On      bool            // to Offload
	Counter CounterMovement // to Count
	Events  []Event         // to Watch
}

// Route is the kernel's answer to a Lookup.
type Route struct {
	// Refusal is the kernel's refusal in words, "" when there is a route; None says that it is ENETUNREACH.
	Refusal string
	None    bool
	Type    string // unicast, local, …
	Via     netip.Addr
	Dev     string
	// Out is the own name of the interface that was asked for.
	Out string
}

// NeighbourEntry is what came of a Resolve: the state of the entry, "" for none, and its interface.
type NeighbourEntry struct{ State, Dev string }

// Heard is what came of packets, and in words.
type Heard struct {
	Answered, Refused, Silence bool
	Found                      string
}

// Setting is the value of a sysctl.
type Setting struct {
	Missing bool
	Value   string
}

// CounterMovement is a counter as it was before, and all counters of the same interface or namespace now; nil where
// that is not there.
type CounterMovement struct {
	Before uint64
	Now    map[string]uint64
}

// Event is one change that the kernel told of.
type Event interface {
	// Is says whether it is what a check asks for.
	Is(object, verb, detail string) bool
	String() string
}
