package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// everybody asks of each namespace whether it reaches each other one, and makes all texts printable.
func everybody(s *state.State) *diagnose.Matrix {
	m := diagnose.Everybody(s)
	for i := range m.Places {
		m.Places[i].Netns = term.OneLine(m.Places[i].Netns)
	}
	for _, o := range m.Obstacles {
		showableCause(o.Cause)
		showablePairs(o.Pairs)
	}
	showablePairs(m.Doubts)
	showableAll(m.Nowhere)
	showableAll(m.Unread)
	return &m
}

func showablePairs(all []diagnose.Pair) {
	for i := range all {
		all[i].From, all[i].To = term.OneLine(all[i].From), term.OneLine(all[i].To)
	}
}

func (o *options) matrixOf(s *state.State) error {
	m := everybody(s)
	var err error
	if o.json {
		err = o.screen.Document(1, m)
	} else {
		err = o.printMatrix(m)
	}
	if err != nil {
		return err
	}
	switch m.Outcome() {
	case diagnose.Faulty:
		return &status.Error{Status: status.Failed}
	case diagnose.Unsure:
		return &status.Error{Status: status.Cannot}
	}
	return nil
}

// printMatrix prints the table, with a letter for each obstacle, and then what the letters stand for.
func (o *options) printMatrix(m *diagnose.Matrix) error {
	s := o.screen.Sheet()
	pairs, stopped := len(m.Places)*(len(m.Places)-1), 0
	for _, o := range m.Obstacles {
		stopped += len(o.Pairs)
	}
	switch {
	case len(m.Places) < 2:
		s.Line("", "fewer than two namespaces have an address")
	case stopped+len(m.Doubts)+len(m.Unread) == 0:
		s.Line("", fmt.Sprintf("each of the %d namespaces reaches every other one", len(m.Places)))
	default:
		s.Line("", fmt.Sprintf("of %s the first reaches the second in %d, does not in %d, and is in doubt in %d",
			term.Count(pairs, "pair"), pairs-stopped-len(m.Doubts), stopped, len(m.Doubts)))
	}
	if len(m.Places) > 1 {
		s.Line("", "")
		o.printTable(s, m)
	}
	for i, o := range m.Obstacles {
		s.Line("", "")
		s.Line(term.Pad(letters(i), 10), fmt.Sprintf("%s, for example %s to %s:",
			term.Count(len(o.Pairs), "pair"), o.Pairs[0].From, o.Pairs[0].To))
		printCause(s, "cause     ", o.Cause)
	}
	if len(m.Doubts) > 0 {
		p := m.Doubts[0]
		s.Line("", "")
		s.Line("in doubt  ", fmt.Sprintf("%s, such as %s to %s; harness diagnose says why:",
			term.Count(len(m.Doubts), "pair"), p.From, p.To))
		s.Verbatim("          ", o.screen.Type(o.asks(p.From, addressIn(m, p.To))))
	}
	if len(m.Nowhere) > 0 {
		s.Line("", "")
		s.Line("left out  ", "without an address: "+strings.Join(m.Nowhere, ", "))
	}
	for i, u := range m.Unread {
		s.Line(screen.Once("not read  ", i), u)
	}
	return s.Err()
}

// asks are the words that ask of one pair what was asked of all.
func (o *options) asks(from, to string) string {
	command := "diagnose"
	pid, process := strings.CutPrefix(from, "pid:")
	switch {
	case o.stateFile != "":
		command += " --state " + words.Quoted(o.stateFile) + " --from " + words.Quoted(from)
	case process:
		command += " --from-pid " + pid
	default:
		command += " --from " + words.Quoted(from)
	}
	if o.all {
		command += " --all"
	}
	return command + " --to " + to
}

// addressIn is the address that is asked about of a namespace.
func addressIn(m *diagnose.Matrix, netns string) string {
	i := slices.IndexFunc(m.Places, func(p diagnose.Place) bool { return p.Netns == netns })
	return m.Places[i].Address.String()
}

// printTable prints a row for each sender and a column for each destination.
func (o *options) printTable(s *screen.Sheet, m *diagnose.Matrix) {
	at := map[diagnose.Pair]string{}
	for i, o := range m.Obstacles {
		for _, p := range o.Pairs {
			at[p] = letters(i)
		}
	}
	for _, p := range m.Doubts {
		at[p] = "?"
	}
	digits, names, addresses := len(strconv.Itoa(len(m.Places))), 0, 0
	for _, p := range m.Places {
		names, addresses = max(names, term.Width(p.Netns)), max(addresses, len(p.Address.String()))
	}
	wide := max(digits, len(letters(len(m.Obstacles)-1)))
	if needs := digits + names + addresses + 3 + len(m.Places)*(1+wide); o.screen.Terminal && needs > o.screen.Columns {
		s.Line("", fmt.Sprintf("the table has %d columns, more than this screen; it goes into a file (> FILE), and --json "+
			"lists the pairs", needs))
		return
	}
	head := strings.Repeat(" ", digits+names+addresses+3)
	for i := range m.Places {
		head += " " + right(strconv.Itoa(i+1), wide)
	}
	s.Verbatim("", head)
	for i, from := range m.Places {
		row := fmt.Sprintf("%*d %s %s ", digits, i+1, term.Pad(from.Netns, names),
			term.Pad(from.Address.String(), addresses))
		for _, to := range m.Places {
			cell := s.Mark("✓", "+")
			if found, ok := at[diagnose.Pair{From: from.Netns, To: to.Netns}]; ok {
				cell = found
			} else if from == to {
				cell = s.Mark("·", ".")
			}
			row += " " + right(cell, wide)
		}
		s.Verbatim("", row)
	}
}

// right is a text at the right of so many columns.
func right(text string, width int) string {
	return strings.Repeat(" ", max(width-term.Width(text), 0)) + text
}

// letters are the name of an obstacle: a to z, then aa, ab, …
func letters(i int) string {
	if i < 0 {
		return ""
	}
	return letters(i/26-1) + string(rune('a'+i%26))
}
