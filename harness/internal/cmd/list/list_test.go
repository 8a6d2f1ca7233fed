package list

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/term"
)

func call(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := Command(screen.Plain(&out, &out, false))
	c.SetArgs(args)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestTheTableHeedsTheScreen: it is no wider than the terminal, or 80 columns elsewhere, and lists everything, one line
// for each scenario.
func TestTheTableHeedsTheScreen(t *testing.T) {
	all, err := listing()
	if err != nil {
		t.Fatal(err)
	}
	for _, columns := range []int{0, 40, 80, 300} {
		var out bytes.Buffer
		s := screen.Plain(&out, &out, false)
		if columns > 0 {
			s.Terminal, s.Columns = true, columns
		}
		if err := printTable(s, all); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := term.Width(strings.TrimSuffix(line, "\n")); n > s.Columns {
				t.Errorf("%d columns on a screen of %d: %s", n, s.Columns, line)
			}
		}
		rows, note, _ := strings.Cut(out.String(), "columns left out on this")
		if strings.Contains(rows, "  …\n") {
			t.Errorf("in %d columns the titles are gone:\n%.400s", columns, rows)
		}
		if n := strings.Count(rows, "\n"); n != len(all)+1 {
			t.Errorf("%d scenarios have %d lines", len(all), n)
		}
		if strings.Contains(rows, "REQUIRES") != (columns == 300) || (note != "") != (columns == 40 || columns == 80) {
			t.Errorf("in %d columns it lists\n%.400s", columns, out.String())
		}
		for _, l := range all {
			if !strings.Contains(strings.ReplaceAll(out.String(), "\n", "\n "), " "+l.ID+" ") {
				t.Errorf("%s is not listed in %d columns", l.ID, columns)
			}
		}
	}
}

// TestLabels: the filter accepts each listed label, and none is listed twice.
func TestLabels(t *testing.T) {
	var all struct{ Labels []input.LabelGroup }
	if err := json.Unmarshal([]byte(call(t, "--labels", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	text := call(t, "--labels")
	of := map[string]bool{}
	for _, g := range all.Labels {
		for _, label := range g.Labels {
			if _, err := specrun.ParseFilter(label, ""); err != nil || of[g.Of+" "+label] ||
				!strings.Contains(text, " "+label) {
				t.Errorf("%s of %s is no label, or listed twice or not: %v", label, g.Of, err)
			}
			of[g.Of+" "+label] = true
		}
	}
	for _, want := range []string{
		"kind of case mistake", "driver netlink", "kind of scenario challenge", "level level-1",
		"required feature bridge", "scenario veth-pair",
	} {
		if !of[want] {
			t.Errorf("it does not list the %s", want)
		}
	}
	words, _ := input.CompleteLabels(nil, nil, "netlink && (mis")
	if all := strings.Join(words, "\n"); !strings.Contains(all, "netlink && (mistake\tkind of case") {
		t.Errorf("completion offers\n%s", all)
	}
}
