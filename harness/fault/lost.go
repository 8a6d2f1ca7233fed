package fault

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// lost is what a fault has taken that nothing in the broken network shows, in words; "" if everything is to be seen.
// What leads back says it: a route that went with an address, the namespace to which a link belongs, an address that
// nobody asks for.
func lost(f Fault, broken, finished *state.State, asked []diagnose.Query) string {
	if f.Name == causes.NoAddress || f.Name == causes.NoRoute {
		asked = nil // it is named for its own namespace, which knows no address that it should have
	}
	for _, c := range f.Mend {
		netns := c.Netns
		if netns == "" {
			netns = state.Host
		}
		n, was := broken.Namespace(netns), finished.Namespace(netns)
		switch op := c.Op.(type) {
		case operation.RouteChange:
			if op.Verb == operation.Add && op.Route.Proto != "kernel" && !replaced(n, op.Route) {
				return fmt.Sprintf("a route in `%s` that was made by hand", netns)
			}
		case operation.AddressChange:
			if op.Verb == operation.Add && !shown(broken, n.Link(op.Dev), op, asked) {
				return fmt.Sprintf("the address `%s`", op.Prefix)
			}
		case operation.LinkSet:
			switch {
			case op.Netns != "":
				return fmt.Sprintf("that `%s` belongs to `%s`", op.Name, op.Netns)
			case op.Address != nil && !was.Link(op.Name).MACRandom:
				return fmt.Sprintf("the MAC address of `%s` in `%s`", op.Name, netns)
			}
		case operation.RouteFlush:
			if op.Cache && len(was.PathMTUs) > 0 {
				return fmt.Sprintf("a path MTU in `%s`, which the kernel may list only after it is used again", netns)
			}
		case operation.Run:
			if len(op.Argv) > 2 && (op.Argv[1] == "add" || op.Argv[1] == "insert") && op.Argv[2] == "rule" {
				return fmt.Sprintf("the rule `%s`", strings.Join(op.Argv[3:], " "))
			}
		}
	}
	return ""
}

// replaced reports whether a route is there with another next hop, in a namespace that can have only one.
func replaced(n *state.Namespace, r operation.Route) bool {
	linked := 0
	for _, l := range n.Links {
		if l.Kind != "loopback" && len(l.Addresses) > 0 {
			linked++
		}
	}
	return linked == 1 && r.MTU == nil && r.Table == "" &&
		slices.ContainsFunc(n.Routes, func(other state.Route) bool {
			return other.Table == state.TableMain && other.Type == "unicast" && hasGateway(other) &&
				(other.To == r.To || other.To.Bits() == 0 && r.Default && other.Family == int(r.Family))
		})
}

// shown reports whether an address is to be seen: the link has it with another prefix, or has none of its family and
// somebody asks for this one, which is nowhere else.
func shown(s *state.State, l *state.Link, op operation.AddressChange, asked []diagnose.Query) bool {
	if l == nil {
		return false
	}
	bare := true
	for _, a := range l.Addresses {
		if a.Prefix.Addr() == op.Prefix.Addr() {
			return true
		}
		bare = bare && familyOf(a.Prefix.Addr()) != familyOf(op.Prefix.Addr())
	}
	misplaced := slices.ContainsFunc(s.Namespaces, func(n state.Namespace) bool { return hasOwn(&n, op.Prefix.Addr()) })
	return bare && !misplaced && slices.ContainsFunc(asked, func(q diagnose.Query) bool {
		return q.To == op.Prefix.Addr()
	})
}
