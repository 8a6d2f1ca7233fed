package drawing

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// The size of a character in an SVG, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18
)

// svgStyle repeats in colours what words and marks already show, for a light and for a dark page.
const svgStyle = `
  svg { background: #fff; color: #1b1f24; font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
  text { fill: currentColor; white-space: pre; }
  rect { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.2; }
  path { fill: none; stroke: #57606a; stroke-width: 1.6; }
  .segment { stroke-width: 4.5; stroke-linecap: square; }
  .broken { stroke-dasharray: 5 4; }
  .back { fill: #fff; stroke: none; }
  .title, .mark { font-weight: bold; }
  .up { fill: #116329; } .down { fill: #a40e26; } .no-carrier { fill: #8a4600; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; color: #e6edf3; }
    rect { fill: #161b22; stroke: #8b949e; } path { stroke: #8b949e; }
    .back { fill: #0d1117; stroke: none; }
    .up { fill: #56d364; } .down { fill: #ff7b72; } .no-carrier { fill: #e3b341; }
  }
`

// SVG renders the drawing as a self-contained SVG image.
func (d *Drawing) SVG() string {
	var b strings.Builder
	width, height := float64(d.Width+2)*cellWidth, float64(d.Height+1)*cellHeight
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.1f %.1f" role="img" `+
			`aria-labelledby="title desc">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, "<title id=\"title\">Network namespaces</title>\n<desc id=\"desc\">%s</desc>\n<style>%s</style>\n",
		escaped(d.Topology.Describe()), svgStyle)
	fmt.Fprintf(&b, "<g transform=\"translate(%.1f %.1f)\">\n", cellWidth, cellHeight/2.0)
	for _, w := range d.Wires {
		d.svgWire(&b, w)
	}
	for _, box := range d.Boxes {
		d.svgBox(&b, box)
	}
	for _, w := range d.Wires {
		if w.Broken != nil {
			svgBack(&b, w.Broken.X, w.Broken.Y, 1)
			svgText(&b, "mark", w.Broken.X, w.Broken.Y, marksOf(d.ascii).broken)
		}
	}
	for _, l := range d.Labels {
		svgText(&b, "", l.X, l.Y, l.Text)
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// middle is the centre of a character cell.
func middle(p Point) (x, y float64) {
	return (float64(p.X) + 0.5) * cellWidth, (float64(p.Y) + 0.5) * cellHeight
}

func (d *Drawing) svgWire(b *strings.Builder, w Wire) {
	path := ""
	for i, p := range w.Points {
		x, y := middle(p)
		path += fmt.Sprintf("%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x, y)
	}
	class := ""
	if w.Segment {
		class = "segment"
	}
	if w.Broken != nil {
		class = "broken"
	}
	fmt.Fprintf(b, "<path class=%q d=%q><title>%s</title></path>\n", class, path, escaped(w.Says))
}

func (d *Drawing) svgBox(b *strings.Builder, box Box) {
	left, top := middle(box.Point)
	fmt.Fprintf(b, "<g>\n<title>%s</title>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"4\"/>\n",
		escaped(box.Title), left, top, float64(box.W-1)*cellWidth, float64(box.H-1)*cellHeight)
	if box.Title != "" {
		svgBack(b, box.X+box.TitleAt, box.Y, term.Width(box.Title)+2)
	}
	svgText(b, "title", box.X+box.TitleAt+1, box.Y, box.Title)
	if box.Changed {
		svgText(b, "mark", box.X+box.TitleAt, box.Y, changedMark)
	}
	m := marksOf(d.ascii)
	for i, l := range box.Lines {
		x, y, room := box.X+2, box.Y+1+i, box.W-4
		if l.Changed {
			svgText(b, "mark", x-1, y, changedMark)
		}
		for _, part := range []struct{ class, text string }{
			{"", l.Before}, {strings.ReplaceAll(string(l.State), " ", "-"), l.stateText(m.of)}, {"", l.After},
		} {
			part.text = cut(part.text, room, d.ascii)
			svgText(b, part.class, x, y, part.text)
			x, room = x+term.Width(part.text), room-term.Width(part.text)
		}
	}
	b.WriteString("</g>\n")
}

// svgBack covers the lines behind a text.
func svgBack(b *strings.Builder, column, row, width int) {
	fmt.Fprintf(b, "<rect class=\"back\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
		(float64(column)+0.3)*cellWidth, float64(row)*cellHeight, (float64(width)-0.6)*cellWidth, cellHeight)
}

// svgText writes a text at the width of its columns, whatever the font.
func svgText(b *strings.Builder, class string, column, row int, text string) {
	plain := strings.TrimLeft(text, " ")
	column += len(text) - len(plain)
	plain = strings.TrimRight(plain, " ")
	if plain == "" {
		return
	}
	attribute := ""
	if class != "" {
		attribute = fmt.Sprintf(" class=%q", class)
	}
	fmt.Fprintf(b, "<text%s x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" xml:space=\"preserve\">%s</text>\n", attribute,
		float64(column)*cellWidth, (float64(row)+0.72)*cellHeight, float64(term.Width(plain))*cellWidth, escaped(plain))
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace

// Describe describes the topology in sentences, for readers who do not see the drawing.
func (t *Topology) Describe() string {
	var all []string
	for i := range t.Namespaces {
		n := &t.Namespaces[i]
		var links []string
		for _, l := range n.Interfaces {
			text := l.Name + " " + string(l.State)
			for _, a := range l.Addresses {
				if !a.ordinary {
					text += " " + a.Prefix
				}
			}
			links = append(links, text)
		}
		all = append(all, fmt.Sprintf("Namespace %s: %s.", n.Name,
			strings.Join(append(links, n.DefaultRoutes...), ", ")))
	}
	for i := range t.Cables {
		all = append(all, "Cable from "+t.Cables[i].says()+".")
	}
	return strings.Join(all, "\n")
}
