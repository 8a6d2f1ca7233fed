package scenario

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// elements are the elements of a Markdown text, from top to bottom.
//
// What only looks like an element is told, so that no check is lost by a slip of the pen: it is an error unless
// <!-- prose --> stands on the line before. A comment that shields nothing is one, too.
func elements(markdown string) []any {
	d, root := newDocument(markdown)
	d.findShields(root)
	found := d.children(root, place{})
	for line, s := range d.shields {
		switch {
		case s.needed:
		case line < len(d.lines) && strings.Trim(d.lines[line], "> \t") == "":
			found = append(found, astray{line,
				proseComment + " stands on the line before what it shields, not before an " +
					"empty line"})
		default:
			found = append(found, astray{line,
				proseComment + " has nothing to shield: the line below it is prose anyway"})
		}
	}
	return found
}

// shield is a comment <!-- prose -->.
type shield struct {
	taken  bool // something begins on the next line
	needed bool // and it would not be prose without the comment
}

// place is where in the text a block stands.
type place struct {
	nested bool // in a list item
	quoted bool
	alert  bool // in a quote that is an alert: a hint, or a note
}

// top reports whether a block stands in no other one.
func (p place) top() bool { return !p.nested && !p.quoted }

// children are the elements in the blocks of a node.
func (d *document) children(parent ast.Node, in place) (found []any) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		found = append(found, d.block(n, in)...)
	}
	return found
}

// block are the elements in a block. Those of a shielded one are left out: what remains is what would hide the rest of
// the file, and comments, which then are in the wrong place.
func (d *document) block(n ast.Node, in place) []any {
	s := d.shields[d.firstLine(n)-1]
	if s == nil || s.taken || n.Kind() == ast.KindList { // a list begins with an item, which is shielded
		return d.read(n, in)
	}
	s.taken = true
	found := d.read(n, in)
	s.needed = slices.ContainsFunc(found, meaningful)
	return slices.DeleteFunc(found, func(e any) bool {
		switch e := e.(type) {
		case fence:
			return e.closed
		case note:
			return false
		}
		return true
	})
}

// meaningful reports whether an element is more than prose.
func meaningful(e any) bool {
	switch e := e.(type) {
	case heading:
		_, isMistake := e.mistake()
		return e.level <= 2 || isMistake || e.wrong() != ""
	case fence:
		return isConsole(e)
	case note:
		return false
	}
	return true
}

func (d *document) read(n ast.Node, in place) []any {
	switch n := n.(type) {
	case *ast.Blockquote:
		return d.quote(n, in)
	case *ast.Heading:
		return d.headings(n, in)
	case *ast.FencedCodeBlock:
		return d.fences(n, in)
	case *ast.CodeBlock:
		return d.indented(n, in)
	case *ast.HTMLBlock:
		return d.html(n, in)
	case *ast.ListItem:
		return d.item(n, in)
	case *ast.Paragraph, *ast.TextBlock:
		return append(d.paragraph(n, in, 0), d.inlineComments(n)...)
	}
	return d.children(n, in)
}

// firstLine is the line in which a block begins.
func (d *document) firstLine(n ast.Node) int {
	if n.Pos() >= 0 {
		return d.lineAt(n.Pos())
	}
	return d.lineOf(n)
}

func (d *document) quote(n *ast.Blockquote, in place) (found []any) {
	inside := place{nested: in.nested, quoted: true, alert: in.alert}
	if first := n.FirstChild(); first != nil && first.Kind() == ast.KindParagraph {
		kind, ok := alertKind(d.text(first, 0))
		inside.alert = inside.alert || ok
		switch {
		case kind == tipKind && in.top():
			found = append(found, d.tip(n))
		case kind == tipKind:
			found = append(found, astray{d.lineOf(first),
				"a hint is a quote of its own: expected > [!TIP] at the start " +
					"of a line, not in " + in.name() + orProse})
		}
	}
	return append(found, d.children(n, inside)...)
}

// name is what a block stands in, for messages.
func (p place) name() string {
	if p.quoted {
		return "a quote"
	}
	return "a list"
}

func (d *document) headings(n *ast.Heading, in place) []any {
	h := d.heading(n)
	for i := range n.Lines().Len() { // an underlined one may have several
		if nearBox.MatchString(d.text(n, i)) {
			return []any{d.strayCheck(h.line+i, d.text(n, i), in)}
		}
	}
	if in.top() {
		return []any{h}
	}
	if _, isMistake := h.mistake(); isMistake || h.wrong() != "" || h.text == setupTitle {
		return []any{astray{h.line, "the heading stands in " + in.name() + ": expected " + h.String() +
			" at the start of its line" + orProse}}
	}
	return nil
}

