package answer

import (
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
)

// typo is a name that is not there, a word that ip does not know, or a new thing whose name is near to a wanted one.
func (s *search) typo() *sitting.Answer {
	if a := s.misnamed(); a != nil {
		return a
	}
	if s.sole == nil || s.Status == 0 {
		return nil
	}
	if a := s.noProgram(); a != nil {
		return a
	}
	if a := s.slip(); a != nil {
		return a
	}
	if s.sole.err != nil {
		return s.unknownWord()
	}
	for _, netns := range namespacesIn(*s.sole) {
		if s.After.Namespace(netns) == nil {
			return s.noNamespace(netns)
		}
	}
	for _, p := range linksIn(*s.sole) {
		if n := s.After.Namespace(p.netns); n != nil && n.Link(p.link) == nil {
			return s.noLink(p)
		}
	}
	return nil
}

// noProgram is for a program that the shell did not find.
func (s *search) noProgram() *sitting.Answer {
	const notFound = 127 // the shell's status
	run, ok := s.sole.op.(operation.Run)
	if !ok || s.Status != notFound || len(run.Argv) == 0 {
		return nil
	}
	programs := []string{"ip", "ping", "sysctl"}
	for _, c := range s.known {
		if run, ok := c.op.(operation.Run); ok {
			programs = append(programs, run.Argv[0])
		}
	}
	near, ok := nearest.Word(run.Argv[0], programs)
	if !ok || slices.Contains(programs, run.Argv[0]) {
		return nil
	}
	return &sitting.Answer{Kind: Typo, Check: s.about(), Title: "There is no program " + code(run.Argv[0]) +
		"; did you mean " + code(near) + "?"}
}

// namespacesIn are the namespaces that have to exist for a command.
func namespacesIn(c command) []string {
	var all []string
	if c.netns != "" && c.netns != state.Host {
		all = append(all, c.netns)
	}
	name := func(netns string) {
		if _, err := strconv.Atoi(netns); netns != "" && err != nil { // a number is a process
			all = append(all, netns)
		}
	}
	switch op := c.op.(type) {
	case operation.LinkSet:
		name(op.Netns)
	case operation.LinkAdd:
		name(op.Netns)
		if op.Peer != nil {
			name(op.Peer.Netns)
		}
	case operation.NetnsDelete:
		name(op.Name)
	}
	return all
}

// linksIn are the links that have to exist for a command.
func linksIn(c command) (all []place) {
	netns := orHost(c.netns)
	name := func(link string) {
		if link != "" {
			all = append(all, place{link, netns})
		}
	}
	switch op := c.op.(type) {
	case operation.LinkAdd:
		if op.LinkNetns == "" && op.LinkNetnsID == nil {
			name(op.Link)
		}
		name(op.Master)
	case operation.LinkSet:
		name(op.Name)
		if op.Master != nil {
			name(*op.Master)
		}
	case operation.LinkProperty:
		name(op.Name)
	case operation.Show:
		for i, word := range op.Args {
			if word == "dev" && i+1 < len(op.Args) {
				name(op.Args[i+1])
			}
		}
	default:
		for _, link := range operation.Links(op) {
			name(link)
		}
	}
	return all
}

// noNamespace is for a namespace that does not exist.
func (s *search) noNamespace(name string) *sitting.Answer {
	a := &sitting.Answer{Kind: Typo, Check: s.about(), Title: "There is no namespace " + code(name)}
	if near, ok := s.nearest(name, state.KindNamespace); ok {
		a.Title += "; did you mean " + code(near.Name) + "?"
		a.Check = s.about(near.Name)
		return a
	}
	var there []string
	for i := range s.After.Namespaces {
		if n := &s.After.Namespaces[i]; !n.Nameless && n.Name != state.Host {
			there = append(there, n.Name)
		}
	}
	if len(there) > 0 {
		a.Text = "There " + either(len(there) == 1, "is ", "are ") + codes(there) + "."
	}
	return a
}

