package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/term"
)

// sheet is a page of findings for people. In a terminal it is as wide as that and wraps what is longer; elsewhere lines stay whole.
type sheet struct {
	out   io.Writer
	width int // 0 for no limit
	err   error
}

func newSheet(out io.Writer) *sheet {
	s := &sheet{out: out}
	if isTerminal(os.Stdout) {
		s.width = terminalColumns()
	}
	return s
}

// line writes a text behind a label; its further lines stand below its first.
func (s *sheet) line(label, text string) {
	indent := strings.Repeat(" ", term.Width(label))
	for i, part := range s.wrap(text, term.Width(label)) {
		if i > 0 {
			label = indent
		}
		if _, err := fmt.Fprintln(s.out, strings.TrimRight(label+part, " ")); err != nil && s.err == nil {
			s.err = err
		}
	}
}

// verbatim writes a command, which is to be copied and therefore never wrapped.
func (s *sheet) verbatim(label, text string) {
	if _, err := fmt.Fprintln(s.out, label+text); err != nil && s.err == nil {
		s.err = err
	}
}

// wrap breaks a text at blanks where it does not fit behind an indentation.
func (s *sheet) wrap(text string, indent int) []string {
	if s.width == 0 {
		return []string{text}
	}
	return term.Wrap(text, max(s.width-indent, 20))
}

func (j *judgement) print(s *sheet) error {
	if j.survey != nil {
		j.printReview(s)
	} else {
		j.printReport(s)
	}
	return s.err
}

func (j *judgement) printReport(s *sheet) {
	r := j.report
	s.line("", headline(r))
	printPath(s, r.Path)
	if c := r.Cause; c != nil {
		s.line("", "")
		printCause(s, c)
	}
	printKinds(s, "also      ", r.Also, 4)
	if p := j.probed; p != nil {
		s.line("probe     ", p.Found)
		if p.contradicts(r) {
			s.line("          ", "that is not what the state says: the diagnosis is wrong, or something changed meanwhile")
		}
	}
	for _, d := range r.Doubts {
		s.line("in doubt  ", d)
	}
	if r.Cause != nil {
		s.verbatim("more      ", "harness explain "+r.Cause.Name)
	}
}

// headline is the answer in a sentence.
func headline(r *diagnose.Report) string {
	what := r.To.String()
	if r.Source.IsValid() {
		what += " from " + r.Source.String()
	}
	switch {
	case r.Port != 0:
		what += fmt.Sprintf(" on TCP port %d", r.Port)
	case r.Size != 0:
		what += fmt.Sprintf(" with %d bytes of data", r.Size)
	}
	switch {
	case r.Cause != nil && r.Cause.Part:
		return r.From + " reaches " + what + " with a part of its flows alone"
	case r.Cause != nil && r.Cause.Reply:
		return r.From + " reaches " + what + ", but the reply does not come back"
	case r.Cause != nil:
		return r.From + " does not reach " + what
	case len(r.Doubts) > 0 && len(r.Path) == 0:
		return "whether " + r.From + " reaches " + what + " could not be judged"
	case len(r.Doubts) > 0:
		return "whether " + r.From + " reaches " + what + " could not be judged; as far as is known nothing is wrong"
	}
	return "nothing keeps " + r.From + " from reaching " + what
}

// printPath shows the stations in columns; a long way is shortened in its middle.
func printPath(s *sheet, path []diagnose.Hop) {
	places := make([]string, len(path))
	widest := 0
	for i, h := range path {
		places[i] = h.Netns
		if h.Link != "" {
			places[i] += "  " + h.Link
		}
		widest = max(widest, term.Width(places[i]))
	}
	const shown = 12
	for i, h := range path {
		if len(path) > shown && i >= shown/2 && i < len(path)-shown/2 {
			if i == shown/2 {
				s.line("     ", fmt.Sprintf("… %d more stations", len(path)-shown))
			}
			continue
		}
		way := "  -> "
		if h.Reply {
			way = "  <- "
		}
		decision := h.Decision
		if h.Stop {
			way, decision = "  ×  ", decision+" (stopped here)"
		}
		s.line(way+term.Pad(places[i], widest)+"  ", decision)
	}
}

func printCause(s *sheet, c *diagnose.Cause) {
	name := c.Name
	if c.Reply {
		name += " (on the way back)"
	}
	s.verbatim("cause     ", name+": "+c.Place())
	s.line("          ", c.Says)
	for i, e := range c.Evidence {
		s.line(labelled("evidence  ", i), e)
	}
	for i, command := range c.Repair {
		s.verbatim(labelled("repair    ", i), command)
	}
	for i, line := range c.Advice {
		s.verbatim(labelled("advice    ", i), line)
	}
}

// labelled is the label of the first line of several, and blanks for the others.
func labelled(label string, i int) string {
	if i > 0 {
		return strings.Repeat(" ", len(label))
	}
	return label
}

// printKinds lists in few lines what else there is: each kind in one, and no more than so many kinds.
func printKinds(s *sheet, label string, causes []diagnose.Cause, kinds int) {
	var names []string
	places := map[string][]string{}
	for i := range causes {
		c := &causes[i]
		if places[c.Name] == nil {
			names = append(names, c.Name)
		}
		places[c.Name] = append(places[c.Name], c.Place())
	}
	for i, name := range names {
		if i == kinds {
			s.line(labelled(label, i), fmt.Sprintf("and %d kinds more: harness diagnose", len(names)-kinds))
			break
		}
		at, more := places[name], ""
		if len(at) > placesShown {
			at, more = at[:placesShown], fmt.Sprintf(", … (%d)", len(at))
		}
		s.line(labelled(label, i), name+": "+strings.Join(at, ", ")+more)
	}
}

// placesShown is how many places of one kind are named in a line.
const placesShown = 3

func (j *judgement) printReview(s *sheet) {
	var alarms, notes []diagnose.Cause
	for _, c := range j.survey.Causes {
		if c.Remark() {
			notes = append(notes, c)
		} else {
			alarms = append(alarms, c)
		}
	}
	switch {
	case len(alarms) == 0 && len(j.survey.Unread) > 0:
		s.line("", "nothing looks wrong in what could be read")
	case len(alarms) == 0:
		s.line("", "nothing looks wrong")
	}
	for i := range alarms {
		if i > 0 {
			s.line("", "")
		}
		printCause(s, &alarms[i])
	}
	if len(notes) > 0 && len(alarms) > 0 {
		s.line("", "")
	}
	printKinds(s, "remark    ", notes, len(notes))
	for i, u := range j.survey.Unread {
		s.line(labelled("not read  ", i), u)
	}
}
