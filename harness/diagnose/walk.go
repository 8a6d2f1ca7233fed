package diagnose

import (
	"fmt"
	"net/netip"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/translation"
	"netnscheck/harness/state"
)

// walk follows one packet, and its reply, through a state.
type walk struct {
	*topology.Map
	query  Query
	path   []Hop
	doubts []string
	// translations are the address translations of the first packet, to be reversed for the reply.
	translations []translation.Translation
	maybeSentOn  maybeSentOn
	// maybeFrom is the first rule that is not understood and may have changed the source of the packet.
	maybeFrom maybeSentOn
	// untracked are the namespaces whose connection tracking took no notice of the first packet.
	untracked []*state.Namespace
	// translators are the namespaces on the path that translate some sources.
	translators []*state.Namespace
	// stations are the namespaces that sent the packet on.
	stations []station
	// asked are the neighbour requests that were received. The receiver learns the sender's MAC address by them, and
	// does not send a request of its own.
	asked []question
	// arrived is the link by which the packet came to the namespace of its local delivery.
	arrived *state.Link
	// reached is the namespace of the packet's local delivery; nil before that, and outside the state.
	reached *state.Namespace
	// trial is set if only the outcome and the length of the path count: no time is spent on a repair.
	trial bool
	// turns are the choices at routes with several nexthops; nil takes the first one everywhere.
	turns *turns
	// lookups are the route look-ups so far.
	lookups []lookedUp
	// tunnels is the number of tunnels that the packet is in.
	tunnels int
}

// maybeSentOn is the first rule that is not followed and may have sent the packet elsewhere.
type maybeSentOn struct {
	n    *state.Namespace
	rule string
}

// question is a neighbour request from one link to another.
type question struct{ from, to facts.Port }

// both walks the packet and its reply. A sender that has cached too small a path MTU does not even send.
func (w *walk) both() *finding.Cause {
	if c := w.thereAndBack(); c != nil {
		return c
	}
	c := w.pathMTU()
	if c != nil {
		w.path = w.path[:1]
	}
	return c
}

// thereAndBack walks the packet and its reply, whatever path MTU the sender has cached. What stops it after a rule that
// may have sent it elsewhere is a doubt, and so is what stops a packet that may have another source.
func (w *walk) thereAndBack() *finding.Cause { return w.proven(w.roundTrip()) }

// proven is a cause, or nil with a doubt if a rule may have changed where the packet went before.
func (w *walk) proven(c *finding.Cause) *finding.Cause {
	at := w.maybeSentOn
	if at.n == nil && c != nil && (c.Reply || c.Name == causes.ReversePathFilter ||
		strings.HasPrefix(c.Name.String(), "filter-")) {
		at = w.maybeFrom
	}
	if c == nil || at.n == nil {
		return c
	}
	w.doubt("%s: %s, unless a rule of %s changes where the packet goes or comes from: %s", c.Place(), c.Says, at.n.Name,
		at.rule)
	return nil
}

func (w *walk) roundTrip() *finding.Cause {
	// The packet, and what stops it before any route lookup.
	from := w.Namespace(w.query.From)
	if from == nil {
		return faults.NoNamespace(w.Map, w.query.From)
	}
	p := packet.Packet{Dst: w.query.To, Proto: "icmp", Dport: w.query.Port}
	if p.Family() == 6 {
		p.Proto = "ipv6-icmp"
	}
	if w.query.Port != 0 {
		p.Proto, p.Sport = w.query.transport(), 40000
	}
	if w.query.Size != 0 {
		p.Size = w.query.Size + map[int]int{4: 28, 6: 48}[p.Family()]
	}
	if cause := w.source(from, &p); cause != nil {
		return cause
	}
	if w.query.Source.IsValid() && !w.bound(from, &p) {
		return w.unbound(from)
	}
	// To the destination, and from there back.
	there, p, cause := w.travel(from, nil, p)
	if cause != nil {
		return cause
	}
	w.reached = there
	var in *state.Link // by which an answer from outside comes
	if there == nil {
		if there, in = w.exit(); in == nil {
			return nil
		}
		w.hop(there, in, p.Back(), "an answer of %s, if there is one, comes in", p.Dst)
	} else if there == from {
		return nil
	}
	if p.Src.IsLinkLocalUnicast() && w.arrived != nil {
		p.Src = p.Src.WithZone(w.arrived.Name)
	}
	exit := there
	home, answer, cause := w.travel(there, in, p.Back())
	switch {
	case cause != nil && in != nil && w.mayComeElsewhere(exit, in, p.Src, cause):
		w.doubt("an answer of %s that comes in by %s is stopped: %s, %s: %s", p.Dst, in.Name, cause.Name, cause.Place(),
			cause.Says)
		return nil
	case cause != nil:
		cause.Reply = true
		if c := w.untranslated(cause); c != nil {
			return c
		}
	case home == from:
		return w.answeredByAnother(answer)
	}
	return cause
}

