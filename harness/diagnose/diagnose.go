// Package diagnose says why one namespace does not reach an address: it walks the packet through a state.State, forward and then
// the reply backward, and names the first thing that stops it. It is pure: it imports state alone, anybody may import it, and it
// never asks the kernel; what the state does not hold, it does not guess.
package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// Query is a question: why does From not reach To?
type Query struct {
	From string `json:"from"`
	// Source is the source address of the packet, an address of From. Not valid, it is the one that From would choose.
	Source netip.Addr `json:"source,omitzero"`
	To     netip.Addr `json:"to"` // with a zone for link-local addresses
	// Port is a TCP port; 0 asks for ICMP echo.
	Port uint16 `json:"port,omitempty"`
	// Size is the payload of an echo that must not be fragmented, in bytes; 0 asks for a small one.
	Size int `json:"size,omitempty"`
}

// Report is the answer.
type Report struct {
	Query
	// Path is the way of the packet as far as it gets, and of the reply.
	Path []Hop `json:"path"`
	// Cause is the first thing that stops it; nil when nothing does.
	Cause *Cause `json:"cause,omitempty"`
	// Also is what else is wrong in the state; it does not stop the packet, or not first.
	Also []Cause `json:"also,omitempty"`
	// Doubts are the things that were not understood or not read, on which the answer may depend.
	Doubts []string `json:"doubts,omitempty"`
}

// Cause is why a packet is stopped, or a remark of a review.
type Cause struct {
	// Name is a word of the closed vocabulary, such as link-down.
	Name  string `json:"name"`
	Netns string `json:"netns"`
	Link  string `json:"link,omitempty"` // "" for a cause in the namespace as a whole
	// Reply says that it stops the way back.
	Reply bool `json:"reply,omitempty"`
	// Passes says that it goes by itself, as spanning tree lets a port forward in the end.
	Passes bool `json:"passes,omitempty"`
	// Part says that it stops a part of the flows alone: by a route with several nexthops others get through.
	Part bool `json:"part,omitempty"`
	// Says is one sentence for people.
	Says string `json:"says"`
	// Evidence is the state that proves it, as ip or nft would show it.
	Evidence []string `json:"evidence,omitempty"`
	// Repair are the commands that mend it, with what else is missing then on the way: they can be run as they are.
	Repair []string `json:"repair,omitempty"`
	// Advice is what mends it where that is not known in full: a command with a word in capitals to fill in, or a sentence.
	Advice []string `json:"advice,omitempty"`
	// changes are what the repair does to a state.
	changes []change
}

// Place is where the cause is, in the words of a check: `X` in `M`, or `M`.
func (c *Cause) Place() string {
	if c.Link == "" {
		return c.Netns
	}
	return c.Link + " in " + c.Netns
}

// Hop is a station of the way and what is decided there.
type Hop struct {
	Netns    string `json:"netns"`
	Link     string `json:"link,omitempty"`
	Decision string `json:"decision"`
	Reply    bool   `json:"reply,omitempty"`
	// Stop marks the hop at which the packet is stopped.
	Stop bool `json:"stop,omitempty"`
}

// Diagnose answers the query from the state.
func Diagnose(s *state.State, q Query) Report {
	q.To, q.Source = q.To.Unmap(), q.Source.Unmap()
	r := Report{Query: q}
	w, lost := everyWay(s, q)
	if lost != nil {
		r.Cause = lost
		if c := w.detour(); c != nil && !lost.Part {
			r.Cause = c
		} else {
			w.completeRepair(lost)
			w.forgetPathMTU(lost)
		}
		if len(w.path) > 0 {
			w.path[len(w.path)-1].Stop = true
		}
	}
	r.Path, r.Doubts = w.path, w.doubts
	for _, c := range Review(s) {
		if r.Cause == nil || !r.Cause.includes(c) {
			r.Also = append(r.Also, c)
		}
	}
	return r
}

// includes says that a remark is about the same matter: in the same place it has the same name, or what mends the cause mends it too.
func (c *Cause) includes(remark Cause) bool {
	same := c.Netns == remark.Netns && c.Link == remark.Link
	return same && (c.Name == remark.Name || len(remark.Repair) > 0 && !slices.ContainsFunc(remark.Repair, func(line string) bool { return !slices.Contains(c.Repair, line) }))
}

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
