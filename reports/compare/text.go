package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// Text is the comparison for people, in lines of at most so many columns.
func (c *Comparison) Text(columns int) string {
	t := &text{columns: columns}
	t.line("", "old: "+c.Old.words())
	t.line("", "new: "+c.New.words())
	for _, f := range c.Properties {
		t.line("", fmt.Sprintf("%s: %s → %s", term.OneLine(f.Name), f.was(), f.is()))
	}
	for _, kind := range Kinds {
		t.kind(c, kind)
	}
	t.b.WriteByte('\n')
	for _, line := range c.Time.words() {
		t.line("", line)
	}
	t.line("", c.Verdict())
	return t.b.String()
}

// Verdict is the comparison in a sentence.
func (c *Comparison) Verdict() string {
	text := "no regression"
	if c.Regressions > 0 {
		text = term.Count(c.Regressions, "regression")
		var parts []string
		for _, kind := range Kinds {
			if n := len(c.Of(kind)); n > 0 && kind.Regression() {
				parts = append(parts, fmt.Sprintf("%d %s", n, kind))
			}
		}
		text += ": " + strings.Join(parts, ", ")
	}
	if c.StillFailing > 0 {
		text += fmt.Sprintf("; %d failed before and still fail", c.StillFailing)
	}
	return text
}

// words are the files of a side and its outcomes.
func (s *Side) words() string {
	files := term.OneLine(s.Files[0])
	if n := len(s.Files); n > 1 {
		files += fmt.Sprintf(" and %d more", n-1)
	}
	var n int
	var parts []string
	for _, o := range slices.Backward(scenario.Outcomes) {
		if s.Outcomes[o] > 0 {
			n += s.Outcomes[o]
			parts = append(parts, fmt.Sprintf("%d %s", s.Outcomes[o], o))
		}
	}
	return fmt.Sprintf("%s (%s: %s)", files, term.Count(n, "case"), strings.Join(parts, ", "))
}

func (f *Fact) was() string { return present(f.Old) }
func (f *Fact) is() string  { return present(f.New) }

func present(value string) string {
	if value == "" {
		return "not told"
	}
	return term.OneLine(value)
}

// text is what is written so far.
type text struct {
	columns int
	b       strings.Builder
}

// line writes a line behind a label; what does not fit goes on below, a little further in.
func (t *text) line(label, line string) {
	for i, part := range term.Wrap(line, max(t.columns-term.Width(label)-2, 20)) {
		if i == 1 {
			label = strings.Repeat(" ", term.Width(label)+2)
		}
		t.b.WriteString(label + part + "\n")
	}
}

// kind writes the changes of a kind.
func (t *text) kind(c *Comparison, kind Kind) {
	all := c.Of(kind)
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(&t.b, "\n%s (%d)\n", kind, len(all))
	groups, more := alike(all, c.sizes, mostLines)
	for _, g := range groups {
		for _, name := range g.names {
			t.line("  ", name)
		}
		if g.said != "" {
			t.line("      ", g.said)
		}
	}
	if more > 0 {
		t.line("  ", fmt.Sprintf("and %d more, which the JSON form has", more))
	}
}

// mostLines is how many cases and suites of a kind are named.
const mostLines = 40

// group are cases of which the same is said.
type group struct {
	said  string
	names []string // of cases, or of suites of which all cases are meant
}

// alike puts changes of one kind together of which the same is said, and names so many cases and suites; more is the
// number of the others. sizes are the numbers of cases of the suites.
func alike(all []Change, sizes map[string]int, room int) (groups []group, more int) {
	var order []string
	members := map[string][]Change{}
	for _, c := range all {
		said := c.said()
		if members[said] == nil {
			order = append(order, said)
		}
		members[said] = append(members[said], c)
	}
	for _, said := range order {
		names := named(members[said], sizes)
		n := min(len(names), room)
		if room, more = room-n, more+len(names)-n; n > 0 {
			groups = append(groups, group{said, names[:n]})
		}
	}
	return groups, more
}

// named names cases, those of a whole suite by the suite.
func named(all []Change, sizes map[string]int) (names []string) {
	for len(all) > 0 {
		suite := all[0].Suite
		n := slices.IndexFunc(all, func(c Change) bool { return c.Suite != suite })
		if n < 0 {
			n = len(all)
		}
		if n > 1 && n == sizes[suite] {
			names = append(names, fmt.Sprintf("%s  all %d cases", term.OneLine(suite), n))
		} else {
			for _, c := range all[:n] {
				names = append(names, term.OneLine(suite)+"  "+term.Brief(c.Case))
			}
		}
		all = all[n:]
	}
	return names
}

// said is what there is to say of a change, apart from its case: the outcomes, where, and the reason.
func (c *Change) said() string {
	switch {
	case c.Nearest != nil && c.Nearest.Suite == c.Suite:
		return fmt.Sprintf("renamed? “%s” is new", term.Brief(c.Nearest.Case))
	case c.Nearest != nil:
		return fmt.Sprintf("renamed? %s is new", term.OneLine(c.Nearest.Suite))
	case c.Kind == Gone:
		return ""
	}
	said := string(c.New)
	if c.Old != "" {
		said = fmt.Sprintf("%s → %s", c.Old, c.New)
	}
	if c.Reason == "" {
		return term.OneLine(said)
	}
	if said += ": "; c.File != "" && failing(c.New) {
		said += fmt.Sprintf("%s:%d: ", c.File, c.Line)
	}
	return term.OneLine(said) + term.Brief(c.Reason)
}

// mostPaces is how many cases are named that take longer, or less.
const mostPaces = 10

// words say what can be said about time.
func (t *Time) words() (lines []string) {
	repeats := fmt.Sprintf("%d and %d reports", t.Old, t.New)
	switch {
	case t.Cases == 0:
		return []string{"time: nothing can be said: no case passed in every report"}
	case min(t.Old, t.New) < t.NeedForAll:
		return []string{fmt.Sprintf("time: nothing can be said from %s; it takes %d of each for all cases together, %d "+
			"for a single one", repeats, t.NeedForAll, t.NeedForOne)}
	case t.All == nil:
		lines = append(lines, fmt.Sprintf("time: all cases together take as long as before, from %s", repeats))
	default:
		lines = append(lines, "time: all cases together take "+t.All.words())
	}
	if min(t.Old, t.New) < t.NeedForOne {
		lines = append(lines, fmt.Sprintf("  for a single one of %s it takes %d reports of each",
			term.Count(t.Cases, "case"), t.NeedForOne))
	}
	for _, part := range []struct {
		word  string
		paces []Paces
	}{{"slower", t.Slower}, {"faster", t.Faster}} {
		for i, p := range part.paces {
			if i == mostPaces {
				lines = append(lines, fmt.Sprintf("  %s: %d more", part.word, len(part.paces)-i))
				break
			}
			lines = append(lines, fmt.Sprintf("  %s: %s  %s: %s", part.word, term.OneLine(p.Suite), term.Brief(p.Case),
				p.words()))
		}
	}
	return lines
}

func (p *Paces) words() string {
	return fmt.Sprintf("%s → %s (%+.0f %%, p=%.3g)", short(p.Old), short(p.New), 100*(p.Ratio()-1), p.P)
}

// short is a duration of three digits.
func short(d time.Duration) string {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}
