// Package changes says which kinds of things may have changed in which namespaces of a lab, as the kernel tells it:
// what internal/feed hears and lab.Live judges by. It is pure: any package may import it, and it hears nothing and
// reads no state.
package changes

import (
	"maps"
	"slices"
	"strings"
)

// Kinds is a set of kinds of things that changed.
type Kinds uint16

const (
	Names      Kinds = 1 << iota // of namespaces: entries of /run/netns and what is behind them
	IDs                          // ids that namespaces have for others
	Links                        // links, ports of bridges and their VLANs
	Addresses                    // IPv4 and IPv6 addresses
	Routes                       // routes of IPv4, IPv6 and MPLS, of unicast and of multicast
	Rules                        // rules of IPv4 and IPv6
	Neighbours                   // neighbour entries
	Forwarding                   // forwarding and multicast entries of bridges and VXLANs
	Nexthops                     // nexthop objects
	Groups                       // multicast groups that links have joined (Linux 6.14)
	// those sysctls of links of which the kernel tells: forwarding, rp_filter and a few more
	Settings
	Queueing // queueing disciplines, classes and filters of tc
	Filters  // nftables
)

// words are the kinds in words, by bit.
var words = []string{"names", "ids", "links", "addresses", "routes", "rules", "neighbours", "forwarding entries",
	"nexthops", "multicast groups", "settings", "queueing disciplines", "packet filters"}

// Has reports whether one of the kinds is in the set.
func (k Kinds) Has(one Kinds) bool { return k&one != 0 }

// String lists the kinds, such as: links, addresses.
func (k Kinds) String() string {
	var all []string
	for i, word := range words {
		if k.Has(1 << i) {
			all = append(all, word)
		}
	}
	return strings.Join(all, ", ")
}

// Change says what may have changed in a lab. It is for a reader who then looks at the state: it may name more than
// what changed, never less of what the kernel reported.
type Change struct {
	// Kinds are the kinds of what changed, by the lesson's name of the namespace; the host is state.Host. For Names the
	// namespace is the entry of /run/netns.
	Kinds map[string]Kinds
	// Everything is set if reports were lost, so that anything may have changed.
	Everything bool
}

// Any reports whether there is a change at all.
func (c Change) Any() bool { return c.Everything || len(c.Kinds) > 0 }

// All is the set of all kinds of the change, of whatever namespace.
func (c Change) All() Kinds {
	if c.Everything {
		return 1<<len(words) - 1
	}
	var all Kinds
	for _, k := range c.Kinds {
		all |= k
	}
	return all
}

// Netns are the namespaces that changed, sorted.
func (c Change) Netns() []string { return slices.Sorted(maps.Keys(c.Kinds)) }

// String says what changed, such as: links, addresses in testns; names in prodns.
func (c Change) String() string {
	if c.Everything {
		return "everything may have changed"
	}
	var all []string
	for _, ns := range c.Netns() {
		all = append(all, c.Kinds[ns].String()+" in "+ns)
	}
	return strings.Join(all, "; ")
}

// Add adds what another change says.
func (c *Change) Add(other Change) {
	c.Everything = c.Everything || other.Everything
	for ns, k := range other.Kinds {
		c.Note(ns, k)
	}
}

// Note adds kinds of things in a namespace.
func (c *Change) Note(ns string, k Kinds) {
	if c.Kinds == nil {
		c.Kinds = map[string]Kinds{}
	}
	c.Kinds[ns] |= k
}

// Clone is a copy that shares nothing.
func (c Change) Clone() Change {
	c.Kinds = maps.Clone(c.Kinds)
	return c
}
