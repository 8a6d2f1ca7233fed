package answer

import (
	"fmt"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// otherAddress: a link got an address that the step wants on another link, or one that the step does not want while the
// one that it wants is missing there.
func (s *search) otherAddress() *sitting.Answer {
	if s.sole != nil && s.sole.among(s.known) {
		return nil
	}
	all := s.wantedAddresses()
	for _, g := range s.newAddresses() {
		if s.speaksOf(g) {
			continue
		}
		got := fmt.Sprintf("%s got %s", in(g.at.link, g.at.netns), code(g.prefix.String()))
		for _, c := range all {
			if !c.Not && c.Prefix.Addr() == g.prefix.Addr() && c.Name != g.at.link &&
				s.After.Namespace(c.Netns).Link(c.Name) != nil {
				return &sitting.Answer{Check: c.check, Title: got + "; this step asks for it on " + in(c.Name, c.Netns),
					Text: "It stays where it is until it is deleted.", Repair: deletes(g)}
			}
		}
		for _, c := range all {
			if !c.Not && c.Iface == (claim.Iface{Name: g.at.link, Netns: g.at.netns}) &&
				c.Prefix.Addr().Is4() == g.prefix.Addr().Is4() {
				return &sitting.Answer{Check: c.check, Title: got + "; this step asks for " + code(c.Prefix.String()),
					Text:   "A second address does not replace the first one. It stays until it is deleted.",
					Repair: deletes(g)}
			}
		}
	}
	return nil
}

// deletes is the command that takes an address away again.
func deletes(g given) string {
	return ipIn(g.at.netns) + "addr del " + g.prefix.String() + " dev " + term.ShellWord(g.at.link)
}

// ipIn is how a command of ip for a namespace begins. A name may have characters that mean something to a shell.
func ipIn(netns string) string {
	if netns == state.Host {
		return "ip "
	}
	return "ip -n " + term.ShellWord(netns) + " "
}

// speaksOf reports whether a command of the scenario gives the address to the link, or a check of the step is about it
// there.
func (s *search) speaksOf(g given) bool {
	return slices.ContainsFunc(s.known, func(c command) bool {
		change, ok := c.op.(operation.AddressChange)
		return ok && change.Dev == g.at.link && change.Prefix.Addr() == g.prefix.Addr()
	}) || slices.ContainsFunc(s.step.Checks, func(c scenario.Check) bool {
		has, ok := c.Claim.(claim.HasAddress)
		return ok && has.Iface == (claim.Iface{Name: g.at.link, Netns: g.at.netns}) &&
			has.Prefix.Addr() == g.prefix.Addr()
	})
}

// gone: a namespace or a link is nowhere any more, and the step needs it as it was, since its own commands make none.
func (s *search) gone() *sitting.Answer {
	if s.Before == nil {
		return nil
	}
	own := map[place]bool{}
	for _, r := range s.right {
		switch op := r.op.(type) {
		case operation.NetnsAdd:
			own[place{netns: op.Name}] = true
		case operation.NetnsDelete:
			own[place{netns: op.Name}] = true
		case operation.LinkAdd, operation.LinkDelete:
			for _, name := range operation.Links(op) {
				own[place{link: name}] = true
			}
		}
	}
	gone := &sitting.Answer{Check: -1}
	for _, i := range s.open {
		c := s.step.Checks[i].Claim
		if denies(c) {
			continue
		}
		for _, p := range placesOf(c) {
			netns, link := place{netns: p.netns}, place{link: p.link}
			if !own[netns] && s.Before.Namespace(p.netns) != nil && s.After.Namespace(p.netns) == nil {
				return isGone(i, p.netns) // and with it what was there
			}
			if gone.Check < 0 && p.link != "" && !own[link] && anywhere(s.Before, p.link) &&
				!anywhere(s.After, p.link) {
				gone = isGone(i, p.link)
			}
		}
	}
	if gone.Check < 0 {
		return nil
	}
	return gone
}

func isGone(check int, name string) *sitting.Answer {
	return &sitting.Answer{Check: check, Title: code(name) + " is gone, which this step needs; " +
		code("lab reset --step") + " begins it anew",
		Text: "The commands of this step do not make it. It was there when the step began, and " +
			code("lab reset --step") + " builds all of that again."}
}

func anywhere(s *state.State, link string) bool {
	return slices.ContainsFunc(s.Namespaces, func(n state.Namespace) bool { return n.Link(link) != nil })
}

// pingedElsewhere: a ping of the right address heard nothing, but it was not sent from where the step asks for one.
func (s *search) pingedElsewhere() *sitting.Answer {
	if s.sole == nil || !s.sole.unanswered(s.Status) || s.sole.among(s.known) {
		return nil
	}
	from, dest := orHost(s.sole.netns), s.sole.op.(operation.Ping).Dest
	var meant []string
	check := -1
	for i, c := range s.step.Checks {
		reaches, ok := c.Claim.(claim.Reaches)
		if !ok || reaches.Dest.String() != dest {
			continue
		}
		if reaches.Netns == from {
			return nil
		}
		if !reaches.Not && slices.Contains(s.open, i) && !slices.Contains(meant, reaches.Netns) {
			meant = append(meant, reaches.Netns)
			check = i
		}
	}
	if len(meant) != 1 || s.After.Namespace(from) == nil {
		return nil
	}
	return sentFrom(check, from, meant[0], dest)
}

// Elsewhere is what to tell at a step that only looks, of which no check is open: a ping of the step's heard nothing,
// because it was sent from another namespace. It is nil for anything else, and about no check.
func Elsewhere(f Facts) *sitting.Answer {
	if f.Exam || f.After == nil || f.Step < 0 || f.Step >= len(f.Scenario.Steps) ||
		f.Scenario.Kind == scenario.Challenge {
		return nil
	}
	s := newSearch(f)
	if s.sole == nil || !s.sole.unanswered(s.Status) || s.sole.among(s.known) {
		return nil
	}
	dest := s.sole.op.(operation.Ping).Dest
	var meant []string
	for _, r := range s.right {
		if ping, ok := r.op.(operation.Ping); ok && ping.Dest == dest && !slices.Contains(meant, r.netns) {
			meant = append(meant, r.netns)
		}
	}
	if len(meant) != 1 || meant[0] == s.sole.netns {
		return nil
	}
	return sentFrom(-1, orHost(s.sole.netns), orHost(meant[0]), dest)
}

// Slipped reports whether a command that changed nothing was meant for a step all the same: it set nothing, or was a
// ping that heard nothing because it was sent from another namespace.
func Slipped(f Facts) bool {
	if f.Exam || f.After == nil || f.Step < 0 || f.Step >= len(f.Scenario.Steps) {
		return false
	}
	if f.Scenario.Steps[f.Step].OnlyLooks() {
		return Elsewhere(f) != nil
	}
	s := newSearch(f)
	return len(s.open) > 0 && (s.nothingSet() != nil || s.pingedElsewhere() != nil)
}

func sentFrom(check int, from, meant, dest string) *sitting.Answer {
	a := &sitting.Answer{Kind: Silent, Check: check,
		Title: "That was sent from " + code(from) + "; this step is about " + code(meant)}
	if meant != state.Host {
		a.Text = code("ip netns exec "+meant+" ping "+dest) + " sends it from there."
	}
	return a
}