func (d *document) fences(n *ast.FencedCodeBlock, in place) []any {
	f := d.fence(n)
	text := fence{line: f.line, closed: f.closed} // a block that is prose
	fault := nearConsole(f)
	switch {
	case in.alert:
		return []any{text}
	case fault != "":
		return []any{astray{f.line, fault}, text}
	case in.quoted && isConsole(f):
		return []any{astray{f.line, "a console block in a quote is not played: expected it outside" + orProse}, text}
	}
	return []any{f}
}

// indented reads an indented code block.
func (d *document) indented(n *ast.CodeBlock, in place) (found []any) {
	for i := range n.Lines().Len() {
		line, text := d.lineAt(n.Lines().At(i).Start), d.text(n, i)
		h, isHeading := headingLine(text)
		if stray, isStray := d.strayLine(line, text, in); isStray {
			found = append(found, stray)
			continue
		}
		switch {
		case isHeading && h.ours():
			found = append(found, astray{line, "the heading is indented like code: expected " + h.String() +
				" at the start of its line" + orProse})
		case isNote(text):
			found = append(found, astray{line,
				"the comment is indented like code: expected it at the start of its line" +
					orProse})
		}
	}
	return found
}

// item reads a list item: a check, or something else.
func (d *document) item(n *ast.ListItem, in place) (found []any) {
	inside := place{nested: true, quoted: in.quoted, alert: in.alert}
	first := n.FirstChild()
	if first == nil || first.Kind() != ast.KindTextBlock && first.Kind() != ast.KindParagraph {
		return d.children(n, inside)
	}
	rest := d.inlineComments(first)
	for next := first.NextSibling(); next != nil; next = next.NextSibling() {
		rest = append(rest, d.block(next, inside)...)
	}
	text := d.text(first, 0)
	t, isTask := d.task(first)
	switch line := d.lineOf(first); {
	case isTask && (!in.top() || !strings.HasPrefix(d.lines[line-1], "- [")):
		found = append(found, d.strayCheck(line, text, in))
	case isTask && len(d.inlineComments(first)) == 0:
		if found = d.paragraph(first, in, 1); len(found) == 0 { // else lines are joined to it that are no part of it
			found = append(found, t)
		}
	case isTask: // the comment in its sentence is told
	case nearBox.MatchString(text) || nearItem.MatchString(text):
		found = append(found, d.strayCheck(line, text, in))
		found = append(found, d.paragraph(first, inside, 1)...)
	default:
		found = append(found, d.paragraph(first, inside, 0)...)
	}
	return append(found, rest...)
}

// paragraph reads the lines of a paragraph from a line on.
func (d *document) paragraph(n ast.Node, in place, from int) (found []any) {
	head := n.PreviousSibling() == nil && n.Parent().Kind() == ast.KindBlockquote
	for i := from; i < n.Lines().Len(); i++ {
		line, text := d.lineAt(n.Lines().At(i).Start), d.text(n, i)
		h, isHeading := headingLine(text)
		if stray, isStray := d.strayLine(line, text, in); isStray {
			found = append(found, stray)
			continue
		}
		switch {
		case nearComment.MatchString(text) && !strings.Contains(text, "<!--"):
			found = append(found, astray{line, "a comment is written between <!-- and -->, found " + text})
		case nearFence.MatchString(text):
			found = append(found, astray{line, "a console block begins with a line ```console, found " + text +
				orProse})
		case isHeading && (h.level > 1 || i == 0 && in.top()):
			h.line = line
			h.fault = "a heading is written " + h.String() + ", with a blank, at the start of its line" + orProse
			if in.top() {
				found = append(found, h)
			} else {
				found = append(found, astray{line, h.fault})
			}
		default:
			if fault := nearAlert(text, head && i == 0, in.quoted); fault != "" {
				found = append(found, astray{line, fault})
			}
		}
	}
	return found
}

// text is a line of a block, without the blanks at its ends.
func (d *document) text(n ast.Node, i int) string {
	if i >= n.Lines().Len() {
		return ""
	}
	segment := n.Lines().At(i)
	return strings.TrimSpace(string(segment.Value(d.source)))
}
