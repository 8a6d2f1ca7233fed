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

// TestTheTableHeedsTheTerminal: it is no wider than the terminal and lists everything; elsewhere each scenario is one
// line.
func TestTheTableHeedsTheTerminal(t *testing.T) {
	all, err := listing()
	if err != nil {
		t.Fatal(err)
	}
	for _, columns := range []int{0, 80, 300} {
		var out bytes.Buffer
		s := screen.Plain(&out, &out, false)
		if columns > 0 {
			s.Terminal, s.Columns = true, columns
		}
		if err := printTable(s, all); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := term.Width(strings.TrimSuffix(line, "\n")); columns > 0 && n > columns {
				t.Errorf("%d columns on a terminal of %d: %s", n, columns, line)
			}
		}
		if n := strings.Count(out.String(), "\n"); columns == 0 && n != len(all)+1 {
			t.Errorf("%d scenarios have %d lines", len(all), n)
		}
		for _, l := range all {
			if !strings.Contains(out.String(), " "+l.ID+" ") {
				t.Errorf("%s is not listed in %d columns", l.ID, columns)
			}
		}
		const note = "columns left out on this narrow terminal: REQUIRES"
		if strings.Contains(out.String(), note) != (columns == 80) {
			t.Errorf("in %d columns it lists\n%.400s", columns, out.String())
		}
	}
}

// TestLabels: the filter accepts each listed label, and none is listed twice.
func TestLabels(t *testing.T) {
	var groups []input.LabelGroup
	if err := json.Unmarshal([]byte(call(t, "--labels", "--json")), &groups); err != nil {
		t.Fatal(err)
	}
	text := call(t, "--labels")
	of := map[string]bool{}
	for _, g := range groups {
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
