// Package drawing draws the namespaces of a state: boxes with their interfaces, addresses and default routes, the
// cables between them, bridges as the segments that they are. A layout is made once, in columns and rows, and is then
// told as text or as SVG. It is pure: it imports state alone, anybody may import it, and it never reads the kernel nor
// asks how wide a terminal is.
package drawing

import (
	"netnscheck/harness/state"
)

// Options are how a drawing is laid out.
type Options struct {
	// Width is the number of columns that it may take; less than 20 are taken as 20.
	Width int
	// ASCII does without any other character.
	ASCII bool
}

const minWidth = 20

// Drawing is a layout: where each box, cable and word is, in columns and rows.
type Drawing struct {
	Width, Height int
	Boxes         []Box
	Wires         []Wire
	Labels        []Label
	Topology      *Topology

	ascii bool
}

// Point is a place in a drawing.
type Point struct{ X, Y int }

// Box is a namespace, or several that are alike. Its border is on its outermost columns and rows, its title on the
// upper one.
type Box struct {
	Point
	W, H    int
	Title   string
	TitleAt int // the column within the box where the title begins
	Lines   []Line
}

// Line is a line in a box: a text with the state of an interface in it, which is "" where it has none.
type Line struct {
	Before string
	State  State
	After  string

	link int // the interface that a cable at this line belongs to, or -1
}

// Wire is a cable or a segment, from corner to corner.
type Wire struct {
	Points []Point
	// Segment says that it is a bridge or a lower interface, which all that hang on it share.
	Segment bool
	// Broken is where it is marked as carrying nothing; nil for one that carries.
	Broken *Point
	// Says is what the wire is, in words.
	Says string
}

// Label is a word outside of boxes.
type Label struct {
	Point
	Text string
}

// Of draws a state.
func Of(s *state.State, o Options) *Drawing {
	o.Width = max(o.Width, minWidth)
	p := &plan{top: topologyOf(s, o.ASCII), ascii: o.ASCII, severed: map[[2]int]bool{}}
	p.cablesOf, p.cableOf = make([][]int, len(p.top.Namespaces)), map[place]int{}
	for i, c := range p.top.Cables {
		for e, at := range c.ends {
			p.cablesOf[at.netns] = append(p.cablesOf[at.netns], i)
			if c.Kind == "veth" || e == 0 {
				p.cableOf[at] = i
			}
		}
	}
	p.portsOf = make([]map[string][]int, len(p.top.Namespaces))
	for i, n := range p.top.Namespaces {
		p.portsOf[i] = map[string][]int{}
		for link, l := range n.Interfaces {
			if l.Master != "" {
				p.portsOf[i][l.Master] = append(p.portsOf[i][l.Master], link)
			}
		}
	}
	for {
		// What hangs too deep for the width is cut off and drawn by itself; its cable is told in words then.
		all, tight := p.layOut(o.Width)
		if tight == nil {
			return p.drawing(all)
		}
		p.severed[pair(tight.netns, tight.parent.netns)] = true
	}
}

// plan is what the steps of a layout share.
type plan struct {
	top      *Topology
	ascii    bool
	cablesOf [][]int // of each namespace, by number
	// the one that an interface is an end of; not that of a lower interface, which may have many
	cableOf map[place]int
	portsOf []map[string][]int // of each namespace, the interfaces by their masters
	severed map[[2]int]bool    // pairs of namespaces whose cables are told in words
	drawn   []bool             // the cables that are drawn
	nextTo  map[int][]int      // what neighbours has found
}

func (p *plan) drawing(all block) *Drawing {
	return &Drawing{
		Width: all.w, Height: all.h, Boxes: all.boxes, Wires: all.wires, Labels: all.labels, Topology: p.top,
		ascii: p.ascii,
	}
}
