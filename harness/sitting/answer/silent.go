package answer

import (
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// silent is what a command did, or did not do, although it succeeded: the kernel does not tell.
func (s *search) silent() *sitting.Answer {
	for _, find := range []func() *sitting.Answer{
		s.lostByMove, s.beforeMove, s.otherLength, s.otherAddress, s.beside, s.gone, s.twice, s.nothingSet,
		s.otherNamespace, s.otherEnd, s.unchanged, s.pingedElsewhere,
	} {
		if a := find(); a != nil {
			if a.Kind == "" {
				a.Kind = Silent
			}
			return a
		}
	}
	return nil
}

// twice: a rule or a route that is there already was added once more, with another priority or metric.
func (s *search) twice() *sitting.Answer {
	if s.Before == nil || s.sole == nil || s.Status != 0 || s.sole.among(s.known) {
		return nil
	}
	was, now := s.Before.Namespace(orHost(s.sole.netns)), s.After.Namespace(orHost(s.sole.netns))
	if was == nil || now == nil {
		return nil
	}
	switch op := s.sole.op.(type) {
	case operation.RuleChange:
		if op.Verb != operation.Add {
			return nil
		}
		for _, r := range now.Rules {
			alike := func(o state.Rule) bool { o.Priority = r.Priority; return state.RuleText(o) == state.RuleText(r) }
			same := func(o state.Rule) bool { return o.Family == r.Family && state.RuleText(o) == state.RuleText(r) }
			if count(was.Rules, same) < count(now.Rules, same) && slices.ContainsFunc(was.Rules, alike) {
				return &sitting.Answer{Check: s.about(now.Name), Title: "The same rule is there twice in " +
					code(now.Name),
					Text: "The new one is " + code(state.RuleText(r)) + ". Each " + code("add") +
						" makes one more rule; the first that fits is used."}
			}
		}
	case operation.RouteChange:
		if op.Verb == operation.Delete || op.Verb == operation.Replace || op.Verb == operation.Change {
			return nil
		}
		for _, r := range now.Routes {
			plain := func(o state.Route) string { o.Metric, o.Proto, o.TOS = 0, "", 0; return state.RouteText(o) }
			same := func(o state.Route) bool { return o.Family == r.Family && state.RouteText(o) == state.RouteText(r) }
			if r.Table == state.TableMain && count(was.Routes, same) < count(now.Routes, same) &&
				slices.ContainsFunc(was.Routes, func(o state.Route) bool {
					return o.Family == r.Family && o.Table == r.Table && plain(o) == plain(r)
				}) {
				return &sitting.Answer{Check: s.about(now.Name), Title: "The same route is there twice in " +
					code(now.Name),
					Text: "The new one is " + code(state.RouteText(r)) + "."}
			}
		}
	}
	return nil
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

// nothingSet: `ip link set dev X` without what is to be set.
func (s *search) nothingSet() *sitting.Answer {
	if s.sole == nil || s.Status != 0 {
		return nil
	}
	set, ok := s.sole.op.(operation.LinkSet)
	if !ok || len(fields(set)) != 1 || set.Name == "" {
		return nil
	}
	netns := orHost(s.sole.netns)
	a := &sitting.Answer{Check: s.about(set.Name), Title: "That set nothing of " + in(set.Name, netns),
		Text: "What is to be set follows after the name, for example " + code("up") + ". Without it the command " +
			"succeeds and changes nothing."}
	for _, i := range s.open {
		if up, ok := s.step.Checks[i].Claim.(claim.AdminState); ok && up.Name == set.Name && up.Netns == netns &&
			up.Up {
			a.Check = i
			a.Repair = ipIn(netns) + "link set " + term.ShellWord(set.Name) + " up"
		}
	}
	return a
}

// otherNamespace: a right command, but in another namespace. The lesson may have words for it.
func (s *search) otherNamespace() *sitting.Answer {
	if s.sole == nil || s.Status != 0 || !s.sole.changes() || s.sole.among(s.known) {
		return nil
	}
	var meant []string
	for _, r := range s.right {
		here := r
		here.netns = s.sole.netns
		if r.changes() && !r.refused && here.same(*s.sole) {
			meant = append(meant, orHost(r.netns))
		}
	}
	if len(meant) != 1 {
		return nil
	}
	if all := slices.DeleteFunc(s.traces(), func(t trace) bool { return !s.sole.among(t.wrong) }); len(all) == 1 {
		return s.tell(all[0])
	}
	i := s.about(meant[0])
	if !slices.ContainsFunc(placesOf(s.step.Checks[i].Claim), func(p place) bool { return p.netns == meant[0] }) {
		return nil
	}
	return &sitting.Answer{Check: i, Title: "That was done in " + code(orHost(s.sole.netns)) + "; this step is about " +
		code(meant[0]), Text: "A command works in one namespace, without " + code("ip -n NAME") + " or " +
		code("ip netns exec NAME") + " in the one where the shell is."}
}

// otherEnd: a link is up and has no carrier, because the other end of its cable is down, and somebody looks.
func (s *search) otherEnd() *sitting.Answer {
	if !s.due() {
		return nil
	}
	for _, i := range s.open {
		c, ok := s.step.Checks[i].Claim.(claim.Carrier)
		if !ok || !c.Has {
			continue
		}
		l := s.After.Namespace(c.Netns).Link(c.Name)
		if l == nil || !l.Up || l.Kind != "veth" || l.Peer == nil || l.Peer.Hidden {
			continue
		}
		peer := s.After.Namespace(l.Peer.Netns).Link(l.Peer.Name)
		if peer == nil || peer.Up {
			continue
		}
		return &sitting.Answer{Check: i, Title: in(c.Name, c.Netns) + " is up, but the other end of its cable, " +
			in(peer.Name, l.Peer.Netns) + ", is down",
			Text: "A cable has a carrier when both of its ends are up."}
	}
	return nil
}

// unchanged: a command that succeeded and changed nothing.
func (s *search) unchanged() *sitting.Answer {
	if s.sole == nil || s.Status != 0 || s.Before == nil || len(state.Diff(s.Before, s.After)) > 0 ||
		s.sole.among(s.right) {
		return nil
	}
	switch op := s.sole.op.(type) {
	case operation.LinkSet:
		shown := map[string]bool{".Name": true, ".Up": true, ".Netns": true, ".MTU": true, ".Master": true,
			".Address": true, ".NewName": true}
		for path := range fields(op) {
			if !shown[path] {
				return nil
			}
		}
	case operation.AddressChange, operation.RouteChange, operation.RuleChange:
	default:
		return nil
	}
	return &sitting.Answer{Check: s.about(namesOf(*s.sole)...), Title: "That changed nothing: it was so already"}
}

func namesOf(c command) (all []string) {
	for _, p := range ofCommand(c) {
		all = append(all, p.link)
	}
	return all
}
