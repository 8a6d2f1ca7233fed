package drawing

import (
	"strings"

	"netnscheck/harness/state"
)

// changedMark marks what changed last.
const changedMark = "*"

// changes are what changed in a namespace.
type changes struct {
	// itself is set if the namespace is new, or if something changed that has no line in its box.
	itself bool
	links  map[int]bool    // by number
	routes map[string]bool // default routes, as they are drawn
}

func (c changes) any() bool { return c.itself || len(c.links)+len(c.routes) > 0 }

// changesIn reads sentences of state.Diff. What is not in the state, or in no namespace of it, is in no drawing.
func changesIn(s *state.State, sentences []string) []changes {
	all := make([]changes, len(s.Namespaces))
	for i := range all {
		all[i] = changes{links: map[int]bool{}, routes: map[string]bool{}}
	}
	for _, sentence := range sentences {
		if name, ok := appeared(sentence, "namespace "); ok {
			for i := range s.Namespaces {
				all[i].itself = all[i].itself || s.Namespaces[i].Name == name
			}
			continue
		}
		found, what := -1, ""
		for i := range s.Namespaces { // of names that begin alike, the longest
			rest, ok := strings.CutPrefix(sentence, s.Namespaces[i].Name+": ")
			if ok && (found < 0 || len(rest) < len(what)) {
				found, what = i, rest
			}
		}
		if found >= 0 {
			all[found].add(&s.Namespaces[found], what)
		}
	}
	return all
}

// appeared is the name in a sentence about a thing of a kind that appeared.
func appeared(sentence, kind string) (name string, ok bool) {
	name, is := strings.CutPrefix(sentence, kind)
	name, new := strings.CutSuffix(name, " appeared")
	return name, is && new
}

// add adds what changed in a namespace.
func (c *changes) add(n *state.Namespace, what string) {
	name, isNew := appeared(what, "interface ")
	for i := range n.Links {
		if l := n.Links[i].Name; isNew && l == name || strings.HasPrefix(what, l+": ") {
			c.links[i] = true
			return
		}
	}
	if route, ok := strings.CutPrefix(what, "route "); ok {
		for _, r := range defaultRoutes(n, func(s string) string { return s }) {
			if strings.HasPrefix(route+" ", r+" ") {
				c.routes[printable(r, false)], c.routes[printable(r, true)] = true, true
				return
			}
		}
	}
	c.itself = true
}

// changed reports whether one of these interfaces changed.
func (c content) changed(links []int) bool {
	for _, link := range links {
		if c.changes[c.netns].links[link] {
			return true
		}
	}
	return false
}
