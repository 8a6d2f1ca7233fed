package drawing

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/term"
)

// foldFrom is the least number of similar interfaces that are folded into one line.
const foldFrom = 6

// content makes the lines of a box.
type content struct {
	*plan
	netns int
	// sideways are the interfaces whose cable leaves the box at the end of their line, which therefore need not name
	// the peer.
	sideways []int
	// name is the name of an interface in the box.
	name func(link int) string
	// shared leaves out what differs within a crowd: addresses and peers.
	shared bool
}

func (p *plan) content(netns int, sideways ...int) content {
	return content{plan: p, netns: netns, sideways: sideways, name: func(link int) string {
		return p.top.Namespaces[netns].Interfaces[link].Name
	}}
}

// lines are the lines in the box of a namespace.
func (c content) lines() []Line {
	n := &c.top.Namespaces[c.netns]
	var lines []Line
	told := make([]bool, len(n.Interfaces))
	var tell func(links []int, depth int)
	tell = func(links []int, depth int) {
		word := "interfaces"
		if depth > 0 {
			word = "ports"
		}
		for _, group := range c.fold(links) {
			for _, link := range group {
				told[link] = true
			}
			lines = append(lines, c.group(group, strings.Repeat("  ", depth), word)...)
			ports := slices.DeleteFunc(slices.Clone(c.ports(group[0])), func(link int) bool { return told[link] })
			tell(ports, depth+1)
		}
	}
	masters := map[string]bool{}
	for i := range n.Interfaces {
		masters[n.Interfaces[i].Name] = true
	}
	var plain []int
	for i := range n.Interfaces {
		if l := &n.Interfaces[i]; l.Master == "" || !masters[l.Master] {
			plain = append(plain, i)
		}
	}
	tell(plain, 0)
	for i := range told { // a state file may have masters in a ring
		if !told[i] {
			tell([]int{i}, 0)
		}
	}
	align(lines)
	for _, r := range n.DefaultRoutes {
		line := plainLine(c.renamed(r))
		line.Changed = c.changes[c.netns].routes[r]
		lines = append(lines, line)
	}
	for _, u := range n.Unread {
		lines = append(lines, plainLine("not read: "+u))
	}
	return lines
}

// ports are the interfaces with this master.
func (c content) ports(master int) []int {
	return c.portsOf[c.netns][c.top.Namespaces[c.netns].Interfaces[master].Name]
}

func plainLine(text string) Line { return Line{Before: text, link: -1} }

// renamed is a route with the name that its interface has in the box.
func (c content) renamed(route string) string {
	for i, l := range c.top.Namespaces[c.netns].Interfaces {
		if before, ok := strings.CutSuffix(route, " dev "+l.Name); ok {
			return before + " dev " + c.name(i)
		}
	}
	return route
}

// fold groups interfaces: many similar ones into one group, in the place of the first, all others one by one.
func (c content) fold(links []int) [][]int {
	alike := map[string][]int{}
	likeness := make([]string, len(links))
	for k, i := range links {
		likeness[k] = c.likeness(i)
		alike[likeness[k]] = append(alike[likeness[k]], i)
	}
	var groups [][]int
	for k, i := range links {
		same := alike[likeness[k]]
		switch {
		case len(same) < foldFrom:
			groups = append(groups, []int{i})
		case same[0] == i:
			groups = append(groups, same)
		}
	}
	return groups
}

// likeness is equal for interfaces that may be folded; an interface with addresses or remarks of its own is unique.
func (c content) likeness(link int) string {
	l := &c.top.Namespaces[c.netns].Interfaces[link]
	if slices.ContainsFunc(l.Addresses, func(a Address) bool {
		return !a.ordinary
	}) || l.Kind == "bridge" || l.loopback || len(c.ports(link)) > 0 ||
		c.told(link) != "" {
		return fmt.Sprint("this one ", link)
	}
	return fmt.Sprint(l.State, "/", c.after(link), "/", l.Peer != nil)
}

