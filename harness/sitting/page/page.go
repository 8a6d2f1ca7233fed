// Package page is the one rule about what a learner may read of a scenario: the whole page, as `harness show` prints
// it, or one step at a time, as a lab shows it. It is pure: anybody may import it, and it never touches the kernel, the
// file system or a terminal.
package page

import (
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
)

// Text is the Markdown of a scenario's file. Of a challenge it is what a learner may see, unless solution is set.
// Variables keep their names; see WithValues.
func Text(sc *scenario.Scenario, solution bool) string {
	if sc.Kind == scenario.Challenge && !solution {
		return withoutSolution(sc)
	}
	return sc.Source
}

// WithValues is a text of a scenario with the values of its variables in place of their names.
func WithValues(sc *scenario.Scenario, text string) string {
	var pairs []string
	for _, v := range sc.Vars {
		pairs = append(pairs, "{{"+v.Name+"}}", v.Value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// withoutSolution is the text of a challenge for a learner: without the set-up and without the commands, which are the
// solution. Checks become plain items, because a ticked box, for what holds from the start, would tell what is not
// broken.
func withoutSolution(sc *scenario.Scenario) string {
	l := linesOf(sc.Source)
	section := func(s *scenario.Section) {
		l.hideBlocks(s.Blocks)
		for _, c := range s.Checks {
			l.hide(c.Fail.Line, c.Fail.End) // it may tell what the check expects
			l[c.Line-1] = box.ReplaceAllString(l[c.Line-1], "$1")
		}
	}
	if len(sc.Vars) > 0 { // the front matter tells what a seed may have chosen
		l.hide(1, l.frontMatter())
	}
	if sc.Setup != nil {
		l.hide(sc.Setup.Line, sc.Setup.End)
	}
	for i := range sc.Steps {
		section(&sc.Steps[i].Section)
		for _, m := range sc.Steps[i].Mistakes {
			section(&m.Section)
			l.hideBlocks(m.Fix)
		}
	}
	return strings.Join(l, "")
}

// box matches the bullet and the box of a task-list item.
var box = regexp.MustCompile(`^(\s*(?:[-*+]|\d+[.)])\s+)\[[ \txX]\]\s+`)

// lines are the lines of a text with their ends, hidden ones empty.
type lines []string

func linesOf(text string) lines { return strings.SplitAfter(text, "\n") }

// hide empties lines, counted from 1, both included.
func (l lines) hide(from, to int) {
	for i := max(from, 1); i <= min(to, len(l)); i++ {
		l[i-1] = ""
	}
}

func (l lines) hideBlocks(blocks []scenario.Block) {
	for _, b := range blocks {
		l.hide(b.Line, b.End)
	}
}

// frontMatter is the last line of the front matter, 0 if there is none.
func (l lines) frontMatter() int {
	fence := func(line string) bool { return strings.TrimSpace(line) == "---" }
	if !fence(strings.TrimPrefix(l[0], "\ufeff")) {
		return 0
	}
	return 2 + slices.IndexFunc(l[1:], fence)
}
