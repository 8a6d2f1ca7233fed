package reports

import (
	"bytes"
	"strings"
	"testing"
)

func TestSlowestTellsTheLongestFirst(t *testing.T) {
	var out bytes.Buffer
	(&Console{Out: &out, Options: Options{Slowest: 2}}).slowest(sample())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || lines[0] != "The slowest:" {
		t.Fatalf("got\n%s", out.String())
	}
	for i, want := range []string{"21 ms  veth-pair, driver iproute2, step 7 “Ping again”",
		"18 ms  veth-pair, driver iproute2, step 6 “Add the rule twice”"} {
		if !strings.HasPrefix(strings.TrimSpace(lines[i+1]), want) {
			t.Errorf("line %d: got %q, want %q", i+1, lines[i+1], want)
		}
	}
}

func TestSlowestIsSilentWhereNothingRan(t *testing.T) {
	var out bytes.Buffer
	(&Console{Out: &out, Options: Options{Slowest: 10}}).slowest(
		&Run{Suites: []Suite{{Cases: []Case{{Name: "not run"}}}}})
	if out.Len() > 0 {
		t.Errorf("got %q", out.String())
	}
}
