package drawing

import (
	"fmt"
	"slices"

	"netnscheck/harness/term"
)

// block is a part of a drawing with its own layout, in coordinates from its upper left corner; the box in that corner
// comes first.
type block struct {
	w, h   int
	boxes  []Box
	wires  []Wire
	labels []Label
	single bool // one box of one namespace
}

// put adds a part with its upper left corner at x, y.
func (b *block) put(part block, x, y int) {
	for _, box := range part.boxes {
		box.X, box.Y = box.X+x, box.Y+y
		b.boxes = append(b.boxes, box)
	}
	for _, w := range part.wires {
		points := make([]Point, len(w.Points))
		for i, p := range w.Points {
			points[i] = Point{p.X + x, p.Y + y}
		}
		w.Points = points
		if w.Broken != nil {
			w.Broken = &Point{w.Broken.X + x, w.Broken.Y + y}
		}
		b.wires = append(b.wires, w)
	}
	for _, l := range part.labels {
		l.X, l.Y = l.X+x, l.Y+y
		b.labels = append(b.labels, l)
	}
	b.w, b.h = max(b.w, x+part.w), max(b.h, y+part.h)
}

const (
	minRoom = 24 // what a box should have
	between = 2  // columns between blocks that stand side by side
)

// layOut lays out the whole drawing. tight is a node for which there was no room below its parent.
func (p *plan) layOut(width int) (all block, tight *node) {
	p.drawn, p.nextTo = make([]bool, len(p.top.Cables)), map[int][]int{}
	roots := p.forest()
	for _, root := range roots {
		if n := root.unhung(); n != nil {
			return block{}, n
		}
	}
	slices.SortStableFunc(roots, func(a, b *node) int { return b.size - a.size })
	var blocks []block
	for _, root := range p.gather(roots) {
		b, tight := p.tree(root, width)
		if tight != nil {
			return block{}, tight
		}
		blocks = append(blocks, b)
	}
	y := 0
	for _, row := range flow(blocks, width) {
		x, height := 0, 0
		for _, b := range row {
			all.put(b, x, y)
			x, height = x+b.w+between, max(height, b.h)
		}
		y += height
	}
	all.put(p.legend(&all, width), 0, y)
	return all, nil
}

// tree lays out a tree: a chain in one row if that fits, everything else from top to bottom.
func (p *plan) tree(root *node, width int) (block, *node) {
	if len(root.children) > 0 && root.isChain() {
		if b, fits := p.chain(root, width); fits {
			return b, nil
		}
	}
	return p.hub(root, nil, width)
}

// flow puts blocks into rows no wider than room. Boxes without a cable get the same width.
func flow(blocks []block, room int) [][]block {
	widest := 0
	for _, b := range blocks {
		if b.single {
			widest = max(widest, b.w)
		}
	}
	var rows [][]block
	used := 0
	for _, b := range blocks {
		if b.single {
			b.w, b.boxes[0].W = widest, widest
		}
		if len(rows) == 0 || used+between+b.w > room {
			rows, used = append(rows, nil), -between
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], b)
		used += between + b.w
	}
	return rows
}

// box is the box of a node. Cables enter at these columns of its upper border, before the title.
func (p *plan) box(n *node, lines []Line, in []int, room int) Box {
	title := p.top.Namespaces[n.netns].Name
	if len(n.crowd) > 0 {
		title = fmt.Sprintf("%d namespaces that are alike", len(n.crowd))
	}
	b := Box{Title: title, TitleAt: 2, Lines: lines, Changed: p.changes[n.netns].itself}
	for _, m := range n.crowd {
		b.Changed = b.Changed || p.changes[m].any()
	}
	for _, column := range in {
		b.TitleAt = max(b.TitleAt, column+2)
	}
	b.W = max(b.TitleAt+term.Width(title)+4, 3+2*len(n.outlets))
	for _, l := range lines {
		b.W = max(b.W, l.columns()+4)
	}
	b.W = min(b.W, room)
	b.Title = cut(title, b.W-b.TitleAt-3, p.ascii)
	b.H = len(lines) + 2
	return b
}

func (p *plan) linesOf(n *node, room int) []Line {
	if len(n.crowd) > 0 {
		return p.crowdLines(n, room-4)
	}
	return p.content(n.netns).lines()
}

// outletAt is the column at which an outlet leaves the lower border of a box.
func outletAt(outlet int) int { return 2 + 2*outlet }

// hub lays out a box with its children below: leaves in rows, each on a wire from above; children with children of
// their own in rows if they fit, else below each other; the biggest subtree last and straight below the box, so that a
// chain goes straight down.
func (p *plan) hub(n *node, in []int, room int) (block, *node) {
	var b block
	box := p.box(n, p.linesOf(n, room), in, room)
	b.put(block{w: box.W, h: box.H, boxes: []Box{box}}, 0, 0)
	children := p.gather(n.children)
	if len(children) == 0 {
		b.single = len(n.crowd) == 0
		return b, nil
	}
	trunks := make([]int, len(n.outlets)) // how far down each goes
	last := p.straightBelow(n, children)
	if last != nil {
		children = children[:len(children)-1]
	}
	start := outletAt(len(n.outlets)) + 1
	if len(children) > 0 && room-start < minRoom {
		if n.parent == nil {
			return block{}, children[0]
		}
		return block{}, n
	}
	blocks := make([]block, len(children))
	for i, c := range children {
		var tight *node
		if blocks[i], tight = p.hub(c, columnsFor(len(c.cables)), room-start); tight != nil {
			return block{}, tight
		}
	}
	for _, row := range flow(blocks, room-start) {
		p.hangRow(&b, n, children[:len(row)], row, room, trunks)
		children = children[len(row):]
	}
	if last != nil {
		if tight := p.hangStraight(&b, n, last, room, trunks); tight != nil {
			return block{}, tight
		}
	}
	for i, o := range n.outlets {
		if trunks[i] > 0 {
			b.wires = append(b.wires, Wire{Points: []Point{{outletAt(i), box.H - 1}, {outletAt(i), trunks[i]}},
				Segment: o.segment, Says: o.says(p, n)})
		}
	}
	return b, nil
}

