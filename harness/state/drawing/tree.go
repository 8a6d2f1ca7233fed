package drawing

import (
	"cmp"
	"slices"
)

// node is a box in the tree of boxes, attached to its parent above.
type node struct {
	netns    int
	parent   *node
	children []*node
	// cables are the drawn cables to the parent, each with its outlet.
	cables []hanging
	// outlets are where the cables to the children leave the box.
	outlets []outlet
	// crowd are similar namespaces that are drawn as one box, this one first.
	crowd []int
	size  int // of the subtree
}

// hanging is a drawn cable and its outlet of the parent.
type hanging struct{ cable, outlet int }

// outlet is a point at which cables leave a box: a bridge or a lower interface, which is one segment for all of them,
// or a bundle of cables.
type outlet struct {
	name    string // of the bridge or lower interface, "" for a bundle
	segment bool
	cable   int // for a single cable, counted from 1
}

// maxOutlets is how many outlets of a box are drawn. The cables of further ones are described in words.
const maxOutlets = 4

// maxCables is how many cables to one child are drawn: as many as fit on the narrowest box.
const maxCables = 8

// crowdFrom is the least number of similar namespaces that are drawn as one box.
const crowdFrom = 7

// forest makes a tree of each connected set of namespaces.
func (p *plan) forest() []*node {
	seen := make([]bool, len(p.top.Namespaces))
	var roots []*node
	for i := range p.top.Namespaces {
		if seen[i] {
			continue
		}
		root := p.grow(p.rootOf(i))
		root.each(func(n *node) { seen[n.netns] = true })
		roots = append(roots, root)
	}
	return roots
}

func (n *node) each(f func(*node)) {
	f(n)
	for _, c := range n.children {
		c.each(f)
	}
}

// neighbours are the namespaces to which cables lead that may be drawn, in natural order of their names.
func (p *plan) neighbours(netns int) []int {
	if found, known := p.nextTo[netns]; known {
		return found
	}
	var found []int
	seen := map[int]bool{}
	for _, c := range p.cablesOf[netns] {
		cable := &p.top.Cables[c]
		e := cable.endIn(netns)
		other := cable.ends[1-e].netns
		if !seen[other] && !p.severed[pair(netns, other)] {
			found = append(found, other)
		}
		seen[other] = true
	}
	slices.SortStableFunc(found, func(a, b int) int {
		return natural(p.top.Namespaces[a].Name, p.top.Namespaces[b].Name)
	})
	p.nextTo[netns] = found
	return found
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// rootOf is the root of the tree of a namespace: an end of the longest path, so that a chain becomes a line; or the
// neighbour of that end if it has several leaves, so that a star is drawn around its centre.
func (p *plan) rootOf(netns int) int {
	far := p.farthest(netns)
	end := p.farthest(far)
	if far < end {
		end = far
	}
	near := p.neighbours(end)
	if len(near) != 1 {
		return end
	}
	leaves := 0
	for _, n := range p.neighbours(near[0]) {
		if len(p.neighbours(n)) == 1 {
			leaves++
		}
	}
	if leaves > 1 && (leaves > 2 || len(p.neighbours(near[0])) > 2) {
		return near[0]
	}
	return end
}

// farthest is the namespace with the longest shortest path from this one; the first of several.
func (p *plan) farthest(from int) int {
	distance := map[int]int{from: 0}
	queue, last := []int{from}, from
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if distance[n] > distance[last] || distance[n] == distance[last] && n < last {
			last = n
		}
		for _, o := range p.neighbours(n) {
			if _, seen := distance[o]; !seen {
				distance[o] = distance[n] + 1
				queue = append(queue, o)
			}
		}
	}
	return last
}

// grow makes the tree of shortest paths from a namespace.
func (p *plan) grow(netns int) *node {
	root := &node{netns: netns}
	seen := map[int]bool{netns: true}
	queue := []*node{root}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, o := range p.neighbours(n.netns) {
			if seen[o] {
				continue
			}
			seen[o] = true
			child := &node{netns: o, parent: n}
			n.children = append(n.children, child)
			queue = append(queue, child)
		}
	}
	p.arrange(root)
	return root
}

// arrange counts the nodes below each node, attaches the cables and orders the children: leaves first, the biggest
// subtree last.
func (p *plan) arrange(n *node) {
	n.size = 1
	for _, c := range n.children {
		p.arrange(c)
		n.size += c.size
	}
	p.hang(n)
	slices.SortStableFunc(n.children, func(a, b *node) int {
		return cmp.Or(a.size-b.size, a.lastOutlet()-b.lastOutlet())
	})
}

func (n *node) lastOutlet() int {
	last := -1
	for _, h := range n.cables {
		last = max(last, h.outlet)
	}
	return last
}

// unhung finds a node none of whose cables to the parent is drawn.
func (n *node) unhung() *node {
	var found *node
	n.each(func(m *node) {
		if m.parent != nil && len(m.cables) == 0 {
			found = m
		}
	})
	return found
}

// hang gives each cable to a child its outlet. A few cables without a segment have an outlet each.
func (p *plan) hang(n *node) {
	single := 0
	p.eachCableDown(n, func(_ *node, c int) {
		if p.segmentOf(n.netns, c) == "" {
			single++
		}
	})
	p.eachCableDown(n, func(child *node, c int) {
		if len(child.cables) == maxCables {
			return
		}
		o := outlet{name: p.segmentOf(n.netns, c)}
		o.segment = o.name != ""
		if !o.segment && single <= 2 {
			o.cable = c + 1 // its own
		}
		at := slices.IndexFunc(n.outlets, func(other outlet) bool { return other == o })
		if at < 0 {
			if len(n.outlets) == maxOutlets {
				return
			}
			at = len(n.outlets)
			n.outlets = append(n.outlets, o)
		}
		child.cables = append(child.cables, hanging{c, at})
		p.drawn[c] = true
	})
}

func (p *plan) eachCableDown(n *node, f func(child *node, cable int)) {
	to := map[int][]int{} // by the namespace at the other end
	for _, c := range p.cablesOf[n.netns] {
		cable := &p.top.Cables[c]
		other := cable.ends[1-cable.endIn(n.netns)].netns
		to[other] = append(to[other], c)
	}
	for _, child := range n.children {
		for _, c := range to[child.netns] {
			f(child, c)
		}
	}
}

// segmentOf is the bridge or lower interface at this namespace's end of a cable; "" for a cable without a segment.
func (p *plan) segmentOf(netns, cable int) string {
	c := &p.top.Cables[cable]
	e := c.endIn(netns)
	l := p.top.at(c.ends[e])
	switch {
	case l.Master != "":
		return l.Master
	case c.Kind != "veth" && e == 1:
		return l.Name
	}
	return ""
}

// isChain reports whether the tree is a line from here on.
func (n *node) isChain() bool {
	for ; len(n.children) > 0; n = n.children[0] {
		if len(n.children) > 1 {
			return false
		}
	}
	return true
}