// noLink is for an interface that is not where the command looked: it is somewhere else, or has another name.
func (s *search) noLink(p place) *sitting.Answer {
	var elsewhere []string
	for i := range s.After.Namespaces {
		if n := &s.After.Namespaces[i]; n.Link(p.link) != nil {
			elsewhere = append(elsewhere, n.Name)
		}
	}
	a := &sitting.Answer{Kind: Typo, Check: s.about(p.link),
		Title: "There is no interface " + in(p.link, p.netns)}
	if len(elsewhere) > 0 {
		a.Title += "; it is in " + codes(elsewhere)
		if len(elsewhere) > 1 {
			return a
		}
		one := elsewhere[0]
		if s.moved(p.link, one) {
			a.Title += " now"
		}
		if one == state.Host {
			a.Text = "Without " + code("-n") + " a command works in the namespace where the shell is."
		} else {
			a.Text = "A command works in one namespace. With " + code("ip -n "+one) + " it works in " + code(one) + "."
		}
		return a
	}
	if name, _, with := strings.Cut(p.link, "@"); with && s.After.Namespace(p.netns).Link(name) != nil {
		a.Title += "; its name is " + code(name)
		a.Text = "What " + code("ip link") + " shows behind the name and " + code("@") +
			" is the other end of its cable, or the link below it."
		a.Check = s.about(name)
		return a
	}
	if near, ok := s.nearest(p.link, state.KindInterface); ok {
		a.Title += "; did you mean " + code(near.Name) + either(near.Netns == p.netns, "", " in "+code(near.Netns)) +
			"?"
		a.Check = s.about(near.Name)
	}
	return a
}

// moved reports whether the scenario moves a link into a namespace.
func (s *search) moved(link, netns string) bool {
	return slices.ContainsFunc(s.known, func(c command) bool {
		set, ok := c.op.(operation.LinkSet)
		return ok && set.Name == link && set.Netns == netns
	})
}

// nearest is the name of a kind that is nearer than any other one of that kind.
func (s *search) nearest(name, kind string) (state.Candidate, bool) {
	var all []state.Candidate
	for _, c := range s.After.Nearest(name) {
		if c.Kind == kind && c.Distance > 0 {
			all = append(all, c)
		}
	}
	if len(all) == 0 || len(all) > 1 && all[1].Distance == all[0].Distance {
		return state.Candidate{}, false
	}
	return all[0], true
}

// misnamed is a namespace or an interface that the last command made, of which the step does not speak, and whose name
// is near to one that the step wants and that is not there.
func (s *search) misnamed() *sitting.Answer {
	if s.Before == nil {
		return nil
	}
	wanted, named := s.missing(), s.named()
	for i := range s.After.Namespaces {
		n := &s.After.Namespaces[i]
		was := s.Before.Namespace(n.Name)
		if was == nil {
			if n.Nameless || named[n.Name] {
				continue
			}
			if near, ok := nearTo(place{netns: n.Name}, wanted); ok {
				return s.wrongName("namespace", n.Name, near.netns)
			}
			continue
		}
		for j := range n.Links {
			if name := n.Links[j].Name; was.Link(name) == nil && !named[name] && !s.elsewhereBefore(name) {
				if near, ok := nearTo(place{name, n.Name}, wanted); ok {
					return s.wrongName("interface", name, near.link)
				}
			}
		}
	}
	return nil
}

func (s *search) wrongName(what, name, wanted string) *sitting.Answer {
	return &sitting.Answer{Kind: Typo, Check: s.about(wanted), Title: "The new " + what + " is called " + code(name) +
		"; this step asks for " + code(wanted)}
}

// named are the names of which the scenario speaks.
func (s *search) named() map[string]bool {
	named := map[string]bool{}
	note := func(all []place) {
		for _, p := range all {
			named[p.link], named[p.netns] = true, true
		}
	}
	for _, c := range s.known {
		note(ofCommand(c))
	}
	for i := range s.Scenario.Steps {
		for _, c := range s.Scenario.Steps[i].Checks {
			note(placesOf(c.Claim))
		}
	}
	return named
}

// elsewhereBefore reports whether a link of this name was there before the last command, so that it may have moved.
func (s *search) elsewhereBefore(link string) bool {
	return slices.ContainsFunc(s.Before.Namespaces, func(n state.Namespace) bool { return n.Link(link) != nil })
}

// missing are the names that the open checks want and that are nowhere.
func (s *search) missing() (all []place) {
	for _, i := range s.open {
		c := s.step.Checks[i].Claim
		if denies(c) {
			continue
		}
		for _, p := range placesOf(c) {
			if p.link == "" && s.After.Namespace(p.netns) != nil ||
				p.link != "" && slices.ContainsFunc(s.After.Namespaces, func(n state.Namespace) bool {
					return n.Link(p.link) != nil
				}) {
				continue
			}
			all = append(all, p)
		}
	}
	return all
}

// nearTo is the wanted name of the same kind that is near to a name; not ok if it is wanted itself.
func nearTo(p place, wanted []place) (near place, ok bool) {
	var names []string
	for _, w := range wanted {
		if (w.link == "") == (p.link == "") {
			names = append(names, either(p.link == "", w.netns, w.link))
		}
	}
	name := either(p.link == "", p.netns, p.link)
	word, ok := nearest.Word(name, names)
	if !ok || slices.Contains(names, name) {
		return place{}, false
	}
	if p.link == "" {
		return place{netns: word}, true
	}
	return place{link: word}, true
}

func either(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}
