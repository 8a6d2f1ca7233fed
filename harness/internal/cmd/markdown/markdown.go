// Package markdown lays out Markdown for a terminal. It supports what lessons use; anything else is plain text.
// (Libraries that render Markdown bring syntax highlighters, whose tables take longer to initialize than the rest of
// the harness, in each worker.) It is pure: no kernel, no files, no output. Only internal/cmd/screen and internal/face
// import it.
package markdown

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"netnscheck/harness/term"
)

// Terminal is what the text is laid out for.
type Terminal struct {
	Width  int // in columns
	Colour bool
	ASCII  bool // bars, lines and bullets are ASCII characters; the text stays as it is
}

// Render lays out Markdown for a terminal. It leaves out the front matter of a lesson.
func Render(markdown string, t Terminal) string {
	source := []byte(term.Printable(lesson(markdown)))
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	r := &renderer{source: source, colour: t.Colour, bar: "│ ", rule: "─", bullet: "• "}
	if t.ASCII {
		r.bar, r.rule, r.bullet = "| ", "-", "* "
	}
	return strings.Join(r.blocks(doc, t.Width), "\n") + "\n"
}

type renderer struct {
	source            []byte
	colour            bool
	bar, rule, bullet string
}

// Looks, as term.Paint takes them.
const (
	bold      = "1"
	dim       = "2"
	underline = "4"
	cyan      = "36"
	yellowish = "33"
)

func (r *renderer) paint(look, s string) string {
	if !r.colour || s == "" {
		return s
	}
	return term.Paint(look, s)
}

// blocks lays out the children of a node, with an empty line between them unless they are items of a tight list.
func (r *renderer) blocks(parent ast.Node, width int) []string {
	var lines []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		some := r.block(n, width)
		if len(some) == 0 {
			continue
		}
		if len(lines) > 0 && !tight(parent) {
			lines = append(lines, "")
		}
		lines = append(lines, some...)
	}
	return lines
}

func tight(parent ast.Node) bool {
	switch n := parent.(type) {
	case *ast.List:
		return n.IsTight
	case *ast.ListItem:
		list, ok := n.Parent().(*ast.List)
		return ok && list.IsTight
	}
	return false
}

func (r *renderer) block(n ast.Node, width int) []string {
	switch n := n.(type) {
	case *ast.Heading:
		mark := strings.Repeat("#", n.Level) + " "
		return prefixed(mark, strings.Repeat(" ", len(mark)), r.wrap(n, bold, width-len(mark)))
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return r.code(n)
	case *ast.List:
		return r.list(n, width)
	case *ast.Blockquote:
		bar := r.paint(yellowish, r.bar)
		return prefixed(bar, bar, r.blocks(n, width-2))
	case *ast.ThematicBreak:
		return []string{r.paint(dim, strings.Repeat(r.rule, min(width, 40)))}
	case *ast.HTMLBlock:
		return r.comment(n)
	case *east.Table:
		return r.table(n)
	}
	return r.wrap(n, "", width)
}

// points is the comment with the points of a step.
var points = regexp.MustCompile(`^\s*<!--\s*points:\s*(\d+)\s*-->\s*$`)

// comment shows the points of a step, and no other comment.
func (r *renderer) comment(n *ast.HTMLBlock) []string {
	m := points.FindSubmatch(n.Lines().Value(r.source))
	if m == nil {
		return nil
	}
	worth, _ := strconv.Atoi(string(m[1]))
	return []string{r.paint(dim, term.Count(worth, "point"))}
}

// code shows a console block with its commands highlighted. Above it stands the meaning of its info string, which
// Markdown viewers do not show.
func (r *renderer) code(n ast.Node) []string {
	var lines []string
	if f, ok := n.(*ast.FencedCodeBlock); ok && f.Info != nil {
		if label := blockLabel(string(f.Info.Segment.Value(r.source))); label != "" {
			lines = append(lines, r.paint(dim, label+":"))
		}
	}
	segments := n.Lines()
	for i := range segments.Len() {
		segment := segments.At(i)
		line := strings.TrimRight(string(segment.Value(r.source)), "\n")
		if strings.HasPrefix(line, "$ ") {
			line = r.paint(cyan, line)
		}
		lines = append(lines, line)
	}
	return prefixed("    ", "    ", lines)
}

// blockLabel is the info string of a console block in words: `console netlink errno=ENODEV` is “with netlink, ENODEV”.
// It is "" for a block without attributes.
func blockLabel(info string) string {
	words := strings.Fields(info)
	if len(words) < 2 || words[0] != "console" {
		return ""
	}
	var whose, parts []string
	for _, word := range words[1:] {
		switch {
		case word == "fix":
			parts = append(parts, "the fix")
		case word == "undo":
			parts = []string{"back to the start of the step"}
		case word == "partial":
			parts = append(parts, "may take partial effect")
		case strings.HasPrefix(word, "errno="):
			parts = append(parts, strings.TrimPrefix(word, "errno="))
		case strings.ContainsAny(word, "<>="):
			parts = append(parts, word)
		default:
			whose = append(whose, word)
		}
	}
	if len(whose) > 0 {
		parts = append([]string{"with " + strings.Join(whose, " and ")}, parts...)
	}
	return strings.Join(parts, ", ")
}

