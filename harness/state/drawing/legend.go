package drawing

import (
	"slices"

	"netnscheck/harness/term"
)

// legend explains the marks in the drawing, and names the entries of /run/netns that are not namespaces.
func (p *plan) legend(all *block, width int) block {
	var words []string
	segment, cable, broken := false, false, false
	for _, w := range all.wires {
		segment, cable, broken = segment || w.Segment, cable || !w.Segment, broken || w.Broken != nil
	}
	changed := false
	for _, box := range all.boxes {
		changed = changed || box.Changed || slices.ContainsFunc(box.Lines, func(l Line) bool { return l.Changed })
	}
	marks := marksOf(p.ascii)
	for _, s := range []struct {
		is   bool
		text string
	}{
		{cable, marks.cable + " cable"},
		{segment, marks.segment + " bridge or lower interface, shared by all attached interfaces"},
		{broken, marks.broken + " no carrier"},
		{changed, changedMark + " changed last"},
	} {
		if s.is {
			words = append(words, s.text)
		}
	}
	var b block
	lines := wrapped(words, "   ", width, p.ascii)
	if len(p.top.NotNamespaces) > 0 {
		lines = append(lines, wrapped(append([]string{"in /run/netns, but not namespaces:"},
			p.top.NotNamespaces...), " ", width, p.ascii)...)
	}
	if len(p.top.Namespaces) == 0 {
		lines = append(lines, "no namespaces")
	}
	for i, l := range lines {
		b.put(block{w: term.Width(l), h: 1, labels: []Label{{Text: l}}}, 0, i)
	}
	return b
}

// wrapped fills lines of at most the width with words, which are cut to it.
func wrapped(words []string, gap string, width int, ascii bool) []string {
	short := make([]string, len(words))
	for i, w := range words {
		short[i] = cut(w, width, ascii)
	}
	return term.Fill(short, gap, width)
}
