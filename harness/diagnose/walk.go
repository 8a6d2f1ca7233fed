package diagnose

import (
	"fmt"
	"net/netip"
	"strings"

	"netnscheck/harness/state"
)

// walk is a packet on its way.
type walk struct {
	state  *state.State
	query  Query
	path   []Hop
	doubts []string
	// translations are those that routers have made on the way there, for the way back.
	translations []translation
	maybeSentOn  maybeSentOn
	// translators are the namespaces on the way that translate some sources.
	translators []*state.Namespace
	// stations are the namespaces that sent the packet on.
	stations []station
	// asked are the questions for neighbours that were heard. Who is asked knows who asks, and does not ask back.
	asked []question
	// arrived is the link by which the packet came to where it was taken in.
	arrived *state.Link
	// beyond are the links of the segment that was looked at last by which frames leave what the state holds.
	beyond []port
	// trial says that it is only asked whether and how far the packet gets: no time is spent on a repair.
	trial bool
	// turns are those at routes with several nexthops; nil takes the first one everywhere.
	turns *turns
	// tunnels is in how many tunnels the packet is.
	tunnels  int
	names    map[string]*state.Namespace
	owners   map[netip.Addr][]port
	children map[port][]port
	segments map[port]port // to the link by which the segment was found
}

// question is one who has an address, from one link to another.
type question struct{ from, to port }

// packet is what is on its way: an echo request or the first segment of a TCP connection, or the answer to it.
type packet struct {
	src, dst     netip.Addr
	proto        string // icmp, ipv6-icmp, tcp
	sport, dport uint16
	icmp         string // the type of an ICMP message that is no echo, such as packet-too-big
	size         int    // of the IP packet with its header; 0 is small
	yields       bool   // it may be fragmented on the way
	unbound      bool   // its way was looked up before it had its source, so no rule by source saw it
	reply        bool
}

// back is the packet that comes back.
func (p packet) back() packet {
	return packet{src: p.dst, dst: p.src, proto: p.proto, sport: p.dport, dport: p.sport, size: p.size, reply: !p.reply}
}

// discovers says that a packet is a question for a neighbour by IPv6, or its answer.
func (p packet) discovers() bool { return strings.HasPrefix(p.icmp, "nd-") }

func (p packet) family() int {
	if p.dst.Is4() {
		return 4
	}
	return 6
}

// both walks there and back. A sender that believes the way to be narrower than it is does not send, though.
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

func (w *walk) thereAndBack() *Cause {
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

// hop notes a station of the way. What could not be read there is a doubt.
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

// doubtQdiscs: the filters and actions of tc, which these disciplines are for, are not read.
func (w *walk) doubtQdiscs(n *state.Namespace, l *state.Link) {
	for _, q := range n.Qdiscs {
		if q.Dev == l.Name && (q.Kind == "clsact" || q.Kind == "ingress") {
			w.doubt("%s: not read: the filters of tc on %s", n.Name, l.Name)
		}
	}
}

// doubt remembers once that something was not understood.
func (w *walk) doubt(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, d := range w.doubts {
		if d == text {
			return
		}
	}
	w.doubts = append(w.doubts, text)
}
