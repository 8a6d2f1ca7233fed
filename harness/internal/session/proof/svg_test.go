package proof_test

import (
	"fmt"
	"html"
	"image/color"
	"strings"

	"github.com/charmbracelet/x/vt"
)

// The measures of a picture, in pixels: of a character, of the text's size, and around the text.
const (
	wide, high = 8.43, 16
	size       = 14
	around     = 14
)

// The colours of a picture: on a dark ground, as many terminals have it.
const (
	ground = "#0d1117"
	ink    = "#d1d7e0"
	frame  = "#3d444d"
)

// palette has the colours of the terminal, by the ones of the emulator.
var palette = map[color.RGBA]string{
	{0x80, 0, 0, 255}: "#ff7b72", {0, 0x80, 0, 255}: "#3fb950", {0x80, 0x80, 0, 255}: "#d29922",
	{0, 0, 0x80, 255}: "#58a6ff", {0x80, 0, 0x80, 255}: "#bc8cff", {0, 0x80, 0x80, 255}: "#39c5cf",
	{0x80, 0x80, 0x80, 255}: "#8b949e",
}

// attributes of a cell that a picture shows (ultraviolet.AttrBold and so on).
const (
	bold = 1 << iota
	faint
	italic
)

// picture is the screen of a terminal as an SVG: each run of one look is a text of its own, at its column, so that the
// widths of a reader's font do not matter.
func picture(e *vt.Emulator, title string) string {
	var b strings.Builder
	width, height := 2*around+wide*float64(e.Width()), 2*around+high*e.Height()
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]g" height="%[2]d" viewBox="0 0 %[1]g %[2]d" `+
		`role="img">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(title))
	fmt.Fprintf(&b, `<rect x="0.5" y="0.5" width="%g" height="%d" rx="8" fill="%s" stroke="%s"/>`+"\n", width-1,
		height-1,
		ground, frame)
	fmt.Fprintf(&b, `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%d" `+
		`fill="%s" xml:space="preserve">`+"\n", size, ink)
	for y := range e.Height() {
		for x := 0; x < e.Width(); {
			look, text, from := lookAt(e, x, y), "", x
			for x < e.Width() && lookAt(e, x, y) == look {
				text += e.CellAt(x, y).Content
				x++
			}
			trimmed := strings.TrimRight(text, " ")
			if trimmed == "" {
				continue
			}
			blank := len(trimmed) - len(strings.TrimLeft(trimmed, " "))
			trimmed = trimmed[blank:]
			fmt.Fprintf(&b, `<text x="%.2f" y="%d" textLength="%.2f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
				around+wide*float64(from+blank), around+high*y+size-1, wide*float64(len([]rune(trimmed))), look,
				html.EscapeString(trimmed))
		}
	}
	return b.String() + "</g>\n</svg>\n"
}

// lookAt are the attributes of the text at a place.
func lookAt(e *vt.Emulator, x, y int) (look string) {
	s := e.CellAt(x, y).Style
	if s.Fg != nil {
		if c, known := palette[color.RGBAModel.Convert(s.Fg).(color.RGBA)]; known {
			look += fmt.Sprintf(` fill="%s"`, c)
		}
	}
	if s.Attrs&bold != 0 {
		look += ` font-weight="bold"`
	}
	if s.Attrs&faint != 0 {
		look += ` opacity="0.6"`
	}
	if s.Attrs&italic != 0 {
		look += ` font-style="italic"`
	}
	return look
}
