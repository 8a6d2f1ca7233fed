package face

import (
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// mark is how a line begins, and its colour. Marks differ without colour, too.
type mark struct{ text, ascii, paint string }

var (
	done  = mark{"✓ ", "[x] ", "32"}
	open  = mark{"· ", "[ ] ", ""}
	lost  = mark{"✗ ", "[!] ", "31"}
	apart = mark{"? ", "[?] ", "33"} // could not be judged
	tell  = mark{"→ ", "->  ", "33"}
)

// Looks, as term.Paint takes them.
const (
	bold = "1"
	cyan = "36"
)

func (m mark) of(l sitting.Look) string {
	if l.ASCII {
		return m.ascii
	}
	return m.text
}

// markOf is the mark of a check. One that was not judged yet is open.
func markOf(c sitting.Check) mark {
	switch {
	case c.Status == sitting.Holds:
		return done
	case c.Status == sitting.Lost:
		return lost
	case c.Status == sitting.Undecided && c.Found != "":
		return apart
	}
	return open
}

// OnlyLooks is what a learner does at a step whose checks hold before its commands, too; "" at any other.
func OnlyLooks(v sitting.View) string {
	switch {
	case !v.Looks:
		return ""
	case v.Kind == scenario.Challenge:
		return "This step only looks: look around, or go on with `lab next`."
	}
	return "This step only looks: run its commands, or go on with `lab next`."
}

// Checks are the checks of the current step, each with what is there instead if it does not hold.
func Checks(v sitting.View, l sitting.Look) []string {
	if v.Step < 1 || v.Step > len(v.Steps) {
		return nil
	}
	var lines []string
	for _, c := range v.Steps[v.Step-1].Checks {
		lines = append(lines, Check(c, l)...)
	}
	if says := OnlyLooks(v); says != "" {
		lines = append(lines, hanging(l, tell.of(l), tell.paint, strings.Fields(says), "")...)
	}
	return lines
}

// Check is one check: its sentence, what is there instead, and the author's own word.
func Check(c sitting.Check, l sitting.Look) []string {
	m := markOf(c)
	words := sentence(c.Text, l)
	if c.Status == sitting.Lost {
		words = append([]string{"no", "longer:"}, words...)
	}
	lines := hanging(l, m.of(l), m.paint, words, "")
	if c.Status == sitting.Holds {
		return lines
	}
	blank := strings.Repeat(" ", term.Width(m.of(l))+2)
	if c.Found != "" {
		begin := "found: "
		if c.Status == sitting.Undecided {
			begin = "not judged: "
		}
		lines = append(lines, hanging(l, blank, "", strings.Fields(begin+term.Brief(c.Found)), "")...)
	}
	return append(lines, indented(l, 2, c.Fail)...)
}

// sentence are the words of a check. A code span has its colour, or else its backquotes.
func sentence(text string, l sitting.Look) []string {
	words := strings.Fields(term.Brief(text))
	if !l.Colour {
		return words
	}
	code := false
	for i, word := range words {
		var shown strings.Builder
		for k, part := range strings.Split(word, "`") {
			if k > 0 {
				code = !code
			}
			if code {
				part = paint(l, cyan, part)
			}
			shown.WriteString(part)
		}
		words[i] = shown.String()
	}
	return words
}

// least is the least width that is heeded.
const least = 20

// hanging fills lines with words behind a beginning, indented by its width where they wrap.
func hanging(l sitting.Look, begin, look string, words []string, wordsLook string) []string {
	room := term.Width(begin)
	lines := term.Fill(words, " ", max(l.Width, least)-room)
	for i, line := range lines {
		line = paint(l, wordsLook, line)
		if i == 0 {
			line = paint(l, look, begin) + line
		} else {
			line = strings.Repeat(" ", room) + line
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

func paint(l sitting.Look, look, text string) string {
	if !l.Colour || look == "" || text == "" {
		return text
	}
	return term.Paint(look, text)
}
