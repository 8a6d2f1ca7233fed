package reports

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

func TestCompareGolden(t *testing.T) {
	r := sampleGuests()
	// A case that passes on the first kernel alone, of both drivers.
	for i := range r.Suites {
		if s := &r.Suites[i]; s.Guest == "6.12+iproute2-6.1" {
			s.Cases[0].Outcome, s.Cases[0].Problems = scenario.Fail, []scenario.Problem{{
				Message: "`host` has the interface `v1`", Found: "the interfaces of host: lo, eth0, eth1, eth2, eth3, eth4 and v0",
			}}
		}
	}
	text := Compare(r, 80)
	golden(t, "compare.golden.txt", text)
	for line := range strings.Lines(text) {
		if term.Width(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("wider than the screen: %s", line)
		}
	}
	for _, d := range r.Differences() {
		if strings.Contains(d.Case.Name, "Ping") {
			t.Error("a case that fails everywhere, or was not run, differs")
		}
	}
}

func TestCompareAlike(t *testing.T) {
	r := sampleGuests()
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			r.Suites[i].Cases[j].Outcome = scenario.Pass
		}
	}
	if got := Compare(r, 80); got != "No case differs between the kernels.\n" {
		t.Errorf("it says %q", got)
	}
}

// TestCompareOneSide: a kernel on which nothing was run does not agree with the others.
func TestCompareOneSide(t *testing.T) {
	suite := func(guest string, said scenario.Outcome) Suite {
		return Suite{ID: "a", Driver: "netlink", Guest: guest, Cases: []Case{{Name: "x",
			SectionResult: scenario.SectionResult{Outcome: said}}}}
	}
	r := &Run{Guests: []Guest{{Name: "6.1"}, {Name: "newest"}},
		Suites: []Suite{suite("6.1", scenario.Pass), suite("newest", scenario.NotRun)}}
	const want = "No case differs between the kernels that ran it.\n1 case not run on newest, and not compared.\n"
	if got := Compare(r, 80); got != want {
		t.Errorf("it says %q", got)
	}
}
