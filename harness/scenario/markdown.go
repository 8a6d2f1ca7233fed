package scenario

import (
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/claim"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// The elements of a Markdown text that have a meaning in a scenario, each with its line. Everything else is prose.
type (
	heading struct {
		line, level int
		text        string
		underlined  bool
		fault       string // what is wrong with it, "" if nothing is
	}
	// fence is a fenced code block, its content from the line after it.
	fence struct {
		line   int
		info   string
		lines  []string
		closed bool
	}
	// task is a task-list item; its sentence is one line, its code spans in backquotes.
	task struct {
		line, end int
		done      bool
		sentence  string
	}
	// tip is a TIP alert, its Markdown without the quote marks.
	tip struct {
		line, end int
		text      string
	}
	// note is a comment with a word of the language, but for `prose`.
	note struct {
		line, end  int
		word, text string
	}
	// astray is something that only looks like one of the others.
	astray struct {
		line    int
		message string
	}
)

// document is a Markdown text and the offsets of its lines.
type document struct {
	source []byte
	starts []int
	lines  []string
	// shields are the comments <!-- prose -->, by their last lines.
	shields map[int]*shield
}

// newDocument parses a Markdown text.
func newDocument(markdown string) (*document, ast.Node) {
	d := &document{source: []byte(markdown), lines: strings.Split(markdown, "\n"), shields: map[int]*shield{}}
	for i := 0; i < len(markdown); i++ {
		if i == 0 || markdown[i-1] == '\n' {
			d.starts = append(d.starts, i)
		}
	}
	p := parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(parser.DefaultInlineParsers()...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)
	return d, p.Parse(text.NewReader(d.source))
}

// lineAt is the line number of an offset, from 1.
func (d *document) lineAt(offset int) int {
	i, exact := slices.BinarySearch(d.starts, offset)
	if exact {
		return i + 1
	}
	return i
}

// lineOf is the line in which the text of a block begins, 0 if it has none.
func (d *document) lineOf(n ast.Node) int {
	if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
		return d.lineAt(n.Lines().At(0).Start)
	}
	if n.Pos() >= 0 {
		return d.lineAt(n.Pos())
	}
	return 0
}

func (d *document) heading(n *ast.Heading) heading {
	line := d.lineOf(n)
	return heading{line: line, level: n.Level, text: strings.TrimSpace(d.inline(n, false)),
		underlined: !strings.HasPrefix(strings.TrimLeft(d.lines[line-1], " "), "#")}
}

// fence reads a code block and looks for its closing line. Markdown also closes a code block at the end of the text,
// but in a scenario that is an oversight that would hide the rest of the file.
func (d *document) fence(n *ast.FencedCodeBlock) fence {
	f := fence{}
	count := n.Lines().Len()
	switch {
	case n.Info != nil:
		f.info = strings.TrimSpace(string(n.Info.Segment.Value(d.source)))
		f.line = d.lineAt(n.Info.Segment.Start)
	case count > 0:
		f.line = d.lineOf(n) - 1
	default:
		f.line = d.lineOf(n)
	}
	for i := range count {
		segment := n.Lines().At(i)
		f.lines = append(f.lines, strings.TrimSuffix(string(segment.Value(d.source)), "\n"))
	}
	if after := f.line + count; after < len(d.lines) { // lines[i] is line i+1
		rest := strings.Trim(d.lines[after], "> \t")
		f.closed = len(rest) >= 3 && (strings.Trim(rest, "`") == "" || strings.Trim(rest, "~") == "")
	}
	return f
}

var taskBox = regexp.MustCompile(`^\[([ \txX])\][ \t]+\S`)

// task reads the text of a list item that begins with [ ] or [x].
func (d *document) task(first ast.Node) (task, bool) {
	segment := first.Lines().At(0)
	box := taskBox.FindSubmatch(segment.Value(d.source))
	if box == nil {
		return task{}, false
	}
	sentence := strings.TrimSpace(d.inline(first, true))
	// The parser reads the box as text, or as a link if [x] is defined somewhere; it has at most one letter inside.
	if i := strings.IndexByte(sentence, ']'); i >= 0 && i <= 2 {
		sentence = sentence[i+1:]
	} else if len(sentence) > 0 {
		sentence = sentence[1:]
	}
	return task{
		line:     d.lineAt(segment.Start),
		end:      d.lastLine(first),
		done:     box[1][0] == 'x' || box[1][0] == 'X',
		sentence: strings.TrimSpace(sentence),
	}, true
}

var quoteMark = regexp.MustCompile(`^ {0,3}> ?`)

// tip reads a quote that begins with [!TIP]. Comments of the language are no part of a hint.
func (d *document) tip(quote ast.Node) tip {
	begin := d.lineOf(quote.FirstChild())
	// The quote continues while lines have its marker, or continue its text without one (lazy continuation).
	end := begin
	for end < len(d.lines) && (quoteMark.MatchString(d.lines[end]) || end < d.lastLine(quote)) {
		end++
	}
	var text []string
	for _, line := range d.lines[begin:end] {
		if line = quoteMark.ReplaceAllString(line, ""); strings.TrimSpace(line) != proseComment {
			text = append(text, line)
		}
	}
	return tip{line: begin, end: end, text: strings.TrimSpace(strings.Join(text, "\n"))}
}

// lastLine is the last line with text of a block or of a block inside it.
func (d *document) lastLine(n ast.Node) int {
	last := 0
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() == ast.TypeInline {
			return ast.WalkSkipChildren, nil
		}
		if lines := n.Lines(); entering && lines.Len() > 0 {
			last = max(last, d.lineAt(lines.At(lines.Len()-1).Start))
		}
		return ast.WalkContinue, nil
	})
	return last
}

// inline is the text of a block on one line, without markup except, if ticks is set, the backquotes of code spans.
func (d *document) inline(n ast.Node, ticks bool) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(unescape(c.Segment.Value(d.source)))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.CodeSpan:
			content := d.code(c)
			if ticks {
				content = claim.Span(content)
			}
			b.WriteString(content)
		case *ast.AutoLink:
			b.Write(c.Label(d.source))
		case *ast.RawHTML:
			b.Write(c.Segments.Value(d.source))
		case *ast.String:
			b.Write(c.Value)
		default:
			b.WriteString(d.inline(c, ticks))
		}
	}
	return b.String()
}

// code is the content of a code span, with blanks for line ends.
func (d *document) code(n *ast.CodeSpan) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(d.source))
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// unescape resolves Markdown's backslashes and entities.
func unescape(text []byte) []byte {
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(text)))
}
