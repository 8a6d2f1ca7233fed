package filter

import (
	"fmt"

	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// A table of iptables-legacy and a chain of nf_tables may stand at one hook with one priority. The kernel then runs
// them by the time of their registration (nf_hook_entries_grow(), net/netfilter/core.c), which no state tells.

// Beside reports whether two base chains are such a pair.
func (b Base) Beside(other Base) bool {
	return b.Legacy != other.Legacy && b.Chain.Priority == other.Chain.Priority
}

// Disputed is, in words, the first of the chains after one that stands beside it and with which another order would
// make a difference to the packet; "" if there is none.
func Disputed(n *state.Namespace, b Base, later []Base, s Seen) string {
	for _, other := range later {
		if other.Chain.Type != "nat" && b.Beside(other) && other.On(s.Iif, s.Oif) &&
			after(n, s, b, other) != after(n, s, other, b) {
			return b.Order(other)
		}
	}
	return ""
}

// Order says of two base chains beside each other that their order is not known.
func (b Base) Order(other Base) string {
	return fmt.Sprintf("which of %s and %s comes first is not known, they have the same priority %d", b.named(),
		other.named(), b.Chain.Priority)
}

func (b Base) named() string {
	if b.Legacy {
		return "the chain " + b.Place() + " of iptables-legacy"
	}
	return "the chain " + b.Place() + " of nf_tables"
}

// fate is what becomes of a packet.
type fate struct {
	dropped   bool
	packet    packet.Packet
	elsewhere bool
}

// after is what becomes of a packet in some chains, one after the other.
func after(n *state.Namespace, s Seen, chains ...Base) (f fate) {
	for _, b := range chains {
		o := Judge(n, b, 0, s)
		if o.Cause != nil {
			return fate{dropped: true}
		}
		s.Packet, f.elsewhere = o.Packet, f.elsewhere || o.Elsewhere != ""
	}
	f.packet = s.Packet
	return f
}