func columnsFor(cables int) []int {
	in := make([]int, cables)
	for i := range in {
		in[i] = 2 + 2*i
	}
	return in
}

// straightBelow is the last child if it goes straight below the box: the only child, or one with children, with at most
// one cable from each outlet.
func (p *plan) straightBelow(n *node, children []*node) *node {
	last := children[len(children)-1]
	if len(children) > 1 && len(last.children) == 0 || len(last.crowd) > 0 {
		return nil
	}
	used := map[int]bool{}
	for _, h := range last.cables {
		if used[h.outlet] {
			return nil
		}
		used[h.outlet] = true
	}
	return last
}

// hangRow adds a row of blocks below, each on wires from the outlets of n.
func (p *plan) hangRow(b *block, n *node, children []*node, row []block, room int, trunks []int) {
	rail := map[int]int{} // the row of each outlet's wire
	y := b.h
	for outlet := range n.outlets {
		if slices.ContainsFunc(children, func(c *node) bool {
			return slices.ContainsFunc(c.cables, func(h hanging) bool { return h.outlet == outlet })
		}) {
			rail[outlet] = y
			y++
		}
	}
	top := y + 1
	ends := map[int]int{}
	var drops []Wire
	x := outletAt(len(n.outlets)) + 1
	for i, c := range children {
		for j, h := range c.cables {
			column := x + columnsFor(len(c.cables))[j]
			drops = append(drops, p.drop(h, c, Point{column, rail[h.outlet]}, Point{column, top}))
			ends[h.outlet] = max(ends[h.outlet], column)
		}
		b.put(row[i], x, top)
		x += row[i].w + between
	}
	for outlet, o := range n.outlets {
		y, used := rail[outlet]
		if !used {
			continue
		}
		trunks[outlet] = y
		end := Point{ends[outlet], y}
		if label := o.label(); label != "" && end.X+3+term.Width(label) <= room &&
			!slices.ContainsFunc(drops, func(w Wire) bool {
				return w.Points[0].Y < y && w.Points[0].X > end.X && w.Points[0].X < end.X+3+term.Width(label)
			}) {
			end.X++
			b.put(block{w: term.Width(label), h: 1, labels: []Label{{Text: label}}}, end.X+2, y)
		}
		b.wires = append(b.wires, Wire{Points: []Point{{outletAt(outlet), y}, end}, Segment: o.segment,
			Says: o.says(p, n)})
	}
	b.wires = append(b.wires, drops...)
}

// hangStraight adds the last child straight below, where the trunks end in it.
func (p *plan) hangStraight(b *block, n, child *node, room int, trunks []int) *node {
	var in []int
	for _, h := range child.cables {
		in = append(in, outletAt(h.outlet))
	}
	below, tight := p.hub(child, in, room)
	if tight != nil {
		return tight
	}
	gap := b.h
	top := gap + max(1, len(child.cables))
	for i, h := range child.cables {
		o := n.outlets[h.outlet]
		from := Point{outletAt(h.outlet), gap + i}
		if o.segment {
			trunks[h.outlet] = from.Y
		} else {
			from.Y = b.boxes[0].H - 1
			trunks[h.outlet] = 0
		}
		w := p.drop(h, child, from, Point{from.X, top})
		if w.Broken != nil {
			w.Broken.Y = gap + i
		}
		b.wires = append(b.wires, w)
		if label := o.label(); label != "" && outletAt(len(n.outlets))+term.Width(label) <= room {
			b.put(block{w: term.Width(label), h: 1, labels: []Label{{Text: label}}}, outletAt(len(n.outlets)), gap+i)
		}
	}
	b.put(below, 0, top)
	return nil
}

// drop is the wire of a cable down to a child.
func (p *plan) drop(h hanging, child *node, from, to Point) Wire {
	c := &p.top.Cables[h.cable]
	w := Wire{Points: []Point{from, to}, Says: c.says()}
	if len(child.crowd) > 0 {
		w.Says = fmt.Sprintf("%d cables to namespaces that are alike", len(child.crowd))
	}
	if !c.Carries {
		w.Broken = &Point{to.X, to.Y - 1}
	}
	return w
}

// says describes a cable.
func (c *Cable) says() string {
	text := fmt.Sprintf("%s in %s to %s in %s", c.A.Interface, c.A.Netns, c.B.Interface, c.B.Netns)
	if !c.Carries {
		text += ", no carrier"
	}
	return text
}

func (o outlet) label() string {
	if !o.segment {
		return ""
	}
	return o.name
}

func (o outlet) says(p *plan, n *node) string {
	if !o.segment {
		return "cables of " + p.top.Namespaces[n.netns].Name
	}
	return "segment of " + o.name + " in " + p.top.Namespaces[n.netns].Name
}
