package drawing

import "slices"

// chain lays out a chain of boxes in one row, each cable from the line of one interface to that of the other; false if
// that does not fit.
func (p *plan) chain(root *node, width int) (block, bool) {
	var nodes []*node
	for n := root; ; n = n.children[0] {
		nodes = append(nodes, n)
		if len(n.children) == 0 {
			break
		}
	}
	sideways := make([][]int, len(nodes))
	for i, n := range nodes[1:] {
		for _, h := range n.cables {
			c := &p.top.Cables[h.cable]
			sideways[i] = append(sideways[i], c.ends[c.endIn(nodes[i].netns)].link)
			sideways[i+1] = append(sideways[i+1], c.ends[c.endIn(n.netns)].link)
		}
	}
	var b block
	x := 0
	var before Box
	for i, n := range nodes {
		box := p.box(n, p.content(n.netns, sideways[i]...).lines(), nil, width)
		if i > 0 {
			gap := 5 + 2*len(n.cables)
			wires, ok := p.across(n, nodes[i-1], before, box, x, gap)
			if !ok {
				return block{}, false
			}
			b.wires = append(b.wires, wires...)
			x += gap
		}
		b.put(block{w: box.W, h: box.H, boxes: []Box{box}}, x, 0)
		x += box.W
		before = box
	}
	return b, x <= width
}

// across are the cables between two boxes side by side, with a gap between them that begins at column x.
func (p *plan) across(n, parent *node, left, right Box, x, gap int) ([]Wire, bool) {
	var wires []Wire
	for i, h := range n.cables {
		c := &p.top.Cables[h.cable]
		from := left.rowOf(c.ends[c.endIn(parent.netns)].link)
		to := right.rowOf(c.ends[c.endIn(n.netns)].link)
		if from < 0 || to < 0 {
			return nil, false
		}
		turn := x + 2 + 2*i // cables that go down turn the later the higher they are, so that they do not cross
		if from < to {
			turn = x + gap - 3 - 2*i
		}
		w := Wire{Points: []Point{{x - 1, from}, {turn, from}, {turn, to}, {x + gap, to}}, Says: c.says()}
		if from == to {
			w.Points = []Point{{x - 1, from}, {x + gap, to}}
			turn = x + gap/2
		}
		if !c.Carries {
			w.Broken = &Point{turn, (from + to) / 2}
		}
		wires = append(wires, w)
	}
	return wires, true
}

// rowOf is the row of an interface's line in a box, or -1.
func (b Box) rowOf(link int) int {
	i := slices.IndexFunc(b.Lines, func(l Line) bool { return l.link == link })
	if i < 0 {
		return -1
	}
	return i + 1
}
