package sitting

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// Look is how a face shows lines.
type Look struct {
	Width  int // in columns
	Colour bool
	ASCII  bool
}

// mark is how a line begins, and the colour of that (term.Paint).
type mark struct{ text, ascii, colour string }

var (
	good = mark{"✓ ", "[x] ", "32"}
	bad  = mark{"✗ ", "[ ] ", "31"}
	tell = mark{"→ ", "> ", "33"}
	none = mark{}
)

// line is a mark, a text that is cut to the width, and an end that is not.
func (l Look) line(m mark, text, end string) string {
	begin, dots := m.text, "…"
	if l.ASCII {
		begin, dots = m.ascii, "..."
	}
	text = term.OneLine(text)
	text = term.Cut(text, max(l.Width-term.Width(begin)-term.Width(end), 1), dots)
	if l.Colour && m.colour != "" {
		begin = term.Paint(m.colour, begin)
	}
	return begin + text + end
}

// Lines are the news for the prompt: at most two lines, none of them wider than the look says, if that is 40 columns or
// more. If there is more to tell they are the most important: a check that fell back, an answer, what was reached, and
// last what changed. Names that came out of the sandbox are escaped.
func (n News) Lines(l Look) []string {
	var lines []string
	var gained, lost []Check
	for _, c := range n.Now {
		if c.Status == Holds {
			gained = append(gained, c)
		} else {
			lost = append(lost, c)
		}
	}
	if len(lost) > 0 {
		lines = append(lines, l.line(bad, "again: "+lost[0].Text, more(len(lost))+n.count()))
	}
	asked := n.Answer != nil && !n.StepDone
	switch {
	case asked && len(lost) > 0: // what was reached has no room
	case n.AllDone && n.Steps == 1:
		lines = append(lines, l.line(good, n.Title, " is done: that was all"))
	case n.AllDone:
		lines = append(lines, l.line(good, fmt.Sprintf("step %d: %s", n.Step, n.Title),
			fmt.Sprintf(" is done, and so are all %d", n.Steps)))
	case n.StepDone:
		lines = append(lines, l.line(good, fmt.Sprintf("step %d of %d: %s", n.Step, n.Steps, n.Title), " is done"))
	case len(gained) > 0:
		lines = append(lines, l.line(good, gained[0].Text, more(len(gained))+n.count()))
	}
	if asked {
		lines = append(lines, n.Answer.lines(l, 2-len(lines))...)
	}
	if len(n.Changed) > 0 && len(lines) < 2 {
		changed := l.line(none, n.Changed[0], more(len(n.Changed)))
		lines = append([]string{changed}, lines...)
	}
	return lines[:min(len(lines), 2)]
}

// Again is one of the Lines that were made for a wide terminal without colours, as another look shows it.
func (l Look) Again(line string) string {
	for _, m := range []mark{good, bad, tell} {
		if text, is := strings.CutPrefix(line, m.text); is {
			return l.line(m, text, "")
		}
	}
	return l.line(none, line, "")
}

// lines are the title, over as many lines as there may be. If that is not all of it, or if there is more to tell of a
// mistake, they say who does.
func (a *Answer) lines(l Look, most int) []string {
	begin := term.Width(tell.text)
	if l.ASCII {
		begin = term.Width(tell.ascii)
	}
	words := term.Fill(strings.Fields(term.OneLine(a.Title+a.more())), " ", max(l.Width-begin, 1))
	switch {
	case len(words) <= 1:
		return []string{l.line(tell, a.Title, a.more())}
	case len(words) > most && a.Text != "":
		return []string{l.line(tell, a.Title, why)}
	case len(words) > most:
		return []string{l.line(tell, a.Title, a.more())}
	}
	lines := []string{l.line(tell, words[0], "")}
	for _, rest := range words[1:] {
		lines = append(lines, l.line(mark{strings.Repeat(" ", begin), strings.Repeat(" ", begin), ""}, rest, ""))
	}
	return lines
}

// why is who tells more.
const why = ": lab why"

// more tells who can say more: of a mistake there is only the title.
func (a *Answer) more() string {
	if a.Kind == "mistake" {
		return why
	}
	return ""
}

// more tells how many there are after the first.
func more(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n-1)
}

// count is how many checks hold, as in (2 of 3).
func (n News) count() string { return fmt.Sprintf(" (%d of %d)", n.Holding, n.OutOf) }
