package reports

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// fillTexts sets every string of a value to a text, and gives every slice one element.
func fillTexts(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillTexts(v.Index(0), text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillTexts(v.Field(i), text)
			}
		}
	}
}

// looks are the console's own escape sequences.
var looks = regexp.MustCompile("\x1b\\[(0|2|31|32|33)m")

// FuzzConsole: whatever the texts of a run are, the console sends nothing to a terminal but printable characters and
// its own escape sequences, and no line that a CI runner takes for a command.
func FuzzConsole(f *testing.F) {
	f.Add("\x1b[31m\u202e\n::error::x", "\n ##[group]\xff")
	f.Add("a\x1b[0m\u009b2J", "::stop-commands::x\r\n")
	f.Fuzz(func(t *testing.T, text, other string) {
		r := &Run{}
		fillTexts(reflect.ValueOf(r).Elem(), text)
		s := &r.Suites[0]
		c := s.Cases[0]
		fillTexts(reflect.ValueOf(&c.SectionResult).Elem(), other)
		s.Cases = append(s.Cases, c)
		for i, outcome := range []scenario.Outcome{scenario.Fail, scenario.Skip} {
			s.Cases[i].Outcome, s.Cases[i].Duration = outcome, 1
		}
		var out, progress strings.Builder
		o := Console{Out: term.NewWriter(&out, true).Painted(), Color: true, Options: Options{
			Verbosity: Verbose, Progress: &progress, Slowest: 2, Files: []string{text},
		}}
		o.Plan(r.Suites)
		for i := range s.Cases {
			o.Begin(s, &s.Cases[i])
			o.End(s, &s.Cases[i])
		}
		o.Say("%s", text)
		o.Finish(r)

		shown := looks.ReplaceAllString(out.String(), "")
		if term.Printable(shown) != shown {
			t.Errorf("%q is sent to the terminal", shown)
		}
		if strings.Count(out.String(), "\x1b[0m")*2 != strings.Count(out.String(), "\x1b[") {
			t.Errorf("an escape sequence comes from a text: %q", out.String())
		}
		for _, line := range strings.Split(shown, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				t.Errorf("a CI runner takes %q for a command", line)
			}
		}
		count := strings.ReplaceAll(progress.String(), "\r\x1b[K", "")
		if term.OneLine(count) != count {
			t.Errorf("%q is sent to the terminal while the cases are counted", count)
		}
	})
}

// TestConsoleColumns: the columns are aligned, whatever characters the names have.
func TestConsoleColumns(t *testing.T) {
	suites := []Suite{
		{ID: "plain-name", Driver: "netlink", Cases: []Case{{Name: "@"}}},
		{ID: "世界", Driver: "netlink", Cases: []Case{{Name: "@"}}},
		{ID: "u\u0308ber", Driver: "netlink", Cases: []Case{{Name: "@"}}},
	}
	var out, progress strings.Builder
	o := Console{Out: &out, Options: Options{Progress: &progress}}
	o.Plan(suites)
	for i := range suites {
		o.End(&suites[i], &suites[i].Cases[0])
	}
	at := -1
	for line := range strings.Lines(out.String()) {
		before, _, _ := strings.Cut(line, "@")
		if at >= 0 && term.Width(before) != at {
			t.Errorf("the names of the cases are not aligned:\n%s", out.String())
		}
		at = term.Width(before)
	}
	// Half of a wide character does not fit into the 76th column.
	o.Begin(&suites[1], &Case{Name: strings.Repeat("世界", 40)})
	if got := progress.String(); term.Width(got) != 75 || !strings.HasSuffix(got, "世…") {
		t.Errorf("the count takes %d columns: %q", term.Width(got), got)
	}
}

// TestConsoleHeedsTheTerminal: on a terminal a case is wrapped to the width, elsewhere it is one line.
func TestConsoleHeedsTheTerminal(t *testing.T) {
	suite := Suite{ID: "veth-pair", Driver: "netlink",
		Cases: []Case{{Name: "Connect two namespaces by a pair / Mistake: both ends in one of them"}}}
	suite.Cases[0].Outcome, suite.Cases[0].Reason = scenario.Skip,
		"the program busybox is not installed here (package busybox), and nothing else does it"
	for columns, want := range map[int]string{
		0: "skip     veth-pair  netlink   Connect two namespaces by a pair / Mistake: both ends in one of them  " +
			"(under 1 ms)\n" +
			"         the program busybox is not installed here (package busybox), and nothing else does it\n",
		60: `skip     veth-pair  netlink   Connect two namespaces by a
                              pair / Mistake: both ends in
                              one of them  (under 1 ms)
         the program busybox is not installed here (package
         busybox), and nothing else does it
`,
	} {
		var out, progress strings.Builder
		o := Console{Out: &out, Options: Options{Columns: columns, Progress: &progress}}
		o.Plan([]Suite{suite})
		o.Begin(&suite, &suite.Cases[0])
		if n := term.Width(progress.String()); columns > 0 && n >= columns {
			t.Errorf("the count takes %d columns of %d", n, columns)
		}
		o.End(&suite, &suite.Cases[0])
		if out.String() != want {
			t.Errorf("in %d columns: got\n%s\nwant\n%s", columns, out.String(), want)
		}
	}
}
