// Package diagnose finds out why a namespace does not reach an address. It walks the packet through a state.State, and
// then the reply, and names the first thing that stops them. It is pure: it imports only state and its causes, any
// package may import it, and it never asks the kernel. What the state does not contain is a doubt, never a guess.
package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// Query is a question: why does From not reach To?
type Query struct {
	From string `json:"from"`
	// Source is the source address of the packet, an address of From; if invalid, the one that From would choose.
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
	// Path is the path of the packet as far as it gets, and of the reply.
	Path []Hop `json:"path"`
	// Cause is the first thing that stops the packet or the reply; nil if nothing does.
	Cause *Cause `json:"cause,omitempty"`
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
type Cause struct {
	Name  causes.Cause `json:"name"`
	Netns string       `json:"netns"`
	Link  string       `json:"link,omitempty"` // "" for a cause in the namespace as a whole
	// Reply is set if it stops the reply.
	Reply bool `json:"reply,omitempty"`
	// Passes is set if it goes away by itself, as when spanning tree has yet to let a port forward.
	Passes bool `json:"passes,omitempty"`
	// Part is set if it stops only some flows: by a route with several nexthops, others get through.
	Part bool `json:"part,omitempty"`
	// Says is the cause in one sentence.
	Says string `json:"says"`
	// Evidence are lines of the state that prove it, as ip or nft shows them.
	Evidence []string `json:"evidence,omitempty"`
	// Repair are commands that fix it, and what else is missing on the path then. They can be run as they are.
	Repair []string `json:"repair,omitempty"`
	// Advice is for a fix that is not known in full: a command with a word in capitals to fill in, or a sentence.
	Advice []string `json:"advice,omitempty"`
	// changes are the effects of the repair on a state.
	changes []change
}

// Place is the place of the cause in the words of a check: `X` in `M`, or `M`.
func (c *Cause) Place() string {
	if c.Link == "" {
		return c.Netns
	}
	return c.Link + " in " + c.Netns
}

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
	r.Path, r.Doubts, r.lookups = w.path, w.doubts, w.lookups
	if r.Cause != nil && closed(s, r.Cause.Netns) {
		// The state has only the name of a namespace that was not read.
		r.Doubts = append(r.Doubts, fmt.Sprintf("the namespace %s could not be read", r.Cause.Netns))
		r.Cause, r.Path = nil, nil
	}
	r.Also = remarks(s, r.Cause)
	return r
}

// remarks are what is wrong in a state besides a cause, which may be nil.
func remarks(s *state.State, found *Cause) (also []Cause) {
	for _, c := range review(s) {
		if found == nil || !found.includes(c) {
			also = append(also, c)
		}
	}
	return also
}

// includes reports whether a remark is about the same fault: in the same place it has the same name, or is less
// specific than any other cause, or is fixed by the cause's repair.
func (c *Cause) includes(remark Cause) bool {
	if c.Netns != remark.Netns || c.Link != remark.Link {
		return false
	}
	fixed := len(remark.Repair) > 0 && !slices.ContainsFunc(remark.Repair, func(line string) bool {
		return !slices.Contains(c.Repair, line)
	})
	return c.Name == remark.Name || remark.Name.Masked() || fixed
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
