package drawing

import "netnscheck/harness/term"

// legend tells what the marks mean that there are, and what is no namespace at all.
func (p *plan) legend(all *block, width int) block {
	var words []string
	segment, cable, broken := false, false, false
	for _, w := range all.wires {
		segment, cable, broken = segment || w.Segment, cable || !w.Segment, broken || w.Broken != nil
	}
	marks := marksOf(p.ascii)
	for _, s := range []struct {
		is   bool
		text string
	}{
		{cable, marks.cable + " cable"},
		{segment, marks.segment + " bridge or lower interface, shared by what hangs on it"},
		{broken, marks.broken + " carries nothing"},
	} {
		if s.is {
			words = append(words, s.text)
		}
	}
	var b block
	lines := wrapped(words, "   ", width, p.ascii)
	if len(p.top.NotNamespaces) > 0 {
		lines = append(lines, wrapped(append([]string{"no namespaces, though named so in /run/netns:"},
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

// wrapped joins words, none wider than the width, into lines that are not wider either.
func wrapped(words []string, gap string, width int, ascii bool) []string {
	short := make([]string, len(words))
	for i, w := range words {
		short[i] = cut(w, width, ascii)
	}
	return term.Fill(short, gap, width)
}
