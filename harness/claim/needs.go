package claim

import (
	"net/netip"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario/transcript"
	"netnscheck/harness/state"
)

// Needs is the evidence that a claim needs to be judged.
type Needs struct {
	Class Class
	// Question is the question to the kernel or the network, nil if a state is enough.
	Question Question
	// Settles is set if the claim is cheap to evaluate while true, and independent of the probes of other claims. A
	// section that is run again is complete when these claims are true.
	Settles bool
}

// Class is the kind of evidence of a claim. It decides the order in which several claims are evaluated.
type Class int

const (
	_         Class = iota // invalid: a claim has to set its class
	ByState                // the state
	ByTraces               // the state, in which packets leave traces: neighbours, addresses learned by a bridge
	ByWhole                // the state with the packet filters
	ByKernel               // an answer of the kernel, without packets that another claim could count
	ByProgram              // what a program says, which may send packets: evaluated after what is only read
	BySince                // counters and events since before the section's commands: evaluated before any probe
	BySilence              // packets, which get no answer if the claim is true
	ByAnswer               // packets, which get an answer, perhaps a refusal, if the claim is true
)

// stateOnly are the needs of a claim about the state.
func stateOnly() Needs { return Needs{Class: ByState, Settles: true} }

// Question is a question of a claim to the kernel or the network. Questions are comparable.
type Question interface {
	// Where is the namespace in which it is asked.
	Where() string
}

// ToProgram is a Question that a program answers.
type ToProgram interface {
	Question
	// Argv is the program and its arguments, as far as they are known without a lab.
	Argv() []string
}

type (
	// Lookup asks the kernel for the route of a packet to a destination. If the packet arrives, the state is read too.
	Lookup struct {
		Netns string
		Dest  netip.Addr
		Packet
		// Out is an interface, perhaps by an alternative name, whose own name is wanted too; "" for none.
		Out string
	}
	// Resolve makes the kernel resolve a neighbour (ARP or neighbour discovery).
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
	// Datagram sends a UDP datagram.
	Datagram struct {
		Netns string
		Dest  netip.Addr
		Port  int
	}
	// Sysctl reads a sysctl.
	Sysctl struct{ Netns, Key string }
	// Offload reads whether an offload feature of an interface is on. The state is read too.
	Offload struct {
		Iface
		Feature string
	}
	// Groups reads the multicast groups that an interface has joined. The state is read too.
	Groups struct{ Iface }
	// Count reads a counter of an interface or, if Link is "", of the namespace, and its value from before.
	Count struct{ Netns, Link, Counter string }
	// Watch asks for the events in the namespace. With None no event is expected, which needs a short wait.
	Watch struct {
		Netns string
		None  bool
	}
	// ChainRules asks nft for the rules of a chain.
	ChainRules struct {
		Netns string
		Chain NftName
	}
	// SetElement asks nft for an element of a set or a map.
	SetElement struct {
		Netns   string
		Set     NftName
		Element string
	}
	// Resolution asks a program of the namespace for the addresses of a name, at least until Wanted is among them.
	Resolution struct {
		Netns, Name string
		Wanted      netip.Addr
	}
	// Output runs a command, written as in a console block.
	Output struct{ Netns, Command string }
)

func (q Lookup) Where() string   { return q.Netns }
func (q Resolve) Where() string  { return q.Netns }
func (q Echo) Where() string     { return q.Netns }
func (q Connect) Where() string  { return q.Netns }
func (q Datagram) Where() string { return q.Netns }
func (q Sysctl) Where() string   { return q.Netns }
func (q Offload) Where() string  { return q.Netns }
func (q Groups) Where() string   { return q.Netns }
func (q Count) Where() string    { return q.Netns }
func (q Watch) Where() string    { return q.Netns }

func (q ChainRules) Where() string { return q.Netns }
func (q SetElement) Where() string { return q.Netns }
func (q Resolution) Where() string { return q.Netns }
func (q Output) Where() string     { return q.Netns }

// Argv is the program that answers.
func (q ChainRules) Argv() []string { return []string{"nft"} }
func (q SetElement) Argv() []string { return []string{"nft"} }

// Argv is the command that answers. A server that is silent costs a second (resolv.conf(5), RES_OPTIONS).
func (q Resolution) Argv() []string {
	return []string{"env", "RES_OPTIONS=timeout:1 attempts:1", "getent", "ahosts", q.Name}
}

func (q Output) Argv() []string {
	argv, _ := transcript.Words(q.Command) // checked by the slot
	return argv
}

// Evidence is the evidence for a claim: the state if its class needs it, and the answer to its question.
type Evidence struct {
	State   *state.State
	Route   Route           // to Lookup
	Entry   NeighbourEntry  // to Resolve
	Heard   Heard           // to Echo, Connect and Datagram
	Setting Setting         // to Sysctl
	On      bool            // to Offload
	Groups  Memberships     // to Groups
	Counter CounterMovement // to Count
	Events  []Event         // to Watch
	Chain   NftChain        // to ChainRules
	Set     NftSet          // to SetElement
	Names   Addresses       // to Resolution
	Printed PrintedText     // to Output
	// Witness answers for the kernel in a diagnosis of the state; nil where it cannot be asked.
	Witness diagnose.Witness
}

// Route is the kernel's answer to a Lookup.
type Route struct {
	// Refusal describes the kernel's error, "" if there is a route. None is set if it says that there is no route.
	Refusal string
	None    bool
	// Sender is the source that was chosen for a packet that arrives (see Sender).
	Sender netip.Addr
	Type   string // unicast, local, …
	Via    netip.Addr
	Dev    string
	// Out is the own name of the interface in the question.
	Out string
}

// NeighbourEntry is the answer to a Resolve: the state of the entry, "" for none, and its interface.
type NeighbourEntry struct{ State, Dev string }

// Heard is the answer to an Echo, a Connect or a Datagram. Found describes it for messages.
type Heard struct {
	Answered, Refused, Silence bool
	Found                      string
}

// Setting is the value of a sysctl.
type Setting struct {
	Missing bool
	Value   string
}

// Memberships are the multicast groups of an interface, by the kind of their addresses, sorted.
type Memberships struct{ IPv4, IPv6, MAC []string }

// CounterMovement is the value of a counter before, and all counters of its interface or namespace now, nil if that
// does not exist.
type CounterMovement struct {
	Before uint64
	Now    map[string]uint64
}

// NftChain are the rules of a chain as nft prints them, without the values of counters. If there is no such chain,
// Missing is set and Known are those that there are.
type NftChain struct {
	Missing bool
	Known   []NftName
	Rules   []string
}

// NftSet is what a set says to the question for an element. If there is no such set, Missing is set and Known are those
// that there are.
type NftSet struct {
	Missing bool
	Known   []NftName
	// Found is the element that the kernel found, "" for none. Refusal is why nft could not look it up.
	Found, Refusal string
	Elements       []string // all elements as nft lists them; only if none was found
}

// Addresses are those of a name, each once. Found is why there are none.
type Addresses struct {
	Addrs []netip.Addr
	Found string
}

// PrintedText is what a command printed, and its exit status.
type PrintedText struct {
	Text   string
	Status int
}

// Event is one change that the kernel reported.
type Event interface {
	// Is reports whether it is the event in a check.
	Is(object, verb, detail string) bool
	String() string
}
