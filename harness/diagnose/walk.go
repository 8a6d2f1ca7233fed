package diagnose

import (
	"fmt"
	"net/netip"
	"strings"

	"netnscheck/harness/state"
)

// walk follows one packet, and its reply, through a state.
type walk struct {
	state  *state.State
	query  Query
	path   []Hop
	doubts []string
	// translations are the address translations of the first packet, to be reversed for the reply.
	translations []translation
	maybeSentOn  maybeSentOn
	// translators are the namespaces on the path that translate some sources.
	translators []*state.Namespace
	// stations are the namespaces that sent the packet on.
	stations []station
	// asked are the neighbour requests that were received. The receiver learns the sender's MAC address by them, and
	// does not send a request of its own.
	asked []question
	// arrived is the link by which the packet came to the namespace of its local delivery.
	arrived *state.Link
	// beyond are the links, of the segment searched last, by which frames leave the state.
	beyond []port
	// trial is set if only the outcome and the length of the path count: no time is spent on a repair.
	trial bool
	// turns are the choices at routes with several nexthops; nil takes the first one everywhere.
	turns *turns
	// lookups are the route look-ups so far.
	lookups []lookedUp
	// tunnels is the number of tunnels that the packet is in.
	tunnels  int
	names    map[string]*state.Namespace
	owners   map[netip.Addr][]port
	children map[port][]port
	segments map[port]port // to the link that stands for the segment
}

// question is a neighbour request from one link to another.
type question struct{ from, to port }

// packet is an echo request or the first segment of a TCP connection, or the reply to it; or the UDP packet of a
// tunnel.
type packet struct {
	src, dst     netip.Addr
	proto        string // icmp, ipv6-icmp, tcp, udp
	sport, dport uint16
	icmp         string // the type of an ICMP message other than an echo, such as packet-too-big
	size         int    // of the IP packet with its header, in bytes; 0 is small
	yields       bool   // it may be fragmented on the path
	unbound      bool   // its route was looked up before it had a source, so rules by source did not apply
	reply        bool
}

// back is the reply to the packet.
func (p packet) back() packet {
	return packet{src: p.dst, dst: p.src, proto: p.proto, sport: p.dport, dport: p.sport, size: p.size, reply: !p.reply}
}

// discovers reports whether a packet is an IPv6 neighbour solicitation or advertisement.
func (p packet) discovers() bool { return strings.HasPrefix(p.icmp, "nd-") }

func (p packet) family() int {
	if p.dst.Is4() {
		return 4
	}
	return 6
}

// both walks the packet and its reply. A sender that has cached too small a path MTU does not even send.
func (w *walk) both() *Cause {
	if c := w.thereAndBack(); c != nil {
		return c
	}
	c := w.pathMTU()
	if c != nil {
		w.path = w.path[:1]
	}
	return c
}

// thereAndBack walks the packet and its reply, whatever path MTU the sender has cached.
func (w *walk) thereAndBack() *Cause {
	// The packet, and what stops it before any route lookup.
	from := w.namespace(w.query.From)
	if from == nil {
		return w.noNamespace(w.query.From)
	}
	p := packet{dst: w.query.To, proto: "icmp", dport: w.query.Port}
	if p.family() == 6 {
		p.proto = "ipv6-icmp"
	}
	if w.query.Port != 0 {
		p.proto, p.sport = "tcp", 40000
	}
	if w.query.Size != 0 {
		p.size = w.query.Size + map[int]int{4: 28, 6: 48}[p.family()]
	}
	if cause := w.source(from, &p); cause != nil {
		return cause
	}
	if w.query.Source.IsValid() && !w.bound(from, &p) {
		return w.unbound(from)
	}
	// To the destination, and from there back.
	there, p, cause := w.travel(from, p)
	if cause != nil {
		return cause
	}
	if there == from || there == nil {
		return nil
	}
	if p.src.IsLinkLocalUnicast() && w.arrived != nil {
		p.src = p.src.WithZone(w.arrived.Name)
	}
	home, answer, cause := w.travel(there, p.back())
	switch {
	case cause != nil:
		cause.Reply = true
		if t := w.translationMissing(cause); t != nil {
			return t
		}
	case home == from:
		return w.answeredByAnother(answer)
	}
	return cause
}

// hop notes a step of the path. What could not be read there is a doubt.
func (w *walk) hop(n *state.Namespace, l *state.Link, p packet, format string, args ...any) {
	w.doubtUnread(n)
	h := Hop{Netns: n.Name, Decision: fmt.Sprintf(format, args...), Reply: p.reply}
	if l != nil {
		h.Link = l.Name
		w.doubtQdiscs(n, l)
	}
	w.path = append(w.path, h)
}

func (w *walk) doubtUnread(n *state.Namespace) {
	for _, what := range n.Unread {
		w.doubt("%s: not read: %s", n.Name, what)
	}
}

// doubtQdiscs notes that the tc filters and actions of a link, which hang on these disciplines, are not read.
func (w *walk) doubtQdiscs(n *state.Namespace, l *state.Link) {
	for _, q := range n.Qdiscs {
		if q.Dev == l.Name && (q.Kind == "clsact" || q.Kind == "ingress") {
			w.doubt("%s: not read: the filters of tc on %s", n.Name, l.Name)
		}
	}
}

// doubt notes, once, that something was not read or not understood.
func (w *walk) doubt(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, d := range w.doubts {
		if d == text {
			return
		}
	}
	w.doubts = append(w.doubts, text)
}
