package state

import (
	"net/netip"
)

// KnownDifference is a legitimate difference between the states that two drivers leave after the same command.
type KnownDifference struct {
	What   string
	Reason string
	// smooth makes the second of two links with the same name and namespace like the first in this respect.
	smooth func(a, b *Link)
}

// KnownDifferences is the complete list of differences that Parity ignores.
var KnownDifferences = []KnownDifference{
	{
		"the broadcast address of an IPv4 address",
		"`ip address add` sets none by default; netlink libraries set the highest address of the prefix. " +
			"The kernel's routes are the same.",
		smoothBroadcast,
	},
	{
		"the transmit queue length of a new link",
		"iproute2 leaves it to the kernel (1000); a library that always sends the attribute makes it 0. Without a " +
			"queueing discipline it changes nothing.",
		smoothTxQLen,
	},
}

// Parity lists the differences between the states that two drivers, `the first` and `the second`, left after the same
// commands.
func Parity(a, b *State) []string { return ParityOf(a, b, "the first", "the second") }

// ParityOf is Parity with the names of the drivers: Compare of the normal forms, less the KnownDifferences.
func ParityOf(a, b *State, labelA, labelB string) []string {
	x, y := a.Normal(), b.Normal()
	for i := range y.Namespaces {
		n := x.Namespace(y.Namespaces[i].Name)
		if n == nil {
			continue
		}
		for j := range y.Namespaces[i].Links {
			l := &y.Namespaces[i].Links[j]
			other := linkNamed(n, l.Name)
			if other == nil {
				continue
			}
			for _, known := range KnownDifferences {
				known.smooth(other, l)
			}
		}
	}
	return Compare(x, y, labelA, labelB)
}

func smoothBroadcast(a, b *Link) {
	for i := range b.Addresses {
		for _, other := range a.Addresses {
			mine := &b.Addresses[i]
			if mine.Prefix == other.Prefix && mine.Peer == other.Peer &&
				oneByDefault(mine.Broadcast, other.Broadcast, highest(mine.Prefix)) {
				mine.Broadcast = other.Broadcast
			}
		}
	}
}

// oneByDefault reports whether one side has no broadcast address and the other has the usual one.
func oneByDefault(a, b, usual netip.Addr) bool {
	return !a.IsValid() && b == usual || !b.IsValid() && a == usual
}

// highest is the last address of an IPv4 prefix.
func highest(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() {
		return netip.Addr{}
	}
	bytes := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(bytes)
}

func smoothTxQLen(a, b *Link) {
	if a.TxQLen == 0 && b.TxQLen == 1000 || a.TxQLen == 1000 && b.TxQLen == 0 {
		b.TxQLen = a.TxQLen
	}
}
