package claim

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"netnscheck/harness/state"
)

// SendsTo is `N` sends packets for `D` to `G` (Via), or out of `X` (Out), or both.
type SendsTo struct {
	Netns string
	Dest  netip.Addr
	Packet
	Via netip.Addr
	Out string
}

// Packet is what a route look-up knows of a packet besides its destination; zero is unknown.
type Packet struct {
	From netip.Addr
	Mark uint32
	// Iif is the interface on which the packet arrives, "" for a packet of the namespace itself.
	Iif      string
	TCP, UDP int // destination port
}

// The qualifiers of a look-up after its result, and their slots.
const asked = " [with the mark `5`] [that arrive on `Y`] [on TCP port `80`] [on UDP port `53`]"

var askedSlots = map[string]Slot{
	"5":  {"a mark from 1 to 4294967295, decimal or as 0x5", readMark},
	"53": udpPort,
}

var udpPort = number("a UDP port", 1, 65535)

func init() {
	add(Entry{
		Place: 150,
		Means: "what the kernel's own route look-up answers for a packet of the namespace, or for one that arrives " +
			"on `Y`, from a neighbour there if no source is given",
		Forms: []Form{
			says("`N` sends packets [from `10.30.2.2`] for `10.0.9.1` to `10.0.0.1` [out of `X`]"+asked,
				func(a arguments) Claim {
					return SendsTo{Netns: a.text(0), Dest: a.addr(2), Via: a.addr(3), Out: a.text(4),
						Packet: packet(a.addr(1), a, 5)}
				}),
			says("`N` sends packets [from `10.30.2.2`] for `10.0.9.1` out of `X`"+asked, func(a arguments) Claim {
				return SendsTo{Netns: a.text(0), Dest: a.addr(2), Out: a.text(3), Packet: packet(a.addr(1), a, 4)}
			}),
		},
		Slots: askedSlots,
	})
}

// packet reads the qualifiers, which begin at place i of the arguments.
func packet(from netip.Addr, a arguments, i int) Packet {
	return Packet{From: from, Mark: valueAt[uint32](a, i), Iif: a.text(i + 1), TCP: a.int(i + 2), UDP: a.int(i + 3)}
}

func readMark(text string) (any, error) {
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return nil, expected(text, "a mark from 1 to 4294967295, decimal or as 0x5")
	}
	if n == 0 {
		return nil, errors.New("the mark 0 is that of every packet without a mark: leave it out")
	}
	return uint32(n), nil
}

func (c SendsTo) Sentence() string {
	s := say("%s sends packets", c.Netns) + c.source() + say(" for %s", c.Dest)
	if c.Via.IsValid() {
		s += say(" to %s", c.Via)
	}
	if c.Out != "" {
		s += say(" out of %s", c.Out)
	}
	return s + c.words()
}

// source is the qualifier from `S`, words are the others.
func (p Packet) source() string {
	if p.From.IsValid() {
		return say(" from %s", p.From)
	}
	return ""
}

func (p Packet) words() (s string) {
	if p.Mark != 0 {
		s += say(" with the mark %s", p.Mark)
	}
	if p.Iif != "" {
		s += say(" that arrive on %s", p.Iif)
	}
	if p.TCP != 0 {
		s += say(" on TCP port %s", p.TCP)
	}
	if p.UDP != 0 {
		s += say(" on UDP port %s", p.UDP)
	}
	return s
}

func (c SendsTo) consistent() error { return c.Packet.consistent(c.Dest) }

func (p Packet) consistent(dest netip.Addr) error {
	if p.TCP != 0 && p.UDP != 0 {
		return errors.New("a packet is one of TCP or one of UDP: leave one port out")
	}
	return sameFamily(p.From, dest)
}

func (c SendsTo) Needs() Needs {
	return Needs{Class: ByKernel, Question: Lookup{Netns: c.Netns, Dest: c.Dest, Packet: c.Packet, Out: c.Out}}
}

func (c SendsTo) Judge(known Evidence) Finding {
	return known.arriving(c.Netns, c.Packet, func(r Route) Finding {
		holds := r.Refusal == "" && (c.Out == "" || r.Dev == r.Out)
		if c.Via.IsValid() {
			// Without a gateway the next hop is the destination.
			hop := r.Via
			if !hop.IsValid() {
				hop = c.Dest
			}
			holds = holds && hop.WithZone("") == c.Via.WithZone("")
		}
		return finding(holds, lookupWords(r))
	})
}

// arriving judges a look-up, which is false if the interface on which the packet arrives does not exist.
func (e Evidence) arriving(netns string, p Packet, judge func(Route) Finding) Finding {
	if p.Iif == "" {
		return judge(e.Route)
	}
	return e.ofLink(Iface{p.Iif, netns}, func(*state.Namespace, *state.Link) Finding { return judge(e.Route) })
}

func lookupWords(r Route) string {
	text := "the route look-up "
	if r.Sender.IsValid() {
		text += fmt.Sprintf("for a packet from %s ", r.Sender)
	}
	text += "answers: "
	if r.Refusal != "" {
		return text + r.Refusal
	}
	text += word(r.Type == "unicast", "", r.Type+" ")
	if r.Via.IsValid() {
		text += "via " + r.Via.String() + " "
	}
	return text + "dev " + r.Dev
}

func (c SendsTo) Mutants() Mutants {
	return Mutants{
		Own: []Way{by(in(c.Netns, "route replace unreachable %s", c.Dest.WithZone(""))), divert(c.Netns, c.Dest),
			by(in(c.Netns, "link set %s down", c.Out)), by(in(c.Netns, "route flush table local")),
			by(in(c.Netns, "-6 route flush table local")), allDown(c.Netns)},
	}
}
