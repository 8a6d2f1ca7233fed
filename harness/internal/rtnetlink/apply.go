package rtnetlink

import (
	"context"
	"fmt"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// sayable reports whether the driver supports the operation: nil or a *scenario.CannotSay.
func sayable(c operation.Command) error {
	switch op := c.Op.(type) {
	case operation.Show:
		return showable(op)
	case operation.NetnsAdd:
		// Inside another namespace `ip` mounts the new one in a mount namespace of its own, which is gone when it
		// exits, and leaves an ordinary file behind.
		if c.Netns != "" {
			return cannotSay("netns add in another namespace")
		}
	}
	return nil
}

func cannotSay(word string) error {
	return &scenario.CannotSay{Driver: scenario.NetlinkDriver, Word: word}
}

// carryOut runs an operation and returns its output.
func carryOut(ctx context.Context, w *netns.World, c operation.Command) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	if err := sayable(c); err != nil {
		return "", err
	}
	if output, ok, err := carryOutMany(ctx, w, c); ok {
		return output, err
	}
	switch op := c.Op.(type) {
	case operation.NetnsAdd:
		return "", addNetns(w, op)
	case operation.NetnsDelete:
		return "", deleteNetns(w, op)
	case operation.SysctlSet:
		return setSysctls(w, c.Netns, op)
	case operation.SysctlShow:
		return showSysctls(w, c.Netns, op)
	case operation.Ping:
		return ping(ctx, w, c, op)
	case operation.Show:
		return show(ctx, w, c, op)
	}
	s, err := dial(w, c.Netns)
	if err != nil {
		return "", err
	}
	defer s.close()
	return "", s.apply(c.Op)
}

// apply sends an operation that changes the session's namespace.
func (s *session) apply(op operation.Operation) error {
	switch op := op.(type) {
	case operation.NetnsSet:
		return s.setNetns(op)
	case operation.LinkAdd:
		return s.addLink(op)
	case operation.LinkSet:
		return s.setLink(op)
	case operation.LinkProperty:
		return s.changeProperty(op)
	case operation.LinkDelete:
		return s.deleteLink(op)
	case operation.AddressChange:
		return s.changeAddress(op)
	case operation.AddressFlush:
		return s.flushAddresses(op)
	case operation.RouteChange:
		return s.changeRoute(op)
	case operation.RouteFlush:
		return s.flushRoutes(op)
	case operation.RuleChange:
		return s.changeRule(op)
	case operation.RuleFlush:
		return s.flushRules(op)
	case operation.NeighbourChange:
		return s.changeNeighbour(op)
	case operation.NeighbourFlush:
		return s.flushNeighbours(op)
	case operation.NexthopChange:
		return s.changeNexthop(op)
	case operation.NexthopFlush:
		return s.flushNexthops(op)
	case operation.MulticastChange:
		return s.changeMulticast(op)
	case operation.TokenSet:
		return s.setToken(op)
	case operation.TunChange:
		return s.changeTun(op)
	}
	return cannotSay(fmt.Sprintf("%T", op))
}
