package state

import (
	"fmt"
	"strings"
)

// TCFilter is a filter at one end of a link's way into or out of the kernel: of the queueing disciplines clsact and
// ingress (tc-filter(8)). Those of a link are in the order in which a packet meets them: by priority.
type TCFilter struct {
	Dev string `json:"dev"`
	// Hook is ingress, before the routing of what arrives, or egress, after that of what leaves.
	Hook string `json:"hook"`
	// Block is the number of the block of filters that the link shares with others, 0 for filters of its own.
	Block    uint32 `json:"block,omitempty"`
	Chain    uint32 `json:"chain,omitempty"` // a packet begins in chain 0
	Priority uint16 `json:"priority"`
	// Protocol is all, or that of the frame: ip, ip6, arp, 8021q or a number.
	Protocol string `json:"protocol"`
	Kind     string `json:"kind"` // flower, matchall, u32, bpf, …
	Handle   string `json:"handle,omitempty"`
	// Matches all have to be true. Those of u32 on ports take the IP header for one without options.
	Matches []FilterMatch `json:"matches,omitempty"`
	// Program is that of a bpf filter.
	Program *BPFProgram `json:"program,omitempty"`
	// Actions are run one after the other while their Verdict is pipe.
	Actions []TCAction `json:"actions,omitempty"`
	// NotUnderstood names what is unknown of the filter: then it is unknown which packets it matches.
	NotUnderstood []string `json:"not_understood,omitempty"`
}

// TCAction is what a filter does to a packet.
type TCAction struct {
	Kind string `json:"kind"` // gact, mirred, pedit, …
	// Verdict is what follows: pipe to the next action, pass, drop, stolen, continue with the next filter, reclassify,
	// repeat, queued, trap, goto chain N, jump N.
	Verdict string `json:"verdict,omitempty"`
	// Mirror is egress redirect, egress mirror, ingress redirect or ingress mirror, and Dev where to: what is
	// redirected to ingress is received there.
	Mirror string `json:"mirror,omitempty"`
	Dev    string `json:"dev,omitempty"`
	// Sets are the fields of the packet that pedit writes.
	Sets []FieldValue `json:"sets,omitempty"`
	// NotUnderstood names what is unknown of the action: then it is unknown what becomes of the packet.
	NotUnderstood []string `json:"not_understood,omitempty"`
}

// FieldValue is a new value of a field of a packet, whose key is that of a FilterMatch.
type FieldValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// BPFProgram is a program that the kernel runs for each packet. What it does is unknown.
type BPFProgram struct {
	// Name is the name that it was loaded under, or that of the file it came from; "" if it cannot be read.
	Name string `json:"name,omitempty"`
	ID   uint32 `json:"id,omitempty"` // 0 for a classic program
	// Mode is where XDP runs it: driver, generic or hardware.
	Mode string `json:"mode,omitempty"`
}

// TCFilterText is a filter in one line in the style of `tc filter show`.
func TCFilterText(f TCFilter) string {
	parts := []string{"filter", option("dev", f.Dev), f.Hook, option("block", f.Block), option("protocol", f.Protocol),
		fmt.Sprint("pref ", f.Priority), f.Kind, fmt.Sprint("chain ", f.Chain), option("handle", f.Handle)}
	for _, m := range f.Matches {
		parts = append(parts, m.Key, when(m.Not, "!="), strings.Join(m.Values, ","))
	}
	if f.Program != nil {
		parts = append(parts, f.Program.Name, option("id", f.Program.ID))
	}
	parts = append(parts, notUnderstood(f.NotUnderstood))
	for _, a := range f.Actions {
		parts = append(parts, "action", a.Kind, when(a.Mirror != "", a.Mirror+" dev "+a.Dev))
		for _, s := range a.Sets {
			parts = append(parts, s.Key, "set", s.Value)
		}
		parts = append(parts, a.Verdict, notUnderstood(a.NotUnderstood))
	}
	return words(parts...)
}

func notUnderstood(what []string) string {
	if len(what) == 0 {
		return ""
	}
	return "[not understood: " + strings.Join(what, ", ") + "]"
}

// xdpText is the XDP programs of a link, by mode and name.
func xdpText(all []BPFProgram) string {
	var texts []string
	for _, p := range all {
		texts = append(texts, words(p.Mode, p.Name))
	}
	return strings.Join(texts, ", ")
}
