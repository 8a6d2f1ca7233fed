package claim

import (
	"net"
	"strings"

	"netnscheck/harness/state"
)

// ForwardingEntry is what a check says about an address in the forwarding table of a bridge: `br0` in `N` has learned
// `MAC` on `p2`, has the static entry `MAC` on `p2`, or does not have the entry `MAC`.
type ForwardingEntry struct {
	Iface
	MAC  net.HardwareAddr
	Port string // "" for any
	Kind EntryKind
	Not  bool
}

// EntryKind is how an address came into a forwarding table.
type EntryKind int

const (
	AnyEntry EntryKind = iota
	// LearnedEntry is dynamic: the bridge has seen the address, or the entry was added as dynamic.
	LearnedEntry
	// StaticEntry was added as static, perhaps sticky too. A permanent entry is not: its frames are the bridge's own.
	StaticEntry
)

func init() {
	entry := func(a arguments, kind EntryKind, not bool) Claim {
		return ForwardingEntry{Iface: a.iface(0), MAC: a.mac(2), Port: a.text(3), Kind: kind, Not: not}
	}
	const static = "static entry `02:00:00:00:00:01` on `p2`"
	add(Entry{
		Place: 250,
		Means: "a dynamic entry of the bridge's forwarding table",
		Forms: []Form{
			says("`br0` in `N` has learned `02:00:00:00:00:01` on `p2`", func(a arguments) Claim {
				return entry(a, LearnedEntry, false)
			}),
		},
	})
	add(Entry{
		Place: 252,
		Means: "the forwarding table; a static entry may be sticky, which is one that does not move to another port; " +
			"a permanent one is not static: the bridge takes frames for it for its own",
		Forms: []Form{
			says("`br0` in `N` has the "+static, func(a arguments) Claim { return entry(a, StaticEntry, false) }),
			denies("`br0` in `N` does not have the "+static, func(a arguments) Claim {
				return entry(a, StaticEntry, true)
			}),
			denies("`br0` in `N` does not have the entry `02:00:00:00:00:01` [on `p2`]", func(a arguments) Claim {
				return entry(a, AnyEntry, true)
			}),
		},
	})
}

func (c ForwardingEntry) Sentence() string {
	text := c.in()
	switch {
	case c.Kind == LearnedEntry:
		text += say(" has learned %s", c.MAC)
	default:
		text += either(c.Not, hasNot, has) + word(c.Kind == StaticEntry, "static ", "") + say("entry %s", c.MAC)
	}
	if c.Port != "" {
		text += say(" on %s", c.Port)
	}
	return text
}

func (c ForwardingEntry) Needs() Needs { return Needs{Class: ByTraces} }

func (c ForwardingEntry) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(n *state.Namespace, bridge *state.Link) Finding {
		port := c.Port
		if l := n.Link(port); l != nil {
			port = l.Name // Port may be an alternative name
		} else if port != "" {
			return finding(c.Not, noLink(known.State, n, port))
		}
		var same, kind []state.FDBEntry
		for _, e := range n.FDB {
			if e.Master != bridge.Name && e.Dev != bridge.Name {
				continue
			}
			switch {
			case !strings.EqualFold(e.MAC, c.MAC.String()):
				if c.Kind.has(e) && !n.OwnEntry(e) {
					kind = append(kind, e)
				}
				continue
			case c.Kind.has(e) && (port == "" || e.Dev == port):
				return finding(!c.Not, entryText(n, e))
			}
			same = append(same, e)
		}
		text := func(e state.FDBEntry) string { return entryText(n, e) }
		switch {
		case len(same) > 0:
			return finding(c.Not, list(same, text))
		case c.Kind == LearnedEntry:
			return finding(c.Not, "learned: "+list(kind, text))
		case c.Kind == StaticEntry:
			return finding(c.Not, "the static entries: "+list(kind, text))
		}
		return finding(c.Not, "the entries: "+list(kind, text))
	})
}

// has reports whether an entry is of this kind.
func (k EntryKind) has(e state.FDBEntry) bool {
	switch k {
	case LearnedEntry:
		return e.Learned
	case StaticEntry:
		return !e.Learned && !e.Permanent
	}
	return true
}

// entryText is an entry as `bridge fdb show` prints it, with its kind where that says nothing or too little.
func entryText(n *state.Namespace, e state.FDBEntry) string {
	text := state.FDBText(e)
	switch {
	case n.OwnEntry(e):
		return text + " (an address of the bridge or its port)"
	case e.Permanent && e.Master != "":
		return text + " (frames for it are the bridge's own)"
	case e.Learned && !e.ExternLearned && !e.Sticky:
		return text + " (learned)"
	case e.Learned:
		return text + " (dynamic)"
	}
	return text
}

// unsettledBy: packets that are yet to come teach the bridge addresses. Those of duplicate address detection, and what
// IPv6 sends after it, come from the MAC address of their own link.
func (c ForwardingEntry) unsettledBy(s *state.State, p state.Pending) bool {
	switch {
	case c.Kind == StaticEntry:
		return false
	case p.Kind == state.PendingDAD:
		n := s.Namespace(p.Netns)
		return n.Link(p.Dev) == nil || strings.EqualFold(n.Link(p.Dev).MAC, c.MAC.String())
	}
	return p.Kind != state.PendingNeighbour || resolvable(s, p.Addr)
}

func (c ForwardingEntry) Mutants() Mutants {
	set := func(port, kind string) Way {
		return by("bridge" + word(c.Netns == state.Host, "", " -n "+c.Netns) + " fdb replace " + c.MAC.String() +
			" dev " +
			port + " master " + kind)
	}
	if !c.Not {
		return Mutants{Own: []Way{by(in(c.Netns, "link set %s down", c.Port)),
			by(in(c.Netns, "link set %s nomaster", c.Port))}}
	}
	if c.Port != "" {
		return Mutants{Own: []Way{set(c.Port, "static")}, Gone: without(c.Iface)}
	}
	return Mutants{Own: []Way{{Name: "a static entry on each port", Commands: func(s *state.State) (lines []string) {
		n := s.Namespace(c.Netns)
		if n == nil {
			return nil
		}
		for _, l := range n.Links {
			if bridge := n.Link(c.Name); bridge != nil && l.Master == bridge.Name {
				lines = append(lines, set(l.Name, "static").Commands(s)...)
			}
		}
		return lines
	}}}, Gone: without(c.Iface)}
}
