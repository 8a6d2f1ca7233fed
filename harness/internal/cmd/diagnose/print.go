package diagnose

import (
	"fmt"
	"strings"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/term"
)

func (j *judgement) print(s *screen.Sheet) error {
	if j.survey != nil {
		j.printReview(s)
	} else {
		j.printReport(s)
	}
	return s.Err()
}

func (j *judgement) printReport(s *screen.Sheet) {
	r := j.report
	if j.contradicted() {
		s.Line("", "the probe contradicts this: "+j.probed.Found+". What follows is wrong, or something has changed "+
			"meanwhile")
		s.Line("", "")
	}
	s.Line("", r.Headline())
	printPath(s, r.Path)
	if c := r.Cause; c != nil {
		s.Line("", "")
		printCause(s, "cause     ", c)
	}
	for i, c := range r.Then {
		printCause(s, screen.Once("then      ", i), c)
	}
	printKinds(s, "also      ", r.Also, 4)
	if p := j.probed; p != nil {
		s.Line("probe     ", p.Found)
	}
	if j.traced != nil {
		j.traced.print(s)
	}
	for _, d := range r.Doubts {
		s.Line("in doubt  ", d)
	}
	if r.Cause != nil {
		s.Verbatim("more      ", "harness explain "+r.Cause.Name.String())
	}
}

// printPath prints the hops in columns; a long path is shortened in the middle.
func printPath(s *screen.Sheet, path []diagnose.Hop) {
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
				s.Line("     ", fmt.Sprintf("%s %d more hops", s.Mark("…", "..."), len(path)-shown))
			}
			continue
		}
		way := "  -> "
		if h.Reply {
			way = "  <- "
		}
		decision := h.Decision
		if h.Stop {
			way, decision = "  "+s.Mark("×", "x")+"  ", decision+" (stopped here)"
		}
		s.Line(way+term.Pad(places[i], widest)+"  ", decision)
	}
}

func printCause(s *screen.Sheet, label string, c *diagnose.Cause) {
	name := c.Name.String()
	if c.Reply && c.Name != causes.ProxyOff { // who does not answer for an address is in the way of both
		name += " (on the way back)"
	}
	s.Verbatim(label, name+": "+c.Place())
	s.Line("          ", c.Says)
	for i, e := range c.Evidence {
		s.Line(screen.Once("evidence  ", i), e)
	}
	for i, command := range c.Repair {
		s.Verbatim(screen.Once("repair    ", i), command)
	}
	for i, line := range c.Advice {
		s.Verbatim(screen.Once("advice    ", i), line)
	}
}

// printKinds lists other causes, one line for each kind, and at most so many kinds.
func printKinds(s *screen.Sheet, label string, found []diagnose.Cause, kinds int) {
	var names []causes.Cause
	places := map[causes.Cause][]string{}
	for i := range found {
		c := &found[i]
		if places[c.Name] == nil {
			names = append(names, c.Name)
		}
		places[c.Name] = append(places[c.Name], c.Place())
	}
	for i, name := range names {
		if i == kinds {
			s.Line(screen.Once(label, i), fmt.Sprintf("and %d more kinds: harness diagnose", len(names)-kinds))
			break
		}
		at, more := places[name], ""
		if len(at) > placesShown {
			at, more = at[:placesShown], fmt.Sprintf(", %s (%d)", s.Mark("…", "..."), len(at))
		}
		s.Line(screen.Once(label, i), name.String()+": "+strings.Join(at, ", ")+more)
	}
}

// placesShown is how many places of a kind are listed.
const placesShown = 3

func (j *judgement) printReview(s *screen.Sheet) {
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
		s.Line("", "nothing looks wrong in what could be read")
	case len(alarms) == 0:
		s.Line("", "nothing looks wrong")
	}
	for i := range alarms {
		if i > 0 {
			s.Line("", "")
		}
		printCause(s, "cause     ", &alarms[i])
	}
	if len(notes) > 0 && len(alarms) > 0 {
		s.Line("", "")
	}
	printKinds(s, "remark    ", notes, len(notes))
	for i, u := range j.survey.Unread {
		s.Line(screen.Once("not read  ", i), u)
	}
}