// group describes similar interfaces in one line, and a single one with its addresses.
func (c content) group(links []int, indent, word string) []Line {
	all := c.top.Namespaces[c.netns].Interfaces
	first := &all[links[0]]
	if len(links) > 1 {
		names := make([]string, len(links))
		for i, link := range links {
			names[i] = all[link].Name
		}
		slices.SortFunc(names, natural)
		dots := "…"
		if c.ascii {
			dots = "..."
		}
		after := fmt.Sprintf(": %s %s %s", names[0], dots, names[len(names)-1]) + c.without(names)
		return []Line{{Before: fmt.Sprintf("%s%d %s", indent, len(links), word), State: first.State,
			After: c.after(links[0]) + after, Changed: c.changed(links), link: -1}}
	}
	before := indent + c.name(links[0])
	if !c.shared {
		before += c.told(links[0])
		if p := first.Peer; p != nil && c.told(links[0]) == "" && !slices.Contains(c.sideways, links[0]) {
			before += "@" + p.Interface
		}
	}
	lines := []Line{{Before: before, State: first.State, After: c.after(links[0]), Changed: c.changed(links),
		link: links[0]}}
	for _, a := range first.Addresses {
		if a.ordinary || c.shared && a.Remark == "" {
			continue
		}
		text := indent + "  " + a.Prefix
		if c.shared {
			text = indent + "  address"
		}
		if a.Remark != "" {
			text += " (" + a.Remark + ")"
		}
		lines = append(lines, plainLine(text))
	}
	return lines
}

// without names the interfaces that seem to lie in a range of names but have a line of their own.
func (c content) without(names []string) string {
	first, last := names[0], names[len(names)-1]
	among := map[string]bool{}
	for _, name := range names {
		among[name] = true
	}
	var others []string
	for _, l := range c.top.Namespaces[c.netns].Interfaces {
		if natural(first, l.Name) < 0 && natural(l.Name, last) < 0 && neutral(l.Name, "") == neutral(first, "") &&
			!among[l.Name] {
			others = append(others, l.Name)
		}
	}
	slices.SortFunc(others, natural)
	switch len(others) {
	case 0:
		return ""
	case 1, 2:
		return " without " + strings.Join(others, " and ")
	}
	return fmt.Sprintf(" without %s and %d more", others[0], len(others)-1)
}

// told is the other end of a cable that is not drawn; "" if it is drawn, or without a cable.
func (c content) told(link int) string {
	l := &c.top.Namespaces[c.netns].Interfaces[link]
	switch {
	case l.Peer == nil:
		return ""
	case l.Peer.Netns == "":
		return "@" + l.Peer.Interface + " out of sight"
	}
	if cable, ok := c.cableOf[place{c.netns, link}]; ok && !c.drawn[cable] {
		return "@" + l.Peer.Interface + " in " + l.Peer.Netns
	}
	return ""
}

// after is the text after the state of an interface: its kind, and what is unusual about it.
func (c content) after(link int) string {
	l := &c.top.Namespaces[c.netns].Interfaces[link]
	var words []string
	if l.Kind != "veth" && l.Kind != "loopback" && l.Kind != "" {
		words = append(words, l.Kind)
	}
	if l.Tunnel != "" {
		words = append(words, l.Tunnel)
	}
	if l.MTU != 1500 && !l.loopback {
		words = append(words, fmt.Sprint("mtu ", l.MTU))
	}
	if l.PortState != "" && l.PortState != "forwarding" && l.State == Up {
		words = append(words, "port "+l.PortState)
	}
	if len(words) == 0 {
		return ""
	}
	return ", " + strings.Join(words, ", ")
}

// align aligns the states of interfaces in a column.
func align(lines []Line) {
	widest := 0
	for _, l := range lines {
		if l.State != "" {
			widest = max(widest, term.Width(l.Before))
		}
	}
	for i := range lines {
		if l := &lines[i]; l.State != "" {
			l.Before = term.Pad(l.Before, widest+1)
		}
	}
}

// text is the whole line, with a mark before the state.
func (l Line) text(mark func(State) string) string { return l.Before + l.stateText(mark) + l.After }

func (l Line) stateText(mark func(State) string) string {
	if l.State == "" {
		return ""
	}
	return mark(l.State) + " " + string(l.State)
}

func (l Line) columns() int { return term.Width(l.text(func(State) string { return "*" })) }