func (r *renderer) list(n *ast.List, width int) []string {
	var lines []string
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := r.bullet
		switch {
		case n.IsOrdered():
			mark = fmt.Sprintf("%d. ", number)
			number++
		case isTask(item):
			mark = "" // the box is its mark
		}
		if len(lines) > 0 && !n.IsTight {
			lines = append(lines, "")
		}
		room := term.Width(mark)
		lines = append(lines, prefixed(mark, strings.Repeat(" ", room), r.blocks(item, width-room))...)
	}
	return lines
}

func isTask(item ast.Node) bool {
	text := item.FirstChild()
	return text != nil && text.FirstChild() != nil && text.FirstChild().Kind() == east.KindTaskCheckBox
}

// table aligns the cells in columns and does not wrap them.
func (r *renderer) table(n *east.Table) []string {
	var rows [][]string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		look := ""
		if row.Kind() == east.KindTableHeader {
			look = bold
		}
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, strings.Join(r.words(cell, look), " "))
		}
		rows = append(rows, cells)
	}
	return term.Columns(rows)
}

// wrap fills lines with the words of a block.
func (r *renderer) wrap(n ast.Node, look string, width int) []string {
	var lines, line []string
	for _, word := range append(r.words(n, look), hardBreak) {
		if word != hardBreak {
			line = append(line, word)
			continue
		}
		lines, line = append(lines, term.Fill(line, " ", width)...), nil
	}
	return lines
}

// hardBreak stands for a hard line break among words.
const hardBreak = "\n"

// words are the words of a node's text, each painted separately so that a line can break between any two.
func (r *renderer) words(n ast.Node, look string) []string {
	var b strings.Builder
	r.inline(&b, n, look)
	var words []string
	for i, line := range strings.Split(b.String(), hardBreak) {
		if i > 0 {
			words = append(words, hardBreak)
		}
		words = append(words, strings.FieldsFunc(line, func(c rune) bool { return c == ' ' })...)
	}
	if len(words) > 0 && n.Parent() != nil && n.Parent().Kind() == ast.KindBlockquote {
		if kind, ok := strings.CutPrefix(words[0], "[!"); ok { // an alert: its kind stands alone
			words = append([]string{r.paint(bold, strings.TrimSuffix(kind, "]")), hardBreak}, words[1:]...)
		}
	}
	return words
}

// inline writes a node's text; blanks stay unpainted, so that words can be separated.
func (r *renderer) inline(b *strings.Builder, parent ast.Node, look string) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			r.write(b, string(n.Value(r.source)), look)
			switch {
			case n.HardLineBreak():
				b.WriteString(hardBreak)
			case n.SoftLineBreak():
				b.WriteByte(' ')
			}
		case *ast.String:
			r.write(b, string(n.Value), look)
		case *ast.CodeSpan:
			r.inline(b, n, join(look, cyan))
		case *ast.Emphasis:
			r.inline(b, n, join(look, bold))
		case *ast.Link:
			r.inline(b, n, join(look, underline))
			if to := string(n.Destination); strings.Contains(to, "://") {
				r.write(b, " <"+to+">", dim)
			}
		case *ast.AutoLink:
			r.write(b, string(n.Label(r.source)), join(look, underline))
		case *east.TaskCheckBox:
			box := "[ ]"
			if n.IsChecked {
				box = "[x]"
			}
			r.write(b, box+" ", "")
		case *ast.RawHTML:
		default:
			r.inline(b, n, look)
		}
	}
}

// write writes a text with each word painted separately.
func (r *renderer) write(b *strings.Builder, s, look string) {
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		if look == "" {
			b.WriteString(word)
		} else {
			b.WriteString(r.paint(look, word))
		}
	}
}

func join(look, more string) string {
	if look == "" {
		return more
	}
	return look + ";" + more
}

func prefixed(first, rest string, lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if i == 0 {
			out[i] = strings.TrimRight(first+line, " ")
		} else {
			out[i] = strings.TrimRight(rest+line, " ")
		}
	}
	return out
}

// lesson is the Markdown without its front matter.
func lesson(source string) string {
	source = strings.ReplaceAll(source, "\r\n", "\n")
	if rest, ok := strings.CutPrefix(source, "---\n"); ok {
		if _, body, ok := strings.Cut(rest, "\n---\n"); ok {
			return body
		}
	}
	return source
}
