package page

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"netnscheck/harness/scenario"
)

// Part is what stands at one step of a scenario, as Markdown with the values of the variables.
type Part struct {
	// Before is what stands between the step before and this one, or before the first step: the introduction, and
	// sections that are prose. After the last step it is the rest of the page.
	Before string
	// Prose is the text of the step itself, without its heading.
	Prose string
}

// Step is the part for a step, counted from 0; len(sc.Steps) is the part after the last one. It has no title, no
// comments, and neither checks nor hints, which a lab shows apart from the text; that of a challenge has no commands.
// Mistakes are left out: a learner reads of one if he makes it. The scenario must have its Source.
func Step(sc *scenario.Scenario, i int, shown Shown) Part {
	l := linesOf(plainEnds(sc.Source))
	for _, s := range sc.Steps {
		l.hideAside(sc, &s.Section)
		l.hideOthers(s.Line, s.Blocks, shown, "")
		for _, m := range s.Mistakes {
			l.hide(m.Line, m.End)
		}
	}
	if sc.Setup != nil {
		l.hide(sc.Setup.Line, sc.Setup.End)
	}
	l.hide(1, l.frontMatter())
	l.hideMarkup()
	begin, end := 1, len(l)
	if i > 0 {
		begin = sc.Steps[i-1].End + 1
	}
	if i == len(sc.Steps) {
		return Part{Before: l.text(sc, begin, end)}
	}
	s := sc.Steps[i]
	return Part{Before: l.text(sc, begin, s.Line-1), Prose: l.text(sc, s.Line+1, s.End)}
}

// Shown reports whether a block is for the programs that the learner has; nil is for all blocks.
type Shown func(scenario.Block) bool

// Mistake is the text of a mistake, counted from 0 both, in the lesson's words: without its heading, its checks and
// comments.
func Mistake(sc *scenario.Scenario, step, mistake int, shown Shown) string {
	l := linesOf(plainEnds(sc.Source))
	m := sc.Steps[step].Mistakes[mistake]
	l.hideAside(sc, &m.Section)
	l.hideOthers(m.Line, m.Blocks, shown, "")
	l.hideOthers(m.Line, m.Fix, shown, " fix")
	if sc.Kind == scenario.Challenge {
		l.hideBlocks(m.Fix)
	}
	l.hide(1, l.frontMatter())
	l.hideMarkup()
	return l.text(sc, m.Line+1, m.End)
}

func plainEnds(source string) string {
	return strings.ReplaceAll(strings.TrimPrefix(source, "\ufeff"), "\r\n", "\n")
}

// hideAside hides what a lab shows apart from the text of a section, and the commands of a challenge. A colon that led
// to what is hidden becomes a full stop.
func (l lines) hideAside(sc *scenario.Scenario, s *scenario.Section) {
	gone := func(from, to int) {
		l.hide(from, to)
		l.closeColon(s.Line, from)
	}
	for _, c := range s.Checks {
		l.hide(c.Fail.Line, c.Fail.End)
		gone(c.Line, c.End)
	}
	for _, h := range s.Hints {
		gone(h.Line, h.End)
	}
	if sc.Kind == scenario.Challenge {
		for _, b := range s.Blocks {
			gone(b.Line, b.End)
		}
	}
}

// hideOthers hides the blocks that are not shown, and says no more of the others than that word.
func (l lines) hideOthers(heading int, blocks []scenario.Block, shown Shown, word string) {
	if shown == nil {
		return
	}
	for i, b := range blocks {
		if !shown(b) {
			l.hide(b.Line, b.End)
			if !l.another(b.End, blocks[i+1:], shown) {
				l.closeColon(heading, b.Line)
			}
			continue
		}
		l[b.Line-1] = only.ReplaceAllString(l[b.Line-1], "$1"+word)
	}
}

// another reports whether a block that is shown stands in the place of a hidden one, which ends there: nothing is
// between them but other hidden ones.
func (l lines) another(end int, blocks []scenario.Block, shown Shown) bool {
	for _, b := range blocks {
		if strings.TrimSpace(strings.Join(l[end:b.Line-1], "")) != "" {
			return false
		}
		if shown(b) {
			return true
		}
		end = b.End
	}
	return false
}

// only matches what the first line of a block says of drivers and versions.
var only = regexp.MustCompile("^(\\s*[`~]+\\s*console)[^\n]*")

// closeColon ends the sentence above a hidden line, if it ends with a colon and stands below the heading.
func (l lines) closeColon(heading, hidden int) {
	for i := hidden - 1; i > heading; i-- {
		line := strings.TrimRight(l[i-1], " \n")
		if line == "" {
			continue
		}
		if sentence, ok := strings.CutSuffix(line, ":"); ok {
			l[i-1] = sentence + ".\n"
		}
		return
	}
}

// hideMarkup hides comments and the title.
func (l lines) hideMarkup() {
	source := make([]byte, 0, len(l))
	var starts []int
	for _, line := range l {
		starts = append(starts, len(source))
		if line == "" { // hidden; what is below it must not continue what is above
			line = "\n"
		}
		source = append(source, line...)
	}
	lineOf := func(offset int) int {
		n := 0
		for n < len(starts) && starts[n] <= offset {
			n++
		}
		return n
	}
	doc := goldmark.DefaultParser().Parse(text.NewReader(source))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Lines().Len() == 0 {
			continue
		}
		first := lineOf(n.Lines().At(0).Start)
		last := lineOf(n.Lines().At(n.Lines().Len() - 1).Start)
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 {
				l.hide(first, last)
			}
		case *ast.HTMLBlock:
			if n.HTMLBlockType == ast.HTMLBlockType2 { // a comment
				if n.HasClosure() {
					last = lineOf(n.ClosureLine.Start)
				}
				l.hide(first, last)
			}
		}
	}
}

// text are lines, counted from 1 and both included, without the blank ones at both ends. Hidden ones leave one blank
// line, so that what is above them does not run into what is below.
func (l lines) text(sc *scenario.Scenario, from, to int) string {
	var b strings.Builder
	blank, gap := true, false // what was written last
	for i := from; i <= min(to, len(l)); i++ {
		line := l[i-1]
		empty := strings.TrimSpace(line) == ""
		gap = line == "" || gap && empty
		switch {
		case gap && blank:
			continue
		case gap:
			line = "\n"
		}
		b.WriteString(line)
		blank = empty
	}
	return WithValues(sc, strings.Trim(b.String(), "\n"))
}
