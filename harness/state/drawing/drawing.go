// Package drawing draws the namespaces of a state: boxes with their interfaces, addresses and default routes, cables
// between them, and bridges as segments. The layout is made once, in columns and rows, and rendered as text or as SVG.
// It is pure: any package may import it, it imports only state and term from this project, and it never reads the
// kernel or the width of a terminal.
package drawing

import (
	"netnscheck/harness/state"
)

// Options are the options of a layout.
type Options struct {
	// Width is the greatest width in columns, at least 20.
	Width int
	// ASCII uses ASCII characters only.
	ASCII bool
	// Changed is what changed last, in the words of state.Diff: what is drawn of it is marked.
	Changed []string
}

const minWidth = 20

// Drawing is a layout: the place of each box, cable and label, in columns and rows.
type Drawing struct {
	Width, Height int
	Boxes         []Box
	Wires         []Wire
	Labels        []Label
	Topology      *Topology

	ascii bool
}

// Point is a position in a drawing.
type Point struct{ X, Y int }

// Box is a namespace, or several similar ones. Its border takes the outermost columns and rows, its title is in the
// upper border.
type Box struct {
	Point
	W, H    int
	Title   string
	TitleAt int // the column within the box where the title begins
	Lines   []Line
	// Changed is set if the namespace is new, or if something in it changed that has no line of its own.
	Changed bool
}

// Line is a line in a box: the text before and after the state of an interface; the state is "" in a line without an
// interface.
type Line struct {
	Before string
	State  State
	After  string
	// Changed is set if what the line shows changed.
	Changed bool

	link int // the interface that a cable at this line belongs to, or -1
}

// Wire is a cable or a segment, from corner to corner.
type Wire struct {
	Points []Point
	// Segment is set for a bridge or a lower interface, which all attached interfaces share.
	Segment bool
	// Broken is the place of the mark for no carrier; nil if both ends have carrier.
	Broken *Point
	// Says describes the wire.
	Says string
}

// Label is a text outside the boxes.
type Label struct {
	Point
	Text string
}

// Of draws a state, without fallback tunnels that nobody has touched (state.Link.Fallback).
func Of(s *state.State, o Options) *Drawing {
	s = s.WithoutFallback()
	o.Width = max(o.Width, minWidth)
	p := &plan{top: topologyOf(s, o.ASCII), ascii: o.ASCII, severed: map[[2]int]bool{},
		changes: changesIn(s, o.Changed)}
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
		// A subtree that is too deep for the width becomes a tree of its own; its cable is then described in words.
		all, tight := p.layOut(o.Width)
		if tight == nil {
			return p.drawing(all)
		}
		p.severed[pair(tight.netns, tight.parent.netns)] = true
	}
}

// plan holds the values that the steps of a layout share.
type plan struct {
	top      *Topology
	ascii    bool
	cablesOf [][]int // of each namespace, by number
	// the cable that ends at an interface; not that of a lower interface, which may have many
	cableOf map[place]int
	portsOf []map[string][]int // of each namespace, the interfaces by their masters
	severed map[[2]int]bool    // pairs of namespaces whose cables are described in words
	drawn   []bool             // the cables that are drawn
	nextTo  map[int][]int      // what neighbours has found
	changes []changes          // of each namespace
}

func (p *plan) drawing(all block) *Drawing {
	return &Drawing{
		Width: all.w, Height: all.h, Boxes: all.boxes, Wires: all.wires, Labels: all.labels, Topology: p.top,
		ascii: p.ascii,
	}
}
