package scenario

import (
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/nearest"

	"github.com/yuin/goldmark/ast"
)

// Comments with a meaning. Any other comment is one for the readers of the source.
const (
	proseWord  = "prose"
	failWord   = "fail"
	pointsWord = "points"
)

// comment is an HTML comment, from a line to another; alone if nothing else is on them.
type comment struct {
	line, end int
	text      string
	alone     bool
}

// findShields finds the comments <!-- prose -->.
func (d *document) findShields(root ast.Node) {
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if block, ok := n.(*ast.HTMLBlock); ok && entering {
			comments, _, _ := d.comments(block)
			for _, c := range comments {
				if word, _, fault := meaning(c.text); word == proseWord && fault == "" && c.alone {
					d.shields[c.end] = &shield{}
				}
			}
		}
		return ast.WalkContinue, nil
	})
}

// comments are the comments in a block of HTML, and the lines around them, blank where the comments are. open is the
// line of a comment that is not closed.
func (d *document) comments(n *ast.HTMLBlock) (all []comment, rest []string, open int) {
	var b strings.Builder
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		b.Write(segment.Value(d.source))
	}
	if n.HasClosure() {
		b.Write(n.ClosureLine.Value(d.source))
	}
	text, line := b.String(), d.firstLine(n)
	var outside strings.Builder
	for at := 0; ; {
		begin := strings.Index(text[at:], "<!--")
		if begin < 0 {
			outside.WriteString(text[at:])
			break
		}
		begin += at
		line += strings.Count(text[at:begin], "\n")
		length := strings.Index(text[begin:], "-->")
		if length < 0 {
			return all, strings.Split(outside.String(), "\n"), line
		}
		end, lines := begin+length+len("-->"), strings.Count(text[begin:begin+length], "\n")
		before, after := strings.TrimRight(text[:begin], " \t"), strings.TrimLeft(text[end:], " \t")
		all = append(all, comment{
			line: line, end: line + lines,
			text: strings.TrimPrefix(text[begin:begin+length], "<!--"),
			alone: (before == "" || strings.HasSuffix(before, "\n")) &&
				(after == "" || strings.HasPrefix(after, "\n")),
		})
		outside.WriteString(text[at:begin] + strings.Repeat("\n", lines))
		at, line = end, line+lines
	}
	return all, strings.Split(outside.String(), "\n"), 0
}

// html reads a block of HTML: comments, and lines that would be elements if the HTML did not hide them.
func (d *document) html(n *ast.HTMLBlock, in place) (found []any) {
	comments, rest, open := d.comments(n)
	for _, c := range comments {
		found = append(found, c.element()...)
	}
	if open > 0 {
		return append(found, astray{open, "the comment is not closed and hides the rest of the file: expected -->"})
	}
	if n.HTMLBlockType == ast.HTMLBlockType1 { // <pre>, <script>, <style>, <textarea>
		return found
	}
	for i, text := range rest {
		text = strings.TrimSpace(text)
		h, isHeading := headingLine(text)
		opens := (strings.HasPrefix(text, "```") || strings.HasPrefix(text, "~~~")) && strings.Trim(text, "`~") != ""
		switch line := d.firstLine(n) + i; {
		case nearBox.MatchString(text):
			found = append(found, d.strayCheck(line, text, in))
		case opens, isHeading && (h.level == 2 || h.ours()):
			found = append(found, astray{line,
				"the line is part of the HTML above it: expected an empty line between them" +
					orProse})
		}
	}
	return found
}

// element is the element that a comment is, if it is one. The comments <!-- prose --> are in the document's shields.
func (c comment) element() []any {
	word, text, fault := meaning(c.text)
	switch {
	case strings.Contains(c.text, "<!--"):
		return []any{astray{c.line, "the comment is not closed before the next one: expected -->"}}
	case fault != "":
		return []any{astray{c.line, fault}}
	case word != "" && !c.alone:
		return []any{astray{c.line, notAlone(word)}}
	case word == failWord || word == pointsWord:
		return []any{note{c.line, c.end, word, text}}
	}
	return nil
}

func notAlone(word string) string {
	return "the comment <!-- " + word + " … --> stands on a line of its own"
}

// inlineComments tells of comments with a meaning in the text of a paragraph.
func (d *document) inlineComments(n ast.Node) (found []any) {
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		raw, ok := n.(*ast.RawHTML)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		text := string(raw.Segments.Value(d.source))
		if isNote(text) {
			word, _, _ := meaning(strings.TrimSuffix(strings.TrimPrefix(text, "<!--"), "-->"))
			found = append(found, astray{d.lineAt(raw.Segments.At(0).Start), notAlone(word)})
		}
		return ast.WalkContinue, nil
	})
	return found
}

// isNote reports whether a text is a comment with a meaning, or nearly one.
func isNote(text string) bool {
	inner, begins := strings.CutPrefix(text, "<!--")
	inner, ends := strings.CutSuffix(inner, "-->")
	word, _, _ := meaning(inner)
	return begins && ends && word != ""
}

var commentWords = regexp.MustCompile(`(?s)^([\pL-]+)\s*([:=]?)\s*(.*)$`)

var number = regexp.MustCompile(`^[0-9]+$`)

// meaning is the word of a comment and the text behind it; a fault if it only looks like one. The word is "" if the
// comment is any other.
func meaning(inner string) (word, text, fault string) {
	m := commentWords.FindStringSubmatch(strings.Trim(inner, "- \t\n"))
	if m == nil {
		return "", "", ""
	}
	text = strings.Join(strings.Fields(m[3]), " ")
	names := []string{proseWord, failWord, pointsWord}
	exact := slices.Contains(names, m[1])
	switch {
	case m[1] == proseWord && m[2] == "" && text == "":
		return proseWord, "", ""
	case exact && m[1] != proseWord && m[2] == ":" && text != "":
		return m[1], text, ""
	}
	word, near := nearest.Word(m[1], names)
	switch {
	case !near:
		return "", "", ""
	case m[2] != "", text == "":
	case word == pointsWord && number.MatchString(text):
	case strings.EqualFold(m[1], failWord):
	default: // a sentence that begins with such a word
		return "", "", ""
	}
	right := map[string]string{proseWord: proseComment, failWord: "<!-- fail: words -->",
		pointsWord: "<!-- points: 3 -->"}
	return word, "", "the comment is written " + right[word] + ", found <!-- " +
		strings.Join(strings.Fields(inner), " ") + " -->"
}