// untranslated: the reply is lost because a router on the path translates other sources; nil if none does.
func (w *walk) untranslated(lost *finding.Cause) *finding.Cause {
	if len(w.translators) == 0 || !causes.TranslationMissing.Explains(lost.Name) {
		return nil
	}
	n := w.translators[0]
	if lost.Netns == n.Name { // it undoes its translations before it looks for a route, and finds none all the same
		return nil
	}
	for _, at := range w.stations {
		if at.n != n || at.p.Reply {
			continue
		}
		from := w.NetworkOf(at.p.Src)
		if from.Bits() == 0 {
			from = netip.PrefixFrom(at.p.Src, at.p.Src.BitLen())
		}
		return translation.Missing(n, from, at.d.Dev(n), lost)
	}
	return nil
}

// exit is where the packet has left the state: the last namespace and its link, by which the answer comes in unless it
// takes another way out there; nil if it has not left.
func (w *walk) exit() (*state.Namespace, *state.Link) {
	if len(w.stations) == 0 || !w.fromOutside() {
		return nil, nil
	}
	at := w.stations[len(w.stations)-1]
	return at.n, at.d.Dev(at.n)
}

// mayComeElsewhere reports whether what stops an answer from outside is no proof: the address that was asked from is one
// of another link, by which the answer may come in, or a mark that is not followed may be part of the check of its
// source (ip-sysctl.rst, src_valid_mark).
func (w *walk) mayComeElsewhere(n *state.Namespace, in *state.Link, asked netip.Addr, lost *finding.Cause) bool {
	_, here := facts.AddressOf(in, asked)
	return w.IsOwn(n, asked) && !here || lost.Name == causes.ReversePathFilter
}

// fromOutside reports whether no namespace of the state has sent the packet to where it is: the last one that sent it
// did not reach another.
func (w *walk) fromOutside() bool { return !w.stations[len(w.stations)-1].crossed }

// hop notes a step of the path. What could not be read there is a doubt.
func (w *walk) hop(n *state.Namespace, l *state.Link, p packet.Packet, format string, args ...any) {
	w.doubtUnread(n)
	h := Hop{Netns: n.Name, Decision: fmt.Sprintf(format, args...), Reply: p.Reply}
	if l != nil {
		h.Link = l.Name
		w.doubtPrograms(n, l)
	}
	w.path = append(w.path, h)
}

func (w *walk) doubtUnread(n *state.Namespace) {
	for _, what := range n.Unread {
		w.doubt("%s: not read: %s", n.Name, what)
	}
}

// doubtPrograms notes that the tc filters and the XDP programs of a link are not understood.
func (w *walk) doubtPrograms(n *state.Namespace, l *state.Link) {
	for _, f := range n.TCFilters {
		if f.Dev == l.Name {
			w.doubt("%s: not understood: the filters of tc at %s on %s", n.Name, f.Hook, l.Name)
		}
	}
	for _, p := range l.XDP {
		w.doubt("%s: not understood: the XDP program %s on %s", n.Name, p.Name, l.Name)
	}
}

func (w *walk) doubtAll(doubts []string) {
	for _, d := range doubts {
		w.doubt("%s", d)
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
