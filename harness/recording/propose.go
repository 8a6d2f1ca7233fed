package recording

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// Propose are sentences of checks that a section may have made true: of the change of state, and of what its commands
// asked. Whether they are true before and after it, a lab has to tell.
func Propose(s Section) []string {
	p := &proposals{}
	s.Before, s.After = s.Before.WithoutFallback(), s.After.WithoutFallback()
	p.namespaces(s.Before, s.After)
	for i := range s.After.Namespaces {
		n := &s.After.Namespaces[i]
		p.namespace(s.Before.Namespace(n.Name), n, s.After)
	}
	for _, c := range s.Commands {
		p.command(c)
	}
	return slices.DeleteFunc(p.sentences, func(sentence string) bool {
		_, err := claim.Parse(sentence)
		return err != nil
	})
}

// Standing are sentences about what the commands of a section looked at, for one that changes nothing.
func Standing(s Section) (sentences []string) {
	for _, c := range s.Commands {
		name, _ := operation.Enter(c.Argv)
		if name == "" {
			name = "host"
		}
		n := s.After.WithoutFallback().Namespace(name)
		if n == nil {
			continue
		}
		var links []string
		for _, l := range n.Links {
			links = append(links, claim.Span(l.Name))
		}
		only := fmt.Sprintf("%s has only the interfaces %s", claim.Span(name), strings.Join(links, ", "))
		if !slices.Contains(sentences, only) {
			sentences = append(sentences, only)
		}
	}
	return sentences
}

type proposals struct{ sentences []string }

// say proposes a sentence; each %s becomes a code span.
func (p *proposals) say(format string, arguments ...any) {
	spans := make([]any, len(arguments))
	for i, a := range arguments {
		spans[i] = claim.Span(fmt.Sprint(a))
	}
	if s := fmt.Sprintf(format, spans...); !slices.Contains(p.sentences, s) {
		p.sentences = append(p.sentences, s)
	}
}

func (p *proposals) namespaces(before, after *state.State) {
	for _, n := range after.Namespaces {
		if before.Namespace(n.Name) == nil {
			p.say("namespace %s exists", n.Name)
		}
	}
	for _, n := range before.Namespaces {
		if after.Namespace(n.Name) == nil {
			p.say("namespace %s does not exist", n.Name)
		}
	}
}

func (p *proposals) namespace(before, after *state.Namespace, all *state.State) {
	for i := range after.Links {
		l := &after.Links[i]
		old := before.Link(l.Name)
		if old == nil && l.Kind != "loopback" {
			p.newLink(after, l, all)
		}
		p.link(after.Name, old, l)
	}
	if before == nil {
		before = &state.Namespace{}
	}
	for _, l := range before.Links {
		if after.Link(l.Name) == nil {
			p.say("%s does not have the interface %s", after.Name, l.Name)
		}
	}
	for _, text := range added(routes(before), routes(after)) {
		p.say("%s has the route %s", after.Name, text)
	}
	for _, text := range added(routes(after), routes(before)) {
		p.say("%s does not have the route %s", after.Name, text)
	}
	for _, text := range added(rules(before, 4), rules(after, 4)) {
		p.say("%s has the rule %s", after.Name, text)
	}
	for _, text := range added(rules(before, 6), rules(after, 6)) {
		p.say("%s has the IPv6 rule %s", after.Name, text)
	}
	for _, n := range after.Neighbours {
		if n.State == "permanent" && !slices.Contains(before.Neighbours, n) {
			p.say("%s has the neighbour %s with the MAC address %s", after.Name, n.Addr, n.MAC)
		}
	}
}

func (p *proposals) newLink(n *state.Namespace, l *state.Link, all *state.State) {
	if l.Kind == "veth" && l.Peer != nil && !l.Peer.Hidden && all.Namespace(l.Peer.Netns) != nil {
		a, b := []string{l.Name, n.Name}, []string{l.Peer.Name, l.Peer.Netns}
		if slices.Compare(b, a) < 0 { // a pair is one sentence, whichever end is met first
			a, b = b, a
		}
		p.say("%s in %s is the peer of %s in %s", a[0], a[1], b[0], b[1])
		return
	}
	if l.Kind != "" {
		p.say("%s in %s is a %s", l.Name, n.Name, l.Kind)
		return
	}
	p.say("%s has the interface %s", n.Name, l.Name)
}

// link proposes what has changed at a link; old is nil for a new one.
func (p *proposals) link(netns string, old, l *state.Link) {
	if old == nil {
		old = &state.Link{MTU: l.MTU, MAC: l.MAC}
	}
	if l.Up != old.Up {
		p.say("%s in %s is "+map[bool]string{true: "up", false: "down"}[l.Up], l.Name, netns)
	}
	if l.MTU != old.MTU {
		p.say("%s in %s has the MTU %s", l.Name, netns, l.MTU)
	}
	if l.MAC != old.MAC && !l.MACRandom && l.Kind != "bridge" {
		p.say("%s in %s has the MAC address %s", l.Name, netns, l.MAC)
	}
	if l.Master != old.Master && l.Master != "" {
		p.say("%s in %s is a port of %s", l.Name, netns, l.Master)
	}
	given := func(l *state.Link) (all []string) {
		for _, a := range l.Addresses {
			if !byKernel(a.Prefix.Addr()) {
				all = append(all, a.Prefix.String())
			}
		}
		return all
	}
	for _, a := range added(given(old), given(l)) {
		p.say("%s in %s has the address %s", l.Name, netns, a)
	}
	for _, a := range added(given(l), given(old)) {
		p.say("%s in %s does not have the address %s", l.Name, netns, a)
	}
}

// byKernel reports whether the kernel gives a link this address when it comes up.
func byKernel(a netip.Addr) bool { return a.IsLoopback() || a.Is6() && a.IsLinkLocalUnicast() }

// added are the texts of b that are not in a.
func added(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(b), func(text string) bool { return slices.Contains(a, text) })
}

// routes are the routes that somebody gave, without those that follow from addresses.
func routes(n *state.Namespace) (all []string) {
	for _, r := range n.Routes {
		if r.Proto == "kernel" || r.Proto == "ra" || r.Table == state.TableLocal {
			continue
		}
		r.Proto, r.Pref, r.Nexthops = "boot", "", slices.Clone(r.Nexthops)
		for i := range r.Nexthops {
			r.Nexthops[i].Flags = nil
		}
		all = append(all, state.RouteText(r))
	}
	return all
}

func rules(n *state.Namespace, family int) (all []string) {
	for _, r := range n.Rules {
		if r.Family == family && r.Protocol != "kernel" {
			_, text, _ := strings.Cut(state.RuleText(r), ": ")
			all = append(all, text)
		}
	}
	return all
}

// command proposes what a command has asked or set.
func (p *proposals) command(c Command) {
	netns, _ := operation.Enter(c.Argv)
	if netns == "" {
		netns = "host"
	}
	cmd, err := operation.Parse(c.Argv)
	if err != nil {
		return
	}
	switch op := cmd.Op.(type) {
	case operation.Ping:
		switch {
		case c.Status == 0:
			p.say("%s reaches %s", netns, op.Dest)
		case c.Status == 1:
			p.say("%s does not reach %s", netns, op.Dest)
		}
	case operation.SysctlSet:
		for _, v := range op.Values {
			p.say("the sysctl %s in %s is %s", strings.ReplaceAll(v.Key, "/", "."), netns, v.Value)
		}
	}
}
