// Package diagnose finds out why a namespace does not reach an address. It walks the packet through a state.State, and
// then the reply, and names the first thing that stops them: the packages below it decide, one subject each, and this
// one walks. It is pure: it imports state and them, any package may import it, and it never asks the kernel. What the
// state does not contain is a doubt, never a guess.
package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/review"
	"netnscheck/harness/state"
)

// Query is a question: why does From not reach To?
type Query struct {
	From string `json:"from"`
	// Source is the source address of the packet, an address of From; if invalid, the one that From would choose.
	Source netip.Addr `json:"source,omitzero"`
	To     netip.Addr `json:"to"` // with a zone for link-local addresses
	// Port is a TCP port, or with UDP one of UDP; 0 asks for ICMP echo.
	Port uint16 `json:"port,omitempty"`
	UDP  bool   `json:"udp,omitempty"`
	// Size is the payload of an echo that must not be fragmented, in bytes; 0 asks for a small one.
	Size int `json:"size,omitempty"`
}

// Report is the answer.
type Report struct {
	Query
	// Path is the path of the packet as far as it gets, and of the reply.
	Path []Hop `json:"path"`
	// Cause is the first thing that stops the packet or the reply; nil if nothing does.
	Cause *Cause `json:"cause,omitempty"`
	// Then is what stops the packet or the reply next, once Cause is repaired, then what stops it after that, and so
	// on.
	Then []*Cause `json:"then,omitempty"`
	// Also is what else is wrong in the state: it does not stop the packet, or not first.
	Also []Cause `json:"also,omitempty"`
	// Doubts are things that were not understood or not read and on which the answer may depend.
	Doubts []string `json:"doubts,omitempty"`
	// Unread are the parts of the state that could not be read, each with its namespace; empty, never nil.
	Unread []string `json:"unread"`
	// lookups are the route look-ups of the walk.
	lookups []lookedUp
}

// Cause is why a packet is stopped, or a remark of a review.
type Cause = finding.Cause

// Hop is one step of the path and what is decided there.
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
	r := Report{Query: q, Unread: unread(s)}
	if unknown := unknownIn(s, q.To, q.Source); unknown != "" {
		r.Doubts = []string{unknown}
		return r
	}
	w, lost := (&walk{Map: chartOfState(s), query: q}).everyWay()
	if lost != nil {
		found := w.sequence(lost)
		r.Cause, r.Then = found[0], found[1:]
		if len(w.path) > 0 {
			w.path[len(w.path)-1].Stop = true
		}
	}
	r.Path, r.Doubts, r.lookups = w.path, w.doubts, w.lookups
	if r.Cause != nil && closed(s, r.Cause.Netns) {
		// The state has only the name of a namespace that was not read.
		r.Doubts = append(r.Doubts, fmt.Sprintf("the namespace %s could not be read", r.Cause.Netns))
		r.Cause, r.Then, r.Path = nil, nil, nil
	}
	if unread := slices.IndexFunc(r.Then, func(c *Cause) bool { return closed(s, c.Netns) }); unread >= 0 {
		r.Then = r.Then[:unread]
	}
	r.Also = r.remarks(s)
	return r
}

// remarks are what is wrong in a state besides what stops the packet.
func (r *Report) remarks(s *state.State) (also []Cause) {
	for _, c := range review.Of(chartOfState(s)) {
		includes := func(found *Cause) bool { return found.Includes(c) }
		if (r.Cause == nil || !includes(r.Cause)) && !slices.ContainsFunc(r.Then, includes) {
			also = append(also, c)
		}
	}
	return also
}

// unknownIn reports an address that is not in a redacted state: only the key tells what has become of it.
func unknownIn(s *state.State, asked ...netip.Addr) string {
	for _, a := range asked {
		if s.Redacted && a.IsValid() && !s.Knows(a) {
			return fmt.Sprintf("the state is redacted, and %s is no address in it: "+
				"ask its owner, who has the key, for the redacted address", a)
		}
	}
	return ""
}

// closed reports whether a namespace could not be entered: nothing of it was read.
func closed(s *state.State, netns string) bool {
	n := s.Namespace(netns)
	return n != nil && len(n.Links) == 0 && len(n.Unread) > 0
}

// unread are the parts of a state that could not be read, each with its namespace.
func unread(s *state.State) []string {
	parts := []string{}
	for i := range s.Namespaces {
		for _, what := range s.Namespaces[i].Unread {
			parts = append(parts, s.Namespaces[i].Name+": "+what)
		}
	}
	return parts
}
