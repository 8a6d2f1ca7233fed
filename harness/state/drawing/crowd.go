package drawing

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/term"
)

// gather replaces many leaves that differ only in names and addresses by one node.
func (p *plan) gather(children []*node) []*node {
	alike := map[string][]*node{}
	shapes := make([]string, len(children))
	for i, n := range children {
		shapes[i] = p.shape(n)
		alike[shapes[i]] = append(alike[shapes[i]], n)
	}
	var kept []*node
	for i, n := range children {
		group := alike[shapes[i]]
		if len(group) < crowdFrom {
			kept = append(kept, n)
			continue
		}
		if group[0] != n {
			continue
		}
		for _, member := range group {
			n.crowd = append(n.crowd, member.netns)
		}
		slices.SortFunc(n.crowd, func(a, b int) int {
			return natural(p.top.Namespaces[a].Name, p.top.Namespaces[b].Name)
		})
		n.netns = n.crowd[0]
		kept = append(kept, n)
	}
	return kept
}

// shape is equal for similar boxes: same interfaces except for numbers in their names, same states, same connection to
// the parent.
func (p *plan) shape(n *node) string {
	if len(n.children) > 0 || len(n.cables) > 1 {
		return fmt.Sprint("this one ", n.netns)
	}
	ns := &p.top.Namespaces[n.netns]
	c := p.content(n.netns)
	c.shared, c.name = true, func(link int) string { return neutral(ns.Interfaces[link].Name, ns.Name) }
	var b strings.Builder
	for _, l := range c.lines() {
		fmt.Fprintln(&b, l.Before, l.State, l.After)
	}
	for i, l := range ns.Interfaces {
		for _, a := range l.Addresses {
			if _, bits, _ := strings.Cut(a.Prefix, "/"); !a.ordinary {
				fmt.Fprintln(&b, i, bits, strings.Contains(a.Prefix, ":"))
			}
		}
		fmt.Fprintln(&b, c.told(i))
	}
	for _, h := range n.cables {
		fmt.Fprintln(&b, h.outlet, p.top.Cables[h.cable].Carries)
	}
	return b.String()
}

// neutral is the name of an interface without the name of its namespace and without numbers.
func neutral(name, netns string) string {
	if len(netns) > 1 {
		name = strings.ReplaceAll(name, netns, "*")
	}
	var b strings.Builder
	for name != "" {
		if d := digits(name); d > 0 {
			b.WriteByte('*')
			name = name[d:]
			continue
		}
		b.WriteByte(name[0])
		name = name[1:]
	}
	return b.String()
}

// crowdLines describe once what all of a crowd have in common, then list the name and addresses of each, in columns.
func (p *plan) crowdLines(n *node, room int) []Line {
	first := &p.top.Namespaces[n.netns]
	c := p.content(n.netns)
	c.shared, c.name = true, func(link int) string {
		name := first.Interfaces[link].Name
		for _, m := range n.crowd {
			if other := &p.top.Namespaces[m]; other.Interfaces[link].Name != name {
				return neutral(name, first.Name)
			}
		}
		return name
	}
	var lines []Line
	for _, l := range c.lines() {
		l.Before, l.Changed, l.link = "each: "+l.Before, false, -1
		lines = append(lines, l)
	}
	cells := make([]string, len(n.crowd))
	widest, names := 0, 0
	for _, m := range n.crowd {
		names = max(names, term.Width(p.top.Namespaces[m].Name))
	}
	for i, m := range n.crowd {
		cells[i] = p.cell(m, names)
		widest = max(widest, term.Width(cells[i]))
	}
	across := max(1, min((room+2)/(widest+2), (len(cells)+4)/5))
	down := (len(cells) + across - 1) / across
	for row := range down {
		text := ""
		for i := row; i < len(cells); i += down {
			if text != "" {
				text += "  "
			}
			text += term.Pad(cells[i], widest)
		}
		lines = append(lines, plainLine(strings.TrimRight(text, " ")))
	}
	return lines
}

// cell is the name and the addresses of one of a crowd.
func (p *plan) cell(netns, nameColumns int) string {
	n := &p.top.Namespaces[netns]
	text := term.Pad(n.Name, nameColumns)
	for _, l := range n.Interfaces {
		for _, a := range l.Addresses {
			if !a.ordinary {
				text += " " + a.Prefix
			}
		}
	}
	return strings.TrimRight(text, " ")
}
